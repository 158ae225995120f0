"""A company's flow on a running installation, changed from test to test."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.calls.flow_setup import assign, close_now, set_flow
from gateway.pools.setup import Company
from gateway.store.database import Database
from tests.calls.exchange import Exchange
from tests.installation import Row

DID, PLAIN = "+13065552001", "+13065552002"
# Each is a destination by its name, rung for five seconds.
PHONES = ("main", "second", "rings", "busy", "hangs-up", "unavailable")
VOICEMAIL = {"kind": "voicemail", "seconds": 10}
Node = dict[str, Any]
_marks = itertools.count(1)


def ring(*lines: str, **more: Any) -> Node:
    return {"kind": "ring", "lines": [f"{PLAIN} {line}" for line in lines], "seconds": 5} | more


def hours(opened: Node, closed: Node, *, shut: bool) -> Node:
    """Open all week, or on one day long ago."""
    whole = {"opens": "00:00", "closes": "00:00"}
    times: Node = {"holidays": [{"on": "2001-01-01", "shifts": [whole]}]} if shut else {"week": [whole]}
    return {"kind": "hours", "open": opened, "closed": closed} | times


class Reception:
    """The company's flow, changed from test to test."""

    def __init__(self, exchange: Exchange, database: Database) -> None:
        self.exchange = exchange
        self.there = exchange.installation
        self._database = database
        self._company = Company(1, "Acme", "CA")

    def sound(self, name: str) -> str:
        return str(self.there.folder / name)

    def menu(self, keys: Node, otherwise: Node, tries: int = 1, seconds: int = 3) -> Node:
        return {
            "kind": "menu",
            "prompt": self.sound("menu"),
            "keys": keys,
            "otherwise": otherwise,
            "seconds": seconds,
            "tries": tries,
        }

    async def does(self, start: Node, *, closed_now: bool = False) -> None:
        """Calls to DID go by this from now on, with the gateway and without it."""
        # A whisper that no other flow has stands in the route once the gateway has read all this.
        mark = f"mark-{next(_marks):05}"
        async with self._database.everything() as connection:
            await set_flow(connection, self._company, "Reception", {"version": 1, "start": start})
            await assign(connection, self._company, "Reception", "number", DID)
            await close_now(connection, self._company, closed_now)
            await connection.execute("UPDATE tracking_numbers SET whisper = $1 WHERE e164 = $2", mark, DID)
        await self.there.wait_fallback(DID, f"|{mark}|")

    async def calls(self, xml: str, *lines: str) -> Row:
        return await self.exchange.call(xml, *lines)

    async def place(self, xml: str, *lines: str) -> tuple[int, Any]:
        before = await self.there.newest()
        return before, await self.exchange.place(xml, *lines)


@asynccontextmanager
async def reception_of(exchange: Exchange) -> AsyncIterator[Reception]:
    """The reception of an installation; whatever a test does to its gateway, the next one finds it well."""
    database = await Database.open(exchange.installation.dsn)
    try:
        yield Reception(exchange, database)
    finally:
        await database.close()
        gateway = exchange.installation.gateway
        gateway.resume()
        if not await gateway.is_well():
            await gateway.kill()
            await gateway.start()
