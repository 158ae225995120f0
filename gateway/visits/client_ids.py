"""Ids that other programs of a site gave a browser, by the names of their cookies: what conversions are reported with.

Google Analytics (``_ga``, ``_ga_<stream>``), Meta (``_fbp``, ``_fbc``), Yandex Metrica (``_ym_uid``), Microsoft
Advertising (``_uetvid``). They name a visitor, so they are kept only where he may be known again.
"""

import re
from collections.abc import Iterable, Mapping

_NAME = re.compile(r"_ga|_ga_[A-Z0-9]{4,20}|_fbp|_fbc|_ym_uid|_uetvid")
# Most requests carry none of them: a glance costs less than to take a header apart.
_GLANCE = re.compile(r"(?:^|[; ])(?:_ga|_fb[pc]=|_ym_uid=|_uetvid=)")
MOST = 12
LONGEST = 300

NO_IDS: Mapping[str, str] = {}


def known_ids(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Those that are known among names and values; what is too long or unreadable is left out."""
    found: dict[str, str] = {}
    for name, value in given:
        if len(name) > 40 or not _NAME.fullmatch(name) or name in found:
            continue
        if 0 < len(value) <= LONGEST and value.isprintable():
            found[name] = value
            if len(found) == MOST:
                break
    return found


def client_ids_in(cookies: str) -> Mapping[str, str]:
    """Those in a ``Cookie`` header (RFC 6265, section 4.2.1). Of two of one name the first is the closer one's."""
    if not _GLANCE.search(cookies):
        return NO_IDS
    return known_ids(_pairs(cookies))


def _pairs(cookies: str) -> Iterable[tuple[str, str]]:
    for pair in cookies.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals:
            yield name, value.strip('"')
