"""From the raw sides in Asterisk's spool to a recording that can be played, and nothing lost on the way.

The row and its job are written by the transaction that ends the call; the raw files go only after the finished file is
on disk and the row that names it is committed. So whatever dies in between, either the job or ``adopt_leftovers``
finds the raw files again.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from gateway.calls.audio import NoRoom, NothingRecorded
from gateway.calls.encoder import Encoder
from gateway.calls.sides import SidePaths, UnsafePath, discard, finished_file, side_paths
from gateway.health import Condition, Health
from gateway.reports.mail_calls import expect_message
from gateway.store.database import Database
from gateway.store.jobs import Handler, Job, TryLater, enqueue
from gateway.store.queries import load_queries

PART = "recordings"

# Asterisk flushes a side every quarter of a second while sound arrives: unchanged for so long, both are closed.
SETTLE_SECONDS = 1.0
STILL_GROWING = timedelta(seconds=3)
DISK_FULL_WAIT = timedelta(seconds=60)
NO_SPOOL_WAIT = timedelta(seconds=60)
TAKEN_WAIT = timedelta(seconds=5)
# Below this much talk, no file is nothing to wonder about.
SHORT_TALK_SECONDS = 2.0

_queries = load_queries(Path(__file__).parent, "recordings.sql")
_log = structlog.get_logger(__name__)


async def expect_recording(connection: Any, *, company_id: int, call_id: int, sides: str, rate: int) -> None:
    """Say, in the transaction that ends a call, that its recording is to be made. Said twice, it is made once.

    ``sides`` is the path of its raw files below the node's spool, without ``-caller.sln`` and ``-business.sln``;
    ``rate`` their samples a second (8000 or 16000).
    """
    row = await _queries.expect(connection, company_id=company_id, call_id=call_id, sides=sides, rate=rate)
    if row is not None:
        # Begun right away, the job would hold its place in the queue while the files settle.
        delay = timedelta(seconds=SETTLE_SECONDS)
        await enqueue_making(connection, row["node"], company_id, call_id, delay)


async def enqueue_making(
    connection: Any, node: str, company_id: int, call_id: int, delay: timedelta = timedelta(0)
) -> None:
    """Queue the making of a recording, unless that waits already. A gateway that sees the node's spool takes it."""
    payload = {"company_id": company_id, "call_id": call_id}
    await enqueue(connection, job_name(node), payload, key=f"recording:{call_id}", delay=delay)


def job_name(node: str) -> str:
    """The job that makes recordings of ``node``."""
    return f"make_recording:{node}"


class RecordingStudio:
    """Makes the recordings of the nodes whose spool folders this gateway sees."""

    def __init__(
        self, database: Database, data_folder: Path, spools: Mapping[str, Path], health: Health, encoder: Encoder
    ) -> None:
        self._database = database
        self._data_folder = data_folder
        self._spools = spools
        self._health = health
        self._encoder = encoder
        # The encoder takes one at a time; who waits for it holds no database connection.
        self._turn = asyncio.Lock()

    def handlers(self) -> Mapping[str, Handler]:
        """What ``run_jobs`` shall do."""
        return {job_name(node): self._handler(node) for node in self._spools}

    def _handler(self, node: str) -> Handler:
        async def make_recording(job: Job) -> None:
            company_id, call_id = int(job.payload["company_id"]), int(job.payload["call_id"])
            try:
                await self._make(node, company_id, call_id)
            except TryLater:
                raise
            except NoRoom as error:
                self._health.tell(PART, Condition.NEEDS_PERSON, f"{error} Until then the raw files stay in the spool.")
                raise TryLater(str(error), DISK_FULL_WAIT) from error
            except Exception as error:
                if job.last:
                    await self._give_up(company_id, call_id, error)
                raise

        return make_recording

    async def _make(self, node: str, company_id: int, call_id: int) -> None:
        async with self._database.companies(company_id) as connection:
            row = await _queries.sides(connection, company_id=company_id, call_id=call_id)
        if row is None:
            return
        try:
            paths = await asyncio.to_thread(side_paths, self._spools[node], row["sides"], row["rate"])
        except UnsafePath as error:
            await self._settle(company_id, call_id, "failed", str(error))
            return
        await self._wait_until_settled(node, paths)
        async with self._turn, self._database.companies(company_id) as connection:
            row = await _queries.take(connection, company_id=company_id, call_id=call_id)
            if row is None:
                raise TryLater("another worker is making this recording", TAKEN_WAIT)
            done = await self._make_taken(connection, paths, row, company_id, call_id)
        if done:
            await asyncio.to_thread(discard, paths)

    async def _make_taken(
        self, connection: Any, paths: SidePaths, row: Mapping[str, Any], company_id: int, call_id: int
    ) -> bool:
        """Make what is not made; whether the raw files have done their duty."""
        if row["state"] == "deleted":  # not to be made again of what is left in the spool
            return True
        if row["state"] == "ready" and (self._data_folder / row["file"]).is_file():
            return True
        if not paths.exist():
            state, fault = without_files(paths, row["talk_seconds"])
            if row["state"] == "pending":
                if state == "failed":
                    self._health.tell(PART, Condition.NEEDS_PERSON, f"Call {call_id}: {fault}")
                await _queries.settle_without(
                    connection, company_id=company_id, call_id=call_id, state=state, fault=fault
                )
            return False
        file = finished_file(company_id, row["started_at"], call_id)
        try:
            made = await self._encoder.stereo(paths.caller, paths.business, row["rate"], self._data_folder / file)
        except NothingRecorded:
            fault = "No sound reached Asterisk, from either side."
            await _queries.settle_without(
                connection, company_id=company_id, call_id=call_id, state="empty", fault=fault
            )
            return True
        await _queries.settle_ready(
            connection,
            company_id=company_id,
            call_id=call_id,
            file=file,
            seconds=made.seconds,
            bytes=made.size,
            peaks=made.peaks,
        )
        await expect_message(connection, company_id, call_id)
        self._health.tell(PART, Condition.OK, "recordings are made")
        return True

    async def _wait_until_settled(self, node: str, paths: SidePaths) -> None:
        """Return once Asterisk has closed both files: at once in the usual case, and nobody tells after a crash."""
        spool = self._spools[node]
        if not await asyncio.to_thread(spool.is_dir):
            message = (
                f"The spool folder {spool} of node {node} is not there, so its recordings wait. "
                "Mount it, or mend spool of that node in the settings."
            )
            self._health.tell(PART, Condition.NEEDS_PERSON, message)
            raise TryLater(message, NO_SPOOL_WAIT)
        before = await asyncio.to_thread(paths.look)
        if unchanged_for(before, SETTLE_SECONDS, time.time()):
            return
        # They are young, or another machine's clock stamped them, or there are none yet.
        await asyncio.sleep(SETTLE_SECONDS)
        if await asyncio.to_thread(paths.look) != before:
            raise TryLater("Asterisk is still writing", STILL_GROWING)

    async def _give_up(self, company_id: int, call_id: int, error: Exception) -> None:
        fault = (
            f"The recording could not be made ({error}). Its raw files are kept; once mended, it can be tried again."
        )
        _log.error("recording.failed", call=call_id, reason=str(error))
        await self._settle(company_id, call_id, "failed", fault)

    async def _settle(self, company_id: int, call_id: int, state: str, fault: str) -> None:
        async with self._database.companies(company_id) as connection:
            await _queries.settle_without(connection, company_id=company_id, call_id=call_id, state=state, fault=fault)


def unchanged_for(looks: tuple[tuple[int, int] | None, ...], seconds: float, now: float) -> bool:
    """Whether there are files, and none of them has changed for so long (``now``: seconds since 1970)."""
    changes = [look[1] / 1e9 for look in looks if look is not None]
    return bool(changes) and max(changes) <= now - seconds


def without_files(paths: SidePaths, talk_seconds: float | None) -> tuple[str, str]:
    """State and fault of a recording of which Asterisk wrote no file."""
    if talk_seconds is None or talk_seconds < SHORT_TALK_SECONDS:
        return "empty", "The call was over before anything was recorded."
    return "failed", (
        f"They talked for {talk_seconds:.0f} s, but Asterisk wrote no {paths.caller.name} in {paths.caller.parent}. "
        "Check that Asterisk may write there, and that spool in the settings names the same folder."
    )
