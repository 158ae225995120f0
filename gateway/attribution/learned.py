"""All that is learned of a company's callers, with what stands for it until there are calls to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.attribution import background, curve
from gateway.attribution.background import Background
from gateway.attribution.curve import DelayCurve


@dataclass(frozen=True, slots=True)
class Learned:
    """What chances are computed from.

    ``other_phone``: how much less likely than another a visitor is to make a call whose caller's number is new, once
    his own number is known. ``again``: how much less likely a visit calls once it has called. ``saved``: calls per
    second of somebody who has called before, without having been shown a number anew.
    """

    curve: DelayCurve
    background: Background
    other_phone: float
    again: float
    saved: float

    @property
    def calls(self) -> float:
        """How many calls it was learned from; none: it is the prior."""
        return self.curve.calls + self.background.calls

    def stored(self) -> dict[str, Any]:
        """The form in which it is kept: what ``learned_of`` reads."""
        return {
            "curve": self.curve.stored(),
            "background": self.background.stored(),
            "other_phone": self.other_phone,
            "again": self.again,
            "saved": self.saved,
        }


def learned_of(stored: Mapping[str, Any]) -> Learned | None:
    """What was learned, from its stored form; none where it has to be learned anew."""
    delays = curve.curve_of(stored["curve"])
    if delays is None:
        return None
    return Learned(
        delays,
        background.background_of(stored["background"]),
        stored["other_phone"],
        stored["again"],
        stored["saved"],
    )


# Of ten who call again, one has another phone; a caller rings again without a new visit twice a year.
PRIOR = Learned(curve.PRIOR, background.PRIOR, other_phone=0.1, again=0.3, saved=2 / (365 * 86400))
