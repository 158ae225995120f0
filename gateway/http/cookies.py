"""The cookies of a session and of a browser: bound to this host alone (``__Host-``) wherever there is TLS."""

from aiohttp import web

from gateway.http.keys import PARTS

# RFC 6265bis, section 4.1.3.2: a browser keeps such a cookie only with Secure, Path=/ and without Domain.
SECURE_NAME = "__Host-np_session"
PLAIN_NAME = "np_session"
# Stays when one signs out: by it a browser is known again.
SECURE_DEVICE = "__Host-np_device"
PLAIN_DEVICE = "np_device"


def over_tls(request: web.Request) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy before us."""
    public_url = request.app[PARTS].settings.pages.public_url
    return request.scheme == "https" or (public_url or "").startswith("https://")


def session_token(request: web.Request) -> str | None:
    """The token that the browser sent."""
    return request.cookies.get(SECURE_NAME if over_tls(request) else PLAIN_NAME)


def set_session(request: web.Request, response: web.StreamResponse, token: str, seconds: int) -> None:
    """Give the browser its token."""
    _set(request, response, SECURE_NAME if over_tls(request) else PLAIN_NAME, token, seconds)


def clear_session(request: web.Request, response: web.StreamResponse) -> None:
    """Take the token away again."""
    secure = over_tls(request)
    response.del_cookie(SECURE_NAME if secure else PLAIN_NAME, path="/", secure=secure, httponly=True, samesite="Lax")


def device_token(request: web.Request) -> str | None:
    """By what this browser was known the last time."""
    return request.cookies.get(SECURE_DEVICE if over_tls(request) else PLAIN_DEVICE)


def set_device(request: web.Request, response: web.StreamResponse, token: str, seconds: int) -> None:
    """Have the browser known again."""
    _set(request, response, SECURE_DEVICE if over_tls(request) else PLAIN_DEVICE, token, seconds)


def _set(request: web.Request, response: web.StreamResponse, name: str, token: str, seconds: int) -> None:
    response.set_cookie(name, token, max_age=seconds, path="/", secure=over_tls(request), httponly=True, samesite="Lax")
