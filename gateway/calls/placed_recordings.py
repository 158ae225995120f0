"""Recordings of calls back. What waits to be made says the table itself, so nothing is forgotten, whatever dies."""

import asyncio
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from gateway.audit import SYSTEM, Action, note
from gateway.calls.audio import AudioError, NoRoom, NothingRecorded
from gateway.calls.encoder import Encoder
from gateway.calls.recordings import SETTLE_SECONDS, unchanged_for, without_files
from gateway.calls.sides import FOLDER, UnsafePath, discard, finished_back, side_paths, take_off_disk
from gateway.store.database import AWAY, Database
from gateway.store.queries import load_queries

LOOK_SECONDS = 1.0

_sql = load_queries(Path(__file__).parent, "placed.sql")
_log = structlog.get_logger(__name__)


async def keep_making(database: Database, data_folder: Path, spools: Mapping[str, Path], encoder: Encoder) -> None:
    """Make the recordings of the nodes whose spool folders this gateway sees, until cancelled."""
    while True:
        for node, spool in spools.items():
            with suppress(*AWAY):
                await make_waiting(database, data_folder, node, spool, encoder)
        await asyncio.sleep(LOOK_SECONDS)


async def make_waiting(database: Database, data_folder: Path, node: str, spool: Path, encoder: Encoder) -> int:
    """Make what waits and has settled; how many. A disk without room, or a spool that is away, is tried again."""
    async with database.everything() as connection:
        rows = [row async for row in _sql.to_record(connection, node=node)]
    made = 0
    for row in rows:
        made += await _make(database, data_folder, spool, encoder, row)
    return made


async def _make(database: Database, data_folder: Path, spool: Path, encoder: Encoder, row: Any) -> bool:
    what = {"company_id": row["company_id"], "id": row["id"]}
    try:
        paths = await asyncio.to_thread(side_paths, spool, f"{FOLDER}/{row['asterisk_id']}", row["rate"])
    except UnsafePath as error:
        return await _without(database, what, "failed", str(error))
    looks = await asyncio.to_thread(paths.look)
    if not any(looks):
        await asyncio.sleep(SETTLE_SECONDS)
        if not await asyncio.to_thread(spool.is_dir):
            return False
        if not await asyncio.to_thread(paths.exist):
            return await _without(database, what, *without_files(paths, row["talk_seconds"]))
    if not unchanged_for(await asyncio.to_thread(paths.look), SETTLE_SECONDS, time.time()):
        return False
    file = finished_back(row["company_id"], row["asked_at"], row["id"])
    try:
        # The recorder sits at the telephone of whoever called: what it receives is the business's side here.
        made = await encoder.stereo(paths.business, paths.caller, row["rate"], data_folder / file)
    except NothingRecorded:
        await _without(database, what, "empty", "No sound reached Asterisk, from either side.")
    except NoRoom as error:
        _log.warning("a recording waits for room on the disk", call=row["id"], fault=str(error))
        return False
    except AudioError as error:
        return await _without(database, what, "failed", f"The recording could not be made ({error}).")
    else:
        async with database.companies(row["company_id"]) as connection:
            await _sql.recorded(connection, **what, file=file, seconds=made.seconds, bytes=made.size, peaks=made.peaks)
    await asyncio.to_thread(discard, paths)
    return True


async def _without(database: Database, what: Mapping[str, int], state: str, fault: str) -> bool:
    async with database.companies(what["company_id"]) as connection:
        await _sql.not_recorded(connection, **what, state=state, fault=fault)
    return False


async def delete_placed(database: Database, company_id: int, before: datetime) -> int:
    """Let recordings of calls back before a moment be heard no more; how many. Files: ``remove_placed``."""
    async with database.companies(company_id) as connection:
        rows = [row async for row in _sql.delete_placed_before(connection, company_id=company_id, before=before)]
        for row in rows:
            subject = f"call/{row['call_id']}"
            await note(connection, SYSTEM, company_id, Action.RECORDING_DELETED, subject, back=row["id"])
    return len(rows)


async def remove_placed(database: Database, data_folder: Path, companies: Collection[int]) -> int:
    """Take what was marked as deleted off the disk; how many. A file that cannot be removed is tried again later."""
    async with database.companies(*companies) as connection:
        rows = [row async for row in _sql.placed_files_to_go(connection, companies=list(companies))]
    gone = 0
    for row in rows:
        try:
            await asyncio.to_thread(take_off_disk, data_folder, row["file"])
        except OSError as error:
            _log.warning("a deleted recording is still on the disk", call_back=row["id"], fault=str(error))
            continue
        async with database.companies(row["company_id"]) as connection:
            await _sql.placed_file_is_gone(connection, company_id=row["company_id"], id=row["id"])
        gone += 1
    return gone
