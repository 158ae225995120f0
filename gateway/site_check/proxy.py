"""The way of a checked page into the network: out to the world, and to nothing of our own.

A page under check is a stranger. Its browser sends every request through this proxy, which looks names up itself and
connects to what it found, so that no name changes its meaning in between. Private addresses (this machine, the office,
a cloud's own services) are refused but for the hosts that are to be looked at.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

_LARGEST_HEAD = 64 * 1024
_HEAD_SECONDS = 30.0
_CONNECT_SECONDS = 10.0
_CHUNK = 64 * 1024
# A page on a private address itself may reach every other.
ANY_HOST = frozenset({"*"})
# What the browser would ask of its maker by itself.
_OF_THE_BROWSER = frozenset({"clients2.google.com", "accounts.google.com", "update.googleapis.com"})
# Where pages tell of their visitors: a check is none, and is not to be counted among them.
_STATISTICS = (
    "google-analytics.com",
    "analytics.google.com",
    "doubleclick.net",
    "googleadservices.com",
    "www.facebook.com",
    "mc.yandex.ru",
    "mc.yandex.com",
    "bat.bing.com",
    "clarity.ms",
    "hotjar.com",
    "hotjar.io",
    "px.ads.linkedin.com",
    "analytics.tiktok.com",
)
_HOP_BY_HOP = ("proxy-", "connection:", "keep-alive:")


class Fault(StrEnum):
    """Why a host was not reached."""

    UNKNOWN_NAME = "unknown name"
    REFUSED = "refused"
    SILENT = "silent"
    PRIVATE = "private"


def is_public(address: str) -> bool:
    """Whether an address is one of the world's, and not of this machine or a network of its own."""
    ip = ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_global and not ip.is_multicast


class Outward:
    """The proxy. ``private``: hosts that may stand on private addresses. What failed is kept by host and port."""

    def __init__(self, private: Collection[str] = ()) -> None:
        self._private = frozenset(host.lower() for host in private)
        self.faults: dict[str, Fault] = {}
        self.addresses: dict[str, str] = {}  # where hosts stand, as they were reached
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Outward"]:
        """Listen on a port of this machine for as long as the block lasts."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_LARGEST_HEAD)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._pass_on(reader, writer)
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the browser reports it as it is: a connection that ended
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ", 2)
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            out_reader, out_writer = await self._connect(host.strip("[]"), int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            parts = urlsplit(target)
            out_reader, out_writer = await self._connect(parts.hostname or "", parts.port or 80)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            kept = [line for line in lines if line and not line.lower().startswith(_HOP_BY_HOP)]
            # One request a connection: the next may be for another host.
            out_writer.write(
                "\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1")
            )
        try:
            await _both_ways((reader, out_writer), (out_reader, writer))
        finally:
            out_writer.close()

    async def _connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to ``host``. Raises OSError, TimeoutError."""
        host = host.lower()
        place = f"{host}:{port}"
        if host in _OF_THE_BROWSER or any(host == each or host.endswith(f".{each}") for each in _STATISTICS):
            raise OSError("not for a check")
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            self.faults[place] = Fault.UNKNOWN_NAME
            raise
        addresses = [str(info[4][0]) for info in found]
        may_be_private = self._private == ANY_HOST or host in self._private
        allowed = [each for each in addresses if is_public(each) or may_be_private]
        if not allowed:
            self.faults[place] = Fault.PRIVATE
            raise OSError("private address")
        for address in allowed:
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    opened = await asyncio.open_connection(address, port)
            except TimeoutError:
                self.faults[place] = Fault.SILENT
            except OSError:
                self.faults[place] = Fault.REFUSED
            else:
                self.faults.pop(place, None)
                self.addresses[host] = address
                return opened
        raise OSError(self.faults[place].value)


_Way = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _both_ways(out: _Way, back: _Way) -> None:
    ways = [asyncio.create_task(_pump(*out)), asyncio.create_task(_pump(*back))]
    try:
        # What comes back decides: a browser may be done with sending long before.
        await ways[1]
    finally:
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
