"""A routing made and saved in the pages, called for real: the call goes the way that the picture shows."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest_asyncio

from gateway.http.commands import add_user, make_login_link
from gateway.http.permissions import Role
from gateway.local.programs import AsteriskHome
from gateway.store.database import Database
from tests.calls.exchange import LINES, Exchange
from tests.calls.scenarios import Invite, caller_listens, press
from tests.calls.sipp import listener, loudness
from tests.http.test_flows import fields_of, upload, wav
from tests.installation import Installation, Number

DID = "+13065552001"
WELCOME_HZ = 780.0


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(home, folder, dsn, [Number(DID, ("main", "second", "rings"))], tuple(LINES), bound_ms=3000)


@pytest_asyncio.fixture
async def owner(exchange: Exchange) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody at a browser, signed in by a link."""
    url = next(line["url"] for line in exchange.installation.gateway.log_lines() if line.get("event") == "pages")
    database = await Database.open(exchange.installation.dsn, 2)
    try:
        await add_user(database, "owner@acme.example", "Acme", Role.OWNER)
        link = await make_login_link(database, "owner@acme.example", url)
    finally:
        await database.close()
    headers = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
    async with aiohttp.ClientSession(url, headers=headers, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.post(link.removeprefix(url)) as answer:
            assert answer.status == 200
        yield session


async def test_a_key_leads_where_the_page_says(exchange: Exchange, owner: aiohttp.ClientSession, caller: str) -> None:
    there = exchange.installation
    for name in ("main", "second"):
        await exchange.line(name, LINES["hangs-up"]())
    page = await (await owner.post("/settings/sounds", data=upload("Welcome", wav(1.0, WELCOME_HZ)))).text()
    assert "Welcome is there" in page

    # As somebody clicks: a menu, another key for another telephone, the sound that was just uploaded, "Save".
    address = "/settings/flows/new"
    page = await (await owner.get(f"{address}?begin=menu")).text()
    page = await (await owner.post(address, data={**fields_of(page), "do": "key:0"})).text()
    form = fields_of(page)
    sound = re.search(r'<option value="([^"]+)"[^>]*>Welcome</option>', page)
    second = re.search(r'<option value="(\d+)"[^>]*>[^<]*second', page)
    assert sound
    assert second
    form |= {"name": "Reception", "0:sound": sound.group(1), "0.b1.0:line0": second.group(1)}
    page = await (await owner.post(address, data={**form, "do": "save"})).text()
    assert "Reception is added" in page
    flow = re.search(r"/settings/flows/(\d+)/edit", page)
    assert flow
    own = f"/settings/flows/{flow.group(1)}"
    page = await (await owner.post(f"{own}/calls", data={"add": DID})).text()
    assert "Whose calls go by Reception is set." in page
    await there.wait_fallback(DID, f"Menu/{flow.group(1)}-1-")

    page = await (await owner.get(f"{own}?number=%2B{DID.strip('+')}")).text()
    line = re.search(r">([^<]*Menu/[^<]*)</pre>", page)
    assert line
    before = await there.newest()
    async with listener() as (heard, ear):
        xml = caller_listens(Invite(DID, caller), ear, press(Invite(DID, caller), "2", 1.5))
        sipp = await exchange.place(xml, "main", "second")
        await sipp.done()
    row = await there.ended_one(before)
    assert (row["outcome"], row["answered_by"], row["decided_by"]) == ("answered", "PJSIP/second", "gateway")
    assert loudness(heard.samples[:8000], WELCOME_HZ) > 0.05  # the sound of the page, by telephone

    # Open on one day long ago alone: now another telephone rings, and no menu asks.
    edit = f"{own}/edit"
    page = await (
        await owner.post(edit, data={**fields_of(await (await owner.get(edit)).text()), "do": "add::hours"})
    ).text()
    form = fields_of(page)
    form = {
        name: "" if re.fullmatch(r"0:(?:mon|tue|wed|thu|fri|sat|sun)-.*", name) else value
        for name, value in form.items()
    }
    form |= {"0:h0-on": "2001-01-01", "0:h0-until": "", "0:h0-name": "", "0:h0-from0": "09:00", "0:h0-to0": "10:00"}
    form |= {"0.closed.0:kind": "ring", "0.closed.0:line0": second.group(1), "0.closed.0:strategy": "in_order"}
    page = await (await owner.post(edit, data={**form, "do": "save"})).text()
    assert "Reception is changed." in page
    page = await (await owner.get(own)).text()
    assert "Closed" in page
    await there.wait_fallback(DID, f"Menu/{flow.group(1)}-2-")
    before = await there.newest()
    sipp = await exchange.place(caller_listens(Invite(DID, caller)), "main", "second")
    await sipp.done()
    row = await there.ended_one(before)
    assert (row["outcome"], row["answered_by"], row["decided_by"]) == ("answered", "PJSIP/second", "gateway")
