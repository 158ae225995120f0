"""Of which missed calls an alert tells, and when."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.reports.mail_alerts import APART, GRACE, WORTH_TELLING, Gathered, Quiet, Waiting, gather
from gateway.reports.mail_due import ALERTS, Kind

REGINA, KATHMANDU = ZoneInfo("America/Regina"), ZoneInfo("Asia/Kathmandu")  # UTC-6; UTC+5:45
NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)  # in Regina


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def call(id: int, ago: float, **more: bool) -> Waiting:
    return Waiting(id, NOON - minutes(ago), **more)


@pytest.mark.parametrize(
    ("calls", "alerted", "expected"),
    [
        ([], None, Gathered()),
        # Two minutes in which the caller may try again.
        ([call(1, 1.9)], None, Gathered()),
        ([call(1, 2)], None, Gathered((1,))),
        ([call(1, 1, answered_since=True)], None, Gathered(drop=(1,))),
        ([call(1, 3, is_spam=True), call(2, 3)], None, Gathered((2,), (1,))),
        # One mail in five minutes; what came meanwhile comes together.
        ([call(1, 3), call(2, 2.5)], 4.9, Gathered()),
        ([call(1, 3), call(2, 2.5), call(3, 1)], 5, Gathered((1, 2))),
        # A clock that jumped back holds nothing up.
        ([call(1, 3)], -600, Gathered((1,))),
        # What an outbox brings after days stands in the pages.
        ([call(1, 31 * 60), call(2, 29 * 60)], None, Gathered((2,), (1,))),
    ],
)
def test_at_once(calls: list[Waiting], alerted: float | None, expected: Gathered) -> None:
    since = None if alerted is None else NOON - minutes(alerted)
    assert gather(calls, Kind.MISSED, None, REGINA, NOON, since) == expected


@pytest.mark.parametrize(
    ("now", "ended", "alerted", "tells"),
    [
        ("18:59", "18:10", None, False),
        ("19:00", "18:10", None, True),
        ("19:01", "18:59:30", None, False),  # may be answered yet
        ("19:02", "18:59:30", None, True),
        ("19:20", "18:59", "19:00", False),  # a mail an hour
        ("20:00", "18:59", "19:00", True),
    ],
)
def test_hourly(now: str, ended: str, alerted: str | None, tells: bool) -> None:
    def moment(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-11-23T{text}+00:00")

    found = gather(
        [Waiting(1, moment(ended))],
        Kind.MISSED_HOURLY,
        None,
        REGINA,
        moment(now),
        moment(alerted) if alerted else None,
    )
    assert bool(found.tell) == tells


def test_the_hour_is_that_of_the_company_s_clock() -> None:
    waiting = [Waiting(1, datetime(2026, 11, 23, 18, 5, tzinfo=UTC))]  # 23:50 in Kathmandu
    for now, tells in (((18, 14), False), ((18, 15), True)):
        moment = datetime(2026, 11, 23, *now, tzinfo=UTC)
        assert bool(gather(waiting, Kind.MISSED_HOURLY, None, KATHMANDU, moment, None).tell) == tells


def test_quiet_hours_hold_everything_and_then_it_comes_together() -> None:
    night, calls = Quiet(21, 7), [call(1, 3), call(2, 60)]
    for hour, is_quiet in ((20, False), (21, True), (23, True), (0, True), (6, True), (7, False), (12, False)):
        assert night.holds(hour) == is_quiet
    assert gather(calls, Kind.MISSED, Quiet(12, 13), REGINA, NOON, None) == Gathered()
    assert gather(calls, Kind.MISSED, Quiet(11, 12), REGINA, NOON, None) == Gathered((2, 1))
    assert not any(Quiet(8, 8).holds(hour) for hour in range(24))


quiets = st.none() | st.builds(Quiet, st.integers(0, 23), st.integers(0, 23))


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 48 * 60), max_size=30),
    st.sampled_from(ALERTS),
    quiets,
    st.sampled_from([REGINA, KATHMANDU, ZoneInfo("Europe/Berlin")]),
)
def test_every_call_is_told_of_once_and_mails_keep_their_distance(
    missed: list[int], kind: Kind, quiet: Quiet | None, zone: ZoneInfo
) -> None:
    """A look a minute, two days of calls and as long to tell of them."""
    waiting = {id: Waiting(id, NOON + minutes(after)) for id, after in enumerate(missed)}
    told: list[int] = []
    mails: list[datetime] = []
    for minute in range(0, 80 * 60, 7):
        now = NOON + minutes(minute)
        here = [each for each in waiting.values() if each.ended_at <= now]
        found = gather(here, kind, quiet, zone, now, mails[-1] if mails else None)
        for id in found.tell:
            assert now - waiting[id].ended_at >= GRACE or kind is Kind.MESSAGES
        for id in (*found.tell, *found.drop):
            del waiting[id]
        if found.tell:
            assert quiet is None or not quiet.holds(now.astimezone(zone).hour)
            mails.append(now)
            told += found.tell
    assert not waiting
    assert sorted(told) == list(range(len(missed)))  # quiet hours are shorter than what is worth telling
    assert all(later - sooner >= APART for sooner, later in pairwise(mails))
    assert timedelta(hours=24) < WORTH_TELLING
