"""Reports over a million calls and ten million visits: how long each takes, beside one count of the same rows.

Two companies lie in one database, one with a tenth of the other's calls and visits over the same year, drawn by one
seed (:mod:`tests.bench.year`). What is measured is asked of both in turn and judged as ratios, because machines are
noisy. Everything that reports are made of is counted by the gateway's own means; how long that takes is told too.

    python -m tests.bench.reported              prints each question with its quickest answers
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

from gateway.attribution.credit import Model
from gateway.local.postgres import EmbeddedPostgres
from gateway.reports.answer import Sitting, answer, by_hour, over_time
from gateway.reports.dimension import Basis, Dimension, Grain
from gateway.reports.question import Question, Top, before
from gateway.reports.rollup import count_some, make_all
from gateway.store.database import Connection, Database
from gateway.store.migrate import migrate
from tests.bench.year import DAYS, fill

CALLS, VISITS = 1_000_000, 10_000_000
ROUNDS = 7

Ask = Callable[[Connection, int], Awaitable[object]]

# A page tells so many rows one by one, and the others together.
_AS_ON_PAGES = Top(26)
_WRITTEN = 300
_A_CALL = """
INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, caller, started_at, ended_at,
                   ring_seconds, talk_seconds)
SELECT $1, min(id), $2, 3, 'ended', 'answered', '+13060000001', '+13065550142', now(), now(), 5, 60 FROM nodes
RETURNING id
"""
_ROOM = """
SELECT sum(pg_total_relation_size(name::regclass))::double precision
FROM unnest(ARRAY['report_sums', 'report_keys', 'report_blocks', 'report_returns']) AS name
"""
_A_DECISION = """
INSERT INTO attributions (company_id, call_id, basis, confidence, source_confidence, because, decided_at, settled_at)
VALUES ($1, $2, 'no number', 1, 1, '{}', now(), now())
"""
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
    draw_seconds: float
    bytes_a_call: float  # of the sums and all that they hang on, in the large company and the small one
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
        return await answer(connection, replace(question, company_id=company), _AS_ON_PAGES)

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
        sitting = Sitting(connection, company)
        return (
            await answer(connection, question, sitting=sitting),
            await answer(connection, before(question), sitting=sitting),
            await answer(connection, by_source, sitting=sitting),
            await over_time(connection, by_source, grain, sitting=sitting),
            await by_hour(connection, question, sitting),
        )

    return ask


async def measured(calls: int = CALLS, visits: int = VISITS) -> Run:
    """Fill, count, make, and ask."""
    started = perf_counter()
    async with _filled(calls, visits) as (database, large, small, today):
        began = perf_counter()
        while await count_some(database, 4000):
            pass
        counted = perf_counter()
        await make_all(database)
        made = perf_counter()
        async with database.everything() as wire:
            await wire.execute("ANALYZE report_facts, report_sums, report_blocks, report_returns, report_chances")
            room = await wire.fetchval(_ROOM)
        scan = min([await _timed(database, large, _scan) for _ in range(3)])
        asked = []
        for name, ask in questions(today).items():
            times: dict[int, list[float]] = {large: [], small: []}
            for _ in range(ROUNDS):
                for company, took in times.items():
                    took.append(await _timed(database, company, ask))
            asked.append(Reported(name, min(times[large]), min(times[small])))
        return Run(
            scan,
            asked,
            counted - began,
            made - counted,
            began - started,
            room / (calls + calls // 10),
            await _write_ratio(database, small),
        )


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
    print(f"{run.draw_seconds:8.1f} s   drawn, {run.count_seconds:.1f} s counted, {run.make_seconds:.1f} s summed")
    print(f"{run.bytes_a_call:8.1f}     bytes of sums a call")


if __name__ == "__main__":
    asyncio.run(main())
