"""Rules run over past visits step by step: what is tried is what is applied, a broken run goes on, calls follow."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from gateway.store.database import Database
from gateway.store.jobs import Job
from gateway.visits import rule_runs
from gateway.visits.rule_runs import BROKEN, STOPPED, Run
from gateway.visits.rule_store import run_again, store_rules
from gateway.visits.ruleset import RuleSet

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FLYERS = RuleSet.from_json(
    json.dumps(
        {
            "version": "1",
            "extends": "default",
            "rules": [{"name": "flyers", "when": {"source": ["flyer"]}, "then": {"label": "Flyer", "medium": "print"}}],
        }
    )
)


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn)
    yield opened
    await opened.close()


async def visits(database: Database, count: int) -> int:
    """A company with visits, every third by a flyer, some at one instant."""
    async with database.everything() as wire:
        company: int = await wire.fetchval("INSERT INTO companies (name) VALUES ('Acme') RETURNING id")
        site = await wire.fetchval(
            "INSERT INTO sites (company_id, name, public_key) VALUES ($1, 'Home', 'abcdefghijklmnop') RETURNING id",
            company,
        )
        await wire.execute(
            "INSERT INTO visits (company_id, site_id, id, started_at, label, channel, source, url, rule) "
            "SELECT $1, $2, gen_random_uuid(), $3::timestamptz - make_interval(secs => (n / 2) * 60), 'Direct', "
            "'Direct', '(direct)', 'https://home.example/' || CASE WHEN n % 3 = 0 THEN '?utm_source=flyer' ELSE '' END,"
            " 'direct' "
            "FROM generate_series(1, $4) n",
            *(company, site, NOW, count),
        )
    return company


async def begun(database: Database, company: int, *, applies: bool) -> int:
    async with database.companies(company) as wire:
        version = await store_rules(wire, company, FLYERS) if applies else None
        since = NOW - timedelta(days=30)
        return await rule_runs.begin(wire, company, FLYERS, since, NOW, version=version, user_id=None)


async def the_run(database: Database, company: int, id: int) -> Run:
    async with database.companies(company) as wire:
        found = await rule_runs.one_run(wire, company, id)
    assert found is not None
    return found


async def labels(database: Database, company: int) -> dict[str, int]:
    async with database.companies(company) as wire:
        rows = await wire.fetch("SELECT label, count(*) AS visits FROM visits GROUP BY label")
    return {row["label"]: row["visits"] for row in rows}


async def test_what_is_tried_is_what_is_applied(database: Database) -> None:
    company = await visits(database, 1999)
    before = await labels(database, company)
    trial = await begun(database, company, applies=False)
    await rule_runs.carry_out(database, company, trial)
    tried = await the_run(database, company, trial)
    assert await labels(database, company) == before
    async with database.companies(company) as wire:
        again = run_again(wire, company, FLYERS, NOW - timedelta(days=30), NOW)
        expected = [each async for each in again if each.differs]
    assert tried.seen == tried.total == sum(before.values()) - 1  # the time ends before the last
    assert tried.changed == len(expected)
    assert sum(visits for _, _, visits in tried.totals) == len(expected)
    assert ("Direct", "Flyer") in {(was, now) for was, now, _ in tried.totals}
    assert len(tried.shown) == 50
    applied = await begun(database, company, applies=True)
    await rule_runs.carry_out(database, company, applied)
    done = await the_run(database, company, applied)
    assert (done.changed, done.totals, done.ended_at is not None) == (tried.changed, tried.totals, True)
    assert (await labels(database, company))["Flyer"] == {now: n for _, now, n in tried.totals}["Flyer"]
    # Once more changes nothing, and an ended run stays as it is.
    await rule_runs.carry_out(database, company, applied)
    again_id = await begun(database, company, applies=True)
    await rule_runs.carry_out(database, company, again_id)
    assert (await the_run(database, company, again_id)).changed == 0


async def test_a_run_that_was_broken_off_goes_on_where_it_was(database: Database, monkeypatch: Any) -> None:
    company = await visits(database, 1500)
    whole = await begun(database, company, applies=False)
    await rule_runs.carry_out(database, company, whole)
    run = await begun(database, company, applies=False)
    steps, step = 0, rule_runs._step

    async def one_step(*given: Any) -> bool:
        nonlocal steps
        steps += 1
        if steps == 2:
            raise ConnectionResetError
        return await step(*given)

    monkeypatch.setattr(rule_runs, "_step", one_step)
    with pytest.raises(ConnectionResetError):
        await rule_runs.carry_out(database, company, run)
    half = await the_run(database, company, run)
    assert 0 < half.seen < half.total
    assert half.is_under_way
    await rule_runs.carry_out(database, company, run)
    end, expected = await the_run(database, company, run), await the_run(database, company, whole)
    assert (end.seen, end.changed, end.totals, end.shown) == (
        expected.seen,
        expected.changed,
        expected.totals,
        expected.shown,
    )


async def test_it_is_stopped_and_says_when_it_failed_for_good(database: Database) -> None:
    company = await visits(database, 30)
    run = await begun(database, company, applies=False)
    async with database.companies(company) as wire:
        await rule_runs.stop(wire, company, run)
    await rule_runs.carry_out(database, company, run)
    stopped = await the_run(database, company, run)
    assert (stopped.fault, stopped.seen) == (STOPPED, 0)
    run = await begun(database, company, applies=False)
    async with database.everything() as wire:
        await wire.execute("UPDATE rule_runs SET rules = 'no rules' WHERE id = $1", run)
    work = rule_runs.handlers(database)[rule_runs.JOB]
    for last in (False, True):
        with pytest.raises(Exception, match=r".+"):
            await work(Job(rule_runs.JOB, {"company": company, "run": run}, 1, last))
        assert (await the_run(database, company, run)).fault == (BROKEN if last else None)


async def test_two_workers_do_each_step_once(database: Database) -> None:
    company = await visits(database, 2500)
    run = await begun(database, company, applies=True)
    await asyncio.gather(*(rule_runs.carry_out(database, company, run) for _ in range(2)))
    done = await the_run(database, company, run)
    assert done.seen == done.total
    assert (await labels(database, company))["Flyer"] == {now: n for _, now, n in done.totals}["Flyer"]
