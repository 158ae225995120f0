"""Tokens of a company's own programs: shown once, listed, taken back and given back by who may change settings."""

import re

from gateway.http.collector.tokens import bearers, hash_of
from gateway.http.permissions import Role
from tests.http.conftest import Pages
from tests.http.test_marks import sent

PATH = "/settings/programs"


async def good(pages: Pages, token: str) -> bool:
    async with pages.database.everything() as wire:
        return hash_of(token) in await bearers(wire)


async def test_a_token_is_shown_once_and_taken_back(pages: Pages) -> None:
    client = await pages.signed_in()
    assert "No program yet" in await (await client.get(PATH)).text()
    made = await (await client.post(PATH, data={"name": "Chat on the website"})).text()
    (token,) = re.findall(r"np_leads_[\w-]{20,}", made)
    assert await good(pages, token)
    page = await (await client.get(PATH)).text()
    assert token not in page
    assert "Chat on the website" in page
    assert (await client.post(PATH, data={"name": "chat on the WEBSITE"})).status == 422
    (id,) = re.findall(rf"{PATH}/(\d+)/remove", page)
    step = (await sent(client, f"{PATH}/{id}/remove"))["undo"]
    assert not await good(pages, token)
    await sent(client, f"/undo/{step}")
    assert await good(pages, token)
    log = await (await client.get("/settings/audit")).text()
    assert "the program Chat on the website" in log


async def test_who_only_reads_makes_none(pages: Pages) -> None:
    client = await pages.signed_in(Role.ANALYST)
    assert (await client.get(PATH)).status == 200
    assert (await client.post(PATH, data={"name": "Chat"})).status == 403
