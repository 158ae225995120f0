"""What the marks of a call are shown with."""

from dataclasses import dataclass

from gateway.http.call_store import CallRow
from gateway.leads import jobs, marks
from gateway.leads.jobs import Job
from gateway.leads.marks import Tag
from gateway.store.database import Connection


@dataclass(frozen=True, slots=True)
class Board:
    """The tags there are, the call's job, and other jobs of the same caller, to which it may belong."""

    tags: tuple[Tag, ...]
    job: Job | None
    others: tuple[Job, ...]


async def board_of(connection: Connection, company_id: int, row: CallRow) -> Board:
    """The board of one call."""
    job = await jobs.job_of_call(connection, company_id, row.id)
    others = await jobs.jobs_of_caller(connection, company_id, row.caller) if row.caller and job is None else []
    return Board(tuple(await marks.tags_of_company(connection, company_id)), job, tuple(others))
