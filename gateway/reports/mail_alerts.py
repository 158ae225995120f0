"""Which missed calls an alert tells of, and when: a plain decision over what waits.

A call waits two minutes, in case the caller tries again and is answered. Bursts are gathered: one mail in five minutes
at most. During quiet hours everything waits, and comes together when they are over.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.reports.mail_due import Kind

GRACE = timedelta(minutes=2)
APART = timedelta(minutes=5)
# Older ones stand in the pages, and in the next report: nobody is to be woken by last week's.
WORTH_TELLING = timedelta(hours=30)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the company's clock in which no alert comes, over midnight where ``until`` is the smaller."""

    since: int
    until: int

    def holds(self, hour: int) -> bool:
        """Whether that hour is quiet. From one hour to the same hour: none is."""
        if self.since <= self.until:
            return self.since <= hour < self.until
        return hour >= self.since or hour < self.until


@dataclass(frozen=True, slots=True)
class Waiting:
    """A missed call that somebody is to be told of."""

    call_id: int
    ended_at: datetime
    is_spam: bool = False  # or blocked meanwhile, or not this person's to see
    answered_since: bool = False  # the caller tried again, and was answered


@dataclass(frozen=True, slots=True)
class Gathered:
    """What to do now: the calls of one alert (none: no alert), and those that nobody need be told of any more."""

    tell: tuple[int, ...] = ()
    drop: tuple[int, ...] = ()


def gather(
    waiting: Iterable[Waiting],
    kind: Kind,
    quiet: Quiet | None,
    zone: ZoneInfo,
    now: datetime,
    alerted_at: datetime | None,
) -> Gathered:
    """What is to be told now. ``alerted_at``: when the last alert was written; one from the future counts as none."""
    drop: list[int] = []
    ripe: list[Waiting] = []
    for call in sorted(waiting, key=lambda each: (each.ended_at, each.call_id)):
        # A message wants to be heard, also when its caller was answered since; and it needs no second try.
        is_settled = call.answered_since and kind is not Kind.MESSAGES
        if call.is_spam or is_settled or now - call.ended_at > WORTH_TELLING:
            drop.append(call.call_id)
        elif kind is Kind.MESSAGES or now - call.ended_at >= GRACE:
            ripe.append(call)
    if not ripe or (quiet is not None and quiet.holds(now.astimezone(zone).hour)):
        return Gathered(drop=tuple(drop))
    since = alerted_at if alerted_at is not None and alerted_at <= now else None
    if kind is Kind.MISSED_HOURLY:
        hour = now.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        waits = ripe[0].ended_at >= hour or (since is not None and since >= hour)
    else:
        waits = since is not None and now - since < APART
    return Gathered(() if waits else tuple(call.call_id for call in ripe), tuple(drop))
