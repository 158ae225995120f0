"""The snippet's scripts, as the collector serves them: at the same address for ever, and anew after an update."""

import hashlib

from aiohttp import hdrs, web

from gateway.visits.snippet import script_of

SCRIPTS = ("np.js", "np-forms.js")
# A page asks again after ten minutes, but never waits for that: it goes on with what it has, a day long, and a week
# where the collector does not answer (RFC 5861).
CACHING = "public, max-age=600, stale-while-revalidate=86400, stale-if-error=604800"


async def script(request: web.Request) -> web.StreamResponse:
    """One of the scripts, by the last part of the address. Any page may load it, whatever its policy on origins."""
    body = script_of(request.path.rpartition("/")[2])
    response = web.Response(body=body, content_type="text/javascript", charset="utf-8")
    response.headers.update(
        {
            hdrs.CACHE_CONTROL: CACHING,
            "Cross-Origin-Resource-Policy": "cross-origin",
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
            "X-Content-Type-Options": "nosniff",
        }
    )
    version = hashlib.sha256(body).hexdigest()[:16]
    response.etag = version
    if any(tag.value in ("*", version) for tag in request.if_none_match or ()):
        response.set_status(304)
        response.body = b""
    else:
        response.enable_compression()
    return response
