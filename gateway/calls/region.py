"""Where a caller's number belongs: a province or state, a city, or a country; what the number says, not where he is."""

from functools import lru_cache

import phonenumbers
from phonenumbers import geocoder

# Of the United States and Canada, by the abbreviations of their postal services: cities come as "Regina, SK".
_STATES = dict(
    pair.split(":")
    for pair in """
AL:Alabama|AK:Alaska|AZ:Arizona|AR:Arkansas|CA:California|CO:Colorado|CT:Connecticut|DE:Delaware
DC:Washington D.C.|FL:Florida|GA:Georgia|HI:Hawaii|ID:Idaho|IL:Illinois|IN:Indiana|IA:Iowa|KS:Kansas|KY:Kentucky
LA:Louisiana|ME:Maine|MD:Maryland|MA:Massachusetts|MI:Michigan|MN:Minnesota|MS:Mississippi|MO:Missouri
MT:Montana|NE:Nebraska|NV:Nevada|NH:New Hampshire|NJ:New Jersey|NM:New Mexico|NY:New York|NC:North Carolina
ND:North Dakota|OH:Ohio|OK:Oklahoma|OR:Oregon|PA:Pennsylvania|RI:Rhode Island|SC:South Carolina|SD:South Dakota
TN:Tennessee|TX:Texas|UT:Utah|VT:Vermont|VA:Virginia|WA:Washington|WV:West Virginia|WI:Wisconsin|WY:Wyoming
AB:Alberta|BC:British Columbia|MB:Manitoba|NB:New Brunswick|NL:Newfoundland and Labrador|NS:Nova Scotia
NT:Northwest Territories|NU:Nunavut|ON:Ontario|PE:Prince Edward Island|QC:Quebec|SK:Saskatchewan|YT:Yukon
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

_CODES = {name: code for code, name in _STATES.items()}


def state_code(region: str) -> str:
    """``CO`` of ``Colorado``; empty of what is no state or province."""
    return _CODES.get(region, "")


def state_name(code: str) -> str:
    """``Colorado`` of ``CO``; empty of what is no state or province."""
    return _STATES.get(code, "")


@lru_cache(maxsize=4096)
def region_of(number: str | None) -> str:
    """The region of an E.164 number, in English; empty where the number tells none, as of a toll-free one."""
    if not number or not number.startswith("+"):
        return ""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    place = str(geocoder.description_for_number(parsed, "en"))
    if parsed.country_code == 1:
        return _STATES.get(place.rpartition(", ")[2], place)
    return place
