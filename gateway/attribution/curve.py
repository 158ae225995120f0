"""How soon visitors call: the chance of a call, second by second, after a number was shown.

The curve is a hazard, calls divided by the time in which visitors might have called, as in a life table: known at knots
on a logarithmic scale, straight between them. It has two factors: the time since the number was shown, and what became
of the page (still on a screen; left so long ago; the visitor has been shown another number). With enough calls either
one finds its shape, whether people call while they read, or so long after they came, or so long after they left.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.int64]

# The knots, in seconds since the number was shown. Later calls are told from the background by nobody.
SHOWN_KNOTS: tuple[float, ...] = (
    *(0, 3, 7, 12, 18, 24, 30, 37, 45, 52, 60, 75, 90, 105, 120, 150, 180, 210, 240, 300, 360, 420, 480, 600, 720),
    *(840, 960, 1200, 1440, 1920, 2880, 3840, 5760, 7680, 11520),
    *(15360, 23040, 30720, 46080, 61440, 92160, 122880, 172800, 259200),
)
HORIZON_SECONDS = SHOWN_KNOTS[-1]
# Seconds since the page was left. After a quarter of an hour it is much the same as the time since it was shown; a say
# of its own beyond that could be traded for the shape's, and both would be chance.
LEFT_KNOTS: tuple[float, ...] = (0, 15, 30, 60, 120, 240, 480, 960)
# From this knot on the shape is a smooth tail: knot by knot it could not be told from the background.
TAIL_FROM = SHOWN_KNOTS.index(1440)
SHAPE_KNOTS = len(SHOWN_KNOTS)
# The page is on a screen; was left (by knots); its visitor has another number now.
STATES = 1 + len(LEFT_KNOTS) + 1
REPLACED = STATES - 1
CELLS = SHAPE_KNOTS * STATES
# Seconds since a tap on the number; clocks of browsers and Asterisk differ by a little.
TAP_EDGES: tuple[float, ...] = (-3, 5, 10, 20, 30, 60, 120, 300, 900)
TAP_STEPS = len(TAP_EDGES) - 1

_SHOWN = np.array(SHOWN_KNOTS)
_LEFT = np.array(LEFT_KNOTS)
_TAP = np.array(TAP_EDGES[1:])

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Spread:
    """How exposures lie between the knots: rows of four cells and their shares, which add up to one."""

    cells: Cells
    shares: Floats

    def rates(self, table: Floats) -> Floats:
        """The rate of each, from the rates at the knots."""
        found: Floats = (table[self.cells] * self.shares).sum(axis=1)
        return found


def spread(since_shown: Floats, since_seen: Floats, live: Flags, replaced: Flags) -> Spread:
    """Where each exposure lies at a moment, all within the horizon."""
    low, part = _between(_SHOWN, since_shown)
    left, left_part = _between(_LEFT, since_seen)
    alone = replaced | live
    state = np.where(replaced, REPLACED, np.where(live, 0, 1 + left))
    other = np.where(alone, state, 2 + left)
    left_part = np.where(alone, 0.0, left_part)
    cells = np.stack(
        [low * STATES + state, low * STATES + other, (low + 1) * STATES + state, (low + 1) * STATES + other], axis=1
    )
    shares = np.stack(
        [(1 - part) * (1 - left_part), (1 - part) * left_part, part * (1 - left_part), part * left_part], axis=1
    )
    return Spread(cells, shares)


def _between(knots: Floats, at: Floats) -> tuple[Cells, Floats]:
    low = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
    part: Floats = np.clip((at - knots[low]) / (knots[low + 1] - knots[low]), 0.0, 1.0)
    return low, part


def tap_step(since_tap: float) -> int | None:
    """The step of a tap so many seconds before the call; none: it says nothing."""
    if not TAP_EDGES[0] <= since_tap < TAP_EDGES[-1]:
        return None
    return int(np.searchsorted(_TAP, since_tap, side="right"))


@dataclass(frozen=True)
class DelayCurve:
    """Calls per second of one visitor: ``level * shape[since shown] * state[what became of the page]``.

    ``taps`` are calls per second after a tap, by its steps; they come on top. ``calls`` is how many calls the curve
    was learned from: none for the prior.
    """

    level: float
    shape: tuple[float, ...]
    state: tuple[float, ...]
    taps: tuple[float, ...]
    calls: float = 0.0

    @cached_property
    def rates(self) -> Floats:
        """Calls per second at the knots, cell by cell."""
        return self.level * np.outer(self.shape, self.state).ravel()

    def within(self, seconds: float, *, left_after: float = 180.0) -> float:
        """The chance of a call within ``seconds`` of a visit that stays ``left_after`` seconds."""
        steps = (0.0, seconds, left_after, *SHOWN_KNOTS, *(left_after + knot for knot in LEFT_KNOTS))
        edges = np.array(sorted({each for each in steps if each <= min(seconds, HORIZON_SECONDS)}))
        middles = (edges[1:] + edges[:-1]) / 2
        nothing = np.zeros(len(middles), dtype=bool)
        found = spread(middles, np.maximum(middles - left_after, 0), middles < left_after, nothing)
        expected = float((found.rates(self.rates) * np.diff(edges)).sum())
        return 1 - math.exp(-expected)

    def stored(self) -> dict[str, Any]:
        """The form in which it is kept: what ``curve_of`` reads."""
        return {
            "shown": list(SHOWN_KNOTS),
            "left": list(LEFT_KNOTS),
            "tapped": list(TAP_EDGES),
            "level": self.level,
            "shape": list(self.shape),
            "state": list(self.state),
            "taps": list(self.taps),
            "calls": self.calls,
        }


def curve_of(stored: Mapping[str, Any]) -> DelayCurve | None:
    """A curve from its stored form; none where it was learned over other steps, and has to be learned anew."""
    steps = (stored["shown"], stored["left"], stored["tapped"])
    if any(list(kept) != list(edges) for kept, edges in zip(steps, (SHOWN_KNOTS, LEFT_KNOTS, TAP_EDGES), strict=True)):
        return None
    return DelayCurve(
        stored["level"], tuple(stored["shape"]), tuple(stored["state"]), tuple(stored["taps"]), stored["calls"]
    )


def _log_logistic(seconds: float, median: float, steepness: float) -> float:
    odds = math.pow(seconds / median, steepness)
    return steepness / seconds * odds / (1 + odds) ** 2


def _prior() -> DelayCurve:
    # Eight of a hundred visitors call, half of them within six minutes of coming, with a long tail; somewhat more
    # likely while the page is open; hardly once they have seen another number. A guess until calls are there.
    share, median, steepness = 0.08, 360.0, 1.1
    shape = tuple(_log_logistic(max(knot, 5.0), median, steepness) for knot in SHOWN_KNOTS)
    state = (1.0, *[0.7] * len(LEFT_KNOTS), 0.05)
    # Seven of ten taps lead to a call, most within half a minute.
    shares: Sequence[float] = (0.2, 0.15, 0.15, 0.07, 0.06, 0.03, 0.02, 0.02)
    taps = tuple(each / (b - a) for each, (a, b) in zip(shares, pairwise(TAP_EDGES), strict=True))
    return DelayCurve(share, shape, state, taps)


PRIOR = _prior()
