"""Calls that no visit made: saved contacts of unknown people, wrong numbers, sellers. Their rate, number by number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

DAY_HOURS = 24
_EVEN = (1.0,) * DAY_HOURS


@dataclass(frozen=True, slots=True)
class Background:
    """Calls per second of each number; ``usual`` where a number is not known by itself.

    ``hours`` says how they lie over the hours of the day (UTC), one on average. ``calls`` is how many it was learned
    from.
    """

    usual: float
    numbers: Mapping[str, float] = field(default_factory=dict)
    hours: tuple[float, ...] = _EVEN
    calls: float = 0.0

    def rate(self, number: str, at: datetime) -> float:
        """Calls per second to ``number`` at ``at``."""
        return self.numbers.get(number, self.usual) * self.hours[at.hour]

    def stored(self) -> dict[str, Any]:
        """The form in which it is kept: what ``background_of`` reads."""
        return {"usual": self.usual, "numbers": dict(self.numbers), "hours": list(self.hours), "calls": self.calls}


def background_of(stored: Mapping[str, Any]) -> Background:
    """A background from its stored form."""
    return Background(stored["usual"], dict(stored["numbers"]), tuple(stored["hours"]), stored["calls"])


# One call a month to each number, at any hour. A guess until calls are there.
PRIOR = Background(1 / (30 * 86400))
