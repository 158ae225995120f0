"""Looks, every few minutes, for numbers and sites that fell silent, and notes them for the pages."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from gateway.attention.silence import Silence, Week, silences
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "looking.sql")

PERIOD_SECONDS = 600.0
# A number on a sign may ring twice a month: its habit takes a year to be seen. Sites are visited more often.
_CALLS_WITHIN = timedelta(days=365)
_VISITS_WITHIN = timedelta(days=56)

Hours = Mapping[int, Mapping[datetime, int]]
_log = structlog.get_logger(__name__)


async def keep_looking(database: Database) -> None:
    """Look again and again until cancelled."""
    while True:
        try:
            await look_for_silences(database, datetime.now(UTC))
        except AWAY as error:
            _log.warning("silences cannot be looked for", fault=str(error))
        await asyncio.sleep(PERIOD_SECONDS)


async def look_for_silences(database: Database, now: datetime) -> None:
    """Note what is silent at ``now`` (UTC) in each company, and forget what is not any more."""
    async with database.everything() as connection:
        companies = [(row["id"], ZoneInfo(row["time_zone"])) async for row in _queries.companies(connection)]
    for company_id, zone in companies:
        async with database.companies(company_id) as connection:
            await _look_at_company(connection, company_id, zone, now)


async def silent_numbers(connection: Connection, company_id: int, zone: ZoneInfo, now: datetime) -> tuple[Silence, ...]:
    """The numbers of a company that are silent at ``now`` (UTC)."""
    until = _whole_hour(now)
    calls = await _by_id(
        _queries.calls_by_hour(
            connection, company_id=company_id, zone=zone.key, since=until - _CALLS_WITHIN, until=until
        )
    )
    # Calls follow the hours of the business, whatever number they come in on.
    return _in_utc(silences(calls, _local(until, zone), Week.of(_together(calls)) if calls else None), zone)


async def _silent_sites(connection: Connection, company_id: int, zone: ZoneInfo, now: datetime) -> tuple[Silence, ...]:
    until = _whole_hour(now)
    visits = await _by_id(
        _queries.visits_by_hour(
            connection, company_id=company_id, zone=zone.key, since=until - _VISITS_WITHIN, until=until
        )
    )
    # Each site has its own visitors.
    return _in_utc(silences(visits, _local(until, zone)), zone)


def _whole_hour(now: datetime) -> datetime:
    """The present hour is not over."""
    return now.replace(minute=0, second=0, microsecond=0)


def _local(until: datetime, zone: ZoneInfo) -> datetime:
    return until.astimezone(zone).replace(tzinfo=None, minute=0)


def _in_utc(found: Iterable[Silence], zone: ZoneInfo) -> tuple[Silence, ...]:
    return tuple(replace(each, since=each.since.replace(tzinfo=zone).astimezone(UTC)) for each in found)


async def _look_at_company(connection: Connection, company_id: int, zone: ZoneInfo, now: datetime) -> None:
    for kind, look in (("number", silent_numbers), ("site", _silent_sites)):
        found = await look(connection, company_id, zone, now)
        ids = [each.id for each in found]
        await _queries.forget_silences(connection, company_id=company_id, kind=kind, silent=ids)
        await _queries.note_silences(
            connection,
            company_id=company_id,
            kind=kind,
            silent=ids,
            since=[each.since for each in found],
            a_day=[each.a_day for each in found],
        )


async def _by_id(rows: object) -> dict[int, dict[datetime, int]]:
    found: defaultdict[int, dict[datetime, int]] = defaultdict(dict)
    async for row in rows:  # type: ignore[attr-defined]
        found[row["id"]][row["hour"]] = row["events"]
    return found


def _together(hours: Hours) -> dict[datetime, int]:
    found: defaultdict[datetime, int] = defaultdict(int)
    for own in hours.values():
        for hour, events in own.items():
            found[hour] += events
    return found
