"""The embedded Postgres: one that binds us to row-level security, adopted after our death."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import pytest

from gateway.local.errors import DataFolderError
from gateway.local.postgres import EmbeddedPostgres
from gateway.local.processes import started_at


@pytest.fixture
def folder(short_path: Path) -> Path:
    return short_path / "postgres"


async def test_the_role_is_bound_by_row_security_and_may_use_btree_gist(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    try:
        role = await connection.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        assert role is not None
        assert not any(role.values())
        await connection.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        assert await connection.fetchval("SELECT lower('ÄÖЖ')") == "äöж"
        assert await connection.fetchval("SHOW timezone") == "UTC"
    finally:
        await connection.close()


async def test_one_test_does_not_see_the_other(database_dsn: str, empty_database_dsn: str) -> None:
    async def tables(dsn: str) -> int:
        connection = await asyncpg.connect(dsn)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
        finally:
            await connection.close()

    assert await tables(database_dsn) > 0
    assert await tables(empty_database_dsn) == 0


async def test_a_password_is_needed(postgres_server: EmbeddedPostgres) -> None:
    address = postgres_server.dsn.partition("?")[2]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://postgres:wrong@/postgres?{address}")


async def test_data_outlive_a_crash_and_a_stop(folder: Path) -> None:
    server = EmbeddedPostgres(folder, outlives_us=False)
    try:
        connection = await asyncpg.connect(await server.start())
        await connection.execute("CREATE TABLE calls AS SELECT 1 AS number")
        await connection.close()
        server.kill()
        await asyncio.sleep(0.1)
        assert server.pid is None
        connection = await asyncpg.connect(await server.start())
        assert await connection.fetchval("SELECT number FROM calls") == 1
        await connection.close()
        await server.stop()
        assert server.pid is None
        connection = await asyncpg.connect(await server.start())
        assert await connection.fetchval("SELECT number FROM calls") == 1
        await connection.close()
    finally:
        await server.stop()


_START_AND_PRINT = """
import asyncio, os, sys
from pathlib import Path
from gateway.local.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), outlives_us=sys.argv[2] == "outlives")
asyncio.run(server.start())
print(server.pid, flush=True)
os.kill(os.getpid(), 9)
"""


async def _started_by_one_that_was_killed(folder: Path, mode: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _START_AND_PRINT,
        str(folder),
        mode,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    line = await process.stdout.readline()
    await process.wait()
    return int(line)


async def test_a_server_is_adopted_when_the_one_that_started_it_was_killed(folder: Path) -> None:
    pid = await _started_by_one_that_was_killed(folder, "outlives")
    server = EmbeddedPostgres(folder)
    try:
        connection = await asyncpg.connect(await server.start())
        await connection.close()
        assert server.pid == pid
    finally:
        await server.stop()
    assert started_at(pid) is None


async def test_a_server_of_a_test_ends_with_it(folder: Path) -> None:
    pid = await _started_by_one_that_was_killed(folder, "ends")
    async with asyncio.timeout(20):
        while started_at(pid) is not None:  # noqa: ASYNC110 - another process, nothing to wait on
            await asyncio.sleep(0.02)


async def test_data_of_another_major_version_are_refused_in_words(folder: Path) -> None:
    data = folder / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(DataFolderError, match=r"PostgreSQL 17.*is 18.*pg_dump"):
        await EmbeddedPostgres(folder).start()


async def test_a_deep_folder_is_no_obstacle(folder: Path) -> None:
    deep = folder / ("a" * 80) / ("b" * 80)
    server = EmbeddedPostgres(deep, outlives_us=False, durable=False)
    try:
        connection = await asyncpg.connect(await server.start())
        await connection.close()
    finally:
        await server.stop()
