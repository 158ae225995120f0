"""What is drawn of an example company: the same every time, by its own calendar, and believable."""

import hashlib
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic_core import to_json

from gateway.example.arrivals import local
from gateway.example.calling import Calls, calls_of
from gateway.example.chance import MARKED
from gateway.example.course import DAYS, Course, Grounds, run
from gateway.example.trades import DENTAL, ROOFING, TRADES, Trade
from gateway.pools.conditions import typed
from gateway.pools.pool import Kind, Offer, Pool, Site, SwapTarget
from gateway.visits.classify import Classifier
from gateway.visits.ruleset import default_rule_set

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 17, tzinfo=UTC)


def _drawn(trade: Trade, until: datetime = NOON) -> tuple[Course, Calls]:
    numbers = {
        e164: place
        for place, e164 in enumerate(
            dict.fromkeys((trade.main_number, *trade.lent, *(line.e164 for line in trade.lines))), 1
        )
    }
    pool = Pool(1, 1, trade.pool, Kind.DYNAMIC, 10, typed(("channel=paid*,organic*",)))
    target = SwapTarget(1, trade.main_number, numbers[trade.main_number])
    site = Site(1, 1, trade.site, "demo", (), (), trade.time_zone, trade.region, (target,))
    offer = Offer({"demo": site}, {1: (pool,)}, {(1, trade.main_number): numbers[trade.main_number]})
    course = run(trade, Grounds(1, site, offer, numbers, Classifier(default_rule_set()), 0), TODAY, until)
    return course, calls_of(
        trade, course, "PJSIP/office", {e164: (id, None) for e164, id in numbers.items()}, TODAY, until
    )


def _digest(course: Course, calls: Calls) -> str:
    rows = [course.visits, course.views, course.taps, course.exposures, course.leases, calls.calls, calls.jobs]
    return hashlib.sha256(to_json([*rows, sorted(course.visitors.items())])).hexdigest()


@pytest.fixture(scope="module", params=TRADES, ids=lambda trade: trade.key)
def drawn(request: pytest.FixtureRequest) -> tuple[Trade, Course, Calls]:
    return (request.param, *_drawn(request.param))


def test_the_same_day_gives_the_same_rows() -> None:
    assert _digest(*_drawn(ROOFING)) == _digest(*_drawn(ROOFING))


def test_what_was_before_does_not_depend_on_the_hour_of_today(drawn: tuple[Trade, Course, Calls]) -> None:
    trade, _, calls = drawn
    midnight = local(TODAY, 0, ZoneInfo(trade.time_zone))
    _, earlier = _drawn(trade, midnight)
    # What became of a call may still have been open then; what Asterisk left of it was not.
    before = [
        (call.record, call.talk, call.made_by) for call in calls.calls if (call.record.ended_at or NOON) < midnight
    ]
    assert [(call.record, call.talk, call.made_by) for call in earlier.calls] == before


def test_leases_of_a_number_never_overlap_and_exposures_lie_within(drawn: tuple[Trade, Course, Calls]) -> None:
    _, course, _ = drawn
    by_number: dict[int, datetime] = {}
    for lease in sorted(course.leases, key=lambda lease: lease.start):
        assert lease.start >= by_number.get(lease.number_id, lease.start)
        by_number[lease.number_id] = lease.end or datetime.max.replace(tzinfo=UTC)
        assert lease.end is None or lease.end > lease.start
    for exposure in course.exposures:
        assert exposure.shown_at <= exposure.last_seen + timedelta(milliseconds=1)
        if exposure.lease is not None:
            assert course.leases[exposure.lease].number_id == exposure.number_id


def test_every_id_bears_the_mark(drawn: tuple[Trade, Course, Calls]) -> None:
    _, course, _ = drawn
    ids = [row["id"] for row in course.visits] + [exposure.id for exposure in course.exposures]
    assert all(str(id).endswith(MARKED) for id in [*ids, *course.visitors, *(lead.id for lead in course.leads)])
    assert len(set(ids)) == len(ids)
    assert all(lease.holder.endswith(MARKED) for lease in course.leases)


def test_it_is_believable(drawn: tuple[Trade, Course, Calls]) -> None:
    trade, course, calls = drawn
    zone = ZoneInfo(trade.time_zone)
    walls = [call.record.started_at.astimezone(zone) for call in calls.calls]
    days = Counter(wall.date() for wall in walls)
    assert len(days) > DAYS - 6
    assert 600 < len(calls.calls) < 1600
    by_weekday = Counter(wall.weekday() for wall in walls)
    assert by_weekday[6] < 0.7 * by_weekday[0]
    assert 0.85 < sum(7 <= wall.hour < 21 for wall in walls) / len(walls) < 1
    assert any(wall.hour < 7 or wall.hour >= 21 for wall in walls)
    answered = sum(call.talk is not None for call in calls.calls) / len(calls.calls)
    assert 0.55 < answered < 0.9
    statuses = Counter(call.status.value for call in calls.calls)
    assert set(statuses) == {"new", "lead", "quoted", "booked", "lost", "spam"}
    assert any(not call.record.caller for call in calls.calls)
    assert any(call.record.blocked for call in calls.calls)
    assert Counter(call.record.caller for call in calls.calls if call.record.caller).most_common(1)[0][1] > 2
    assert calls.jobs
    assert max(Counter(call.job for call in calls.calls if call.job is not None).values()) > 1
    assert len({row["label"] for row in course.visits}) > 8
    assert len({row["campaign"] for row in course.visits}) > 4


def test_the_hailstorm_is_too_much_for_the_pool() -> None:
    course, calls = _drawn(ROOFING)
    storm = TODAY - timedelta(days=ROOFING.rushes[0].day)
    displaced = Counter(hour.date() for (_, hour), each in course.hours.items() for _ in range(each.displaced))
    assert sum(displaced.values()) > 10
    assert any(abs((day - storm).days) <= 2 for day, _ in displaced.most_common(2))
    assert sum(course.misses.values()) == sum(displaced.values())
    first = Counter(call.record.started_at.astimezone(ZoneInfo(ROOFING.time_zone)).date() for call in calls.calls)
    assert first[storm] > 1.5 * sum(first.values()) / DAYS


def test_a_campaign_that_starts_brings_nobody_before() -> None:
    course, _ = _drawn(DENTAL)
    first = min(row["started_at"] for row in course.visits if row["campaign"] == "clear-aligners")
    assert datetime.fromisoformat(first).date() >= TODAY - timedelta(days=39)


@pytest.mark.parametrize(
    ("zone", "day", "seconds", "expected"),
    [
        ("Europe/London", date(2026, 10, 24), 9 * 3600, "2026-10-24T08:00:00+00:00"),
        ("Europe/London", date(2026, 10, 25), 9 * 3600, "2026-10-25T09:00:00+00:00"),
        ("America/Regina", date(2026, 10, 25), 9 * 3600, "2026-10-25T15:00:00+00:00"),
        ("America/Regina", date(2026, 11, 2), 9 * 3600, "2026-11-02T15:00:00+00:00"),
        ("Europe/London", date(2026, 3, 29), 1.5 * 3600, "2026-03-29T01:30:00+00:00"),
    ],
)
def test_clocks_that_are_set_keep_the_hour_on_the_wall(zone: str, day: date, seconds: float, expected: str) -> None:
    assert local(day, seconds, ZoneInfo(zone)).isoformat() == expected


def test_calls_follow_the_opening_hours_before_and_after_the_clocks_are_set() -> None:
    _, calls = _drawn(DENTAL)
    zone = ZoneInfo(DENTAL.time_zone)
    for summer in (True, False):
        hours = [
            call.record.started_at.astimezone(zone).hour
            for call in calls.calls
            if (call.record.started_at < datetime(2026, 10, 25, tzinfo=UTC)) is summer and call.talk is not None
        ]
        assert sum(8 <= hour < 18 for hour in hours) / len(hours) > 0.75
