"""The visit endpoint against a bare aiohttp handler that asks the same Postgres ``SELECT 1``, in turns within one run.

Both are one process each, pinned to one processor where there are two; the load comes over keep-alive connections from
another process, as a proxy's would. A visitor opens three pages: the first by an advertisement, two within the site.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from aiohttp import web

from gateway.local.postgres import EmbeddedPostgres
from gateway.store.database import Database
from gateway.store.migrate import migrate
from gateway.visits.ids import new_id
from gateway.visits.months import keep_months
from tests.bench.leases import PAST_LEASES, with_a_past
from tests.pools.shop import Shop, open_shop
from tests.stack import PROJECT

NUMBERS = 10_000
FEW_NUMBERS = 5_000
CONNECTIONS = 64
ROUNDS = 7
SECONDS = 2.0
PAGES = 3
_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
AGENTS = tuple(_AGENT.format(major) for major in range(120, 145))


@dataclass(frozen=True)
class Load:
    """What a round of load found: requests a second, and the 99th percentile of how long they took, in milliseconds."""

    rate: float
    p99: float


def requests(key: str, count: int) -> list[bytes]:
    """So many page loads of visitors who open three pages each, as their browsers send them."""
    made = []
    chosen = random.Random()
    now = datetime.now(UTC)
    for number in range(count):
        page = number % PAGES
        body: dict[str, Any]
        if page == 0:
            visitor, visit = new_id(now), new_id(now)
            landing = f"https://shop.example/roofs?gclid=Cj0KCQ{visit.hex}&utm_campaign=spring-{number % 50}"
            body = {"url": landing, "referrer": "https://www.google.com/"}
        else:
            body = {
                "url": f"https://shop.example/page/{number % 40}",
                "referrer": landing,
                "visit": str(visit),
                "touch": {"url": landing, "referrer": "https://www.google.com/"},
            }
        body |= {
            "site": key,
            "visitor": str(visitor),
            "visible": True,
            "title": "Roof repair",
            "language": "en-CA",
            "screen": "1920x1080x1",
            "consent": {"required": False, "state": "unknown"},
        }
        payload = json.dumps(body).encode()
        made.append(
            b"POST /v1/visit HTTP/1.1\r\nHost: collect.example\r\nOrigin: https://shop.example\r\n"
            b"User-Agent: %b\r\nAccept: */*\r\nAccept-Language: en-CA,en;q=0.9\r\nAccept-Encoding: gzip, br\r\n"
            b"Content-Type: text/plain;charset=UTF-8\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (chosen.choice(AGENTS).encode(), len(payload), payload)
        )
    return made


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200") or b'"why":"away"' in body or b'"why":"bot"' in body:
        raise AssertionError(f"{head.decode()}{body.decode()}")


async def as_much_as_it_takes(port: int, ready: list[bytes], seconds: float) -> Load:
    """Load from so many connections, each of which asks again as soon as it is answered."""
    took: list[float] = []
    # Pages of one visitor follow each other, so each connection has visitors of its own.
    waiting = itertools.cycle(ready[start : start + PAGES] for start in range(0, len(ready), PAGES))
    end = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            for request in next(waiting):
                begun = time.perf_counter()
                await _ask(reader, writer, request)
                took.append(time.perf_counter() - begun)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return _load(took, time.perf_counter() - begun)


async def at_a_rate(port: int, ready: list[bytes], seconds: float, rate: float) -> Load:
    """Load that comes by the clock, whatever the answers take: what waits for a connection has begun to wait."""
    took: list[float] = []
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(4 * CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))

    async def one(request: bytes, due: float) -> None:
        connection = await idle.get()
        await _ask(*connection, request)
        took.append(time.perf_counter() - due)
        idle.put_nowait(connection)

    begun = time.perf_counter()
    asked = []
    count = int(seconds * rate)
    # A visitor's own pages are a quarter of the time apart, between those of others.
    apart = count // PAGES // 4
    order = [ready[place] for place in sorted(range(count), key=lambda n: (n // PAGES + n % PAGES * apart, n))]
    for number, request in enumerate(order):
        due = begun + number / rate
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        asked.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*asked)
    spent = time.perf_counter() - begun
    while not idle.empty():
        idle.get_nowait()[1].close()
    return _load(took, spent)


def _load(took: list[float], seconds: float) -> Load:
    return Load(len(took) / seconds, sorted(took)[int(len(took) * 0.99)] * 1000)


async def serve_bare(dsn: str, port: int) -> None:
    """The bare handler."""
    pool = await asyncpg.create_pool(dsn, min_size=10, max_size=10)

    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"one": await pool.fetchval("SELECT 1")})

    app = web.Application()
    app.router.add_post("/v1/visit", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


class Workers:
    """One process each; they are loaded one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[asyncio.subprocess.Process] = []

    async def bare(self, dsn: str, port: int) -> int:
        """Start the bare handler; its port."""
        return await self._start(
            [sys.executable, "-m", "tests.bench.collector", "--bare", dsn, "--port", str(port)], port
        )

    async def collector(self, name: str, dsn: str, port: int) -> int:
        """Start a worker of the collector; its port."""
        file = self._folder / f"{name}.toml"
        file.write_text(
            f'data_folder = "{self._folder / name}"\n[postgres]\ndsn = "{dsn}"\n[log]\nlevel = "error"\n'
            f"[collector]\nport = {port}\nvisits_per_minute = 10000000\nsite_visits_per_second = 1000000\n"
        )
        return await self._start([sys.executable, "-m", "gateway", "--config", str(file), "collect"], port)

    async def _start(self, command: list[str], port: int) -> int:
        pinned = ["taskset", "-c", "0", *command] if (os.cpu_count() or 1) > 1 and shutil.which("taskset") else command
        self._processes.append(await asyncio.create_subprocess_exec(*pinned, cwd=PROJECT))
        async with asyncio.timeout(30):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    return port

    async def stop(self) -> None:
        """End them."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            await process.wait()


async def _shop(server: EmbeddedPostgres, name: str, numbers: int, running: AsyncExitStack) -> Shop:
    admin = await asyncpg.connect(server.admin_dsn)
    try:
        await admin.execute(f"CREATE DATABASE {name} OWNER numberpool")
    finally:
        await admin.close()
    dsn = server.dsn.replace("/numberpool?", f"/{name}?")
    await migrate(dsn)
    database = await Database.open(dsn, 2)
    running.push_async_callback(database.close)
    await keep_months(database, datetime.now(UTC).date())
    return await open_shop(database, numbers, reserve_seconds=60, dialled_quarantine_seconds=60)


async def _an_hour_passes(shop: Shop) -> None:
    """So that the numbers of the round before are free again; each is lent anew, and its lease of then closed."""
    async with shop.database.companies(shop.company.id) as connection:
        await connection.execute("UPDATE lendable_numbers SET idle_since = idle_since - interval '1 hour'")


@dataclass(frozen=True)
class Measured:
    """The figures: shares and times are medians over the rounds."""

    share: float  # requests a second of the visit endpoint / of the bare handler
    p99: float  # milliseconds at half of that load
    past: float  # requests a second of a shop that opened today / of one with a long past
    rate: float


async def measure(past_leases: int = PAST_LEASES, rounds: int = ROUNDS) -> Measured:
    """Load all three in turns."""
    folder = Path(tempfile.mkdtemp(prefix="np-bench-"))
    async with AsyncExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        server = EmbeddedPostgres(folder / "postgres", outlives_us=False)
        await server.start()
        running.push_async_callback(server.stop)
        today = await _shop(server, "today", FEW_NUMBERS, running)
        past = await _shop(server, "past", NUMBERS, running)
        if past_leases:
            await with_a_past(past, past_leases)
        workers = Workers(folder)
        running.push_async_callback(workers.stop)
        bare = await workers.bare(today.database.dsn, 18091)
        new = await workers.collector("today", today.database.dsn, 18092)
        old = await workers.collector("past", past.database.dsn, 18093)

        async def round_of(port: int, shop: Shop, seconds: float = SECONDS) -> Load:
            await _an_hour_passes(shop)
            return await as_much_as_it_takes(port, requests(shop.site.public_key, int(seconds * 9000)), seconds)

        for port, shop in ((bare, today), (new, today), (old, past)):
            await round_of(port, shop, 1.0)
        found = []
        for _ in range(rounds):
            each = [await round_of(port, shop) for port, shop in ((bare, today), (new, today), (old, past))]
            found.append([load.rate for load in each])
            print(" ".join(f"{load.rate:7.0f}/s {load.p99:6.1f} ms" for load in each), file=sys.stderr, flush=True)
        rate = statistics.median(row[1] for row in found)
        late = []
        for _ in range(3):
            await _an_hour_passes(today)
            late.append((await at_a_rate(new, requests(today.site.public_key, 12_000), SECONDS, rate / 2)).p99)
        return Measured(
            statistics.median(row[1] / row[0] for row in found),
            statistics.median(late),
            statistics.median(row[1] / row[2] for row in found),
            rate,
        )


def main() -> None:
    """Serve the bare handler, or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bare", metavar="DSN")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--past", type=int, default=PAST_LEASES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    if chosen.bare:
        asyncio.run(serve_bare(chosen.bare, chosen.port))
    else:
        print(asyncio.run(measure(chosen.past, chosen.rounds)))


if __name__ == "__main__":
    main()
