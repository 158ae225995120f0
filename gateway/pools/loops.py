"""Dial strings that lead back to a tracking number: a call to it would come in again, and again, for ever."""

import re
from collections.abc import Iterable

from gateway.pools.numbers import forms

_CALLED = re.compile(r"\+?[0-9]+")
_SEPARATED = re.compile(r"(?<=[0-9])[-.](?=[0-9])")
# What a PBX or a trunk dials in front to get a line outside: 9, 0, 81, 9*… up to so many digits.
LONGEST_PREFIX = 3
# Shorter numbers are also the end of others.
SHORTEST_BEHIND_PREFIX = 7


def called_by(dials: Iterable[str]) -> frozenset[str]:
    """All that could be a number in dial strings: runs of digits, also where ``-`` and ``.`` stand between them."""
    found: set[str] = set()
    for dial in dials:
        found.update(_CALLED.findall(dial))
        found.update(_CALLED.findall(_SEPARATED.sub("", dial)))
    return frozenset(found)


def leads_to(called: frozenset[str], e164: str, region: str) -> bool:
    """Whether one of ``called`` is the number, in any form that a carrier of ``region`` takes, also behind a prefix."""
    # Every form of a number ends like it; most dial strings do not, and forms take a while to tell.
    alike = [number for number in called if number.endswith(e164[-4:])]
    if not alike:
        return False
    known = forms(e164, region)
    return any(
        number in known
        or any(
            number[skipped:] in known
            for skipped in range(1, LONGEST_PREFIX + 1)
            if len(number) - skipped >= SHORTEST_BEHIND_PREFIX and not number.startswith("+")
        )
        for number in alike
    )


def dials_any_of(dial: str, ours: Iterable[tuple[str, str]]) -> bool:
    """Whether a dial string calls one of ``ours`` (E.164 and the country of its company)."""
    called = called_by([dial])
    return any(leads_to(called, e164, region) for e164, region in ours)
