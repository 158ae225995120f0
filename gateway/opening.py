"""Opens the database that the settings name, for the gateway and for every command."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import click
import structlog

from gateway.local.errors import LocalError
from gateway.local.postgres import EmbeddedPostgres
from gateway.settings import Settings
from gateway.store.database import Database, StoreError
from gateway.store.schema import is_present

RETRY_SECONDS = 2.0
# The embedded Postgres is looked after this often.
LOOK_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_database(
    settings: Settings, *, bring_forward: bool = True, keep: bool = False
) -> AsyncIterator[Database]:
    """The database of ``settings``, migrated; the embedded Postgres in the data folder where none is named.

    Waits for a Postgres that is away. With ``keep`` the embedded one is ours: started again when it dies, stopped at
    the end; without, one that runs already is left alone. Raises StoreError for a database that will not do, LocalError
    for a data folder that will not.
    """
    if settings.postgres.dsn is not None:
        async with _connected(settings.postgres.dsn.get_secret_value(), settings, bring_forward) as database:
            yield database
        return
    embedded = EmbeddedPostgres(settings.data_folder / "postgres")
    leave = embedded.pid is not None and not keep
    dsn = await embedded.start()
    keeping = asyncio.create_task(_keep_alive(embedded)) if keep else None
    try:
        async with _connected(dsn, settings, bring_forward) as database:
            yield database
    finally:
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait([keeping])
        if not leave:
            await embedded.stop()


async def _keep_alive(embedded: EmbeddedPostgres) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if embedded.pid is None:
            _log.error("the embedded Postgres died; it is started again")
            try:
                await embedded.start()
            except (LocalError, OSError) as error:
                _log.error("the embedded Postgres does not start", fault=str(error))


@asynccontextmanager
async def _connected(dsn: str, settings: Settings, bring_forward: bool) -> AsyncIterator[Database]:
    while True:
        try:
            if bring_forward and not await is_present(dsn):
                from gateway.store.migrate import migrate

                for revision in await migrate(dsn):
                    _log.info("migrated", revision=revision)
            database = await Database.open(dsn, settings.postgres.connections)
            break
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
            raise StoreError(f"Postgres refused us: {error}. Mend postgres.dsn in the settings.") from None
        except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
            _log.warning("Postgres does not answer; trying again", fault=str(error))
            await asyncio.sleep(RETRY_SECONDS)
    try:
        yield database
    finally:
        await database.close()


def with_database(settings: Settings, work: Callable[[Database], Awaitable[str]]) -> None:
    """Do what a command does on the database, and print what it says. Raises Mendable."""

    async def opened() -> str:
        async with open_database(settings) as database:
            return await work(database)

    click.echo(asyncio.run(opened()))
