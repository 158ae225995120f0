"""Checks that somebody asks for on a page: done one after the other, as jobs."""

import asyncio
from collections.abc import Mapping
from typing import Any

from gateway.settings import Settings
from gateway.site_check import stored
from gateway.site_check.check import Wish, check
from gateway.site_check.errors import SiteCheckError
from gateway.store.database import Database
from gateway.store.jobs import Handler, Job, enqueue

JOB = "site.check"


async def ask_for_check(connection: Any, company_id: int, site_id: int, key: str, url: str, asked_by: int) -> int:
    """Put a check of a page into the queue, in the caller's transaction; its id."""
    mark = stored.new_mark()
    check_id = await stored.add_check(connection, company_id, site_id, url, mark, asked_by=asked_by)
    await stored.note_step(connection, company_id, check_id, "waits")
    payload = {"company": company_id, "check": check_id, "key": key, "url": url, "mark": mark}
    await enqueue(connection, JOB, payload)
    return check_id


def handlers(database: Database, settings: Settings) -> Mapping[str, Handler]:
    """The job, for ``run_jobs``."""
    one_at_a_time = asyncio.Lock()

    async def work(job: Job) -> None:
        given = job.payload
        company, check_id = int(given["company"]), int(given["check"])
        async with one_at_a_time:
            async with database.companies(company) as connection:
                asked = await stored.one_check(connection, company, check_id)
            if asked is None or asked.ended_at is not None or asked.is_lost:
                return
            wish = Wish(
                given["url"],
                given["key"],
                company_id=company,
                private=settings.site_check.private_addresses,
                check_id=check_id,
                mark=given["mark"],
            )
            try:
                await check(database, settings, wish, _nobody)
            except SiteCheckError:
                return  # stored with the check: whoever asked reads it there

    return {JOB: work}


async def _nobody(_step: str) -> None:
    """The steps are stored; nobody else is told."""
