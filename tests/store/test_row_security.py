"""Row-level security: whatever a query asks, a transaction has to do with the companies it named and no others.

The tables are taken from the catalog, so that a later one is tried as soon as it has a ``company_id``.
"""

from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
import pytest_asyncio

from gateway.local.postgres import EmbeddedPostgres
from gateway.store.database import Database, DatabaseTooOld, RowSecurityBypassed, StoreError
from tests.store.test_migrations import ROWS, fill

Statement = Callable[[str, str], str]


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    """Two companies, each with a row in every table that has companies."""
    await fill(module_database_dsn, *ROWS)
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()


async def company_tables(database: Database) -> dict[str, str]:
    """Each table that tells companies apart, and the column by which it does."""
    async with database.everything() as connection:
        rows = await connection.fetch(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped"
            " AND NOT c.relispartition"
            " AND a.attname = CASE WHEN c.relname = 'companies' THEN 'id' ELSE 'company_id' END"
        )
    return {row["relname"]: row["attname"] for row in rows}


async def ids(database: Database) -> tuple[int, int]:
    async with database.everything() as connection:
        first, second = [row["id"] for row in await connection.fetch("SELECT id FROM companies ORDER BY id")]
    return first, second


async def test_the_walk_covers_the_tables_and_each_has_rows_of_both(database: Database) -> None:
    tables = await company_tables(database)
    assert {"companies", "calls", "legs", "recordings", "tracking_numbers", "memberships", "audit_log"} <= set(tables)
    ours, theirs = await ids(database)
    async with database.everything() as connection:
        for table, column in tables.items():
            seen = {row[0] for row in await connection.fetch(f'SELECT DISTINCT {column} FROM "{table}"')}
            assert seen == {ours, theirs}, f"{table}: add rows of both companies to ROWS in test_migrations.py"


async def test_every_table_has_the_policy_and_binds_its_owner(database: Database) -> None:
    tables = await company_tables(database)
    async with database.everything() as connection:
        for table in tables:
            row = await connection.fetchrow(
                "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", table
            )
            assert row is not None
            assert tuple(row) == (True, True), f"{table} has no forced row-level security"


async def test_a_company_sees_its_own_and_nothing_else(database: Database) -> None:
    tables = await company_tables(database)
    ours, theirs = await ids(database)
    for mine in (ours, theirs):
        async with database.companies(mine) as connection:
            for table, column in tables.items():
                seen = {row[0] for row in await connection.fetch(f'SELECT {column} FROM "{table}"')}
                assert seen == {mine}, table
    async with database.companies(ours, theirs) as connection:
        for table, column in tables.items():
            assert {row[0] for row in await connection.fetch(f'SELECT {column} FROM "{table}"')} == {ours, theirs}


@pytest.mark.parametrize(
    "statement",
    [
        lambda table, column: f'UPDATE "{table}" SET {column} = {column} WHERE {column} = $1',
        lambda table, column: f'DELETE FROM "{table}" WHERE {column} = $1',
    ],
    ids=["update", "delete"],
)
async def test_a_company_changes_nothing_of_another(database: Database, statement: Statement) -> None:
    ours, theirs = await ids(database)
    for table, column in (await company_tables(database)).items():
        async with database.companies(ours) as connection:
            if table == "companies" and "UPDATE" in statement(table, column):
                done = await connection.execute("UPDATE companies SET name = name WHERE id = $1", theirs)
            else:
                done = await connection.execute(statement(table, column), theirs)
        assert done.endswith(" 0"), table


async def test_a_company_writes_no_row_of_another(database: Database) -> None:
    """Neither by inserting one nor by moving one of its own there."""
    ours, theirs = await ids(database)
    for table, column in (await company_tables(database)).items():
        async with database.everything() as connection:
            columns = ", ".join(
                f'"{row["attname"]}"'
                for row in await connection.fetch(
                    "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0"
                    " AND NOT attisdropped AND attidentity = '' AND attgenerated = ''",
                    table,
                )
            )
            await connection.execute(
                f'CREATE TEMP TABLE copied AS SELECT {columns} FROM "{table}" WHERE {column} = $1', theirs
            )
            attempts = [f'INSERT INTO "{table}" ({columns}) SELECT * FROM copied']
            if table != "companies":
                attempts.append(f'UPDATE "{table}" SET {column} = {theirs}')
            await connection.execute(f"SELECT set_config('numberpool.companies', '{ours}', true)")
            for attempt in attempts:
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"row-level security|only added to"):
                    async with connection.transaction():
                        await connection.execute(attempt)
            await connection.execute("DROP TABLE copied")


async def test_nothing_named_shows_nothing(database: Database, module_database_dsn: str) -> None:
    tables = await company_tables(database)
    async with database.companies() as connection:
        for table in tables:
            assert await connection.fetchval(f'SELECT count(*) FROM "{table}"') == 0, table
    bare = await asyncpg.connect(module_database_dsn)
    try:
        for table in tables:
            assert await bare.fetchval(f'SELECT count(*) FROM "{table}"') == 0, table
    finally:
        await bare.close()


async def test_what_a_transaction_named_ends_with_it(database: Database) -> None:
    async with database.everything() as connection:
        assert await connection.fetchval("SELECT count(*) FROM companies") == 2
    for _ in range(12):  # the pool's connections in turn
        async with database.companies() as connection:
            assert await connection.fetchval("SELECT count(*) FROM companies") == 0


async def test_only_numbers_name_companies(database: Database) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        async with database.companies("all"):  # type: ignore[arg-type]
            pass


async def test_a_superuser_is_refused(postgres_server: EmbeddedPostgres) -> None:
    with pytest.raises(RowSecurityBypassed, match="CREATE ROLE numberpool"):
        await Database.open(postgres_server.admin_dsn)


async def test_a_user_that_bypasses_row_security_is_refused(
    postgres_server: EmbeddedPostgres, module_database_dsn: str
) -> None:
    admin = await asyncpg.connect(postgres_server.admin_dsn)
    try:
        await admin.execute("CREATE ROLE slipping LOGIN BYPASSRLS PASSWORD 'x'")
        head, _, tail = module_database_dsn.partition("@")
        assert head
        with pytest.raises(RowSecurityBypassed):
            await Database.open(f"postgresql://slipping:x@{tail}")
    finally:
        await admin.execute("DROP ROLE IF EXISTS slipping")
        await admin.close()


@pytest.mark.parametrize("error", [RowSecurityBypassed, DatabaseTooOld])
def test_each_refusal_says_how_to_mend_it(error: type[StoreError]) -> None:
    assert error.__doc__
    assert "upgrade" in error.__doc__ or "Create a user" in error.__doc__
