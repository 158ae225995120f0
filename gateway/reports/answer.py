"""Answers questions of reports."""

from datetime import date, timedelta
from typing import Any

from gateway.reports.dimension import Basis, Grain
from gateway.reports.figures import Answer, Key, Row, Series
from gateway.reports.measures import Measures
from gateway.reports.names import keys_of
from gateway.reports.question import Question
from gateway.reports.raw import Keys, counted, fitting, share_of, told

ALL = Key("", "")


async def answer(connection: Any, question: Question) -> Answer:
    """The figures of a period, the row with most calls first."""
    rows, total, left_out = counted(await told(connection, question.company_id), question)
    return Answer(await _named(connection, question, rows), total, left_out)


async def over_time(connection: Any, question: Question, grain: Grain) -> tuple[Series, ...]:
    """A line for each key (of one dimension at most; one line without any), the one with most calls first."""
    if len(question.by) > 1:
        raise ValueError("a line is told by one dimension at most")
    starts = periods(question, grain)
    lines: dict[Keys, dict[date, Measures]] = {}
    for each, day, values, share in fitting(await told(connection, question.company_id), question):
        if each.kind in ("call", "lead"):
            line = lines.setdefault(tuple(values[name] for name in question.by), {})
            start = max(start for start in starts if start <= day)
            line[start] = line.get(start, Measures()) + share_of(each.measures, share)
    named = await _named(connection, question, {keys: sum(line.values(), Measures()) for keys, line in lines.items()})
    return tuple(
        Series(
            row.keys[0] if row.keys else ALL,
            tuple((start, lines[tuple(key.value for key in row.keys)].get(start, Measures())) for start in starts),
        )
        for row in named
    )


async def by_hour(connection: Any, question: Question) -> tuple[tuple[int, ...], ...]:
    """Calls by weekday (Monday first) and hour, by the company's clocks when they came."""
    found = [0.0] * 168
    for each, _, _, share in fitting(await told(connection, question.company_id), question):
        if each.kind == "call":
            found[each.hour] += share
    return tuple(tuple(round(calls) for calls in found[day * 24 : day * 24 + 24]) for day in range(7))


def periods(question: Question, grain: Grain) -> list[date]:
    """The first day of each stretch of the period; that of the first stretch is the period's own."""
    starts, day = [question.since], question.since + timedelta(days=1)
    while day < question.until:
        if grain is Grain.DAY or (day.weekday() == 0 if grain is Grain.WEEK else day.day == 1):
            starts.append(day)
        day += timedelta(days=1)
    return starts


async def _named(connection: Any, question: Question, rows: dict[Keys, Measures]) -> tuple[Row, ...]:
    names = [
        await keys_of(connection, question.company_id, name, {keys[place] for keys in rows})
        for place, name in enumerate(question.by)
    ]
    found = [
        Row(tuple(known[value] for known, value in zip(names, keys, strict=True)), measures)
        for keys, measures in rows.items()
    ]
    return tuple(sorted(found, key=lambda row: (-row.measures.calls, [(key.name, key.value) for key in row.keys])))


__all__ = ["ALL", "Basis", "answer", "by_hour", "over_time", "periods"]
