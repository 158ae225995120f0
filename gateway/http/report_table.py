"""The table of a report: answers into lines of figures with their comparison, sorted, cut, and linked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from gateway.attribution.credit import Model
from gateway.http import report_words
from gateway.http.report_view import NAME, ReportView
from gateway.http.report_words import Value
from gateway.http.words import Words
from gateway.reports.dimension import Dimension
from gateway.reports.figures import Answer, Key, Row
from gateway.reports.measures import Measure, Measures, Unit

USUAL = (Measure.CALLS, Measure.ANSWER_RATE, Measure.FIRST_TIME, Measure.QUALIFIED, Measure.JOBS)
USUAL_OF_WORTH = (Measure.VALUE,)
USUAL_OF_SPEND = (Measure.SPEND, Measure.COST_PER_CALL, Measure.COST_PER_JOB, Measure.RETURN_RATIO)

# To the calls that a figure counts under some values of dimensions; none where no list shows them.
Link = Callable[[Mapping[Dimension, str], Measure], str | None]


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as it is shown: in words, with what it was before, its part of the longest bar (0 to 100), its calls."""

    value: Value
    text: str
    before: Value = None
    before_text: str = ""
    change: str = ""
    tone: str = ""  # better, worse
    url: str | None = None
    bar: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row. ``url`` narrows the report down to its value; ``level`` 1 stands under a line of level 0."""

    name: str
    cells: tuple[Cell, ...]
    key: Key | None = None
    url: str | None = None
    level: int = 0
    others: int = 0  # so many values together


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: sorted by its ``url``, or narrowed down to where it is a value of a dimension."""

    name: str
    measure: Measure
    url: str | None = None
    direction: str = ""  # as aria-sort says it
    key: Key | None = None
    is_value: bool = False  # of a dimension, across the page


@dataclass(frozen=True, slots=True)
class ReportTable:
    """The whole table; ``names`` heads the first column."""

    names: tuple[Heading, ...]
    headings: tuple[Heading, ...]
    lines: tuple[Line, ...]
    total: Line
    others: int  # values that did not get a line of their own
    is_across: bool = False  # the second dimension's values are the columns


@dataclass(frozen=True, slots=True)
class Shown:
    """What a table is made with, besides figures."""

    view: ReportView
    measures: tuple[Measure, ...]
    words: Words
    currency: str
    own: Model
    link: Link

    @property
    def in_parts(self) -> bool:
        """Whether calls are shared by several touches."""
        return (self.view.model or self.own) in report_words.SHARED

    @property
    def sort(self) -> str:
        """A measure that is shown, or the name; with - from the most down."""
        name = self.view.sort.removeprefix("-")
        if name == NAME or name in self.measures:
            return self.view.sort
        return f"-{self.measures[0]}"

    @property
    def leading(self) -> Measure:
        """The measure that the report is about: it is sorted by, drawn, and has bars."""
        name = self.sort.removeprefix("-")
        return self.measures[0] if name == NAME else Measure(name)


@dataclass(frozen=True, slots=True)
class Pair:
    """The figures under some keys, and what they were before."""

    keys: tuple[Key, ...]
    now: Measures
    before: Measures | None = None
    count: int = 1  # of values that it stands for


def usual_measures(total: Measures) -> tuple[Measure, ...]:
    """What is shown where nobody chose: money only where there is some."""
    worth = USUAL_OF_WORTH if total.value else ()
    return (*USUAL, *worth, *(USUAL_OF_SPEND if total.spend else ()))


def paired(rows: Iterable[Row], before: Iterable[Row] | None) -> list[Pair]:
    """Each value's figures beside what they were; values that were there only before have nothing now."""
    rows = list(rows)
    if before is None:
        return [Pair(row.keys, row.measures) for row in rows]
    earlier = {tuple(key.value for key in row.keys): row for row in before}
    knows_spend = any(row.measures.spend is not None for row in rows)
    nothing = Measures(spend=Decimal(0)) if knows_spend else Measures()
    found = []
    for row in rows:
        past = earlier.pop(tuple(key.value for key in row.keys), None)
        found.append(Pair(row.keys, row.measures, past.measures if past else nothing))
    return [*found, *(Pair(row.keys, nothing, row.measures) for row in earlier.values())]


def table(shown: Shown, answer: Answer, before: Answer | None, heads: Sequence[Pair] = ()) -> ReportTable:
    """One or two dimensions downwards. ``heads``: the figures of the first of two, which the second stands under."""
    view, words = shown.view, shown.words
    pairs = paired(answer.rows, before.rows if before else None)
    beyond = beyond_of(answer, before)
    total = _line(shown, Pair((), answer.total, before.total if before else None), words.say("Total"))
    lines: list[Line]
    if len(view.by) == 2:
        lines, others = _grouped(shown, pairs, heads, beyond)
    elif view.by:
        kept, others = cut(in_order(shown, pairs), view.top, beyond.get(()))
        lines = [line_of(shown, each, 0) for each in kept]
    else:
        lines, others = [], 0
    return ReportTable(names(shown), headings_of(shown), tuple(with_bars(lines, shown)), total, others)


def beyond_of(answer: Answer, before: Answer | None) -> dict[tuple[str, ...], Pair]:
    """The rows that were not told one by one, as one for each value of the first of two dimensions."""
    found = {}
    for keys, others in answer.others.items():
        past = before.others.get(keys) if before else None
        found[keys] = Pair(
            (), others.measures, (past.measures if past else Measures()) if before else None, others.count
        )
    return found


def _grouped(
    shown: Shown, pairs: Sequence[Pair], heads: Sequence[Pair], beyond: Mapping[tuple[str, ...], Pair]
) -> tuple[list[Line], int]:
    """Each value of the first dimension with those of the second under it."""
    inside_of: dict[str, list[Pair]] = {}
    for pair in pairs:
        inside_of.setdefault(pair.keys[0].value, []).append(Pair(pair.keys, pair.now, pair.before))
    kept, others = cut(in_order(shown, heads), shown.view.top)
    lines = []
    for head in kept:
        lines.append(line_of(shown, head, 0))
        if head.keys:
            # What was there only before would be a long list of nothing.
            there = [pair for pair in inside_of.get(head.keys[0].value, []) if _is_there(pair.now)]
            if len(there) == 1 and not there[0].keys[1].value and there[0].now.calls == head.now.calls:
                continue  # all of it unknown: that would be the same line again
            inside, _ = cut(in_order(shown, there, place=1), shown.view.top, beyond.get((head.keys[0].value,)))
            lines += [line_of(shown, each, 1) for each in inside]
    return lines, others


def _is_there(measures: Measures) -> bool:
    return bool(measures.calls or measures.leads or measures.jobs or measures.spend)


def in_order(shown: Shown, pairs: Iterable[Pair], place: int = 0) -> list[Pair]:
    """In the order asked for; what cannot be said comes last, whichever way."""
    name, down = shown.sort.removeprefix("-"), shown.sort.startswith("-")
    dimension = shown.view.by[place]
    by_name = sorted(
        pairs, key=lambda pair: report_words.value_name(shown.words, dimension, pair.keys[place]).casefold()
    )
    if name == NAME:
        return by_name[::-1] if down else by_name
    measure = Measure(name)
    known = [(float(value), pair) for pair in by_name if (value := measure.of(pair.now)) is not None]
    unknown = [pair for pair in by_name if measure.of(pair.now) is None]
    known.sort(key=lambda each: -each[0] if down else each[0])
    # What is equal stands by calls: ten sources without a job are not of one importance.
    return [pair for _, pair in sorted(known, key=lambda each: (_order(each[0], down), -each[1].now.calls))] + sorted(
        unknown, key=lambda pair: -pair.now.calls
    )


def _order(value: float, down: bool) -> float:
    return -value if down else value


def cut(pairs: list[Pair], top: int, beyond: Pair | None = None) -> tuple[list[Pair], int]:
    """The first ``top``, and the others together (with those ``beyond``) as one without keys; how many those are."""
    if beyond is None and len(pairs) <= top + 1:  # a line for "1 other" takes as much room as the one
        return pairs, 0
    rest = [*pairs[top:], *([beyond] if beyond else [])]
    together_all = replace(together(rest), keys=())
    return [*pairs[:top], together_all], together_all.count


def together(pairs: Sequence[Pair]) -> Pair:
    """Several values as one; people are not added."""
    now, before = pairs[0].now, pairs[0].before
    for each in pairs[1:]:
        now = now + each.now
        before = None if before is None or each.before is None else before + each.before
    return Pair(pairs[0].keys if len(pairs) == 1 else (), now, before, sum(pair.count for pair in pairs))


def line_of(shown: Shown, pair: Pair, level: int) -> Line:
    """A value's line; that of many values where there are no keys."""
    view, words = shown.view, shown.words
    if not pair.keys:
        name = words.ngettext("%(num)s other", "%(num)s others", pair.count)
        return replace(_line(shown, pair, name, linked=False), level=level, others=pair.count)
    key, dimension = pair.keys[level], view.by[level]
    name = report_words.value_name(words, dimension, key)
    line = _line(shown, pair, name)
    is_source = dimension is Dimension.SOURCE
    return replace(line, key=key if is_source else None, url=view.only(dimension, key.value), level=level)


def _line(shown: Shown, pair: Pair, name: str, *, linked: bool = True) -> Line:
    values = under(shown.view, pair.keys) if linked else None
    return Line(name, tuple(cell_of(shown, measure, pair, values) for measure in shown.measures))


def under(view: ReportView, keys: tuple[Key, ...]) -> dict[Dimension, str]:
    """The values of the report's dimensions that some keys stand for."""
    return {dimension: key.value for dimension, key in zip(view.by, keys, strict=False)}


def cell_of(shown: Shown, measure: Measure, pair: Pair, values: Mapping[Dimension, str] | None) -> Cell:
    """A figure; ``values`` of the calls that it counts, none where no list shows them."""
    value, words = measure.of(pair.now), shown.words
    put = report_words.figure
    text = put(words, measure, pair.now, shown.currency, in_parts=shown.in_parts)
    url = shown.link(values, measure) if values is not None and value else None
    if pair.before is None:
        return Cell(value, text, url=url)
    past = measure.of(pair.before)
    before_text = put(words, measure, pair.before, shown.currency, in_parts=shown.in_parts) if past is not None else ""
    return Cell(value, text, past, before_text, *report_words.change(words, measure, value, past), url=url)


def with_bars(lines: Sequence[Line], shown: Shown) -> list[Line]:
    """The leading measure's cells have bars, as long as their part of the most."""
    place = shown.measures.index(shown.leading)
    values = [float(line.cells[place].value or 0) for line in lines if not line.others and not line.level]
    most = max(values, default=0.0)
    if most <= 0 or len(values) < 2 or shown.leading.unit is Unit.SHARE:
        return list(lines)

    def barred(line: Line) -> Line:
        cell = line.cells[place]
        part = round(100 * max(0.0, float(cell.value or 0)) / most)
        return replace(line, cells=(*line.cells[:place], replace(cell, bar=min(part, 100)), *line.cells[place + 1 :]))

    return [line if line.others or line.level else barred(line) for line in lines]


def names(shown: Shown) -> tuple[Heading, ...]:
    """The first column's headings: what rows are told by."""
    view = shown.view
    return tuple(
        Heading(
            report_words.dimension_name(shown.words, dimension),
            shown.leading,
            view.sorted_by(NAME, shown.sort) if place == 0 else None,
            _direction(shown, NAME) if place == 0 else "",
        )
        for place, dimension in enumerate(view.by)
    )


def headings_of(shown: Shown) -> tuple[Heading, ...]:
    """A heading for each measure."""
    return tuple(
        Heading(
            report_words.measure_name(shown.words, measure),
            measure,
            shown.view.sorted_by(measure.value, shown.sort),
            _direction(shown, measure.value),
        )
        for measure in shown.measures
    )


def _direction(shown: Shown, name: str) -> str:
    return {name: "ascending", f"-{name}": "descending"}.get(shown.sort, "")
