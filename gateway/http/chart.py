"""Charts of the pages, as values: a table of figures, and how its columns are drawn (`web/templates/charts.html`).

The page shows the table itself, and the script draws what stands in it: one truth for eyes, screen readers, print, and
browsers without script.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from gateway.http.words import Words

Value = int | float | Decimal

# A source keeps its place in the palette; colours repeat after this many, and then have other shapes.
PALETTE = 8
# More columns than this say nothing in a drawing: the smaller ones become one.
MOST_LINES = 8


class Kind(StrEnum):
    """How a chart is drawn."""

    STACKED = "stacked"  # columns, one line's part on top of another's: parts of a whole over time
    LINES = "lines"  # one line each: shares, averages, this period and the one before
    BARS = "bars"  # a bar a row, lying: what has no time in it


class Unit(StrEnum):
    """What a chart's figures are."""

    COUNT = "count"
    MONEY = "money"
    SHARE = "share"
    SECONDS = "seconds"
    RATIO = "ratio"


class Look(StrEnum):
    """How one column of figures looks."""

    SOURCE = "source"  # the colour and shape of a source; grey where it is none
    MAIN = "main"
    BEFORE = "before"  # what is compared with
    OTHERS = "others"  # the small ones together


@dataclass(frozen=True, slots=True)
class Step:
    """One row: a day, week or month, or whatever bars stand for.

    ``label`` is short, for the axis; ``full`` is said where there is room; ``url`` leads to what is counted;
    ``is_open`` where it is not over yet.
    """

    label: str
    full: str
    url: str | None = None
    is_open: bool = False
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One column: a figure for each step, none where nothing can be said."""

    name: str
    values: tuple[Value | None, ...]
    look: Look = Look.SOURCE
    colour: int | None = None
    url: str | None = None

    @property
    def total(self) -> Value:
        """The sum of its figures, where adding them makes sense."""
        return _sum(self.values)


@dataclass(frozen=True, slots=True)
class Chart:
    """A table of figures that is drawn. ``key`` is its name on the page, ``of_steps`` what its rows are (Day)."""

    key: str
    kind: Kind
    caption: str
    of_steps: str
    steps: tuple[Step, ...]
    lines: tuple[Line, ...]
    unit: Unit = Unit.COUNT
    currency: str = ""

    @property
    def has_totals(self) -> bool:
        """Whether the columns of a row are parts of a whole."""
        return self.kind is Kind.STACKED and len(self.lines) > 1

    def total_of(self, step: int) -> Value:
        """What the columns of a row add up to."""
        return _sum(line.values[step] for line in self.lines)

    def said(self, words: Words, value: Value | None) -> str:
        """A figure in the reader's words."""
        if value is None:
            return "–"
        if self.unit is Unit.MONEY:
            return words.money(Decimal(str(value)).quantize(Decimal("0.01")), self.currency)
        if self.unit is Unit.SHARE:
            return words.percent(float(value))
        if self.unit is Unit.SECONDS:
            return words.duration(float(value))
        return words.number(round(float(value), 1))


def folded(lines: Sequence[Line], others: str, most: int = MOST_LINES, rest: Sequence[Line] = ()) -> tuple[Line, ...]:
    """The ``most`` largest columns, largest first; where there are more, the rest together as the last, ``others``.

    Columns of nothing are left out, unless there is no other. ``rest``: columns that are among the others anyway.
    """
    ordered = sorted((line for line in lines if line.total), key=lambda line: -line.total) or list(lines[:1])
    rest = [line for line in rest if line.total]
    if len(ordered) + len(rest) <= most and not rest:
        return apart(ordered)
    kept, rest = ordered[: most - 1], [*ordered[most - 1 :], *rest]
    together = tuple(_sum(values) for values in zip(*(line.values for line in rest), strict=True))
    return (*apart(kept), Line(others, together, Look.OTHERS))


def apart(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The same in colours that are different: of two lines of one colour the larger, which comes first, keeps it.

    Others than sources have none of their own.
    """
    taken: set[int] = set()
    found = []
    for line in lines:
        colour = line.colour
        if colour is not None:
            if colour % PALETTE in taken:
                colour = next((place for place in range(PALETTE) if place not in taken | _own(lines)), colour)
            taken.add(colour % PALETTE)
        found.append(replace(line, colour=colour))
    return tuple(found)


def _own(lines: Sequence[Line]) -> set[int]:
    """The places of the palette that some of the lines have for themselves."""
    return {line.colour % PALETTE for line in lines if line.colour is not None}


def _sum(values: Iterable[Value | None]) -> Value:
    said = [Decimal(str(value)) for value in values if value is not None]
    total = sum(said, Decimal(0))
    return int(total) if total == total.to_integral_value() else total
