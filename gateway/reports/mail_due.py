"""When a report is due by mail, and of which days it tells: plain functions over the company's calendar and clock.

Hours are those of the company's time zone. An hour that a clock change leaves out comes an hour later; one that comes
twice counts the first time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    """What somebody gets by mail."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    MISSED = "missed"  # each missed call at once
    MISSED_HOURLY = "missed_hourly"  # those of an hour together
    MESSAGES = "messages"  # each message that a caller leaves, at once

    @property
    def is_report(self) -> bool:
        """Whether it comes by the calendar; alerts come when somebody was missed."""
        return self in (Kind.DAILY, Kind.WEEKLY, Kind.MONTHLY)


REPORTS = tuple(kind for kind in Kind if kind.is_report)
ALERTS = tuple(kind for kind in Kind if not kind.is_report)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a report comes: ``hour`` 0 to 23, ``weekday`` 1 (Monday) to 7, which only a weekly one looks at."""

    kind: Kind
    hour: int = 8
    weekday: int = 1


@dataclass(frozen=True, slots=True)
class Days:
    """The days that a report tells of: from ``since`` up to the day before ``until``."""

    since: date
    until: date

    @property
    def last(self) -> date:
        """Its last day."""
        return self.until - timedelta(days=1)

    @property
    def before(self) -> "Days":
        """As many days just before; of a whole month, the month before."""
        if self.since.day == 1 and self.until.day == 1:
            return Days((self.since - timedelta(days=1)).replace(day=1), self.since)
        return Days(self.since - (self.until - self.since), self.since)


def due(rhythm: Rhythm, zone: ZoneInfo, now: datetime, counts_from: datetime, sent_until: date | None) -> Days | None:
    """The days of which a report is to be sent now; none where nothing is due.

    At most the latest is ever due: after an outage nobody gets a week of daily reports. ``counts_from``: nothing that
    was due before; ``sent_until``: the day after the last one already told of, so that no clock that jumps back sends
    a report twice.
    """
    day = _latest(rhythm, zone, now)
    if _moment(day, rhythm.hour, zone) <= counts_from:
        return None
    days = told_on(rhythm.kind, day)
    return None if sent_until is not None and days.until <= sent_until else days


def next_at(rhythm: Rhythm, zone: ZoneInfo, now: datetime) -> datetime:
    """When the next report comes after ``now``, in UTC."""
    day = _latest(rhythm, zone, now)
    while (moment := _moment(day, rhythm.hour, zone)) <= now:
        day += timedelta(days=1)
        while not _comes_on(rhythm, day):
            day += timedelta(days=1)
    return moment


def told_on(kind: Kind, day: date) -> Days:
    """The days of which a report that comes on ``day`` tells: the day, the seven days, or the month before."""
    if kind is Kind.MONTHLY:
        first = day.replace(day=1)
        return Days((first - timedelta(days=1)).replace(day=1), first)
    return Days(day - timedelta(days=7 if kind is Kind.WEEKLY else 1), day)


def _latest(rhythm: Rhythm, zone: ZoneInfo, now: datetime) -> date:
    """The last day on which one came due up to now."""
    day = now.astimezone(zone).date() + timedelta(days=1)  # today's hour may be, in UTC, of tomorrow
    while not (_comes_on(rhythm, day) and _moment(day, rhythm.hour, zone) <= now):
        day -= timedelta(days=1)
    return day


def _comes_on(rhythm: Rhythm, day: date) -> bool:
    if rhythm.kind is Kind.MONTHLY:
        return day.day == 1
    return rhythm.kind is not Kind.WEEKLY or day.isoweekday() == rhythm.weekday


def _moment(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), zone).astimezone(UTC)
