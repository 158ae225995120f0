"""Server-sent events: which call or other lead changed. The page reads it anew; nothing of it travels in an event."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from gateway.http import accounts
from gateway.http.cookies import session_token
from gateway.http.errors import DATABASE_AWAY
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "live.sql")

CHANNEL = "numberpool_calls"
# Forms, chats and texts.
LEADS = "numberpool_leads"
# Conversations by text.
TEXTS = "numberpool_texts"
# Whose account changed: the user's id.
ACCOUNTS = "numberpool_accounts"
# Proxies close what is silent for a minute.
PING_SECONDS = 15.0
# A stream is told at once that its session ended or its user is something else; this is for what nobody told.
CHECK_SECONDS = 15.0
RETRY_MS = 1000


class Streams:
    """The open streams, so that the server can stop without waiting for them."""

    def __init__(self) -> None:
        self._open: set[asyncio.Task[object]] = set()
        self.ids = itertools.count(1)

    def add(self) -> None:
        """The present task is a stream."""
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def end(self, _app: web.Application) -> None:
        """End them all; browsers come back by themselves."""
        for task in list(self._open):
            task.cancel()


STREAMS = web.AppKey("STREAMS", Streams)


async def events(request: web.Request) -> web.StreamResponse:
    """``call``, ``lead`` or ``text`` with company and id for each change; a text is told by its conversation's id.

    ``again`` where anything may have changed, and at the start as well.

    Ends when the session does, or when its user's companies, roles or telephones change: the browser comes back by
    itself, and is asked again. An agent is told of his own calls.
    """
    streams, listener = request.app[STREAMS], request.app[PARTS].listener
    streams.add()
    async with sse_response(request, ping_interval=PING_SECONDS) as stream:
        await stream.send("connected", event="hello", retry=RETRY_MS)
        async with (
            listener.subscribe(CHANNEL) as calls,
            listener.subscribe(LEADS) as leads,
            listener.subscribe(TEXTS) as texts,
            listener.subscribe(ACCOUNTS) as people,
        ):
            tasks = [
                asyncio.create_task(_forward(request, stream, calls, streams)),
                asyncio.create_task(_forward_written(request, stream, "lead", leads, streams)),
                asyncio.create_task(_forward_written(request, stream, "text", texts, streams)),
                asyncio.create_task(_until_changed(request, people)),
            ]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                done, _ = await asyncio.wait(tasks)
                for task in done:
                    if not task.cancelled() and (error := task.exception()):
                        raise error
    return stream


async def _forward(
    request: web.Request, stream: EventSourceResponse, changes: AsyncIterator[str | None], streams: Streams
) -> None:
    ids: tuple[int, ...] = request[ALLOWED]
    allowed, limit = set(ids), request[VIEWER].own_calls
    async for change in changes:
        if not stream.is_connected():
            return
        if change is None:
            await stream.send("{}", event="again", id=str(next(streams.ids)))
            continue
        company, call = map(int, change.split(":"))
        if company not in allowed:
            continue
        if limit is not None and company in limit.companies and not await _is_own(request, company, call):
            continue
        data = json.dumps({"company": company, "call": call})
        await stream.send(data, event="call", id=str(next(streams.ids)))


async def _forward_written(
    request: web.Request, stream: EventSourceResponse, what: str, changes: AsyncIterator[str | None], streams: Streams
) -> None:
    """What people wrote came to everybody, so an agent, who has calls of his own, is told of none."""
    ids: tuple[int, ...] = request[ALLOWED]
    limit = request[VIEWER].own_calls
    allowed = set(ids) - set(limit.companies if limit is not None else ())
    async for change in changes:
        if not stream.is_connected():
            return
        if change is None:
            continue  # "again" is said by what forwards calls
        company, _, id = change.partition(":")
        if int(company) in allowed:
            data = json.dumps({"company": int(company), what: id})
            await stream.send(data, event=what, id=str(next(streams.ids)))


async def _is_own(request: web.Request, company: int, call: int) -> bool:
    """Whether an agent may know of a call: that is so as soon as it reaches his telephone."""
    try:
        async with request.app[PARTS].database.companies(company) as connection:
            return bool(await _queries.is_seen(connection, call_id=call))
    except DATABASE_AWAY:
        return False


async def _until_changed(request: web.Request, changes: AsyncIterator[str | None]) -> None:
    """Return once the session has ended, or the viewer is something else than when the stream began."""
    viewer = request[VIEWER]
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_SECONDS):
                change = await anext(changes)
                if change not in (None, str(viewer.user_id)):
                    continue
        token = session_token(request)
        try:
            now = await accounts.viewer_of(request.app[PARTS].database, token) if token else None
        except DATABASE_AWAY:
            return
        if now is None or now.memberships != viewer.memberships:
            return
