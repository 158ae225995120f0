"""What every request to the collector goes through: refusals as data, tokens of programs, hosts of sites, limits."""

import json
import secrets
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web
from prometheus_client import Histogram
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from gateway.http.collector.catalog import SiteKnown
from gateway.http.collector.keys import BEARER, COLLECTOR
from gateway.http.collector.limits import Verdict, of_one
from gateway.http.collector.refusals import (
    CannotRead,
    TooLarge,
    TooManyRequests,
    TryLater,
    UnknownSite,
    WrongOrigin,
    WrongToken,
)
from gateway.http.collector.tokens import TokenBearer, TokenKind, hash_of
from gateway.http.errors import DATABASE_AWAY, refused_as_data
from gateway.http.permissions import Permission
from gateway.http.refusals import NotFound, OurFault, Refusal, WrongMethod
from gateway.http.routing import Handler, Route, from_this_machine, route_of

# The largest message of a page, with addresses of some thousand letters, has a third of it.
LARGEST_BODY = 16 * 1024
_MOST_FAULTS = 20
_MOST_ORIGINS = 1000
_TOKEN_OF = {
    Permission.SITE_SERVER: TokenKind.SERVER,
    Permission.COMPANY_PROGRAM: TokenKind.LEADS,
    Permission.GOOGLE_ADS: TokenKind.GOOGLE_ADS,
}

Body = TypeVar("Body", bound=BaseModel)

_log = structlog.get_logger(__name__)


def received(histogram: Histogram) -> Callable[..., Awaitable[web.StreamResponse]]:
    """The middleware that every request goes through: let in, measured, and answered whatever goes wrong below.

    One, and not one for each, because each costs a page some microseconds.
    """
    measured: dict[tuple[str, str, int], Any] = {}

    @web.middleware
    async def receive(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = perf_counter()
        route = route_of(request)
        try:
            _guard(request, route)
            answer = await handler(request)
        except Exception as error:
            answer = _refused(request, error)
        headers = answer.headers
        headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
        headers["X-Content-Type-Options"] = "nosniff"
        if route is not None:
            key = route.method, route.path, answer.status
            found = measured.get(key)
            if found is None:
                found = measured[key] = histogram.labels(*key)
            found.observe(perf_counter() - began)
        return answer

    return receive


def _refused(request: web.Request, error: Exception) -> web.StreamResponse:
    """What went wrong, as an answer that says how to mend it."""
    match error:
        case Refusal():
            return refused_as_data(error)
        case web.HTTPRequestEntityTooLarge():
            return refused_as_data(TooLarge(most_bytes=LARGEST_BODY))
        case web.HTTPException():
            plain = CannotRead()
            plain.status = error.status
            return refused_as_data(plain)
    if isinstance(error, DATABASE_AWAY):
        if request.transport is None:
            raise error  # it is the browser that went away
        _log.warning("collector.database_away", reason=str(error) or type(error).__name__)
        return refused_as_data(TryLater(headers={hdrs.RETRY_AFTER: "10"}))
    reference = secrets.token_hex(4)
    _log.error("collector.fault", reference=reference, exc_info=error)
    return refused_as_data(OurFault(reference=reference))


def _guard(request: web.Request, route: Route | None) -> None:
    """Let through only who holds what the route names."""
    if route is None:
        problem = request.match_info.http_exception
        if problem is not None and problem.status == 405:
            raise WrongMethod(headers={hdrs.ALLOW: problem.headers.get(hdrs.ALLOW, "")})
        raise NotFound()
    if route.permission is Permission.PUBLIC:
        return
    if route.permission is Permission.LOCAL:
        if not from_this_machine(request):
            raise NotFound()
        return
    request[BEARER] = _bearer(request, _TOKEN_OF[route.permission])


async def read(request: web.Request, model: type[Body]) -> Body:
    """The body of a request. Raises CannotRead, aiohttp's HTTPRequestEntityTooLarge."""
    raw = await request.read()
    try:
        try:
            return model.model_validate_json(raw)
        except ValidationError:
            if b"\\ud" not in raw.lower():
                raise
            return model.model_validate_json(_without_halves(raw))
    except ValidationError as error:
        raise CannotRead(faults=faults_of(error)) from None


def _without_halves(raw: bytes) -> bytes:
    """JSON without halves of characters, which browsers send where a page cut an emoji in two."""
    try:
        return json.dumps(json.loads(raw), ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return raw


def faults_of(error: ValidationError) -> list[dict[str, str]]:
    """What is wrong with which part."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        {"part": ".".join(map(str, fault["loc"])) or "body", "message": fault["msg"]} for fault in faults[:_MOST_FAULTS]
    ]


def site_of(request: web.Request, public_key: str) -> SiteKnown:
    """The site whose key a page sent, if the page is on one of its hosts. Raises UnknownSite, WrongOrigin."""
    known = request.app[COLLECTOR].catalog.site(public_key)
    if known is None:
        raise UnknownSite()
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and not _is_of(known, origin, request.host):
        raise WrongOrigin(origin=origin[:200], site=known.site.name)
    return known


def allow_origin(request: web.Request, response: web.StreamResponse) -> None:
    """Let the page that asked read the answer; its origin has been held against its site's hosts."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None:
        headers = response.headers
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        headers[hdrs.VARY] = hdrs.ORIGIN


def within_limits(request: web.Request, known: SiteKnown, address: str) -> bool:
    """Whether one more visit is allowed of this address. Raises TooManyRequests where it is clear abuse."""
    parts = request.app[COLLECTOR]
    verdict = parts.visits_of_address.take((known.site.id, of_one(address)))
    if verdict is Verdict.ABUSE:
        raise TooManyRequests(headers={hdrs.RETRY_AFTER: str(parts.visits_of_address.seconds_to_wait)})
    return verdict is Verdict.WITHIN and parts.visits_of_site.take(known.site.id) is Verdict.WITHIN


def count_signal(request: web.Request, known: SiteKnown) -> None:
    """Count a keep-alive, tap or the like. Raises TooManyRequests."""
    parts = request.app[COLLECTOR]
    if parts.signals_of_address.take((known.site.id, of_one(request.remote or ""))) is not Verdict.WITHIN:
        raise TooManyRequests(headers={hdrs.RETRY_AFTER: str(parts.signals_of_address.seconds_to_wait)})


def count_lead(request: web.Request, known: SiteKnown) -> None:
    """Count a lead of this address and for this site. Raises TooManyRequests.

    Apart from visits: a crowd on a site, or many colleagues behind one address, must not cost anybody's form.
    """
    parts = request.app[COLLECTOR]
    for buckets, verdict in (
        (parts.leads_of_address, parts.leads_of_address.take((known.site.id, of_one(request.remote or "")))),
        (parts.leads_of_site, parts.leads_of_site.take(known.site.id)),
    ):
        if verdict is not Verdict.WITHIN:
            raise TooManyRequests(headers={hdrs.RETRY_AFTER: str(buckets.seconds_to_wait)})


def count_lead_of_program(request: web.Request) -> None:
    """Count a lead that a company's program hands in. Raises TooManyRequests."""
    buckets = request.app[COLLECTOR].leads_of_program
    if buckets.take(request[BEARER].id) is not Verdict.WITHIN:
        raise TooManyRequests(headers={hdrs.RETRY_AFTER: str(buckets.seconds_to_wait)})


def as_json(data: dict[str, Any]) -> web.Response:
    """An answer."""
    return web.Response(body=to_json(data), content_type="application/json")


def _is_of(known: SiteKnown, origin: str, host: str) -> bool:
    """Whether a page of ``origin`` may use the site's key: on its own hosts, or where it is served beside us."""
    if (origin, host) in known.origins:
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not name:
        return False
    allowed = known.is_own(name) or parts.netloc.lower() == host.lower()
    if allowed and len(known.origins) < _MOST_ORIGINS:
        known.origins.add((origin, host))
    return allowed


def _bearer(request: web.Request, kind: TokenKind) -> TokenBearer:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    given = hash_of(token.strip())
    bearer = request.app[COLLECTOR].catalog.tokens.get(given) if scheme.lower() == "bearer" and token else None
    if bearer is None or bearer.kind is not kind:
        raise WrongToken(headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
    return bearer
