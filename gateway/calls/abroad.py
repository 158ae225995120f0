"""Where calls may be forwarded to: countries that a company names, and no numbers that cost extra. Plain functions.

A stolen password that forwards a company's calls to a premium-rate number abroad is the oldest fraud on telephones.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from gateway.calls.policy import Policy

# What costs the caller, here us, more than a call: by libphonenumber's types.
_EXTRA = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)


class Unwanted(StrEnum):
    """Why calls are not forwarded to a number."""

    COUNTRY = "country"
    PREMIUM = "premium"


def unwanted(dial: str, region: str | None, policy: Policy) -> Unwanted | None:
    """Why a company in ``region`` may not let its calls ring ``dial``; none where it may.

    A telephone of one's own and a place in the admin's dialplan are no numbers outside. What cannot be read as a number
    of any country stays allowed: it may be an extension behind the trunk.
    """
    found = [_country(number, region) for number in outside_numbers(dial)]
    if not policy.premium and any(extra for _, extra in found):
        return Unwanted.PREMIUM
    if policy.countries is not None and any(country and country not in policy.countries for country, _ in found):
        return Unwanted.COUNTRY
    return None


def unwanted_number(e164: str, region: str | None, policy: Policy) -> Unwanted | None:
    """The same of a number that is called, such as one that somebody is called back at."""
    return unwanted(f"Trunk/{e164}", region, policy)


def countries_of(dials: Sequence[str], region: str | None) -> frozenset[str]:
    """The countries that dial strings lead to."""
    return frozenset(
        country for dial in dials for number in outside_numbers(dial) if (country := _country(number, region)[0])
    )


def outside_numbers(dial: str) -> Iterator[str]:
    """The numbers that a dial string calls over a trunk: ``Trunk/+1…``, ``PJSIP/1…@carrier``, ``DAHDI/g1/1…``."""
    for part in dial.split("&"):
        technology, _, rest = part.partition("/")
        if technology in ("Local", "Dialplan"):
            continue
        for position, piece in enumerate(rest.split("/")):
            number, at, _ = re.sub(r"^(?:sips?|tel):", "", piece, flags=re.IGNORECASE).partition("@")
            digits = re.sub(r"[-.()wW]", "", number)
            if (at or position > 0 or technology == "Trunk") and re.fullmatch(r"\+?[0-9]{4,20}", digits):
                yield digits


@lru_cache(maxsize=4096)
def _country(number: str, region: str | None) -> tuple[str, bool]:
    """The country of a number as it is dialled from ``region``, empty where unknown; and whether it costs extra."""
    for text in (number,) if number.startswith("+") else (number, f"+{number}"):
        try:
            parsed = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException:
            continue
        if not phonenumbers.is_possible_number(parsed):
            continue
        extra = phonenumbers.number_type(parsed) in _EXTRA
        country = phonenumbers.region_code_for_number(parsed)
        if country is None:  # not a number of its plan as far as is known: its country code still says where
            country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        return (country if country not in (None, "ZZ", "001") else ""), extra
    return "", False
