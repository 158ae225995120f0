"""Visits, page views and taps on their way into Postgres: collected in each worker, written ten times a second.

journal = Journal(database)
async with journal.running():              # what waits at the end is written before it ends
    journal.began(visit, visitor)

The request that brings them does not wait. A worker that is killed loses what it took in the last tenth of a second;
one that is stopped in order loses nothing, and while Postgres is away everything waits here.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from pydantic_core import to_json

from gateway.attribution.forgetting import forget_visits
from gateway.leads.inbox import unlink as unlink_leads
from gateway.pools.leases import forget_holder
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries
from gateway.visits.consent import Consent
from gateway.visits.entries import page_without_identity, referrer_without_identity
from gateway.visits.ids import made_at
from gateway.visits.source import Source

# A visit waits for none of this, but its number for the processors that this takes: small batches get out of the way.
PERIOD_SECONDS = 0.1
MOST_AT_ONCE = 200
# While Postgres is away so much is remembered; then the newest is not taken.
MOST_WAITING = 50_000
FAREWELL_SECONDS = 5.0
_MOST_TOLD = 10_000
# What a row that Postgres will not take ends in: all others are written without it.
_ROW_REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)

Row = Mapping[str, Any]

_queries = load_queries(Path(__file__).parent, "journal.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Erasure:
    """A visitor said no: what identifies is taken from the visit, and from all visits of the visitor if known."""

    company_id: int
    visit_id: UUID
    visitor_id: UUID | None
    consent: Consent
    done: "asyncio.Future[None]" = field(compare=False)


@dataclass(slots=True)
class _Pages:
    """What waits, each kind in the order it came; rows are of the tables they go to."""

    visits: list[Row] = field(default_factory=list)
    kept: dict[tuple[int, UUID], Row] = field(default_factory=dict)
    visitors: dict[tuple[int, UUID], Row] = field(default_factory=dict)
    views: list[Row] = field(default_factory=list)
    taps: list[Row] = field(default_factory=list)
    client_ids: dict[tuple[int, UUID], Row] = field(default_factory=dict)
    erasures: list[Erasure] = field(default_factory=list)

    def __len__(self) -> int:
        # Asked for each entry, so written out.
        lists = len(self.visits) + len(self.views) + len(self.taps) + len(self.erasures)
        return lists + len(self.kept) + len(self.visitors) + len(self.client_ids)


class Journal:
    """That of one worker. ``write`` sends what waits; ``running`` does so ten times a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting = _Pages()
        self._in_hand = _Pages()
        self._turn = asyncio.Lock()
        self._lost = 0
        # What was told of visits lately, so that each page of a visit does not write the same again.
        self._told: dict[tuple[int, UUID], Mapping[str, str]] = {}

    @property
    def waiting(self) -> int:
        """How many entries have not been written yet."""
        return len(self._waiting)

    def touch_of(self, company_id: int, visitor_id: UUID) -> Source | None:
        """A visitor's last touch that was not direct, as far as it is not in the database yet."""
        for pages in (self._waiting, self._in_hand):
            visitor = pages.visitors.get((company_id, visitor_id))
            if visitor is not None and visitor["touch"] is not None:
                return Source(**visitor["touch"])
        return None

    def began(self, visit: Row, visitor: Row | None = None) -> None:
        """A visit began; ``visitor`` where it may be known again."""
        if self._has_room():
            self._waiting.visits.append(visit)
            self._know(visitor)
            if visit["client_ids"]:
                self._remember_told((visit["company_id"], visit["id"]), visit["client_ids"])

    def consented(self, visit: Row, visitor: Row | None) -> None:
        """What was not kept of a visit may be kept now."""
        if self._has_room():
            self._waiting.kept[visit["company_id"], visit["id"]] = visit
            self._know(visitor)

    def viewed(self, view: Row) -> None:
        """A page of a visit was opened."""
        if self._has_room():
            self._waiting.views.append(view)

    def tapped(self, tap: Row) -> None:
        """A number on a page was tapped."""
        if self._has_room():
            self._waiting.taps.append(tap)

    def knows(self, company_id: int, visit_id: UUID, client_ids: Mapping[str, str]) -> None:
        """Other programs of the site gave the browser ids in the course of a visit, or may have told them before.

        They are kept only where the visit's visitor may be known again.
        """
        key = company_id, visit_id
        told = self._told.get(key)
        if told is not None and client_ids.items() <= told.items():
            return
        if self._has_room():
            self._remember_told(key, {**(told or {}), **client_ids})
            self._waiting.client_ids[key] = {
                "company_id": company_id,
                "id": visit_id,
                "started_at": made_at(visit_id).isoformat(),
                "client_ids": self._told[key],
            }

    def _remember_told(self, key: tuple[int, UUID], client_ids: Mapping[str, str]) -> None:
        self._told[key] = client_ids
        if len(self._told) > _MOST_TOLD:
            del self._told[next(iter(self._told))]

    async def erase(self, company_id: int, visit_id: UUID, visitor_id: UUID | None, consent: Consent) -> None:
        """Take away what identifies, and wait until it is gone. A caller who stops waiting takes nothing back."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.erasures.append(Erasure(company_id, visit_id, visitor_id, consent, done))
        await asyncio.shield(done)

    async def write(self) -> None:
        """Write what waits. Raises what the database raises; then it all waits for the next time."""
        async with self._turn:
            while self.waiting:
                taken = self._in_hand = self._take()
                try:
                    await self._write(taken)
                except _ROW_REFUSED:
                    await self._write_one_by_one(taken)
                except BaseException:
                    self._put_back(taken)
                    raise
                finally:
                    self._in_hand = _Pages()
                for erasure in taken.erasures:
                    if not erasure.done.done():
                        erasure.done.set_result(None)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Journal"]:
        """Write ten times a second while it lasts, and at the end what still waits."""
        writing = asyncio.create_task(self._endless())
        try:
            yield self
        finally:
            writing.cancel()
            await asyncio.wait([writing])
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._try()
            if self.waiting:
                _log.error("visits are lost: Postgres was away when the collector stopped", lost=self.waiting)

    async def _endless(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            await self._try()

    async def _try(self) -> None:
        try:
            await self.write()
        except AWAY as error:
            _log.warning("visits wait for Postgres", waiting=self.waiting, fault=str(error))
        if self._lost:
            _log.error("visits are not noted: Postgres has been away for too long", lost=self._lost)
            self._lost = 0

    def _has_room(self) -> bool:
        if len(self._waiting) < MOST_WAITING:
            return True
        self._lost += 1
        return False

    def _know(self, visitor: Row | None) -> None:
        if visitor is None:
            return
        key = visitor["company_id"], visitor["id"]
        before = self._waiting.visitors.get(key)
        if before is not None:
            visitor = {
                **visitor,
                "first_seen": before["first_seen"],
                "touch": visitor["touch"] if visitor["touch"] is not None else before["touch"],
                "client_ids": before["client_ids"] | visitor["client_ids"],
            }
        self._waiting.visitors[key] = visitor

    def _take(self) -> _Pages:
        """What comes next. Erasures go last: what they erase may be among the rest."""
        waiting = self._waiting
        if len(waiting) <= MOST_AT_ONCE:
            self._waiting = _Pages()
            return waiting
        taken = _Pages(
            visits=waiting.visits[:MOST_AT_ONCE], views=waiting.views[:MOST_AT_ONCE], taps=waiting.taps[:MOST_AT_ONCE]
        )
        del waiting.visits[:MOST_AT_ONCE], waiting.views[:MOST_AT_ONCE], waiting.taps[:MOST_AT_ONCE]
        taken.visitors, waiting.visitors = waiting.visitors, {}
        if not waiting.visits:
            taken.kept, waiting.kept = waiting.kept, {}
            taken.client_ids, waiting.client_ids = waiting.client_ids, {}
            taken.erasures, waiting.erasures = waiting.erasures, []
        return taken

    def _put_back(self, taken: _Pages) -> None:
        """What was not written goes before what came since."""
        since = self._waiting
        self._waiting = _Pages(
            taken.visits + since.visits,
            taken.kept | since.kept,
            taken.visitors,
            taken.views + since.views,
            taken.taps + since.taps,
            taken.client_ids | since.client_ids,
            taken.erasures + since.erasures,
        )
        for visitor in since.visitors.values():
            self._know(visitor)

    async def _write(self, pages: _Pages) -> None:
        companies = {
            row["company_id"]
            for rows in (
                pages.visits,
                pages.kept.values(),
                pages.visitors.values(),
                pages.views,
                pages.taps,
                pages.client_ids.values(),
            )
            for row in rows
        } | {erasure.company_id for erasure in pages.erasures}
        if not companies:
            return
        # Erasing is a promise to a person: that is on the disk before it is answered.
        async with self._database.companies(*sorted(companies), durable=bool(pages.erasures)) as connection:
            if pages.visits:
                await _queries.add_visits(connection, visits=_json(pages.visits))
            if pages.kept:
                await _queries.keep_visits(connection, visits=_json(list(pages.kept.values())))
            await self._add_keywords(connection, [*pages.visits, *pages.kept.values()])
            if pages.visitors:
                await _queries.know_visitors(connection, visitors=_json(list(pages.visitors.values())))
            if pages.views:
                await _queries.add_page_views(connection, views=_json(pages.views))
            if pages.taps:
                await _queries.add_taps(connection, taps=_json(pages.taps))
            if pages.client_ids:
                await _queries.add_client_ids(connection, visits=_json(list(pages.client_ids.values())))
            for erasure in pages.erasures:
                await erase_visitor(
                    connection, erasure.company_id, erasure.visit_id, erasure.visitor_id, erasure.consent
                )

    async def _add_keywords(self, connection: Connection, visits: Sequence[Row]) -> None:
        clicked = [visit for visit in visits if visit["click_id_type"] == "gclid"]
        if clicked:
            await _queries.add_keywords(
                connection,
                companies=[visit["company_id"] for visit in clicked],
                ids=[visit["id"] for visit in clicked],
                gclids=[visit["click_id"] for visit in clicked],
                started=[made_at(visit["id"]) for visit in clicked],
            )

    async def _write_one_by_one(self, pages: _Pages) -> None:
        """Find the row that Postgres will not take, and write all others."""
        alone: list[_Pages] = [
            *(_Pages(visits=[row]) for row in pages.visits),
            *(_Pages(kept={key: row}) for key, row in pages.kept.items()),
            *(_Pages(visitors={key: row}) for key, row in pages.visitors.items()),
            *(_Pages(views=[row]) for row in pages.views),
            *(_Pages(taps=[row]) for row in pages.taps),
            *(_Pages(client_ids={key: row}) for key, row in pages.client_ids.items()),
            *(_Pages(erasures=[erasure]) for erasure in pages.erasures),
        ]
        for number, one in enumerate(alone):
            try:
                await self._write(one)
            except _ROW_REFUSED as error:
                _log.error("an entry about a visit cannot be written and is dropped", fault=str(error))
            except BaseException:
                for rest in reversed(alone[number:]):
                    self._put_back(rest)
                raise


async def erase_visitor(
    connection: Connection, company_id: int, visit_id: UUID, visitor_id: UUID | None, consent: Consent
) -> int:
    """Take away what identifies, in the caller's transaction: from a visit, and from all of its visitor's where known.

    What their calls are credited to stays. How many visits that were.
    """
    visits = _queries.visits_to_erase(
        connection,
        company_id=company_id,
        visit_id=visit_id,
        started_at=made_at(visit_id),
        visitor_id=visitor_id,
    )
    found = [row async for row in visits]
    leases = _queries.erase_visits(
        connection,
        company_id=company_id,
        ids=[row["id"] for row in found],
        started=[row["started_at"] for row in found],
        urls=[page_without_identity(row["url"]) for row in found],
        referrers=[referrer_without_identity(row["referrer"], row["keyword"]) for row in found],
        at=consent.at,
        signal=consent.signal,
    )
    await unlink_leads(connection, company_id, [row["id"] for row in found], visitor_id)
    lease_ids = [row["lease_id"] async for row in leases]
    await forget_visits(connection, company_id, [row["id"] for row in found] or [visit_id], visitor_id)
    if visitor_id is not None:
        await _queries.forget_visitor(connection, company_id=company_id, visitor_id=visitor_id)
        await forget_holder(connection, company_id, visitor_id, lease_ids)
    return len(found)


def _json(rows: Sequence[Row]) -> str:
    return to_json(rows).decode()
