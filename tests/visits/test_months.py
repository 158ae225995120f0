"""The months that visits lie in: made ahead, filled from what came early, dropped when they are old."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.pools import setup
from gateway.store.database import Database
from gateway.store.jobs import Job
from gateway.visits import months
from gateway.visits.ids import made_at, new_id
from gateway.visits.months import keep_months, months_before
from tests.stack import eventually

TODAY = date(2026, 11, 22)
TABLES = ("visits", "page_views", "exposures", "taps")


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(database_dsn)
    yield database
    await database.close()


async def keep(database: Database, today: date, **how: Any) -> None:
    await keep_months(database, today, **how)


async def partitions(database: Database, parent: str) -> list[str]:
    async with database.everything() as connection:
        rows = await connection.fetch(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = $1::regclass ORDER BY 1",
            parent,
        )
    return [row["relname"].removeprefix(f"{parent}_") for row in rows]


async def come(database: Database, *times: datetime) -> None:
    """A visit with all that belongs to it at each of some times."""
    async with database.everything() as connection:
        company = await connection.fetchval("SELECT min(id) FROM companies")
        company = company or (await setup.add_company(connection, "Prairie Heating")).id
        for at in times:
            visit = uuid4()
            await connection.execute(
                "INSERT INTO visits (company_id, site_id, id, started_at, label, channel, source, url)"
                " VALUES ($1, 1, $2, $3, 'Direct', 'Direct', '(direct)', '/')",
                company,
                visit,
                at,
            )
            await connection.execute(
                "INSERT INTO page_views (company_id, site_id, visit_id, at, url) VALUES ($1, 1, $2, $3, '/')",
                company,
                visit,
                at,
            )
            await connection.execute(
                "INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen)"
                " VALUES ($1, $2, $3, 1, $4, $4)",
                company,
                uuid4(),
                visit,
                at,
            )
            await connection.execute(
                "INSERT INTO taps (company_id, visit_id, at) VALUES ($1, $2, $3)", company, visit, at
            )


async def count(database: Database, table: str) -> int:
    async with database.everything() as connection:
        found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def test_the_next_months_are_made_once(database: Database) -> None:
    for _ in range(2):
        await keep(database, TODAY)
        for table in TABLES:
            assert await partitions(database, table) == ["2026_11", "2026_12", "2027_01", "other"]


async def test_a_month_that_is_missing_loses_nothing(database: Database) -> None:
    edges = [
        datetime(2026, 10, 31, 23, 59, 59, 999999, UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 11, 30, 23, 59, 59, 999999, UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2031, 1, 1, tzinfo=UTC),
    ]
    await come(database, *edges)
    await keep(database, TODAY)
    for table in TABLES:
        found = [await count(database, f"{table}{part}") for part in ("", "_2026_11", "_2026_12", "_2027_01", "_other")]
        assert found == [5, 2, 1, 0, 2]
    await come(database, *edges)
    assert await count(database, "visits_2026_11") == 4


async def test_months_too_old_are_dropped_with_what_lies_aside(database: Database) -> None:
    await keep(database, date(2024, 10, 5))
    await come(database, *(datetime(2024, month, 15, tzinfo=UTC) for month in (8, 10, 11, 12)))
    async with database.everything() as connection:
        company = await connection.fetchval("SELECT id FROM companies")
        site = await connection.fetchval(
            "INSERT INTO sites (company_id, name, public_key) VALUES ($1, 'Home', 'abcdefghijklmnop') RETURNING id",
            company,
        )
        for last_seen in (datetime(2024, 10, 31, 23, tzinfo=UTC), datetime(2024, 11, 1, tzinfo=UTC)):
            await connection.execute(
                "INSERT INTO visitors (company_id, site_id, id, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4)",
                company,
                site,
                uuid4(),
                last_seen,
            )
    await keep(database, date(2026, 12, 1), kept=25)
    assert await partitions(database, "visits") == ["2024_11", "2024_12", "2026_12", "2027_01", "2027_02", "other"]
    assert [await count(database, table) for table in (*TABLES, "visitors")] == [2, 2, 2, 2, 1]


async def test_visits_are_written_while_their_month_is_made(database: Database) -> None:
    await come(database, datetime(2026, 11, 1, tzinfo=UTC))
    stop = asyncio.Event()

    async def visitors() -> int:
        done = 0
        while not stop.is_set():
            await come(database, datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=done % 80))
            done += 1
        return done

    coming = [asyncio.create_task(visitors()) for _ in range(3)]
    for start in (date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)):
        await asyncio.gather(keep(database, start), keep(database, start))
    stop.set()
    done = await asyncio.gather(*coming)
    assert await count(database, "visits") == sum(done) + 1


async def test_every_part_of_a_table_keeps_companies_apart(database: Database) -> None:
    await keep(database, TODAY)
    async with database.everything() as connection:
        rows = await connection.fetch(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS secured,"
            " EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid) AS has_policy"
            " FROM pg_class c WHERE c.relispartition AND c.relkind = 'r'"
        )
    assert len(rows) == 16
    assert [row["relname"] for row in rows if not (row["secured"] and row["has_policy"])] == []


async def test_the_job_does_it_too(database: Database) -> None:
    today = datetime.now(UTC).date()
    for back in (3, 2):
        await keep(database, months_before(today, back), kept=100)
    assert len(await partitions(database, "taps")) == 1 + 4
    await months.handlers(database, 2)[months.JOB](Job(months.JOB, {}, 1, False))
    made = await partitions(database, "taps")
    assert f"{today:%Y_%m}" in made
    assert min(made) == f"{months_before(today, 2):%Y_%m}"


async def test_the_gateway_makes_them_when_it_starts_and_asks_for_the_job(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(months, "LOOK_SECONDS", 0.01)
    looking = asyncio.create_task(months.look_ahead(database, months.KEPT))

    async def asked() -> bool:
        return await count(database, "pgqueuer") > 0

    await eventually(asked, 20)
    looking.cancel()
    await asyncio.wait([looking])
    assert len(await partitions(database, "visits")) == 4
    assert await count(database, "pgqueuer") == 1  # one waits at a time


@given(day=st.dates(date(1990, 1, 1), date(2100, 1, 1)), back=st.integers(0, 400))
def test_months_before(day: date, back: int) -> None:
    first = months_before(day, back)
    assert first.day == 1
    assert (day.year - first.year) * 12 + day.month - first.month == back


@given(at=st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_an_id_tells_when_it_was_made(at: datetime) -> None:
    id = new_id(at)
    assert (id.version, id.variant) == (7, "specified in RFC 4122")
    assert timedelta(0) <= at - made_at(id) < timedelta(milliseconds=1)
    assert new_id(at) != id
    assert new_id(at + timedelta(milliseconds=1)) > id


def test_other_ids_are_none_of_ours() -> None:
    with pytest.raises(ValueError, match="version 7"):
        made_at(uuid4())
