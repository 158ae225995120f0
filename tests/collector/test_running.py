"""Workers of the collector: Postgres that is away or hangs, restarts, several of them, and settings that change."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest

from gateway.health import Condition, Health
from gateway.http.collector import running
from gateway.http.collector.running import run_collector
from gateway.local.postgres import EmbeddedPostgres
from gateway.pools.sites import add_site
from gateway.settings import CollectorSettings
from gateway.store.database import Database
from gateway.store.migrate import migrate
from gateway.store.notify import Listener
from gateway.visits.ids import new_id
from gateway.visits.journal import Journal
from gateway.visits.months import keep_months
from tests.collector.conftest import ADVERTISED, CHROME, Collected, Page, Worker, running_worker
from tests.pools.shop import PRINTED, all_is_well, open_shop
from tests.stack import PROJECT, eventually


def free_port() -> int:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def test_a_postgres_that_is_away_costs_a_page_at_most_a_second(short_path: Path) -> None:
    server = EmbeddedPostgres(short_path / "postgres", outlives_us=False, durable=False)
    dsn = await server.start()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        await migrate(dsn)
        database = await Database.open(dsn)
        shop = await open_shop(database)
        worker = await stack.enter_async_context(running_worker(dsn))
        collected = Collected(worker, shop, stack)
        page = await collected.page()
        first = await page.visit()
        assert first["numbers"][0]["why"] == "lent"
        await worker.written()
        await database.close()
        await server.stop()
        for _ in range(3):
            begun = time.monotonic()
            answer = await page.visit("https://shop.example/?gclid=while-away", visit=first["visit"])
            assert time.monotonic() - begun < 5  # not the ten seconds that a connection may take
            assert (answer["why"], answer["visitor"]) == ("away", first["visitor"])
            assert answer["ask_again"] > 0
            assert [each["number"]["e164"] for each in answer["numbers"]] == [PRINTED]
        alive = asyncio.create_task(
            page.post("/v1/alive", {"site": page.key, "exposures": [first["numbers"][0]["exposure"]]})
        )
        assert (await (await alive).json())["exposures"] == {first["numbers"][0]["exposure"]: "waiting"}
        assert worker.parts.journal.waiting > 0
        await server.start()

        async def serves_again() -> bool:
            return bool((await page.visit())["why"] == "visitor")

        await eventually(serves_again, 20)
        await worker.written()
        again = await Database.open(dsn)
        async with again.companies(shop.company.id) as connection:
            # What pages said in the meantime is there, each once.
            assert await connection.fetchval("SELECT count(*) FROM visits WHERE click_id = 'while-away'") == 3
            assert await connection.fetchval(
                "SELECT last_seen > shown_at FROM exposures WHERE id = $1", UUID(first["numbers"][0]["exposure"])
            )
        await again.close()


async def test_a_postgres_that_hangs_costs_a_page_at_most_a_second(collected: Collected) -> None:
    page = await collected.page()
    await page.visit()
    async with collected.shop.database.everything() as connection:
        await connection.execute("LOCK TABLE leases IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        pages = [await collected.page() for _ in range(8)]
        answers = await asyncio.gather(*(each.visit() for each in pages))
        assert time.monotonic() - begun < 5
        assert {answer["why"] for answer in answers} == {"away"}

    async def serves_again() -> bool:
        return bool((await page.visit())["why"] == "visitor")

    await eventually(serves_again)
    await all_is_well(collected.shop)


@asynccontextmanager
async def worker_process(
    dsn: str, folder: Path, port: int, name: str = "one"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker as a program of its own."""
    file = folder / f"{name}.toml"
    file.write_text(f'data_folder = "{folder}"\n[postgres]\ndsn = "{dsn}"\n[collector]\nport = {port}\n')
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "--config", str(file), "collect", cwd=PROJECT, env={**os.environ}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def answering(port: int) -> None:
    async def is_there() -> bool:
        try:
            async with aiohttp.ClientSession() as session:
                return (await session.get(f"http://127.0.0.1:{port}/healthz")).status == 200
        except aiohttp.ClientError:
            return False

    await eventually(is_there, 30)


async def test_a_worker_that_is_stopped_loses_nothing(database_dsn: str, collected: Collected, tmp_path: Path) -> None:
    port = free_port()
    async with worker_process(database_dsn, tmp_path, port) as process:
        await answering(port)
        page = await collected.page(
            Worker(f"http://127.0.0.1:{port}", collected.worker.parts, collected.worker.database)
        )
        answers = [await page.visit(title=f"Page {number}") for number in range(5)]
        exposure = answers[-1]["numbers"][0]["exposure"]
        await page.post("/v1/leave", {"site": page.key, "exposures": [exposure]})
        await page.post("/v1/tap", {"site": page.key, "visit": answers[-1]["visit"], "number": PRINTED})
        process.terminate()
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    assert len(await collected.rows("SELECT FROM page_views")) == 5
    assert len(await collected.rows("SELECT FROM visits")) == 5  # nothing says that they belong together
    assert len(await collected.rows("SELECT FROM taps")) == 1
    (row,) = await collected.rows("SELECT left_at FROM exposures WHERE id = $1", UUID(exposure))
    assert row["left_at"] is not None
    (counted,) = await collected.rows("SELECT leased FROM pool_hours")
    assert counted["leased"] == 1


async def test_workers_share_a_port_and_a_visitor_keeps_his_number(
    database_dsn: str, collected: Collected, tmp_path: Path
) -> None:
    port = free_port()
    async with AsyncExitStack() as stack:
        for name in ("one", "two"):
            await stack.enter_async_context(worker_process(database_dsn, tmp_path, port, name))
        await answering(port)
        both = Worker(f"http://127.0.0.1:{port}", collected.worker.parts, collected.worker.database)
        visitors = [str(new_id(datetime.now(UTC))) for _ in range(3)]

        async def shown(visitor: str) -> str:
            page = await collected.page(both)  # a connection of its own, to whichever of the two takes it
            return await page.shown(visitor=visitor)

        for _ in range(4):
            numbers = await asyncio.gather(*(shown(visitor) for visitor in visitors * 4))
            assert len(set(numbers)) == 3
            for number, visitor in enumerate(visitors):
                assert len(set(numbers[number::3])) == 1, visitor
    await all_is_well(collected.shop)


async def test_a_port_that_is_taken_is_told_and_tried_again(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "RETRY_SECONDS", 0.05)
    database, health = await Database.open(database_dsn), Health()
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    serving = asyncio.create_task(
        run_collector(CollectorSettings(port=port), database, Listener(database_dsn, Health()), health)
    )

    async def is_told(condition: Condition) -> bool:
        report = health.reports().get("collector")
        return report is not None and report.condition is condition

    await eventually(lambda: is_told(Condition.NEEDS_PERSON))
    assert str(port) in health.reports()["collector"].message
    taken.close()
    await taken.wait_closed()
    await eventually(lambda: is_told(Condition.OK))
    await answering(port)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    await database.close()


async def test_a_site_that_is_made_is_known_at_once(database_dsn: str, collected: Collected) -> None:
    async with running_worker(database_dsn, listens=True) as worker:
        async with collected.shop.database.everything() as connection:
            made = await add_site(connection, collected.shop.company, "Second", hosts=["second.example"])
        page = await collected.page(worker, key=made.public_key, Origin="https://second.example")

        async def is_known() -> bool:
            answer = await page.post("/v1/visit", {"site": page.key, "url": "https://second.example/"})
            return answer.status == 200

        await eventually(is_known)


async def test_visits_lie_in_their_months_and_move_into_them(collected: Collected) -> None:
    page = await collected.page()
    answer = await page.visit()
    tables = "SELECT tableoid::regclass::text AS name FROM {}"
    for table in ("visits", "page_views", "exposures"):
        (row,) = await collected.rows(tables.format(table))
        assert row["name"] == f"{table}_other"
    await keep_months(collected.shop.database, datetime.now(UTC).date())
    await page.visit("https://shop.example/2", visit=answer["visit"])
    month = f"{datetime.now(UTC):%Y_%m}"
    for table in ("visits", "page_views", "exposures"):
        names = {row["name"] for row in await collected.rows(tables.format(table))}
        assert names == {f"{table}_{month}"}, table


async def test_a_row_that_cannot_be_written_holds_up_no_other(collected: Collected) -> None:
    page = await collected.page()
    journal: Journal = collected.worker.parts.journal
    now = datetime.now(UTC)
    journal.tapped({"company_id": collected.shop.company.id, "visit_id": "no id", "e164": "", "at": now})
    answer = await page.visit()
    journal.viewed(
        {"company_id": 10**12, "site_id": 1, "visit_id": answer["visit"], "at": now, "url": "x", "title": ""}
    )
    await page.post("/v1/tap", {"site": page.key, "visit": answer["visit"], "number": PRINTED})
    assert (await collected.visit_row(answer["visit"]))["label"] == "Google Paid"
    assert len(await collected.rows("SELECT FROM taps")) == len(await collected.rows("SELECT FROM page_views")) == 1
    assert journal.waiting == 0


async def test_addresses_in_every_answer_are_the_browsers_alone(collected: Collected) -> None:
    page = Page(collected.worker, collected.key, (await collected.page()).session, {"User-Agent": CHROME})
    answer = await page.post("/v1/visit", {"site": page.key, "url": ADVERTISED}, **{"Accept-Language": "en"})
    assert "127.0.0.1" not in await answer.text()
