"""Learning the delay curve and the background from calls whose true visitor nobody knows.

Every call is shared among all who may have made it, by their chances; from the shares follow new rates (calls divided
by the time in which there might have been calls, the classic estimate of a hazard under censoring), from the rates new
shares, until they settle (expectation maximization). What ends before a call is censored: the time until then counts,
and nothing after it: at the end of what is known, at the horizon, and in part once the visit has called. A visitor who
is shown another number takes his earlier visits with him: they count there from then on, as old as they are. A number
that was taken from a visitor who left (a displaced lease) goes on counting for him and for its new holder, because both
may call it; leaving him out would call all late calls the new holder's.

The prior counts as so many calls that were seen before, and weighs less the more there are.
"""

from array import array
from dataclasses import dataclass, field

import numpy as np

from gateway.attribution import learned as _learned
from gateway.attribution.background import DAY_HOURS, Background
from gateway.attribution.curve import (
    CELLS,
    PRIOR,
    REPLACED,
    SHAPE_KNOTS,
    SHOWN_KNOTS,
    STATES,
    TAIL_FROM,
    TAP_STEPS,
    DelayCurve,
    Floats,
)
from gateway.attribution.learned import Learned
from gateway.attribution.risk import TimeAtRisk
from gateway.attribution.smooth import (
    LEFT_ROUGHNESS,
    SHOWN_ROUGHNESS,
    background_hours,
    busy_hours,
    smoothed,
    tail,
)
from gateway.attribution.weighing import Weighed

# As many calls as the prior counts for: its level hardly, its shape more.
LEVEL_WEIGHT = 3.0
SHAPE_WEIGHT = 10.0
LEAST_WEIGHT = 0.02
STATE_WEIGHT = 4.0
TAPS_WEIGHT = 5.0
FACTOR_WEIGHT = 4.0
BACKGROUND_WEIGHT = 0.3
# One call in twenty is usually nobody's; that counts for so many calls of nobody.
USUAL_SHARE = 0.05
SHARE_WEIGHT = 8.0
NUMBER_WEIGHT = 10.0
MOST_ROUNDS = 60
SETTLED = 0.002


@dataclass(slots=True)
class Examples:
    """Calls to learn from, packed: visits whose exposures are in the same cell are one row of a call."""

    call: "array[int]" = field(default_factory=lambda: array("l"))
    cell: "array[int]" = field(default_factory=lambda: array("l"))
    weights: "array[float]" = field(default_factory=lambda: array("d"))
    tap_call: "array[int]" = field(default_factory=lambda: array("l"))
    tap_step: "array[int]" = field(default_factory=lambda: array("l"))
    tap_weight: "array[float]" = field(default_factory=lambda: array("d"))
    number: "array[int]" = field(default_factory=lambda: array("l"))
    hour: "array[int]" = field(default_factory=lambda: array("l"))
    nobody: "array[float]" = field(default_factory=lambda: array("d"))
    saved: "array[float]" = field(default_factory=lambda: array("d"))
    numbers: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.number)

    def add(self, weighed: Weighed) -> None:
        """A call that has been weighed as it rang."""
        index = len(self)
        cells, places = np.unique(weighed.spread.cells, return_inverse=True)
        each = weighed.spread.shares[:, :, None] * weighed.weights[:, None, :]
        rows = np.stack(
            [np.bincount(places.ravel(), each[:, :, column].ravel(), len(cells)) for column in range(3)], axis=1
        )
        self.call.extend([index] * len(cells))
        self.cell.extend(cells.tolist())
        self.weights.extend(rows.ravel().tolist())
        for exposure, step in weighed.taps:
            self.tap_call.append(index)
            self.tap_step.append(step)
            self.tap_weight.append(float(weighed.weights[exposure].sum()))
        self.number.append(self.numbers.setdefault(weighed.call.number, len(self.numbers)))
        self.hour.append(weighed.call.at.hour)
        self.nobody.append(weighed.nobody)
        self.saved.append(sum(weight for _, weight in weighed.saved))


def learn(examples: Examples, risk: TimeAtRisk, start: Learned = _learned.PRIOR) -> Learned:
    """What the calls and the time without calls say. ``start`` only saves rounds; the prior is always the same."""
    if not len(examples):
        return _learned.PRIOR
    packed = _Packed(examples, risk)
    now = start
    for _ in range(MOST_ROUNDS):
        before, now = now, packed.round(now)
        moved = abs(np.log(now.curve.rates / before.curve.rates) * packed.mattering)
        if float(moved.max()) < SETTLED and abs(now.background.usual / before.background.usual - 1) < 0.002:
            break
    return now


class _Packed:
    """The examples as arrays, and one round of learning."""

    def __init__(self, examples: Examples, risk: TimeAtRisk) -> None:
        self.count = len(examples)
        self.call = np.frombuffer(examples.call, dtype=np.int64)
        self.cell = np.frombuffer(examples.cell, dtype=np.int64)
        self.weights = np.frombuffer(examples.weights, dtype=np.float64).reshape(-1, 3)
        self.tap_call = np.array(examples.tap_call, dtype=np.int64)
        self.tap_step = np.array(examples.tap_step, dtype=np.int64)
        self.tap_weight = np.array(examples.tap_weight)
        self.number = np.frombuffer(examples.number, dtype=np.int64)
        self.hour = np.frombuffer(examples.hour, dtype=np.int64)
        self.nobody = np.frombuffer(examples.nobody)
        self.saved = np.frombuffer(examples.saved)
        self.names = list(examples.numbers)
        for name in risk.numbers:
            if name not in examples.numbers:
                self.names.append(name)
        self.risk = risk
        self.observed = np.array([risk.numbers.get(name, 0.0) for name in self.names])
        self.hours = np.maximum(np.array(risk.hours), 1.0)
        self.busy = busy_hours(np.bincount(self.hour, minlength=DAY_HOURS).astype(float), self.hours)
        # Cells in which much time was spent decide when it has settled.
        spent = risk.cells[0]
        self.mattering = spent > 0.001 * max(float(spent.sum()), 1.0)

    def round(self, now: Learned) -> Learned:
        """Share the calls, and rate anew."""
        curve, background = now.curve, now.background
        factors = np.array([1.0, now.other_phone, now.again])
        parts = self.weights * factors * curve.rates[self.cell][:, None]
        taps = np.array(curve.taps)[self.tap_step] * self.tap_weight
        by_number = np.array([background.numbers.get(name, background.usual) for name in self.names])
        hours = np.array(background.hours)
        nobody = by_number[self.number] * hours[self.hour] * self.nobody
        saved = now.saved * self.saved
        total = np.bincount(self.call, parts.sum(axis=1), self.count) + nobody + saved
        total += np.bincount(self.tap_call, taps, self.count)
        parts /= total[self.call][:, None]
        taps /= total[self.tap_call]
        nobody /= total
        saved /= total
        return Learned(
            self._curve(curve, factors, parts, taps),
            self._background(background, nobody),
            self._factor(now.other_phone, _learned.PRIOR.other_phone, parts, self.risk.cells[1], curve, 1),
            self._factor(now.again, _learned.PRIOR.again, parts, self.risk.cells[2], curve, 2),
            (FACTOR_WEIGHT + float(saved.sum())) / (FACTOR_WEIGHT / _learned.PRIOR.saved + self.risk.known_callers),
        )

    def _curve(self, now: DelayCurve, factors: Floats, parts: Floats, taps: Floats) -> DelayCurve:
        calls = np.bincount(self.cell, parts.sum(axis=1), CELLS).reshape(SHAPE_KNOTS, STATES)
        time = (self.risk.cells * factors[:, None]).sum(axis=0).reshape(SHAPE_KNOTS, STATES)
        shape, state = np.array(now.shape), np.array(now.state)
        level = (LEVEL_WEIGHT + float(calls.sum())) / (LEVEL_WEIGHT / PRIOR.level + float(shape @ time @ state))
        prior = np.array(PRIOR.shape)
        weight = SHAPE_WEIGHT * _shares(prior) + LEAST_WEIGHT
        seen, spent = weight + calls.sum(axis=1), weight / prior + level * (time @ state)
        shape = smoothed(seen, spent, shape, prior, SHOWN_ROUGHNESS)
        shape[TAIL_FROM:] = tail(seen[TAIL_FROM:], spent[TAIL_FROM:])
        prior = np.array(PRIOR.state)
        seen, spent = STATE_WEIGHT + calls.sum(axis=0), STATE_WEIGHT / prior + level * (shape @ time)
        left = slice(1, REPLACED)
        smooth = smoothed(seen[left], spent[left], state[left], prior[left], LEFT_ROUGHNESS)
        state = seen / spent
        state[left] = smooth
        tapped = np.bincount(self.tap_step, taps, TAP_STEPS)
        prior = np.array(PRIOR.taps)
        after = (TAPS_WEIGHT + tapped) / (TAPS_WEIGHT / prior + self.risk.taps)
        return DelayCurve(
            level,
            tuple(shape.tolist()),
            tuple(state.tolist()),
            tuple(after.tolist()),
            float(calls.sum() + tapped.sum()),
        )

    def _background(self, now: Background, nobody: Floats) -> Background:
        hours = np.array(now.hours)
        busy = float(self.hours @ hours) / float(self.hours.sum())
        time = self.observed * busy
        prior = _learned.PRIOR.background.usual
        usual = (BACKGROUND_WEIGHT + SHARE_WEIGHT + float(nobody.sum())) / (
            BACKGROUND_WEIGHT / prior + float(time.sum()) * (1 + SHARE_WEIGHT / (USUAL_SHARE * self.count))
        )
        each = np.bincount(self.number, nobody, len(self.names))
        rates = (NUMBER_WEIGHT + each) / (NUMBER_WEIGHT / usual + time)
        by_hour = np.bincount(self.hour, nobody, DAY_HOURS).astype(float)
        hours = background_hours(by_hour, self.hours, self.busy)
        return Background(
            usual,
            dict(zip(self.names, rates.tolist(), strict=True)),
            tuple(hours.tolist()),
            float(nobody.sum()),
        )

    def _factor(self, now: float, prior: float, parts: Floats, time: Floats, curve: DelayCurve, column: int) -> float:
        expected = float(curve.rates @ time)
        return (FACTOR_WEIGHT + float(parts[:, column].sum())) / (FACTOR_WEIGHT / prior + expected)


def _shares(shape: Floats) -> Floats:
    calls: Floats = shape * np.gradient(np.array(SHOWN_KNOTS))
    calls /= calls.sum()
    return calls
