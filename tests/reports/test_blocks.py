"""Blocks of days: whatever holds, a period is made of each of its days once, and of as few pieces as there can be."""

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.reports.blocks import HIGHEST, Block, day_of, number_of, of_period, whole_above

_blocks = st.sets(st.tuples(st.integers(0, HIGHEST), st.integers(0, 40)), max_size=60)


@given(st.integers(0, 600), st.integers(0, 600), _blocks)
def test_each_day_is_read_once(since: int, length: int, held: set[Block]) -> None:
    blocks, rest = of_period(since, since + length, held)
    days = [day for level, place in blocks for day in range(place << 2 * level, (place + 1) << 2 * level)]
    days += [day for start, end in rest for day in range(start, end)]
    assert sorted(days) == list(range(since, since + length))
    assert set(blocks) <= held
    assert all(end < later for (_, end), (later, _) in pairwise(rest))


@given(st.integers(0, 2000), st.integers(1, 2000))
def test_a_long_period_is_few_blocks_where_all_hold(since: int, length: int) -> None:
    held = {(level, place) for level in range(HIGHEST + 1) for place in range((4100 >> 2 * level) + 1)}
    blocks, rest = of_period(since, since + length, held)
    assert rest == []
    assert len(blocks) <= 6 * HIGHEST + length // 4**HIGHEST


def test_days_have_numbers() -> None:
    assert number_of(date(1970, 1, 1)) == 0
    assert day_of(number_of(date(2026, 11, 22))) == date(2026, 11, 22)
    assert day_of(-1) == date(1969, 12, 31)


def test_a_block_is_whole_when_its_four_are() -> None:
    assert whole_above([0, 1, 2, 3, 4, 5], {0, 1, 2, 3, 4, 5}, set()) == [0]
    assert whole_above([0, 1, 2, 3], {0, 1, 2, 3}, {0}) == []
