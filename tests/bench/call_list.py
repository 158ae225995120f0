"""The list of calls with a million of them: how long a page takes for each filter, asked of the real pages over HTTP.

The calls lie over three years. For each filter there is a common value, a rare one, and one that ended two years ago:
the last is what makes a list slow that looks for its rows from the newest call on.

    python -m tests.bench.call_list             prints each address with its quickest answer
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from urllib.parse import quote

import asyncpg

from gateway.http.permissions import Role
from gateway.local.postgres import EmbeddedPostgres
from gateway.store.migrate import migrate
from tests.http.conftest import Pages, running_pages

CALLS = 1_000_000
ROUNDS = 7

_CALLS = """
INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, source_id,
    caller, caller_name, started_at, answered_at, ended_at, ring_seconds, talk_seconds, answered_by, last_answered_by,
    status, note, pool_id,
    region, is_first, channel, campaign, keyword, confidence)
SELECT $1, $2, 'many-' || i, 3, 'ended',
    CASE WHEN i % 20011 = 0 THEN 'blocked' WHEN i % 7 = 0 THEN 'no_answer' WHEN i % 31 = 0 THEN 'busy'
         ELSE 'answered' END,
    n.e164, n.id, CASE WHEN i % 90001 = 0 THEN NULL WHEN i > 700000 AND i % 9 = 0 THEN $4::bigint ELSE n.source_id END,
    '+1' || (ARRAY['306', '306', '639', '403', '204'])[1 + i % 5] || lpad((i::bigint * 7919 % 10000000)::text, 7, '0'),
    CASE WHEN i % 3 = 0 THEN (ARRAY['Dana', 'Maria', 'Tom', 'Priya', 'Leo'])[1 + i % 5] || ' '
         || CASE WHEN i % 50021 = 0 THEN 'Quesnel' ELSE (ARRAY['Whitford', 'Bear', 'Morin', 'Toews'])[1 + i / 3 % 4] END
         ELSE '' END,
    now() - i * interval '95 seconds', now() - i * interval '95 seconds', now() - i * interval '95 seconds', 5,
    CASE WHEN i % 7 = 0 OR i % 31 = 0 THEN 0 WHEN i % 70001 = 0 THEN 5000 ELSE i * 31 % 600 END,
    CASE WHEN i > 700000 THEN 'PJSIP/formerly' WHEN i % 40009 = 0 THEN 'PJSIP/rare' ELSE 'PJSIP/reception' END,
    NULL, CASE WHEN i % 30011 = 0 THEN 'quoted' WHEN i > 800000 AND i % 3 = 0 THEN 'lost' ELSE 'new' END, '',
    CASE WHEN i > 750000 THEN $5::bigint ELSE n.pool_id END,
    CASE WHEN i % 60013 = 0 THEN 'London' WHEN i > 800000 THEN 'Manitoba' ELSE 'Saskatchewan' END,
    i % 2003 = 0 OR i > 900000,
    CASE WHEN i > 700000 THEN 'Display' WHEN i % 3 = 0 THEN 'Paid Search' ELSE 'Organic Search' END,
    CASE WHEN i % 45007 = 0 THEN 'rare campaign' WHEN i > 650000 THEN 'ended long ago' ELSE 'spring maintenance' END,
    CASE WHEN i % 55001 = 0 THEN 'rare word' WHEN i > 650000 AND i % 4 = 0 THEN 'old word' ELSE 'roof repair' END,
    CASE WHEN i % 80021 = 0 THEN 0.2 WHEN i > 850000 THEN 0.6 ELSE 0.97 END
FROM generate_series(1, $6::int) i JOIN tracking_numbers n ON n.id = $3
"""
_REST = (
    "INSERT INTO tags (company_id, name, folded)"
    " SELECT $1, name, name FROM unnest(ARRAY['common', 'rare', 'old']) AS name",
    "INSERT INTO call_tags SELECT c.company_id, c.id, t.id, c.started_at"
    " FROM calls c JOIN tags t ON t.company_id = c.company_id WHERE c.company_id = $1"
    " AND CASE t.name WHEN 'common' THEN c.id % 10 = 0 WHEN 'rare' THEN c.id % 50000 = 0"
    " ELSE c.started_at < now() - interval '2 years' AND c.id % 3 = 0 END",
    "INSERT INTO call_words SELECT DISTINCT company_id, word, started_at, id FROM calls,"
    " unnest(string_to_array(lower(caller_name), ' ')) AS word WHERE company_id = $1 AND word <> ''",
    "INSERT INTO jobs (company_id, value, currency, booked_at)"
    " SELECT $1, i, 'CAD', now() FROM generate_series(1, 20000) i",
    "INSERT INTO job_leads (company_id, job_id, call_id) SELECT $1, j.id, c.id"
    " FROM jobs j JOIN calls c ON c.id = j.id * 50 WHERE c.company_id = $1 AND j.company_id = $1",
)


@dataclass(frozen=True)
class Slowest:
    """The address that takes longest."""

    address: str
    milliseconds: float


@asynccontextmanager
async def a_million_calls(calls: int = CALLS) -> AsyncIterator[Pages]:
    """Running pages of a company with so many calls."""
    folder = Path(tempfile.mkdtemp(prefix="np-bench-"))
    server = EmbeddedPostgres(folder / "postgres", outlives_us=False, durable=False)
    try:
        await server.start()
        await migrate(server.dsn)
        async with running_pages(server.dsn, folder / "data") as pages:
            await _fill(pages, server.admin_dsn.replace("/postgres?", "/numberpool?"), calls)
            yield pages
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(pages: Pages, dsn: str, calls: int) -> None:
    """As a superuser and without triggers and indexes, which are made anew: a minute instead of twenty."""
    company = pages.company
    wire = await asyncpg.connect(dsn, command_timeout=900)
    try:
        old_pool = await wire.fetchval(
            "INSERT INTO pools (company_id, name, kind) VALUES ($1, 'Former', 'static') RETURNING id", company.id
        )
        tables = ("calls", "call_tags", "call_words", "job_leads", "jobs")
        indexes = await wire.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY ($1) AND indexdef NOT LIKE '%UNIQUE%'",
            tables,
        )
        for index in indexes:
            await wire.execute(f"DROP INDEX {index['indexname']}")
        for table in tables:
            await wire.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        number = company.numbers["Google Ads"][0]
        await wire.execute(_CALLS, company.id, company.node_id, number, company.sources["Facebook"], old_pool, calls)
        for statement in _REST:
            await wire.execute(statement, company.id)
        for table in tables:
            await wire.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        for index in indexes:
            await wire.execute(index["indexdef"])
        for table in (*tables, "tags"):
            await wire.execute(f"VACUUM ANALYZE {table}")
    finally:
        await wire.close()


async def addresses(pages: Pages) -> list[str]:
    """Each filter with a common, a rare and a long-ended value; searches; places far down."""
    company = pages.company
    async with pages.database.companies(company.id) as wire:
        tags = {row["name"]: row["id"] for row in await wire.fetch("SELECT id, name FROM tags")}
        pools = {row["name"]: row["id"] for row in await wire.fetch("SELECT id, name FROM pools")}
    filters = [
        f"source={company.sources['Google Ads']}",
        f"source={company.sources['Facebook']}",
        "source=none",
        *(f"channel={quote(name)}" for name in ("Organic Search", "Paid Search", "Display", "None such")),
        *(f"campaign={quote(name)}" for name in ("spring maintenance", "rare campaign", "ended long ago", "never")),
        *(f"keyword={quote(name)}" for name in ("roof repair", "rare word", "old word")),
        *(f"pool={id}" for id in pools.values()),
        f"number={quote(company.numbers['Google Ads'][1])}",
        f"number={quote('+13065550000')}",
        *(f"outcome={name}" for name in ("answered", "missed", "busy", "blocked", "voicemail")),
        *(f"status={name}" for name in ("new", "quoted", "lost", "booked")),
        *(f"tag={id}" for id in tags.values()),
        *(f"by={quote(name)}" for name in ("PJSIP/reception", "PJSIP/rare", "PJSIP/formerly")),
        *(f"talk={name}" for name in ("-30", "120-600", "4000-")),
        *(f"first={name}" for name in ("yes", "no")),
        *(f"qualified={name}" for name in ("yes", "no")),
        *(f"sure={name}" for name in ("high", "low", "fair")),
        *(f"region={name}" for name in ("Saskatchewan", "London", "Manitoba")),
        f"caller={quote('+13060007919')}",
        "caller=withheld",
        *(
            f"q={quote(text)}"
            for text in ("(306) 000-7919", "7919", "306", "0000001", "Dana", "quesn", "dana whitf", "zzz")
        ),
        f"q=dana&campaign={quote('rare campaign')}",
        f"tag={tags['common']}&outcome=missed",
        f"region=London&outcome=missed&status=new&by={quote('PJSIP/reception')}",
    ]
    far = "before=1750000000000000-1"
    return [
        "/calls",
        "/calls?period=90d",
        "/calls?period=all",
        f"/calls?period=all&{far}",
        *(f"/calls?period=all&{each}" for each in filters),
        *(f"/calls?{each}" for each in filters),
    ]


async def measured(calls: int = CALLS) -> dict[str, float]:
    """Milliseconds of the quickest of some answers, by address: what else the machine does makes the others slower."""
    found = {}
    async with a_million_calls(calls) as pages:
        client = await pages.signed_in(Role.OWNER)
        for address in await addresses(pages):
            times = []
            for _ in range(ROUNDS):
                began = perf_counter()
                async with client.get(address) as answer:
                    await answer.read()
                    assert answer.status == 200, address
                times.append(perf_counter() - began)
            found[address] = min(times) * 1000
    return found


async def slowest() -> Slowest:
    """What takes longest of all."""
    address, milliseconds = max((await measured()).items(), key=lambda each: each[1])
    return Slowest(address, milliseconds)


if __name__ == "__main__":
    for where, took in sorted(asyncio.run(measured()).items(), key=lambda each: each[1]):
        print(f"{took:7.1f} ms  {where}")
