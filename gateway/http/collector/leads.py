"""Forms, chats and the like that pages hand in."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.http.collector.asking import asking
from gateway.http.collector.keys import COLLECTOR
from gateway.http.collector.messages import Lead
from gateway.http.collector.protection import allow_origin, as_json, count_lead, read, site_of
from gateway.http.collector.refusals import TooLarge, TryLater
from gateway.leads.inbox import InboxFull
from gateway.leads.lead import lead_of
from gateway.visits.bots import bot_of
from gateway.visits.ids import new_id

# A browser sends no more with a request that may outlive its page (fetch.spec.whatwg.org, keepalive).
LARGEST_LEAD = 64 * 1024


async def lead(request: web.Request) -> web.StreamResponse:
    """Keep a lead.

    Consent is asked for being known again, not for being answered: who fills in a form and sends it hands over what it
    says for that very purpose (General Data Protection Regulation, art. 6(1)(b)), so it is kept whatever was said of
    cookies. What is not kept without consent is the thread from that person to a visit: no visit, no visitor, no number
    on the screen. A later no cuts the thread as well.
    """
    try:
        message = await read(request.clone(client_max_size=LARGEST_LEAD), Lead)
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(most_bytes=LARGEST_LEAD) from None
    known = site_of(request, message.site)
    count_lead(request, known)
    parts, who = request.app[COLLECTOR], asking(request, message.site, is_secure=False)
    now = datetime.now(UTC)
    bot = bot_of(who.signs(automated=message.automated, visible=True, screen=""))
    taken = lead_of(
        company_id=known.site.company_id,
        site_id=known.site.id,
        id=new_id(now),
        kind=message.kind,
        data=message.data,
        region=known.site.region,
        visit_id=None if who.privacy_control else message.visit,
        exposure_id=message.shown,
        url=message.url,
        title=message.title,
        suspect=bot.value if bot is not None else "",
        received_at=now,
    )
    try:
        id = await parts.leads.take(taken, patience=parts.settings.answer_ms / 1000)
    except InboxFull:
        raise TryLater(headers={"Retry-After": "60"}) from None
    answer: dict[str, Any] = {"lead": None if id is None else str(id)}
    response = as_json(answer)
    allow_origin(request, response)
    return response
