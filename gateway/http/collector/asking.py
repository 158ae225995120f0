"""Who asks: what the headers of a request say of a browser, apart from what its page sends."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from aiohttp import hdrs, web

from gateway.visits.address import host_of
from gateway.visits.bots import Signs
from gateway.visits.client_ids import NO_IDS, client_ids_in
from gateway.visits.ids import is_ours
from gateway.visits.ways import Way, common_domain, way_of

# Chrome and the cookie standard (RFC 6265bis, section 5.5) allow 400 days at most.
REMEMBER_SECONDS = 400 * 86400
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


@dataclass(slots=True)
class Asking:
    """A browser. ``cookie`` is the visitor it sent, ``cookies`` all that it sent, ``way`` where its page is from here.

    What the browser itself says: ``cross_site``, that its page is on another site than the collector; ``domain``, what
    the names of both end in where they are two hosts of one site.
    """

    address: str
    user_agent: str = ""
    client_hints: str = ""
    languages: str = ""
    purpose: str = ""
    privacy_control: bool = False
    cookie: UUID | None = None
    cookies: str = ""
    is_secure: bool = False
    way: Way | None = None
    cross_site: bool = False
    host: str = ""
    domain: str = ""

    def signs(self, *, automated: bool, visible: bool, screen: str) -> Signs:
        """What tells whether it is a person."""
        return Signs(self.user_agent, self.client_hints, self.languages, self.purpose, automated, visible, screen)

    def client_ids(self) -> Mapping[str, str]:
        """Ids that other programs of the site gave its browser. A foreign host is sent none but its own."""
        return NO_IDS if self.cross_site else client_ids_in(self.cookies)


def asking(request: web.Request, public_key: str, *, is_secure: bool) -> Asking:
    """What the headers say."""
    headers = request.headers
    purpose = ""
    for name in _PURPOSES:
        if name in headers:
            purpose = headers[name]
            break
    cookies = headers.get(hdrs.COOKIE, "")
    host, fetch_site = request.host, headers.get("Sec-Fetch-Site", "")
    way, domain = _reached(headers.get(hdrs.ORIGIN, ""), host, fetch_site)
    return Asking(
        address=request.remote or "",
        user_agent=headers.get(hdrs.USER_AGENT, ""),
        client_hints=headers.get("Sec-CH-UA", ""),
        languages=headers.get(hdrs.ACCEPT_LANGUAGE, ""),
        purpose=purpose,
        privacy_control=headers.get("Sec-GPC") == "1",
        cookie=_visitor_in(cookies, public_key),
        cookies=cookies,
        is_secure=is_secure,
        way=way,
        cross_site=fetch_site == "cross-site",
        host=host,
        domain=domain,
    )


def cookie_name(public_key: str) -> str:
    """The visitor's cookie: one for each site, since several may share a host."""
    return f"np_{public_key}"


def set_visitor(public_key: str, visitor: UUID, asking: Asking) -> str:
    """The header that gives the browser its id, on the site's own host or one beside it."""
    return _cookie(public_key, str(visitor), REMEMBER_SECONDS, asking, asking.domain)


def set_visitor_abroad(public_key: str, visitor: UUID, asking: Asking) -> str:
    """The same on pages of another site, where a cookie is all that remembers: AMP's cache.

    Over TLS browsers keep it for pages of that site alone (Partitioned); else not at all.
    """
    return _cookie(public_key, str(visitor), REMEMBER_SECONDS, asking, reach="SameSite=None; Partitioned")


def clear_visitor(public_key: str, asking: Asking) -> list[str]:
    """The headers that take it away, whichever host of the site has set it and for how many of them."""
    labels = host_of(asking.host).split(".")
    parents = [".".join(labels[start:]) for start in range(len(labels) - 1)] if not labels[-1].isdigit() else []
    return [_cookie(public_key, "", 0, asking, domain) for domain in ("", *parents)]


def _cookie(
    public_key: str, value: str, seconds: int, asking: Asking, domain: str = "", reach: str = "SameSite=Lax"
) -> str:
    # Path=/ and the domain that page and collector share, so that a site's own server, which renders pages, is sent it
    # as well. Without a domain it is the host's alone.
    if not asking.is_secure:
        reach = "SameSite=Lax"
    secure = "; Secure" if asking.is_secure else ""
    domain = f"; Domain={domain}" if domain else ""
    return f"{cookie_name(public_key)}={value}; Max-Age={seconds}; Path=/{domain}; HttpOnly{secure}; {reach}"


@lru_cache(1024)
def _reached(origin: str, host: str, fetch_site: str) -> tuple[Way | None, str]:
    """The way of a request, and the domain that its page and the collector share. All pages of a site are alike."""
    way = way_of(origin, host, fetch_site)
    return way, common_domain(origin, host) if way is Way.SUB_DOMAIN and fetch_site == "same-site" else ""


def _visitor_in(header: str, public_key: str) -> UUID | None:
    found = _visitor_of(public_key).search(header) if header else None
    if found is None:
        return None
    try:
        visitor = UUID(found[1])
    except ValueError:
        return None
    return visitor if is_ours(visitor) else None


@lru_cache(1024)
def _visitor_of(public_key: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|;)\s*np_{re.escape(public_key)}=([0-9a-f-]{{36}})(?:;|\s|$)")
