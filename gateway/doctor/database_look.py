"""Reads from Postgres what the doctor's checks need; each part by itself, so that a broken table hides no other."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from gateway.attention.looking import silent_numbers
from gateway.calls.directory import Directory
from gateway.calls.load import load_directory
from gateway.calls.route import Destination
from gateway.doctor.database import WINDOW, Rung, Server, too_old
from gateway.doctor.destinations import Named
from gateway.doctor.findings import Area, Finding, error
from gateway.doctor.second_steps import Sealed
from gateway.errors import Mendable
from gateway.opening import open_database
from gateway.settings import Settings
from gateway.store.database import AWAY, Database, DatabaseTooOld, RowSecurityBypassed
from gateway.store.migrate import known_revisions
from gateway.store.queries import load_queries

_sql = load_queries(Path(__file__).parent)
# A Postgres that does not answer within this is told as such; the gateway itself would wait.
_SECONDS = 10.0
_IN_THE_WAY: tuple[type[Exception], ...] = (*AWAY, Mendable)
# The embedded one is started for the look if it does not run.
_EMBEDDED_SECONDS = 60.0


@dataclass
class Store:
    """What is known of the database; None for what could not be read."""

    server: Server | None = None
    clock_ahead: float | None = None
    directory: Directory | None = None
    destinations: list[Named] = field(default_factory=list)
    unknown_dids: list[tuple[str, int, datetime]] = field(default_factory=list)
    rung: list[Rung] = field(default_factory=list)
    sealed: list[Sealed] | None = None
    faults: list[Finding] = field(default_factory=list)


async def look_at_store(settings: Settings, clock: Callable[[], float] = time.time) -> Store:
    """Everything that the database tells. Never raises: what stands in the way is among ``faults``."""
    found = Store()
    try:
        async with _opened(settings) as database:
            for look in (_look_at_server, _look_at_directory, _look_at_calls, _look_at_second_steps):
                try:
                    async with database.everything() as connection:
                        await look(connection, settings, found, clock)
                except AWAY as fault:
                    # Of a schema that is not ours yet, that is all there is to say.
                    if found.server is None or found.server.revision == known_revisions()[-1]:
                        found.faults.append(_unread(fault))
    except DatabaseTooOld:
        found.faults.append(too_old("older than that"))
    except RowSecurityBypassed as fault:
        found.faults.append(_bypassed(fault))
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as fault:
        found.faults.append(_refused(fault))
    except _IN_THE_WAY as fault:
        embedded = settings.postgres.dsn is None
        found.faults.append(_not_started(fault, settings.data_folder) if embedded else _no_answer(fault))
    return found


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    """The database as it is: nothing is migrated, and a Postgres that is away is not waited for."""
    async with AsyncExitStack() as opened:
        if settings.postgres.dsn is None:
            async with asyncio.timeout(_EMBEDDED_SECONDS):
                database = await opened.enter_async_context(open_database(settings, bring_forward=False))
        else:
            async with asyncio.timeout(_SECONDS):
                database = await Database.open(settings.postgres.dsn.get_secret_value(), 2)
            opened.push_async_callback(database.close)
        yield database


async def _look_at_server(connection: Any, settings: Settings, found: Store, clock: Callable[[], float]) -> None:
    before = clock()
    row = await _sql.server(connection)
    found.clock_ahead = row["now"] - (before + clock()) / 2
    extensions = {each["name"]: each["installed_version"] async for each in _sql.extensions(connection)}
    revision = None
    if await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
    found.server = Server(row["version"], row["text"], extensions, revision)


async def _look_at_directory(connection: Any, settings: Settings, found: Store, clock: Callable[[], float]) -> None:
    calls = settings.calls
    found.destinations = [
        Named(row["name"], row["dial"], row["company"], row["region"])
        async for row in _sql.all_destinations(connection)
    ]
    last_resort = Destination(calls.default_destination, calls.ring_seconds)
    found.directory = await load_directory(connection, last_resort, calls.dialplan_contexts)


async def _look_at_calls(connection: Any, settings: Settings, found: Store, clock: Callable[[], float]) -> None:
    since = datetime.fromtimestamp(clock(), UTC) - WINDOW
    found.unknown_dids = [
        (row["did"], row["calls"], row["last_call"]) async for row in _sql.unknown_dids(connection, since=since)
    ]
    silent: dict[int, float] = {}
    for company_id, zone in [(row["id"], ZoneInfo(row["time_zone"])) async for row in _sql.calendars(connection)]:
        numbers = await silent_numbers(connection, company_id, zone, since + WINDOW)
        silent |= {each.id: each.a_day for each in numbers}
    found.rung = [
        Rung(row["e164"], row["created_at"], row["last_call"], row["rang_lately"], silent.get(row["id"]))
        async for row in _sql.rung_numbers(connection, since=since)
    ]


async def _look_at_second_steps(connection: Any, settings: Settings, found: Store, clock: Callable[[], float]) -> None:
    found.sealed = [Sealed(row["email"], row["key"]) async for row in _sql.second_steps(connection)]


def _not_started(fault: Exception, data_folder: Path) -> Finding:
    return error(
        "postgres.embedded",
        Area.DATABASE,
        f"The embedded Postgres in {data_folder / 'postgres'} does not start ({str(fault) or 'timed out'}).",
        f"ls -ld {data_folder} {data_folder / 'postgres'}   # both belong to the user that Numberpool runs as",
        "or, with a Postgres of your own, in numberpool.toml, [postgres]:  dsn = "
        '"postgresql://numberpool:...@localhost/numberpool"',
        where=str(data_folder),
    )


def _no_answer(fault: Exception) -> Finding:
    return error(
        "postgres.no-answer",
        Area.DATABASE,
        f"Postgres does not answer ({str(fault) or 'timed out'}).",
        "systemctl start postgresql",
        'in numberpool.toml, [postgres]:  dsn = "postgresql://numberpool:...@localhost/numberpool"',
    )


def _refused(fault: Exception) -> Finding:
    return error(
        "postgres.refused",
        Area.DATABASE,
        f"Postgres refuses us: {fault}.",
        "psql -c \"CREATE ROLE numberpool LOGIN PASSWORD '...'\" -c 'CREATE DATABASE numberpool OWNER numberpool'",
        'in numberpool.toml, [postgres]:  dsn = "postgresql://numberpool:...@localhost/numberpool"',
    )


def _bypassed(fault: Exception) -> Finding:
    return error(
        "postgres.superuser",
        Area.DATABASE,
        str(fault).split("\n\n")[0].replace("\n", " "),
        "psql -c \"CREATE ROLE numberpool LOGIN PASSWORD '...'\" -c 'CREATE DATABASE numberpool OWNER numberpool'",
    )


def _unread(fault: Exception) -> Finding:
    return error(
        "postgres.unread",
        Area.DATABASE,
        f"The database cannot be read as it should ({fault}).",
        "numberpool migrate",
    )
