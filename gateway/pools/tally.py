"""What became of pools, counted in each worker and added to the hour once a minute.

Not written with each lease: the row of an hour would be one place where all visits of a pool queue up.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from gateway.pools.leases import Got
from gateway.pools.pool import Pool
from gateway.store.database import AWAY, Database
from gateway.store.minutely import PERIOD_SECONDS, written_each_minute
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "health.sql")
_log = structlog.get_logger(__name__)


class Tally:
    """The counts of one worker since they were last written."""

    def __init__(self) -> None:
        self._got: Counter[tuple[int, int, datetime, Got]] = Counter()
        self._missed: Counter[tuple[int, int, datetime, str, Got]] = Counter()

    def count(self, pool: Pool, got: Got, source: str, now: datetime) -> None:
        """A visit brought by ``source`` (its label) got what it got."""
        if got is Got.OWN:
            return
        hour = now.replace(minute=0, second=0, microsecond=0)
        self._got[pool.company_id, pool.id, hour, got] += 1
        if got in (Got.DISPLACED, Got.REFUSED):
            self._missed[pool.company_id, pool.id, hour, source, got] += 1

    async def write(self, database: Database) -> None:
        """Add what was counted to the hours. Raises what the database raises; then it all waits for the next time."""
        got, missed = self._got, self._missed
        if not got:
            return
        self._got, self._missed = Counter(), Counter()
        try:
            async with database.everything() as connection:
                await _add(connection, got, missed)
        except BaseException:
            self._got.update(got)
            self._missed.update(missed)
            raise

    @asynccontextmanager
    async def running(self, database: Database) -> AsyncIterator["Tally"]:
        """Write once a minute while it lasts, and at the end."""
        async with written_each_minute(lambda: self.write(database), "what pools lent"):
            yield self


async def sample_occupancy(connection: Any, now: datetime) -> None:
    """Note for every pool that lends how many of its numbers are held, over a connection that sees every company."""
    await _queries.sample(connection, now=now)


async def keep_sampling(database: Database) -> None:
    """Look at the pools once a minute, until cancelled."""
    while True:
        try:
            async with database.everything() as connection:
                await sample_occupancy(connection, datetime.now(UTC))
        except AWAY as error:
            _log.warning("how full pools are cannot be noted", fault=str(error))
        await asyncio.sleep(PERIOD_SECONDS)


async def forget_hours(connection: Any, before: datetime) -> None:
    """Delete what is older than a moment, over a connection that sees every company."""
    await _queries.forget_hours(connection, before=before)


async def _add(
    connection: Any,
    got: Counter[tuple[int, int, datetime, Got]],
    missed: Counter[tuple[int, int, datetime, str, Got]],
) -> None:
    # In one order, so that two workers that write at once do not wait for each other in a circle.
    hours = sorted({key[:3] for key in got})
    await _queries.add_hours(
        connection,
        companies=[company for company, _, _ in hours],
        pools=[pool for _, pool, _ in hours],
        hours=[hour for _, _, hour in hours],
        leased=[sum(got[*hour, each] for each in (Got.FREE, Got.HURRIED, Got.DISPLACED)) for hour in hours],
        displaced=[got[*hour, Got.DISPLACED] for hour in hours],
        hurried=[got[*hour, Got.HURRIED] for hour in hours],
        refused=[got[*hour, Got.REFUSED] for hour in hours],
    )
    sources = sorted({key[:4] for key in missed})
    await _queries.add_misses(
        connection,
        companies=[company for company, _, _, _ in sources],
        pools=[pool for _, pool, _, _ in sources],
        hours=[hour for _, _, hour, _ in sources],
        sources=[source for _, _, _, source in sources],
        displaced=[missed[*source, Got.DISPLACED] for source in sources],
        refused=[missed[*source, Got.REFUSED] for source in sources],
    )
