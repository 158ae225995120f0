"""Every query in every ``.sql`` file of the gateway is prepared against the migrated schema."""

from pathlib import Path

import aiosql
import asyncpg
import pytest

import gateway

FOLDER = Path(gateway.__file__).parent
FILES = sorted(FOLDER.rglob("*.sql"))


def test_the_files_are_found() -> None:
    names = {str(file.relative_to(FOLDER)) for file in FILES}
    assert {
        "calls/queries.sql",
        "calls/recordings.sql",
        "pools/queries.sql",
        "pools/leases.sql",
        "store/jobs.sql",
    } <= names


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
async def test_each_query_is_understood_by_the_schema(module_database_dsn: str, file: Path) -> None:
    queries = aiosql.from_path(file, "asyncpg", mandatory_parameters=False)
    prepared = 0
    connection = await asyncpg.connect(module_database_dsn)
    try:
        for name in queries.available_queries:
            query = getattr(queries, name)
            sql = getattr(query, "sql", None)
            if sql is None or name.endswith("_cursor"):
                continue
            try:
                await connection.prepare(sql)
            except asyncpg.PostgresError as error:
                pytest.fail(f"{name} in {file.relative_to(FOLDER)}: {error}")
            prepared += 1
    finally:
        await connection.close()
    assert prepared > 0
