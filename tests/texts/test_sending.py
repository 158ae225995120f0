"""Answers go to a carrier over real HTTP: never twice, and with what the carrier said of each."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from gateway.health import Health
from gateway.local.processes import free_port
from gateway.store.database import Database
from gateway.store.jobs import Job, TryLater, run_jobs
from gateway.texts import accounts, sending, store
from gateway.texts.carriers.shape import Kind
from gateway.texts.text import Inbound, Report, State
from tests.http.company import MadeCompany, make_company
from tests.stack import eventually
from tests.texts.signing import KINDS, PLAIN, SECRETS

THEIRS = "+13065550142"
PUBLIC = "https://www.example.com/np"

# What each carrier answers to a text that it takes.
TAKEN: dict[str, dict[str, Any]] = {
    "twilio": {"sid": "SM1", "status": "queued"},
    "signalwire": {"sid": "SM1", "status": "queued"},
    "telnyx": {"data": {"id": "SM1"}},
    "plivo": {"message_uuid": ["SM1"]},
    "vonage": {"messages": [{"status": "0", "message-id": "SM1"}]},
    "bandwidth": {"id": "SM1"},
    "voipms": {"status": "success", "sms": "SM1"},
    "general": {"data": {"id": "SM1"}},
}

Says = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Exchange:
    """A carrier on loopback, and a conversation that goes over it."""

    database: Database
    company: MadeCompany
    url: str
    says: Says
    account_id: int = 0
    conversation: int = 0
    heard: list[tuple[str, Any, Any]] = field(default_factory=list)  # path, headers, what was posted

    async def open_account(self, kind: str) -> None:
        plain = {**PLAIN[kind], "api": self.url, **({"send": f"{self.url}/send"} if kind == "general" else {})}
        async with self.database.companies(self.company.id) as connection:
            id = await accounts.add(connection, self.company.id, "Carrier", Kind(kind), plain, SECRETS[kind])
            assert id is not None
            self.account_id = id
            number = self.company.numbers["Google Ads"][1]
            await store.keep(
                connection,
                Inbound(self.company.id, id, number, THEIRS, "hello", (), "M1", None, datetime.now(UTC)),
            )
            self.conversation = await connection.fetchval("SELECT id FROM conversations")

    async def write(self, body: str) -> int:
        async with self.database.companies(self.company.id) as connection:
            return await sending.send(
                connection,
                self.company.id,
                self.conversation,
                body,
                account_id=self.account_id,
                sent_by=None,
                now=datetime.now(UTC),
            )

    async def work(self, id: int, **more: Any) -> None:
        """Do the job of a text once."""
        (handler,) = sending.handlers(self.database, PUBLIC).values()
        await handler(Job(sending.JOB, {"company": self.company.id, "text": id, **more}, 1, last=False))

    async def row(self, id: int) -> Any:
        async with self.database.companies(self.company.id) as connection:
            return await connection.fetchrow("SELECT * FROM texts WHERE id = $1", id)

    async def state(self, id: int) -> tuple[str, str]:
        row = await self.row(id)
        return row["state"], row["fault"]


@asynccontextmanager
async def running(database: Database) -> AsyncIterator[Exchange]:
    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.content_type == "application/json" else dict(await request.post())
        carrier.heard.append((request.path, request.headers.copy(), body))
        return await carrier.says(request)

    async def takes(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"sid": "SM1"})

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        carrier = Exchange(database, await make_company(database), url, takes)
        yield carrier
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture
async def exchange(database_dsn: str) -> AsyncIterator[Exchange]:
    database = await Database.open(database_dsn)
    async with running(database) as running_exchange:
        yield running_exchange
    await database.close()


def basic(user: str, password: str) -> str:
    """The header of RFC 7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def saying(status: int, body: Any) -> Says:
    async def says(_request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return says


@pytest.mark.parametrize("kind", KINDS)
async def test_each_carrier_is_told_in_its_own_words(exchange: Exchange, kind: str) -> None:
    await exchange.open_account(kind)
    exchange.says = saying(200, TAKEN[kind])
    body = "Ja — morgen um 9? 🏠"
    id = await exchange.write(body)
    await exchange.work(id)
    row = await exchange.row(id)
    assert (row["state"], row["fault"], row["carrier_id"]) == ("sent", "", "SM1")
    ((path, headers, told),) = exchange.heard
    said = json.dumps(told, ensure_ascii=False)
    assert body in said
    assert THEIRS.removeprefix("+1") in said
    assert exchange.company.numbers["Google Ads"][1].removeprefix("+1") in said
    shown = headers.get("Authorization", "")
    if kind in ("twilio", "signalwire", "plivo"):
        assert shown == basic(PLAIN[kind]["account"], SECRETS[kind]["token"])
        assert f"{PUBLIC}/v1/texts/" in said  # where it may say what became of it
        assert PLAIN[kind]["account"] in path
    elif kind == "bandwidth":
        assert shown == basic("api", "bw-api")
    elif kind in ("telnyx", "general"):
        assert shown.startswith("Bearer ")
    else:
        assert any(secret in said for secret in SECRETS[kind].values())
    await exchange.work(id)  # the job is done again after a crash
    assert len(exchange.heard) == 1


async def test_what_is_refused_has_failed_and_says_why(exchange: Exchange) -> None:
    await exchange.open_account("twilio")
    exchange.says = saying(400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient"})
    id = await exchange.write("hello?")
    await exchange.work(id)
    assert await exchange.state(id) == ("failed", "21610: Attempt to send to unsubscribed recipient")


async def test_who_is_busy_is_asked_again(exchange: Exchange) -> None:
    await exchange.open_account("twilio")
    exchange.says = saying(429, {"message": "Too many requests"})
    id = await exchange.write("hello?")
    with pytest.raises(TryLater):
        await exchange.work(id)
    assert await exchange.state(id) == ("waiting", "Too many requests")
    exchange.says = saying(201, TAKEN["twilio"])
    await exchange.work(id)
    assert await exchange.state(id) == ("sent", "")


async def test_where_nobody_is_nothing_went_and_after_two_hours_it_is_given_up(exchange: Exchange) -> None:
    await exchange.open_account("twilio")
    async with exchange.database.companies(exchange.company.id) as connection:
        plain = json.dumps({**PLAIN["twilio"], "api": f"http://127.0.0.1:{free_port()}"})
        await connection.execute("UPDATE text_accounts SET plain = $1::jsonb", plain)
    id = await exchange.write("hello?")
    with pytest.raises(TryLater):
        await exchange.work(id)
    state, fault = await exchange.state(id)
    assert (state, "cannot be reached" in fault) == ("waiting", True)
    async with exchange.database.companies(exchange.company.id) as connection:
        await connection.execute("UPDATE texts SET at = at - $1::interval WHERE id = $2", timedelta(hours=3), id)
    await exchange.work(id)
    assert (await exchange.state(id))[0] == "failed"


@pytest.mark.parametrize("fault", ["hangs up", "server's fault", "nonsense"])
async def test_where_nobody_knows_it_is_not_sent_twice(exchange: Exchange, fault: str) -> None:
    await exchange.open_account("vonage" if fault == "nonsense" else "twilio")

    async def says(request: web.Request) -> web.StreamResponse:
        if fault == "hangs up":
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=200 if fault == "nonsense" else 502, text="?")

    exchange.says = says
    id = await exchange.write("hello?")
    await exchange.work(id)
    await exchange.work(id)
    assert (await exchange.state(id))[0] == "unsure"
    assert len(exchange.heard) == 1
    # A person decides.
    exchange.says = saying(200, TAKEN["vonage" if fault == "nonsense" else "twilio"])
    async with exchange.database.companies(exchange.company.id) as connection:
        assert await sending.send_again(connection, exchange.company.id, exchange.conversation, id)
        assert not await sending.send_again(connection, exchange.company.id, exchange.conversation, id)
    await exchange.work(id, again=True)
    assert (await exchange.state(id))[0] == "sent"
    assert len(exchange.heard) == 2


async def test_one_that_was_half_done_when_we_died_is_not_sent_again(exchange: Exchange) -> None:
    await exchange.open_account("twilio")
    id = await exchange.write("hello?")
    async with exchange.database.companies(exchange.company.id) as connection:
        await connection.execute("UPDATE texts SET state = 'sending' WHERE id = $1", id)
    await exchange.work(id)
    assert (await exchange.state(id))[0] == "unsure"
    assert exchange.heard == []


async def test_who_wants_no_texts_gets_none_whatever_waits(exchange: Exchange) -> None:
    await exchange.open_account("twilio")
    id = await exchange.write("hello?")
    number = exchange.company.numbers["Facebook"][1]  # another of the company's numbers
    async with exchange.database.companies(exchange.company.id) as connection:
        stop = Inbound(
            exchange.company.id, exchange.account_id, number, THEIRS, "STOP", (), "M2", None, datetime.now(UTC)
        )
        await store.keep(connection, stop)
    await exchange.work(id)
    assert (await exchange.state(id))[0] == "failed"
    assert exchange.heard == []


async def test_without_its_account_it_fails(exchange: Exchange) -> None:
    await exchange.open_account("twilio")
    id = await exchange.write("hello?")
    async with exchange.database.companies(exchange.company.id) as connection:
        await accounts.remove(connection, exchange.company.id, exchange.account_id)
    await exchange.work(id)
    assert (await exchange.state(id))[0] == "failed"


async def test_a_report_that_comes_before_the_answer_is_not_lost(exchange: Exchange) -> None:
    await exchange.open_account("twilio")

    async def says(_request: web.Request) -> web.StreamResponse:
        report = Report(exchange.company.id, exchange.account_id, "SM1", State.DELIVERED, "", datetime.now(UTC))
        async with exchange.database.companies(exchange.company.id) as connection:
            await store.note_report(connection, report)
        return web.json_response(TAKEN["twilio"])

    exchange.says = says
    id = await exchange.write("hello?")
    await exchange.work(id)
    assert await exchange.state(id) == ("delivered", "")
    async with exchange.database.companies(exchange.company.id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM text_reports") == 0


async def test_by_the_queue(exchange: Exchange, database_dsn: str) -> None:
    """As the gateway does it: written in one transaction, sent by a worker."""
    await exchange.open_account("twilio")
    working = asyncio.create_task(run_jobs(database_dsn, sending.handlers(exchange.database, PUBLIC), Health()))
    try:
        ids = [await exchange.write(f"text {each}") for each in range(5)]

        async def all_sent() -> bool:
            return all([(await exchange.state(id))[0] == "sent" for id in ids])

        exchange.says = saying(201, {})  # an answer without an id
        await eventually(all_sent)
        assert sorted(told["Body"] for _, _, told in exchange.heard) == [f"text {each}" for each in range(5)]
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
