"""What came back: the table of sources with their calls, jobs, spend and verdict, as the overview and Money show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from gateway.http.report_words import SHARED, figure, money, value_name
from gateway.http.verdict_words import verdict_name, verdict_why
from gateway.http.words import Words
from gateway.reports.dimension import Dimension
from gateway.reports.drill import drill
from gateway.reports.figures import Answer, Key
from gateway.reports.measures import Measure, Measures
from gateway.reports.question import Question
from gateway.reports.spend import shared_numbers
from gateway.reports.verdict import Kind, Standing, Verdict, judge

# In the order of the columns.
SHOWN = (Measure.CALLS, Measure.JOBS, Measure.SPEND, Measure.COST_PER_JOB, Measure.RETURN_RATIO)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in words; ``url`` leads to the calls that it counts, where it counts any."""

    measure: Measure
    value: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source: its figures, and what is said of it. ``verdict`` "" where nothing was spent on it."""

    key: Key
    name: str
    figures: tuple[Figure, ...]
    kind: Kind | None
    verdict: str
    why: str


@dataclass(frozen=True, slots=True)
class CameBack:
    """The whole table; ``numbers``: what numbers cost that serve many sources, none where they cost nothing."""

    lines: tuple[SourceLine, ...]
    total: tuple[Figure, ...]
    numbers: str | None

    @property
    def has_spend(self) -> bool:
        """Whether anything was spent on any of them."""
        return any(line.kind is not None for line in self.lines)


async def came_back(connection: Any, words: Words, question: Question, found: Answer, currency: str) -> CameBack:
    """The table of an answer that was asked by source; ``question`` is the one that it answers."""
    shared = await shared_numbers(connection, question.company_id, question.since, question.until)
    return table_of(words, question, found, currency, shared, words.now.date())


def table_of(words: Words, question: Question, found: Answer, currency: str, shared: Decimal, today: date) -> CameBack:
    """The same, of figures that are there already."""
    if question.by != (Dimension.SOURCE,):
        raise ValueError("the table is told by source")
    verdicts = judged(question, found, today)
    lines = [
        SourceLine(
            row.keys[0],
            value_name(words, Dimension.SOURCE, row.keys[0]),
            tuple(_figure(words, question, measure, row.measures, currency, row) for measure in SHOWN),
            verdict.kind if verdict else None,
            verdict_name(words, verdict) if verdict else "",
            verdict_why(words, verdict, currency) if verdict else "",
        )
        for row, verdict in zip(found.rows, verdicts, strict=True)
    ]
    total = tuple(_figure(words, question, measure, found.total, currency, None) for measure in SHOWN)
    return CameBack(tuple(lines), total, money(words, shared, currency) if shared else None)


def judged(question: Question, found: Answer, today: date) -> Sequence[Verdict | None]:
    """A verdict for each row, none where nothing was spent."""
    standings = [
        Standing(
            row.measures.calls, row.measures.jobs, float(row.measures.value), float(row.measures.spend or Decimal(0))
        )
        for row in found.rows
    ]
    passed = min(question.until, today + timedelta(days=1)) - question.since
    return judge(standings, days=max(1, passed.days), today=today)


def _figure(words: Words, question: Question, measure: Measure, measures: Measures, currency: str, row: Any) -> Figure:
    counts = measure in (Measure.CALLS, Measure.JOBS) and bool(measure.of(measures))
    url = drill(question, row, measure) if counts else None
    return Figure(measure, figure(words, measure, measures, currency, in_parts=question.model in SHARED), url)
