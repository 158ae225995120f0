"""Verdicts say what calls and jobs say, and no more: three calls condemn nobody, and more of the same makes surer."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.reports.chances import gamma_below, gamma_quantile, least, most, so_few
from gateway.reports.verdict import DOUBT, Kind, Standing, Verdict, calls_wanted, judge

TODAY = date(2026, 11, 30)


def verdicts(*standings: Standing, days: int = 30) -> tuple[Verdict | None, ...]:
    return judge(standings, days=days, today=TODAY)


def kinds(*standings: Standing, days: int = 30) -> list[Kind | None]:
    return [each.kind if each else None for each in verdicts(*standings, days=days)]


GOOGLE, FACEBOOK, NEWSPAPER = Standing(47, 18, 10_800, 1000), Standing(9, 2, 1400, 500), Standing(1, 0, 0, 500)


def test_the_example() -> None:
    google, facebook, newspaper = verdicts(GOOGLE, FACEBOOK, NEWSPAPER)
    assert google
    assert facebook
    assert newspaper
    assert google.kind is Kind.EARNS
    assert google.cost == pytest.approx((37.5, 86.0), abs=0.1)
    # A job costs four and a half times as much there, and that is no chance: two of twenty, with a third of the money.
    assert (facebook.kind, facebook.dearer) == (Kind.MARGINAL, 4.5)
    # One call in a month; seven without a job would be remarkable: half a year from now.
    assert (newspaper.kind, newspaper.wanted, newspaper.month) == (Kind.TOO_FEW, 7, date(2027, 6, 1))


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        (Standing(40, 1, 600, 10_000), Kind.LOSES),
        (Standing(40, 0, 0, 10_000), Kind.LOSES),
        (Standing(40, 15, 9000, 900), Kind.EARNS),
        (Standing(400, 150, 90_000, 90_000), Kind.MARGINAL),  # about what it costs, and surely so
        (Standing(12, 4, 2400, 2400), Kind.MARGINAL),  # dearer beyond doubt, and not surely worth it
        (Standing(40, 9, 90_000, 7200), Kind.EARNS),  # dearer beyond doubt, and surely worth it
        (Standing(3, 0, 0, 10_000), Kind.TOO_FEW),
        (Standing(0, 0, 0, 500), Kind.TOO_FEW),
        (Standing(6, 6, 3600, 60), Kind.EARNS),  # good news may come early
        (Standing(5, 3, 1800, 0), None),
    ],
)
def test_each_kind(own: Standing, kind: Kind | None) -> None:
    assert kinds(own, GOOGLE)[0] is kind


def test_what_was_not_marked_is_not_judged() -> None:
    nobody_marks = Standing(47, 0, 0, 1000), Standing(9, 0, 0, 500)
    assert kinds(*nobody_marks) == [Kind.NO_JOBS, Kind.NO_JOBS]
    no_values = Standing(47, 18, 0, 1000), Standing(15, 2, 0, 500), Standing(30, 0, 0, 800)
    # What a job costs can be compared all the same.
    assert kinds(*no_values) == [Kind.NO_VALUES, Kind.MARGINAL, Kind.LOSES]


counts = st.integers(0, 60)
standings = st.builds(
    lambda calls, jobs, mean, spend: Standing(calls, min(jobs, calls), min(jobs, calls) * mean, spend),
    counts,
    counts,
    st.integers(0, 5000),
    st.integers(0, 20_000),
)
several = st.lists(standings, min_size=1, max_size=5)


@settings(deadline=None, max_examples=60)
@given(calls=st.integers(0, 3), spend=st.integers(1, 10**6), jobs=st.integers(0, 3), others=several)
def test_three_calls_condemn_nobody(calls: int, spend: int, jobs: int, others: Sequence[Standing]) -> None:
    own = Standing(calls, min(jobs, calls), 100.0 * min(jobs, calls), spend)
    assert kinds(own, *others)[0] in (Kind.TOO_FEW, Kind.EARNS, Kind.NO_JOBS)


@settings(deadline=None, max_examples=60)
@given(found=several, times=st.integers(2, 6))
def test_more_of_the_same_only_makes_surer(found: Sequence[Standing], times: int) -> None:
    before, after = verdicts(*found), verdicts(*(each.times(times) for each in found))
    for one, more in zip(before, after, strict=True):
        if one is None or more is None:
            assert one is more
            continue
        assert (one.kind is Kind.TOO_FEW) or (more.kind is not Kind.TOO_FEW)
        if one.kind in (Kind.LOSES, Kind.EARNS):
            assert more.kind is one.kind
        assert more.cost[0] >= one.cost[0] - 1e-9
        if one.cost[1] is not None:
            assert more.cost[1] is not None
            assert more.cost[1] <= one.cost[1] + 1e-6
        if one.back and more.back:
            assert one.back[0] - 1e-9 <= more.back[0] <= more.back[1] <= one.back[1] + 1e-6


@settings(deadline=None, max_examples=60)
@given(found=several, data=st.data())
def test_the_order_is_irrelevant(found: Sequence[Standing], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(found))))
    straight, mixed = verdicts(*found), verdicts(*(found[place] for place in order))
    assert [straight[place] for place in order] == list(mixed)


@settings(deadline=None, max_examples=60)
@given(found=several, rate=st.sampled_from([0.01, 0.75, 92.5, 16_000.0]))
def test_the_currency_is_irrelevant(found: Sequence[Standing], rate: float) -> None:
    other = [Standing(each.calls, each.jobs, each.value * rate, each.spend * rate) for each in found]
    for one, exchanged in zip(verdicts(*found), verdicts(*other), strict=True):
        assert (one and (one.kind, one.month, one.wanted)) == (
            exchanged and (exchanged.kind, exchanged.month, exchanged.wanted)
        )


@settings(deadline=None, max_examples=60)
@given(found=several, days=st.integers(1, 400))
def test_the_month_is_one_to_come(found: Sequence[Standing], days: int) -> None:
    for verdict in judge(found, days=days, today=TODAY):
        if verdict and verdict.month is not None:
            assert verdict.kind is Kind.TOO_FEW
            assert verdict.month.day == 1
            assert TODAY < verdict.month <= date(2028, 12, 31)


def test_parts_of_calls_and_jobs_are_judged_too() -> None:
    parts = kinds(Standing(46.5, 18.25, 10_950, 1000), Standing(9.5, 1.75, 1200, 500))
    assert parts == [Kind.EARNS, Kind.MARGINAL]


def test_how_many_calls_it_takes() -> None:
    assert [calls_wanted(100, jobs) for jobs in (0, 1, 10, 38, 50, 100)] == [5, 299, 29, 7, 5, 5]


# From tables of the Poisson distribution (Garwood's limits, one-sided 95 %) and of the chi-square distribution.
@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0, 2.9957), (1, 0.0513, 4.7439), (2, 0.3554, 6.2958), (10, 5.4254, 16.9622), (50, 38.9648, 63.2871)],
)
def test_bounds_are_those_of_the_tables(count: int, low: float, high: float) -> None:
    assert least(count, DOUBT) == pytest.approx(low, abs=2e-4)
    assert most(count, DOUBT) == pytest.approx(high, abs=2e-4)


@settings(deadline=None, max_examples=60)
@given(shape=st.floats(0.5, 900), chance=st.floats(0.02, 0.98))
def test_a_quantile_has_its_chance_below_it(shape: float, chance: float) -> None:
    assert gamma_below(shape, gamma_quantile(shape, chance)) == pytest.approx(chance, abs=1e-3)


def test_so_few() -> None:
    # 1 - 0.5**4 of four coins not all heads; two of twenty with a third each.
    assert so_few(3, 4, 0.5) == pytest.approx(15 / 16)
    assert so_few(2, 20, 1 / 3) == pytest.approx(0.01759, abs=1e-5)
    assert so_few(4, 4, 0.9) == 1
    assert so_few(20_000, 100_000, 0.25) < 1e-200
