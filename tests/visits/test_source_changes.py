"""Sources are renamed, merged and hidden, and whatever refers to them goes along, whichever table it is in."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

import gateway.calls
from gateway.attribution.keeping import Sources
from gateway.store.database import Database
from gateway.store.queries import load_queries
from gateway.visits import source_changes
from gateway.visits.source import Source
from gateway.visits.source_changes import NameOfAnother, SourceSettings, StillInUse
from tests.store.test_migrations import ROWS, fill

COLUMN = re.compile(r"^[a-z_]+$")


@pytest_asyncio.fixture
async def wire(database_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A database with two companies that have a row in every table."""
    await fill(database_dsn, *sorted(ROWS))
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("SELECT set_config('numberpool.companies', 'all', false)")
    await connection.execute("UPDATE attributions SET label = label")  # its trigger writes to calls
    yield connection
    await connection.close()


async def ids(wire: asyncpg.Connection) -> tuple[int, int]:
    """A company and its source "Google Ads"."""
    row = await wire.fetchrow("SELECT company_id, id FROM sources WHERE name = 'Google Ads' ORDER BY id LIMIT 1")
    assert row is not None
    return row["company_id"], row["id"]


async def add(wire: Any, company: int, name: str, **facts: Any) -> int:
    id: int = await wire.fetchval(
        "INSERT INTO sources (company_id, name, colour) VALUES ($1, $2, 5) RETURNING id", company, name
    )
    for column, value in facts.items():
        assert COLUMN.match(column)
        await wire.execute(f'UPDATE sources SET "{column}" = $2 WHERE id = $1', id, value)
    return id


async def everything(wire: asyncpg.Connection, company: int) -> dict[str, list[str]]:
    """All rows of every table that refers to sources, and the sources."""
    tables = [row["relation"] for row in await wire.fetch("SELECT relation::text FROM numberpool_source_references()")]
    return {
        table: sorted(
            row[0]
            for row in await wire.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" t WHERE company_id = $1', company)
        )
        for table in {*tables, "sources"}
    }


async def test_every_table_that_refers_to_sources_goes_along_and_comes_back(wire: asyncpg.Connection) -> None:
    company, merged = await ids(wire)
    target = await add(wire, company, "Google Search")
    references = await wire.fetch("SELECT relation::text, pointer FROM numberpool_source_references()")
    assert {"calls", "tracking_numbers", "attributions", "call_touches", "people"} <= {
        r["relation"] for r in references
    }
    counted = await wire.fetch(
        "SELECT conrelid::regclass::text FROM pg_constraint WHERE confrelid = 'sources'::regclass AND conparentid = 0"
    )
    assert len(counted) == len(references)
    for table, pointer in references:
        await wire.execute(f'UPDATE "{table}" SET "{pointer}" = $2 WHERE company_id = $1', company, merged)
        found = await wire.fetchval(f'SELECT count(*) FROM "{table}" WHERE "{pointer}" = $1', merged)
        assert found, f"no row of {table} to try it with: add one to ROWS of test_migrations"
    # The other source's own label was taken along by the line above.
    await wire.execute("UPDATE source_labels SET source_id = $1 WHERE label = 'Google Search'", target)
    before, others = await everything(wire, company), await everything(wire, company + 1)
    async with wire.transaction():
        await source_changes.merge(wire, company, merged, target)
    for table, pointer in references:
        assert await wire.fetchval(f'SELECT count(*) FROM "{table}" WHERE "{pointer}" = $1', merged) == 0, table
    assert await source_changes.one_source(wire, company, merged) is None
    assert await source_changes.merged_into(wire, company, merged) == target
    assert await source_changes.split(wire, company, merged)
    assert await everything(wire, company) == before
    assert await everything(wire, company + 1) == others
    assert not await source_changes.split(wire, company, merged)


async def test_visits_of_a_merged_source_count_where_it_went_also_tomorrow(wire: asyncpg.Connection) -> None:
    company, static = await ids(wire)
    dynamic = await add(wire, company, "Google CPC", channel="Paid Search", source="google")
    await source_changes.merge(wire, company, dynamic, static)
    label = Source("Google CPC", "Paid Search", "google", "cpc")
    assert await Sources(wire, company).id_of(label) == static
    kept = await source_changes.one_source(wire, company, static)
    assert kept is not None
    assert (kept.channel, kept.source) == ("Paid Search", "google")  # it knew nothing of its own
    assert await source_changes.split(wire, company, dynamic)
    assert await Sources(wire, company).id_of(label) == dynamic
    kept = await source_changes.one_source(wire, company, static)
    assert kept is not None
    assert (kept.channel, kept.source) == ("", "")


async def test_merged_twice_and_taken_back_in_any_order(wire: asyncpg.Connection) -> None:
    company, first = await ids(wire)
    second, third = await add(wire, company, "Second"), await add(wire, company, "Third")
    before = await everything(wire, company)
    await source_changes.merge(wire, company, first, second)
    await source_changes.merge(wire, company, second, third)
    assert await Sources(wire, company).id_of(Source("Google Ads", "", "", "")) == third
    assert await source_changes.split(wire, company, first)
    assert await source_changes.split(wire, company, second)
    assert await everything(wire, company) == before


async def test_a_call_that_began_before_the_merge_ends_where_it_went(
    wire: asyncpg.Connection, database_dsn: str
) -> None:
    ledger = load_queries(Path(gateway.calls.__file__).parent)  # the statement that writes calls

    company, merged = await ids(wire)
    target = await add(wire, company, "Other one")
    await source_changes.merge(wire, company, merged, target)
    row = await wire.fetchrow("SELECT * FROM calls WHERE company_id = $1", company)
    assert row is not None
    given = {name: row[name] for name in dict(row) if name not in ("id", "created_at")}
    written = await ledger.save_call(wire, **{**given, "asterisk_id": "new", "source_id": merged})
    assert await wire.fetchval("SELECT source_id FROM calls WHERE id = $1", written["id"]) == target


async def test_a_renamed_source_is_found_by_both_names_and_nobody_takes_them(wire: asyncpg.Connection) -> None:
    company, id = await ids(wire)
    before = await source_changes.one_source(wire, company, id)
    assert isinstance(before, SourceSettings)
    wanted = SourceSettings(id, "Search", "Paid", "google", "", "", 3, None)
    label = await source_changes.save_source(wire, company, wanted)
    assert label == "Search"
    names = Sources(wire, company, make=False)
    assert {await names.id_of(Source(name, "", "", "")) for name in ("Search", "Google Ads")} == {id}
    other = await add(wire, company, "Other one")
    for name in ("Search", "Google Ads"):
        with pytest.raises(NameOfAnother):
            await source_changes.save_source(wire, company, SourceSettings(other, name, "", "", "", "", 0, None))
    await source_changes.take_name_back(wire, company, before, label)
    assert await source_changes.one_source(wire, company, id) == before
    assert "Search" not in await source_changes.labels_of(wire, company, id)


async def test_what_numbers_stand_for_is_not_hidden(wire: asyncpg.Connection, database_dsn: str) -> None:
    company, id = await ids(wire)
    now = datetime.now(UTC)
    with pytest.raises(StillInUse):
        await source_changes.hide(wire, company, id, now)
    await wire.execute("UPDATE lendable_numbers SET lease_id = NULL")
    await wire.execute("UPDATE tracking_numbers SET retired_at = now() WHERE source_id = $1", id)
    await source_changes.hide(wire, company, id, now)
    hidden = await source_changes.one_source(wire, company, id)
    assert hidden is not None
    assert hidden.hidden_at == now


async def test_thousands_of_calls_are_told_once(database_dsn: str) -> None:
    """A merge notifies of the settings alone: pages need not read every call again."""
    database = await Database.open(database_dsn)
    told: list[str] = []
    listener = await asyncpg.connect(database_dsn)
    try:
        async with database.everything() as wire:
            company = await wire.fetchval("INSERT INTO companies (name) VALUES ('A') RETURNING id")
            node = await wire.fetchval("INSERT INTO nodes (name) VALUES ('n') RETURNING id")
            one, other = [await add(wire, company, name) for name in ("One", "Other")]
            await wire.execute(
                "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, source_id, "
                "started_at) SELECT $1, $2, 'c' || n, 3, 'ended', 'answered', '1', $3, now() "
                "FROM generate_series(1, 3000) n",
                *(company, node, one),
            )
        await listener.add_listener("numberpool_calls", lambda *given: told.append(given[3]))
        await listener.add_listener("numberpool_settings", lambda *given: told.append(given[3]))
        async with database.companies(company) as wire:
            await source_changes.merge(wire, company, one, other)
        async with database.companies(company) as wire:
            assert await wire.fetchval("SELECT count(*) FROM calls WHERE source_id = $1", other) == 3000
            await wire.execute("UPDATE calls SET note = 'x' WHERE asterisk_id = 'c1'")
        async with asyncio.timeout(30):
            while not any(":" in each for each in told):
                await listener.execute("SELECT pg_sleep(0.05)")
        assert sum(":" in each for each in told) == 1
        assert "sources" in told
    finally:
        await listener.close()
        await database.close()
