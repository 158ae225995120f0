"""Regions in the reader's language.

Calls keep the name that ``phonenumbers`` has in English, so that a filter is the same in any language; pages say it as
their reader does.
"""

from functools import cache

from babel import Locale
from phonenumbers.geodata import GEOCODE_DATA

_ENGLISH = Locale.parse("en")


def N_(text: str) -> str:
    """Marks a text for translation."""
    return text


# Of states and provinces phonenumbers has English names alone; the catalogues have the others.
STATES = frozenset(
    {
        N_("Alabama"),
        N_("Alaska"),
        N_("Arizona"),
        N_("Arkansas"),
        N_("California"),
        N_("Colorado"),
        N_("Connecticut"),
        N_("Delaware"),
        N_("Washington D.C."),
        N_("Florida"),
        N_("Georgia"),
        N_("Hawaii"),
        N_("Idaho"),
        N_("Illinois"),
        N_("Indiana"),
        N_("Iowa"),
        N_("Kansas"),
        N_("Kentucky"),
        N_("Louisiana"),
        N_("Maine"),
        N_("Maryland"),
        N_("Massachusetts"),
        N_("Michigan"),
        N_("Minnesota"),
        N_("Mississippi"),
        N_("Missouri"),
        N_("Montana"),
        N_("Nebraska"),
        N_("Nevada"),
        N_("New Hampshire"),
        N_("New Jersey"),
        N_("New Mexico"),
        N_("New York"),
        N_("North Carolina"),
        N_("North Dakota"),
        N_("Ohio"),
        N_("Oklahoma"),
        N_("Oregon"),
        N_("Pennsylvania"),
        N_("Rhode Island"),
        N_("South Carolina"),
        N_("South Dakota"),
        N_("Tennessee"),
        N_("Texas"),
        N_("Utah"),
        N_("Vermont"),
        N_("Virginia"),
        N_("Washington"),
        N_("West Virginia"),
        N_("Wisconsin"),
        N_("Wyoming"),
        N_("Alberta"),
        N_("British Columbia"),
        N_("Manitoba"),
        N_("New Brunswick"),
        N_("Newfoundland and Labrador"),
        N_("Nova Scotia"),
        N_("Northwest Territories"),
        N_("Nunavut"),
        N_("Ontario"),
        N_("Prince Edward Island"),
        N_("Quebec"),
        N_("Saskatchewan"),
        N_("Yukon"),
    }
)
# A country has this name as well.
COUNTRIES_TOO = frozenset({"Georgia"})


@cache
def known_names(tag: str) -> dict[str, str]:
    """English name -> the one in another language, of places and of countries; of several, none."""
    found: dict[str, str] = {}
    several: set[str] = set()
    for names in GEOCODE_DATA.values():
        if tag in names and "en" in names and found.setdefault(names["en"], names[tag]) != names[tag]:
            several.add(names["en"])
    for name in several:
        del found[name]
    own = Locale.parse(tag).territories
    found |= {name: own[code] for code, name in _ENGLISH.territories.items() if len(code) == 2 and code in own}
    return found
