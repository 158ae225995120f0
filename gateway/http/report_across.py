"""The table of two dimensions, the second across the page, with one measure in each cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gateway.http.report_table import (
    Cell,
    Heading,
    Line,
    Pair,
    ReportTable,
    Shown,
    cell_of,
    cut,
    headings_of,
    in_order,
    line_of,
    names,
    paired,
    together,
    under,
)
from gateway.http.report_words import value_name
from gateway.reports.dimension import Dimension
from gateway.reports.figures import Answer, Key
from gateway.reports.measures import Measures

# Across the page there is room for so many values of a dimension.
MOST_COLUMNS = 8


def across(shown: Shown, answer: Answer, before: Answer | None, heads: Sequence[Pair]) -> ReportTable:
    """The leading measure of each pair of values; ``heads``: the figures of the first dimension alone."""
    view, words, measure = shown.view, shown.words, shown.leading
    shown = replace(shown, measures=(measure,))
    pairs = paired(answer.rows, before.rows if before else None)
    columns = _columns(pairs)
    kept, others = cut(in_order(shown, heads), view.top)
    at = {(pair.keys[0].value, pair.keys[1].value): pair for pair in pairs}
    every = list(dict.fromkeys(pair.keys[0].value for pair in pairs))
    own = {each.keys[0].value for each in kept if each.keys}

    def cell(rows: Iterable[str], values: Iterable[str], counted: Mapping[Dimension, str] | None) -> Cell:
        inside = [at[row, value] for row in rows for value in values if (row, value) in at]
        nothing = Pair((), Measures(), Measures() if before else None)
        return cell_of(shown, measure, together(inside) if inside else nothing, counted)

    lines = []
    for each in kept:
        line, rows = (
            line_of(shown, each, 0),
            [key.value for key in each.keys] or [row for row in every if row not in own],
        )
        cells = (
            cell(rows, values, under(view, (*each.keys, key)) if each.keys and key else None) for key, values in columns
        )
        lines.append(replace(line, cells=(*cells, *line.cells)))
    whole = Pair((), answer.total, before.total if before else None)
    sums = (cell(every, values, {view.by[1]: key.value} if key else None) for key, values in columns)
    total = Line(words.say("Total"), (*sums, cell_of(shown, measure, whole, {})))
    last = replace(headings_of(shown)[0], name=words.say("Total"))
    headings = (*(_heading(shown, key, values) for key, values in columns), last)
    return ReportTable(names(shown)[:1], headings, tuple(lines), total, others, is_across=True)


def _heading(shown: Shown, key: Key | None, values: Sequence[str]) -> Heading:
    dimension, words = shown.view.by[1], shown.words
    if key is None:
        return Heading(words.ngettext("%(num)s other", "%(num)s others", len(values)), shown.leading)
    name, url = value_name(words, dimension, key), shown.view.only(dimension, key.value)
    return Heading(name, shown.leading, url, key=key if dimension is Dimension.SOURCE else None, is_value=True)


def _columns(pairs: Sequence[Pair]) -> list[tuple[Key | None, list[str]]]:
    """The values across, with most calls first; the small ones share one column."""
    calls: dict[str, float] = {}
    keys: dict[str, Key] = {}
    for pair in pairs:
        key = pair.keys[1]
        keys[key.value] = key
        calls[key.value] = calls.get(key.value, 0) + pair.now.calls
    ordered = sorted(keys, key=lambda value: (-calls[value], keys[value].name))
    if len(ordered) > MOST_COLUMNS:
        rest = ordered[MOST_COLUMNS - 1 :]
        return [*((keys[value], [value]) for value in ordered[: MOST_COLUMNS - 1]), (None, rest)]
    return [(keys[value], [value]) for value in ordered]
