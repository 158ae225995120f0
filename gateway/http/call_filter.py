"""Which calls and other leads a view shows: read from the address bar, and written back into links to be sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from gateway.attribution.credit import Model
from gateway.calls.screening import Screened
from gateway.http.accounts import Company
from gateway.http.periods import DEFAULT, Period, Span
from gateway.http.refusals import BadRequest
from gateway.leads.marks import Status
from gateway.leads.search import Sought, sought

MISSED = ("busy", "no_answer", "abandoned", "failed")
OUTCOMES = ("answered", *MISSED, "voicemail", "blocked", "cut_off")
# As reports count them: who left a message reached nobody either.
OUTCOME_GROUPS = {"missed": (*MISSED, "voicemail")}
YES_OR_NO = ("yes", "no")
# How sure a call's source is: nine in ten and more, half and more, less (calls.sure).
SCREENED = tuple(each.value for each in Screened)
SURE = ("high", "fair", "low")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_TEXT = 80
# What came with a visit may be long.
_LONGEST_VALUE = 300
_MOST = 2**62


# Beside calls: what is no call, what only programs seem to have sent, and each kind by its own word.
CALL, WRITTEN, SUSPECT = "call", "written", "suspect"
_KIND = re.compile(r"[\w-]{1,40}")
_LAST_ID = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of leads: what comes after it is older. Of one moment, calls come first.

    ``id`` is a call's number, or the UUID of another lead.
    """

    started_at: datetime
    id: int | UUID

    @property
    def among_calls(self) -> tuple[datetime, int]:
        """The same place in the order of calls alone."""
        return self.started_at, self.id if isinstance(self.id, int) else 0

    @property
    def among_written(self) -> tuple[datetime, UUID]:
        """The same place in the order of forms, chats and texts alone."""
        return self.started_at, self.id if isinstance(self.id, UUID) else _LAST_ID

    def __str__(self) -> str:
        return f"{(self.started_at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raises BadRequest."""
        micros, _, id = text.partition("-")
        try:
            at = _EPOCH + timedelta(microseconds=_whole(micros))
            return cls(at, UUID(id) if "-" in id else _whole(id))
        except (ValueError, OverflowError):
            raise BadRequest(part="before") from None


@dataclass(frozen=True, slots=True)
class Between:
    """Whole numbers from ``least`` on and below ``most``; none where it is open. As text 30-120, 600-, -30."""

    least: int | None = None
    most: int | None = None

    def __str__(self) -> str:
        return f"{'' if self.least is None else self.least}-{'' if self.most is None else self.most}"

    @classmethod
    def parse(cls, text: str) -> "Between":
        """Raises ValueError."""
        least, dash, most = text.partition("-")
        if not dash or not (least or most):
            raise ValueError(text)
        return cls(_small(least) if least else None, _small(most) if most else None)


@dataclass(frozen=True, slots=True)
class Clicked:
    """Days of the touch that brought a call, both included, on the company's calendar: 2026-10-01..2026-10-31."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first.isoformat()}..{self.last.isoformat()}"

    @classmethod
    def parse(cls, text: str) -> "Clicked":
        """Raises ValueError."""
        first, dots, last = text.partition("..")
        days = date.fromisoformat(first), date.fromisoformat(last)
        if not dots or not all(1970 <= day.year < 2200 for day in days):
            raise ValueError(text)
        return cls(min(days), max(days))


@dataclass(frozen=True, slots=True)
class HourOfWeek:
    """An hour of a weekday by the company's clock: ``weekday`` 1 (Monday) to 7, ``hour`` 0 to 23. As text 1-14."""

    weekday: int
    hour: int

    def __str__(self) -> str:
        return f"{self.weekday}-{self.hour}"

    @classmethod
    def parse(cls, text: str) -> "HourOfWeek":
        """Raises ValueError."""
        weekday, dash, hour = text.partition("-")
        found = cls(_small(weekday), _small(hour))
        if not dash or not 1 <= found.weekday <= 7 or found.hour > 23:
            raise ValueError(text)
        return found


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What the viewer narrowed the calls down to, in a period; nothing set shows all of it."""

    period: Period = field(default_factory=Period)
    kind: str | None = None  # call, written (all that is none), suspect, or a kind such as form, chat, text
    q: str | None = None  # searched for: a number, or words of name, note and tags
    source: int | Literal["none"] | None = None
    channel: str | None = None
    campaign: str | None = None
    keyword: str | None = None
    pool: int | Literal["none"] | None = None
    number: str | None = None
    outcome: str | None = None
    status: Status | None = None
    tag: int | None = None
    by: str | None = None  # the endpoint that answered
    talk: Between | None = None  # seconds
    first: str | None = None  # 'yes': nobody had called from that number before
    qualified: str | None = None
    sure: str | None = None  # how sure its source is
    screened: str | None = None  # which rule acted on it
    region: str | None = None
    caller: str | None = None  # or 'withheld'
    hour: HourOfWeek | None = None  # in which it came
    # As reports count calls (gateway.reports.drill writes these).
    counted: str | None = None  # 'yes': neither blocked nor spam, and over
    reached: str | None = None  # 'yes': a person answered
    job: str | None = None  # 'yes': a job counts on it
    credit: Model | None = None  # of whose touch source, channel and the like are; none: the call's own
    clicked: "Clicked | None" = None  # when that touch was
    landing: str | None = None
    city: str | None = None
    device: str | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str], span: Span = DEFAULT) -> "CallFilter":
        """From the query string; ``span`` where it names no period. Raises BadRequest where a value cannot be one."""
        values: dict[str, Any] = {"period": Period.parse(query, span)}
        for name, read in _READERS.items():
            text = query.get(name)
            if not text:
                continue
            try:
                values[name] = read(text)
            except ValueError:
                raise BadRequest(part=name) from None
        return cls(**values)

    def __bool__(self) -> bool:
        return self != CallFilter(self.period)

    @property
    def names(self) -> list[str]:
        """The filters that are set."""
        return [name for name in _READERS if getattr(self, name) is not None]

    def query(self) -> dict[str, str]:
        """As the query string says it."""
        return {**self.period.query(), **{name: str(getattr(self, name)) for name in self.names}}

    def sought(self, company: Company) -> Sought:
        """What the search asks for, as this company's country writes numbers."""
        return sought(self.q, company.region) if self.q else Sought()

    @property
    def has_calls(self) -> bool:
        """Whether calls are among what it shows."""
        return self.kind in (None, CALL)

    @property
    def has_written(self) -> bool:
        """Whether forms, chats and texts are among what it shows: nobody answers them, and nobody talks."""
        if self.kind == CALL or self.outcome or self.talk or self.reached or self.screened or self.caller == "withheld":
            return False
        # Reports count what nobody answered under nobody.
        return self.by is None or (self.by == "(not set)" and self.counted is not None)

    @property
    def of_touch(self) -> Model | None:
        """The model by which touches are looked at; none where only the calls themselves are."""
        if self.credit is None and (self.clicked or self.landing or self.city or self.device):
            return Model.FIRST
        return self.credit

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

    def at(self, path: str) -> str:
        """The same filters at another address, such as what the view is exported by."""
        return self._address(self.filter, path=path)

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

    @property
    def here(self) -> str:
        """The view itself."""
        return self.older(self.before) if self.before else self.url()

    @property
    def kept(self) -> str:
        """The view as it is saved: without company and place."""
        return urlencode(self.filter.query())

    @property
    def query(self) -> dict[str, str]:
        """All that the address says, but the place."""
        return {**({"company": str(self.company)} if self.company else {}), **self.filter.query()}

    def without(self, name: str) -> dict[str, str]:
        """The same but one part, for forms that set it."""
        return {part: value for part, value in self.query.items() if part != name}

    def _address(self, filter: CallFilter, path: str = "/calls", **more: str) -> str:
        query = {**({"company": str(self.company)} if self.company else {}), **filter.query(), **more}
        return f"{path}?{urlencode(query)}" if query else path


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:20]) > _MOST:
        raise ValueError(text)
    return int(text[:20])


def _small(text: str) -> int:
    value = _whole(text)
    if value > 10**6:
        raise ValueError(text)
    return value


def _yes(text: str) -> str:
    return _one_of(text, ("yes",))


def _source(text: str) -> int | Literal["none"]:
    return "none" if text == "none" else _whole(text)


def _outcome(text: str) -> str:
    return _one_of(text, (*OUTCOMES, *OUTCOME_GROUPS))


def _sure(text: str) -> str:
    return _one_of(text, SURE)


def _screened(text: str) -> str:
    return _one_of(text, SCREENED)


def _yes_or_no(text: str) -> str:
    return _one_of(text, YES_OR_NO)


def _one_of(text: str, among: tuple[str, ...]) -> str:
    if text not in among:
        raise ValueError(text)
    return text


def _kind(text: str) -> str:
    if not _KIND.fullmatch(text):
        raise ValueError(text)
    return text


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise ValueError(text)
    return text


def _value(text: str) -> str:
    if len(text) > _LONGEST_VALUE or "\0" in text:
        raise ValueError(text)
    return text


# In the order of the chips on the page.
_READERS: dict[str, Any] = {
    "kind": _kind,
    "q": _text,
    "source": _source,
    "channel": _value,
    "campaign": _value,
    "keyword": _value,
    "pool": _source,
    "number": _text,
    "outcome": _outcome,
    "status": Status,
    "tag": _whole,
    "by": _text,
    "talk": Between.parse,
    "first": _yes_or_no,
    "qualified": _yes_or_no,
    "sure": _sure,
    "screened": _screened,
    "region": _text,
    "caller": _text,
    "hour": HourOfWeek.parse,
    "landing": _value,
    "city": _value,
    "device": _value,
    "reached": _yes_or_no,
    "job": _yes_or_no,
    "counted": _yes,
    "credit": Model,
    "clicked": Clicked.parse,
}
assert set(_READERS) == {each.name for each in fields(CallFilter)} - {"period"}
