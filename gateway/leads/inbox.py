"""Leads on their way into Postgres: each is on the disk before it is answered, or waits here while Postgres is away.

inbox = LeadInbox(database, journal.write)
async with inbox.running():              # what waits at the end is written before it ends
    id = await inbox.take(lead, patience=0.9)
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from gateway.leads.crediting import credit_lead
from gateway.leads.lead import Lead
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries
from gateway.visits.ids import made_at

RETRY_SECONDS = 1.0
FAREWELL_SECONDS = 5.0
# Some hours of a busy business's forms; each is some kilobytes.
MOST_WAITING = 2000
# A browser that repeats does so within this time.
_REPEATS = timedelta(minutes=1)
_REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)

_queries = load_queries(Path(__file__).parent, "leads.sql")
_log = structlog.get_logger(__name__)


class InboxFull(Exception):
    """Postgres has been away for so long that no more leads can be remembered."""


class LeadInbox:
    """That of one worker. ``write_visits`` stores visits that wait: a lead is linked only with one that is stored."""

    def __init__(self, database: Database, write_visits: Callable[[], Awaitable[None]]) -> None:
        self._database, self._write_visits = database, write_visits
        self._waiting: deque[Lead] = deque()

    @property
    def waiting(self) -> int:
        """How many have not been written yet."""
        return len(self._waiting)

    async def take(self, lead: Lead, *, patience: float) -> UUID | None:
        """Store a lead; its id, or that of the same one sent before. None: Postgres is away, and it waits here.

        ``patience`` in seconds. Raises InboxFull, and asyncpg's errors of data that Postgres will never take.
        """
        try:
            async with asyncio.timeout(patience):
                await self._write_visits()
                async with self._database.companies(lead.company_id) as connection:
                    return await store(connection, lead)
        except _REFUSED:
            raise
        except AWAY as error:
            if len(self._waiting) >= MOST_WAITING:
                raise InboxFull from None
            # It may have been written all the same: then it counts once, because it is alike.
            self._waiting.append(lead)
            _log.warning("leads wait for Postgres", waiting=self.waiting, fault=str(error) or type(error).__name__)
            return None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["LeadInbox"]:
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
                _log.error("leads are lost: Postgres was away when the collector stopped", lost=self.waiting)

    async def _endless(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            await self._try()

    async def _try(self) -> None:
        while self._waiting:
            lead = self._waiting[0]
            try:
                await self._write_visits()
                async with self._database.companies(lead.company_id) as connection:
                    await store(connection, lead)
            except _REFUSED as error:
                _log.error("a lead cannot be written and is dropped", fault=str(error))
            except AWAY as error:
                _log.warning("leads wait for Postgres", waiting=self.waiting, fault=str(error))
                return
            self._waiting.popleft()


async def store(connection: Connection, lead: Lead) -> UUID:
    """Write a lead and decide what brought it, over a connection that sees its company.

    Its id, or that of the same one sent before: by the sender's own id where it has one, else within a minute.
    """
    alike = {"company_id": lead.company_id, "likeness": lead.likeness}
    await _queries.wait_for_alike(connection, likeness=lead.likeness)
    if lead.sent_as:
        before = await _queries.sent_as(connection, company_id=lead.company_id, sent_as=lead.sent_as)
    else:
        before = await _queries.alike(connection, **alike, received_at=lead.received_at)
    if before is not None:
        return UUID(str(before))
    await _queries.add_lead(
        connection,
        **alike,
        site_id=lead.site_id,
        id=lead.id,
        kind=lead.kind,
        data=json.dumps(dict(lead.data), ensure_ascii=False),
        phone=lead.contact.phone,
        email=lead.contact.email,
        visit_id=lead.visit_id,
        visit_began=made_at(lead.visit_id) if lead.visit_id else None,
        exposure_id=lead.exposure_id,
        url=lead.url,
        title=lead.title,
        suspect=lead.suspect,
        received_at=lead.received_at,
        sent_as=lead.sent_as,
        number=lead.number,
        visitor_id=lead.visitor_id,
    )
    await credit_lead(connection, lead.company_id, lead.id)
    await forget_likeness(connection, lead.received_at)
    return lead.id


async def forget_likeness(connection: Any, now: datetime) -> None:
    """Forget what tells repeated leads, over a connection that sees every company."""
    await _queries.forget_likeness(connection, before=now - _REPEATS)


async def unlink(connection: Any, company_id: int, visits: Collection[UUID], visitor_id: UUID | None) -> None:
    """Let nothing lead from leads to these visits or this visitor, who said no; what was typed and sent stays."""
    await _queries.unlink(connection, company_id=company_id, visits=list(visits), visitor_id=visitor_id)
