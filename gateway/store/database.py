"""The asyncpg pool, and the only ways to a connection: for some companies, for all, or for a call that names them.

Row-level security stands behind every query: a table with a ``company_id`` shows a transaction only the
companies that this module named for it, and nothing at all where none was named.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from gateway.errors import Mendable

if TYPE_CHECKING:
    Connection = PoolConnectionProxy[asyncpg.Record]
else:  # asyncpg's class takes no parameter when it runs
    Connection = PoolConnectionProxy

# What a query ends in when Postgres is away, starting or shutting down, and what else a retry may mend. The last is
# what asyncpg says of a connection that was cut off while its answer was being read.
AWAY: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

MINIMUM_VERSION = 15
ACQUIRE_SECONDS = 10.0
# A visit whose time is up does not wait for a Postgres that hangs: the connection is given up.
ROLLBACK_SECONDS = 1.0

# A scope is "all" or numbers joined by commas. The few statements of such transactions take their rows by keys, so a
# plan made once serves every time: to plan them takes longer than to do them.
_HASTILY = (
    "BEGIN; SELECT set_config('numberpool.companies', '{scope}', true), set_config('synchronous_commit', 'off', true), "
    "set_config('plan_cache_mode', 'force_generic_plan', true)"
)


class StoreError(Mendable):
    """The root of what can go wrong with the database.

    StoreError
    ├── DatabaseTooOld
    └── RowSecurityBypassed
    """


class DatabaseTooOld(StoreError):
    """This Postgres is older than 15; upgrade it, or let Numberpool use its embedded one."""


class RowSecurityBypassed(StoreError):
    """The database user is a superuser or has BYPASSRLS, so one company could see another's rows.

    Create a user of its own: CREATE ROLE numberpool LOGIN PASSWORD '…'; CREATE DATABASE numberpool OWNER numberpool;
    """


@dataclass(frozen=True, slots=True)
class OwnCalls:
    """Whose own calls are all that may be seen, and in which companies that is so; elsewhere he sees every call."""

    user_id: int
    companies: tuple[int, ...]


# It follows the task that serves a request, so that no page has to think of it, and none can forget.
_only_own: ContextVar[OwnCalls | None] = ContextVar("only_own_calls", default=None)


@contextmanager
def only_own_calls(limit: OwnCalls | None) -> Iterator[None]:
    """For as long as the block lasts, connections of ``companies`` show no calls but those (none: no such limit).

    Calls, legs and recordings, by the policies of migration 0009. Tasks begun in the block keep to it.
    """
    before = _only_own.set(limit)
    try:
        yield
    finally:
        _only_own.reset(before)


def scope_of(ids: Iterable[int]) -> str:
    """How a transaction is told which companies it sees."""
    return ",".join(str(int(id)) for id in ids)


async def _leave_as_it_is(_connection: object) -> None:
    """Whatever a transaction sets is its own, and one left open has been rolled back: nothing is to be reset."""


class Database:
    """A pool of connections to one Postgres."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", dsn: str) -> None:
        self._pool = pool
        self.dsn = dsn

    @classmethod
    async def open(cls, dsn: str, connections: int = 10) -> "Database":
        """Connect and check version and user.

        Raises OSError or asyncpg.PostgresError where Postgres is not there, StoreError where it will not do.
        """
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=connections,
            command_timeout=30,
            timeout=ACQUIRE_SECONDS,
            server_settings={"application_name": "numberpool", "timezone": "UTC"},
            reset=_leave_as_it_is,
        )
        try:
            async with pool.acquire() as connection:
                if connection.get_server_version().major < MINIMUM_VERSION:
                    raise DatabaseTooOld(DatabaseTooOld.__doc__)
                if await connection.fetchval(
                    "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
                ):
                    raise RowSecurityBypassed(RowSecurityBypassed.__doc__)
        except BaseException:
            pool.terminate()
            raise
        return cls(pool, dsn)

    async def close(self) -> None:
        """Close the pool; what does not close within five seconds is cut off."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def companies(self, *ids: int, durable: bool = True) -> AsyncIterator[Connection]:
        """A transaction that sees only these companies, and of their calls what ``only_own_calls`` leaves.

        What is not ``durable`` is committed without waiting for the disk: a crash of Postgres may lose the last half
        second of it, and nothing else can. Such a transaction is short, and has no savepoints.
        """
        scoped = self._scoped if durable else self._hasty
        async with scoped(scope_of(ids)) as connection:
            limit = _only_own.get()
            if limit is not None:
                await connection.execute(
                    "SELECT set_config('numberpool.agent', $1, true), set_config('numberpool.agent_in', $2, true)",
                    str(int(limit.user_id)),
                    scope_of(limit.companies),
                )
            yield connection

    @asynccontextmanager
    async def everything(self, *, durable: bool = True) -> AsyncIterator[Connection]:
        """A transaction that sees every company: for the gateway and for signing in, never for a page."""
        async with (self._scoped if durable else self._hasty)("all") as connection:
            yield connection

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[Connection]:
        """For one call of a function of the database that names its companies itself, in a transaction of its own.

        Such a function begins with ``numberpool_hasty``, and is given ``scope_of`` the companies. Whatever else is
        asked sees nothing. A page waits for one answer of Postgres, where ``companies`` would make it wait for several.
        """
        connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        try:
            yield connection
        finally:
            # A call that was given up is cancelled, and undone; one that cannot be is cut off with its connection.
            await self._pool.release(connection, timeout=ROLLBACK_SECONDS)

    @asynccontextmanager
    async def _scoped(self, scope: str) -> AsyncIterator[Connection]:
        async with (
            self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
            connection.transaction(),
        ):
            await connection.execute("SELECT set_config('numberpool.companies', $1, true)", scope)
            yield connection

    @asynccontextmanager
    async def _hasty(self, scope: str) -> AsyncIterator[Connection]:
        """Begun by hand, together with its scope: a visit waits for one answer of Postgres less."""
        async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            await connection.execute(_HASTILY.format(scope=scope))
            try:
                yield connection
            except BaseException:
                try:
                    async with asyncio.timeout(ROLLBACK_SECONDS):
                        await connection.execute("ROLLBACK")
                except AWAY:
                    connection.terminate()
                raise
            await connection.execute("COMMIT")
