"""Answers questions of reports, from sums of days that hold and from the calls of the days that have changed since.

The connection is that of ``Database.companies``; whoever sees only his own calls there gets the figures of those. What
has changed is counted first, where it is little: a page never shows a figure from before its reader's own change.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.reports.cube import HOUR, NOTHING, Cut, Keys, Shelf, Stretch, Sums, Told, callers, queries, sums
from gateway.reports.dimension import Grain
from gateway.reports.figures import Answer, Key, LeftOut, Others, Row, Series
from gateway.reports.measures import Measure, Measures
from gateway.reports.names import keys_of
from gateway.reports.packed import Floats, Ints
from gateway.reports.question import Question, Top
from gateway.reports.recount import Standing, catch_up, is_all_due, plan_with_values, standing
from gateway.reports.spend import SPENT_ON, Part, Spent, spend_over, spend_parts, summed

ALL = Key("", "")
# A source that fewer calls are to be expected of is no row of its own, where it has nothing else.
_FEWEST_EXPECTED = 0.05
# So many changes that wait are looked at for the days they are of; of more, every day may be.
_MOST_LOOKED_AT = 20_000
_COIN = Decimal("0.01")
_NO_MONEY = Decimal("0.00")


async def answer(
    connection: Any,
    question: Question,
    top: Top | None = None,
    only: Collection[Keys] | None = None,
    sitting: "Sitting | None" = None,
) -> Answer:
    """The figures of a period, the row with most calls first.

    Where there are more rows than ``top`` says, these are the highest of them (of each value of the first dimension, of
    two), or those of the keys in ``only``; ``Answer.others`` has the others together. What has spend is told in full.
    """
    sitting = sitting or Sitting(connection, question.company_id)
    ready = await sitting.made_ready(question)
    cut, within = Cut.of(question), _within(question, ready.first)
    (found,) = await sums(connection, cut, [within], sitting.shelf)
    parts = await sitting.parts_spent(question)
    spent = None if parts is None else summed(parts, question)
    is_expected = cut.chances_by is not None or cut.is_sure
    if cut.is_sure:
        found = found.with_sure_calls()
    places, rest = _chosen(found, top if not spent else None)
    if len(rest) and only is not None:
        places, rest = await _these(found, only)
    rows = {
        keys: _measures(found.at(place), (spent or {}).get(keys), is_expected)
        for keys, place in zip(await found.values(places), places.tolist(), strict=True)
    }
    if question.by and spent:
        rows |= {keys: _measures(NOTHING, money, is_expected) for keys, money in spent.items() if keys not in rows}
    whole = found.whole()
    return Answer(
        await _named(connection, question, rows) if question.by else (Row((), rows.get((), Measures())),),
        await _total(connection, question, cut, within, whole, parts, sitting),
        LeftOut(round(whole.spam), round(whole.blocked)),
        ready.stale_days,
        await _others(found, rest, None if spent is None else _NO_MONEY, is_expected, len(question.by)),
    )


async def over_time(
    connection: Any, question: Question, grain: Grain, top: Top | None = None, sitting: "Sitting | None" = None
) -> tuple[Series, ...]:
    """A line for each key (of one dimension at most; one line without any), the one with most calls first.

    Where there are more than ``top`` says, those that are not the highest in the whole period are one line together,
    the last (``Series.others``). What has spend is told in full.
    """
    if len(question.by) > 1:
        raise ValueError("a line is told by one dimension at most")
    sitting = sitting or Sitting(connection, question.company_id)
    await sitting.made_ready(question)
    starts = periods(question, grain)
    stretches: list[Stretch] = list(zip(starts, [*starts[1:], question.until], strict=True))
    found = await sums(connection, Cut.of(question), stretches, sitting.shelf)
    spent: Sequence[Spent] = await spend_over(connection, question, stretches) or [{} for _ in starts]
    if top is not None and not any(spent):
        found, others, count = _folded(found, top)
    else:
        others, count = [], 0
    points: list[dict[Keys, Sums]] = []
    for each in found:
        places = np.flatnonzero(_are_rows(each))
        points.append(dict(zip(await each.values(places), map(each.at, places.tolist()), strict=True)))
    lines = {keys for each in points for keys in each} | {keys for each in spent for keys in each}
    rows = {keys: _measures(_added(each.get(keys, NOTHING) for each in points), None, False) for keys in lines}
    if not question.by:
        rows = rows or {(): Measures()}
    series = [
        Series(
            row.keys[0] if row.keys else ALL,
            tuple(
                (start, _measures(each.get(keys, NOTHING), money.get(keys), False))
                for start, each, money in zip(starts, points, spent, strict=True)
            ),
        )
        for row in await _named(connection, question, rows)
        for keys in [tuple(key.value for key in row.keys)]
    ]
    if others:
        told = tuple((start, _measures(each, None, False)) for start, each in zip(starts, others, strict=True))
        series.append(Series(ALL, told, count))
    return tuple(series)


async def by_hour(connection: Any, question: Question, sitting: "Sitting | None" = None) -> tuple[tuple[int, ...], ...]:
    """Calls by weekday (Monday first) and hour, by the company's clocks when they came; ``by`` is of no matter."""
    sitting = sitting or Sitting(connection, question.company_id)
    ready = await sitting.made_ready(question)
    cut = Cut.of(replace(question, by=()), HOUR)
    (found,) = await sums(connection, cut, [_within(question, ready.first)], sitting.shelf)
    hours = [0.0] * 168
    places = np.flatnonzero(found.column("calls"))
    for keys, calls in zip(await found.values(places), found.column("calls")[places].tolist(), strict=True):
        hours[int(keys[-1])] += calls
    return tuple(tuple(round(calls) for calls in hours[day * 24 : day * 24 + 24]) for day in range(7))


def periods(question: Question, grain: Grain) -> list[date]:
    """The first day of each stretch of the period; that of the first stretch is the period's own."""
    starts, day = [question.since], question.since + timedelta(days=1)
    while day < question.until:
        if grain is Grain.DAY or (day.weekday() == 0 if grain is Grain.WEEK else day.day == 1):
            starts.append(day)
        day += timedelta(days=1)
    return starts


async def first_day(connection: Any, company_id: int) -> date | None:
    """The first day of a company's calendar that anything counts on: where a report of all time begins."""
    row = await queries().today(connection, company_id=company_id)
    first: date | None = row["first"] if row else None
    return first


@dataclass(frozen=True, slots=True)
class _Ready:
    """How many days of a period still wait; the first day that anything of the company counts on."""

    stale_days: int
    first: date | None


class Sitting:
    """Several questions of one company in one transaction: what all of them need is asked once.

    What changes meanwhile is of no matter, so that all answers of a page are of one moment.
    """

    def __init__(self, connection: Any, company_id: int) -> None:
        self.shelf = Shelf(connection, company_id)
        self._connection = connection
        self._company_id = company_id
        self._standing: Standing | None = None
        self._spent: dict[Stretch, Sequence[Part]] = {}

    async def made_ready(self, question: Question) -> _Ready:
        """Count what has changed, and plan with values."""
        connection, company_id = self._connection, self._company_id
        if self._standing is None:
            await plan_with_values(connection)
            found = await standing(connection, company_id)
            if not found.is_counted and await catch_up(connection, company_id):
                found = Standing(True, await first_day(connection, company_id))
            self._standing = found
        first = self._standing.first_day
        if self._standing.is_counted:
            return _Ready(0, first)
        if await is_all_due(connection, company_id):
            return _Ready(question.days, first)
        days = await queries().stale_days(
            connection, company_id=company_id, since=question.since, until=question.until, most=_MOST_LOOKED_AT
        )
        return _Ready(int(days), first)

    async def parts_spent(self, question: Question) -> Sequence[Part] | None:
        """What the period cost; none where it cannot be said by what is asked."""
        if not {*question.by, *question.where} <= SPENT_ON:
            return None
        asked = (question.since, question.until)
        if asked not in self._spent:
            (self._spent[asked],) = await spend_parts(self._connection, self._company_id, [asked])
        return self._spent[asked]


def _within(question: Question, first: date | None) -> Stretch:
    """The period, without the years before anything was."""
    since = min(max(question.since, first), question.until) if first else question.since
    return since, question.until


async def _total(
    connection: Any,
    question: Question,
    cut: Cut,
    within: Stretch,
    whole: Sums,
    parts: Sequence[Part] | None,
    sitting: "Sitting",
) -> Measures:
    """All of it. How many calls there are is known, whoever they are of."""
    spent = None if parts is None else summed(parts, replace(question, by=()))
    found = _measures(whole, (spent or {}).get(()), cut.chances_by is not None or cut.is_sure)
    people = None
    if not question.by:
        people = await callers(connection, cut, within, whole.calls, sitting.shelf)
    known = {} if question.where else {"expected": found.calls, "expected_error": 0.0}
    return Measures(
        **{**{name: getattr(found, name) for name in Measures.__dataclass_fields__}, "callers": people, **known}
    )


def _are_rows(found: Told) -> npt.NDArray[np.bool_]:
    is_row: npt.NDArray[np.bool_] = found.column("expected") >= _FEWEST_EXPECTED
    for name in ("calls", "leads", "jobs"):
        is_row |= found.column(name) != 0
    return is_row


def _chosen(found: Told, top: Top | None) -> tuple[Ints, Ints]:
    """The places of the rows that are told one by one, and of those that are told together."""
    rows = np.flatnonzero(_are_rows(found))
    nothing = np.zeros(0, np.int64)
    if top is None or not found.keys or len(rows) <= max(top.least, top.most):
        return rows, nothing
    heights = _heights(found, top.measure)[rows] * (-1 if top.is_down else 1)
    heights = np.where(np.isnan(heights), np.inf, heights)
    last = (found.keys[-1][rows], -found.column("calls")[rows], heights)
    if len(found.keys) == 1:
        ordered = rows[np.lexsort(last)]
        return ordered[: top.most], ordered[top.most :]
    first = found.keys[0][rows]
    order = np.lexsort((*last, first))
    _, starts, counts = np.unique(first[order], return_index=True, return_counts=True)
    turn = np.arange(len(rows)) - np.repeat(starts, counts)
    ordered, is_high = rows[order], turn < top.most
    return ordered[is_high], ordered[~is_high]


async def _these(found: Told, only: Collection[Keys]) -> tuple[Ints, Ints]:
    """The places of rows with these keys, and of the others."""
    numbers = await found.book.ids_of({value for keys in only for value in keys})
    wanted = {
        sum(numbers[value] << 32 * place for place, value in enumerate(keys))
        for keys in only
        if all(value in numbers for value in keys)
    }
    rows = np.flatnonzero(_are_rows(found))
    both = sum((column[rows] << 32 * place for place, column in enumerate(found.keys)), np.zeros(len(rows), np.int64))
    is_wanted = np.isin(both, np.array(sorted(wanted), np.int64))
    return rows[is_wanted], rows[~is_wanted]


def _heights(found: Told, measure: Measure, *, calls: bool = False) -> Floats:
    """What rows are put in order by (``calls``: these, where it does not add up); NaN where it is not known."""
    if calls and measure.value not in Sums._fields and measure is not Measure.MISSED:
        measure = Measure.CALLS
    with np.errstate(divide="ignore", invalid="ignore"):
        match measure:
            case Measure.MISSED:
                return found.column("calls") - found.column("answered")
            case Measure.ANSWER_RATE:
                return found.column("answered") / found.column("calls")
            case Measure.AVERAGE_TALK:
                return found.column("talk_seconds") / found.column("answered")
            case Measure.AVERAGE_RING:
                return found.column("ring_seconds") / found.column("calls")
            case _ if measure.value in Sums._fields:
                return found.column(measure.value)
            case _:
                return found.column("calls")


async def _others(
    found: Told, places: Ints, spent: Decimal | None, is_expected: bool, by: int
) -> Mapping[Keys, Others]:
    if not len(places):
        return {}
    if by == 1:
        return {(): Others(len(places), _measures(found.whole(places), spent, is_expected))}
    of_heads: dict[Keys, list[int]] = {}
    for keys, place in zip(await Told(found.keys[:1], found.figures, found.book).values(places), places, strict=True):
        of_heads.setdefault(keys, []).append(place)
    return {
        keys: Others(len(each), _measures(found.whole(np.array(each)), spent, is_expected))
        for keys, each in of_heads.items()
    }


def _folded(found: Sequence[Told], top: Top) -> tuple[list[Told], list[Sums], int]:
    """Of the keys with most calls in all stretches; what the others have in each; how many they are."""
    numbers = np.concatenate([each.keys[0] for each in found]) if found and found[0].keys else np.zeros(0, np.int64)
    keys, turn = np.unique(numbers, return_inverse=True)
    if len(keys) <= max(top.least, top.most):
        return list(found), [], 0
    calls = np.bincount(turn, np.concatenate([each.column("calls") for each in found]), len(keys))
    heights = np.bincount(turn, np.concatenate([_heights(each, top.measure, calls=True) for each in found]), len(keys))
    high = keys[np.lexsort((keys, -calls, -heights if top.is_down else heights))[: top.most]]
    kept, others = [], []
    for each in found:
        is_high = np.isin(each.keys[0], high)
        kept.append(Told((each.keys[0][is_high],), each.figures[:, is_high], each.book))
        others.append(each.whole(np.flatnonzero(~is_high)))
    return kept, others, len(keys) - len(high)


def _added(found: Iterable[Sums]) -> Sums:
    return Sums._make(map(sum, zip(*found, strict=True)))


def _measures(found: Sums, spent: Decimal | None, is_expected: bool) -> Measures:
    return Measures(
        calls=_tidy(found.calls),
        answered=_tidy(found.answered),
        missed=_tidy(found.calls - found.answered),
        first_time=_tidy(found.first_time),
        qualified=_tidy(found.qualified),
        jobs=_tidy(found.jobs),
        value=Decimal(repr(found.value)).quantize(_COIN) if found.value else _NO_MONEY,
        talk_seconds=found.talk_seconds,
        ring_seconds=found.ring_seconds,
        leads=_tidy(found.leads),
        expected=found.expected if is_expected else None,
        expected_error=sqrt(max(found.variance, 0.0)) if is_expected else None,
        spend=spent,
    )


def _tidy(shares: float) -> float:
    """A sum of shares, without the dust of adding thirds: whole calls are whole."""
    return shares if shares.is_integer() else round(shares, 9)


async def _named(connection: Any, question: Question, rows: Mapping[Keys, Measures]) -> tuple[Row, ...]:
    names = [
        await keys_of(connection, question.company_id, name, {keys[place] for keys in rows})
        for place, name in enumerate(question.by)
    ]
    found = [
        Row(tuple(known[value] for known, value in zip(names, keys, strict=True)), measures)
        for keys, measures in rows.items()
    ]
    return tuple(sorted(found, key=lambda row: (-row.measures.calls, [(key.name, key.value) for key in row.keys])))
