"""What reports answer: rows of figures under their keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.reports.measures import Measures


@dataclass(frozen=True, slots=True)
class Key:
    """A value of a dimension: ``value`` as filters name it ("" for unknown), ``name`` for people; a source's colour."""

    value: str
    name: str
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The figures under one key for each dimension asked for."""

    keys: tuple[Key, ...]
    measures: Measures


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Calls of the period that no figure counts."""

    spam: int = 0
    blocked: int = 0


@dataclass(frozen=True, slots=True)
class Others:
    """So many rows together."""

    count: int
    measures: Measures


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, most calls first, and all of them together. ``stale_days``: so many days still wait for their changes.

    ``others``: the rows that are not among them, where only the highest were asked for; of two dimensions by the value
    of the first, else under ``()``.
    """

    rows: tuple[Row, ...]
    total: Measures
    left_out: LeftOut = LeftOut()
    stale_days: int = 0
    others: Mapping[tuple[str, ...], Others] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """A line: the figures of each stretch of the period, by its first day, without gaps.

    ``others``: of so many keys together, whose own lines are not there.
    """

    key: Key
    points: tuple[tuple[date, Measures], ...]
    others: int = 0
