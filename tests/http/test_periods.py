"""Which days a period is, on whose calendar, what it is compared with, and how the address says it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.periods import Period, Span
from gateway.http.refusals import BadRequest

REGINA, MOSCOW = ZoneInfo("America/Regina"), ZoneInfo("Europe/Moscow")
TODAY = date(2026, 3, 31)

days = st.dates(date(1971, 1, 1), date(2199, 1, 1))
periods = st.one_of(
    st.sampled_from([Period(span) for span in Span if span is not Span.CHOSEN]),
    st.builds(Period.between, days, days),
    st.builds(Period.between, days, st.none()),
    st.builds(Period.between, st.none(), days),
)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({}, date(2026, 3, 2), None),
        ({"period": "today"}, TODAY, None),
        ({"period": "7d"}, date(2026, 3, 25), None),
        ({"period": "90d"}, date(2026, 1, 1), None),
        ({"period": "this-month"}, date(2026, 3, 1), None),
        ({"period": "last-month"}, date(2026, 2, 1), date(2026, 2, 28)),
        ({"period": "all"}, None, None),
        ({"from": "2026-01-05", "to": "2026-01-09"}, date(2026, 1, 5), date(2026, 1, 9)),
        ({"from": "2026-01-09", "to": "2026-01-05"}, date(2026, 1, 5), date(2026, 1, 9)),
        ({"from": "2026-01-05", "to": ""}, date(2026, 1, 5), None),
        ({"period": "today", "to": "2026-01-09"}, None, date(2026, 1, 9)),
    ],
)
def test_days(query: dict[str, str], first: date | None, last: date | None) -> None:
    assert Period.parse(query).days(TODAY) == (first, last)


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (Period(Span.TODAY), (date(2026, 3, 30), date(2026, 3, 30))),
        (Period(Span.WEEK), (date(2026, 3, 18), date(2026, 3, 24))),
        (Period(Span.THIS_MONTH), (date(2026, 2, 1), date(2026, 2, 28))),  # the 31st has no such day in February
        (Period(Span.LAST_MONTH), (date(2026, 1, 1), date(2026, 1, 31))),
        (Period.between(date(2026, 3, 10), date(2026, 3, 12)), (date(2026, 3, 7), date(2026, 3, 9))),
        (Period(Span.ALL), None),
        (Period.between(None, TODAY), None),
        (Period.between(date(2026, 5, 1), None), None),  # to come
    ],
)
def test_what_it_is_compared_with(period: Period, before: tuple[date, date] | None) -> None:
    found = period.before(TODAY)
    assert (found.days(TODAY) if found else None) == before


@pytest.mark.parametrize("query", [{"period": "x"}, {"period": "chosen"}, {"from": "x"}, {"to": "0001-01-01"}])
def test_what_cannot_be_one(query: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        Period.parse(query)
    assert Period.read(query) == Period()


def test_days_begin_at_midnight_of_the_company() -> None:
    evening = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # in Moscow it is April already
    assert Period(Span.TODAY).bounds(MOSCOW, evening) == (datetime(2026, 3, 31, 21, tzinfo=UTC), None)
    assert Period(Span.TODAY).bounds(REGINA, evening) == (datetime(2026, 3, 31, 6, tzinfo=UTC), None)
    assert Period(Span.LAST_MONTH).bounds(MOSCOW, evening)[1] == datetime(2026, 3, 31, 21, tzinfo=UTC)


@given(periods)
def test_the_address_keeps_it(period: Period) -> None:
    assert Period.parse(period.query()) == period


@given(periods, st.dates(date(1980, 1, 1), date(2190, 1, 1)))
def test_what_it_is_compared_with_lies_just_before_and_is_not_longer(period: Period, today: date) -> None:
    before = period.before(today)
    first, last = period.days(today)
    if before is None:
        assert first is None or first > (last or today)
        return
    begun, ended = before.days(today)
    assert begun is not None
    assert ended is not None
    assert first is not None
    assert begun <= ended < first
    if period.span not in (Span.THIS_MONTH, Span.LAST_MONTH):
        assert ended == first - timedelta(days=1)
        assert ended - begun == (last or today) - first
