"""What reports answer: rows of figures under their keys."""

from dataclasses import dataclass
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
class Answer:
    """Rows, most calls first, and all of them together. ``stale_days``: so many days still wait for their changes."""

    rows: tuple[Row, ...]
    total: Measures
    left_out: LeftOut = LeftOut()
    stale_days: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """A line: the figures of each stretch of the period, by its first day, without gaps."""

    key: Key
    points: tuple[tuple[date, Measures], ...]
