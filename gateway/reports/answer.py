"""Answers questions of reports, from sums of days that hold and from the calls of the days that have changed since.

The connection is that of ``Database.companies``; whoever sees only his own calls there gets the figures of those. What
has changed is counted first, where it is little: a page never shows a figure from before its reader's own change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from typing import Any

from gateway.reports.cube import HOUR, NOTHING, Cut, Keys, Stretch, Sums, callers, queries, sums
from gateway.reports.dimension import Grain
from gateway.reports.figures import Answer, Key, LeftOut, Row, Series
from gateway.reports.measures import Measures
from gateway.reports.names import keys_of
from gateway.reports.question import Question
from gateway.reports.recount import catch_up, is_all_due, plan_with_values
from gateway.reports.spend import Spent, spend_by, spend_over

ALL = Key("", "")
# A source that fewer calls are to be expected of is no row of its own, where it has nothing else.
_FEWEST_EXPECTED = 0.05
# So many changes that wait are looked at for the days they are of; of more, every day may be.
_MOST_LOOKED_AT = 20_000
_COIN = Decimal("0.01")
_NO_MONEY = Decimal("0.00")


async def answer(connection: Any, question: Question) -> Answer:
    """The figures of a period, the row with most calls first."""
    stale_days = await _made_ready(connection, question)
    cut = Cut.of(question)
    (found,) = await sums(connection, cut, [await _within(connection, question)])
    spent = await spend_by(connection, question)
    is_expected = cut.chances_by is not None
    rows = {
        keys: _measures(each, (spent or {}).get(keys), is_expected) for keys, each in found.items() if _is_row(each)
    }
    if question.by and spent:
        rows |= {keys: _measures(NOTHING, money, is_expected) for keys, money in spent.items() if keys not in rows}
    whole = _added(found.values())
    return Answer(
        await _named(connection, question, rows) if question.by else (Row((), rows.get((), Measures())),),
        await _total(connection, question, cut, whole, spent),
        LeftOut(round(whole.spam), round(whole.blocked)),
        stale_days,
    )


async def over_time(connection: Any, question: Question, grain: Grain) -> tuple[Series, ...]:
    """A line for each key (of one dimension at most; one line without any), the one with most calls first."""
    if len(question.by) > 1:
        raise ValueError("a line is told by one dimension at most")
    await _made_ready(connection, question)
    starts = periods(question, grain)
    stretches: list[Stretch] = list(zip(starts, [*starts[1:], question.until], strict=True))
    found = await sums(connection, Cut.of(question), stretches)
    spent: Sequence[Spent] = await spend_over(connection, question, stretches) or [{} for _ in starts]
    lines = {keys for each in found for keys, one in each.items() if _is_row(one)} | {k for each in spent for k in each}
    rows = {keys: _measures(_added(each.get(keys, NOTHING) for each in found), None, False) for keys in lines}
    if not question.by:
        rows = rows or {(): Measures()}
    return tuple(
        Series(
            row.keys[0] if row.keys else ALL,
            tuple(
                (start, _measures(each.get(keys, NOTHING), money.get(keys), False))
                for start, each, money in zip(starts, found, spent, strict=True)
            ),
        )
        for row in await _named(connection, question, rows)
        for keys in [tuple(key.value for key in row.keys)]
    )


async def by_hour(connection: Any, question: Question) -> tuple[tuple[int, ...], ...]:
    """Calls by weekday (Monday first) and hour, by the company's clocks when they came; ``by`` is of no matter."""
    await _made_ready(connection, question)
    cut = Cut.of(replace(question, by=()), HOUR)
    (found,) = await sums(connection, cut, [await _within(connection, question)])
    hours = [0.0] * 168
    for keys, each in found.items():
        hours[int(keys[-1])] += each.calls
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


async def _made_ready(connection: Any, question: Question) -> int:
    """Count what has changed, and plan with values; how many days of the period still wait."""
    await plan_with_values(connection)
    company_id = question.company_id
    if await catch_up(connection, company_id):
        return 0
    if await is_all_due(connection, company_id):
        return question.days
    days = await queries().stale_days(
        connection, company_id=company_id, since=question.since, until=question.until, most=_MOST_LOOKED_AT
    )
    return int(days)


async def _within(connection: Any, question: Question) -> Stretch:
    """The period, without the years before anything was."""
    first = await first_day(connection, question.company_id)
    since = min(max(question.since, first), question.until) if first else question.since
    return since, question.until


async def _total(
    connection: Any, question: Question, cut: Cut, whole: Sums, spent: Mapping[Keys, Decimal] | None
) -> Measures:
    """All of it. How many calls there are is known, whoever they are of."""
    if question.by and spent is not None:
        spent = await spend_by(
            connection, Question(question.company_id, question.since, question.until, where=question.where)
        )
    found = _measures(whole, (spent or {}).get(()), cut.chances_by is not None)
    people = None
    if not question.by:
        people = await callers(connection, cut, question.since, question.until, whole.calls)
    known = {} if question.where else {"expected": found.calls, "expected_error": 0.0}
    return Measures(
        **{**{name: getattr(found, name) for name in Measures.__dataclass_fields__}, "callers": people, **known}
    )


def _is_row(found: Sums) -> bool:
    return bool(found.calls or found.leads or found.jobs) or found.expected >= _FEWEST_EXPECTED


def _added(found: Iterable[Sums]) -> Sums:
    whole = NOTHING
    for each in found:
        whole = whole.plus(each)
    return whole


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
