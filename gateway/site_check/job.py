"""Checks that somebody asks for on a page: done one after the other, as jobs, each in a process of its own.

Not in the gateway's: a long page is read and searched for numbers while calls wait for their decision.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from gateway.settings import CollectorSettings, Settings, SiteCheckSettings
from gateway.site_check import stored
from gateway.site_check.check import LONGEST_SECONDS, Wish, check
from gateway.site_check.errors import SiteCheckError
from gateway.store.database import Database
from gateway.store.jobs import Handler, Job, enqueue

JOB = "site.check"
NICENESS = 10
# A check bounds itself; what goes on for so much longer hangs.
_GRACE_SECONDS = 60.0
_FAREWELL_SECONDS = 8.0

_log = structlog.get_logger(__name__)


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
            code = await _made(database.dsn, settings, wish)
            if code:
                _log.warning("a check of a site broke off", check=check_id, code=code)
            async with database.companies(company) as connection:
                # Nothing where it ended as it should: what it found stands there already.
                await stored.note_end(connection, company, check_id, {"fault": f"it broke off ({code})"})

    return {JOB: work}


async def _made(dsn: str, settings: Settings, wish: Wish) -> int | None:
    """Make a check in a process of its own; with what it ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "gateway.site_check.job"),
        stdin=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the gateway, which stops it in order
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdin is not None
    order = {
        "dsn": dsn,
        "settings": settings.site_check.model_dump(mode="json"),
        "collector": settings.collector.model_dump(mode="json"),
        "wish": asdict(wish),
    }
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(LONGEST_SECONDS + _GRACE_SECONDS):
            return await process.wait()
    except (TimeoutError, OSError):
        return process.returncode
    finally:
        if process.returncode is None:
            process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _work() -> None:
    """One check, as standard input orders it. When that ends, so has whoever wants it."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    order = json.loads(await reader.readline())
    making = asyncio.create_task(_make(order))
    loop.add_signal_handler(signal.SIGTERM, making.cancel)
    listening = asyncio.create_task(reader.read())
    await asyncio.wait([making, listening], return_when=asyncio.FIRST_COMPLETED)
    if not making.done():
        making.cancel()
        await asyncio.wait([making])
    listening.cancel()
    if not making.cancelled() and (error := making.exception()):
        raise error


async def _make(order: Mapping[str, Any]) -> None:
    settings = SiteCheckSettings.model_validate(order["settings"])
    collector = CollectorSettings.model_validate(order["collector"])
    database = await Database.open(order["dsn"], 2)
    try:
        # What stands in the way is stored with the check: whoever asked reads it there.
        with suppress(SiteCheckError):
            await check(database, settings, collector, Wish(**order["wish"]), _nobody)
    finally:
        await database.close()


async def _nobody(_step: str) -> None:
    """The steps are stored; nobody else is told."""


if __name__ == "__main__":
    os.nice(NICENESS)
    asyncio.run(_work())
