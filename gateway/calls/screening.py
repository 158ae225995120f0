"""What becomes of a call by its company's rules and by what its caller did before: plain functions, no I/O.

The order is the order of the rules. An emergency service and a caller on the list of those let through ring whatever
else holds; then the list of the blocked, the limits, and the rules against spam, of which somebody who has talked with
the company, or bought of it, knows nothing. What is not known for sure (a phrase that was not spoken yet) rings.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.calls.admission import Admission
from gateway.calls.policy import Act, Policy, Withheld


class Screened(StrEnum):
    """Which rule acted on a call; written to its row."""

    LISTED = "listed"  # the list of blocked callers
    COMPANY_FULL = "company-full"  # more calls at once than the company wants
    TRUNK_FULL = "trunk-full"  # than are wanted over this trunk
    WITHHELD = "withheld"  # no number
    OFTEN = "often"  # too many calls of one number
    TRAPPED = "trapped"  # its caller dialled a trap before
    TRAP = "trap"  # this call dialled one; it rings


# What a call carries besides in its route, and back in its record: that it is turned away, or met the gate.
TURNED_AWAY, AT_GATE, UNTOLD = "off", "gate", "untold"
LIMITS = (Screened.COMPANY_FULL, Screened.TRUNK_FULL)


class Course(StrEnum):
    """What becomes of a call."""

    RINGS = "rings"
    ASKED = "asked"  # to press 1; rings in any case
    GATED = "gated"  # asked to press 1; without it, turned away
    TOLD = "told"  # that a number is wanted, and ended
    BUSY = "busy"  # told that all lines are busy, and ended
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Screening:
    """The course of a call, and which rule says so."""

    course: Course
    by: Screened | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known when a call comes in, this one not counted.

    ``lately`` calls of this number within the company's minutes; ``at_once`` and ``on_trunk`` that are going on;
    ``is_known``: has talked with the company or bought of it; ``is_suspect``: dialled a trap lately.
    """

    lately: int = 0
    at_once: int = 0
    on_trunk: int = 0
    is_known: bool = False
    is_suspect: bool = False


def screen(
    caller: str | None, admitted: Admission, policy: Policy, trunk: str, seen: Seen, dials_trap: bool
) -> Screening:
    """What becomes of a call from ``caller`` (none: withheld) over ``trunk``."""
    if admitted in (Admission.EMERGENCY, Admission.ALLOWED):
        return Screening(Course.RINGS)
    if admitted is Admission.BLOCKED:
        return Screening(Course.BLOCKED, Screened.LISTED)
    if policy.most_calls is not None and seen.at_once >= policy.most_calls:
        return Screening(Course.BUSY, Screened.COMPANY_FULL)
    most = policy.most_by_trunk.get(trunk)
    if most is not None and seen.on_trunk >= most:
        return Screening(Course.BUSY, Screened.TRUNK_FULL)
    if caller is None:
        return _withheld(policy)
    if seen.is_known:
        return Screening(Course.RINGS)
    if policy.often_calls is not None and seen.lately >= policy.often_calls:
        return Screening(Course.BLOCKED if policy.often is Act.BLOCK else Course.GATED, Screened.OFTEN)
    if policy.traps and seen.is_suspect:
        return Screening(Course.GATED, Screened.TRAPPED)
    if policy.traps and dials_trap:
        return Screening(Course.RINGS, Screened.TRAP)
    return Screening(Course.RINGS)


def _withheld(policy: Policy) -> Screening:
    match policy.withheld:
        case Withheld.PRESS:
            return Screening(Course.ASKED, Screened.WITHHELD)
        case Withheld.ASK:
            return Screening(Course.TOLD, Screened.WITHHELD)
        case Withheld.RING:
            return Screening(Course.RINGS)
