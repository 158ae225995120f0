"""Whether a call rings, by who calls: a plain function. Only a living gateway asks it; without one every call rings."""

from collections.abc import Mapping
from enum import StrEnum


class Verdict(StrEnum):
    """What a company has said of a caller."""

    ALLOW = "allow"
    BLOCK = "block"


class Admission(StrEnum):
    """Why a call rings, or that it does not. The order is the order of the rules: the first that applies decides."""

    EMERGENCY = "emergency"  # an emergency service calls back
    ALLOWED = "allowed"
    BLOCKED = "blocked"
    NO_RULE = "no rule"

    @property
    def rings(self) -> bool:
        """Whether the call goes on."""
        return self is not Admission.BLOCKED


def admission(caller: str | None, rules: Mapping[str, Verdict], *, emergency: bool = False) -> Admission:
    """What becomes of a call from ``caller`` (E.164, or as it was sent; none where withheld).

    Rules are about numbers: a caller who withholds his is met by none of them.
    """
    if emergency:
        return Admission.EMERGENCY
    match rules.get(caller) if caller else None:
        case Verdict.ALLOW:
            return Admission.ALLOWED
        case Verdict.BLOCK:
            return Admission.BLOCKED
        case None:
            return Admission.NO_RULE
