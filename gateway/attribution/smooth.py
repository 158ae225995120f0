"""Rates that lie smoothly: what few calls say, with what is expected of any company's calls where they say little.

Calls that may be of several visits tell less of a rate than their number seems to say. Each rate for itself would bend
to chance, and every chance that is computed from it would say too much.
"""

from collections.abc import Sequence

import numpy as np

from gateway.attribution.curve import LEFT_KNOTS, SHOWN_KNOTS, TAIL_FROM, Floats

# How much the slope of a curve (logarithm against logarithm) bends on the way to the e-fold time: its variance. People
# who call while they read and people who call at home are two hills; the time since a page was left has a plainer say.
SHOWN_BEND, LEFT_BEND = 5.0, 1.0
# Knots are this near to each other, at zero, as those some seconds later are.
_SOON = 8.0
# Calls that the parts of a day's profile count for before there are any, and each hour's usual value.
PARTS_WEIGHT = 5.0
HOUR_WEIGHT = 60.0
# An hour counts with its neighbours where the hours of all calls are told.
_NEIGHBOURS = ((0, 4), (1, 3), (2, 2), (3, 1), (-1, 3), (-2, 2), (-3, 1))


def roughness(knots: Sequence[float], bend: float) -> Floats:
    """The matrix by which bends of logarithmic rates at ``knots`` (seconds) are counted against them."""
    at = np.log(np.array(knots) + _SOON)
    bends = np.zeros((len(at) - 2, len(at)))
    for row in range(len(at) - 2):
        near, far = at[row + 1] - at[row], at[row + 2] - at[row + 1]
        bends[row, row : row + 3] = (1 / near, -1 / near - 1 / far, 1 / far)
        bends[row] /= np.sqrt(bend * (near + far) / 2)
    found: Floats = bends.T @ bends
    return found


SHOWN_ROUGHNESS = roughness(SHOWN_KNOTS, SHOWN_BEND)
LEFT_ROUGHNESS = roughness(LEFT_KNOTS, LEFT_BEND)


def smoothed(calls: Floats, time: Floats, now: Floats, prior: Floats, rough: Floats) -> Floats:
    """The likeliest rates of so many ``calls`` in so much ``time`` that bend little, or as ``prior`` does.

    By Newton's method on the Poisson likelihood, from ``now``.
    """
    expected, found = np.log(prior), np.log(now)
    for _ in range(8):
        likely = np.exp(found) * time
        step = np.linalg.solve(np.diag(likely) + rough, calls - likely - rough @ (found - expected))
        found = found + np.clip(step, -1, 1)
        if abs(step).max() < 1e-4:
            break
    rates: Floats = np.exp(found)
    return rates


_TAIL_KNOTS = np.log(SHOWN_KNOTS[TAIL_FROM:])


def tail(calls: Floats, time: Floats) -> Floats:
    """Rates of the steps of the tail: a power of the time since the number was shown, or falling faster than one.

    The likeliest of those, by Newton's method on the Poisson likelihood of calls in the time at risk.
    """
    away = _TAIL_KNOTS - _TAIL_KNOTS[0]
    for terms in (3, 2):
        design = np.vander(away, terms, increasing=True)
        found = np.linalg.lstsq(design * np.sqrt(calls)[:, None], np.log(calls / time) * np.sqrt(calls), rcond=None)[0]
        for _ in range(30):
            expected = np.exp(design @ found) * time
            step = np.linalg.solve(design.T @ (design * expected[:, None]), design.T @ (calls - expected))
            found = found + np.clip(step, -1, 1)
            if abs(step).max() < 1e-6:
                break
        if terms == 2 or found[2] <= 0:
            break
    rates: Floats = np.exp(design @ found)
    return rates


def busy_hours(calls: Floats, time: Floats) -> Floats:
    """How all calls lie over the hours of the day (one on average); ``time`` is how long each hour was watched."""
    share = float(calls.sum()) / float(time.sum())
    found = (1 + _with_neighbours(calls)) / (1 + _with_neighbours(time) * share)
    found /= found.mean()
    return found


def background_hours(calls: Floats, time: Floats, busy: Floats) -> Floats:
    """How calls of nobody lie over the hours of the day, one on average.

    Some come at any hour, and some when everybody calls (``busy``); which part, the calls say, and with enough of them
    how each hour differs from that. It is no smoothing of these calls: most of them are told from others by little but
    their hour, so that smoothing what the hours before said would wipe it out, round by round.
    """
    part = 0.5
    for _ in range(20):
        even = 1 - part
        then = PARTS_WEIGHT + float((calls * (part * busy / (even + part * busy))).sum())
        always = 2 * PARTS_WEIGHT + float(calls.sum()) - then
        then, always = then / float(busy @ time), always / float(time.sum())
        part = then / (then + always)
    usual = 1 - part + part * busy
    expected = usual * time * (float(calls.sum()) / float(time @ usual))
    found: Floats = usual * (HOUR_WEIGHT + calls) / (HOUR_WEIGHT + expected)
    found /= found.mean()
    return found


def _with_neighbours(hours: Floats) -> Floats:
    around: Floats = np.sum([np.roll(hours, shift) * weight for shift, weight in _NEIGHBOURS], axis=0)
    around /= sum(weight for _, weight in _NEIGHBOURS)
    return around
