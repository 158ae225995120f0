"""After the call: what brought it, with everything that is known by then. No call is left out.

A call that is over and not settled says so itself (``calls.settled_at``), in the same row that says that it is over.
So it does not matter who died in between: whichever gateway looks next settles it, and a call that came in out of the
outbox after an outage is settled like any other.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from gateway.attribution.gather import ask, decided
from gateway.attribution.keeping import keep_decision
from gateway.attribution.learned_store import LearnedInMemory
from gateway.health import Condition, Health
from gateway.store.database import AWAY, Database
from gateway.store.queries import load_queries

PART = "sources of calls"
# Pages say every half minute that they are there, and a tap may come late over a bad line.
SETTLE_AFTER = timedelta(seconds=60)
LOOK_SECONDS = 5.0
BATCH = 200
PAUSE_SECONDS = 0.002
# A call that could not be settled is tried again after so long; meanwhile it holds up no other.
TRY_AGAIN = timedelta(minutes=10)

# What Postgres will not take of one call, and takes of the others.
_ITS_OWN_FAULT = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.SyntaxOrAccessError)

_queries = load_queries(Path(__file__).parent, "settling.sql")
_log = structlog.get_logger(__name__)


class Settling:
    """Settles the calls of every company."""

    def __init__(self, database: Database, health: Health, *, after: timedelta = SETTLE_AFTER) -> None:
        self._database, self._health, self._after = database, health, after
        self._learned = LearnedInMemory()
        self._failed: dict[int, datetime] = {}

    async def run(self) -> None:
        """Look for calls until cancelled."""
        while True:
            try:
                while await self.settle_some(datetime.now(UTC)):
                    pass
            except AWAY as error:
                _log.warning("calls are settled later", fault=str(error))
                self._health.tell(PART, Condition.TROUBLED, "The database is away. What brought calls is said later.")
            else:
                self._tell()
            await asyncio.sleep(LOOK_SECONDS)

    async def settle_some(self, now: datetime) -> int:
        """Settle what has waited long enough, at most a batch; how many that were, or failed.

        Raises what the database raises.
        """
        self._failed = {call: at for call, at in self._failed.items() if now - at < TRY_AGAIN}
        by_number = await self._settle_by_number(now)
        if by_number:
            return by_number
        async with self._database.everything() as connection:
            rows = _queries.unsettled(connection, before=now - self._after, not_these=list(self._failed), most=BATCH)
            calls = [(row["company_id"], row["id"]) async for row in rows]
        done = 0
        for company_id, call_id in calls:
            try:
                done += await self.settle(company_id, call_id, now)
            except Exception as error:
                if isinstance(error, AWAY) and not isinstance(error, _ITS_OWN_FAULT):
                    raise
                self._failed[call_id] = now
                done += 1
                _log.exception("a call cannot be settled", company=company_id, call=call_id)
            # Calls that ring now go before those of a long outage.
            await asyncio.sleep(PAUSE_SECONDS)
        return done

    async def _settle_by_number(self, now: datetime) -> int:
        """Calls whose number says it all, a batch at once; one that cannot be is settled, or told of, by itself."""
        try:
            async with self._database.everything() as connection:
                return await settle_by_number(connection, now - self._after, now)
        except _ITS_OWN_FAULT:
            return 0

    async def settle(self, company_id: int, call_id: int, now: datetime) -> bool:
        """Settle one call; false where that is done, or being done, by another."""
        async with self._database.companies(company_id) as connection:
            if not await taken(connection, company_id, call_id):
                return False
            asked = await ask(connection, company_id, call_id)
            assert asked is not None
            learned = await self._learned.newest(connection, company_id)
            decision = await decided(connection, asked, learned)
            await keep_decision(connection, asked.rung, decision, now=now, settles=True)
        return True

    def _tell(self) -> None:
        if self._failed:
            self._health.tell(
                PART,
                Condition.NEEDS_PERSON,
                f"{len(self._failed)} calls cannot be given a source; they are tried again every ten minutes. The log "
                "says what is wrong with them.",
            )
        else:
            self._health.tell(PART, Condition.OK, "Calls are given their sources.")


async def settle_by_number(connection: Any, before: datetime, now: datetime) -> int:
    """Settle calls that ended before a moment and whose number says it all, at most a batch; how many that were."""
    done: int = await _queries.settle_by_number(connection, before=before, now=now, most=BATCH)
    return done


async def taken(connection: Any, company_id: int, call_id: int) -> bool:
    """Whether a call that is not settled is this transaction's alone to decide."""
    return await _queries.take(connection, company_id=company_id, call_id=call_id) is not None
