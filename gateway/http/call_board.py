"""What the marks of a call, or another lead, are shown with."""

from dataclasses import dataclass

from gateway.http.call_store import CallRow
from gateway.http.lead_store import LeadRow
from gateway.leads import jobs, marks
from gateway.leads.jobs import Job
from gateway.leads.marks import Tag
from gateway.store.database import Connection


@dataclass(frozen=True, slots=True)
class Board:
    """The tags there are, the lead's job, and other jobs of the same person, to which it may belong."""

    tags: tuple[Tag, ...]
    job: Job | None
    others: tuple[Job, ...]


async def board_of(connection: Connection, company_id: int, row: CallRow | LeadRow) -> Board:
    """The board of one call, form, chat or text."""
    job = await jobs.job_of(connection, company_id, row.id)
    email = row.email if isinstance(row, LeadRow) else ""
    others: list[Job] = []
    if job is None and (row.caller or email):
        others = await jobs.jobs_of_caller(connection, company_id, row.caller, email)
    return Board(tuple(await marks.tags_of_company(connection, company_id)), job, tuple(others))
