"""Jobs: what a person bought. A job comes of one or more leads and counts once; a lead belongs to one job at most."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import asyncpg

from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "jobs.sql")

# As much as a job of a roofer or of a shipyard; more is a slip of the finger.
HIGHEST_VALUE = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class Job:
    """What was bought; ``calls`` are the calls it came of, the oldest first."""

    id: int
    value: Decimal
    currency: str
    booked_at: datetime
    calls: tuple[int, ...]


async def job_of_call(connection: Connection, company_id: int, call_id: int) -> Job | None:
    """The job that a call led to."""
    row = await _queries.job_of_call(connection, company_id=company_id, call_id=call_id)
    return _job(row) if row is not None else None


async def jobs_of_caller(connection: Connection, company_id: int, caller: str) -> list[Job]:
    """The newest jobs that came of calls from a number."""
    return [_job(row) async for row in _queries.jobs_of_caller(connection, company_id=company_id, caller=caller)]


async def book(
    connection: Connection, company_id: int, call_id: int, value: Decimal, user_id: int | None, at: datetime
) -> int:
    """A job of its own for a call, in the company's currency; its id."""
    job_id: int = await _queries.insert_job(
        connection, company_id=company_id, value=value, booked_at=at, user_id=user_id
    )
    await _queries.link_call(connection, company_id=company_id, job_id=job_id, call_id=call_id)
    return job_id


async def set_value(connection: Connection, company_id: int, job_id: int, value: Decimal) -> Decimal | None:
    """Correct what a job brought; the value before, none where there is no such job."""
    before: Decimal | None = await _queries.set_value(connection, company_id=company_id, job_id=job_id, value=value)
    return before


async def join(connection: Connection, company_id: int, job_id: int, call_id: int) -> bool:
    """This call led to a job that is there already, such as of the same person; whether there is such a job."""
    return bool(await _queries.link_call(connection, company_id=company_id, job_id=job_id, call_id=call_id))


async def leave(connection: Connection, company_id: int, call_id: int) -> Job | None:
    """The call led to no job after all. A job without any lead is gone too; as it was before."""
    job = await job_of_call(connection, company_id, call_id)
    if job is not None:
        await _queries.unlink_call(connection, company_id=company_id, call_id=call_id)
        await _queries.remove_without_leads(connection, company_id=company_id, job_id=job.id)
    return job


async def bring_back(connection: Connection, company_id: int, call_id: int, job: Job, user_id: int | None) -> None:
    """Undo :func:`leave`: the job with this call as it was."""
    if await join(connection, company_id, job.id, call_id):
        return
    await book(connection, company_id, call_id, job.value, user_id, job.booked_at)


def _job(row: asyncpg.Record) -> Job:
    return Job(row["id"], row["value"], row["currency"], row["booked_at"], tuple(row["calls"]))
