"""What is drawn above the table of a report: the leading measure over time, by its first dimension, or bars."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from babel.dates import format_date

from gateway.http import report_words
from gateway.http.chart import MOST_LINES, Chart, Kind, Line, Look, Step, folded
from gateway.http.chart import Unit as ChartUnit
from gateway.http.report import Report, linker
from gateway.http.report_table import Pair, in_order, paired
from gateway.http.words import Words
from gateway.reports.answer import answer, over_time
from gateway.reports.dimension import Dimension, Grain
from gateway.reports.figures import Key, Series
from gateway.reports.measures import Measure, Measures, Unit
from gateway.reports.question import TOLD_BY, Question, Top
from gateway.store.database import Connection

# A line for each is told from the others; more tangle.
_MOST_LINES = 5
_MOST_BARS = 12
# Up to so many days there is a column for each of them; for each week; else for each month.
_DAYS, _WEEKS = 45, 200
# What the parts of add up to the whole.
_ADDED = frozenset(
    {
        Measure.CALLS,
        Measure.ANSWERED,
        Measure.MISSED,
        Measure.FIRST_TIME,
        Measure.QUALIFIED,
        Measure.LEADS,
        Measure.JOBS,
        Measure.VALUE,
        Measure.SPEND,
        Measure.TALK_SECONDS,
    }
)


def grain_of(question: Question) -> Grain:
    """How long a column is, so that they can be told from one another."""
    return Grain.DAY if question.days <= _DAYS else Grain.WEEK if question.days <= _WEEKS else Grain.MONTH


async def chart_of(connection: Connection, report: Report) -> Chart | None:
    """The drawing that tells most of this report; none where there is nothing to draw."""
    if report.is_empty:
        return None
    question = replace(report.question, by=report.question.by[:1])
    if question.days == 1:
        return await _bars(connection, report, question) if question.by else None
    grain = grain_of(question)
    measure = report.shown.leading
    top = Top(MOST_LINES, measure, least=4 * MOST_LINES) if question.by and measure in TOLD_BY else None
    series = await over_time(connection, question, grain, top)
    if all(measure.of(each) is None for one in series for _, each in one.points):
        measure = Measure.CALLS  # what cannot be told by day, such as people
    if not question.by:
        past = await over_time(connection, replace(report.compared, by=()), grain) if report.compared else ()
        return _alone(report, measure, grain, series, past)
    return _told(report, measure, grain, series)


def _told(report: Report, measure: Measure, grain: Grain, series: Sequence[Series]) -> Chart | None:
    """A line or a part of the columns for each value of the first dimension."""
    words, dimension = report.shown.words, report.question.by[0]
    lines = [_line(report, measure, one) for one in series if not one.others]
    rest = [Line("", tuple(measure.of(each) for _, each in one.points)) for one in series if one.others]
    if not lines:
        return None
    if measure in _ADDED:
        kind, lines = Kind.STACKED, list(folded(lines, words.say("Others"), rest=rest))
    else:
        kind, lines = Kind.LINES, lines[:_MOST_LINES]
    names = {"measure": report_words.measure_name(words, measure), "by": report_words.told_by(words, dimension)}
    captions = {
        Grain.DAY: words.say("%(measure)s by day and %(by)s"),
        Grain.WEEK: words.say("%(measure)s by week and %(by)s"),
        Grain.MONTH: words.say("%(measure)s by month and %(by)s"),
    }
    starts = [start for start, _ in series[0].points]
    return _chart(report, measure, kind, captions[grain] % names, grain, starts, lines)


def _alone(
    report: Report, measure: Measure, grain: Grain, series: Sequence[Series], past: Sequence[Series]
) -> Chart | None:
    """One line, and the one before it."""
    words = report.shown.words
    points = series[0].points if series else ()
    if not points:
        return None
    name = report_words.measure_name(words, measure)
    lines = [Line(name, tuple(measure.of(each) for _, each in points), Look.MAIN)]
    if past:
        values = tuple(measure.of(each) for _, each in past[0].points)[: len(points)]
        values += (None,) * (len(points) - len(values))
        lines.append(Line(report_words.past_name(words, report.shown.view.compare), values, Look.BEFORE))
    captions = {
        Grain.DAY: words.say("%(measure)s by day"),
        Grain.WEEK: words.say("%(measure)s by week"),
        Grain.MONTH: words.say("%(measure)s by month"),
    }
    starts = [start for start, _ in points]
    return _chart(report, measure, Kind.LINES, captions[grain] % {"measure": name}, grain, starts, lines)


async def _bars(connection: Connection, report: Report, question: Question) -> Chart | None:
    """A bar for each value: a day has no course."""
    shown, measure = report.shown, report.shown.leading
    rows = (await answer(connection, question)).rows
    before = (await answer(connection, replace(report.compared, by=question.by))).rows if report.compared else None
    told = in_order(shown, paired(rows, before))
    pairs = [pair for pair in told if measure.of(pair.now) or (pair.before and measure.of(pair.before))][:_MOST_BARS]
    if not pairs:
        return None
    words, dimension = shown.words, question.by[0]
    link = linker(question)

    def step(pair: Pair) -> Step:
        name = report_words.value_name(words, dimension, pair.keys[0])
        return Step(name, name, link({dimension: pair.keys[0].value}, measure), colour=pair.keys[0].colour)

    name = report_words.measure_name(words, measure)
    lines = [Line(name, tuple(measure.of(pair.now) for pair in pairs), Look.MAIN)]
    if before is not None:
        values = tuple(measure.of(pair.before or Measures()) for pair in pairs)
        lines.append(Line(report_words.past_name(words, shown.view.compare), values, Look.BEFORE))
    caption = words.say("%(measure)s by %(by)s") % {"measure": name, "by": report_words.told_by(words, dimension)}
    return Chart(
        "report",
        Kind.BARS,
        caption,
        report_words.dimension_name(words, dimension),
        tuple(step(pair) for pair in pairs),
        tuple(lines),
        _unit(measure),
        shown.currency,
    )


def _line(report: Report, measure: Measure, series: Series) -> Line:
    dimension, key = report.question.by[0], series.key
    name = report_words.value_name(report.shown.words, dimension, key)
    url = linker(report.question)({dimension: key.value}, measure)
    return Line(name, tuple(measure.of(each) for _, each in series.points), colour=_colour(report, key), url=url)


def _colour(report: Report, key: Key) -> int | None:
    """A source's own; the place in the order of the others, as long as there are few."""
    if report.question.by[0] is Dimension.SOURCE or not key.value:
        return key.colour
    values = [row.keys[0].value for row in report.answer.rows if row.keys[0].value]
    return list(dict.fromkeys(values)).index(key.value) if key.value in values else None


def _chart(
    report: Report,
    measure: Measure,
    kind: Kind,
    caption: str,
    grain: Grain,
    starts: Sequence[date],
    lines: Sequence[Line],
) -> Chart:
    words, question = report.shown.words, report.question
    today = words.now.date()
    ends = [*starts[1:], question.until]
    steps = tuple(
        Step(
            _short(words, grain, start),
            _full(words, grain, start, end - timedelta(days=1)),
            linker(replace(question, since=start, until=end))({}, measure),
            is_open=start <= today < end or (grain is not Grain.DAY and end == question.until and end > today),
        )
        for start, end in zip(starts, ends, strict=True)
    )
    heads = {Grain.DAY: words.say("Day"), Grain.WEEK: words.say("Week"), Grain.MONTH: words.say("Month")}
    return Chart("report", kind, caption, heads[grain], steps, tuple(lines), _unit(measure), report.shown.currency)


def _short(words: Words, grain: Grain, start: date) -> str:
    return format_date(start, "LLL", words.locale) if grain is Grain.MONTH else words.short_date(start)


def _full(words: Words, grain: Grain, start: date, last: date) -> str:
    if grain is Grain.MONTH:
        return format_date(start, "LLLL y", words.locale)
    if grain is Grain.WEEK and last > start:
        return f"{words.short_date(start)} – {words.short_date(last)}"
    return words.date(start)


def _unit(measure: Measure) -> ChartUnit:
    return {
        Unit.COUNT: ChartUnit.COUNT,
        Unit.SHARE: ChartUnit.SHARE,
        Unit.MONEY: ChartUnit.MONEY,
        Unit.SECONDS: ChartUnit.SECONDS,
        Unit.RATIO: ChartUnit.RATIO,
    }[measure.unit]
