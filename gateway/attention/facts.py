"""Reads what the decision about needs is made from, and keeps what was put off."""

from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.attention.needs import NEARLY, Facts, Failed, Kind, Missed, Need, PoolWeek, Silent, TurnedAway, needs
from gateway.attention.node_states import node_states
from gateway.pools.health import PoolHealth, pool_health
from gateway.reports.missed import not_called_back
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "facts.sql")

# What happened longer ago is not news any more.
LATELY = timedelta(days=7)
# A flood of calls is over by then.
A_DAY = timedelta(days=1)
PUT_OFF_FOR = timedelta(days=7)
# Of fewer numbers nearly all are held whenever somebody comes.
_MANY = 3


async def needs_of(connection: Connection, company_id: int, zone: ZoneInfo, now: datetime) -> tuple[Need, ...]:
    """What needs somebody in a company at ``now`` (UTC), the most urgent first."""
    facts = await facts_of(connection, company_id, zone, now)
    hidden = [row["need"] async for row in _queries.put_off_now(connection, company_id=company_id, now=now)]
    return needs(facts, now, now.astimezone(zone).date(), hidden)


async def facts_of(connection: Connection, company_id: int, zone: ZoneInfo, now: datetime) -> Facts:
    """All that is looked at."""
    since = now - LATELY
    first = now.astimezone(zone).date().replace(day=1)
    earliest = (first - timedelta(days=40)).replace(day=1)
    waits = await not_called_back(connection, company_id, since, None)
    pools = await pool_health(connection, company_id, start=since, finish=now, now=now)
    away = await _queries.turned_away_by_limits(connection, company_id=company_id, since=now - A_DAY)
    failed = await _queries.failed_recordings(connection, company_id=company_id, since=since)
    spent = _queries.months_with_spend(connection, company_id=company_id, since=earliest, until=first)
    silent = _queries.silences(connection, company_id=company_id)
    return Facts(
        nodes=await node_states(connection),
        missed=Missed(len(waits), min(wait.since for wait in waits), max(wait.last.call_id for wait in waits))
        if waits
        else None,
        silent=[Silent(Kind(row["kind"]), row["id"], row["name"], row["since"], row["a_day"]) async for row in silent],
        pools=[_week(pool, zone) for pool in pools],
        turned_away=TurnedAway(away["count"], away["since"], away["newest"]) if away["count"] else None,
        failed=Failed(failed["count"], failed["newest"]) if failed["count"] else None,
        months_with_spend=frozenset([row["month"] async for row in spent]),
    )


async def put_off(connection: Connection, company_id: int, key: str, user_id: int, now: datetime) -> None:
    """Tell nobody of that need for a while."""
    await _queries.forget_put_off(connection, company_id=company_id, before=now - PUT_OFF_FOR)
    await _queries.put_off(connection, company_id=company_id, need=key, until=now + PUT_OFF_FOR, user_id=user_id)


async def take_up(connection: Connection, company_id: int, key: str) -> None:
    """Tell of it again."""
    await _queries.take_up(connection, company_id=company_id, need=key)


def _week(pool: PoolHealth, zone: ZoneInfo) -> PoolWeek:
    nearly: defaultdict[object, bool] = defaultdict(bool)
    for hour in pool.hours:
        if hour.numbers >= _MANY and hour.occupied_most >= NEARLY * hour.numbers:
            nearly[hour.hour.astimezone(zone).date()] = True
    return PoolWeek(
        pool.pool_id,
        pool.name,
        pool.numbers - pool.resting,
        pool.leased,
        pool.displaced + pool.refused,
        len(nearly),
    )
