"""Who asks: what the headers of a request say of a browser, apart from what its page sends."""

import re
from dataclasses import dataclass
from uuid import UUID

from aiohttp import hdrs, web

from gateway.visits.bots import Signs
from gateway.visits.ids import made_at

# Chrome and the cookie standard (RFC 6265bis, section 5.5) allow 400 days at most.
REMEMBER_SECONDS = 400 * 86400
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


@dataclass(slots=True)
class Asking:
    """A browser. ``cookie`` is the visitor it sent; ``cross_site``: its page is on a site of another name than ours."""

    address: str
    user_agent: str = ""
    client_hints: str = ""
    languages: str = ""
    purpose: str = ""
    privacy_control: bool = False
    cookie: UUID | None = None
    is_secure: bool = False
    cross_site: bool = False

    def signs(self, *, automated: bool, visible: bool, screen: str) -> Signs:
        """What tells whether it is a person."""
        return Signs(self.user_agent, self.client_hints, self.languages, self.purpose, automated, visible, screen)


def asking(request: web.Request, public_key: str, *, is_secure: bool) -> Asking:
    """What the headers say."""
    headers = request.headers
    purpose = ""
    for name in _PURPOSES:
        if name in headers:
            purpose = headers[name]
            break
    return Asking(
        address=request.remote or "",
        user_agent=headers.get(hdrs.USER_AGENT, ""),
        client_hints=headers.get("Sec-CH-UA", ""),
        languages=headers.get(hdrs.ACCEPT_LANGUAGE, ""),
        purpose=purpose,
        privacy_control=headers.get("Sec-GPC") == "1",
        cookie=_visitor_in(headers.get(hdrs.COOKIE, ""), public_key),
        is_secure=is_secure,
        cross_site=headers.get("Sec-Fetch-Site") == "cross-site",
    )


def cookie_name(public_key: str) -> str:
    """The visitor's cookie: one for each site, since several may share a host."""
    return f"np_{public_key}"


def set_visitor(public_key: str, visitor: UUID, asking: Asking) -> str:
    """The header that gives the browser its id."""
    return _cookie(public_key, str(visitor), REMEMBER_SECONDS, asking)


def clear_visitor(public_key: str, asking: Asking) -> str:
    """The header that takes it away."""
    return _cookie(public_key, "", 0, asking)


def _cookie(public_key: str, value: str, seconds: int, asking: Asking) -> str:
    # Path=/, so that a site's own server, which renders pages, is sent it as well. On a page of another site a browser
    # keeps it at most for that site alone (Partitioned), and only over TLS.
    reach = "SameSite=None; Partitioned" if asking.cross_site and asking.is_secure else "SameSite=Lax"
    secure = "; Secure" if asking.is_secure else ""
    return f"{cookie_name(public_key)}={value}; Max-Age={seconds}; Path=/; HttpOnly{secure}; {reach}"


def _visitor_in(header: str, public_key: str) -> UUID | None:
    if not header:
        return None
    found = re.search(rf"(?:^|;)\s*np_{re.escape(public_key)}=([0-9a-f-]{{36}})(?:;|\s|$)", header)
    if found is None:
        return None
    try:
        visitor = UUID(found[1])
        made_at(visitor)
    except ValueError:
        return None
    return visitor
