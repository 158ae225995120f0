"""Emergency numbers: never dialled by a destination, and never kept waiting when they call back.

The numbers of each country are libphonenumber's metadata. That an emergency service may mark its call-back is RFC 7090
(``Priority: psap-callback``); most come over the telephone network, where only the number tells.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, shortnumberinfo

from gateway.pools.numbers import forms

# Whatever country one is in, people and carriers try these.
EVERYWHERE = frozenset({"112", "911", "999"})
# What a telephone system wants before a number that leads outside, and what leads abroad.
_OUTSIDE = ("0", "8", "9", "00", "011")
_LONGEST = 6


def is_emergency(number: str, region: str | None) -> bool:
    """Whether ``number`` may reach the emergency services of ``region``, as it is or behind a prefix.

    ``911``, ``9911`` (a digit for an outside line), ``+1911``. Without a region only those of everywhere count.
    """
    digits = re.sub(r"[^0-9]", "", number)
    if len(digits) > _LONGEST + 4:
        return False
    code = str(phonenumbers.country_code_for_region(region) or "") if region else ""
    candidates = {digits}
    for prefix in _OUTSIDE:
        candidates |= {tried.removeprefix(prefix) for tried in set(candidates)}
    if code:
        candidates |= {tried.removeprefix(code) for tried in set(candidates)}
    return any(
        tried in EVERYWHERE or bool(region and phonenumbers.is_emergency_number(tried, region)) for tried in candidates
    )


def emergency_dialled(dial: str, region: str | None) -> str | None:
    """The emergency number that a dial string calls, for a company in ``region``; none where it calls none.

    What goes out over a trunk (``PJSIP/911@carrier``, ``DAHDI/g1/911``, ``Trunk/…``) may be no country's emergency
    number. An extension of the admin's own (``Dialplan/112@…``, ``Local/112@…/n``) may not be one of ``region``; a
    phone may have any name.
    """
    for outside, number in (found for part in dial.split("&") for found in _numbers_of(part)):
        # Without pauses (DAHDI's "w") and a service code before it (*67911, #31#112).
        digits = re.sub(r"^[*#][0-9]{2}[*#]?", "", re.sub(r"[-.()wW]", "", number)).removeprefix("+")
        if not re.fullmatch(r"[0-9]+[*#]*", digits):
            continue
        digits = digits.rstrip("*#")
        if is_emergency(digits, region) or (outside and len(digits) <= _LONGEST and digits in _all_numbers()):
            return digits
    return None


def _numbers_of(part: str) -> Iterable[tuple[bool, str]]:
    """What a part of a dial string may dial, and whether over a trunk; the name of a phone is no number."""
    technology, _, rest = part.partition("/")
    if technology in ("Local", "Dialplan"):
        yield False, rest.partition("@")[0]
        return
    # PJSIP/number@endpoint, PJSIP/endpoint/sip:number@host, DAHDI/g1/number, IAX2/user@host/number@context, Trunk/…
    for position, piece in enumerate(rest.split("/")):
        number, at, _ = re.sub(r"^(?:sips?|tel):", "", piece, flags=re.IGNORECASE).partition("@")
        if at or position > 0 or technology == "Trunk":
            yield True, number


def is_emergency_caller(caller: str, region: str | None, known: frozenset[str]) -> bool:
    """Whether ``caller`` is an emergency service: one of ``known`` (emergency_callers), or of ``region``."""
    digits = caller.removeprefix("+")
    return bool(digits) and (digits in known or is_emergency(digits, region))


def emergency_callers(others: Collection[str] = ()) -> frozenset[str]:
    """From where emergency services call back: every country's short numbers, and ``others`` in each form; digits only.

    The first time takes half a second.
    """
    return _short_callers() | {form for number in others for form in _forms(number)}


def _forms(number: str) -> Iterable[str]:
    digits = number.removeprefix("+")
    yield digits
    if digits != number:
        with suppress(phonenumbers.NumberParseException):
            region = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
            yield from (form.removeprefix("+") for form in (forms(number, region) if region else ()))


@lru_cache(maxsize=1)
def _short_callers() -> frozenset[str]:
    """Those of North America also behind its country code, as carriers there write all numbers."""
    numbers = _all_numbers()
    return numbers | {f"1{number}" for number in numbers if is_emergency(number, "US") or is_emergency(number, "CA")}


@lru_cache(maxsize=1)
def _all_numbers() -> frozenset[str]:
    """Written out from the patterns that the metadata has."""
    patterns: dict[int, set[str]] = defaultdict(set)
    for region in shortnumberinfo.SUPPORTED_SHORT_REGIONS:
        metadata = PhoneMetadata.short_metadata_for_region(region)
        numbers = metadata.emergency if metadata else None
        if numbers and numbers.national_number_pattern:
            for length in numbers.possible_length:
                patterns[length].add(numbers.national_number_pattern)
    found = set(EVERYWHERE)
    for length, some in patterns.items():
        if 1 < length <= _LONGEST:
            matches = re.compile("|".join(f"(?:{pattern})" for pattern in sorted(some))).fullmatch
            found.update(text for value in range(10**length) if matches(text := f"{value:0{length}}"))
    return frozenset(found)
