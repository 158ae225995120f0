"""Forms, chats and the like that pages, and a company's own programs, hand in."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.http.collector.asking import asking
from gateway.http.collector.keys import BEARER, COLLECTOR, CollectorParts
from gateway.http.collector.messages import Lead, ServerLead
from gateway.http.collector.protection import (
    allow_origin,
    as_json,
    count_lead,
    count_lead_of_program,
    read,
    site_of,
)
from gateway.http.collector.refusals import CannotRead, TooLarge, TryLater
from gateway.http.collector.tokens import tell_used
from gateway.leads.contact import Contact
from gateway.leads.lead import Lead as Kept
from gateway.leads.lead import lead_of
from gateway.pools.numbers import NumberError, to_e164
from gateway.store.database import AWAY
from gateway.store.inbox import InboxFull
from gateway.visits.bots import bot_of
from gateway.visits.ids import new_id

# A browser sends no more with a request that may outlive its page (fetch.spec.whatwg.org, keepalive).
LARGEST_LEAD = 64 * 1024
LONGEST_KEY = 200


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
    response = await _taken(parts, taken)
    allow_origin(request, response)
    return response


async def server_lead(request: web.Request) -> web.StreamResponse:
    """Keep what a program hands in. Repeated with the same ``Idempotency-Key`` it is the lead that it was before."""
    try:
        message = await read(request.clone(client_max_size=LARGEST_LEAD), ServerLead)
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(most_bytes=LARGEST_LEAD) from None
    count_lead_of_program(request)
    parts, bearer = request.app[COLLECTOR], request[BEARER]
    phone, number = (_number(name, text, bearer.region) for name, text in _numbers(message))
    at = message.at or datetime.now(UTC)
    taken = lead_of(
        company_id=bearer.company_id,
        site_id=None,
        id=new_id(at),
        kind=message.kind,
        data=message.data,
        region=bearer.region,
        visit_id=message.visit,
        exposure_id=None,
        url="",
        title="",
        suspect="",
        received_at=at,
        sent_as=_key(request),
    )
    contact = Contact(phone or taken.contact.phone, message.email.strip().lower() or taken.contact.email)
    response = await _taken(parts, replace(taken, contact=contact, number=number, visitor_id=message.visitor))
    with suppress(*AWAY):
        async with parts.database.companies(bearer.company_id) as connection:
            await tell_used(connection, bearer.company_id, bearer.id)
    return response


async def _taken(parts: CollectorParts, taken: Kept) -> web.Response:
    try:
        id = await parts.leads.take(taken, patience=parts.settings.answer_ms / 1000)
    except InboxFull:
        raise TryLater(headers={"Retry-After": "60"}) from None
    answer: dict[str, Any] = {"lead": None if id is None else str(id)}
    return as_json(answer)


def _numbers(message: ServerLead) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("phone", message.phone), ("number", message.number)


def _number(name: str, text: str, region: str) -> str:
    if not text.strip():
        return ""
    try:
        return to_e164(text, region)
    except NumberError as error:
        raise CannotRead(faults=[{"part": name, "message": str(error)}]) from None


def _key(request: web.Request) -> str:
    """The sender's own id, apart from those of other programs. Raises CannotRead."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        message = f"must be at most {LONGEST_KEY} letters that can be printed"
        raise CannotRead(faults=[{"part": "Idempotency-Key", "message": message}])
    return f"{request[BEARER].id}:{key}" if key else ""
