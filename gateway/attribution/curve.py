"""How soon visitors call: the chance of a call, second by second, after a number was shown.

The curve is a hazard that is constant between steps on a logarithmic scale, as in a life table: calls divided by the
time in which visitors might have called. It has two factors: the time since the number was shown, and what became of
the page (still on a screen; left so long ago; the visitor has been shown another number). With enough calls either one
finds its shape, whether people call while they read, or so long after they came, or so long after they left.
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

# Seconds since the number was shown. Later calls are told from the background by nobody.
SHOWN_EDGES: tuple[float, ...] = (
    *(0, 10, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 960, 1440, 1920, 2880, 3840, 5760, 7680, 11520),
    *(15360, 23040, 30720, 46080, 61440, 92160, 122880, 172800, 259200),
)
HORIZON_SECONDS = SHOWN_EDGES[-1]
# Seconds since the page was left. After an hour it is the same as the time since it was shown.
LEFT_EDGES: tuple[float, ...] = (0, 15, 30, 60, 120, 240, 480, 960, 1920, 3840, HORIZON_SECONDS)
# From this step on the shape is a smooth tail: step by step it could not be told from the background.
TAIL_FROM = SHOWN_EDGES.index(1440)
SHOWN_STEPS = len(SHOWN_EDGES) - 1
# The page is on a screen; was left (by steps); its visitor has another number now.
STATES = 1 + (len(LEFT_EDGES) - 1) + 1
REPLACED = STATES - 1
CELLS = SHOWN_STEPS * STATES
# Seconds since a tap on the number; clocks of browsers and Asterisk differ by a little.
TAP_EDGES: tuple[float, ...] = (-3, 5, 10, 20, 30, 60, 120, 300, 900)
TAP_STEPS = len(TAP_EDGES) - 1

_SHOWN = np.array(SHOWN_EDGES[1:])
_LEFT = np.array(LEFT_EDGES[1:])
_TAP = np.array(TAP_EDGES[1:])


Flags = npt.NDArray[np.bool_]


def cells_of(since_shown: Floats, since_seen: Floats, live: Flags, replaced: Flags) -> Cells:
    """The cell of the table in which each exposure is at a moment, all within the horizon."""
    step = np.minimum(np.searchsorted(_SHOWN, since_shown, side="right"), SHOWN_STEPS - 1)
    left = 1 + np.minimum(np.searchsorted(_LEFT, since_seen, side="right"), STATES - 3)
    state = np.where(replaced, REPLACED, np.where(live, 0, left))
    return step * STATES + state


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
        """Calls per second, cell by cell."""
        return self.level * np.outer(self.shape, self.state).ravel()

    def within(self, seconds: float, *, left_after: float = 180.0) -> float:
        """The chance of a call within ``seconds`` of a visit that stays ``left_after`` seconds."""
        steps = (0.0, seconds, left_after, *SHOWN_EDGES, *(left_after + edge for edge in LEFT_EDGES))
        edges = sorted({each for each in steps if each <= seconds})
        middles = np.array([(a + b) / 2 for a, b in pairwise(edges)])
        lengths = np.diff(np.array(edges))
        if not len(middles):
            return 0.0
        live = middles < left_after
        cells = cells_of(middles, np.maximum(middles - left_after, 0), live, np.zeros(len(middles), dtype=bool))
        return 1 - math.exp(-float(np.sum(self.rates[cells] * lengths * (middles < HORIZON_SECONDS))))

    def stored(self) -> dict[str, Any]:
        """The form in which it is kept: what ``curve_of`` reads."""
        return {
            "shown": list(SHOWN_EDGES),
            "left": list(LEFT_EDGES),
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
    if any(list(kept) != list(edges) for kept, edges in zip(steps, (SHOWN_EDGES, LEFT_EDGES, TAP_EDGES), strict=True)):
        return None
    return DelayCurve(
        stored["level"], tuple(stored["shape"]), tuple(stored["state"]), tuple(stored["taps"]), stored["calls"]
    )


def _log_logistic(seconds: float, median: float, steepness: float) -> float:
    return 1 / (1 + (seconds / median) ** -steepness) if seconds > 0 else 0.0


def _prior() -> DelayCurve:
    # Eight of a hundred visitors call, half of them within six minutes of coming, with a long tail; somewhat more
    # likely while the page is open; hardly once they have seen another number. A guess until calls are there.
    share, median, steepness = 0.08, 360.0, 1.1
    shape = tuple(
        (_log_logistic(b, median, steepness) - _log_logistic(a, median, steepness)) / (b - a)
        for a, b in pairwise(SHOWN_EDGES)
    )
    state = (1.0, *[0.7] * (STATES - 2), 0.05)
    # Seven of ten taps lead to a call, most within half a minute.
    shares: Sequence[float] = (0.2, 0.15, 0.15, 0.07, 0.06, 0.03, 0.02, 0.02)
    taps = tuple(each / (b - a) for each, (a, b) in zip(shares, pairwise(TAP_EDGES), strict=True))
    return DelayCurve(share, shape, state, taps)


PRIOR = _prior()
