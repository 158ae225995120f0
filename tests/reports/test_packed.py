"""Sums come out of their packing as they went in, and add up whatever is packed with what."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.reports.packed import FIGURES, Entries, pack, together, unpack

# What is rough keeps seven digits: talk, ring and what is expected; of parts of calls all but money (the sixth).
ROUGH, MONEY = {6, 7, 11, 12}, 5
WHOLE, IN_PARTS = 127, 16  # models: all of them; one that shares calls

figure = some.one_of(
    some.integers(0, 300).map(float), some.floats(0, 1e6, allow_nan=False), some.just(0.0), some.just(1 / 3)
)
entry = some.tuples(
    some.integers(0, 2**30 + 5),
    some.integers(0, 70_000),
    some.integers(0, 2),
    some.sampled_from((WHOLE, IN_PARTS, 1, 96)),
    some.lists(figure, min_size=FIGURES, max_size=FIGURES),
)


def of(rows: list[tuple[int, int, int, int, list[float]]]) -> Entries:
    return Entries(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] * 128 + row[3] for row in rows], np.int64),
        np.array([row[4] for row in rows], np.float64).reshape(len(rows), FIGURES).T.copy(),
    )


def told(entries: Entries) -> dict[tuple[int, int, int], list[float]]:
    found: dict[tuple[int, int, int], list[float]] = defaultdict(lambda: [0.0] * FIGURES)
    for place, keys in enumerate(zip(entries.first, entries.second, entries.kind, strict=True)):
        found[keys] = [one + float(other) for one, other in zip(found[keys], entries.figures[:, place], strict=True)]
    return dict(found)


@given(some.lists(entry, max_size=40))
def test_what_was_packed_comes_out(rows: list[tuple[int, int, int, int, list[float]]]) -> None:
    before, after = told(of(rows)), told(unpack(pack(of(rows))))
    assert after.keys() == before.keys()
    for keys, figures in before.items():
        is_whole = keys[2] & 15 != 0
        for place, (one, other) in enumerate(zip(figures, after[keys], strict=True)):
            is_rough = place in ROUGH or (not is_whole and place != MONEY)
            assert other == (pytest.approx(one, rel=1e-6) if is_rough else pytest.approx(one, rel=1e-12)), place


@given(some.lists(entry, max_size=40), some.lists(entry, max_size=40))
def test_each_pair_of_keys_is_there_once_with_the_sum(
    rows: list[tuple[int, int, int, int, list[float]]], others: list[tuple[int, int, int, int, list[float]]]
) -> None:
    both = together([of(rows), of(others)])
    added = both.added()
    assert len(told(added)) == len(added)
    assert {keys: pytest.approx(figures) for keys, figures in told(both).items()} == told(added)
    alone = both.added(by_kind=False)
    assert len(alone) == len({(first, second) for first, second in zip(both.first, both.second, strict=True)})
    assert alone.figures.sum(axis=1) == pytest.approx(both.figures.sum(axis=1))


def test_a_day_of_one_source_takes_little_room() -> None:
    keys = np.arange(1000, dtype=np.int64)
    figures = np.zeros((FIGURES, 1000))
    figures[0], figures[6] = 1.0, 61.25
    entries = Entries(keys, np.zeros(1000, np.int64), np.full(1000, WHOLE, np.int64), figures)
    assert len(pack(entries)) < 9 * 1000
    assert pack(Entries()) == b""
    assert len(unpack(b"")) == 0
