"""What a transaction of an agent sees of calls: held by the database, whatever is asked; carried by the task."""

import asyncio

import asyncpg
import pytest

from gateway.store.database import Database, OwnCalls, only_own_calls
from gateway.store.migrate import known_revisions, migrate
from tests.store.test_migrations import ROWS, fill


async def test_calls_of_before_are_found_by_their_telephones_as_well(empty_database_dsn: str) -> None:
    """Those that an older version wrote: by who answered, by legs, by each telephone of a group."""
    earlier = known_revisions()[: known_revisions().index("0009_accounts")]
    await migrate(empty_database_dsn, earlier[-1])
    await fill(empty_database_dsn, *earlier)
    connection = await asyncpg.connect(empty_database_dsn)
    try:
        await connection.execute("SELECT set_config('numberpool.companies', 'all', false)")
        await connection.execute("UPDATE calls SET answered_by = 'PJSIP/102', last_answered_by = 'PJSIP/103'")
        await connection.execute("UPDATE legs SET dial = 'PJSIP/101&PJSIP/102', answered_by = 'PJSIP/102'")
        await migrate(empty_database_dsn)
        rows = await connection.fetch("SELECT DISTINCT endpoint, answered FROM endpoints_reached ORDER BY endpoint")
    finally:
        await connection.close()
    assert [tuple(row) for row in rows] == [("PJSIP/101", False), ("PJSIP/102", True), ("PJSIP/103", True)]


@pytest.mark.parametrize("table", ["calls", "legs", "recordings", "placed_calls"])
async def test_nothing_shows_an_agent_what_is_not_his(database_dsn: str, table: str) -> None:
    await fill(database_dsn, *ROWS)
    database = await Database.open(database_dsn)
    key = "id" if table == "calls" else "call_id"
    try:
        async with database.everything() as wire:
            first, second = [row["id"] for row in await wire.fetch("SELECT id FROM companies ORDER BY id")]
            user = await wire.fetchval("SELECT min(user_id) FROM memberships")
            await wire.execute("DELETE FROM member_endpoints")
            await wire.execute("INSERT INTO member_endpoints VALUES ($1, $2, 'PJSIP/102')", first, user)
            call = await wire.fetchval("SELECT min(id) FROM calls WHERE company_id = $1", first)
            await wire.execute("DELETE FROM endpoints_reached")

        async def seen(*companies: int) -> int:
            async with database.companies(*companies) as wire:
                count: int = await wire.fetchval(f"SELECT count(*) FROM {table} WHERE company_id = ANY ($1)", companies)
                # Nor by changing it, nor by what a join would give away.
                touched = await wire.fetch(f"UPDATE {table} SET company_id = company_id RETURNING 1")
                assert len(touched) == count
            return count

        everything = await seen(first)
        assert everything > 0
        with only_own_calls(OwnCalls(user, (first,))):
            assert await seen(first) == 0
            assert await seen(first, second) == await seen(second)  # no agent there
            async with database.everything() as wire:
                await wire.execute("INSERT INTO endpoints_reached VALUES ($1, 'PJSIP/102', $2, true)", first, call)
            async with database.companies(first) as wire:
                assert {row[0] for row in await wire.fetch(f"SELECT {key} FROM {table}")} == {call}
            # A task of the request keeps to it, also when it outlives the block.
            inside = asyncio.create_task(_later(database, first, table))
        assert await seen(first) == everything
        assert await inside < everything or everything == 1
        with only_own_calls(OwnCalls(user, (first,))), only_own_calls(None):
            assert await seen(first) == everything
    finally:
        await database.close()


async def _later(database: Database, company: int, table: str) -> int:
    await asyncio.sleep(0.05)
    async with database.companies(company) as wire:
        count: int = await wire.fetchval(f"SELECT count(*) FROM {table}")
    return count


async def test_a_connection_carries_no_limit_over_to_the_next(database_dsn: str) -> None:
    """They are used again and again: what one transaction was told ends with it."""
    await fill(database_dsn, *ROWS)
    database = await Database.open(database_dsn, connections=1)
    try:
        async with database.everything() as wire:
            first = await wire.fetchval("SELECT min(id) FROM companies")
        for durable in (True, False):
            with only_own_calls(OwnCalls(999, (first,))):
                async with database.companies(first, durable=durable) as wire:
                    assert await wire.fetchval("SELECT count(*) FROM calls") == 0
            async with database.companies(first, durable=durable) as wire:
                assert await wire.fetchval("SELECT count(*) FROM calls") > 0
    finally:
        await database.close()
