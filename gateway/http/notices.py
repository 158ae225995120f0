"""What is said once, on the page after a change: in a signed cookie, so that nothing needs to be stored.

The signature is keyed by the viewer's session: nobody else can put words, or an undo button, on his page.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass

from aiohttp import hdrs, web

from gateway.http.cookies import over_tls
from gateway.http.keys import VIEWER

COOKIE = "np_notice"
# The page that says it is the next one.
_SECONDS = 120
# Browsers keep cookies of up to 4,096 bytes.
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence in the reader's language, and the step that takes the change back."""

    text: str
    undo: int | None = None
    is_problem: bool = False


def changed(request: web.Request, to: str, notice: Notice) -> web.Response:
    """The answer to a change: on to the page that says so; a script that asked for JSON is told instead."""
    if "application/json" in request.headers.get(hdrs.ACCEPT, ""):
        return web.json_response(asdict(notice))
    answer = web.Response(status=303, headers={hdrs.LOCATION: to})
    answer.set_cookie(
        COOKIE,
        _sealed(notice, request[VIEWER].session),
        max_age=_SECONDS,
        path="/",
        secure=over_tls(request),
        httponly=True,
        samesite="Lax",
    )
    return answer


def taken_notice(request: web.Request) -> Notice | None:
    """The notice that this page is to show; a script that reads the page again in the background takes none."""
    sealed = request.cookies.get(COOKIE)
    if not sealed or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
        return None
    return _opened(sealed, request[VIEWER].session)


def forget_notice(response: web.StreamResponse) -> None:
    """It was shown."""
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax")


def _sealed(notice: Notice, key: bytes) -> str:
    short = asdict(notice) | {"text": notice.text[:_LONGEST]}
    body = base64.urlsafe_b64encode(json.dumps(short).encode()).decode()
    return f"{body}.{_signature(body, key)}"


def _opened(sealed: str, key: bytes) -> Notice | None:
    body, _, signature = sealed.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(body, key).encode()):
        return None
    return Notice(**json.loads(base64.urlsafe_b64decode(body)))


def _signature(body: str, key: bytes) -> str:
    return hmac.new(key, b"notice " + body.encode(), hashlib.sha256).hexdigest()
