"""What pages of a site ask and tell: visits, consent, keep-alives, taps, and the page that AMP shows."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import structlog
from aiohttp import hdrs, web
from pydantic import ValidationError

from gateway.http.collector.asking import (
    Asking,
    asking,
    clear_visitor,
    cookie_name,
    set_visitor,
    set_visitor_abroad,
)
from gateway.http.collector.catalog import SiteKnown
from gateway.http.collector.keys import BEARER, COLLECTOR
from gateway.http.collector.messages import Alive, AmpQuery, Left, PageView, ServerVisit, Tap, Visit
from gateway.http.collector.protection import (
    allow_origin,
    as_json,
    count_signal,
    faults_of,
    read,
    site_of,
    within_limits,
)
from gateway.http.collector.reception import Answer
from gateway.http.collector.refusals import CannotRead, UnknownSite, WrongOrigin
from gateway.pools.keep_alive import Held, TooMany
from gateway.pools.number_parts import parts_of
from gateway.visits.address import host_of
from gateway.visits.client_ids import client_ids_in
from gateway.visits.entries import view_row

# Keep-alives are written once a second; a page waits a little longer, and is told "waiting" after that.
ALIVE_SECONDS = 1.5
_AGAIN = frozenset({Held.DISPLACED, Held.EXPIRED, Held.RELEASED})
# Caches that serve AMP pages under names of their own (cdn.ampproject.org/caches.json).
_AMP_CACHES = ("cdn.ampproject.org", "bing-amp.com")

_log = structlog.get_logger(__name__)


async def visit(request: web.Request) -> web.StreamResponse:
    """The numbers for a page that was opened."""
    return await _visit(request, consent_changed=False)


async def consent(request: web.Request) -> web.StreamResponse:
    """The visitor said yes or no: what was not kept is kept now, or what identifies is taken away."""
    return await _visit(request, consent_changed=True)


async def _visit(request: web.Request, *, consent_changed: bool) -> web.StreamResponse:
    message = await read(request, Visit)
    known = site_of(request, message.site)
    who = asking(request, known.site.public_key, is_secure=_is_secure(request))
    answer = await _received(request, known, message, who, consent_changed=consent_changed)
    response = as_json(answer.as_json())
    allow_origin(request, response)
    if answer.visit is not None:
        _came_by(request, known, message, who)
        if answer.visit == message.visit and answer.visitor is not None:
            _notice_client_ids(request, known, answer.visit)
    if answer.visitor is not None:
        # On a foreign host a browser keeps no cookie; its page remembers by itself.
        is_told = answer.visitor == who.cookie and answer.visit == message.visit
        if not is_told and not who.cross_site:
            response.headers[hdrs.SET_COOKIE] = set_visitor(known.site.public_key, answer.visitor, who)
    elif answer.why == "consent" and who.cookie is not None:
        for header in clear_visitor(known.site.public_key, who):
            response.headers.add(hdrs.SET_COOKIE, header)
    return response


def _notice_client_ids(request: web.Request, known: SiteKnown, visit_id: UUID | None) -> None:
    """Keep ids that the browser was given since its visit began: analytics often starts after the first page asked.

    Whether they may be kept at all is what the visit's visitor said, which is stored with the visit.
    """
    headers = request.headers
    cookies = headers.get(hdrs.COOKIE)
    if visit_id is None or cookies is None or headers.get("Sec-Fetch-Site") == "cross-site":
        return
    found = client_ids_in(cookies)
    if found and headers.get("Sec-GPC") != "1":
        request.app[COLLECTOR].journal.knows(known.site.company_id, visit_id, found)


def _came_by(request: web.Request, known: SiteKnown, message: Visit, who: Asking) -> None:
    """Count by which way a visit reached us."""
    if who.way is not None:
        request.app[COLLECTOR].ways.count(
            known.site.company_id,
            known.site.id,
            who.way,
            datetime.now(UTC),
            is_known=message.visitor is not None,
            by_cookie=message.visitor is not None and who.cookie is not None,
        )


async def server_visit(request: web.Request) -> web.StreamResponse:
    """The numbers for a page that a site's own server renders."""
    message = await read(request, ServerVisit)
    known = request.app[COLLECTOR].catalog.site(request[BEARER].public_key or "")
    if known is None:
        raise UnknownSite()
    who = Asking(
        address=message.address,
        user_agent=message.user_agent,
        languages=message.accept_language or message.language,
        privacy_control=message.gpc,
    )
    answer = await _received(request, known, message, who)
    cookie = None
    if answer.visitor is not None:
        cookie = {
            "name": cookie_name(known.site.public_key),
            "value": str(answer.visitor),
            "max_age": answer.as_json()["remember"],
        }
    return as_json({**answer.as_json(), "cookie": cookie})


async def _received(
    request: web.Request, known: SiteKnown, message: Visit, who: Asking, *, consent_changed: bool = False
) -> Answer:
    reception = request.app[COLLECTOR].reception
    if not within_limits(request, known, who.address):
        return reception.keep(known, message, "limited")
    try:
        return await reception.visit(known, message, who, datetime.now(UTC), consent_changed=consent_changed)
    except Exception:
        # Whatever it is, a page must not suffer from it.
        _log.exception("a visit could not be received; its page keeps its own number", site=known.site.name)
        return reception.keep(known, message, "away")


async def alive(request: web.Request) -> web.StreamResponse:
    """Pages are still there; what became of their numbers."""
    message = await read(request, Alive)
    known = site_of(request, message.site)
    count_signal(request, known)
    _notice_client_ids(request, known, message.visit)
    keep_alives, now = request.app[COLLECTOR].keep_alives, datetime.now(UTC)
    company = known.site.company_id
    try:
        waiting = {each: keep_alives.note(each, company, at=now) for each in message.exposures}
    except TooMany:
        waiting = {}
    if waiting:
        await asyncio.wait(waiting.values(), timeout=ALIVE_SECONDS)
    became = {
        str(each): waiting[each].result().value if each in waiting and waiting[each].done() else "waiting"
        for each in message.exposures
    }
    response = as_json({"exposures": became, "ask_again": not _AGAIN.isdisjoint(became.values())})
    allow_origin(request, response)
    return response


async def leave(request: web.Request) -> web.StreamResponse:
    """A page is left: its numbers were last seen now."""
    message = await read(request, Left)
    known = site_of(request, message.site)
    count_signal(request, known)
    _notice_client_ids(request, known, message.visit)
    keep_alives, now = request.app[COLLECTOR].keep_alives, datetime.now(UTC)
    try:
        for each in message.exposures:
            keep_alives.note(each, known.site.company_id, at=now, left=True)
    except TooMany:
        _log.warning("a page that was left cannot be noted: Postgres has been away for too long")
    return _taken(request)


async def tap(request: web.Request) -> web.StreamResponse:
    """A telephone link was tapped."""
    message = await read(request, Tap)
    known = site_of(request, message.site)
    count_signal(request, known)
    _notice_client_ids(request, known, message.visit)
    request.app[COLLECTOR].journal.tapped(
        {
            "company_id": known.site.company_id,
            "visit_id": message.visit,
            "exposure_id": message.exposure,
            "e164": known.as_e164(message.number),
            "at": datetime.now(UTC),
        }
    )
    return _taken(request)


async def page(request: web.Request) -> web.StreamResponse:
    """Another page of the same visit was opened without loading it anew."""
    message = await read(request, PageView)
    known = site_of(request, message.site)
    count_signal(request, known)
    who = asking(request, known.site.public_key, is_secure=False)
    request.app[COLLECTOR].journal.viewed(
        view_row(
            known.site.company_id,
            known.site.id,
            message.visit,
            message.url,
            message.title,
            datetime.now(UTC),
            may_identify=(message.visitor or who.cookie) is not None and not who.privacy_control,
        )
    )
    return _taken(request)


async def amp(request: web.Request) -> web.StreamResponse:
    """The number for AMP's call tracking element (amp.dev/documentation/components/amp-call-tracking)."""
    try:
        query = AmpQuery.model_validate(dict(request.query))
    except ValidationError as error:
        raise CannotRead(faults=faults_of(error)) from None
    catalog = request.app[COLLECTOR].catalog
    known = catalog.site(query.site)
    if known is None:
        raise UnknownSite()
    _of_amp(request, known)
    who = asking(request, known.site.public_key, is_secure=_is_secure(request))
    targets = [query.target] if query.target else [target.e164 for target in known.site.targets[:1]]
    message = Visit(site=query.site, url=query.url, referrer=query.referrer, targets=targets)
    answer = await _received(request, known, message, who)
    shown = answer.shown[0].e164 if answer.shown else known.as_e164(query.target)
    response = as_json(
        {"phoneNumber": shown, "formattedPhoneNumber": parts_of(shown).written if shown else ""}
        if shown
        else {"phoneNumber": query.target, "formattedPhoneNumber": query.target}
    )
    allow_origin(request, response)
    source = request.query.get("__amp_source_origin")
    if source is not None:
        # No longer asked for by AMP's present runtime; older caches do.
        response.headers["AMP-Access-Control-Allow-Source-Origin"] = source
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "AMP-Access-Control-Allow-Source-Origin"
    if answer.visitor is not None:
        give = set_visitor_abroad if who.cross_site else set_visitor
        response.headers[hdrs.SET_COOKIE] = give(known.site.public_key, answer.visitor, who)
    return response


def _of_amp(request: web.Request, known: SiteKnown) -> None:
    """Only pages of the site, from its own host or from an AMP cache that says which site it serves."""
    origin = request.headers.get(hdrs.ORIGIN)
    source = request.query.get("__amp_source_origin")
    if source is not None and not known.is_own(_host(source)):
        raise WrongOrigin(origin=source[:200], site=known.site.name)
    if origin is None:
        return
    host = _host(origin)
    from_cache = origin.startswith("https://") and any(host.endswith(f".{cache}") for cache in _AMP_CACHES)
    if not (from_cache or known.is_own(host)):
        raise WrongOrigin(origin=origin[:200], site=known.site.name)


def _host(origin: str) -> str:
    return host_of(origin.partition("://")[2].partition("/")[0])


def _is_secure(request: web.Request) -> bool:
    public_url = request.app[COLLECTOR].settings.public_url
    return request.scheme == "https" or (public_url or "").startswith("https://")


def _taken(request: web.Request) -> web.Response:
    response = web.Response(status=204)
    allow_origin(request, response)
    return response
