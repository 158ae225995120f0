"""The stream of changes: whose they are, what it survives, when it ends."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from gateway.http import live
from gateway.http.permissions import Role
from tests.http.company import add_call
from tests.http.conftest import Pages, running_pages


@asynccontextmanager
async def stream(client: aiohttp.ClientSession) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
    """The events of a stream as (event, data), pings left out."""
    async with client.get("/events") as answer:
        assert answer.content_type == "text/event-stream"

        async def events() -> AsyncIterator[tuple[str, str]]:
            event = ""
            async for line in answer.content:
                name, _, value = line.decode().strip().partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    yield event, value

        yield events()


async def test_only_the_own_companies_changes_are_told(pages: Pages) -> None:
    async with stream(await pages.signed_in()) as events:
        assert await anext(events) == ("hello", "connected")
        assert (await anext(events))[0] == "again"
        await add_call(pages.database, pages.stranger)
        own = await add_call(pages.database, pages.company, caller_name="a secret")
        event, data = await anext(events)
        assert (event, json.loads(data)) == ("call", {"company": pages.company.id, "call": own})


async def test_after_a_gap_everything_is_to_be_read_again(pages: Pages) -> None:
    async with stream(await pages.signed_in()) as events:
        await anext(events)
        await anext(events)
        async with pages.database.everything() as wire:
            await wire.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'numberpool listener' AND datname = current_database()"
            )
        async with asyncio.timeout(10):
            assert (await anext(events))[0] == "again"


@pytest.mark.parametrize("check", [0.1, 3600])
async def test_a_stream_ends_with_its_session(pages: Pages, monkeypatch: pytest.MonkeyPatch, check: float) -> None:
    """Told at once, or found by looking where nobody told."""
    monkeypatch.setattr(live, "CHECK_SECONDS", check)
    if check < 1:
        monkeypatch.setattr(live, "ACCOUNTS", "nobody_tells_this")
    client = await pages.signed_in()
    async with stream(client) as events:
        await anext(events)
        await anext(events)
        await client.post("/sign-out")
        async with asyncio.timeout(20):
            assert [event async for event in events] == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE memberships SET role = 'analyst'",
        "DELETE FROM memberships",
        "DELETE FROM sessions",
    ],
)
async def test_a_stream_ends_when_its_viewer_is_something_else(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(live, "CHECK_SECONDS", 3600)
    async with stream(await pages.signed_in()) as events:
        await anext(events)
        await anext(events)
        async with pages.database.everything() as wire:
            await wire.execute(change)
        async with asyncio.timeout(20):
            assert [event async for event in events] == []


async def test_an_agent_hears_of_his_own_calls_only(pages: Pages) -> None:
    client = await pages.signed_in(Role.AGENT)
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO member_endpoints SELECT company_id, user_id, 'PJSIP/102' FROM memberships WHERE role = 'agent'"
        )
    async with stream(client) as events:
        await anext(events)
        await anext(events)
        others = await add_call(pages.database, pages.company, state="ringing", outcome=None)
        own = await add_call(pages.database, pages.company, state="ringing", outcome=None)
        async with pages.database.companies(pages.company.id) as wire:
            await wire.execute("UPDATE calls SET answered_by = 'PJSIP/reception' WHERE id = $1", others)
            await wire.execute("UPDATE calls SET answered_by = 'PJSIP/102' WHERE id = $1", own)
        event, data = await anext(events)
        assert (event, json.loads(data)["call"]) == ("call", own)


async def test_the_server_stops_without_waiting_for_streams(database_dsn: str, tmp_path: Path) -> None:
    async with running_pages(database_dsn, tmp_path) as pages, stream(await pages.signed_in()) as events:
        await anext(events)
        await pages.app.shutdown()
        async with asyncio.timeout(20):
            with contextlib.suppress(aiohttp.ClientPayloadError):
                assert [event async for event in events if event[0] == "call"] == []
