"""What a visit's number takes with a long past behind it, against a shop that opened today, in turns within one run."""

import shutil
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import asyncpg

from gateway.local.postgres import EmbeddedPostgres
from gateway.pools.keep_alive import KeepAlives
from gateway.store.database import Database
from gateway.store.migrate import migrate
from gateway.visits.months import keep_months
from tests.pools.shop import START, Shop, open_shop

PAST_LEASES = 1_000_000
NUMBERS = 10_000
FEW_NUMBERS = 100
# So that a number is free again by the time all of the few were lent.
BETWEEN_VISITS = timedelta(seconds=20)

_PAST = """
    SELECT set_config('numberpool.companies', 'all', true);
    ALTER TABLE leases DROP CONSTRAINT leases_never_overlap;
    INSERT INTO leases (company_id, pool_id, number_id, holder, period, last_seen, closed_as)
    SELECT n.company_id, n.pool_id, n.id, 'visitor:' || gen_random_uuid(),
           tstzrange(start, start + interval '50 minutes'), start + interval '10 minutes', 'expired'
    FROM generate_series(1, {each}) AS turn
    CROSS JOIN (SELECT *, row_number() OVER (ORDER BY id) AS place FROM tracking_numbers) AS n
    CROSS JOIN LATERAL (
        SELECT '{start}'::timestamptz - turn * interval '1 hour' - n.place * interval '0.1 s' AS start
    ) AS at;
    ALTER TABLE leases ADD CONSTRAINT leases_never_overlap EXCLUDE USING gist (number_id WITH =, period WITH &&);
    INSERT INTO exposures (company_id, id, visit_id, number_id, lease_id, shown_at, last_seen)
    SELECT company_id, gen_random_uuid(), gen_random_uuid(), number_id, id, lower(period), last_seen FROM leases;
    UPDATE lendable_numbers n SET idle_since = l.seen, ended_at = l.ended
    FROM (SELECT number_id, max(last_seen) AS seen, max(upper(period)) AS ended FROM leases GROUP BY number_id) AS l
    WHERE l.number_id = n.number_id;
"""


async def with_a_past(shop: Shop, leases: int) -> None:
    """Give a shop as many leases, and exposures, that are over."""
    (row,) = await shop.rows("SELECT count(*) FROM tracking_numbers")
    connection = await asyncpg.connect(shop.database.dsn)
    try:
        async with connection.transaction():
            await connection.execute(_PAST.format(each=leases // row["count"], start=START.isoformat()))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _open(server: EmbeddedPostgres, name: str, numbers: int, running: AsyncExitStack) -> Shop:
    admin = await asyncpg.connect(server.admin_dsn)
    try:
        await admin.execute(f"CREATE DATABASE {name} OWNER numberpool")
    finally:
        await admin.close()
    dsn = server.dsn.replace("/numberpool?", f"/{name}?")
    await migrate(dsn)
    database = await Database.open(dsn, 2)
    running.push_async_callback(database.close)
    await keep_months(database, (START - timedelta(days=30)).date())
    return await open_shop(database, numbers)


async def _seconds(shop: Shop, visits: int) -> float:
    """How long so many new visitors take, each with a second page and a keep-alive."""
    keep_alives = KeepAlives(shop.database)
    begun = time.perf_counter()
    for _ in range(visits):
        visitor = shop.visitor()
        await shop.shown(visitor)
        shown = await shop.shown(visitor)
        assert shown.exposure_id is not None
        keep_alives.note(shown.exposure_id, shop.company.id, at=shop.now)
        shop.now += BETWEEN_VISITS
    await keep_alives.write()
    return time.perf_counter() - begun


async def ratio(past: int = PAST_LEASES, numbers: int = NUMBERS, rounds: int = 80, visits: int = 25) -> float:
    """How many times as long visits take with the past: the median of rounds, the two shops in turn."""
    folder = Path(tempfile.mkdtemp(prefix="np-bench-"))
    async with AsyncExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        server = EmbeddedPostgres(folder / "postgres", outlives_us=False)
        await server.start()
        running.push_async_callback(server.stop)
        young = await _open(server, "young", FEW_NUMBERS, running)
        old = await _open(server, "old", numbers, running)
        await with_a_past(old, past)
        for shop in (young, old):
            await _seconds(shop, FEW_NUMBERS)  # plans, caches, and every number of the few lent once
        found = []
        for turn in range(rounds):
            first, second = (young, old) if turn % 2 else (old, young)
            took = {id(first): await _seconds(first, visits), id(second): await _seconds(second, visits)}
            found.append(took[id(old)] / took[id(young)])
        leases = await old.rows("SELECT count(*) AS closed FROM leases WHERE closed_as = 'expired'")
        assert leases[0]["closed"] >= past
    return statistics.median(found)
