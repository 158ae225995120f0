"""Pages that say "still here": collected in each worker, written together once a second.

keep_alives = KeepAlives(database)
async with keep_alives.running():          # what waits at the end is written before it ends
    held = await keep_alives.seen(exposure, company_id, at=now)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import structlog

from gateway.store.database import AWAY, Database
from gateway.store.queries import load_queries
from gateway.visits.ids import made_at

PERIOD_SECONDS = 1.0
# A batch of a thousand takes some 20 ms.
MOST_AT_ONCE = 2000
# While Postgres is away so many pages are remembered; then the newest are not taken.
MOST_WAITING = 200_000
# How long an orderly stop tries to write what waits.
FAREWELL_SECONDS = 5.0
_SLACK = timedelta(milliseconds=1)

_queries = load_queries(Path(__file__).parent, "leases.sql")
_log = structlog.get_logger(__name__)


class Held(StrEnum):
    """What a page learns when it says that it is still here."""

    HELD = "held"  # the number on it is still its holder's, or was never lent
    DISPLACED = "displaced"  # lent to another because the pool was full: ask for a number anew
    EXPIRED = "expired"  # lent to another after the reserve was over: ask for a number anew
    RELEASED = "released"  # taken back by a person: ask for a number anew
    UNKNOWN = "unknown"  # there is no such exposure


class TooMany(Exception):
    """Postgres has been away for so long that no more keep-alives can be remembered."""


@dataclass(slots=True)
class _Waiting:
    company_id: int
    exposure_id: UUID
    seen_at: datetime
    left_at: datetime | None
    answer: "asyncio.Future[Held]"


class KeepAlives:
    """Those of one worker. ``write`` sends what waits; ``running`` does so once a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[tuple[int, UUID], _Waiting] = {}
        self._turn = asyncio.Lock()

    @property
    def waiting(self) -> int:
        """How many pages have not been written yet."""
        return len(self._waiting)

    def note(self, exposure_id: UUID, company_id: int, *, at: datetime, left: bool = False) -> "asyncio.Future[Held]":
        """A page was there at ``at``; with ``left`` it said goodbye. The answer comes once that is written.

        A page that comes back after it said goodbye is alive again. Raises ValueError where the id is none of ours,
        TooMany.
        """
        made_at(exposure_id)
        key = (company_id, exposure_id)
        known = self._waiting.get(key)
        if known is None:
            if len(self._waiting) >= MOST_WAITING:
                raise TooMany
            answer = asyncio.get_running_loop().create_future()
            self._waiting[key] = _Waiting(company_id, exposure_id, at, at if left else None, answer)
            return answer
        if at >= known.seen_at:
            known.seen_at = at
            known.left_at = at if left else None
        return known.answer

    async def seen(self, exposure_id: UUID, company_id: int, *, at: datetime, left: bool = False) -> Held:
        """As ``note``, and waits until it is in Postgres: what was answered is not lost. Raises what ``note`` raises.

        A caller who stops waiting takes nothing back.
        """
        return await asyncio.shield(self.note(exposure_id, company_id, at=at, left=left))

    async def write(self) -> None:
        """Write what waits. Raises what the database raises; then it all waits for the next time.

        A number that is being lent at this moment stays for the next time as well.
        """
        async with self._turn:
            keys = list(self._waiting)
            for start in range(0, len(keys), MOST_AT_ONCE):
                await self._write([self._waiting[key] for key in keys[start : start + MOST_AT_ONCE]])

    @asynccontextmanager
    async def running(self) -> AsyncIterator["KeepAlives"]:
        """Write once a second while it lasts, and at the end what still waits."""
        writing = asyncio.create_task(self._endless())
        try:
            yield self
        finally:
            writing.cancel()
            await asyncio.wait([writing])
            await self._farewell()

    async def _endless(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            try:
                await self.write()
            except AWAY as error:
                _log.warning("keep-alives wait for Postgres", waiting=self.waiting, fault=str(error))

    async def _farewell(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                while self._waiting:
                    try:
                        await self.write()
                    except AWAY as error:
                        _log.warning("keep-alives wait for Postgres", waiting=self.waiting, fault=str(error))
                    if self._waiting:
                        await asyncio.sleep(0.02)
        if self._waiting:
            _log.error("keep-alives could not be written before the end", lost=self.waiting)
        for each in self._waiting.values():
            each.answer.cancel()
        self._waiting.clear()

    async def _write(self, batch: list[_Waiting]) -> None:
        # As it is now: what is noted meanwhile must not count as written.
        written = [replace(each) for each in batch]
        shown = [made_at(each.exposure_id) for each in written]
        async with self._database.everything(durable=False) as connection:
            rows = [
                row
                async for row in _queries.keep_alive(
                    connection,
                    companies=[each.company_id for each in written],
                    exposures=[each.exposure_id for each in written],
                    shown=shown,
                    seen=[each.seen_at for each in written],
                    leaving=[each.left_at for each in written],
                    earliest=min(shown),
                    latest=max(shown) + _SLACK,
                )
            ]
        known = {(row["company_id"], row["id"]): row for row in rows}
        for each in written:
            key = (each.company_id, each.exposure_id)
            row = known.get(key)
            if row is None:
                held = Held.UNKNOWN
            elif row["closed_as"] is not None:
                held = Held(row["closed_as"])
            elif row["lease_id"] is None or row["kept"]:
                held = Held.HELD
            else:
                continue  # it was being lent at this moment: the next time tells to whom
            self._answer(key, each, held)

    def _answer(self, key: tuple[int, UUID], written: _Waiting, held: Held) -> None:
        present = self._waiting[key]
        if present.seen_at != written.seen_at or present.left_at != written.left_at:
            # The page spoke again while this was written: that is still to be done, and answers both.
            return
        del self._waiting[key]
        if not present.answer.done():
            present.answer.set_result(held)
