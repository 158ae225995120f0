"""What the database knows of a pool's past: what the advice for it is made from."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.attribution.errors import LendsNothing, NoVisitsYet
from gateway.attribution.hourly import Sessions
from gateway.pools.errors import NoSuchPool
from gateway.pools.pool import Kind, Pool, WhenFull
from gateway.pools.setup import Company
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class PoolPast:
    """A pool, and its visits by the hour. ``stay``, ``calling`` and ``sources`` are as they were measured."""

    pool: Pool
    sessions: Sessions
    numbers: int
    stay: timedelta | None
    calling: float | None
    sources: int | None
    price: float | None


async def hours_of_pool(connection: Any, company: Company, name: str, *, days: int) -> PoolPast:
    """The past ``days`` of a pool that lends. Raises NoSuchPool, LendsNothing, NoVisitsYet."""
    now = datetime.now(UTC)
    since = now - timedelta(days=days)
    row = await _queries.pool_by_name(connection, company_id=company.id, name=name, now=now)
    if row is None:
        raise NoSuchPool(name)
    if row["kind"] != Kind.DYNAMIC:
        raise LendsNothing(f"{name!r} is a static pool, which lends nothing; name a dynamic one.")
    asked = {"company_id": company.id, "pool_id": row["id"], "since": since, "now": now}
    hours: dict[datetime, int] = defaultdict(int)
    stayed = 0.0
    visits = 0
    async for hour in _queries.visits_by_hour(connection, **asked):
        hours[hour["hour"].astimezone(UTC).replace(tzinfo=None)] += hour["visits"]
        visits += hour["visits"]
        stayed += hour["stayed"]
    refused = _queries.refused_by_hour(connection, company_id=company.id, pool_id=row["id"], since=since)
    async for hour in refused:
        hours[hour["hour"].astimezone(UTC).replace(tzinfo=None)] += hour["refused"]
    if not hours:
        raise NoVisitsYet(
            f"{name!r} has lent no number in the past {days} days; advise from sessions instead: "
            "numberpool pools advise --sessions FILE, or --peak VISITS."
        )
    calls = await _queries.calls_of_pool(connection, **asked)
    sources = await _queries.sources_of_pool(connection, **asked)
    return PoolPast(
        Pool(
            row["id"],
            company.id,
            name,
            Kind.DYNAMIC,
            reserve=timedelta(seconds=row["reserve_seconds"]),
            quarantine=timedelta(seconds=row["quarantine_seconds"]),
            dialled_quarantine=timedelta(seconds=row["dialled_quarantine_seconds"]),
            window=timedelta(seconds=row["window_seconds"]),
            when_full=WhenFull(row["when_full"]),
        ),
        Sessions(dict(hours)),
        row["numbers"],
        timedelta(seconds=stayed / visits) if stayed else None,
        min(calls / visits, 1.0) if calls and visits else None,
        sources or None,
        None if row["monthly_price"] is None else float(row["monthly_price"]),
    )
