"""How long recordings are kept, and their way out: marked in the database first, then taken off the disk.

Whatever dies in between, the row still names the file, and the next round takes it. The row stays and says when.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from gateway.audit import SYSTEM, Action, Actor, note
from gateway.calls.placed_recordings import delete_placed, remove_placed
from gateway.calls.sides import take_off_disk
from gateway.store.database import AWAY, Database
from gateway.store.jobs import Handler, Job, enqueue
from gateway.store.queries import load_queries

JOB = "end_retention"
LOOK_SECONDS = 6 * 3600.0
# A shorter time counts only after this: whoever set it by mistake finds it out by then.
GRACE = timedelta(days=1)
# So many are marked in one transaction.
_AT_ONCE = 200

_queries = load_queries(Path(__file__).parent, "retention.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A company's rules of its recordings; ``days`` none: kept for good, else counting from ``counts_from`` on."""

    record: bool
    announcement: str | None
    days: int | None
    counts_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class OnDisk:
    """What a company's recordings take."""

    recordings: int
    bytes: int
    seconds: float


async def kept(connection: Any, company_id: int) -> Kept | None:
    """The rules in force; none where the transaction does not see the company."""
    return _of_row(await _queries.kept(connection, company_id=company_id))


async def set_kept(connection: Any, company_id: int, after: Kept, now: datetime) -> Kept | None:
    """Set the rules, a shorter time counting after ``GRACE``; those of before, none where the company is not seen."""
    before = _of_row(await _queries.hold_kept(connection, company_id=company_id))
    if before is None:
        return None
    is_shorter = after.days is not None and (before.days is None or after.days < before.days)
    await _queries.save_kept(
        connection,
        company_id=company_id,
        record_calls=after.record,
        announcement=after.announcement,
        recordings_kept_days=after.days,
        recordings_kept_from=now + GRACE if is_shorter else before.counts_from,
    )
    return before


async def on_disk(connection: Any, company_id: int) -> OnDisk:
    """What is kept now."""
    row = await _queries.on_disk(connection, company_id=company_id)
    return OnDisk(row["recordings"], row["bytes"], row["seconds"])


async def older_than(connection: Any, company_id: int, moment: datetime) -> int:
    """How many recordings are of calls before ``moment``."""
    return int(await _queries.recordings_older(connection, company_id=company_id, before=moment))


async def mark_deleted(connection: Any, actor: Actor, company_id: int, call_id: int) -> bool:
    """Let a recording be heard no more, and write who did it; false where there is none. Files: ``remove_files``."""
    if await _queries.mark_deleted(connection, company_id=company_id, call_id=call_id) is None:
        return False
    await note(connection, actor, company_id, Action.RECORDING_DELETED, f"call/{call_id}")
    return True


async def remove_files(database: Database, data_folder: Path, companies: Collection[int]) -> int:
    """Take what was marked as deleted off the disk; how many. A file that cannot be removed is tried again later."""
    async with database.companies(*companies) as connection:
        rows = [row async for row in _queries.files_to_go(connection, companies=list(companies))]
    gone = await remove_placed(database, data_folder, companies)
    for row in rows:
        try:
            await asyncio.to_thread(take_off_disk, data_folder, row["file"])
        except OSError as error:
            _log.warning("a deleted recording is still on the disk", call=row["call_id"], fault=str(error))
            continue
        async with database.companies(row["company_id"]) as connection:
            await _queries.file_is_gone(connection, company_id=row["company_id"], call_id=row["call_id"])
        gone += 1
    return gone


async def end_retention(database: Database, data_folder: Path, now: datetime) -> int:
    """Delete every recording that is older than its company keeps them; how many."""
    async with database.everything() as connection:
        forgetful = [row async for row in _queries.companies_that_forget(connection, now=now)]
        all_of_them = [row["id"] async for row in _queries.all_companies(connection)]
    marked = 0
    for company in forgetful:
        before = now - timedelta(days=company["recordings_kept_days"])
        async with database.companies(company["id"]) as connection:
            rows = _queries.recordings_before(connection, company_id=company["id"], before=before)
            calls = [row["call_id"] async for row in rows]
        marked += await delete_placed(database, company["id"], before)
        for first in range(0, len(calls), _AT_ONCE):
            async with database.companies(company["id"]) as connection:
                for call_id in calls[first : first + _AT_ONCE]:
                    marked += await mark_deleted(connection, SYSTEM, company["id"], call_id)
    await remove_files(database, data_folder, all_of_them)
    if marked:
        _log.info("recordings are deleted, as their time is over", recordings=marked)
    return marked


def handlers(database: Database, data_folder: Path) -> Mapping[str, Handler]:
    """What ``run_jobs`` shall do."""

    async def work(_job: Job) -> None:
        await end_retention(database, data_folder, datetime.now(UTC))

    return {JOB: work}


async def keep_retention(database: Database) -> None:
    """Put the job into the queue every few hours, until cancelled."""
    while True:
        try:
            async with database.everything() as connection:
                await enqueue(connection, JOB, {}, key=JOB)
        except AWAY as error:
            _log.warning("old recordings are looked for later", fault=str(error))
        await asyncio.sleep(LOOK_SECONDS)


def _of_row(row: Any) -> Kept | None:
    if row is None:
        return None
    return Kept(row["record_calls"], row["announcement"], row["recordings_kept_days"], row["recordings_kept_from"])
