"""A report as it is shown, exported and printed: what the address asks, answered, laid out and said."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from gateway.attribution.credit import Model
from gateway.http import report_words
from gateway.http.accounts import Company
from gateway.http.report_across import MOST_COLUMNS, across
from gateway.http.report_table import (
    USUAL,
    USUAL_OF_SPEND,
    USUAL_OF_WORTH,
    Cell,
    Link,
    Pair,
    ReportTable,
    Shown,
    cell_of,
    paired,
    table,
    usual_measures,
)
from gateway.http.report_view import NAME, ReportView, Shape, compared_question, question_of
from gateway.http.words import Words
from gateway.reports.answer import answer
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.drill import drill
from gateway.reports.figures import Answer, Key, Row
from gateway.reports.measures import Measure, Measures
from gateway.reports.names import keys_of
from gateway.reports.question import TOLD_BY, Question, Top
from gateway.reports.spend import SPENT_ON
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "report.sql")

# What stands behind them can be listed.
_LISTED = frozenset(
    {
        Measure.CALLS,
        Measure.ANSWERED,
        Measure.MISSED,
        Measure.FIRST_TIME,
        Measure.QUALIFIED,
        Measure.LEADS,
        Measure.JOBS,
    }
)
# How many people each of so many rows is: a question for each.
_MOST_ASKED = 50


@dataclass(frozen=True, slots=True)
class ReportCompany:
    """What reports want to know of a company: its currency, its own model, the day of its first call."""

    currency: str
    own: Model
    first_day: date | None


@dataclass(frozen=True, slots=True)
class Filter:
    """One value that the report is narrowed down to, and the report without it."""

    about: str
    name: str
    url: str
    key: Key | None  # of a source, which has a mark


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure of the whole report; its ``url`` makes it the leading one, where it is a column too."""

    name: str
    cell: Cell
    url: str | None
    is_leading: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is shown of it but the drawing."""

    shown: Shown
    question: Question
    compared: Question | None
    has_past: bool  # Numberpool was there in the period that it would be compared with
    answer: Answer
    before: Answer | None
    table: ReportTable
    headlines: tuple[Headline, ...]
    filters: tuple[Filter, ...]
    title: str

    @property
    def last_day(self) -> date:
        """The last day of its period."""
        return self.question.until - timedelta(days=1)

    @property
    def past(self) -> str:
        """What its figures are compared with, in words."""
        return report_words.past_name(self.shown.words, self.shown.view.compare)

    @property
    def notes(self) -> list[str]:
        """What a reader has to know of these figures, a sentence each."""
        return list(_notes(self))

    @property
    def is_across(self) -> bool:
        """Whether the second dimension's values are the columns."""
        return self.table.is_across

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell of the period."""
        whole = self.answer.total
        past = self.before.total if self.before else whole
        return not any((whole.calls, whole.leads, whole.jobs, whole.spend, past.calls))


async def company_facts(connection: Connection, company: Company) -> ReportCompany:
    """What reports want to know of a company."""
    row = await _queries.company(connection, company_id=company.id)
    first = row["first_call"]
    return ReportCompany(
        row["currency"], Model(row["credit_model"]), first.astimezone(company.zone).date() if first else None
    )


async def make_report(connection: Connection, company: Company, view: ReportView, words: Words) -> Report:
    """The report that a view asks for."""
    facts, today = await company_facts(connection, company), words.now.date()
    question = question_of(view, company.id, facts.own, facts.first_day, today)
    compared = compared_question(view, question, today)
    has_past = compared is None or (facts.first_day is not None and facts.first_day < compared.since)
    if not has_past:
        compared = None
    top = _top(view)
    now = await answer(connection, question, top)
    told = {tuple(key.value for key in row.keys) for row in now.rows} if now.others else None
    before = await answer(connection, compared, top if told is not None else None, told) if compared else None
    measures = view.measures or usual_measures(now.total)
    whole = await _total(connection, question, now)
    whole_before = await _total(connection, compared, before) if compared and before else None
    if Measure.CALLERS in measures:
        now = replace(await _with_callers(connection, question, now), total=whole)
        before = replace(before, total=whole_before) if before and whole_before else None
    shown = Shown(view, measures, words, facts.currency, facts.own, linker(question))
    laid_out = await _laid_out(connection, shown, question, compared, now, before)
    return Report(
        shown,
        question,
        compared,
        has_past,
        now,
        before,
        laid_out,
        _headlines(shown, whole, whole_before),
        await _filters(connection, company, view, words),
        report_words.sentence(words, view, measures, facts.own),
    )


def linker(question: Question) -> Link:
    """Leads from a figure to the calls that it counts, where the list of calls can show them."""

    def link(values: Mapping[Dimension, str], measure: Measure) -> str | None:
        if measure not in _LISTED:
            return None
        return drill(replace(question, by=(), where={**question.where, **values}), None, measure)

    return link


def _top(view: ReportView) -> Top | None:
    """How many rows are told one by one; none where all are wanted, as only all of them tell their order."""
    may_lead = view.measures or (*USUAL, *USUAL_OF_WORTH, *USUAL_OF_SPEND)
    name = view.sort.removeprefix("-")
    if name == NAME or view.shape is Shape.COLUMNS:
        return None
    is_led = name in may_lead
    leading = Measure(name) if is_led else may_lead[0]
    return Top(view.top + 1, leading, is_down=view.sort.startswith("-") or not is_led) if leading in TOLD_BY else None


async def _with_callers(connection: Connection, question: Question, now: Answer) -> Answer:
    """People do not add up, as one may call from two advertisements: each row with most calls is asked by itself."""

    async def asked(row: Row) -> Row:
        of_row = {**question.where, **{name: key.value for name, key in zip(question.by, row.keys, strict=True)}}
        found = await answer(connection, replace(question, by=(), where=of_row))
        return replace(row, measures=replace(row.measures, callers=found.total.callers))

    rows = [await asked(row) for row in now.rows[:_MOST_ASKED]] if question.by else []
    return replace(now, rows=(*rows, *now.rows[len(rows) :]))


async def _laid_out(
    connection: Connection,
    shown: Shown,
    question: Question,
    compared: Question | None,
    now: Answer,
    before: Answer | None,
) -> ReportTable:
    if len(question.by) < 2:
        return table(shown, now, before)
    first = await answer(connection, replace(question, by=question.by[:1]))
    earlier = await answer(connection, replace(compared, by=compared.by[:1])) if compared else None
    heads: list[Pair] = paired(first.rows, earlier.rows if earlier else None)
    is_short = not now.others and len({row.keys[1].value for row in now.rows}) <= MOST_COLUMNS
    shape = shown.view.shape or (Shape.COLUMNS if len(shown.measures) == 1 and is_short else Shape.ROWS)
    return (across if shape is Shape.COLUMNS else table)(shown, now, before, heads)


async def _total(connection: Connection, question: Question, answered: Answer) -> Measures:
    """The figures of the whole, with how many people it was, whom only a question without dimensions tells."""
    if not question.by:
        return answered.total
    alone = await answer(connection, replace(question, by=()))
    return replace(answered.total, callers=alone.total.callers)


def _headlines(shown: Shown, now: Measures, before: Measures | None) -> tuple[Headline, ...]:
    """What is shown of the whole, callers first: how many people it was."""
    total = Pair((), now, before)
    measures = dict.fromkeys([*([] if Measure.CALLERS in shown.measures else [Measure.CALLERS]), *shown.measures])
    return tuple(
        Headline(
            report_words.measure_name(shown.words, measure),
            cell_of(shown, measure, total, {}),
            shown.view.url(sort=f"-{measure.value}") if shown.view.by and measure in shown.measures else None,
            measure is shown.leading,
        )
        for measure in measures
        if not (measure is Measure.CALLERS and now.callers is None)
    )


async def _filters(connection: Connection, company: Company, view: ReportView, words: Words) -> tuple[Filter, ...]:
    found = []
    for dimension, value in view.where:
        key = (await keys_of(connection, company.id, dimension, {value}))[value]
        # A kept report may ask for a source that was merged since.
        is_gone = bool(value) and dimension in (Dimension.SOURCE, Dimension.POOL) and key.name == value
        name = words.say("One that is gone") if is_gone else report_words.value_name(words, dimension, key)
        found.append(
            Filter(
                report_words.dimension_name(words, dimension),
                name,
                view.without(dimension),
                key if key.colour is not None else None,
            )
        )
    return tuple(found)


def _notes(report: Report) -> Iterator[str]:
    shown, words, left_out = report.shown, report.shown.words, report.answer.left_out
    if shown.in_parts:
        yield words.say(
            "A call after several visits is shared by them, so there are parts of calls; they add up to whole ones."
        )
    if shown.view.basis is Basis.CLICK:
        yield words.say("A call counts on the day of the visit that has the credit, which may be long before it came.")
    if Measure.EXPECTED in shown.measures:
        yield words.say(
            "Expected calls: each call is split over all visits that may have made it. The true number lies "
            "within the ± two times out of three."
        )
        if any(row.measures.expected is None for row in report.answer.rows):
            yield words.say(
                "They are told by source or channel, or by what a call has itself: number, pool, region, who "
                "answered. Of the other visits that may have made it only the source is kept: by this they cannot "
                "be told."
            )
    if any(each.is_money and each is not Measure.VALUE for each in shown.measures):
        asked = {*report.question.by, *report.question.where}
        if not asked <= SPENT_ON:
            yield words.say("What was spent is known by source, channel and campaign, and not by this.")
        elif not report.answer.total.spend:
            yield words.say("No spend was entered for this period.")
    if Measure.CALLERS in shown.measures and len(report.answer.rows) > _MOST_ASKED:
        yield words.ngettext(
            "How many people called is told of the %(num)s row with most calls.",
            "How many people called is told of the %(num)s rows with most calls.",
            _MOST_ASKED,
        )
    if not report.has_past:
        yield words.say("Nothing to compare with: there were no calls yet in the period before.")
    if left_out.spam:
        yield words.ngettext(
            "%(num)s call marked as spam is not counted.",
            "%(num)s calls marked as spam are not counted.",
            left_out.spam,
        )
    if left_out.blocked:
        yield words.ngettext(
            "%(num)s blocked call is not counted.", "%(num)s blocked calls are not counted.", left_out.blocked
        )
    if report.answer.stale_days:
        yield words.ngettext(
            "The figures of %(num)s day are being brought up to date.",
            "The figures of %(num)s days are being brought up to date.",
            report.answer.stale_days,
        )
