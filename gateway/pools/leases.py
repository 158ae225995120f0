"""Numbers lent to visitors, over Postgres: safe under any number of workers, because rows are locked there.

Nothing here waits for another visit while it holds a number: a number that is being lent is passed over, and a request
takes its pools in the order of their ids.
"""

import asyncio
import json
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.pools.choose import Holder, visitor_holder
from gateway.pools.pool import Pool, WhenFull
from gateway.store.queries import load_queries
from gateway.visits.ids import made_at, new_id

# Every number is in the hands of other requests, which take about a millisecond each: how often it is tried again.
TRIES = 60
PAUSE_SECONDS = 0.005
_EVER = timedelta(days=36500)

_queries = load_queries(Path(__file__).parent, "leases.sql")


class Got(StrEnum):
    """How a holder came by the number."""

    OWN = "own"  # had it already
    FREE = "free"
    HURRIED = "hurried"  # the pool was full: its quarantine was cut short
    DISPLACED = "displaced"  # the pool was full: another's lease was ended early
    REFUSED = "refused"  # the pool was full, and does not share; or has no number


@dataclass(frozen=True, slots=True)
class Lent:
    """What a pool had for a holder; without number, lease and exposure where it was refused."""

    pool: Pool
    got: Got
    number_id: int | None = None
    e164: str | None = None
    lease_id: int | None = None
    exposure_id: UUID | None = None


async def lease_numbers(
    connection: Any, wanted: Sequence[tuple[Pool, Holder]], *, visit_id: UUID, now: datetime
) -> dict[int, Lent]:
    """A number of each pool for its holder, and the exposure of the visit to it; by pool id.

    ``connection`` is in a transaction that sees the company of the pools, and in no earlier one that locked numbers.
    What it raises (``asyncpg.UniqueViolationError`` where another tab of the holder was first, deadlocks with an
    admin's changes) is mended by doing the transaction again: see ``gateway.pools.showing``.
    """
    return {
        pool.id: await _lease(connection, pool, holder, visit_id, now)
        for pool, holder in sorted(wanted, key=lambda each: each[0].id)
    }


async def expose(connection: Any, company_id: int, number_id: int, *, visit_id: UUID, now: datetime) -> UUID:
    """Note that a visit was shown a tracking number which is lent to nobody; the exposure's id."""
    exposure_id = new_id(now)
    await _queries.expose(
        connection,
        company_id=company_id,
        exposure_id=exposure_id,
        visit_id=visit_id,
        number_id=number_id,
        shown_at=made_at(exposure_id),
    )
    return exposure_id


async def end_leases(connection: Any, company_id: int, number_ids: Collection[int], *, now: datetime) -> list[int]:
    """Close the leases of these numbers, so that they can be moved, rested or retired; those that had one.

    Their holders are told at the next keep-alive, and get another number with the next page.
    """
    held = _queries.hold_numbers(connection, company_id=company_id, number_ids=list(number_ids))
    _ = [row async for row in held]
    rows = _queries.end_leases(connection, company_id=company_id, number_ids=list(number_ids), now=now)
    return [row["number_id"] async for row in rows]


async def forget_holder(connection: Any, company_id: int, visitor: UUID, lease_ids: Collection[int]) -> None:
    """Take a visitor's id out of leases, which go on as nobody's in particular."""
    await _queries.forget_holder(
        connection, company_id=company_id, lease_ids=list(lease_ids), holder=visitor_holder(visitor).key
    )


async def forget_leases(connection: Any, before: datetime) -> None:
    """Delete leases that ended before a moment, over a connection that sees every company."""
    await _queries.forget_leases(connection, before=before)


async def _lease(connection: Any, pool: Pool, holder: Holder, visit_id: UUID, now: datetime) -> Lent:
    idle_before, silent_since = now - pool.reserve - pool.quarantine, now - pool.dialled_quarantine
    for _ in range(TRIES):
        lent = await _lend(connection, pool, holder, visit_id, now, idle_before=idle_before, silent_since=silent_since)
        if lent is not None:
            return lent
        room = await _queries.room(
            connection,
            company_id=pool.company_id,
            pool_id=pool.id,
            now=now,
            idle_before=idle_before,
            silent_since=silent_since,
        )
        if not room["has_numbers"]:
            break
        if not room["has_free"]:
            if pool.when_full is not WhenFull.SHARE:
                # What was passed over may have been lent to this holder in another tab: that is to be seen by now.
                lent = await _lend(
                    connection, pool, holder, visit_id, now, idle_before=idle_before, silent_since=silent_since
                )
                return lent or Lent(pool, Got.REFUSED)
            # Whoever was seen longest ago loses the number: before that, those that only rest a while.
            lent = await _lend(
                connection, pool, holder, visit_id, now, shared=True, idle_before=now + _EVER, silent_since=now + _EVER
            )
            if lent is not None:
                return lent
        await asyncio.sleep(PAUSE_SECONDS * random.random())
    return Lent(pool, Got.REFUSED)


async def _lend(
    connection: Any,
    pool: Pool,
    holder: Holder,
    visit_id: UUID,
    now: datetime,
    *,
    idle_before: datetime,
    silent_since: datetime,
    shared: bool = False,
) -> Lent | None:
    exposure_id = new_id(now)
    row = await _queries.lend(
        connection,
        company_id=pool.company_id,
        pool_id=pool.id,
        holder=holder.key,
        combination=holder.combination and json.dumps(holder.combination, ensure_ascii=False),
        now=now,
        idle_before=idle_before,
        silent_since=silent_since,
        reserved_since=now - pool.reserve,
        visit_id=visit_id,
        exposure_id=exposure_id,
        shown_at=made_at(exposure_id),
    )
    if row is None:
        return None
    got = Got.DISPLACED if row["displaced"] else Got.HURRIED if shared else Got.FREE
    return Lent(pool, got if row["is_new"] else Got.OWN, row["number_id"], row["e164"], row["lease_id"], exposure_id)
