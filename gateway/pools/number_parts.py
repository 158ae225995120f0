"""A number in the parts that a page needs to print it in the form in which it printed another."""

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class NumberParts:
    """``country`` is the calling code, ``trunk`` what is dialled before the national number within the country."""

    e164: str
    country: str
    national: str
    trunk: str
    written: str
    international: str


@lru_cache(_REMEMBERED)
def parts_of(e164: str) -> NumberParts:
    """The parts of an E.164 number."""
    number = phonenumbers.parse(e164, None)
    # The main country of the code: where several share one, they share what is dialled first.
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return NumberParts(
        e164=e164,
        country=str(number.country_code or ""),
        national=phonenumbers.national_significant_number(number),
        trunk=(metadata.national_prefix or "") if metadata else "",
        written=phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        international=phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
    )
