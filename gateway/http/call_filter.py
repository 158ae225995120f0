"""Which calls a view shows: read from the address bar and written back into links, so that it can be sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from gateway.http.periods import DEFAULT, Period, Span
from gateway.http.refusals import BadRequest

MISSED = ("busy", "no_answer", "abandoned", "failed")
OUTCOMES = ("answered", *MISSED, "voicemail", "blocked", "cut_off")
OUTCOME_GROUPS = {"missed": MISSED}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TEXT = 80
_MOST = 2**62


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of calls: what comes after it is older."""

    started_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.started_at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raises BadRequest."""
        micros, _, id = text.partition("-")
        try:
            return cls(_EPOCH + timedelta(microseconds=_whole(micros)), _whole(id))
        except (ValueError, OverflowError):
            raise BadRequest(part="before") from None


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What the viewer narrowed the calls down to, in a period; nothing set shows all of it."""

    period: Period = field(default_factory=Period)
    source: int | Literal["none"] | None = None
    outcome: str | None = None
    number: str | None = None
    caller: str | None = None  # or 'withheld'

    @classmethod
    def parse(cls, query: Mapping[str, str], span: Span = DEFAULT) -> "CallFilter":
        """From the query string; ``span`` where it names no period. Raises BadRequest where a value cannot be one."""
        source, outcome = query.get("source"), query.get("outcome")
        if outcome and outcome not in OUTCOMES and outcome not in OUTCOME_GROUPS:
            raise BadRequest(part="outcome")
        try:
            return cls(
                period=Period.parse(query, span),
                source=None if not source else "none" if source == "none" else _whole(source),
                outcome=outcome or None,
                number=_text(query.get("number")),
                caller=_text(query.get("caller")),
            )
        except ValueError as error:
            raise BadRequest(part=str(error)) from None

    def __bool__(self) -> bool:
        return self != CallFilter(self.period)

    def query(self) -> dict[str, str]:
        """As the query string says it."""
        names = ("source", "outcome", "number", "caller")
        values = {name: str(value) for name in names if (value := getattr(self, name)) is not None}
        return {**self.period.query(), **values}

    def parameters(self, zone: ZoneInfo) -> dict[str, Any]:
        """For the queries, all but the outcome."""
        since, until = self.period.bounds(zone, datetime.now(UTC))
        return {
            "source_id": self.source if isinstance(self.source, int) else None,
            "no_source": self.source == "none",
            "did": self.number,
            "caller": None if self.caller == "withheld" else self.caller,
            "withheld": self.caller == "withheld",
            "since": since,
            "until": until,
        }

    @property
    def outcomes(self) -> list[str] | None:
        """The outcomes that are shown; none for all."""
        if self.outcome is None:
            return None
        return list(OUTCOME_GROUPS.get(self.outcome, (self.outcome,)))


@dataclass(frozen=True, slots=True)
class CallView:
    """A whole view of the call log, as the address bar holds it."""

    filter: CallFilter
    company: int | None = None  # only where the viewer has several
    before: Place | None = None

    def url(self, **changes: Any) -> str:
        """The view with some filters changed, from its newest call on."""
        return self._address(replace(self.filter, **changes))

    def cleared(self) -> str:
        """The view of the period without any filter."""
        return self._address(CallFilter(self.filter.period))

    def whole(self) -> str:
        """The same filters over all time."""
        return self.url(period=Period(Span.ALL))

    def of_day(self, day: date) -> str:
        """The same filters, one day."""
        return self.url(period=Period.between(day, day))

    def toggled(self, **changes: Any) -> str:
        """The view with these filters, or without them if it has them already."""
        present = all(getattr(self.filter, name) == value for name, value in changes.items())
        return self.url(**dict.fromkeys(changes)) if present else self.url(**changes)

    def older(self, place: Place) -> str:
        """The same view further down."""
        return self._address(self.filter, before=str(place))

    def _address(self, filter: CallFilter, **more: str) -> str:
        query = {**({"company": str(self.company)} if self.company else {}), **filter.query(), **more}
        return f"/calls?{urlencode(query)}" if query else "/calls"


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:20]) > _MOST:
        raise ValueError(text)
    return int(text[:20])


def _text(text: str | None) -> str | None:
    if not text:
        return None
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise ValueError("text")
    return text
