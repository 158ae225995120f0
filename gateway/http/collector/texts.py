"""What carriers post: texts that came in, and what became of those that were sent."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiohttp import web

from gateway.http.collector.keys import COLLECTOR
from gateway.http.collector.limits import Verdict, of_one
from gateway.http.collector.protection import as_json
from gateway.http.collector.refusals import CannotRead, TooLarge, TooManyRequests, TryLater, WrongSignature
from gateway.http.refusals import NotFound
from gateway.store.database import AWAY
from gateway.store.inbox import REFUSED, InboxFull
from gateway.texts import accounts, carriers
from gateway.texts.carriers.shape import Account, Posted
from gateway.texts.carriers.shape import CannotRead as Unreadable
from gateway.texts.text import Arrived, Inbound, Report, Reported, inbound_of

# Ten segments with the addresses of ten pictures are some kilobytes.
LARGEST_TEXT = 64 * 1024
# Carriers wait for some seconds, the least patient for two.
PATIENCE_SECONDS = 1.5
# How often the settings page is told that something was refused.
_TOLD_EVERY = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


async def text(request: web.Request) -> web.StreamResponse:
    """Keep what a carrier says, once its signature is found right, and answer as it wishes."""
    account = _account(request)
    parts, now = request.app[COLLECTOR], datetime.now(UTC)
    if parts.texts_of_account.take(account.id) is not Verdict.WITHIN:
        raise TooManyRequests(headers={"Retry-After": str(parts.texts_of_account.seconds_to_wait)})
    carrier = carriers.CARRIERS[account.kind]
    try:
        posted = await _posted(request)
        if not carrier.is_genuine(account, posted, now):
            await _refuse(request, account, now)
        news = carrier.read(account, posted)
    except Unreadable:
        raise CannotRead() from None
    for each in news:
        kept = _of(account, each, now)
        if kept is None:
            _log.warning("a text says not who texted whom", account=account.name)
            continue
        try:
            await parts.texts.take(kept, patience=PATIENCE_SECONDS)
        except InboxFull:
            raise TryLater(headers={"Retry-After": "60"}) from None
        except REFUSED as error:
            _log.error("a text cannot be written", account=account.name, fault=str(error))
    return web.Response(body=carrier.answer, content_type=carrier.answer_type, charset="utf-8")


async def ready(request: web.Request) -> web.StreamResponse:
    """Whether this is the address of an account: asked by the button on the settings page that tries it."""
    answer: dict[str, Any] = {"texts": "ready", "account": _account(request).id}
    return as_json(answer)


def _account(request: web.Request) -> Account:
    """Whose address it is. Raises NotFound, TooManyRequests: tokens are not to be guessed."""
    parts = request.app[COLLECTOR]
    account = parts.catalog.text_accounts.get(request.match_info["token"])
    if account is None:
        if parts.signals_of_address.take((0, of_one(request.remote or ""))) is not Verdict.WITHIN:
            raise TooManyRequests(headers={"Retry-After": str(parts.signals_of_address.seconds_to_wait)})
        raise NotFound()
    return account


async def _posted(request: web.Request) -> Posted:
    try:
        body = await request.clone(client_max_size=LARGEST_TEXT).read()
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge(most_bytes=LARGEST_TEXT) from None
    return Posted(
        request.method,
        _addresses(request),
        request.raw_path.partition("?")[2],
        {name.lower(): value for name, value in request.headers.items()},
        body,
    )


def _addresses(request: web.Request) -> tuple[str, ...]:
    """The forms in which the carrier may know our address: behind a proxy we see neither scheme nor first folders.

    Which of them it is does not matter to who may post: whoever cannot sign can sign none of them.
    """
    path = request.raw_path
    public = request.app[COLLECTOR].settings.public_url
    known = [f"{public.rstrip('/')}{path}"] if public else []
    hosts = [f"{scheme}://{request.host}" for scheme in ("https", "http")]
    return tuple(dict.fromkeys([*known, *(f"{host}{folder}{path}" for host in hosts for folder in ("", "/np"))]))


async def _refuse(request: web.Request, account: Account, now: datetime) -> None:
    parts = request.app[COLLECTOR]
    before = parts.texts_refused.get(account.id)
    if before is None or now - before >= _TOLD_EVERY:
        parts.texts_refused[account.id] = now
        _log.warning("a text is not signed as it should be", account=account.name, address=request.remote)
        try:
            async with asyncio.timeout(1), parts.database.companies(account.company_id) as connection:
                await accounts.was_refused(connection, account)
        except AWAY:
            pass  # the log has it
    raise WrongSignature()


def _of(account: Account, news: Arrived | Reported, now: datetime) -> Inbound | Report | None:
    if isinstance(news, Reported):
        return Report(account.company_id, account.id, news.id, news.state, news.fault, now)
    return inbound_of(
        news, company_id=account.company_id, account_id=account.id, region=account.region, received_at=now
    )
