"""Every night each company's delays, background and taps are learned anew, by a durable job of its own."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog

from gateway.attribution.learner import learn_apart
from gateway.attribution.past import companies_to_learn
from gateway.store.database import AWAY, Database
from gateway.store.jobs import Handler, Job, enqueue

JOB = "learn_attribution"
# By now it is night in America and early morning in Europe. A company that was never learned from waits for no night.
HOUR = 7
LOOK_SECONDS = 900.0
# A gateway that has just started has other things to do.
FIRST_LOOK_SECONDS = 60.0

_log = structlog.get_logger(__name__)


def handlers(database: Database) -> Mapping[str, Handler]:
    """What ``run_jobs`` shall do."""

    async def work(job: Job) -> None:
        found = await learn_apart(database.dsn, job.payload["company_id"])
        _log.info("learned", company=job.payload["company_id"], **found)

    return {JOB: work}


async def keep_learning(database: Database) -> None:
    """Put the jobs into the queue, until cancelled."""
    await asyncio.sleep(FIRST_LOOK_SECONDS)
    while True:
        try:
            await order_lessons(database, datetime.now(UTC))
        except AWAY as error:
            _log.warning("learning is put off", fault=str(error))
        await asyncio.sleep(LOOK_SECONDS)


async def order_lessons(database: Database, now: datetime) -> int:
    """Queue a job for every company that has not learned since last night's hour; how many."""
    hour = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    since = hour if now >= hour else hour - timedelta(days=1)
    async with database.everything() as connection:
        companies = await companies_to_learn(connection, since)
        for company_id, _ in companies:
            await enqueue(connection, JOB, {"company_id": company_id}, key=f"{JOB}:{company_id}")
    return len(companies)
