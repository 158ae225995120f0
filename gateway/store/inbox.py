"""What comes from outside on its way into Postgres: on the disk before it is answered, or waiting while it is away.

inbox = Inbox("leads", database, store)
async with inbox.running():              # what waits at the end is written before it ends
    id = await inbox.take(lead, patience=0.9)
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Generic, Protocol, TypeVar

import asyncpg
import structlog

from gateway.store.database import AWAY, Connection, Database

RETRY_SECONDS = 1.0
FAREWELL_SECONDS = 5.0
# Some hours of a busy business; each is some kilobytes.
MOST_WAITING = 2000
# What Postgres will never take.
REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)

_log = structlog.get_logger(__name__)


class OfCompany(Protocol):
    """Something that belongs to a company."""

    @property
    def company_id(self) -> int:
        """Whose it is."""


Item = TypeVar("Item", bound=OfCompany)
Result = TypeVar("Result")


class InboxFull(Exception):
    """Postgres has been away for so long that no more can be remembered."""


class Inbox(Generic[Item, Result]):
    """That of one worker. ``store`` writes an item, twice if need be: it may have been written and not been told so.

    ``before`` each of them something else is written, which it leads to.
    """

    def __init__(
        self,
        name: str,
        database: Database,
        store: Callable[[Connection, Item], Awaitable[Result]],
        *,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._name, self._database, self._store, self._before = name, database, store, before
        self._waiting: deque[Item] = deque()

    @property
    def waiting(self) -> int:
        """How many have not been written yet."""
        return len(self._waiting)

    async def take(self, item: Item, *, patience: float) -> Result | None:
        """Store an item within ``patience`` seconds, and what that gives. None: Postgres is away, and it waits here.

        Raises InboxFull, and asyncpg's errors of data that Postgres will never take.
        """
        try:
            async with asyncio.timeout(patience):
                return await self._write(item)
        except REFUSED:
            raise
        except AWAY as error:
            if len(self._waiting) >= MOST_WAITING:
                raise InboxFull from None
            # It may have been written all the same: then it counts once, because it is alike.
            self._waiting.append(item)
            fault = str(error) or type(error).__name__
            _log.warning("something waits for Postgres", what=self._name, waiting=self.waiting, fault=fault)
            return None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Inbox[Item, Result]"]:
        """Try again every second while it lasts, and at the end."""
        trying = asyncio.create_task(self._endless())
        try:
            yield self
        finally:
            trying.cancel()
            await asyncio.wait([trying])
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._try()
            if self._waiting:
                _log.error("lost: Postgres was away when the collector stopped", what=self._name, lost=self.waiting)

    async def _endless(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            await self._try()

    async def _try(self) -> None:
        while self._waiting:
            try:
                await self._write(self._waiting[0])
            except REFUSED as error:
                _log.error("something cannot be written and is dropped", what=self._name, fault=str(error))
            except AWAY as error:
                _log.warning("something waits for Postgres", what=self._name, waiting=self.waiting, fault=str(error))
                return
            self._waiting.popleft()

    async def _write(self, item: Item) -> Result:
        if self._before is not None:
            await self._before()
        async with self._database.companies(item.company_id) as connection:
            return await self._store(connection, item)
