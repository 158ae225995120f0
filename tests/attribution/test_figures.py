"""What the replay is held to, on traffic whose delays are unlike the prior: right answers, and honest confidences."""

from datetime import timedelta

import pytest

from gateway.attribution.learned import PRIOR
from gateway.attribution.trial import Answer, Trial
from gateway.pools.pool import Kind, Pool
from tests.attribution.traffic import SHAPES, Traffic, baseline, tenths, traffic

NUMBERS = 10


def replayed(history: Traffic, numbers: int = NUMBERS) -> tuple[Trial, list[Answer]]:
    trial = Trial(Pool(0, 0, "trial", Kind.DYNAMIC), [f"n{index}" for index in range(numbers)])
    return trial, list(trial.answers(history.visits, history.calls))


def right(answer: Answer) -> bool:
    return answer.verdict is not None and answer.verdict.visitor == answer.call.visitor_truth


def test_the_traffic_is_what_it_says() -> None:
    history = traffic("pareto", visits=12_000)
    days = (history.visits[-1].start - history.visits[0].start) / timedelta(days=1)
    busiest = sum(14 <= each.start.hour < 15 for each in history.visits) / days
    assert 35 < busiest < 45
    visitors = len({each.visitor for each in history.visits})
    assert 0.77 < visitors / len(history.visits) < 0.85
    assert 0.3 < len(history.calls) / len(history.visits) < 0.36
    assert 0.045 < sum(each.visitor_truth is None for each in history.calls) / len(history.calls) < 0.055
    assert history == traffic("pareto", visits=12_000)
    assert history != traffic("pareto", visits=12_000, seed=2)


@pytest.mark.parametrize("shape", SHAPES)
def test_at_least_as_many_right_as_the_last_who_saw_the_number(shape: str) -> None:
    history = traffic(shape, visits=12_000)
    _, answers = replayed(history)
    simple = baseline(history, NUMBERS)
    ours = sum(map(right, answers))
    theirs = sum(simple[each.call] == each.visitor_truth for each in history.calls)
    assert len(answers) == len(history.calls)
    assert ours >= theirs - 0.005 * len(answers)


@pytest.mark.parametrize(("shape", "seed"), [("lognormal", 1), ("after leaving", 2)])
def test_confidences_are_what_was_true(shape: str, seed: int) -> None:
    history = traffic(shape, visits=60_000, seed=seed)
    trial, answers = replayed(history)
    assert len(answers) >= 20_000
    parts = tenths((each.verdict.confidence if each.verdict else 0.0, right(each)) for each in answers)
    assert {part: each for part, each in parts.items() if not each.is_honest} == {}
    assert sum(each.answers for each in parts.values()) == len(answers)
    # It has learned: of a hundred visitors so many call within an hour as the traffic has, where the prior says 7.
    called = sum(each.visitor_truth is not None for each in history.calls) / len(history.visits)
    assert PRIOR.curve.within(3600) < 0.08
    assert trial.learned.curve.within(3 * 86400 - 1) == pytest.approx(called, rel=0.12)
    assert trial.learned.other_phone < 0.06
