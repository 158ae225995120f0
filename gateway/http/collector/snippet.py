"""The snippet's scripts, as the collector serves them: at the same address for ever, and anew after an update."""

import hashlib

import structlog
from aiohttp import ETag, hdrs, web

from gateway.http.collector.refusals import NoSnippet
from gateway.visits.snippet import SnippetNotBuilt, script_of

# ``np.d.ts`` describes ``window.numberpool`` to those who write the site's pages in TypeScript.
SCRIPTS = ("np.js", "np-forms.js", "np.d.ts")
# A page asks again after ten minutes, but never waits for that: it goes on with what it has, a day long, and a week
# where the collector does not answer (RFC 5861).
CACHING = "public, max-age=600, stale-while-revalidate=86400, stale-if-error=604800"

_log = structlog.get_logger(__name__)


async def script(request: web.Request) -> web.StreamResponse:
    """One of the scripts, by the last part of the address. Any page may load it, whatever its policy on origins."""
    name = request.path.rpartition("/")[2]
    try:
        body = script_of(name)
    except SnippetNotBuilt as error:
        _log.error("pages are not given the snippet", script=name, fault=str(error))
        raise NoSnippet() from None
    kind = "text/javascript" if name.endswith(".js") else "text/plain"
    response = web.Response(body=body, content_type=kind, charset="utf-8")
    response.headers.update(
        {
            hdrs.CACHE_CONTROL: CACHING,
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
            "Cross-Origin-Resource-Policy": "cross-origin",
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
        }
    )
    version = hashlib.sha256(body).hexdigest()[:16]
    # Weak, because the same script goes out packed and unpacked.
    response.etag = ETag(version, is_weak=True)
    if any(tag.value in ("*", version) for tag in request.if_none_match or ()):
        response.set_status(304)
        response.body = b""
    else:
        response.enable_compression()
    return response
