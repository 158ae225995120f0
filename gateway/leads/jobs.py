"""Jobs: what a person bought. A job comes of one or more leads and counts once; a lead belongs to one job at most."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from gateway.leads.marks import Marked
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "jobs.sql")

# As much as a job of a roofer or of a shipyard; more is a slip of the finger.
HIGHEST_VALUE = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class Job:
    """What was bought; ``calls`` and ``leads`` (forms, chats, texts) are what it came of."""

    id: int
    value: Decimal
    currency: str
    booked_at: datetime
    calls: tuple[int, ...]
    leads: tuple[UUID, ...] = ()


async def job_of(connection: Connection, company_id: int, id: Marked) -> Job | None:
    """The job that a call, or another lead, led to."""
    row = await _queries.job_of(connection, company_id=company_id, **_which(id))
    return _job(row) if row is not None else None


async def jobs_of_caller(connection: Connection, company_id: int, caller: str | None, email: str = "") -> list[Job]:
    """The newest jobs of a number (E.164) or an address: of calls from it, and of what was written with it."""
    rows = _queries.jobs_of_caller(connection, company_id=company_id, caller=caller or None, email=email or None)
    return [_job(row) async for row in rows]


async def book(
    connection: Connection, company_id: int, id: Marked, value: Decimal, user_id: int | None, at: datetime
) -> int:
    """A job of its own for a lead, in the company's currency; its id."""
    job_id: int = await _queries.insert_job(
        connection, company_id=company_id, value=value, booked_at=at, user_id=user_id
    )
    await join(connection, company_id, job_id, id)
    return job_id


async def set_value(connection: Connection, company_id: int, job_id: int, value: Decimal) -> Decimal | None:
    """Correct what a job brought; the value before, none where there is no such job."""
    before: Decimal | None = await _queries.set_value(connection, company_id=company_id, job_id=job_id, value=value)
    return before


async def join(connection: Connection, company_id: int, job_id: int, id: Marked) -> bool:
    """This lead led to a job that is there already, such as of the same person; whether there is such a job."""
    place = {"company_id": company_id, "job_id": job_id}
    if isinstance(id, UUID):
        return bool(await _queries.link_lead(connection, **place, lead_id=id))
    return bool(await _queries.link_call(connection, **place, call_id=id))


async def leave(connection: Connection, company_id: int, id: Marked) -> Job | None:
    """The lead led to no job after all. A job without any lead is gone too; as it was before."""
    job = await job_of(connection, company_id, id)
    if job is not None:
        await _queries.unlink(connection, company_id=company_id, **_which(id))
        await _queries.remove_without_leads(connection, company_id=company_id, job_id=job.id)
    return job


async def bring_back(connection: Connection, company_id: int, id: Marked, job: Job, user_id: int | None) -> None:
    """Undo :func:`leave`: the job with this lead as it was."""
    if await join(connection, company_id, job.id, id):
        return
    await book(connection, company_id, id, job.value, user_id, job.booked_at)


def _which(id: Marked) -> dict[str, Any]:
    return {"call_id": None, "lead_id": id} if isinstance(id, UUID) else {"call_id": id, "lead_id": None}


def _job(row: asyncpg.Record) -> Job:
    return Job(
        row["id"], row["value"], row["currency"], row["booked_at"], tuple(row["calls"] or ()), tuple(row["leads"] or ())
    )
