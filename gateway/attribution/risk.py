"""The time in which there might have been calls: what calls are divided by."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from gateway.attribution.background import DAY_HOURS
from gateway.attribution.curve import (
    CELLS,
    HORIZON_SECONDS,
    LEFT_KNOTS,
    SHOWN_KNOTS,
    TAP_EDGES,
    TAP_STEPS,
    Floats,
    spread,
)
from gateway.attribution.evidence import Exposure, Tap
from gateway.attribution.weighing import with_other_phone

HORIZON = timedelta(seconds=HORIZON_SECONDS)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """An exposure from ``start`` to ``finish``, as it is known at the end.

    ``known``: the chance that its visitor's phone is known by an earlier call. ``called``: that this visit has called.
    """

    exposure: Exposure
    start: datetime
    finish: datetime
    known: float = 0.0
    called: float = 0.0


@dataclass(slots=True)
class TimeAtRisk:
    """Seconds, added up period by period.

    ``cells`` has a row for visits as they are, one for those of them whose visitor's phone is known (a call from
    another), one for those that have called. ``numbers`` is how long each number was watched, ``hours`` the same by
    hour of the day, ``known_callers`` how long there were people who had called before.
    """

    cells: Floats = field(default_factory=lambda: np.zeros((3, CELLS)))
    taps: Floats = field(default_factory=lambda: np.zeros(TAP_STEPS))
    numbers: dict[str, float] = field(default_factory=dict)
    hours: list[float] = field(default_factory=lambda: [0.0] * DAY_HOURS)
    known_callers: float = 0.0

    def watch(self, numbers: Iterable[str], start: datetime, finish: datetime) -> None:
        """These numbers were watched from ``start`` to ``finish``."""
        watched = list(numbers)
        for number in watched:
            self.numbers[number] = self.numbers.get(number, 0.0) + (finish - start).total_seconds()
        while start < finish:
            border = min(finish, start.replace(minute=0, second=0, microsecond=0) + _HOUR)
            self.hours[start.hour] += (border - start).total_seconds() * len(watched)
            start = border

    def tapped(self, taps: Iterable[Tap], until: datetime) -> None:
        """These taps happened before ``until``."""
        edges = np.array(TAP_EDGES)
        for tap in taps:
            self.taps += np.diff(np.clip(edges, TAP_EDGES[0], (until - tap.at).total_seconds()))

    def add(self, stretches: Iterable[Stretch]) -> None:
        """Visits that might have called."""
        found = list(stretches)
        if not found:
            return
        count = len(found)
        begun = found[0].exposure.counts_from
        never = float("inf")

        def seconds(moments: Iterable[datetime | None]) -> Floats:
            given = (never if each is None else (each - begun).total_seconds() for each in moments)
            return np.fromiter(given, float, count)

        shown = seconds(each.exposure.counts_from for each in found)[:, None]
        seen = seconds(each.exposure.last_seen for each in found)[:, None]
        replaced = seconds(each.exposure.replaced_at for each in found)[:, None]
        start = np.maximum(seconds(each.start for each in found)[:, None], shown)
        finish = np.minimum(seconds(each.finish for each in found)[:, None], shown + HORIZON_SECONDS)
        borders = np.concatenate(
            [start, finish, replaced, shown + np.array(SHOWN_KNOTS)[None, :], seen + np.array(LEFT_KNOTS)[None, :]],
            axis=1,
        )
        borders = np.sort(np.clip(borders, start, np.maximum(start, finish)), axis=1)
        lengths = np.diff(borders, axis=1)
        row, column = np.nonzero(lengths > 0)
        length = lengths[row, column]
        middle = borders[row, column] + length / 2
        since_seen = middle - seen[row, 0]
        found_at = spread(middle - shown[row, 0], np.maximum(since_seen, 0), since_seen < 0, middle >= replaced[row, 0])
        known = np.fromiter((each.known for each in found), float, count)[row]
        called = np.fromiter((each.called for each in found), float, count)[row]
        for index, weight in enumerate((1 - called, with_other_phone(known, called), called)):
            share = found_at.shares * (length * weight)[:, None]
            self.cells[index] += np.bincount(found_at.cells.ravel(), share.ravel(), CELLS)
