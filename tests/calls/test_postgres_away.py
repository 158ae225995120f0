"""Calls ring, are decided live, and are all in the log afterwards, while Postgres is stopped, killed or hangs."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.local.postgres import EmbeddedPostgres
from gateway.local.programs import AsteriskHome
from gateway.store.migrate import migrate
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_talks
from tests.installation import Installation, Number
from tests.stack import eventually


@pytest_asyncio.fixture(scope="module")
async def own_postgres() -> AsyncIterator[EmbeddedPostgres]:
    """A Postgres that these tests may hurt."""
    folder = Path(tempfile.mkdtemp(prefix="np-test-"))
    server = EmbeddedPostgres(folder / "postgres", outlives_us=False)
    await server.start()
    await migrate(server.dsn)
    yield server
    server.resume()
    await server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module")
async def hurt_exchange(
    asterisk_home: AsteriskHome, module_folder: Path, own_postgres: EmbeddedPostgres
) -> AsyncIterator[Exchange]:
    """An installation on that Postgres."""
    numbers = [Number("+13065552001", ("second",))]
    installation = Installation(asterisk_home, module_folder, own_postgres.dsn, numbers, ("main", "second"))
    exchange = Exchange(installation)
    try:
        await installation.start()
        yield exchange
    finally:
        await exchange.stop()
        await installation.stop()


@pytest_asyncio.fixture(autouse=True)
async def postgres_back(own_postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    """Whatever a test does to it, the next one finds it well."""
    yield
    own_postgres.resume()
    await own_postgres.start()


@pytest.mark.parametrize("trouble", ["stopped", "killed", "suspended"])
async def test_postgres_is_away(
    hurt_exchange: Exchange, own_postgres: EmbeddedPostgres, caller: str, trouble: str
) -> None:
    installation = hurt_exchange.installation
    before = await installation.newest()
    if trouble == "stopped":
        await own_postgres.stop()
    elif trouble == "killed":
        own_postgres.kill()
    else:
        own_postgres.suspend()
    invite = Invite("+13065552001", f"{caller[:-2]}[call_number]")
    during = await hurt_exchange.place(caller_talks(invite, 0.2), "main", "second", calls=8, rate=20)
    await during.done()
    await installation.gateway.wait_health("postgres", "troubled")
    own_postgres.resume()
    await own_postgres.start()
    rows = await installation.ended(before, 8, 20)
    assert {(row["outcome"], row["decided_by"], row["answered_by"], row["number_id"]) for row in rows} == {
        ("answered", "gateway", "PJSIP/second", 1)
    }
    assert max(row["decision_ms"] for row in rows) < installation.bound_ms
    await installation.gateway.wait_health("calls", "ok")
    await installation.gateway.wait_health("postgres", "ok")


async def test_the_gateway_dies_while_postgres_is_away(
    hurt_exchange: Exchange, own_postgres: EmbeddedPostgres, caller: str
) -> None:
    """Then the outbox alone remembers the calls."""
    installation = hurt_exchange.installation
    before = await installation.newest()
    await own_postgres.stop()
    invite = Invite("+13065552001", f"{caller[:-2]}[call_number]")
    first = await hurt_exchange.place(caller_talks(invite, 0.1), "main", "second", calls=4)
    await first.done()
    await installation.gateway.kill()
    later = await hurt_exchange.place(caller_talks(invite, 0.1), "main", "second", calls=4)
    await later.done()
    await installation.gateway.start(ready=False)

    async def waits() -> bool:
        return "Postgres does not answer" in installation.gateway.log

    await eventually(waits)
    await own_postgres.start()
    await installation.gateway.wait_ready()
    rows = await installation.ended(before, 8, 20)
    assert sorted(row["decided_by"] for row in rows) == ["fallback"] * 4 + ["gateway"] * 4
    assert {row["outcome"] for row in rows} == {"answered"}


async def test_a_number_changed_while_postgres_was_away_is_known_afterwards(
    hurt_exchange: Exchange, own_postgres: EmbeddedPostgres, caller: str
) -> None:
    installation = hurt_exchange.installation
    own_postgres.kill()
    await installation.gateway.wait_health("postgres", "troubled")
    await own_postgres.start()
    await installation.add_number(Number("+13065552009", ("second",)))
    await installation.wait_fallback("+13065552009", "PJSIP/second")
    row = await hurt_exchange.call(caller_talks(Invite("+13065552009", caller), 0.1), "second")
    assert (row["did"], row["decided_by"], row["answered_by"]) == ("+13065552009", "gateway", "PJSIP/second")
