"""One connection that listens for Postgres' notifications and hands them to whoever subscribed.

A notification says that something changed, never what it now is; the subscriber reads it. So notifications of one
kind that wait together count once, and where any may have been lost (a new connection, a subscriber that was too
slow) a single ``None`` stands for all of them: read everything again.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog

from gateway.health import Condition, Health
from gateway.store.database import AWAY

PART = "postgres"

# How many different payloads may wait for one subscriber: beyond a few screens of calls, reading all is cheaper.
BACKLOG = 256
# A connection that died without a word (a pulled cable, a firewall) is noticed after PROBE + ANSWER seconds.
PROBE_SECONDS = 3.0
ANSWER_SECONDS = 3.0
CONNECT_SECONDS = 5.0
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0

# Login and database errors last until somebody mends them; everything else (shutting down, starting, too many
# connections, no route) passes.
_NEEDS_PERSON = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)

_log = structlog.get_logger(__name__)


class Subscription:
    """What waits for one subscriber; an endless iterator, until it is cancelled."""

    def __init__(self, backlog: int = BACKLOG) -> None:
        self._backlog = backlog
        self._waiting: dict[str, None] = {}  # an ordered set
        self._read_all = False
        self._something = asyncio.Event()

    def tell(self, payload: str) -> None:
        """Something changed. Covered already where everything is to be read again."""
        if self._read_all:
            return
        if payload not in self._waiting and len(self._waiting) >= self._backlog:
            self.tell_all()
            return
        self._waiting[payload] = None
        self._something.set()

    def tell_all(self) -> None:
        """Anything may have changed."""
        self._waiting.clear()
        self._read_all = True
        self._something.set()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> str | None:
        await self._something.wait()
        payload = None if self._read_all else next(iter(self._waiting))
        self._read_all = False
        if payload is not None:
            del self._waiting[payload]
        if not self._waiting:
            self._something.clear()
        return payload


class Listener:
    """One connection that LISTENs on every channel somebody subscribed to, and is made anew whenever it breaks."""

    def __init__(self, dsn: str, health: Health) -> None:
        self._dsn = dsn
        self._health = health
        self._subscriptions: dict[str, list[Subscription]] = {}
        self._listening: set[str] = set()
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[str | None]]:
        """The payloads of ``channel``; ``None`` first of all once connected, and after every gap."""
        subscription = Subscription()
        self._subscriptions.setdefault(channel, []).append(subscription)
        if channel in self._listening:
            subscription.tell_all()
        else:
            self._wake.set()
        try:
            yield subscription
        finally:
            remaining = self._subscriptions[channel]
            remaining.remove(subscription)
            if not remaining:
                del self._subscriptions[channel]
                self._wake.set()

    async def run(self) -> None:
        """Stay connected until cancelled, and tell the health report how it goes."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                connection = await asyncpg.connect(
                    self._dsn,
                    timeout=CONNECT_SECONDS,
                    command_timeout=ANSWER_SECONDS,
                    server_settings={"application_name": "numberpool listener"},
                )
            except AWAY as error:
                self._tell_failure(error)
            else:
                try:
                    await self._listen(connection)
                except AWAY as error:
                    # One that had listened for a while is tried again at once: most likely Postgres restarted.
                    wait = FIRST_WAIT_SECONDS
                    self._tell_failure(error)
                finally:
                    self._listening.clear()
                    connection.terminate()
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    async def _listen(self, connection: Any) -> None:
        """Serve the subscriptions over one connection until it breaks."""
        connection.add_termination_listener(lambda _: self._wake.set())
        while True:
            self._wake.clear()
            wanted = set(self._subscriptions)
            for channel in wanted - self._listening:
                await connection.add_listener(channel, self._notified)
                self._listening.add(channel)
                # Only now: what changed before LISTEN took effect is seen by reading, what comes after is told.
                for subscription in self._subscriptions.get(channel, ()):
                    subscription.tell_all()
            for channel in self._listening - wanted:
                self._listening.discard(channel)
                await connection.remove_listener(channel, self._notified)
            self._health.tell(PART, Condition.OK, "connected")
            try:
                # Not wait_for: in Python 3.11 it loses a cancellation that comes together with the event.
                async with asyncio.timeout(PROBE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                await connection.execute("SELECT 1")
            if connection.is_closed():
                raise ConnectionResetError("the connection was closed")

    def _notified(self, _connection: Any, _pid: int, channel: str, payload: object) -> None:
        for subscription in self._subscriptions.get(channel, ()):
            subscription.tell(str(payload))

    def _tell_failure(self, error: Exception) -> None:
        reason = str(error).strip() or "it does not answer"
        if isinstance(error, _NEEDS_PERSON):
            condition = Condition.NEEDS_PERSON
            message = (
                f"Postgres refuses the connection: {reason}. "
                "Mend postgres.dsn in the settings, or the user and database it names."
            )
        else:
            condition = Condition.TROUBLED
            message = f"Postgres cannot be reached: {reason}. Calls go on ringing; trying again."
        self._health.tell(PART, condition, message)
        _log.warning("postgres.unreachable", reason=reason)
