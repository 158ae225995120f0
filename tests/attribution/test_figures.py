"""What the replay is held to, on traffic whose delays are unlike the prior: right answers, and honest confidences.

Every shape of delays at a size that takes seconds; ``make bench`` does the same at the whole size.
"""

from datetime import timedelta

import pytest

from gateway.attribution.learned import PRIOR
from gateway.attribution.trial import Answer, Trial
from gateway.pools.pool import Kind, Pool
from tests.attribution.traffic import PUT_OFF, SHAPES, Traffic, baseline, tenths, traffic

NUMBERS = 10
VISITS = 9_000


def replayed(history: Traffic) -> tuple[Trial, list[Answer]]:
    trial = Trial(Pool(0, 0, "trial", Kind.DYNAMIC), [f"n{index}" for index in range(NUMBERS)])
    return trial, list(trial.answers(history.visits, history.calls))


def right(answer: Answer) -> bool:
    return answer.verdict is not None and answer.verdict.visitor == answer.call.visitor_truth


def test_the_traffic_is_what_it_says() -> None:
    history = traffic("pareto", visits=VISITS)
    days = (history.visits[-1].start - history.visits[0].start) / timedelta(days=1)
    busiest = sum(14 <= each.start.hour < 15 for each in history.visits) / days
    assert 35 < busiest < 45
    visitors = len({each.visitor for each in history.visits})
    assert 0.77 < visitors / len(history.visits) < 0.85
    assert 0.3 < len(history.calls) / len(history.visits) < 0.36
    assert 0.045 < sum(each.visitor_truth is None for each in history.calls) / len(history.calls) < 0.055
    assert history == traffic("pareto", visits=VISITS)
    assert history != traffic("pareto", visits=VISITS, seed=2)


@pytest.mark.parametrize(
    "shape",
    [pytest.param(shape, marks=[pytest.mark.xfail(strict=True)] * (shape in PUT_OFF)) for shape in SHAPES],
)
def test_answers_are_as_often_right_as_simple_ones_and_as_sure_as_they_are_right(shape: str) -> None:
    history = traffic(shape, visits=VISITS)
    trial, answers = replayed(history)
    assert len(answers) == len(history.calls)
    simple = baseline(history, NUMBERS)
    theirs = sum(simple[each.call] == each.visitor_truth for each in history.calls)
    assert sum(map(right, answers)) >= theirs - 0.005 * len(answers)
    parts = tenths((each.verdict.confidence if each.verdict else 0.0, right(each)) for each in answers)
    assert {part: each for part, each in parts.items() if not each.is_honest} == {}
    assert sum(each.answers for each in parts.values()) == len(answers)
    # It has learned: so many visitors call as the traffic has, where the prior says 7 of a hundred.
    called = sum(each.visitor_truth is not None for each in history.calls) / len(history.visits)
    assert PRIOR.curve.within(3600) < 0.08
    assert trial.learned.curve.within(3 * 86400 - 1) == pytest.approx(called, rel=0.12)
    # And nobody has been made up, nor all strangers taken for visitors.
    strangers = sum(each.visitor_truth is None for each in history.calls)
    said = sum(each.verdict.nobody if each.verdict else 0.0 for each in answers)
    assert 0.4 * strangers < said < 2.5 * strangers
