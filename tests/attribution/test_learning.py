"""The delay curve and what else is learned, from values made up for it."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gateway.attribution.curve import CELLS, HORIZON_SECONDS, PRIOR, SHOWN_KNOTS, TAP_STEPS, spread, tap_step
from gateway.attribution.evidence import Call, Exposure, Tap
from gateway.attribution.learned import PRIOR as NOTHING_LEARNED
from gateway.attribution.learning import Examples, learn
from gateway.attribution.risk import Stretch, TimeAtRisk
from gateway.attribution.weighing import YET_ANOTHER, weigh

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def exposure(name: str, shown: datetime, length: float = 60.0) -> Exposure:
    return Exposure(name, name, shown, shown + seconds(length), shown + seconds(length))


def test_the_prior_is_what_it_says() -> None:
    assert 0.05 < PRIOR.within(3600) < PRIOR.within(86400) < 0.08
    assert PRIOR.within(360) == pytest.approx(PRIOR.within(HORIZON_SECONDS) / 2, rel=0.15)
    assert PRIOR.within(0) == 0
    chances = [PRIOR.within(each) for each in SHOWN_KNOTS]
    assert chances == sorted(chances)
    assert PRIOR.calls == 0


def test_rates_go_straight_from_knot_to_knot() -> None:
    at = np.array([60.0, 66.0, 75.0, 259_199.0])
    no, yes = np.zeros(4, dtype=bool), np.ones(4, dtype=bool)
    live = spread(at, np.zeros(4), yes, no).rates(PRIOR.rates)
    assert live[1] == pytest.approx(live[0] * 0.6 + live[2] * 0.4)
    for found in (spread(at, at / 2, no, no), spread(at, at, no, yes), spread(at, at, yes, no)):
        assert np.allclose(found.shares.sum(axis=1), 1)
        assert 0 <= found.cells.min() <= found.cells.max() < CELLS
    assert (spread(at, at, no, yes).rates(PRIOR.rates) < 0.1 * live).all()


@pytest.mark.parametrize(
    ("since", "step"), [(-5, None), (-3, 0), (0, 0), (5, 1), (29, 3), (899, TAP_STEPS - 1), (900, None)]
)
def test_steps_of_taps(since: float, step: int | None) -> None:
    assert tap_step(since) == step


def test_time_at_risk_is_all_the_time_and_ends_where_it_is_censored() -> None:
    shown = exposure("a", BEGIN)
    risk = TimeAtRisk()
    risk.add([Stretch(shown, BEGIN, BEGIN + seconds(100)), Stretch(shown, BEGIN + seconds(100), BEGIN + seconds(700))])
    assert risk.cells[0].sum() == pytest.approx(700)
    assert risk.cells[1:].sum() == 0
    risk.add([Stretch(shown, BEGIN - seconds(50), BEGIN + timedelta(days=30), known=0.5, called=0.25)])
    assert risk.cells[0].sum() == pytest.approx(700 + 0.75 * HORIZON_SECONDS)
    # Of those whose phone is known, half are the same that have called.
    assert risk.cells[1].sum() == pytest.approx((0.25 + 0.25 * YET_ANOTHER) * HORIZON_SECONDS)
    assert risk.cells[2].sum() == pytest.approx(0.25 * HORIZON_SECONDS)
    risk.watch(["n1", "n2"], BEGIN + timedelta(minutes=30), BEGIN + timedelta(hours=25))
    assert risk.numbers == {"n1": 24.5 * 3600, "n2": 24.5 * 3600}
    assert risk.hours[0] == 2 * 1.5 * 3600
    assert sum(risk.hours) == 2 * 24.5 * 3600
    risk.tapped([Tap("a", BEGIN)], BEGIN + seconds(15))
    assert risk.taps.tolist() == [8, 5, 5, 0, 0, 0, 0, 0]


def test_nothing_is_learned_from_nothing() -> None:
    assert learn(Examples(), TimeAtRisk()) == NOTHING_LEARNED


def _lessons(share: float, delay: float, visits: int, *, tapping: bool = False) -> tuple[Examples, TimeAtRisk]:
    """Visits a day apart, so that it is plain whose a call is: a share of them calls after about ``delay`` seconds."""
    chance = random.Random(1)
    examples, risk = Examples(), TimeAtRisk()
    for index in range(visits):
        start = BEGIN + timedelta(days=index)
        shown = exposure(f"v{index}", start)
        called = chance.random() < share
        at = start + seconds(delay * chance.uniform(0.5, 1.5))
        end = start + timedelta(days=1)
        risk.watch(["n1"], start, end)
        if called:
            taps = [Tap(shown.visit, at - seconds(7))] if tapping else []
            examples.add(weigh(Call("n1", at), [shown], taps=taps))
            risk.tapped(taps, end)
            risk.add([Stretch(shown, start, at), Stretch(shown, at, end, called=1.0)])
        else:
            risk.add([Stretch(shown, start, end)])
    return examples, risk


def test_a_delay_unlike_the_prior_is_learned() -> None:
    examples, risk = _lessons(0.5, 2000.0, 600)
    found = learn(examples, risk)
    assert found.curve.within(3500) == pytest.approx(len(examples) / 600, abs=0.06)
    assert found.curve.within(700) < 0.05
    assert found.curve.calls + found.background.calls == pytest.approx(len(examples))
    assert found.again < 0.1
    # From where it is, it moves no more.
    again = learn(examples, risk, found)
    assert again.curve.within(3500) == pytest.approx(found.curve.within(3500), rel=0.02)


def test_few_calls_move_the_prior_little() -> None:
    examples, risk = _lessons(0.5, 2000.0, 2)
    found = learn(examples, risk)
    assert found.curve.within(700) > 0.2 * found.curve.within(3500)


def test_calls_at_times_when_nobody_was_shown_the_number_are_background() -> None:
    examples, risk = Examples(), TimeAtRisk()
    risk.watch(["n1", "n2"], BEGIN, BEGIN + timedelta(days=100))
    for day in range(100):
        examples.add(weigh(Call("n1", BEGIN + timedelta(days=day, hours=day % 24)), []))
    found = learn(examples, risk)
    assert found.background.calls == pytest.approx(100)
    rates = {name: found.background.rate(name, BEGIN) * 86400 for name in ("n1", "n2")}
    assert rates["n1"] == pytest.approx(1.0, rel=0.25)
    assert rates["n2"] < 0.15
    assert found.curve.calls == 0
    busy = Examples()
    for day in range(200):
        busy.add(weigh(Call("n1", BEGIN + timedelta(days=day / 2, hours=12)), []))
    hours = learn(busy, risk).background.hours
    assert hours[12] > 2 * hours[4]


def test_taps_are_learned() -> None:
    examples, risk = _lessons(0.9, 600.0, 200, tapping=True)
    found = learn(examples, risk)
    assert found.curve.taps[1] > 2 * PRIOR.taps[1]
    assert found.curve.taps[5] < PRIOR.taps[5]
