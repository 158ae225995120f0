"""A relay between a client and Postgres that can fall silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class Wire:
    """A way to Postgres that can go silent as a firewall does: still open, but nothing passes any more."""

    def __init__(self, dsn: str) -> None:
        self._dsn = urlsplit(dsn)
        self.passing = asyncio.Event()
        self.passing.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The DSN that leads through it."""
        server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        login = self._dsn.netloc.rpartition("@")[0]
        try:
            yield f"postgresql://{login}@127.0.0.1:{port}{self._dsn.path}?sslmode=disable"
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = parse_qs(self._dsn.query)
        if "host" in query:  # a folder with a socket in it
            port = query.get("port", ["5432"])[0]
            inner = await asyncio.open_unix_connection(f"{query['host'][0]}/.s.PGSQL.{port}")
        else:
            inner = await asyncio.open_connection(self._dsn.hostname, self._dsn.port or 5432)
        for source, sink in ((reader, inner[1]), (inner[0], writer)):
            self._tasks.add(asyncio.create_task(self._pass(source, sink)))

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self.passing.wait()
                sink.write(data)
                await sink.drain()
        sink.close()
