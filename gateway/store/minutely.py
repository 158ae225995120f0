"""Counts that a worker gathers in memory and adds to the database once a minute."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from gateway.store.database import AWAY

PERIOD_SECONDS = 60.0
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def written_each_minute(write: Callable[[], Awaitable[None]], what: str) -> AsyncIterator[None]:
    """Call ``write`` once a minute while it lasts, and at the end.

    Where Postgres is away, ``what`` waits for the next time: ``write`` keeps what it could not write.
    """

    async def attempt() -> None:
        try:
            await write()
        except AWAY as error:
            _log.warning("counts wait for Postgres", what=what, fault=str(error))

    async def endless() -> None:
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            await attempt()

    writing = asyncio.create_task(endless())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.wait([writing])
        await attempt()
