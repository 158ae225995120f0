"""Reports are kept up to date: by the worker, by pages, by the command; for whoever may see all, and who may not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio
from click.testing import CliRunner
from pydantic import SecretStr

from gateway.health import Condition, Health
from gateway.reports import recount
from gateway.reports.answer import answer, first_day, over_time
from gateway.reports.commands import reports
from gateway.reports.dimension import Dimension, Grain
from gateway.reports.measures import Measures
from gateway.reports.question import Question
from gateway.reports.rollup import count_all, count_some, keep_counting, make_all
from gateway.settings import PostgresSettings, Settings
from gateway.store.database import Connection, Database, OwnCalls, only_own_calls
from tests.reports import raw
from tests.reports.past import BEGAN, DAYS, Past, add_call, make_past
from tests.reports.test_agreement import alike
from tests.stack import eventually


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn)
    yield opened
    await opened.close()


def whole(past: Past) -> Question:
    return Question(past.company_id, BEGAN.replace(year=2025), BEGAN.replace(year=2027), by=(Dimension.SOURCE,))


async def agrees(wire: Connection, past: Past) -> None:
    known = await raw.told(wire, past.company_id)
    for question in (whole(past), replace(whole(past), by=(Dimension.PERSON,))):
        rows, total, _ = raw.counted(known, question)
        found = await answer(wire, question)
        alike(found.total, total)
        for row in found.rows:
            alike(row.measures, rows.get(tuple(key.value for key in row.keys), Measures()))


async def held(wire: Connection) -> list[int]:
    """How many blocks hold, by level."""
    rows = await wire.fetch("SELECT level, count(*) AS blocks FROM report_blocks GROUP BY 1 ORDER BY 1")
    return [row["blocks"] for row in rows]


async def test_days_that_are_over_are_summed_and_only_changed_ones_again(database: Database) -> None:
    past = await make_past(database, 21)
    await count_all(database)
    await make_all(database)
    async with database.companies(past.company_id) as wire:
        assert await first_day(wire, past.company_id) is not None
        before = await held(wire)
        assert len(before) >= 4
        assert before[0] > DAYS
        assert before[1] >= before[0] // 4 - 2
        question = whole(past)
        await answer(wire, question)
        assert await held(wire) == before
        # A day in the middle: one block of each level that it is in no longer holds.
        call = await wire.fetchval(
            "SELECT c.id FROM calls c JOIN report_facts f ON f.call_id = c.id"
            " WHERE f.kind = 'call' AND f.call_day = f.click_day AND f.shares IS NULL AND c.caller IS NULL LIMIT 1"
        )
        assert call
        await wire.execute("UPDATE calls SET ring_seconds = ring_seconds + 7 WHERE id = $1", call)
        await answer(wire, question)
        after = await held(wire)
        assert after[0] == before[0] - 1
        assert all(later in (now, now - 1) for now, later in zip(before, after, strict=False))
        # What changes nothing takes nothing out.
        await wire.execute("UPDATE calls SET settled_at = now()")
        await wire.execute("UPDATE attributions SET learned_id = NULL")
    await count_all(database)
    async with database.companies(past.company_id) as wire:
        assert await held(wire) == after
    await make_all(database)
    async with database.companies(past.company_id) as wire:
        assert await held(wire) == before
        await agrees(wire, past)


async def test_more_than_a_page_counts_is_said_to_be_stale_until_it_is_counted(database: Database) -> None:
    past = await make_past(database, 22)
    await count_all(database)
    async with database.companies(past.company_id) as wire:
        await wire.execute("UPDATE companies SET qualified_seconds = 1 WHERE id = $1", past.company_id)
        assert (await answer(wire, whole(past))).stale_days == whole(past).days
        await wire.execute("DELETE FROM report_due")
        await wire.execute("UPDATE calls SET ring_seconds = ring_seconds + 1")
        await wire.execute(
            "INSERT INTO report_due (company_id, call_id) SELECT company_id, id FROM calls, generate_series(1, 3)"
        )
        assert 0 < (await answer(wire, whole(past))).stale_days <= DAYS + 10
        await recount.make_all_due(wire, past.company_id)
    await count_all(database)
    async with database.companies(past.company_id) as wire:
        assert (await answer(wire, whole(past))).stale_days == 0
        await agrees(wire, past)


async def test_the_worker_counts_what_comes(database: Database) -> None:
    past = await make_past(database, 23)
    counting = asyncio.create_task(keep_counting(database, Health()))
    try:

        async def counted() -> bool:
            async with database.companies(past.company_id) as wire:
                return await recount.how_many_due(wire, past.company_id, 1) == 0

        await eventually(counted, seconds=120, pause=0.2)
        async with database.companies(past.company_id) as wire:
            await add_call(wire, past)
        await eventually(counted, seconds=120, pause=0.2)
        async with database.companies(past.company_id) as wire:
            await agrees(wire, past)
    finally:
        counting.cancel()
        await asyncio.wait([counting])


async def test_workers_and_pages_at_once_count_each_change_once(database: Database) -> None:
    past = await make_past(database, 24)

    async def look() -> None:
        async with database.companies(past.company_id) as wire:
            await answer(wire, whole(past))

    async def change() -> None:
        for _ in range(5):
            async with database.companies(past.company_id) as wire:
                await add_call(wire, past)

    await asyncio.gather(*(count_some(database, 40) for _ in range(4)), make_all(database), change(), look(), look())
    await asyncio.gather(count_all(database), count_all(database), make_all(database))
    async with database.companies(past.company_id) as wire:
        facts = await wire.fetchval(
            "SELECT count(*) FROM (SELECT call_id, lead_id, place FROM report_facts GROUP BY 1, 2, 3"
            " HAVING count(*) > 1) twice"
        )
        assert facts == 0
        await agrees(wire, past)


async def test_who_sees_only_his_own_calls_gets_their_figures_and_counts_for_nobody(database: Database) -> None:
    past = await make_past(database, 25)
    await count_all(database)
    await make_all(database)
    async with database.everything() as wire:
        user = await wire.fetchval("INSERT INTO users (email) VALUES ('agent@example.com') RETURNING id")
        await wire.execute("INSERT INTO memberships VALUES ($1, $2, 'agent')", user, past.company_id)
        await wire.execute("INSERT INTO member_endpoints VALUES ($1, $2, 'PJSIP/101')", past.company_id, user)
        await wire.execute(
            "UPDATE calls SET talk_seconds = talk_seconds + 1 WHERE company_id = $1 AND answered_by = 'PJSIP/102'",
            past.company_id,
        )
        waiting = await wire.fetchval("SELECT count(*) FROM report_due")
    question = replace(whole(past), by=(Dimension.PERSON,))
    with only_own_calls(OwnCalls(user, (past.company_id,))):
        async with database.companies(past.company_id) as wire:
            own = await answer(wire, question)
            assert await wire.fetchval("SELECT count(*) FROM report_due") == waiting
            lines = await over_time(wire, question, Grain.MONTH)
    async with database.companies(past.company_id) as wire:
        every = await answer(wire, question)
    his = next(row.measures for row in every.rows if row.keys[0].value == "PJSIP/101")
    assert [row.keys[0].value for row in own.rows if row.measures.calls] == ["PJSIP/101"]
    assert own.total.calls == own.rows[0].measures.calls == his.calls > 0
    assert sum(point.calls for line in lines for _, point in line.points) == his.calls
    assert own.total.calls < every.total.calls


async def test_the_command_counts_everything_again(database: Database, database_dsn: str) -> None:
    past = await make_past(database, 26, visitors=8, calls=30)
    await count_all(database)
    await make_all(database)
    async with database.companies(past.company_id) as wire:
        await wire.execute("ALTER TABLE calls DISABLE TRIGGER USER")
        await wire.execute("UPDATE calls SET answered_by = 'PJSIP/109' WHERE answered_by = 'PJSIP/101'")
        await wire.execute("ALTER TABLE calls ENABLE TRIGGER USER")
    settings = Settings(postgres=PostgresSettings(dsn=SecretStr(database_dsn)))
    done = await asyncio.to_thread(CliRunner().invoke, reports, ["rebuild", "--company", "Seed 26"], obj=settings)
    assert done.exit_code == 0, done.output
    assert "Seed 26: " in done.output
    assert "days added up" in done.output
    async with database.companies(past.company_id) as wire:
        await agrees(wire, past)
        found = await answer(wire, replace(whole(past), by=(Dimension.PERSON,)))
        assert "PJSIP/109" in {row.keys[0].value for row in found.rows}


async def test_a_company_that_is_removed_leaves_nothing_behind(database: Database) -> None:
    past, other = await make_past(database, 27, visitors=8, calls=30), await make_past(database, 28, calls=20)
    await count_all(database)
    await make_all(database)
    async with database.companies(past.company_id) as wire:
        await add_call(wire, past)
        for table in ("jobs", "calls", "attributions", "visits", "visitors", "leads"):
            await wire.execute(f"DELETE FROM {table} WHERE company_id = $1", past.company_id)
        await wire.execute("DELETE FROM tracking_numbers WHERE company_id = $1", past.company_id)
        await wire.execute("DELETE FROM companies WHERE id = $1", past.company_id)
    await count_all(database)
    await make_all(database)
    async with database.everything() as wire:
        for table in ("facts", "chances", "sums", "keys", "returns", "blocks", "due"):
            left = await wire.fetchval(f"SELECT count(*) FROM report_{table} WHERE company_id = $1", past.company_id)
            assert left == 0, table
    async with database.companies(other.company_id) as wire:
        await agrees(wire, other)


async def test_a_company_that_cannot_be_counted_holds_up_no_other(database: Database) -> None:
    bad, good = await make_past(database, 31, visitors=5, calls=20), await make_past(database, 32, calls=20)
    async with database.companies(bad.company_id) as wire:
        await wire.execute("UPDATE companies SET time_zone = 'Nowhere/At_All' WHERE id = $1", bad.company_id)
    health = Health()
    counting = asyncio.create_task(keep_counting(database, health))
    try:

        async def counted() -> bool:
            async with database.companies(good.company_id) as wire:
                return await recount.how_many_due(wire, good.company_id, 1) == 0

        await eventually(counted, seconds=120, pause=0.2)
        assert health.reports()["reports"].condition is Condition.NEEDS_PERSON
        async with database.companies(good.company_id) as wire:
            await agrees(wire, good)
    finally:
        counting.cancel()
        await asyncio.wait([counting])
