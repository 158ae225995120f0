"""Months beside one another: a row a source (or another value), twelve months across, each with the year before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from babel.dates import format_date

from gateway.http import report_words
from gateway.http.accounts import Company
from gateway.http.report import ReportCompany, company_facts, linker
from gateway.http.report_table import Cell, Pair, Shown, cell_of, together
from gateway.http.report_view import ReportView
from gateway.http.words import Words
from gateway.reports.answer import answer, over_time
from gateway.reports.dimension import Dimension, Grain
from gateway.reports.figures import Key, Series
from gateway.reports.measures import Measure, Measures
from gateway.reports.question import Question, year_before
from gateway.store.database import Connection

MONTHS = 12
# Shades of a cell, from nothing to the most.
SHADES = 6


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the heading: its first day and names; whether it is not over yet, and was there a year before."""

    first: date
    short: str
    full: str
    is_open: bool
    has_past: bool


@dataclass(frozen=True, slots=True)
class MonthLine:
    """A row: a cell a month, the year's sum last; the shade of each month (0 to ``SHADES``)."""

    name: str
    cells: tuple[Cell, ...]
    shades: tuple[int, ...] = ()
    key: Key | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class MonthTable:
    """A year of months."""

    dimension: str
    months: tuple[Month, ...]
    lines: tuple[MonthLine, ...]
    total: MonthLine
    shown: Shown
    has_past: bool  # there were calls a year before
    title: str

    @property
    def measure(self) -> Measure:
        """What is counted."""
        return self.shown.leading


async def month_table(connection: Connection, company: Company, view: ReportView, words: Words) -> MonthTable:
    """The twelve months up to the one in which the view's period ends."""
    facts, today = await company_facts(connection, company), words.now.date()
    last = min(view.period.days(today)[1] or today, today)
    until = min(_next_month(last), today + timedelta(days=1))
    since = _months_before(_next_month(last), MONTHS)
    by = view.by[:1] or (Dimension.SOURCE,)
    question = Question(company.id, since, until, view.basis, view.model or facts.own, by, view.filters)
    past = year_before(question)
    began = facts.first_day or today
    has_past = began < past.until
    shown = _shown(view, facts, words, question)
    series = await over_time(connection, question, Grain.MONTH)
    earlier = await over_time(connection, past, Grain.MONTH) if has_past else ()
    total = await over_time(connection, replace(question, by=()), Grain.MONTH)
    total_past = await over_time(connection, replace(past, by=()), Grain.MONTH) if has_past else ()
    year = Pair(
        (),
        (await answer(connection, replace(question, by=()))).total,
        (await answer(connection, replace(past, by=()))).total if began < past.since else None,
    )
    months = tuple(
        Month(
            start := _months_before(_next_month(last), MONTHS - place),
            format_date(start, "LLL", words.locale),
            format_date(start, "LLLL y", words.locale),
            start <= today < _next_month(start),
            began < _months_before(start, MONTHS),
        )
        for place in range(MONTHS)
    )
    lines = _lines(shown, question, months, series, earlier, has_past=has_past)
    return MonthTable(
        report_words.dimension_name(words, by[0]),
        months,
        tuple(lines),
        _total(shown, question, months, _points(total), _points(total_past) if has_past else None, year),
        shown,
        has_past,
        words.say("%(measure)s by month and %(by)s, credit to %(credit)s")
        % {
            "measure": report_words.measure_name(words, shown.leading),
            "by": report_words.told_by(words, by[0]),
            "credit": report_words.model_name(words, question.model),
        },
    )


def _shown(view: ReportView, facts: ReportCompany, words: Words, question: Question) -> Shown:
    chosen = view.measures[:1] or (Measure.CALLS,)
    changed = replace(view, by=question.by, measures=view.measures[:1])
    return Shown(changed, chosen, words, facts.currency, facts.own, linker(question))


def _lines(
    shown: Shown,
    question: Question,
    months: Sequence[Month],
    series: Sequence[Series],
    earlier: Sequence[Series],
    *,
    has_past: bool,
) -> list[MonthLine]:
    past = {one.key.value: one for one in earlier}
    here = {one.key.value for one in series}
    every = [*series, *(Series(one.key, ()) for one in earlier if one.key.value not in here)]
    rows = []
    for one in every:
        before = _points([past[one.key.value]]) if one.key.value in past else ()
        rows.append((one.key, _pairs(one.key, _points([one]), before if has_past else None)))
    rows.sort(key=lambda row: -_value(shown, together(row[1]).now))
    most = max((_value(shown, pair.now) for _, pairs in rows for pair in pairs), default=0.0)
    lines = [_line(shown, question, months, key, pairs, together(pairs), most) for key, pairs in rows[: shown.view.top]]
    if len(rows) > shown.view.top:
        rest = [pairs for _, pairs in rows[shown.view.top :]]
        summed = [together(each) for each in zip(*rest, strict=True)]
        past_months = [*(month.has_past for month in months), months[0].has_past]
        cells = [
            cell_of(shown, shown.leading, pair if there else replace(pair, before=None), None)
            for pair, there in zip([*summed, together(summed)], past_months, strict=True)
        ]
        name = shown.words.ngettext("%(num)s other", "%(num)s others", len(rest))
        lines.append(MonthLine(name, tuple(cells), tuple(0 for _ in months)))
    return lines


def _line(
    shown: Shown,
    question: Question,
    months: Sequence[Month],
    key: Key,
    pairs: Sequence[Pair],
    year: Pair,
    most: float,
) -> MonthLine:
    dimension = question.by[0]
    values = {dimension: key.value}
    return MonthLine(
        report_words.value_name(shown.words, dimension, key),
        (
            *(_cell(shown, question, month, pair, values) for month, pair in zip(months, pairs, strict=True)),
            cell_of(shown, shown.leading, year if months[0].has_past else replace(year, before=None), values),
        ),
        tuple(_shade(_value(shown, pair.now), most) for pair in pairs),
        key if dimension is Dimension.SOURCE else None,
        shown.view.only(dimension, key.value),
    )


def _total(
    shown: Shown,
    question: Question,
    months: Sequence[Month],
    points: Sequence[Measures],
    past: Sequence[Measures] | None,
    year: Pair,
) -> MonthLine:
    pairs = _pairs(Key("", ""), points, past)
    return MonthLine(
        shown.words.say("Total"),
        (
            *(_cell(shown, question, month, pair, {}) for month, pair in zip(months, pairs, strict=True)),
            cell_of(shown, shown.leading, year, {}),
        ),
    )


def _cell(shown: Shown, question: Question, month: Month, pair: Pair, values: dict[Dimension, str]) -> Cell:
    until = min(_next_month(month.first), question.until)
    of_month = replace(shown, link=linker(replace(question, since=month.first, until=until)))
    cell = cell_of(of_month, shown.leading, pair if month.has_past else replace(pair, before=None), values)
    # A month that is not over is not compared with a whole one.
    return replace(cell, change="", tone="") if month.is_open else cell


def _pairs(key: Key, points: Sequence[Measures], past: Sequence[Measures] | None) -> list[Pair]:
    now = [*points, *(Measures() for _ in range(MONTHS - len(points)))]
    before = None if past is None else [*past, *(Measures() for _ in range(MONTHS - len(past)))]
    return [Pair((key,), each, before[place] if before else None) for place, each in enumerate(now)]


def _points(series: Sequence[Series]) -> list[Measures]:
    return [measures for _, measures in series[0].points] if series else []


def _value(shown: Shown, measures: Measures) -> float:
    return float(shown.leading.of(measures) or 0)


def _shade(value: float, most: float) -> int:
    if value <= 0 or most <= 0:
        return 0
    return max(1, round(SHADES * value / most))


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _months_before(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 - months, 12)
    return date(year, month + 1, 1)
