"""When reports come due: over clock changes, outages, clocks that jump, and any zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.reports.mail_due import REPORTS, Days, Kind, Rhythm, due, next_at, told_on

REGINA, BERLIN, LORD_HOWE = (ZoneInfo(name) for name in ("America/Regina", "Europe/Berlin", "Australia/Lord_Howe"))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def at(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


@pytest.mark.parametrize(
    ("rhythm", "zone", "now", "told"),
    [
        # The hour itself counts, and not the minute before.
        (Rhythm(Kind.DAILY), REGINA, "2026-11-22T07:59", ("2026-11-20", "2026-11-21")),
        (Rhythm(Kind.DAILY), REGINA, "2026-11-22T08:00", ("2026-11-21", "2026-11-22")),
        # A gateway that was down: the latest, and none of those before.
        (Rhythm(Kind.DAILY), REGINA, "2026-11-22T23:59", ("2026-11-21", "2026-11-22")),
        (Rhythm(Kind.WEEKLY), REGINA, "2026-11-23T08:00", ("2026-11-16", "2026-11-23")),
        (Rhythm(Kind.WEEKLY), REGINA, "2026-11-23T07:59", ("2026-11-09", "2026-11-16")),
        (Rhythm(Kind.WEEKLY), REGINA, "2026-11-26T12:00", ("2026-11-16", "2026-11-23")),
        (Rhythm(Kind.WEEKLY, weekday=5), REGINA, "2026-11-27T08:00", ("2026-11-20", "2026-11-27")),
        (Rhythm(Kind.MONTHLY), REGINA, "2026-11-01T08:00", ("2026-10-01", "2026-11-01")),
        (Rhythm(Kind.MONTHLY), REGINA, "2026-03-01T08:00", ("2026-02-01", "2026-03-01")),
        (Rhythm(Kind.MONTHLY), REGINA, "2027-01-01T07:00", ("2026-11-01", "2026-12-01")),
        # Summer time begins on 29 March 2026 at 2:00: the hour from 2 to 3 is not there.
        (Rhythm(Kind.DAILY, hour=2), BERLIN, "2026-03-29T01:59", ("2026-03-27", "2026-03-28")),
        (Rhythm(Kind.DAILY, hour=2), BERLIN, "2026-03-29T03:00", ("2026-03-28", "2026-03-29")),
        (Rhythm(Kind.WEEKLY, weekday=7), BERLIN, "2026-03-29T08:00", ("2026-03-22", "2026-03-29")),
        # It ends on 25 October at 3:00: the hour from 2 to 3 comes twice, and the first one counts.
        (Rhythm(Kind.DAILY, hour=2), BERLIN, "2026-10-25T02:00", ("2026-10-24", "2026-10-25")),
        # A zone with half an hour of summer time.
        (Rhythm(Kind.DAILY, hour=2), LORD_HOWE, "2026-10-04T02:30", ("2026-10-03", "2026-10-04")),
    ],
)
def test_which_days_are_due(rhythm: Rhythm, zone: ZoneInfo, now: str, told: tuple[str, str]) -> None:
    days = Days(date.fromisoformat(told[0]), date.fromisoformat(told[1]))
    moment = at(now, zone)
    assert due(rhythm, zone, moment, LONG_AGO, None) == days
    assert due(rhythm, zone, moment, LONG_AGO, days.since) == days
    assert due(rhythm, zone, moment, LONG_AGO, days.until) is None


def test_the_second_two_o_clock_of_a_night_sends_nothing_again() -> None:
    first = at("2026-10-25T02:00", BERLIN)
    days = due(Rhythm(Kind.DAILY, hour=2), BERLIN, first, LONG_AGO, None)
    assert days is not None
    second = at("2026-10-25T02:00", BERLIN, fold=1)
    assert second.astimezone(UTC) - first.astimezone(UTC) == timedelta(hours=1)
    assert due(Rhythm(Kind.DAILY, hour=2), BERLIN, second, LONG_AGO, days.until) is None


def test_what_was_due_before_somebody_subscribed_is_not_sent() -> None:
    rhythm, subscribed = Rhythm(Kind.WEEKLY), at("2026-11-23T09:00", REGINA)
    assert due(rhythm, REGINA, at("2026-11-23T09:01", REGINA), subscribed, None) is None
    assert due(rhythm, REGINA, at("2026-11-30T08:00", REGINA), subscribed, None) == told_on(
        Kind.WEEKLY, date(2026, 11, 30)
    )


def test_a_clock_that_jumps_back_or_forth_sends_each_report_once() -> None:
    rhythm, sent_until, sent = Rhythm(Kind.DAILY), None, []
    for moment in ("2026-11-22T08:00", "2026-11-19T08:00", "2026-11-25T08:00", "2026-11-23T08:00", "2026-11-26T08:00"):
        days = due(rhythm, REGINA, at(moment, REGINA), LONG_AGO, sent_until)
        if days is not None:
            sent.append(days.last.day)
            sent_until = days.until
    assert sent == [21, 24, 25]


def test_the_days_before_are_as_many_and_of_a_month_the_month_before() -> None:
    assert Days(date(2026, 11, 16), date(2026, 11, 23)).before == Days(date(2026, 11, 9), date(2026, 11, 16))
    assert Days(date(2026, 3, 1), date(2026, 4, 1)).before == Days(date(2026, 2, 1), date(2026, 3, 1))


rhythms = st.builds(Rhythm, st.sampled_from(REPORTS), st.integers(0, 23), st.integers(1, 7))
zones = st.sampled_from(
    [ZoneInfo(name) for name in ("UTC", "America/Regina", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia")]
    + [LORD_HOWE, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Africa/Casablanca")]
)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@settings(deadline=None)
@given(rhythms, zones, moments)
def test_the_next_one_is_due_when_it_comes_and_not_a_second_before(
    rhythm: Rhythm, zone: ZoneInfo, now: datetime
) -> None:
    last = due(rhythm, zone, now, LONG_AGO, None)
    assert last is not None
    following = next_at(rhythm, zone, now)
    assert following > now
    assert due(rhythm, zone, following - timedelta(seconds=1), LONG_AGO, last.until) is None
    days = due(rhythm, zone, following, LONG_AGO, last.until)
    assert days is not None
    assert days.until <= following.astimezone(zone).date() <= days.until + timedelta(days=1)


@settings(deadline=None)
@given(rhythms, zones, moments, st.lists(st.integers(1, 400), max_size=20))
def test_over_any_outages_no_day_is_told_twice_and_none_before_the_end_of_its_last_day(
    rhythm: Rhythm, zone: ZoneInfo, begins: datetime, hours: list[int]
) -> None:
    now, sent_until = begins, None
    for pause in hours:
        now += timedelta(hours=pause)
        days = due(rhythm, zone, now, begins, sent_until)
        if days is None:
            continue
        assert sent_until is None or days.since >= sent_until
        assert days.until <= now.astimezone(zone).date()
        sent_until = days.until
