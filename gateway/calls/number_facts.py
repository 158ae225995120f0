"""What a telephone number itself tells: where it belongs, whose network it was given to, and what time it is there.

From the numbering plans that come with ``phonenumbers``. A number that was taken along to another network or another
city still tells the old one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import PhoneNumberType, carrier, geocoder, timezone


class NumberKind(StrEnum):
    """What a number is for; where a plan gives mobile and fixed lines alike (as in North America), nothing is said."""

    UNKNOWN = ""
    MOBILE = "mobile"
    FIXED = "fixed"
    TOLL_FREE = "toll free"
    INTERNET = "internet"


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """``place`` and ``carrier`` are empty where nothing is known; ``zone`` is none where it is not one time there."""

    place: str = ""
    carrier: str = ""
    kind: NumberKind = NumberKind.UNKNOWN
    zone: ZoneInfo | None = None


NOTHING = NumberFacts()

_KINDS = {
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE: NumberKind.FIXED,
    PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
    PhoneNumberType.VOIP: NumberKind.INTERNET,
}


def facts_of(number: str | None, language: str, now: datetime | None = None) -> NumberFacts:
    """What is known of an E.164 number, in ``language`` (``en``, ``ru``) where it has words for it."""
    if not number or not number.startswith("+"):
        return NOTHING
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return NOTHING
    if not phonenumbers.is_possible_number(parsed):
        return NOTHING
    return NumberFacts(
        str(geocoder.description_for_number(parsed, language)),
        str(carrier.name_for_number(parsed, language)),
        _KINDS.get(phonenumbers.number_type(parsed), NumberKind.UNKNOWN),
        _zone(timezone.time_zones_for_number(parsed), now or datetime.now(UTC)),
    )


def _zone(names: tuple[str, ...], now: datetime) -> ZoneInfo | None:
    """The zone, if the clocks of all that it may be agree now."""
    try:
        zones = [ZoneInfo(name) for name in names]
    except (ZoneInfoNotFoundError, ValueError):  # Etc/Unknown: of no place
        return None
    return zones[0] if len({zone.utcoffset(now) for zone in zones}) == 1 else None
