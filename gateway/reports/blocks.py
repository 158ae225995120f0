"""Blocks of days: of 1, 4, 16, 64 and 256, so that a long period is a few of them. Days are numbered from 1970 on."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

# A year is at most one block of 256 days, one of 64 and so on: a dozen or two look-ups, whatever the period.
HIGHEST = 4
_FIRST = date(1970, 1, 1)

Block = tuple[int, int]  # level, place: the days from place * 4**level on


def number_of(day: date) -> int:
    """The number of a day."""
    return (day - _FIRST).days


def day_of(number: int) -> date:
    """The day of a number."""
    return _FIRST + timedelta(days=number)


def of_period(since: int, until: int, held: Collection[Block]) -> tuple[list[Block], list[tuple[int, int]]]:
    """The largest of the blocks ``held`` that a period is made of, and the stretches of days (from, until) between.

    Of blocks that begin on one day the larger is taken; each day is in one of them, or in one stretch, once.
    """
    blocks: list[Block] = []
    rest: list[tuple[int, int]] = []
    day = since
    while day < until:
        level = next(
            (each for each in range(HIGHEST, -1, -1) if _fits(day, each, until) and (each, day >> 2 * each) in held),
            None,
        )
        if level is not None:
            blocks.append((level, day >> 2 * level))
            day += 4**level
            continue
        if rest and rest[-1][1] == day:
            rest[-1] = (rest[-1][0], day + 1)
        else:
            rest.append((day, day + 1))
        day += 1
    return blocks, rest


def whole_above(blocks: Iterable[int], held: Collection[int], above: Collection[int]) -> list[int]:
    """The places one level up, beside ``blocks``, all four of whose blocks are ``held`` and that are not ``above``."""
    places = sorted({block >> 2 for block in blocks} - set(above))
    return [place for place in places if all(4 * place + part in held for part in range(4))]


def _fits(day: int, level: int, until: int) -> bool:
    return day % (1 << 2 * level) == 0 and day + (1 << 2 * level) <= until
