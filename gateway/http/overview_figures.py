"""What the overview says in figures: each with what it was before, and the way to the calls that it counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from babel import dates

from gateway.http.chart import Chart, Kind, Line, Look, Step, folded
from gateway.http.report_words import change, figure
from gateway.http.words import Words
from gateway.reports.dimension import Dimension, Grain
from gateway.reports.drill import drill
from gateway.reports.figures import Key, Row, Series
from gateway.reports.measures import Measure, Measures
from gateway.reports.question import Question

# What the calls of the list can be narrowed down to.
_IN_THE_LIST = frozenset(
    {
        Measure.CALLERS,
        Measure.CALLS,
        Measure.ANSWERED,
        Measure.MISSED,
        Measure.FIRST_TIME,
        Measure.QUALIFIED,
        Measure.JOBS,
        Measure.VALUE,
    }
)
# What answers the question of the page first, with and without spend; then the rest of it.
_WITH_SPEND = (
    (Measure.CALLERS, Measure.JOBS, Measure.SPEND, Measure.COST_PER_JOB, Measure.RETURN_RATIO),
    (
        Measure.CALLS,
        Measure.ANSWERED,
        Measure.MISSED,
        Measure.FIRST_TIME,
        Measure.QUALIFIED,
        Measure.COST_PER_CALL,
        Measure.VALUE,
    ),
)
_WITHOUT_SPEND = (
    (Measure.CALLERS, Measure.CALLS, Measure.ANSWERED, Measure.MISSED, Measure.JOBS),
    (Measure.FIRST_TIME, Measure.QUALIFIED, Measure.VALUE),
)

# Less than this share is a ripple, and nobody's merit or fault.
_SLIGHT = 0.05

# So many columns tell a course without a magnifying glass.
_MOST_DAYS, _MOST_WEEKS = 45, 190


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name and value, what it changed by (▲ 14%; empty: nothing to compare with), and whether that is
    "better" or "worse". ``share`` of all calls, where it is a part of them.
    """

    measure: Measure
    name: str
    value: str
    url: str | None
    change: str
    tone: str
    share: str = ""

    @property
    def is_more(self) -> bool:
        """Whether it went up."""
        return self.change.startswith("▲")


def figures(
    words: Words, question: Question, now: Measures, before: Measures | None, currency: str
) -> tuple[tuple[Figure, ...], tuple[Figure, ...]]:
    """The large ones and the others. ``before`` is none where there is nothing to compare with."""
    large, others = _WITHOUT_SPEND if now.spend is None else _WITH_SPEND

    def told(measure: Measure) -> Figure:
        changed, tone = ("", "") if before is None else change(words, measure, measure.of(now), measure.of(before))
        if before is not None and _is_slight(measure.of(now), measure.of(before)):
            tone = ""
        part = measure in (Measure.ANSWERED, Measure.MISSED, Measure.FIRST_TIME, Measure.QUALIFIED)
        value = measure.of(now)
        return Figure(
            measure,
            _name(words, measure),
            figure(words, measure, now, currency),
            drill(question, measure=measure) if measure in _IN_THE_LIST and value else None,
            changed,
            tone,
            words.percent(float(value or 0) / now.calls) if part and now.calls else "",
        )

    return tuple(map(told, large)), tuple(map(told, others))


def _is_slight(now: Any, before: Any) -> bool:
    """Whether a change is too small to be good or bad news."""
    return bool(now is not None and before and abs(float(now) - float(before)) < _SLIGHT * abs(float(before)))


def _name(words: Words, measure: Measure) -> str:
    """As it stands below a figure: 57 callers, $72 a job."""
    pgettext = words.pgettext
    return {
        Measure.CALLERS: pgettext("figure", "callers"),
        Measure.CALLS: pgettext("figure", "calls"),
        Measure.ANSWERED: pgettext("figure", "answered"),
        Measure.MISSED: pgettext("figure", "missed"),
        Measure.FIRST_TIME: pgettext("figure", "first-time"),
        Measure.QUALIFIED: pgettext("figure", "qualified"),
        Measure.JOBS: pgettext("figure", "jobs"),
        Measure.VALUE: pgettext("figure", "value of jobs"),
        Measure.SPEND: pgettext("figure", "spent"),
        Measure.COST_PER_CALL: pgettext("figure", "a call"),
        Measure.COST_PER_JOB: pgettext("figure", "a job"),
        Measure.RETURN_RATIO: pgettext("figure", "back"),
    }[measure]


def grain_of(question: Question) -> Grain:
    """How long a column is: a day, a week or a month, so that there are some dozens at most."""
    if question.days <= _MOST_DAYS:
        return Grain.DAY
    return Grain.WEEK if question.days <= _MOST_WEEKS else Grain.MONTH


def course(words: Words, question: Question, series: Sequence[Series], starts: Sequence[date]) -> Chart:
    """Calls over time by source; ``starts`` are the first days of its columns, ``question`` asks by source."""
    grain, today = grain_of(question), words.now.date()
    ends = [*starts[1:], question.until]
    steps = tuple(_step(words, question, grain, since, until, today) for since, until in zip(starts, ends, strict=True))
    lines = [_line(words, question, each) for each in series] or [
        Line(words.say("Calls"), (0,) * len(steps), Look.MAIN)
    ]
    return Chart(
        "course",
        Kind.STACKED,
        {
            Grain.DAY: words.say("Calls by day"),
            Grain.WEEK: words.say("Calls by week"),
            Grain.MONTH: words.say("Calls by month"),
        }[grain],
        {Grain.DAY: words.say("Day"), Grain.WEEK: words.say("Week"), Grain.MONTH: words.say("Month")}[grain],
        steps,
        folded(lines, words.say("Others")),
    )


def _line(words: Words, question: Question, series: Series) -> Line:
    key = series.key
    values = tuple(round(measures.calls, 2) for _, measures in series.points)
    row = Row((key,), Measures())
    return Line(source_name(words, key), values, Look.SOURCE, key.colour, drill(question, row))


def source_name(words: Words, key: Key) -> str:
    """A source as people call it."""
    return key.name if key.value else words.say("Unknown")


def _step(words: Words, question: Question, grain: Grain, since: date, until: date, today: date) -> Step:
    last = until - timedelta(days=1)
    url = drill(replace(question, since=since, until=until, by=()))
    if grain is Grain.MONTH:
        label = dates.format_date(since, "LLL" if since.year == today.year else "LLL yy", words.locale)
        full = dates.format_date(since, "LLLL y", words.locale)
        return Step(_begun(label), _begun(full), url, last >= today)
    if grain is Grain.DAY or since == last:
        return Step(words.short_date(since), words.date(since), url, last >= today)
    return Step(words.short_date(since), f"{words.short_date(since)} – {words.short_date(last)}", url, last >= today)


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]


BY_SOURCE = (Dimension.SOURCE,)
