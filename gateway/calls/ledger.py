"""The ledger: brings records of calls into Postgres, each call once, however often and in whatever order they come.

Records wait here by call, the highest stage only, and are committed in batches. Where Postgres is away they wait;
what is more than memory should hold is let go, because the outbox still has it. Once a call's end is committed,
``on_settled`` is told, and its outbox file may go.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from gateway.calls import placed
from gateway.calls.directory import Directory
from gateway.calls.entry import CallEntry, Measured, call_entry
from gateway.calls.pauses import save_pauses
from gateway.calls.record import NARROW_RATE, CallRecord, Stage
from gateway.calls.recordings import expect_recording
from gateway.calls.region import region_of
from gateway.health import Condition, Health
from gateway.leads.search import words_of
from gateway.reports.mail_calls import expect_alerts
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries

PART = "calls"
BATCH = 100
# Some 2 KB each. What is beyond stays in the outbox only, and is read again once the database is back.
MOST_WAITING = 20_000
RETRY_SECONDS = 1.0
_NO_COMPANY = "Some calls belong to no company yet, so they wait in the outbox. Add one: numberpool company add NAME"
# A call is written a moment after it was heard of: first the processors serve its ringing. Calls commit together.
GATHER_SECONDS = 0.05

_sql = load_queries(Path(__file__).parent)
_placed_sql = load_queries(Path(__file__).parent, "placed.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Noted:
    """A record on its way into the database: of which node, with what was measured beside it."""

    node: str
    record: CallRecord
    measured: Measured = field(default_factory=Measured)
    clock_ahead: float = 0.0  # seconds by which the node's clock is ahead of ours


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a record: in the database, or refused by it for good (``fault`` says why)."""

    noted: Noted
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A call that goes on is in the database.

    ``number_id`` is none where no pool knows its number; ``source_id`` where the number stands for no source.
    """

    company_id: int
    call_id: int
    number_id: int | None
    source_id: int | None
    noted: Noted


class Ledger:
    """Writes calls. ``directory`` gives the present numbers; ``on_settled`` hears of every ended call.

    ``on_written`` hears of every record of a call that goes on, once it is committed.
    """

    def __init__(self, database: Database, health: Health, directory: Callable[[], Directory]) -> None:
        self._database = database
        self._health = health
        self._directory = directory
        self._waiting: dict[tuple[str, str], Noted] = {}
        self._something = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._node_ids: dict[str, int] = {}
        self.on_settled: dict[str, Callable[[Settled], None]] = {}
        self.on_written: list[Callable[[Written], None]] = []
        self.on_back: list[Callable[[], None]] = []
        self._let_go = False
        # Of numbers that nobody owns, while no company takes such calls: they must not hold up the others.
        self._ownerless: dict[tuple[str, str], Noted] = {}

    def note(self, noted: Noted) -> None:
        """Take a record; never waits, never fails."""
        place = (noted.node, noted.record.key)
        known = self._waiting.get(place) or self._ownerless.get(place)
        if known is not None and known.record.stage >= noted.record.stage:
            return
        if known is None and len(self._waiting) + len(self._ownerless) >= MOST_WAITING:
            self._let_go = True
            return
        self._waiting[place] = noted
        self._idle.clear()
        self._something.set()

    async def wait_idle(self) -> None:
        """Return once everything noted is in the database."""
        await self._idle.wait()

    async def run(self) -> None:
        """Write until cancelled, and say how it goes: from the first call on, also after a fault that ended this."""
        well: bool | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS if self._ownerless else None):
                    await self._something.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._something.clear()
            self._find_owners()
            while self._waiting:
                batch = list(self._waiting.values())[:BATCH]
                try:
                    await self._write(batch)
                except AWAY as error:
                    _log.warning("the database did not take calls; they wait", fault=str(error), calls=len(batch))
                    self._health.tell(
                        PART, Condition.TROUBLED, "The database is away. Calls ring and are kept; they come in later."
                    )
                    well = False
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if not (well or self._ownerless):
                    self._health.tell(PART, Condition.OK, "Calls are written.")
                if well is False or self._let_go:
                    self._let_go = False
                    for back in self.on_back:
                        back()
                well = True

    def _find_owners(self) -> None:
        """Take up what waited for a company, once there is one."""
        if self._ownerless and self._directory().default_company is not None:
            waited, self._ownerless = self._ownerless, {}
            for noted in waited.values():
                self.note(noted)
            self._health.tell(PART, Condition.OK, "Calls are written.")

    def _set_aside(self, noted: Noted) -> None:
        place = (noted.node, noted.record.key)
        self._ownerless[place] = noted
        self._done_with(noted)
        self._health.tell(PART, Condition.NEEDS_PERSON, _NO_COMPANY)

    def _done_with(self, noted: Noted) -> None:
        place = (noted.node, noted.record.key)
        if self._waiting.get(place) is noted:
            del self._waiting[place]
            if not self._waiting:
                self._idle.set()

    async def _write(self, batch: list[Noted]) -> None:
        nodes = {noted.node: await self.node_id(noted.node) for noted in batch}
        directory = self._directory()
        written: list[Noted] = []
        going_on: list[Written] = []
        try:
            async with self._database.everything() as connection:
                for noted in batch:
                    if noted.record.placed is not None:
                        await placed.save(connection, noted.record, noted.clock_ahead)
                        written.append(noted)
                        continue
                    entry = call_entry(noted.record, directory, noted.measured, noted.clock_ahead)
                    if entry is None:
                        self._set_aside(noted)
                    else:
                        going_on += await self._save(connection, noted, entry, nodes[noted.node])
                        written.append(noted)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError) as error:
            if len(batch) > 1:  # one of them is bad: find it, and let the others through
                for noted in batch:
                    await self._write([noted])
                return
            _log.error("the database refused a call for good", call=batch[0].record.key, fault=str(error))
            self._settle(batch[0], str(error))
        else:
            for noted in written:
                self._settle(noted)
            for each in going_on:
                for told in self.on_written:
                    told(each)

    def _settle(self, noted: Noted, fault: str | None = None) -> None:
        self._done_with(noted)
        if noted.record.stage is Stage.ENDED or fault:
            told = self.on_settled.get(noted.node)
            if told is not None:
                told(Settled(noted, fault))

    async def node_id(self, name: str) -> int:
        """The number of the node ``name`` in the database, made in a transaction of its own.

        A number remembered from one that was rolled back would have every later call refused.
        """
        if name not in self._node_ids:
            async with self._database.everything() as connection:
                number = await _sql.node_id(connection, name=name)
            self._node_ids[name] = number
        return self._node_ids[name]

    async def _save(self, connection: Connection, noted: Noted, entry: CallEntry, node_id: int) -> list[Written]:
        """Write one record; the call, if it goes on and the record was news."""
        row = await _sql.save_call(connection, node_id=node_id, region=region_of(entry.caller), **_columns(entry))
        if row is None:
            return []
        if entry.caller_name:
            await _sql.save_words(
                connection, company_id=row["company_id"], call_id=row["id"], words=words_of([entry.caller_name])
            )
        if noted.record.stage is not Stage.ENDED:
            return [Written(row["company_id"], row["id"], entry.number_id, entry.source_id, noted)]
        call: dict[str, Any] = {"company_id": row["company_id"], "call_id": row["id"]}
        for position, leg in enumerate(entry.legs):
            await _sql.save_leg(
                connection,
                **call,
                position=position,
                **asdict(leg),
            )
        if entry.recorded:
            rate = noted.record.rate or NARROW_RATE
            await expect_recording(connection, **call, sides=f"recordings/{noted.record.key}", rate=rate)
            await save_pauses(connection, record=noted.record, **call)
        if entry.answered_at is None and entry.outcome != "blocked":
            await expect_alerts(connection, **call)
        return []

    async def open_calls(self, node: str) -> set[str]:
        """The calls of ``node`` that the database believes to be going on."""
        node_id = await self.node_id(node)
        async with self._database.everything() as connection:
            rows = [_sql.open_calls(connection, node_id=node_id), _placed_sql.placed_open(connection, node_id=node_id)]
            return {row["asterisk_id"] for some in rows async for row in some}

    async def cut_off(self, node: str, key: str) -> None:
        """Close a call that left no record of its end, not even in the outbox."""
        node_id = await self.node_id(node)
        async with self._database.everything() as connection:
            await _sql.cut_off(connection, node_id=node_id, asterisk_id=key)
            await _placed_sql.placed_cut_off(connection, node_id=node_id, asterisk_id=key)


def _columns(entry: CallEntry) -> dict[str, Any]:
    columns = {column.name: getattr(entry, column.name) for column in fields(entry) if column.name != "legs"}
    return columns | {"evidence": json.dumps(columns["evidence"])}
