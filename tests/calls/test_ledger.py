"""The ledger over a real Postgres: records in any order and as often as may be make the same rows."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.calls.directory import Directory
from gateway.calls.ledger import Ledger, Noted, Settled
from gateway.calls.load import load_directory
from gateway.calls.record import CallRecord, Stage
from gateway.calls.route import Destination
from gateway.health import Condition, Health
from gateway.store.database import Database
from tests.calls.lines import as_of
from tests.calls.records import BEGAN, ended_records
from tests.stack import eventually

_nodes = itertools.count(1)
EXAMPLE = CallRecord(
    key="pbx-1.1-1",
    unique_id="pbx-1.1",
    stage=Stage.ENDED,
    started_at=BEGAN,
    trunk="trunk",
    dialled=("+13065552001", "", "", ""),
    caller="+13065550100",
    caller_name="Jo",
    ended_at=BEGAN,
)


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(module_database_dsn)
    async with opened.everything() as connection:
        await connection.execute(
            """INSERT INTO companies (name, region, is_default) VALUES ('Acme', 'CA', true);
            INSERT INTO sources (company_id, name) VALUES (1, 'Google Ads');
            INSERT INTO pools (company_id, name, kind) VALUES (1, 'Print', 'static');
            INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id)
            VALUES (1, 1, '+13065552001', 1), (1, 1, '+13065552002', NULL)"""
        )
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="module")
async def directory(database: Database) -> Directory:
    async with database.everything() as connection:
        return await load_directory(connection, Destination("PJSIP/main", 30))


@asynccontextmanager
async def writing(database: Database, directory: Directory) -> AsyncIterator[tuple[Ledger, list[Settled], str, Health]]:
    """A ledger at work, what it has settled, and the name of a node of its own."""
    health = Health()
    ledger = Ledger(database, health, lambda: directory)
    settled: list[Settled] = []
    node = f"node-{next(_nodes)}"
    ledger.on_settled[node] = settled.append
    task = asyncio.create_task(ledger.run())
    try:
        yield ledger, settled, node, health
    finally:
        task.cancel()
        await asyncio.wait([task])


async def rows_of(database: Database, node: str) -> list[dict[str, Any]]:
    """All that the log says of a node's calls, legs and recordings, without the ids that differ."""
    async with database.everything() as connection:
        calls: list[asyncpg.Record] = await connection.fetch(
            "SELECT calls.* FROM calls JOIN nodes ON nodes.id = node_id WHERE nodes.name = $1 ORDER BY asterisk_id",
            node,
        )
        found = []
        for call in calls:
            kept = {key: value for key, value in call.items() if key not in ("id", "node_id", "created_at")}
            for table, order in (("legs", "position"), ("recordings", "call_id")):
                rows = await connection.fetch(f"SELECT * FROM {table} WHERE call_id = $1 ORDER BY {order}", call["id"])
                kept[table] = [{key: value for key, value in row.items() if key != "call_id"} for row in rows]
            found.append(kept)
        return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(ended_records(2), min_size=1, max_size=6, unique_by=lambda record: record.key),
    data=st.data(),
)
async def test_any_order_and_repetition_makes_the_same_rows(
    database: Database, directory: Directory, calls: list[CallRecord], data: st.DataObject
) -> None:
    every = [as_of(record, stage) for record in calls for stage in Stage]
    again = data.draw(st.lists(st.sampled_from(every), max_size=8), label="repeated")
    order = data.draw(st.permutations(every + again), label="order")
    pauses = data.draw(st.sets(st.integers(0, len(order)), max_size=3), label="written in between")
    async with writing(database, directory) as (ledger, settled, node, _):
        for position, record in enumerate(order):
            ledger.note(Noted(node, record))
            if position in pauses:
                await ledger.wait_idle()
        await ledger.wait_idle()
        shuffled = await rows_of(database, node)
        assert {one.noted.record.key for one in settled} == {record.key for record in calls}
        assert not [one for one in settled if one.fault]
    async with writing(database, directory) as (ledger, _, plain, _):
        for record in calls:
            ledger.note(Noted(plain, record))
        await ledger.wait_idle()
    assert len(shuffled) == len(calls)
    assert shuffled == await rows_of(database, plain)


async def test_two_that_see_a_node_first_at_one_instant_mean_the_same(database: Database, directory: Directory) -> None:
    ledger = Ledger(database, Health(), lambda: directory)
    async with database.everything() as first:
        made = await first.fetchval("INSERT INTO nodes (name) VALUES ('twice') RETURNING id")
        other = asyncio.create_task(ledger.node_id("twice"))

        async def waits() -> bool:
            return bool(await first.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

        await eventually(waits)
    assert await other == made


async def test_one_bad_record_stops_no_other(database: Database, directory: Directory) -> None:
    good, bad = EXAMPLE, replace(EXAMPLE, key="bad", trunk="a\0b")
    async with writing(database, directory) as (ledger, settled, node, _):
        for record in (bad, good):
            ledger.note(Noted(node, record))
        await ledger.wait_idle()
        rows = await rows_of(database, node)
    assert [row["asterisk_id"] for row in rows] == [good.key]
    assert {(one.noted.record.key, one.fault is None) for one in settled} == {(good.key, True), ("bad", False)}


async def test_a_number_that_was_deleted_meanwhile(database: Database, directory: Directory) -> None:
    """The call was decided by a number and a source that are gone: it is in the log all the same."""
    record = replace(EXAMPLE, number_id=999, source_id=999, dialled=("999", "", "", ""))
    async with writing(database, directory) as (ledger, _, node, _):
        ledger.note(Noted(node, record))
        await ledger.wait_idle()
        (row,) = await rows_of(database, node)
    assert (row["number_id"], row["source_id"], row["did"]) == (None, None, "999")


async def test_calls_wait_for_a_company(database: Database, directory: Directory) -> None:
    """Without any company calls wait, Health says what to type, and they come in once there is one."""
    present = [Directory({}, {}, {}, None, directory.default_route)]
    health = Health()
    ledger = Ledger(database, health, lambda: present[0])
    node = f"node-{next(_nodes)}"
    task = asyncio.create_task(ledger.run())
    try:
        ledger.note(Noted(node, EXAMPLE))

        async def is_told() -> bool:
            report = health.reports().get("calls")
            return report is not None and report.condition is Condition.NEEDS_PERSON

        await eventually(is_told)
        assert "numberpool company add" in health.reports()["calls"].message
        assert not await rows_of(database, node)
        present[0] = directory

        async def is_in() -> bool:
            return len(await rows_of(database, node)) == 1

        await eventually(is_in)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_calls_of_nobody_hold_up_no_other(database: Database, directory: Directory) -> None:
    """No company takes the calls of unknown numbers: they wait, and those of known numbers are written."""
    nobodys = [
        replace(EXAMPLE, key=f"nobody-{one}", number_id=None, source_id=None, dialled=("999", "", "", ""))
        for one in range(250)
    ]
    async with writing(database, replace(directory, default_company=None)) as (ledger, settled, node, health):
        for record in (*nobodys, EXAMPLE):
            ledger.note(Noted(node, record))
        await ledger.wait_idle()
        assert [row["asterisk_id"] for row in await rows_of(database, node)] == [EXAMPLE.key]
        assert [one.noted.record.key for one in settled] == [EXAMPLE.key]
        assert health.reports()["calls"].condition is Condition.NEEDS_PERSON
