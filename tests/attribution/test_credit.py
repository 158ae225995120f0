"""Shares of the touches before a call, by model."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attribution.credit import CreditTouch, Model, shares
from gateway.visits.source import Source

CALL = datetime(2026, 5, 29, 12, tzinfo=UTC)
DIRECT = Source("Direct", "Direct", "(direct)", "(none)")
ORGANIC = Source("Google Organic", "Organic Search", "google", "organic")
PAID = Source("Google Paid", "Paid Search", "google", "cpc")


def touch(key: str, days: float, source: Source = ORGANIC) -> CreditTouch:
    return CreditTouch(key, CALL - timedelta(days=days), source)


PATH = [touch("a", 28), touch("b", 14, PAID), touch("c", 7), touch("d", 0, DIRECT)]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Model.FIRST, {"a": F(1)}),
        (Model.LAST, {"d": F(1)}),
        (Model.LAST_NON_DIRECT, {"c": F(1)}),
        (Model.LAST_PAID, {"b": F(1)}),
        (Model.LINEAR, dict.fromkeys("abcd", F(1, 4))),
        (Model.POSITION, {"a": F(2, 5), "b": F(1, 10), "c": F(1, 10), "d": F(2, 5)}),
        (Model.TIME_DECAY, {"a": F(1, 29), "b": F(4, 29), "c": F(8, 29), "d": F(16, 29)}),
    ],
)
def test_a_path_of_four(model: Model, expected: dict[str, F]) -> None:
    assert shares(PATH, model, at=CALL) == expected
    assert shares(PATH[::-1], model, at=CALL) == expected


@pytest.mark.parametrize("model", Model)
def test_short_paths(model: Model) -> None:
    assert shares([], model, at=CALL) == {}
    assert shares([touch("later", -1)], model, at=CALL) == {}
    assert shares([touch("only", 3, DIRECT), touch("later", -1, PAID)], model, at=CALL) == {"only": 1}


def test_what_is_not_there_falls_to_the_last() -> None:
    path = [touch("a", 3, DIRECT), touch("b", 1, DIRECT)]
    assert shares(path, Model.LAST_NON_DIRECT, at=CALL) == {"b": 1}
    assert shares(path, Model.LAST_PAID, at=CALL) == {"b": 1}
    assert shares(path, Model.POSITION, at=CALL) == {"a": F(1, 2), "b": F(1, 2)}


def test_half_life_is_a_setting() -> None:
    path = [touch("a", 2), touch("b", 0)]
    assert shares(path, Model.TIME_DECAY, at=CALL, half_life=timedelta(days=1)) == {"a": F(1, 5), "b": F(4, 5)}
    with pytest.raises(ValueError, match="half-life"):
        shares(path, Model.TIME_DECAY, at=CALL, half_life=timedelta(0))


def test_what_was_paid_for() -> None:
    assert not touch("x", 0).is_paid
    assert touch("x", 0, Source("x", "Display", "x", "whatever")).is_paid
    assert touch("x", 0, Source("x", "Paid Social", "x", "")).is_paid
    assert touch("x", 0, Source("x", "Unassigned", "x", "PPC")).is_paid


@given(
    days=st.lists(st.floats(-10, 4000), max_size=12),
    sources=st.lists(st.sampled_from([DIRECT, ORGANIC, PAID]), min_size=12, max_size=12),
    model=st.sampled_from(Model),
)
def test_shares_of_a_call_add_up_to_one(days: list[float], sources: list[Source], model: Model) -> None:
    path = [touch(str(index), each, source) for index, (each, source) in enumerate(zip(days, sources, strict=False))]
    found = shares(path, model, at=CALL)
    assert all(share > 0 for share in found.values())
    assert sum(found.values()) == (1 if any(each.at <= CALL for each in path) else 0)
