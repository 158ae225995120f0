"""From the carrier to the owner's page: a real call is seen while it rings, and heard once it is over."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest_asyncio

from gateway.http.commands import add_user, make_login_link
from gateway.http.permissions import Role
from gateway.local.programs import AsteriskHome
from gateway.store.database import Database
from tests.calls.exchange import LINES, Exchange
from tests.calls.scenarios import Invite, caller_talks, line_answers
from tests.calls.sipp import make_tone
from tests.installation import Installation, Number
from tests.stack import eventually, lasts

DID = "+13065552001"
RINGS_SECONDS = 0.8


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(home, folder, dsn, [Number(DID, record=True)], tuple(LINES))


@pytest_asyncio.fixture
async def owner(exchange: Exchange) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody at a browser, signed in by a link."""
    installation = exchange.installation
    url = next(line["url"] for line in installation.gateway.log_lines() if line.get("event") == "pages")
    database = await Database.open(installation.dsn, 2)
    try:
        await add_user(database, "owner@acme.example", "Acme", Role.OWNER)
        link = await make_login_link(database, "owner@acme.example", url)
    finally:
        await database.close()
    headers = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
    jar = aiohttp.CookieJar(unsafe=True)  # of an address instead of a name
    async with aiohttp.ClientSession(url, headers=headers, cookie_jar=jar) as session:
        async with session.post(link.removeprefix(url)) as answer:
            assert answer.status == 200
        yield session


@asynccontextmanager
async def events(owner: aiohttp.ClientSession) -> AsyncIterator["asyncio.Queue[tuple[float, int]]"]:
    """(moment, call) of each change that the page is told of."""
    told: asyncio.Queue[tuple[float, int]] = asyncio.Queue()
    connected = asyncio.Event()

    async def listen() -> None:
        async with owner.get("/events") as stream:
            async for line in stream.content:
                if line.startswith(b"event: again"):
                    connected.set()
                if line.startswith(b"data: {") and b'"call"' in line:
                    told.put_nowait((time.monotonic(), json.loads(line[6:])["call"]))

    listening = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(10):
            await connected.wait()
        yield told
    finally:
        listening.cancel()
        await asyncio.wait([listening])


async def test_a_call_is_seen_while_it_rings_and_heard_when_it_is_over(
    exchange: Exchange, owner: aiohttp.ClientSession, module_folder: Path, caller: str
) -> None:
    installation = exchange.installation
    before = await installation.newest()
    tone = make_tone(module_folder, 440)
    await exchange.line("main", line_answers(after=RINGS_SECONDS, tone=tone))
    async with events(owner) as told:
        began = time.monotonic()
        sipp = await exchange.place(caller_talks(Invite(did=DID, caller=caller), 1.0, tone))
        async with asyncio.timeout(10):
            moment, call_id = await told.get()
        assert lasts(moment - began, 0)
        page = await (await owner.get("/calls")).text()
        assert "Ringing now" in page
        assert "Google Ads" in page
        await sipp.done()
        assert await installation.ended_one(before)

    async def can_be_heard() -> bool:
        return f'href="/calls/{call_id}/recording"' in await (await owner.get("/calls")).text()

    await eventually(can_be_heard)
    part = await owner.get(f"/calls/{call_id}/recording", headers={"Range": "bytes=100-199"})
    assert part.status == 206
    assert re.fullmatch(r"bytes 100-199/\d+", part.headers["Content-Range"])
    assert len(await part.read()) == 100
    wav = await (await owner.get(f"/calls/{call_id}/recording.wav")).read()
    assert wav[:4] == b"RIFF"
    assert int.from_bytes(wav[22:24], "little") == 2
    one = await (await owner.get(f"/calls/{call_id}")).text()
    assert "Who listened" in one
    assert "owner@acme.example" in one
