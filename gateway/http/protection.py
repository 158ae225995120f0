"""What every request and answer goes through: trusted proxies, the same site only, and the security headers."""

from collections.abc import Awaitable, Callable, Iterable
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp_remotes import XForwardedFiltered

from gateway.http.keys import PARTS
from gateway.http.refusals import BadRequest, CrossSite
from gateway.http.routing import route_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def content_policy(style_nonce: str | None = None, *, frames: bool = False) -> str:
    """Everything the pages use comes from this server; no inline script or style, no frames, no plug-ins.

    ``style_nonce`` lets in the one stylesheet that carries it, of this answer alone, and no style attribute; ``frames``
    lets the page show others of this server inside it.
    """
    styles = f"style-src 'self' 'nonce-{style_nonce}'" if style_nonce else "style-src 'self'"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            styles,
            "img-src 'self'",
            "media-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            *(("frame-src 'self'",) if frames else ()),
        )
    )


# What a mail looks like, shown in a frame: the style is its own, and nothing in it may do anything.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


SECURITY_HEADERS = {
    "Content-Security-Policy": content_policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With 'no-referrer' a browser would send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
_SAFE_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, files and errors too; what is not said to be cacheable is not stored."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")


@web.middleware
async def same_site_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nothing is changed by a request that another site made the browser send.

    Every browser of the last years says where a request comes from (Fetch Metadata, ``Origin``); a request that says
    nothing is refused as well. But a route may say that it is posted to by programs, which come from no page.
    """
    route = route_of(request)
    guarded = route is None or not route.from_anywhere
    if request.method not in _SAFE_METHODS and guarded and not _from_own_page(request):
        raise CrossSite()
    return await handler(request)


def _from_own_page(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return site == "same-origin"
    own = {f"{request.scheme}://{request.host}".lower()}
    public_url = request.app[PARTS].settings.pages.public_url
    if public_url:
        own.add(public_url.lower())
    return origin.lower() in own


def believe_proxies(trusted: Iterable[str]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """A middleware that takes address, scheme and host from X-Forwarded-*, sent by one of ``trusted`` and no other."""
    networks = [ip_network(entry, strict=False) for entry in trusted]
    forwarded = XForwardedFiltered(set(networks))

    @web.middleware
    async def believe(request: web.Request, handler: Handler) -> web.StreamResponse:
        # XForwardedFiltered itself never asks who the peer is.
        try:
            peer = ip_address(request.remote or "")
        except ValueError:
            return await handler(request)
        if not any(peer in network for network in networks):
            return await handler(request)
        answer: web.StreamResponse = await forwarded.middleware(request, handler)
        return answer

    return believe


def local_path(text: str | None, otherwise: str = "/") -> str:
    """``text`` if it is a path on this server, so that nobody is led elsewhere after signing in."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or not text.isprintable():
        return otherwise
    parts = urlsplit(text)
    return otherwise if parts.scheme or parts.netloc else text


async def form_of(request: web.Request) -> dict[str, str]:
    """The fields of a posted form, text only."""
    try:
        posted = await request.post()
    except ValueError:
        raise BadRequest(part="form") from None
    return {name: value for name, value in posted.items() if isinstance(value, str)}
