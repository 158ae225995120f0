"""The visit endpoint against a bare aiohttp handler that asks the same Postgres ``SELECT 1``, in turns within one run.

Both are one process each. Where there are two processors they are pinned to one, and what loads them and Postgres, the
same for both, to the others. The load (``tests.bench.pages``) comes over keep-alive connections from another process,
as a proxy's would. Rounds are short and in turns, each compared with its neighbour, because machines are noisy.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from aiohttp import web

from gateway.local.postgres import EmbeddedPostgres
from gateway.store.database import Database
from gateway.store.migrate import migrate
from gateway.visits.months import keep_months
from tests.bench.leases import PAST_LEASES, with_a_past
from tests.bench.pages import Load
from tests.pools.shop import Shop, open_shop
from tests.stack import PROJECT

NUMBERS = 10_000
FEW_NUMBERS = 5_000
ROUNDS = 20
SECONDS = 0.7
# At half load, to measure how long answers take. Where the bare handler itself takes long right before or after, the
# machine is busy with something else: the rounds beside which it was quickest count, and there are enough of them once
# it took no longer than so many milliseconds.
QUIET_ROUNDS = 5
MOST_ROUNDS = 25
QUIET_SECONDS = 1.0
QUIET_MS = 7.0
# A visitor opens some three pages; beyond the quickest bare handler there is.
_MOST_VISITORS_A_SECOND = 3500


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


class Processes:
    """The servers and the load, one process each; servers are loaded one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[asyncio.subprocess.Process] = []
        self._load: asyncio.subprocess.Process | None = None
        self._seed = 0

    async def bare(self, dsn: str, port: int) -> int:
        """Start the bare handler; its port."""
        return await self._serve(
            [sys.executable, "-m", "tests.bench.collector", "--bare", dsn, "--port", str(port)], port
        )

    async def collector(self, name: str, dsn: str, port: int) -> int:
        """Start a worker of the collector; its port."""
        file = self._folder / f"{name}.toml"
        file.write_text(
            f'data_folder = "{self._folder / name}"\n[postgres]\ndsn = "{dsn}"\n[log]\nlevel = "warning"\n'
            f"[collector]\nport = {port}\nvisits_per_minute = 10000000\nsite_visits_per_second = 1000000\n"
        )
        return await self._serve([sys.executable, "-m", "gateway", "--config", str(file), "collect"], port)

    async def load(
        self, port: int, shop: Shop, seconds: float, *, rate: float | None = None, is_bare: bool = False
    ) -> Load:
        """Load a server for so long; at ``rate`` requests a second, or with as many as it takes."""
        if self._load is None:
            self._load = await asyncio.create_subprocess_exec(
                *pinned("others", [sys.executable, "-m", "tests.bench.pages"]),
                cwd=PROJECT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            self._processes.append(self._load)
        assert self._load.stdin is not None
        assert self._load.stdout is not None
        self._seed += 1
        asked = {
            "port": port,
            "key": shop.site.public_key,
            "visitors": int(seconds * _MOST_VISITORS_A_SECOND),
            "seed": self._seed,
            "seconds": seconds,
            "rate": rate,
            "is_bare": is_bare,
        }
        self._load.stdin.write(json.dumps(asked).encode() + b"\n")
        line = await self._load.stdout.readline()
        if not line:
            raise RuntimeError("a page was not answered as it should be: see above")
        return Load(**json.loads(line))

    async def _serve(self, command: list[str], port: int) -> int:
        self._processes.append(await asyncio.create_subprocess_exec(*pinned("first", command), cwd=PROJECT))
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
            if process.returncode is None:
                process.terminate()
        for process in self._processes:
            await process.wait()


def pinned(where: str, command: list[str]) -> list[str]:
    """A command on the ``first`` of several processors, or on the ``others``."""
    count = os.cpu_count() or 1
    if count < 2 or not shutil.which("taskset"):
        return command
    return ["taskset", "-c", "0" if where == "first" else f"1-{count - 1}", *command]


def pin_postgres(server: EmbeddedPostgres) -> None:
    """To the other processors; whatever it starts from now on is there as well."""
    count = os.cpu_count() or 1
    if count > 1 and server.pid is not None:
        os.sched_setaffinity(server.pid, range(1, count))


async def new_shop(server: EmbeddedPostgres, name: str, numbers: int, running: AsyncExitStack) -> Shop:
    """A shop in a database of its own."""
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


async def an_hour_passes(shop: Shop) -> None:
    """So that the numbers of the round before are free again; each is lent anew, and its lease of then closed."""
    async with shop.database.companies(shop.company.id) as connection:
        await connection.execute("UPDATE lendable_numbers SET idle_since = idle_since - interval '1 hour'")
    # In an hour Postgres would have tidied up as well.
    tidying = await asyncpg.connect(shop.database.dsn)
    try:
        await tidying.execute("VACUUM lendable_numbers")
    finally:
        await tidying.close()


@dataclass(frozen=True)
class Measured:
    """The figures: shares and times are medians over the rounds."""

    share: float  # requests a second of the visit endpoint / of the bare handler
    p99: float  # milliseconds at half of that load
    past: float  # requests a second of a shop that opened today / of one with a long past
    rate: float
    bare_p99: float  # of the bare handler at the same load
    lent: float  # the share of answers that lent a number


async def measure(past_leases: int = PAST_LEASES, rounds: int = ROUNDS) -> Measured:
    """Load all three in turns."""
    folder = Path(tempfile.mkdtemp(prefix="np-bench-"))
    async with AsyncExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        server = EmbeddedPostgres(folder / "postgres", outlives_us=False)
        await server.start()
        running.push_async_callback(server.stop)
        pin_postgres(server)
        today = await new_shop(server, "today", FEW_NUMBERS, running)
        past = await new_shop(server, "past", NUMBERS, running)
        if past_leases:
            await with_a_past(past, past_leases)
        processes = Processes(folder)
        running.push_async_callback(processes.stop)
        bare = await processes.bare(today.database.dsn, 18091)
        new = await processes.collector("today", today.database.dsn, 18092)
        old = await processes.collector("past", past.database.dsn, 18093)

        async def round_of(seconds: float) -> list[Load]:
            loads = []
            for port, shop in ((bare, today), (new, today), (old, past)):
                if port != bare:
                    await an_hour_passes(shop)
                loads.append(await processes.load(port, shop, seconds, is_bare=port == bare))
            return loads

        await round_of(2.0)  # plans, caches, and what is made ready for the first
        found = []
        for _ in range(rounds):
            each = await round_of(SECONDS)
            found.append(each)
            print(" ".join(f"{load.rate:7.0f}/s {load.p99:6.1f} ms" for load in each), file=sys.stderr, flush=True)
        rate = statistics.median(new.rate for _, new, _ in found)

        async def bare_at_half() -> float:
            return (await processes.load(bare, today, QUIET_SECONDS, rate=rate / 2, is_bare=True)).p99

        late: list[tuple[float, float]] = []
        before = await bare_at_half()
        while len(late) < MOST_ROUNDS and sum(beside <= QUIET_MS for _, beside in late) < QUIET_ROUNDS:
            await an_hour_passes(today)
            p99 = (await processes.load(new, today, QUIET_SECONDS, rate=rate / 2)).p99
            after = await bare_at_half()
            late.append((p99, max(before, after)))
            before = after
            print(f"half of that: {p99:6.1f} ms, bare {late[-1][1]:6.1f} ms", file=sys.stderr, flush=True)
        quiet = sorted(late, key=lambda each: each[1])[:QUIET_ROUNDS]
        return Measured(
            statistics.median(new.rate / bare.rate for bare, new, _ in found),
            statistics.median(p99 for p99, _ in quiet),
            statistics.median(new.rate / old.rate for _, new, old in found),
            rate,
            statistics.median(beside for _, beside in quiet),
            statistics.median(new.lent for _, new, _ in found),
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
