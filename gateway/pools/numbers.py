"""Telephone numbers: read from what people type, and recognised in whatever form a carrier sends them.

The rules of each country are libphonenumber's metadata.
"""

import re

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat

_DIGITS = re.compile(r"[0-9]+")
# ITU-T E.164 recommends 00; carriers outside the countries that use it send it as well.
_COMMON_PREFIX = "00"


class NumberError(ValueError):
    """What is wrong with a telephone number as it was typed; the message begins with the number.

    NumberError
    ├── NotANumber
    ├── WrongLength
    ├── HasExtension
    └── UnknownRegion
    """

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} {self.__doc__}")


class NotANumber(NumberError):
    """is not a telephone number; write it as it is dialled, such as (306) 555-2001, or with + and country code."""


class WrongLength(NumberError):
    """has too many or too few digits; write it with its area code, or with + and country code if it is of elsewhere."""


class HasExtension(NumberError):
    """has an extension, which a carrier does not route; leave the extension away."""


class UnknownRegion(NumberError):
    """is not a country; write its two letters, such as CA, US or GB."""


def checked_region(region: str) -> str:
    """``region`` as two capital letters of ISO 3166. Raises UnknownRegion."""
    code = region.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise UnknownRegion(region)
    return code


def to_e164(text: str, region: str) -> str:
    """The number in ``text`` as E.164 (``+13065552001``); national numbers are read as ``region``'s.

    A number of a range that libphonenumber does not know yet is taken: numbering plans grow faster than its releases.
    Raises NotANumber, WrongLength, HasExtension, UnknownRegion.
    """
    try:
        number = phonenumbers.parse(text, checked_region(region))
    except phonenumbers.NumberParseException:
        raise NotANumber(text) from None
    if number.extension:
        raise HasExtension(text)
    # Not is_possible_number: it takes a number without its area code for possible. Some have none (310-1234 in Canada).
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE and not phonenumbers.is_valid_number(number):
        raise WrongLength(text)
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def forms(e164: str, region: str) -> frozenset[str]:
    """Every way a carrier may send ``e164`` in the user part of a SIP address, to a company in ``region``.

    With ``+``, and digits only: full, national with and without trunk prefix (0…, 8…), and behind the international
    prefix (011…, 00…, 810…) of ``region`` and of the number's own country.
    """
    number = phonenumbers.parse(e164, None)
    full = e164.removeprefix("+")
    national = phonenumbers.national_significant_number(number)
    found = {e164, full, national, _COMMON_PREFIX + full}
    # As the country prints it: mobile numbers of Argentina and some others are dialled otherwise than trunk and number.
    found.add(_digits(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)))
    found.update(trunk + national for trunk in _trunk_prefixes(number))
    for place in {region, _region_of(number)}:
        found.update(prefix + full for prefix in _international_prefixes(place))
    return frozenset(found)


def printed(e164: str, region: str) -> str:
    """The number as people in ``region`` read it: ``(306) 555-2001`` at home, ``+44 20 7946 0018`` abroad."""
    number = phonenumbers.parse(e164, None)
    home = number.country_code == phonenumbers.country_code_for_region(region)
    kind = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(number, kind))


def _region_of(number: PhoneNumber) -> str:
    """The number's own country; where its range is not known, the main country of its code."""
    known = phonenumbers.region_code_for_number(number)
    return str(known or phonenumbers.region_code_for_country_code(number.country_code or 0))


def _trunk_prefixes(number: PhoneNumber) -> set[str]:
    metadata = PhoneMetadata.metadata_for_region(_region_of(number), None)
    prefix = metadata.national_prefix if metadata else None
    return {prefix} if prefix else set()


def _international_prefixes(region: str) -> set[str]:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return set()
    # The plain field is a pattern where carriers have prefixes of their own; the preferred one is never.
    candidates = (metadata.preferred_international_prefix, metadata.international_prefix)
    return {_digits(prefix) for prefix in candidates if prefix and _DIGITS.fullmatch(prefix.replace("~", ""))}


def _digits(text: str) -> str:
    return "".join(_DIGITS.findall(text))
