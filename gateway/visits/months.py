"""The months that visits lie in: made ahead, and dropped when they are too old to be asked for.

A visit whose month is missing is kept all the same, and moves into the month once that is made.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path

import structlog

from gateway.attribution.forgetting import forget_old_visits
from gateway.leads.inbox import forget_likeness
from gateway.pools.leases import forget_leases
from gateway.pools.tally import forget_hours
from gateway.store.database import AWAY, Database
from gateway.store.jobs import Handler, Job, enqueue
from gateway.store.queries import load_queries
from gateway.visits.keeping import forget_by_company, months_before
from gateway.visits.ways import forget_ways

JOB = "keep_months"
# Made ahead, so that a gateway whose jobs are held for weeks still finds its months.
AHEAD = 2
# Two years and the present month, unless the settings say otherwise: a report compares a month with the same one of the
# year before.
KEPT = 25
# The job is put into the queue this often; it does nothing where nothing is to be done.
LOOK_SECONDS = 6 * 3600.0

_queries = load_queries(Path(__file__).parent, "months.sql")
_log = structlog.get_logger(__name__)

__all__ = ["AHEAD", "JOB", "KEPT", "handlers", "keep_months", "look_ahead", "months_before"]


async def keep_months(database: Database, today: date, *, kept: int = KEPT) -> None:
    """Make the months that come, drop those more than ``kept`` before the present one, and forget what belongs to them.

    Each month by itself: visits that are written meanwhile wait for a moment, and never in a circle.
    """
    async with database.everything() as connection:
        missing = [row async for row in _queries.missing_months(connection, today=today, ahead=AHEAD)]
    for row in missing:
        async with database.everything() as connection:
            await _queries.make_month(connection, parent=row["parent"], month=row["month"])
    if missing:
        _log.info("months are made", months=sorted({f"{row['month']:%Y-%m}" for row in missing}))
    before = months_before(today, kept)
    async with database.everything() as connection:
        old = [row async for row in _queries.old_months(connection, before=before)]
    for row in old:
        async with database.everything() as connection:
            await _queries.drop_month(connection, parent=row["parent"], month=row["month"])
    if old:
        _log.info("months are dropped", months=sorted({f"{row['month']:%Y-%m}" for row in old}))
    midnight = datetime.combine(before, time(), UTC)
    async with database.everything() as connection:
        await _queries.forget_old(connection, before=before)
        await forget_old_visits(connection, before, midnight)
        await forget_leases(connection, midnight)
        await forget_hours(connection, midnight)
        await forget_ways(connection, datetime.now(UTC))
        await forget_likeness(connection, datetime.now(UTC))
    await forget_by_company(database, today, datetime.now(UTC), kept)


def handlers(database: Database, kept: int) -> Mapping[str, Handler]:
    """What ``run_jobs`` shall do; ``kept`` months stay."""

    async def work(_job: Job) -> None:
        await keep_months(database, datetime.now(UTC).date(), kept=kept)

    return {JOB: work}


async def look_ahead(database: Database, kept: int) -> None:
    """Make what is missing at once, then put the job into the queue every few hours, until cancelled."""
    try:
        await keep_months(database, datetime.now(UTC).date(), kept=kept)
    except AWAY as error:
        _log.warning("months cannot be made; visits are kept aside until they are", fault=str(error))
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            async with database.everything() as connection:
                await enqueue(connection, JOB, {}, key=JOB)
        except AWAY as error:
            _log.warning("the months cannot be looked after", fault=str(error))
