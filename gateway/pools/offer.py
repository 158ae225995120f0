"""Reads sites, pools and static numbers from Postgres into memory, where numbers are chosen."""

import json
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from gateway.pools.conditions import Condition, ConditionError, Conditions, conditions_of
from gateway.pools.pool import Kind, Offer, Pool, Site, StaticNumber, SwapTarget, WhenFull
from gateway.store.queries import load_queries

# Written by a newer version: such a pool is shown to nobody rather than to everybody.
_NOBODY = Conditions((Condition("source", ("!*", "!")),))

_queries = load_queries(Path(__file__).parent, "offer.sql")
_log = structlog.get_logger(__name__)


async def load_offer(connection: Any) -> Offer:
    """Everything that numbers are chosen from, over a connection that sees every company.

    It changes with the settings: read it again on each notification of ``numberpool_settings``. A static number whose
    rest ends is shown from the next reading on.
    """
    targets = defaultdict(list)
    async for row in _queries.targets(connection):
        targets[row["site_id"]].append(SwapTarget(row["id"], row["e164"], row["number_id"]))
    static = defaultdict(list)
    numbers = {}
    async for row in _queries.static_numbers(connection):
        facts = {fact: row[fact] for fact in ("channel", "source", "medium", "campaign") if row[fact]}
        static[row["pool_id"]].append(StaticNumber(row["id"], row["e164"], facts))
        numbers[row["company_id"], row["e164"]] = row["id"]
    async for row in _queries.fallback_numbers(connection):
        numbers[row["company_id"], row["e164"]] = row["id"]
    pools = defaultdict(list)
    async for row in _queries.pools(connection):
        pools[row["company_id"]].append(_pool(row, tuple(static[row["id"]])))
    sites = {row["public_key"]: _site(row, tuple(targets[row["id"]])) async for row in _queries.sites(connection)}
    return Offer(sites, {company: tuple(each) for company, each in pools.items()}, numbers)


def _site(row: Any, targets: tuple[SwapTarget, ...]) -> Site:
    return Site(
        id=row["id"],
        company_id=row["company_id"],
        name=row["name"],
        public_key=row["public_key"],
        hosts=tuple(row["hosts"]),
        payment_hosts=tuple(row["payment_hosts"]),
        time_zone=row["time_zone"],
        region=row["region"],
        targets=targets,
        consent_required=row["consent_required"],
    )


def _pool(row: Any, numbers: tuple[StaticNumber, ...]) -> Pool:
    try:
        conditions = conditions_of(json.loads(row["conditions"]))
    except ConditionError as error:
        _log.error("the conditions of a pool cannot be read; nobody is shown it", pool=row["name"], fault=str(error))
        conditions = _NOBODY
    return Pool(
        id=row["id"],
        company_id=row["company_id"],
        name=row["name"],
        kind=Kind(row["kind"]),
        priority=row["priority"],
        conditions=conditions,
        bound_to=tuple(row["bound_to"]),
        reserve=timedelta(seconds=row["reserve_seconds"]),
        quarantine=timedelta(seconds=row["quarantine_seconds"]),
        dialled_quarantine=timedelta(seconds=row["dialled_quarantine_seconds"]),
        window=timedelta(seconds=row["window_seconds"]),
        when_full=WhenFull(row["when_full"]),
        fallback=row["fallback_number"],
        serves=frozenset(row["serves"]),
        numbers=numbers,
    )
