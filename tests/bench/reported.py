"""Reports over a million calls and ten million visits: how long each takes, beside one count of the same rows.

Two companies lie in one database, one with a tenth of the other's calls and visits over the same year, drawn by the
same seed. What is measured is asked of both in turn and judged as ratios, because machines are noisy. Everything that
reports are made of is counted by the gateway's own means; how long that takes is told too.

    python -m tests.bench.reported              prints each question with its quickest answers
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

import asyncpg

from gateway.attribution.credit import Model
from gateway.local.postgres import EmbeddedPostgres
from gateway.reports.answer import answer, by_hour, over_time
from gateway.reports.dimension import Basis, Dimension, Grain
from gateway.reports.question import Question, before
from gateway.reports.rollup import count_some, make_all
from gateway.store.database import Connection, Database
from gateway.store.migrate import migrate

CALLS, VISITS = 1_000_000, 10_000_000
ROUNDS = 7
DAYS = 365
SEED = 20261122

Ask = Callable[[Connection, int], Awaitable[object]]

# Each value is drawn from the row's number: dice(row, salt) is between 0 and 1, the same every time.
_SETTING = """
CREATE FUNCTION dice(i bigint, salt integer) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT (hashint8(i * 1000 + salt + {seed}) & 1048575) / 1048576.0 $$;
CREATE FUNCTION visit_id(company bigint, i bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT lpad(to_hex(company * 100000000 + i), 32, '0')::uuid $$;
CREATE TABLE arrival (place integer, label text, channel text, source text, medium text);
INSERT INTO arrival VALUES
    (0, 'Google Paid', 'Paid Search', 'google', 'cpc'), (1, 'Google Organic', 'Organic Search', 'google', 'organic'),
    (2, 'Direct', 'Direct', '(direct)', '(none)'), (3, 'Facebook Paid', 'Paid Social', 'facebook', 'paid_social'),
    (4, 'Bing Paid', 'Paid Search', 'bing', 'cpc'), (5, 'Bing Organic', 'Organic Search', 'bing', 'organic'),
    (6, 'Newsletter', 'Email', 'newsletter', 'email'), (7, 'Yelp', 'Referral', 'yelp.com', 'referral'),
    (8, 'Instagram', 'Organic Social', 'instagram', 'social'), (9, 'Angi', 'Referral', 'angi.com', 'referral'),
    (10, 'YouTube', 'Organic Video', 'youtube', 'video'), (11, 'Display', 'Display', 'google', 'display'),
    (12, 'Nextdoor', 'Referral', 'nextdoor.com', 'referral'), (13, 'ChatGPT', 'AI', 'chatgpt.com', 'referral');
"""
_COMPANY = """
WITH company AS (
    INSERT INTO companies (name, time_zone, region, currency) VALUES ($1, 'America/Regina', 'CA', 'CAD') RETURNING id
), site AS (
    INSERT INTO sites (company_id, name, public_key) SELECT id, 'Home', 'key' || id || 'abc' FROM company RETURNING id
), sources AS (
    INSERT INTO sources (company_id, name, channel, source, colour)
    SELECT company.id, label, channel, source, place FROM company, arrival RETURNING id
), pools AS (
    INSERT INTO pools (company_id, name, kind) SELECT id, 'Pool ' || n, 'static' FROM company, generate_series(1, 6) n
    RETURNING id, company_id
)
INSERT INTO tracking_numbers (company_id, pool_id, e164)
SELECT company_id, id, '+1306' || lpad((id * 100 + n)::text, 7, '0') FROM pools, generate_series(0, 9) n
RETURNING company_id
"""
_VISITS = """
INSERT INTO visits (company_id, site_id, id, visitor_id, started_at, label, channel, source, medium, campaign, keyword,
                    url, page, referrer, country, region, city, user_agent, device, language)
SELECT $1::bigint, (SELECT id FROM sites WHERE company_id = $1), visit_id($1, i), visit_id($1, i / 2),
       $2::timestamptz + i * (interval '365 days' / $3::bigint), label, channel, source, medium,
       CASE WHEN medium IN ('cpc', 'display', 'paid_social') THEN 'campaign ' || (60 * dice(i, 2) ^ 2)::integer
            ELSE '' END,
       CASE WHEN medium = 'cpc' THEN 'roof repair word ' || (500 * dice(i, 3) ^ 3)::integer ELSE '' END,
       'https://www.example.com/page-' || (40 * dice(i, 4) ^ 2)::integer || '?utm_source=x&gclid=' || md5(i::text),
       '/page-' || (40 * dice(i, 4) ^ 2)::integer, 'https://www.google.com/', 'CA', 'CA-SK',
       'City ' || (100 * dice(i, 5) ^ 3)::integer,
       'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
       (ARRAY['mobile', 'desktop', 'tablet'])[1 + (3 * dice(i, 6) ^ 2)::integer % 3], 'en-CA'
FROM generate_series($4::bigint, $5::bigint) i JOIN arrival ON arrival.place = floor(14 * dice(i, 1) ^ 2)
"""
_CALLS = """
INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, pool_id, source_id, caller,
                   started_at, answered_at, ended_at, ring_seconds, talk_seconds, answered_by, last_answered_by, status,
                   region, is_first, channel, campaign, keyword, confidence, settled_at)
SELECT $1::bigint, $2::bigint, $1 || '-' || i, 3, 'ended',
       CASE WHEN dice(i, 11) < 0.78 THEN 'answered' WHEN dice(i, 11) < 0.9 THEN 'no_answer'
            WHEN dice(i, 11) < 0.98 THEN 'abandoned' ELSE 'blocked' END,
       n.e164, n.id, n.pool_id, s.id, '+1306' || lpad(floor($3::bigint * 0.6 * dice(i, 12))::bigint::text, 7, '0'),
       v.started_at + interval '2 minutes', v.started_at, v.started_at, 5 + 20 * dice(i, 13),
       CASE WHEN dice(i, 11) < 0.78 THEN 300 * dice(i, 14) ELSE 0 END,
       CASE WHEN dice(i, 11) < 0.78 THEN 'PJSIP/1' || lpad((12 * dice(i, 15))::integer::text, 2, '0') END, NULL,
       CASE WHEN dice(i, 16) < 0.01 THEN 'spam' WHEN dice(i, 16) < 0.1 THEN 'booked' ELSE 'new' END,
       'Region ' || (15 * dice(i, 17) ^ 2)::integer, dice(i, 18) < 0.6, v.channel, v.campaign, v.keyword, 0.95, now()
FROM generate_series(1, $3) i
JOIN visits v ON v.id = visit_id($1, i * 10 - 3)
JOIN sources s ON s.company_id = $1 AND s.name = v.label
JOIN (SELECT id, e164, pool_id, row_number() OVER (ORDER BY id) AS place FROM tracking_numbers WHERE company_id = $1) n
  ON n.place = 1 + floor(60 * dice(i, 10))
"""
# Seven of ten callers came once; of the others, an earlier visit or two count as well.
_REST = (
    """INSERT INTO attributions (company_id, call_id, basis, confidence, source_confidence, because, source_id, label,
                                 channel, decided_at, settled_at)
       SELECT company_id, id, 'static number', 0.95, 0.95, '{live}', source_id, '', channel, now(), now()
       FROM calls WHERE company_id = $1""",
    """INSERT INTO call_touches (company_id, call_id, position, at, visit_id, how, source_id, label, channel, source,
                                 medium, campaign, keyword)
       SELECT c.company_id, c.id, t.back, v.started_at, v.id, 'visit', s.id, v.label, v.channel, v.source, v.medium,
              v.campaign, v.keyword
       FROM calls c
       CROSS JOIN LATERAL (SELECT split_part(c.asterisk_id, '-', 2)::bigint AS i) one
       CROSS JOIN LATERAL (
           SELECT back FROM generate_series(0, CASE WHEN dice(one.i, 20) < 0.7 THEN 0 WHEN dice(one.i, 20) < 0.9 THEN 1
                                                    ELSE 2 END) back) t
       JOIN visits v ON v.id = visit_id(c.company_id,
                            greatest(one.i * 10 - 3 - t.back * floor($2::bigint * dice(one.i, 21) / 12)::bigint, 1))
       JOIN sources s ON s.company_id = c.company_id AND s.name = v.label
       WHERE c.company_id = $1""",
    """INSERT INTO jobs (company_id, value, currency, booked_at)
       SELECT $1, 100 + i % 900, 'CAD', now() FROM generate_series(1, (SELECT count(*) / 12 FROM calls
                                                                       WHERE company_id = $1)) i""",
    """INSERT INTO job_leads (company_id, job_id, call_id)
       SELECT $1, j.id, c.id
       FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM jobs WHERE company_id = $1) j
       JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM calls WHERE company_id = $1) c
         ON c.place = j.place * 12""",
)
_WRITTEN = 300
_A_CALL = """
INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, caller, started_at, ended_at,
                   ring_seconds, talk_seconds)
SELECT $1, min(id), $2, 3, 'ended', 'answered', '+13060000001', '+13065550142', now(), now(), 5, 60 FROM nodes
RETURNING id
"""
_A_DECISION = """
INSERT INTO attributions (company_id, call_id, basis, confidence, source_confidence, because, decided_at, settled_at)
VALUES ($1, $2, 'no number', 1, 1, '{}', now(), now())
"""
_FILLED = ("visits", "calls", "attributions", "call_touches", "jobs", "job_leads")
# Of visits only these indexes are made again: by them they are found and counted; the others take minutes.
_KEPT = ("visits_id", "visits_newest")


@dataclass(frozen=True)
class Reported:
    """A question: its quickest answers, in milliseconds, of the large company and of the small one."""

    question: str
    large: float
    small: float


@dataclass(frozen=True)
class Run:
    """What was measured; ``scan`` is one count of the large company's calls and visits, in milliseconds."""

    scan: float
    asked: list[Reported]
    count_seconds: float
    make_seconds: float
    write_ratio: float  # what the triggers that note changes make of writing a call and its decision

    @property
    def most_of_scan(self) -> Reported:
        """What takes longest."""
        return max(self.asked, key=lambda each: each.large)

    @property
    def most_of_small(self) -> Reported:
        """What takes longest, beside the small company's."""
        return max(self.asked, key=lambda each: each.large / each.small)


def questions(today: date) -> dict[str, Ask]:
    """The overview's questions, and every report, over the last thirty days and the whole year."""
    month = Question(0, today - timedelta(days=29), today + timedelta(days=1))
    year = Question(0, today - timedelta(days=DAYS - 1), today + timedelta(days=1))
    found: dict[str, Ask] = {}
    for name, period in (("30 days", month), ("a year", year)):
        found[f"overview, {name}"] = _overview(period)
        for dimension in Dimension:
            found[f"by {dimension}, {name}"] = _answer(replace(period, by=(dimension,)))
            if dimension is not Dimension.SOURCE:
                found[f"by source and {dimension}, {name}"] = _answer(replace(period, by=(Dimension.SOURCE, dimension)))
        found[f"by source and click, {name}"] = _answer(replace(period, by=(Dimension.SOURCE,), basis=Basis.CLICK))
        for model in (Model.LINEAR, Model.TIME_DECAY):
            found[f"by campaign, {model}, {name}"] = _answer(replace(period, by=(Dimension.CAMPAIGN,), model=model))
    found["months by source, a year"] = _lines(replace(year, by=(Dimension.SOURCE,)), Grain.MONTH)
    found["weeks by channel, a year"] = _lines(replace(year, by=(Dimension.CHANNEL,)), Grain.WEEK)
    return found


def _answer(question: Question) -> Ask:
    async def ask(connection: Connection, company: int) -> object:
        return await answer(connection, replace(question, company_id=company))

    return ask


def _lines(question: Question, grain: Grain) -> Ask:
    async def ask(connection: Connection, company: int) -> object:
        return await over_time(connection, replace(question, company_id=company), grain)

    return ask


def _overview(period: Question) -> Ask:
    async def ask(connection: Connection, company: int) -> object:
        question = replace(period, company_id=company)
        by_source = replace(question, by=(Dimension.SOURCE,))
        grain = Grain.DAY if question.days < 60 else Grain.MONTH
        return (
            await answer(connection, question),
            await answer(connection, before(question)),
            await answer(connection, by_source),
            await over_time(connection, by_source, grain),
            await by_hour(connection, question),
        )

    return ask


async def measured(calls: int = CALLS, visits: int = VISITS) -> Run:
    """Fill, count, make, and ask."""
    async with _filled(calls, visits) as (database, large, small, today):
        began = perf_counter()
        while await count_some(database, 4000):
            pass
        counted = perf_counter()
        await make_all(database)
        made = perf_counter()
        async with database.everything() as wire:
            await wire.execute("ANALYZE report_facts, report_sums, report_blocks, report_returns, report_chances")
        scan = min([await _timed(database, large, _scan) for _ in range(3)])
        asked = []
        for name, ask in questions(today).items():
            times: dict[int, list[float]] = {large: [], small: []}
            for _ in range(ROUNDS):
                for company, took in times.items():
                    took.append(await _timed(database, company, ask))
            asked.append(Reported(name, min(times[large]), min(times[small])))
        return Run(scan, asked, counted - began, made - counted, await _write_ratio(database, small))


async def _write_ratio(database: Database, company: int) -> float:
    """Calls written and decided one by one, with and without the triggers that note what changes; undone again."""

    async def write(connection: Connection, with_triggers: bool) -> float:
        for table in ("calls", "attributions"):
            await connection.execute(
                f"ALTER TABLE {table} {'ENABLE' if with_triggers else 'DISABLE'} TRIGGER report_due"
            )
        began = perf_counter()
        for turn in range(_WRITTEN):
            call = await connection.fetchval(_A_CALL, company, f"written-{with_triggers}-{turn}")
            await connection.execute(_A_DECISION, company, call)
        return perf_counter() - began

    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for with_triggers, took in times.items():
            async with database.companies(company) as connection:
                undone = connection.transaction()
                await undone.start()
                took.append(await write(connection, with_triggers))
                await undone.rollback()
    return min(times[True]) / min(times[False])


async def _timed(database: Database, company: int, ask: Ask) -> float:
    async with database.companies(company) as connection:
        began = perf_counter()
        await ask(connection, company)
        return (perf_counter() - began) * 1000


async def _scan(connection: Connection, company: int) -> object:
    return await connection.fetchval(
        "SELECT (SELECT count(*) FROM calls WHERE company_id = $1)"
        " + (SELECT count(*) FROM visits WHERE company_id = $1)",
        company,
        timeout=300,
    )


@asynccontextmanager
async def _filled(calls: int, visits: int) -> AsyncIterator[tuple[Database, int, int, date]]:
    """A database with the two companies, and the last of their days."""
    folder = Path(tempfile.mkdtemp(prefix="np-bench-"))
    server = EmbeddedPostgres(folder / "postgres", outlives_us=False, durable=False)
    try:
        await server.start()
        await migrate(server.dsn)
        database = await Database.open(server.dsn)
        try:
            superuser = server.admin_dsn.replace("/postgres?", "/numberpool?")
            large, small, today = await fill(superuser, calls, visits, _KEPT)
            yield database, large, small, today
        finally:
            await database.close()
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def fill(dsn: str, calls: int, visits: int, kept: Collection[str] | None = None) -> tuple[int, int, date]:
    """A large company and a small one, and the last of their days: as a superuser, without triggers and indexes.

    These are made anew; ``kept`` names the only indexes of visits that are.
    """
    wire = await asyncpg.connect(dsn, command_timeout=1800)
    try:
        await wire.execute("SET maintenance_work_mem = '512MB'; SET work_mem = '128MB'")
        await wire.execute(_SETTING.format(seed=SEED))
        node = await wire.fetchval("INSERT INTO nodes (name) VALUES ('year') RETURNING id")
        began = await wire.fetchval("SELECT date_trunc('day', now()) - interval '364 days 12 hours'")
        for month in range(13):
            await wire.execute(
                "SELECT numberpool_make_month('visits', (date_trunc('month', $1::timestamptz)"
                " + $2 * interval '1 month')::date)",
                began,
                month,
            )
        indexes = await wire.fetch(
            "SELECT indexname, indexdef, tablename FROM pg_indexes"
            " WHERE tablename = ANY ($1) AND indexdef NOT LIKE '%UNIQUE%'",
            _FILLED,
        )
        for index in indexes:
            await wire.execute(f"DROP INDEX {index['indexname']}")
        for table in _FILLED:
            await wire.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        companies = []
        for name, part in (("Large", 1), ("Small", 10)):
            company = await wire.fetchval(_COMPANY, name)
            companies.append(company)
            count = visits // part
            for first in range(1, count + 1, 1_000_000):
                last = min(first + 999_999, count)
                await wire.execute(_VISITS, company, began, count, first, last)
        await wire.execute("CREATE INDEX visits_id ON visits (id)")
        for company, part in zip(companies, (1, 10), strict=True):
            await wire.execute(_CALLS, company, node, calls // part)
            await wire.execute(_REST[0], company)
            await wire.execute(_REST[1], company, visits // part)
            for statement in _REST[2:]:
                await wire.execute(statement, company)
        for table in _FILLED:
            await wire.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        for index in indexes:
            is_made = index["indexname"] == "visits_id"
            if not is_made and (kept is None or index["tablename"] != "visits" or index["indexname"] in kept):
                await wire.execute(index["indexdef"].replace(" ON ONLY ", " ON "))
        for table in _FILLED:
            await wire.execute(f"VACUUM ANALYZE {table}")
        await wire.execute("INSERT INTO report_due (company_id) SELECT id FROM companies")
        today: date = await wire.fetchval(
            "SELECT (max(started_at) AT TIME ZONE 'America/Regina')::date FROM calls WHERE company_id = $1",
            companies[0],
        )
        return companies[0], companies[1], today
    finally:
        await wire.close()


async def main() -> None:
    """Print all of it."""
    run = await measured()
    for each in sorted(run.asked, key=lambda each: each.large):
        print(
            f"{each.large:8.1f} ms {each.small:8.1f} ms  {each.large / each.small:5.2f}  "
            f"{each.large / run.scan:6.3f} of a scan  {each.question}"
        )
    print(f"{run.scan:8.1f} ms  one count of the same calls and visits")
    print(f"{run.write_ratio:8.2f}     times as long to write a call, with what notes that it is to be counted")
    print(f"{run.count_seconds:8.1f} s   counted, {run.make_seconds:.1f} s summed")


if __name__ == "__main__":
    asyncio.run(main())
