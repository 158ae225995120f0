"""Keeps what reports are made of as calls, touches, jobs and forms are: counts again what has changed.

Whatever changes leaves a row in ``report_due`` (by triggers, so that nothing is left out). Only what has changed takes
its days out of the sums that hold; :mod:`gateway.reports.rollup` makes them anew.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.attribution.credit import MOST_HALVINGS, PAID_CHANNELS, PAID_MEDIA, POSITION_ENDS
from gateway.attribution.keeping import Sources
from gateway.reports.blocks import HIGHEST
from gateway.store.queries import load_queries
from gateway.visits.source import Source

# A page brings as many up to date before it answers; more are the worker's.
FEW = 300
# Of a batch, so many more are the newest.
NEWEST = 50
# As long as whoever is at it may take.
_TRIES, _TRY_SECONDS = 60, 0.025

_LONG_SECONDS = 1800.0

_queries = load_queries(Path(__file__).parent, "recount.sql")


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether all that the transaction sees is counted, and the first day that anything counts on."""

    is_counted: bool
    first_day: date | None


async def standing(connection: Any, company_id: int) -> Standing:
    """How far a company is counted."""
    row = await _queries.standing(connection, company_id=company_id, most=1)
    # What is his alone is not for him to count for all.
    return Standing(row["is_limited"] or not row["due"], row["first_day"])


async def catch_up(connection: Any, company_id: int) -> bool:
    """Count again what has changed, where that is little and nobody else is at it for long; whether all is counted."""
    # What is his alone is not for him to count for all.
    if await _queries.is_limited(connection, company_id=company_id):
        return True
    due = await _queries.how_many_due(connection, company_id=company_id, most=FEW + 1)
    if due == 0:
        return True
    if due > FEW or await _queries.has_rule_due(connection, company_id=company_id):
        return False
    for attempt in range(_TRIES):
        if await _queries.try_lock_reports(connection, company_id=company_id):
            await recount_some(connection, company_id, FEW)
            return not await _queries.how_many_due(connection, company_id=company_id, most=1)
        if attempt < _TRIES - 1:
            await asyncio.sleep(_TRY_SECONDS)
    return False


async def recount_some(connection: Any, company_id: int, most: int) -> int:
    """Count again what waits longest, at most so many rows; how many it was. For whoever holds the lock."""
    if await _queries.has_rule_due(connection, company_id=company_id):
        # A million rows take their time.
        await connection.execute(_queries.all_due.sql, company_id, timeout=_LONG_SECONDS)
    await plan_with_values(connection)
    rows = [row async for row in _queries.take_due(connection, company_id=company_id, most=most, newest=NEWEST)]
    if rows:
        await recount(
            connection,
            company_id,
            {row["call_id"] for row in rows if row["call_id"] is not None},
            {row["lead_id"] for row in rows if row["lead_id"] is not None},
        )
    return len(rows)


async def recount(connection: Any, company_id: int, calls: Collection[int], leads: Collection[UUID]) -> set[date]:
    """Count these again, and what hangs on them; the days whose figures that has changed."""
    related = [
        row
        async for row in _queries.with_related(
            connection, company_id=company_id, calls=sorted(calls), leads=sorted(leads)
        )
    ]
    call_ids = [row["call_id"] for row in related if row["call_id"] is not None]
    lead_ids = [row["lead_id"] for row in related if row["lead_id"] is not None]
    if lead_ids:
        await _make_sources(connection, company_id, lead_ids)
    asked = {"company_id": company_id, "calls": call_ids, "leads": lead_ids}
    rows = _queries.recount(
        connection,
        **asked,
        paid_channels=sorted(PAID_CHANNELS),
        paid_media=sorted(PAID_MEDIA),
        most_halvings=MOST_HALVINGS,
        ends=float(POSITION_ENDS),
    )
    days = {row["day"] async for row in rows}
    if call_ids:
        days |= {
            row["day"] async for row in _queries.recount_chances(connection, company_id=company_id, calls=call_ids)
        }
    if days:
        await _queries.take_out_blocks(connection, company_id=company_id, days=sorted(days), highest=HIGHEST)
    return days


async def is_all_due(connection: Any, company_id: int) -> bool:
    """Whether a rule has changed that holds for every call, and none was counted by it yet."""
    return bool(await _queries.has_rule_due(connection, company_id=company_id))


async def plan_with_values(connection: Any) -> None:
    """Plan each query with its values: what is asked for is one call or a thousand, one day or ten years."""
    await connection.execute(
        "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL max_parallel_workers_per_gather = 0;"
        "SET LOCAL jit = off"
    )


async def lock_reports(connection: Any, company_id: int) -> None:
    """Nobody else counts for this company until the end of the transaction."""
    await _queries.lock_reports(connection, company_id=company_id)


async def make_all_due(connection: Any, company_id: int) -> None:
    """Everything of the company is to be counted again."""
    await _queries.make_all_due(connection, company_id=company_id)


async def take_out_all(connection: Any, company_id: int) -> None:
    """No sum of the company's days holds any more."""
    await _queries.take_out_all(connection, company_id=company_id)


async def oldest_due(connection: Any, not_these: Collection[int] = ()) -> int | None:
    """The company whose change waits longest, of those that the transaction sees."""
    company_id: int | None = await _queries.oldest_due(connection, not_these=list(not_these))
    return company_id


async def how_many_due(connection: Any, company_id: int, most: int) -> int:
    """How many rows wait, at most so many."""
    return int(await _queries.how_many_due(connection, company_id=company_id, most=most))


async def _make_sources(connection: Any, company_id: int, leads: Sequence[UUID]) -> None:
    """What brought a form is a source of the company, also where it brought no call yet."""
    sources = Sources(connection, company_id)
    rows = [row async for row in _queries.missing_labels(connection, company_id=company_id, leads=leads)]
    for row in rows:
        await sources.id_of(Source(row["label"], row["channel"], row["source"], row["medium"]))
