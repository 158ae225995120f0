"""The queue of durable jobs, on a real Postgres: committed or not, done though things break, held when they fail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from pgqueuer.queries import Queries

from gateway.health import Condition, Health
from gateway.store import jobs
from gateway.store.database import Database
from gateway.store.jobs import Handler, Job, TryLater, enqueue, held, release_held, run_jobs
from tests.store.waiting import until
from tests.store.wire import Wire


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(jobs, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.3)


@asynccontextmanager
async def worker(dsn: str, handlers: Mapping[str, Handler], health: Health | None = None) -> AsyncIterator[None]:
    task = asyncio.create_task(run_jobs(dsn, handlers, health or Health()))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def queued(dsn: str, *, status: str | None = None) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        count = await connection.fetchval(
            "SELECT count(*) FROM pgqueuer WHERE $1::text IS NULL OR status::text = $1", status
        )
        return int(count)
    finally:
        await connection.close()


def nothing_queued(dsn: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return await queued(dsn) == 0

    return check


async def test_the_written_out_schema_is_what_the_installed_release_wants(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    try:
        plan = await Queries.from_asyncpg_connection(connection).plan_upgrade()
    finally:
        await connection.close()
    assert plan.statements == ()
    assert plan.notes == ()


async def test_a_job_is_committed_with_its_transaction_or_not_at_all(database_dsn: str) -> None:
    done: list[Job] = []

    async def note(job: Job) -> None:
        done.append(job)

    database = await Database.open(database_dsn)
    try:
        with suppress(ZeroDivisionError):
            async with database.everything() as connection:
                await enqueue(connection, "note", {"call": 1})
                raise ZeroDivisionError
        async with database.companies() as connection:
            await enqueue(connection, "note", {"call": 2})
    finally:
        await database.close()
    async with worker(database_dsn, {"note": note}):
        await until(nothing_queued(database_dsn))
    assert [(job.name, job.payload, job.attempt, job.last) for job in done] == [("note", {"call": 2}, 1, False)]


async def test_one_key_waits_once(database_dsn: str) -> None:
    connection = await asyncpg.connect(database_dsn)
    try:
        for _ in range(3):
            await enqueue(connection, "note", {}, key="one")
        await enqueue(connection, "note", {}, key="two")
        await enqueue(connection, "note", {})
    finally:
        await connection.close()
    assert await queued(database_dsn) == 3


async def test_failures_are_retried_then_held_told_and_released(database_dsn: str) -> None:
    attempts: list[Job] = []
    broken = True

    async def fail(job: Job) -> None:
        attempts.append(job)
        if broken:
            raise RuntimeError("the printer is on fire")

    health = Health()
    connection = await asyncpg.connect(database_dsn)
    await enqueue(connection, "print", {})
    async with worker(database_dsn, {"print": fail}, health):

        async def told() -> bool:
            report = health.reports().get("jobs")
            return report is not None and report.condition is Condition.NEEDS_PERSON

        await until(told, 20)
        message = health.reports()["jobs"].message
        assert "1 × print (the printer is on fire)" in message
        assert "jobs retry" in message
        assert [job.attempt for job in attempts] == list(range(1, jobs.MOST_ATTEMPTS + 1))
        assert [job.last for job in attempts] == [False] * (jobs.MOST_ATTEMPTS - 1) + [True]
        assert [str(each) for each in await held(connection)] == ["1 × print (the printer is on fire)"]
        broken = False
        assert await release_held(connection) == 1

        async def well() -> bool:
            return health.reports()["jobs"].condition is Condition.OK

        await until(well)
        await until(nothing_queued(database_dsn))
    await connection.close()


async def test_waiting_is_no_failure(database_dsn: str) -> None:
    seen: list[int] = []

    async def wait(job: Job) -> None:
        seen.append(job.attempt)
        if len(seen) < 3 * jobs.MOST_ATTEMPTS:
            raise TryLater("the disk is full", timedelta(milliseconds=10))

    connection = await asyncpg.connect(database_dsn)
    await enqueue(connection, "wait", {})
    await connection.close()
    async with worker(database_dsn, {"wait": wait}):
        await until(nothing_queued(database_dsn), 20)
    assert set(seen) == {1}
    assert len(seen) == 3 * jobs.MOST_ATTEMPTS


async def test_stopping_lets_a_short_job_finish_and_puts_a_long_one_back(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "STOP_SECONDS", 0.5)
    began: list[str] = []
    ended: list[str] = []

    async def short(job: Job) -> None:
        began.append("short")
        await asyncio.sleep(0.2)
        ended.append("short")

    async def long(job: Job) -> None:
        began.append("long")
        await asyncio.sleep(60)

    connection = await asyncpg.connect(database_dsn)
    await enqueue(connection, "long", {})
    await enqueue(connection, "short", {})
    await connection.close()
    async with worker(database_dsn, {"short": short, "long": long}):

        async def both() -> bool:
            return sorted(began) == ["long", "short"]

        await until(both)
    assert ended == ["short"]
    assert await queued(database_dsn, status="queued") == 1
    assert await queued(database_dsn) == 1

    async def at_last(job: Job) -> None:
        assert job.attempt == 1
        ended.append("long")

    async with worker(database_dsn, {"long": at_last}):
        await until(nothing_queued(database_dsn))
    assert ended == ["short", "long"]


async def test_work_goes_on_after_the_connection_is_cut(database_dsn: str) -> None:
    done: list[Any] = []

    async def note(job: Job) -> None:
        done.append(job.payload["n"])

    connection = await asyncpg.connect(database_dsn)
    async with worker(database_dsn, {"note": note}):
        await enqueue(connection, "note", {"n": 1})
        await until(nothing_queued(database_dsn))
        cut = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'numberpool jobs' AND datname = current_database()"
        )
        assert len(cut) == 1
        await enqueue(connection, "note", {"n": 2})
        await until(nothing_queued(database_dsn))
    await connection.close()
    assert done == [1, 2]


async def test_work_goes_on_after_the_connection_fell_silent(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ANSWER_SECONDS", 1.0)
    done: list[Any] = []

    async def note(job: Job) -> None:
        done.append(job.payload["n"])

    connection = await asyncpg.connect(database_dsn)
    wire = Wire(database_dsn)
    health = Health()
    async with wire.open() as dsn, worker(dsn, {"note": note}, health):
        await enqueue(connection, "note", {"n": 1})
        await until(nothing_queued(database_dsn))
        wire.passing.clear()
        await enqueue(connection, "note", {"n": 2})

        async def told() -> bool:
            report = health.reports().get("jobs")
            return report is not None and report.condition is Condition.TROUBLED

        await until(told, 30)
        assert done == [1]
        wire.passing.set()
        await until(nothing_queued(database_dsn), 30)
    await connection.close()
    assert set(done) == {1, 2}


async def test_a_queue_that_is_not_there_is_told_and_does_not_end_the_gateway(empty_database_dsn: str) -> None:
    health = Health()
    async with worker(empty_database_dsn, {}, health):

        async def told() -> bool:
            report = health.reports().get("jobs")
            return report is not None and report.condition is Condition.NEEDS_PERSON

        await until(told)
