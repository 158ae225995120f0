"""Which days a page is about: read from the address bar in the company's time zone, and written back into links."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.http.refusals import BadRequest


class Span(StrEnum):
    """The periods one can choose by name."""

    TODAY = "today"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    ALL = "all"
    CHOSEN = "chosen"  # from one day to another


DEFAULT = Span.MONTH
_LENGTHS = {Span.TODAY: 1, Span.WEEK: 7, Span.MONTH: 30, Span.QUARTER: 90}
# The names under which addresses hold a period.
QUERY = ("period", "from", "to")


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of whole days on the company's calendar; ``first`` and ``last`` only where they were chosen."""

    span: Span = DEFAULT
    first: date | None = None
    last: date | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str], default: Span = DEFAULT) -> "Period":
        """From ``period``, or from ``from`` and ``to`` (days, both of them included; one may be missing).

        Raises BadRequest where it cannot be one.
        """
        name, since, until = (query.get(part) for part in QUERY)
        if since or until:
            return cls.between(_day(since) if since else None, _day(until) if until else None)
        if not name:
            return cls(default)
        try:
            span = Span(name)
        except ValueError:
            raise BadRequest(part="period") from None
        if span is Span.CHOSEN:
            raise BadRequest(part="period")
        return cls(span)

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Period":
        """The same, but the usual one where the address is wrong: for what stands around a refusal."""
        try:
            return cls.parse(query)
        except BadRequest:
            return cls()

    @classmethod
    def between(cls, first: date | None, last: date | None) -> "Period":
        """From one day to another, whichever of them comes first."""
        if first and last and first > last:
            first, last = last, first
        return cls(Span.CHOSEN, first, last)

    def query(self) -> dict[str, str]:
        """As the address says it; nothing for the usual one."""
        if self.span is Span.CHOSEN:
            days = {"from": self.first, "to": self.last}
            return {name: day.isoformat() for name, day in days.items() if day}
        return {} if self.span is DEFAULT else {"period": self.span.value}

    def days(self, today: date) -> tuple[date | None, date | None]:
        """First and last day, both included; none where it has no beginning, or goes on."""
        if self.span is Span.CHOSEN:
            return self.first, self.last
        if self.span is Span.ALL:
            return None, None
        if self.span is Span.THIS_MONTH:
            return today.replace(day=1), None
        if self.span is Span.LAST_MONTH:
            last = today.replace(day=1) - timedelta(days=1)
            return last.replace(day=1), last
        return today - timedelta(days=_LENGTHS[self.span] - 1), None

    def bounds(self, zone: ZoneInfo, now: datetime) -> tuple[datetime | None, datetime | None]:
        """When it begins and when it is over (that moment not included), in UTC; none where it has no end."""
        first, last = self.days(now.astimezone(zone).date())
        return midnight(first, zone) if first else None, midnight(last + timedelta(days=1), zone) if last else None

    def before(self, today: date) -> "Period | None":
        """What to compare with: as many days just before; for this month, the same days of the month before.

        None where it has no beginning, or no days have passed that could be compared.
        """
        first, last = self.days(today)
        if first is None:
            return None
        if self.span is Span.LAST_MONTH:
            end = first - timedelta(days=1)
            return Period.between(end.replace(day=1), end)
        if self.span is Span.THIS_MONTH:
            end = first - timedelta(days=1)
            return Period.between(end.replace(day=1), end.replace(day=min(today.day, end.day)))
        length = ((last or today) - first).days + 1
        if length < 1:
            return None
        end = first - timedelta(days=1)
        return Period.between(end - timedelta(days=length - 1), end)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins in a time zone, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequest(part="period") from None
    if not 1970 <= day.year < 2200:
        raise BadRequest(part="period")
    return day
