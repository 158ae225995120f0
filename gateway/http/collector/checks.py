"""A check of a site asks like a visitor, and is answered like one; but nothing of it stays.

The numbers are lent in a transaction that is then undone: no visitor goes without one, no visit, exposure or count is
written, and nothing is stored in the browser. Who may be answered so bears the mark of a check that is under way.
"""

import asyncio
from datetime import UTC, datetime
from functools import wraps

from aiohttp import hdrs, web

from gateway.http.collector.asking import Asking, asking
from gateway.http.collector.catalog import SiteKnown
from gateway.http.collector.keys import BEARER, COLLECTOR, CollectorParts
from gateway.http.collector.messages import ServerVisit, Visit
from gateway.http.collector.protection import allow_origin, as_json, read, site_of, within_limits
from gateway.http.collector.reception import Answer, own_numbers
from gateway.http.collector.refusals import UnknownSite
from gateway.http.routing import Handler
from gateway.pools.conditions import Arrival
from gateway.pools.showing import showing_of, trial
from gateway.site_check.stored import PRODUCT, is_good, mark_in
from gateway.store.database import AWAY
from gateway.visits import consent
from gateway.visits.consent import Consent
from gateway.visits.devices import device_of
from gateway.visits.ids import new_id

_IN_BODY = PRODUCT.encode()


def aside(handler: Handler) -> Handler:
    """The handler of a page's visit, with checks of the site answered aside."""

    @wraps(handler)
    async def visit(request: web.Request) -> web.StreamResponse:
        if PRODUCT not in request.headers.get(hdrs.USER_AGENT, ""):
            return await handler(request)
        message = await read(request, Visit)
        known = site_of(request, message.site)
        who = asking(request, known.site.public_key, is_secure=False)
        response = as_json((await _answer(request, known, message, who)).as_json())
        allow_origin(request, response)
        return response

    return visit


def aside_of_server(handler: Handler) -> Handler:
    """The same for pages that a site's own server renders: it passes on what the browser calls itself."""

    @wraps(handler)
    async def visit(request: web.Request) -> web.StreamResponse:
        if _IN_BODY not in await request.read():
            return await handler(request)
        message = await read(request, ServerVisit)
        known = request.app[COLLECTOR].catalog.site(request[BEARER].public_key or "")
        if known is None:
            raise UnknownSite()
        who = Asking(address=message.address, user_agent=message.user_agent, privacy_control=message.gpc)
        return as_json({**(await _answer(request, known, message, who)).as_json(), "cookie": None})

    return visit


async def _answer(request: web.Request, known: SiteKnown, message: Visit, who: Asking) -> Answer:
    parts = request.app[COLLECTOR]
    reception = parts.reception
    if not within_limits(request, known, who.address):
        return reception.keep(known, message, "limited")
    mark = mark_in(who.user_agent)
    now = datetime.now(UTC)
    try:
        async with asyncio.timeout(parts.settings.answer_ms / 1000):
            async with parts.database.companies(known.site.company_id, durable=False) as connection:
                is_one = mark is not None and await is_good(connection, known.site.company_id, mark)
            if not is_one:
                return reception.keep(known, message, "bot")
            return await _as_a_visitor(parts, known, message, who, now)
    except AWAY:
        return reception.keep(known, message, "away")


async def _as_a_visitor(parts: CollectorParts, known: SiteKnown, message: Visit, who: Asking, now: datetime) -> Answer:
    site = known.site
    said = consent.standing(
        Consent(message.consent.state, message.consent.signal, now),
        is_required=message.consent.required or site.consent_required,
        privacy_control=who.privacy_control or message.gpc,
    )
    decision = known.decide(message.url, message.referrer)
    tags = known.classifier.said(message.url)
    given = {
        "utm_source": tags.source,
        "utm_medium": tags.medium,
        "utm_campaign": tags.campaign,
        "utm_term": tags.term,
        "utm_content": tags.content,
    }
    arrival = Arrival(
        decision.source,
        landing_page=message.url,
        referrer=message.referrer,
        parameters={name: value for name, value in given.items() if value},
        device=device_of(who.user_agent),
        language=message.language,
    )
    page = showing_of(
        parts.catalog.offer if said.may_identify else parts.catalog.reserved,
        site,
        arrival,
        visitor=new_id(now),
        visit_id=new_id(now),
        now=now,
        targets=known.targets_of(message.targets),
    )
    shown = await trial(parts.database, page) if page.choices else own_numbers(())
    return Answer(
        visit=None,
        visitor=None,
        why="visitor" if said.may_identify else "consent",
        source=decision.source,
        is_touch=False,
        shown=shown,
        known=known,
    )
