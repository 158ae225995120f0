"""Seeded chance: the same words give the same draws, on every machine and in every process."""

import math
import random
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from gateway.visits.ids import new_id

# The last 48 bits of every id of the example: "demohi" in ASCII. So its rows are told from real ones by themselves.
MARK = int.from_bytes(b"demohi")
MARKED = f"{MARK:012x}"

_T = TypeVar("_T")


class Chance(random.Random):
    """Draws of one subject."""

    def about(self, middle: float, spread: float) -> float:
        """Something around ``middle``, never nought, now and then much more (log-normal)."""
        return middle * math.exp(self.gauss(0.0, spread))

    def count(self, mean: float) -> int:
        """How many of a thing that happens ``mean`` times (Poisson)."""
        found, rest = 0, math.exp(-min(mean, 600.0))
        product = self.random()
        while product > rest:
            found += 1
            product *= self.random()
        return found

    def happens(self, chance: float) -> bool:
        """Whether it does."""
        return self.random() < chance

    def one(self, things: Sequence[_T], shares: Sequence[float] | None = None) -> _T:
        """One of some things."""
        return self.choices(things, shares)[0]

    def letters(self, count: int) -> str:
        """Letters as of a click id."""
        return "".join(self.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", k=count))

    def id(self, at: datetime) -> UUID:
        """An id of the moment ``at``, with the mark of the example."""
        drawn = self.getrandbits(26)
        moment = new_id(at).int >> 80
        return UUID(int=moment << 80 | 7 << 76 | (drawn >> 14) << 64 | 2 << 62 | (drawn & 0x3FFF) << 48 | MARK)


def chance(*words: object) -> Chance:
    """Chance for a subject named by words."""
    return Chance("/".join(map(str, words)))
