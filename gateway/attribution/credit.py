"""Which touch gets the credit for a call: a choice of the report over the same stored touches.

The models are those of Google Analytics and its kin; shares are fractions, so that those of one call add up to exactly
one, whatever their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from gateway.visits.source import Source

HALF_LIFE = timedelta(days=7)
# The first and the last touch, each; the ones between share the rest.
POSITION_ENDS = Fraction(2, 5)
# Steps in which a time decay's weight is told: finer than any report shows.
_FINE = 10**12
# Beyond so many half-lives a touch weighs nothing beside a later one.
MOST_HALVINGS = 60.0

# Media and channels of visits that somebody paid for (Google Analytics 4's default channel groups).
PAID_CHANNELS = frozenset(
    {"paid search", "paid social", "paid shopping", "paid video", "paid other", "display", "cross-network"}
)
PAID_MEDIA = frozenset(
    {"cpc", "ppc", "cpm", "cpv", "cpa", "retargeting", "display", "banner", "interstitial", "expandable"}
)


class Model(StrEnum):
    """How the credit for a call is shared among the touches before it."""

    FIRST = "first"
    LAST = "last"
    LAST_NON_DIRECT = "last non-direct"
    LAST_PAID = "last paid"
    LINEAR = "linear"
    POSITION = "position"  # 40% the first, 40% the last, 20% those between
    TIME_DECAY = "time decay"  # half as much for each half-life before the call


@dataclass(frozen=True, slots=True)
class CreditTouch:
    """A touch of a person before a call, by whichever browser: its key, when it was, what brought it."""

    key: str
    at: datetime
    source: Source

    @property
    def is_direct(self) -> bool:
        """Whether nothing is known to have brought it."""
        return self.source.source == "(direct)"

    @property
    def is_paid(self) -> bool:
        """Whether somebody paid for it."""
        medium = self.source.medium.lower()
        return self.source.channel.lower() in PAID_CHANNELS or medium in PAID_MEDIA or medium.startswith("paid")


def shares(
    touches: Sequence[CreditTouch], model: Model, *, at: datetime, half_life: timedelta = HALF_LIFE
) -> dict[str, Fraction]:
    """The share of each touch in a call that came at ``at``, by key, in order of time; they add up to one.

    Touches after the call count for nothing; without any before it there is no credit to give (empty). Where a model
    looks for a kind of touch that is not there (non-direct, paid), the last touch has the credit, as reports must add
    up. Raises ValueError for a half-life of nothing.
    """
    if half_life <= timedelta(0):
        raise ValueError("a half-life must be longer than nothing")
    before = sorted((each for each in touches if each.at <= at), key=lambda each: each.at)
    if not before:
        return {}
    weights = _weights(before, model, at, half_life)
    total = sum(weights)
    found: dict[str, Fraction] = {}
    for touch, weight in zip(before, weights, strict=True):
        if weight:
            found[touch.key] = found.get(touch.key, Fraction(0)) + weight / total
    return found


def _weights(touches: Sequence[CreditTouch], model: Model, at: datetime, half_life: timedelta) -> list[Fraction]:
    count = len(touches)
    last = count - 1
    match model:
        case Model.FIRST:
            return _one(0, count)
        case Model.LAST:
            return _one(last, count)
        case Model.LAST_NON_DIRECT:
            return _one(max((index for index in range(count) if not touches[index].is_direct), default=last), count)
        case Model.LAST_PAID:
            return _one(max((index for index in range(count) if touches[index].is_paid), default=last), count)
        case Model.LINEAR:
            return [Fraction(1)] * count
        case Model.POSITION:
            if count <= 2:
                return [Fraction(1)] * count
            between = (1 - 2 * POSITION_ENDS) / (count - 2)
            return [POSITION_ENDS, *[between] * (count - 2), POSITION_ENDS]
        case Model.TIME_DECAY:
            # Counted from the last touch, so that an old history weighs as a new one does.
            ages = [(touches[last].at - each.at) / half_life for each in touches]
            return [Fraction(round(_FINE * 2.0 ** -min(age, MOST_HALVINGS)), _FINE) for age in ages]


def _one(place: int, count: int) -> list[Fraction]:
    return [Fraction(int(index == place)) for index in range(count)]
