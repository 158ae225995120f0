"""Raw sides that nobody is about to make a recording of: after a crash, a full queue of failures, a restored database.

Harmless at any time, and when two gateways do it at once: a recording is expected once and its job waits once.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import structlog

from gateway.calls.audio import PART_SUFFIX
from gateway.calls.placed import MARK
from gateway.calls.record import SHORTEST_MESSAGE
from gateway.calls.recordings import enqueue_making, expect_recording
from gateway.calls.sides import FOLDER, Leftover, discard, leftovers, side_paths
from gateway.health import Condition, Health
from gateway.store.database import Database
from gateway.store.queries import load_queries

# A live call changes its files all the time, and a normal end makes its own job within seconds.
QUIET = timedelta(minutes=5)
# The outbox brings a call within minutes of Postgres' return; after a day somebody should look.
STRANGE_AFTER = timedelta(days=1)
PART_OLD_SECONDS = 3600.0

_queries = load_queries(Path(__file__).parent, "recordings.sql")
_log = structlog.get_logger(__name__)

Fate = Literal["leave", "make", "expect", "discard", "strange"]


@dataclass(frozen=True, slots=True)
class KnownCall:
    """What the database says of the call a leftover belongs to. ``recording``: the row's state, none without a row."""

    ended: bool
    recording: str | None
    held: bool
    answered: bool


def fate_of(leftover: Leftover, call: KnownCall | None, now: datetime) -> Fate:
    """What shall become of raw files.

    ``leave``: somebody else sees to them, or they are too young. ``make``: queue the job again (of a recording that is
    ready it only clears up). ``expect``: the end of the call was committed without its recording. ``discard``: nobody
    answered, so MixMonitor made the files and wrote nothing, or a message is too short to be one. ``strange``: no call
    is known after a day.
    """
    age = now - leftover.changed_at
    if age < QUIET:
        return "leave"
    if call is None:
        return "strange" if age >= STRANGE_AFTER else "leave"
    if not call.ended or call.held:
        return "leave"
    if call.recording is not None:
        return "make"
    return "expect" if call.answered or leftover.size >= SHORTEST_MESSAGE * leftover.rate * 2 else "discard"


async def adopt_leftovers(
    database: Database, node: str, spool: Path, data_folder: Path, health: Health, now: datetime | None = None
) -> int:
    """Queue what was forgotten of one node: at start, and every few minutes. How many recordings were taken up.

    Tells the health report (``recordings:<node>``) of raw files whose call nobody knows after a day.
    """
    now = now or datetime.now(UTC)
    taken_up = await _queue_forgotten(database, node)
    # Those of calls back wait in their own table (gateway.calls.placed_recordings).
    found = [each for each in await asyncio.to_thread(leftovers, spool) if not each.key.startswith(MARK)]
    old = [leftover for leftover in found if now - leftover.changed_at >= QUIET]
    strange: list[Leftover] = []
    async with database.everything() as connection:
        rows = [
            row async for row in _queries.calls_of_leftovers(connection, node=node, keys=[each.key for each in old])
        ]
    calls = {row["asterisk_id"]: row for row in rows}
    for leftover in old:
        row = calls.get(leftover.key)
        call = KnownCall(row["ended"], row["state"], row["held"], row["answered"]) if row else None
        fate = fate_of(leftover, call, now)
        if fate == "strange":
            strange.append(leftover)
        if fate == "discard":
            await asyncio.to_thread(discard, side_paths(spool, leftover.sides, leftover.rate))
        if row and fate in ("make", "expect"):
            await _take_up(database, node, row, leftover, fate)
            taken_up += 1
    _tell(health, node, spool, strange)
    await asyncio.to_thread(_sweep_parts, data_folder / FOLDER)
    if taken_up:
        _log.info("recordings.taken_up", node=node, count=taken_up)
    return taken_up


async def _queue_forgotten(database: Database, node: str) -> int:
    async with database.everything() as connection:
        rows = [row async for row in _queries.forgotten(connection, node=node)]
        for row in rows:
            await enqueue_making(connection, node, row["company_id"], row["call_id"])
    return len(rows)


async def _take_up(database: Database, node: str, row: Mapping[str, Any], leftover: Leftover, fate: Fate) -> None:
    async with database.companies(row["company_id"]) as connection:
        if fate == "expect":
            await expect_recording(
                connection,
                company_id=row["company_id"],
                call_id=row["call_id"],
                sides=leftover.sides,
                rate=leftover.rate,
            )
        else:
            await enqueue_making(connection, node, row["company_id"], row["call_id"])


def _tell(health: Health, node: str, spool: Path, strange: list[Leftover]) -> None:
    if not strange:
        health.tell(f"recordings:{node}", Condition.OK, "every raw file in the spool belongs to a call")
        return
    health.tell(
        f"recordings:{node}",
        Condition.NEEDS_PERSON,
        f"{spool / FOLDER} holds sound of {len(strange)} calls that are not in the call log, the oldest "
        f"({strange[0].key}) of {strange[0].changed_at:%Y-%m-%d %H:%M} UTC. Their records may still lie in the spool's "
        "outbox; otherwise move the files away.",
    )


def _sweep_parts(folder: Path) -> None:
    """Remove what an encoder that was killed left half written."""
    for part in folder.glob(f"*/*/*/.*{PART_SUFFIX}"):
        if part.stat().st_mtime < time.time() - PART_OLD_SECONDS:
            part.unlink(missing_ok=True)
