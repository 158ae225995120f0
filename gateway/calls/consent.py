"""Whether a caller must be told that a call is recorded, by where both ends are: plain facts and a plain function.

Places are written as ``US-CO`` (a state of the United States), ``CA``, ``GB`` (a country), or empty where unknown.
Only what is surely a place where one party's knowledge is enough lets a recording go unannounced; everywhere else, and
wherever the law is mixed, unsettled or unknown to us, everybody must know. These are facts for a default that is safe,
and no legal advice.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

from gateway.calls.region import region_of, state_code

# The federal floor, 18 U.S.C. § 2511(2)(d): one party's consent. These states and the District ask for no more of a
# telephone call, by their statutes named here. Left out on purpose: those that ask for everybody's (California,
# Delaware, Florida, Illinois, Maryland, Massachusetts, Montana, New Hampshire, Pennsylvania, Washington), those whose
# courts or further statutes do so in part (Connecticut, Michigan, Nevada, Oregon), and Vermont, which has no statute.
ONE_PARTY = {
    "US-AL": "Ala. Code § 13A-11-30",
    "US-AK": "Alaska Stat. § 42.20.310",
    "US-AZ": "Ariz. Rev. Stat. § 13-3005",
    "US-AR": "Ark. Code § 5-60-120",
    "US-CO": "Colo. Rev. Stat. § 18-9-303",
    "US-DC": "D.C. Code § 23-542",
    "US-GA": "Ga. Code § 16-11-66",
    "US-HI": "Haw. Rev. Stat. § 803-42",
    "US-ID": "Idaho Code § 18-6702",
    "US-IN": "Ind. Code § 35-33.5",
    "US-IA": "Iowa Code § 808B.2",
    "US-KS": "Kan. Stat. § 21-6101",
    "US-KY": "Ky. Rev. Stat. § 526.010",
    "US-LA": "La. Rev. Stat. § 15:1303",
    "US-ME": "15 Me. Rev. Stat. § 710",
    "US-MN": "Minn. Stat. § 626A.02",
    "US-MS": "Miss. Code § 41-29-531",
    "US-MO": "Mo. Rev. Stat. § 542.402",
    "US-NE": "Neb. Rev. Stat. § 86-290",
    "US-NJ": "N.J. Stat. § 2A:156A-4",
    "US-NM": "N.M. Stat. § 30-12-1",
    "US-NY": "N.Y. Penal Law § 250.05",
    "US-NC": "N.C. Gen. Stat. § 15A-287",
    "US-ND": "N.D. Cent. Code § 12.1-15-02",
    "US-OH": "Ohio Rev. Code § 2933.52",
    "US-OK": "13 Okla. Stat. § 176.4",
    "US-RI": "R.I. Gen. Laws § 11-35-21",
    "US-SC": "S.C. Code § 17-30-30",
    "US-SD": "S.D. Codified Laws § 23A-35A-20",
    "US-TN": "Tenn. Code § 39-13-601",
    "US-TX": "Tex. Penal Code § 16.02",
    "US-UT": "Utah Code § 77-23a-4",
    "US-VA": "Va. Code § 19.2-62",
    "US-WV": "W. Va. Code § 62-1D-3",
    "US-WI": "Wis. Stat. § 968.31",
    "US-WY": "Wyo. Stat. § 7-3-702",
}
# Why everybody must know: for people who ask. A place that stands nowhere here is unknown, and everybody must.
# The European Union, and Iceland, Liechtenstein and Norway, where its regulation holds too.
_GDPR_COUNTRIES = re.findall("..", "ATBEBGHRCYCZDKEEFIFRDEGRHUIEITLVLTLUMTNLPLPTROSKSIESSEISLINO")
_GDPR = "GDPR, articles 6 and 13: whoever is recorded is told so first"
EVERYBODY = {
    "US-CA": "Cal. Penal Code § 632",
    "US-CT": "Conn. Gen. Stat. § 52-570d",
    "US-DE": "Del. Code tit. 11 § 1335",
    "US-FL": "Fla. Stat. § 934.03",
    "US-IL": "720 ILCS 5/14-2",
    "US-MD": "Md. Code, Cts. & Jud. Proc. § 10-402",
    "US-MA": "Mass. Gen. Laws ch. 272 § 99",
    "US-MI": "Mich. Comp. Laws § 750.539c",
    "US-MT": "Mont. Code § 45-8-213",
    "US-NV": "Nev. Rev. Stat. § 200.620",
    "US-NH": "N.H. Rev. Stat. § 570-A:2",
    "US-OR": "Or. Rev. Stat. § 165.540",
    "US-PA": "18 Pa. Cons. Stat. § 5703",
    "US-WA": "Wash. Rev. Code § 9.73.030",
    "CA": "PIPEDA, schedule 1, principle 4.3: knowledge and consent",
    "GB": "UK GDPR, articles 6 and 13; Investigatory Powers Act 2016",
    "CH": "Swiss Criminal Code, article 179ter",
    "RU": "Federal Law 152-FZ, articles 6 and 9; Criminal Code, article 138",
    "AU": "Telecommunications (Interception and Access) Act 1979, section 7",
    "BR": "LGPD, articles 6 and 9",
    "JP": "APPI, article 21",
    **dict.fromkeys(_GDPR_COUNTRIES, _GDPR),
}


@dataclass(frozen=True, slots=True)
class Law:
    """What holds at a place: whether everybody must know, and by what (empty: unknown to us)."""

    place: str
    everybody: bool
    source: str


def law_of(place: str) -> Law:
    """What holds at ``place``; where it is not known, everybody must know."""
    if place in ONE_PARTY:
        return Law(place, False, ONE_PARTY[place])
    return Law(place, True, EVERYBODY.get(place, ""))


def caller_must_know(*places: str) -> bool:
    """Whether the caller must be told, by the stricter of the places of a call."""
    return not places or any(law_of(place).everybody for place in places)


@lru_cache(maxsize=8192)
def place_of(number: str | None) -> str:
    """Where an E.164 number belongs: ``US-CO``, ``CA``, ``GB``; ``US`` of one without a state; empty where unknown.

    A number can be carried to another state or country; the business end of the call decides with it.
    """
    if not number or not number.startswith("+"):
        return ""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return ""
    country = phonenumbers.region_code_for_number(parsed)
    if not country:
        return ""
    state = state_code(region_of(number)) if country == "US" else ""
    return f"US-{state}" if state else str(country)
