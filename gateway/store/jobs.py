"""Durable jobs (pgqueuer): put into the queue by the caller's own transaction, done at least once, held when they fail.

A job is a name and a few ids as JSON. Its handler may be run again after a crash at any point, and twice at once after
a lost connection, so it first looks whether its work is still to be done.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from pgqueuer.core.executors import EntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Context
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.queries import Queries

from gateway.health import Condition, Health
from gateway.store.database import AWAY
from gateway.store.queries import load_queries

PART = "jobs"

MOST_ATTEMPTS = 6  # with these delays: tries for about two minutes before a person is asked
FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 300.0
STOP_SECONDS = 3.0  # how long a job may go on once the gateway is told to stop; then it is put back
HEARTBEAT_SECONDS = 30.0  # a job whose worker has not been heard of for so long is done by another
ANSWER_SECONDS = 10.0  # how long Postgres may take to answer before the connection is given up
POLL_SECONDS = 5.0  # new jobs are notified; released and abandoned ones are found by looking
LOOK_SECONDS = 30.0  # how often held jobs are counted for the health report
TIDY_EVERY = 120  # looks: once an hour

_FAULTS: tuple[type[Exception], ...] = (*AWAY, FailingListenerError)

_queries = load_queries(Path(__file__).parent, "jobs.sql")
_log = structlog.get_logger(__name__)


class TryLater(Exception):
    """The work cannot be done yet, through no fault of the job: it is tried again later, as often as it takes."""

    def __init__(self, reason: str, delay: timedelta) -> None:
        super().__init__(reason)
        self.delay = delay


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at a job. ``last`` says that a failure now leaves it held."""

    name: str
    payload: Mapping[str, Any]
    attempt: int
    last: bool


Handler = Callable[[Job], Awaitable[None]]


async def enqueue(
    connection: Any,
    name: str,
    payload: Mapping[str, Any],
    *,
    key: str | None = None,
    delay: timedelta = timedelta(0),
) -> None:
    """Put a job into the queue within the transaction of ``connection``: committed with it or not at all.

    Of jobs with one ``key`` only one waits at a time; a second is silently the first.
    """
    await Queries.from_asyncpg_connection(connection).enqueue(
        name, json.dumps(payload).encode(), execute_after=delay, dedupe_key=key, on_conflict="skip"
    )


@dataclass(frozen=True, slots=True)
class Held:
    """Jobs of one name that failed as often as they may, and what the last failure said."""

    name: str
    count: int
    reason: str | None

    def __str__(self) -> str:
        return f"{self.count} × {self.name} ({self.reason or 'no reason known'})"


async def held(connection: Any) -> list[Held]:
    """The jobs that wait for a person."""
    return [_held(row) async for row in _queries.held_jobs(connection)]


def _held(row: Mapping[str, Any]) -> Held:
    return Held(row["name"], row["held"], row["reason"])


async def release_held(connection: Any) -> int:
    """Queue all held jobs again, for whoever has mended what made them fail; how many."""
    ids = [row["id"] async for row in _queries.held_ids(connection)]
    if ids:
        await Queries.from_asyncpg_connection(connection).requeue_jobs(ids)
    return len(ids)


async def run_jobs(dsn: str, handlers: Mapping[str, Handler], health: Health, *, at_once: int = 4) -> None:
    """Work the queue until cancelled: each job by the handler of its name, at most ``at_once`` together.

    A failure is retried with growing delays, then the job is held and the health report says so. When cancelled, jobs
    under way have a moment to finish; those that do not are put back into the queue.
    """
    wait = FIRST_DELAY_SECONDS
    while True:
        try:
            await _work(dsn, handlers, health, at_once)
            wait = FIRST_DELAY_SECONDS
        except _FAULTS as error:
            _log.warning("jobs.connection_lost", reason=str(error))
            health.tell(PART, Condition.TROUBLED, "Jobs wait for Postgres; they are done when it is back.")
        except Exception as error:
            # A queue that cannot be worked must not take the gateway down with it: calls are decided without it.
            _log.exception("jobs.broken")
            health.tell(PART, Condition.NEEDS_PERSON, f"Jobs cannot be worked: {error}. Trying again; see the log.")
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))
        wait = min(wait * 2, 10.0)


async def _work(dsn: str, handlers: Mapping[str, Handler], health: Health, at_once: int) -> None:
    """Work over one connection until it breaks (returns) or we are cancelled."""
    connection = await asyncpg.connect(
        dsn,
        timeout=ANSWER_SECONDS,
        command_timeout=ANSWER_SECONDS,
        server_settings={"application_name": "numberpool jobs"},
    )
    try:
        queries = Queries.from_asyncpg_connection(connection)
        manager = QueueManager(queries)
        connection.add_termination_listener(lambda _: manager.shutdown.set())
        running: set[asyncio.Task[Any]] = set()
        for name, handler in handlers.items():
            manager.register_executor(name, _Executor.of(handler, queries, running))
        looking = asyncio.create_task(_look_after(queries, health))
        working = asyncio.create_task(
            manager.run(
                dequeue_timeout=timedelta(seconds=POLL_SECONDS),
                batch_size=max(1, at_once // 2),
                max_concurrent_tasks=max(2, at_once),
                shutdown_on_listener_failure=True,
                heartbeat_timeout=timedelta(seconds=HEARTBEAT_SECONDS),
            )
        )
        try:
            await asyncio.shield(working)
        finally:
            manager.shutdown.set()
            looking.cancel()
            await asyncio.wait({working}, timeout=STOP_SECONDS)
            for task in running:
                task.cancel()
            await asyncio.wait({working})
    finally:
        connection.terminate()


async def _look_after(queries: Queries, health: Health) -> None:
    """Tell of held jobs, and forget the log of old ones. A broken connection is the worker's to notice."""
    looks = 0
    while True:
        with suppress(*_FAULTS):
            # Through pgqueuer's driver, for its lock: asyncpg allows one query at a time on a connection.
            rows = await queries.driver.fetch(_queries.held_jobs.sql)
            _tell(health, [_held(row) for row in rows])
            if looks % TIDY_EVERY == 0:
                await queries.driver.execute(_queries.forget_old_log.sql)
        looks += 1
        await asyncio.sleep(LOOK_SECONDS)


def _tell(health: Health, waiting: list[Held]) -> None:
    if not waiting:
        health.tell(PART, Condition.OK, "no job is held")
        return
    each = "; ".join(map(str, waiting))
    health.tell(
        PART,
        Condition.NEEDS_PERSON,
        f"Jobs failed and are held: {each}. Mend the cause, then run numberpool jobs retry.",
    )


@dataclass
class _Executor(EntrypointExecutor):
    """Runs one handler, and turns what it raises into what pgqueuer does next."""

    queries: Queries
    running: set["asyncio.Task[Any]"]

    @classmethod
    def of(cls, handler: Handler, queries: Queries, running: set["asyncio.Task[Any]"]) -> "_Executor":
        async def run(queued: QueuedJob) -> None:
            await handler(
                Job(
                    queued.entrypoint,
                    json.loads(queued.payload or b"{}"),
                    queued.attempts + 1,
                    queued.attempts + 1 >= MOST_ATTEMPTS,
                )
            )

        parameters = EntrypointExecutorParameters(concurrency_limit=0, func=run, on_failure="hold")
        return cls(parameters=parameters, queries=queries, running=running)

    async def execute(self, job: QueuedJob, context: Context) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.running.add(task)
        try:
            await super().execute(job, context)
        except asyncio.CancelledError:
            # The gateway stops. pgqueuer would strike a cancelled job off; it is to be done at the next start.
            await self._try_again(job, timedelta(0), "the gateway stopped", counts=False)
        except TryLater as later:
            await self._try_again(job, later.delay, str(later), counts=False)
        except Exception as error:
            if job.attempts + 1 >= MOST_ATTEMPTS:
                raise
            _log.warning("job.failed", job=job.entrypoint, attempt=job.attempts + 1, reason=str(error))
            delay = min(FIRST_DELAY_SECONDS * 2**job.attempts, LONGEST_DELAY_SECONDS)
            await self._try_again(job, timedelta(seconds=delay), str(error), counts=True)
        finally:
            self.running.discard(task)

    async def _try_again(self, job: QueuedJob, delay: timedelta, reason: str, *, counts: bool) -> None:
        if not counts:
            await self.queries.driver.execute(_queries.forgive_wait.sql, job.id)
        raise RetryRequested(delay, reason)
