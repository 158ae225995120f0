"""How much each visit's exposures speak for it, before anything learned is applied.

The same weighing stands before a verdict and before learning: what is learned is what is applied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.attribution.curve import HORIZON_SECONDS, Floats, Spread, spread, tap_step
from gateway.attribution.evidence import LIVE, Call, Exposure, KnownCaller, Tap

# The chance that a visitor's call comes from a number that is known to be another's: a person's second browser, an
# office's one number. Of some thousand known callers, it is one in ten or twenty who has such a second browser.
SHARED_PHONE = 1e-5
# Somebody known dials a number which he has neither dialled nor been shown, as far as is known.
ELSEWHERE = 0.01
# A visit that has called does so again from yet another phone: two who look at one screen, an office.
YET_ANOTHER = 0.1

# What the three columns of the weights are multiplied with: nothing, Learned.other_phone, Learned.again.
PLAIN, OTHER_PHONE, AGAIN = range(3)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A call with those who may have made it.

    ``spread`` and the rows of ``weights`` belong to ``exposures``; ``taps`` are (exposure, step); ``saved`` are known
    people who may have called without having been shown a number of late; ``nobody`` weighs the background.
    """

    call: Call
    exposures: tuple[Exposure, ...]
    spread: Spread
    weights: Floats
    taps: tuple[tuple[int, int], ...]
    saved: tuple[tuple[str | None, float], ...]
    nobody: float


def with_other_phone(known: Floats, called: Floats) -> Floats:
    """How far visits may call from a phone other than the one that is known of their visitor; from chances."""
    found: Floats = np.maximum(known - called, 0) + YET_ANOTHER * called
    return found


def weigh(
    call: Call,
    exposures: Sequence[Exposure],
    *,
    taps: Sequence[Tap] = (),
    known: Sequence[KnownCaller] = (),
    called: Mapping[str, float] | None = None,
) -> Weighed:
    """Weigh a call. ``exposures`` are of the number that was called, in any order.

    ``called``: the chance that a visitor has called before, from another number than this caller's. A visit that has
    called already hardly calls from yet another phone; one that withholds its number may be calling again.
    """
    called = called or {}
    shown = np.fromiter(((call.at - each.counts_from).total_seconds() for each in exposures), float, len(exposures))
    near = np.flatnonzero((shown >= 0) & (shown < HORIZON_SECONDS))
    found = tuple([exposures[index] for index in near.tolist()])
    count = len(found)
    seen = np.fromiter(((call.at - each.last_seen).total_seconds() for each in found), float, count)
    open_pages = np.fromiter((each.left_at is None for each in found), bool, count)
    replaced = np.fromiter(
        (each.replaced_at is not None and each.replaced_at <= call.at for each in found), bool, count
    )
    live = open_pages & (seen <= LIVE.total_seconds())
    weights = np.zeros((count, 3))
    caller = [each for each in known if call.caller]
    if caller:
        sure = {each.visitor: each for each in caller}
        for index, each in enumerate(found):
            who = sure.get(each.visitor)
            weights[index, PLAIN] = SHARED_PHONE
            if who is not None:
                weights[index, AGAIN if each.counts_from <= who.called_at else PLAIN] += who.chance
    else:
        # As ``TimeAtRisk`` counts their time: calls that were weighed in another way would bend all that is learned.
        already = np.fromiter((each.called for each in found), float, count)
        if call.caller:
            before = np.fromiter((min(called.get(each.visitor, 0.0), 1.0) for each in found), float, count)
            weights[:, PLAIN] = 1 - np.maximum(before, already)
            weights[:, OTHER_PHONE] = with_other_phone(before, already)
        else:
            weights[:, PLAIN] = 1 - already
            weights[:, AGAIN] = already
    place = {each.visit: index for index, each in enumerate(found)}
    steps = ((place[tap.visit], tap_step((call.at - tap.at).total_seconds())) for tap in taps if tap.visit in place)
    return Weighed(
        call,
        found,
        spread(shown[near], seen, live, replaced),
        weights,
        tuple((index, step) for index, step in steps if step is not None),
        tuple((each.visitor, each.chance * (1 if each.has_number else ELSEWHERE)) for each in caller),
        SHARED_PHONE if caller else 1.0,
    )
