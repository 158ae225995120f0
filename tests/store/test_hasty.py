"""Transactions that do not wait for the disk: in all else like the others."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from gateway.local.postgres import EmbeddedPostgres
from gateway.store.database import Database


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(database_dsn, 2)
    async with database.everything() as connection:
        await connection.execute("INSERT INTO companies (name) VALUES ('One'), ('Two')")
    yield database
    await database.close()


async def names(database: Database) -> list[str]:
    async with database.everything() as connection:
        return [row["name"] for row in await connection.fetch("SELECT name FROM companies ORDER BY id")]


async def test_it_sees_the_companies_it_names_and_does_not_wait_for_the_disk(database: Database) -> None:
    for scope, seen in (
        (database.companies(2, durable=False), ["Two"]),
        (database.everything(durable=False), ["One", "Two"]),
    ):
        async with scope as connection:
            assert [row["name"] for row in await connection.fetch("SELECT name FROM companies ORDER BY id")] == seen
            assert await connection.fetchval("SHOW synchronous_commit") == "off"
    for _ in range(4):  # the pool's connections in turn
        async with database.companies() as connection:
            assert await connection.fetch("SELECT FROM companies") == []
            assert await connection.fetchval("SHOW synchronous_commit") == "on"


async def test_it_is_committed_whole_or_not_at_all(database: Database) -> None:
    async with database.companies(1, durable=False) as connection:
        await connection.execute("UPDATE companies SET name = 'First'")

    async def change(name: str) -> None:
        async with database.companies(1, durable=False) as connection:
            await connection.execute("UPDATE companies SET name = $1", name)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await change("Lost")
    with pytest.raises(asyncpg.CheckViolationError):
        await change("")
    assert await names(database) == ["First", "Two"]


async def test_one_that_is_cancelled_leaves_nothing_behind(database: Database) -> None:
    begun = asyncio.Event()

    async def visit() -> None:
        async with database.companies(1, durable=False) as connection:
            await connection.execute("UPDATE companies SET name = 'Lost'")
            begun.set()
            await asyncio.sleep(60)

    visiting = asyncio.create_task(visit())
    await begun.wait()
    visiting.cancel()
    await asyncio.wait([visiting])
    async with database.everything() as connection, asyncio.timeout(10):
        await connection.execute("UPDATE companies SET name = 'Mine' WHERE id = 1")  # nobody holds it
    assert await names(database) == ["Mine", "Two"]


async def test_one_that_is_cancelled_in_the_middle_of_a_query(database: Database) -> None:
    async def visit() -> None:
        async with asyncio.timeout(0.05), database.companies(1, durable=False) as connection:
            await connection.execute("UPDATE companies SET name = 'Lost'")
            await connection.execute("SELECT pg_sleep(60)")

    for _ in range(3):
        with pytest.raises(TimeoutError):
            await visit()
    assert await names(database) == ["One", "Two"]


async def test_a_postgres_that_hangs_holds_nobody(short_path: Path) -> None:
    server = EmbeddedPostgres(short_path / "postgres", outlives_us=False, durable=False)

    async def visit(database: Database) -> None:
        async with asyncio.timeout(0.5), database.companies(1, durable=False) as connection:
            server.suspend()
            await connection.execute("SELECT 1")

    try:
        database = await Database.open(await server.start(), 2)
        async with asyncio.timeout(15):  # a query may take thirty
            with pytest.raises(TimeoutError):
                await visit(database)
        server.resume()
        async with asyncio.timeout(15), database.companies(1, durable=False) as connection:
            assert await connection.fetchval("SELECT 1") == 1
        await database.close()
    finally:
        await server.stop()
