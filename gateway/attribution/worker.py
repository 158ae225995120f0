"""Deciding what brought calls, in a process of its own: however many are decided, none that rings waits for it.

The gateway tells it of each call that rings, in one line; it answers with one line when the call is decided, and tells
how it is. What it is told of is also in the database, so that nothing is lost when either of the two dies: calls that
nobody decided while they rang are settled like all others.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from gateway.attribution.live import LiveAttribution, Ringing, RingingDecision
from gateway.attribution.settling import PART, Settling
from gateway.calls.ledger import Written
from gateway.health import Condition, Health
from gateway.settings import LogSettings
from gateway.store.database import AWAY, Database

# Below the gateway and Asterisk; above what has time until the morning.
NICENESS = 5
CONNECTIONS = 4
RETRY_SECONDS = 1.0
# A worker that does not read is given nothing more: what it is not told of it finds by itself.
MOST_UNREAD = 1 << 20
LONGEST_LINE = 1 << 20

_log = structlog.get_logger(__name__)


class AttributionWorker:
    """The gateway's side. ``listeners`` hear of each call that is decided while it rings."""

    def __init__(self, dsn: str, health: Health, log: LogSettings, *, after: timedelta) -> None:
        self._health = health
        self._order = json.dumps({"dsn": dsn, "after": after.total_seconds(), "log": log.model_dump()})
        self._process: asyncio.subprocess.Process | None = None
        self.listeners: list[Callable[[RingingDecision], None]] = []

    def rang(self, written: Written) -> None:
        """A call goes on, and is in the database. Never waits, never fails."""
        if written.number_id is None or written.source_id is not None:
            return  # none of ours, or known by its number
        record = written.noted.record
        call = Ringing(
            written.company_id, written.call_id, written.noted.node, record.key, record.unique_id, written.number_id
        )
        self._say(json.dumps(asdict(call)))

    def _say(self, line: str) -> None:
        pipe = self._process.stdin if self._process is not None else None
        if pipe is None or pipe.is_closing() or pipe.transport.get_write_buffer_size() > MOST_UNREAD:
            return
        pipe.write(line.encode() + b"\n")

    async def run(self) -> None:
        """Keep the worker running until cancelled; then it ends."""
        while True:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "gateway.attribution.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LONGEST_LINE,
                start_new_session=True,  # Ctrl-C is for the gateway, which stops it in order
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
            try:
                self._say(self._order)
                assert process.stdout is not None
                while line := await process.stdout.readline():
                    self._heard(json.loads(line))
                code = await process.wait()
                _log.error("what decides calls died; it is started again", code=code)
                self._health.tell(PART, Condition.TROUBLED, "What decides calls died, and is started again.")
            finally:
                self._process = None
                await _ended(process)
            await asyncio.sleep(RETRY_SECONDS)

    def _heard(self, said: dict[str, Any]) -> None:
        if "part" in said:
            self._health.tell(said["part"], Condition(said["condition"]), said["message"])
            return
        decision = RingingDecision(Ringing(**said.pop("call")), **said)
        for listener in self.listeners:
            listener(decision)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End it at once: what it was at is rolled back, and done by the next."""
    if process.returncode is None:
        process.kill()
    await process.wait()


class _Told(Health):
    """Reports that go to the gateway, each once."""

    def tell(self, part: str, condition: Condition, message: str) -> None:
        before = self.reports().get(part)
        super().tell(part, condition, message)
        if self.reports()[part] != before:
            _answer({"part": part, "condition": condition.value, "message": message})


def _answer(said: dict[str, Any]) -> None:
    print(json.dumps(said), flush=True)


async def _work() -> None:
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    order = json.loads(await reader.readline())
    from gateway.cli import start_logging

    start_logging(LogSettings.model_validate(order["log"]))
    working = asyncio.create_task(_decide(order["dsn"], timedelta(seconds=order["after"]), reader))
    await asyncio.wait([working])
    working.result()


async def _decide(dsn: str, after: timedelta, reader: asyncio.StreamReader) -> None:
    health = _Told()
    database = await _opened(dsn, health, reader)
    if database is None:
        return
    live = LiveAttribution(database)
    live.listeners.append(lambda decision: _answer(asdict(decision)))
    tasks = [asyncio.create_task(live.run()), asyncio.create_task(Settling(database, health, after=after).run())]
    listening = asyncio.create_task(_listen(reader, live))
    try:
        await asyncio.wait([listening, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in (listening, *tasks):
            task.cancel()
        await asyncio.wait([listening, *tasks])
        await database.close()


async def _listen(reader: asyncio.StreamReader, live: LiveAttribution) -> None:
    """Hear of calls until the gateway is gone."""
    while line := await reader.readline():
        live.rang(Ringing(**json.loads(line)))


async def _opened(dsn: str, health: Health, reader: asyncio.StreamReader) -> Database | None:
    """The database, once it is there; none where the gateway is gone before."""
    while not reader.at_eof():
        try:
            return await Database.open(dsn, CONNECTIONS)
        except AWAY as error:
            _log.warning("calls are decided later: Postgres does not answer", fault=str(error))
            health.tell(PART, Condition.TROUBLED, "The database is away. What brought calls is said later.")
            await asyncio.sleep(RETRY_SECONDS)
    return None


def main() -> None:
    """Decide calls until standard input ends."""
    os.nice(NICENESS)
    asyncio.run(_work())


if __name__ == "__main__":
    main()
