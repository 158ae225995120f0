"""Server-sent events: which call changed. The page reads it anew; nothing of a call travels in an event."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from gateway.http import accounts
from gateway.http.cookies import session_token
from gateway.http.errors import DATABASE_AWAY
from gateway.http.keys import ALLOWED, PARTS
from gateway.http.permissions import Permission
from gateway.http.routing import companies_with

CHANNEL = "numberpool_calls"
# Proxies close what is silent for a minute.
PING_SECONDS = 15.0
# How soon a stream learns that its session ended or its user lost a company.
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
    """``call`` with company and id for each change; ``again`` where anything may have changed (also at the start)."""
    streams, listener = request.app[STREAMS], request.app[PARTS].listener
    ids: tuple[int, ...] = request[ALLOWED]
    allowed = set(ids)
    streams.add()
    async with sse_response(request, ping_interval=PING_SECONDS) as stream:
        await stream.send("connected", event="hello", retry=RETRY_MS)
        async with listener.subscribe(CHANNEL) as changes:
            await _forward(request, stream, changes, allowed, streams)
    return stream


async def _forward(
    request: web.Request,
    stream: EventSourceResponse,
    changes: AsyncIterator[str | None],
    allowed: set[int],
    streams: Streams,
) -> None:
    loop = asyncio.get_running_loop()
    checked = loop.time()
    while stream.is_connected():
        waiting = CHECK_SECONDS - (loop.time() - checked)
        try:
            async with asyncio.timeout(max(0.01, waiting)):
                change = await anext(changes)
        except TimeoutError:
            if not await _still_allowed(request, allowed):
                return
            checked = loop.time()
            continue
        if change is None:
            await stream.send("{}", event="again", id=str(next(streams.ids)))
            continue
        company, _, call = change.partition(":")
        if int(company) in allowed:
            data = json.dumps({"company": int(company), "call": int(call)})
            await stream.send(data, event="call", id=str(next(streams.ids)))


async def _still_allowed(request: web.Request, allowed: set[int]) -> bool:
    """Whether the session lives and sees the same companies; if not, the browser comes back and is asked again."""
    token = session_token(request)
    try:
        viewer = await accounts.viewer_of(request.app[PARTS].database, token) if token else None
    except DATABASE_AWAY:
        return False
    return viewer is not None and set(companies_with(Permission.CALLS_READ, viewer)) == allowed
