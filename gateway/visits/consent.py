"""What may be kept of a visit, by what its visitor said: the rules by themselves, over plain values.

The ground is the General Data Protection Regulation, art. 4(1) and recital 30 (an online identifier is personal data)
and art. 7 (consent can be proved, and withdrawn), and Global Privacy Control (w3.org/TR/gpc).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import unquote_plus

# How many networks are remembered: a visitor's pages follow each other.
_REMEMBERED = 8192
# Stands for a click id that was not kept, so that rules that are run again still see that there was one.
WITHHELD = "withheld"
GPC_SIGNAL = "Global Privacy Control"


class Said(StrEnum):
    """What the visitor said about being known again."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Consent:
    """What was said, by which signal (a banner's name, Google's consent mode) and when; none: not told."""

    said: Said = Said.UNKNOWN
    signal: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts, and what follows: whether the visitor may be known again and what identifies be kept."""

    consent: Consent
    may_identify: bool


def standing(consent: Consent, *, is_required: bool, privacy_control: bool) -> Standing:
    """What counts of a visit.

    Without a word the visitor is known again unless the site asks for consent first. Global Privacy Control is a no,
    whatever else was said: it is the browser's own switch, and a banner's yes is easily given by accident.
    """
    if privacy_control:
        return Standing(Consent(Said.DENIED, GPC_SIGNAL, consent.at), False)
    may = consent.said is Said.GRANTED or (consent.said is Said.UNKNOWN and not is_required)
    return Standing(consent, may)


def without_identity(url: str, kept: Collection[str], click_ids: Collection[str] = ()) -> str:
    """An address without all that could name its visitor: of its query only the parameters in ``kept``.

    Of ``click_ids`` the name stays, which says whose click it was, and the value goes. Names are in small letters.
    """
    rest, _, _ = url.partition("#")
    rest, _, query = rest.partition("?")
    scheme, slashes, place = rest.partition("://")
    if slashes:
        authority, slash, path = place.partition("/")
        rest = f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
    parts = []
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        known = unquote_plus(name).strip().lower()
        if known in kept:
            parts.append(part)
        elif known in click_ids and value:
            parts.append(f"{name}={WITHHELD}")
    return f"{rest}?{'&'.join(parts)}" if parts else rest


@lru_cache(_REMEMBERED)
def shortened(address: str) -> str | None:
    """The network of an address, as it may be stored: 24 bits of IPv4, 48 of IPv6; none where it is no address."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return str(ip_network((ip, 24 if ip.version == 4 else 48), strict=False))
