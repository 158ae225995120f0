"""Silences and needs, from rows of a real database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest_asyncio

from gateway.attention.facts import needs_of, put_off, take_up
from gateway.attention.looking import look_for_silences
from gateway.store.database import Database
from tests.http.company import MadeCompany, add_call, make_company

NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
ZONE = ZoneInfo("America/Regina")


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn)
    yield opened
    await opened.close()


async def every_day(database: Database, company: MadeCompany, source: str, days: range, a_day: int = 3) -> None:
    """Calls at noon and later of each of the days before now."""
    for day in days:
        for call in range(a_day):
            moment = NOW - timedelta(days=day, hours=call)
            await add_call(database, company, source=source, started_at=moment, caller=f"+130655512{day:02}")


async def keys(database: Database, company: MadeCompany) -> list[str]:
    async with database.companies(company.id) as connection:
        return [need.key for need in await needs_of(connection, company.id, ZONE, NOW)]


async def test_a_number_that_falls_silent_is_told_of_until_it_rings(database: Database) -> None:
    company, other = await make_company(database), await make_company(database, "Other", ("3001", "3002", "3003"))
    await every_day(database, company, "Google Ads", range(1, 40))
    await every_day(database, company, "Facebook", range(14, 40))
    await every_day(database, other, "Facebook", range(14, 40), a_day=1)
    await look_for_silences(database, NOW)
    number, e164 = company.numbers["Facebook"]
    async with database.companies(company.id) as connection:
        (need,) = await needs_of(connection, company.id, ZONE, NOW)
    assert (need.key, need.name) == (f"number/{number}", e164)
    assert need.since is not None
    assert timedelta(days=13) < NOW - need.since < timedelta(days=15)
    assert 2.5 < need.a_day < 3.5
    # All of the other company's numbers are silent; its own hours are the measure.
    assert await keys(database, other) == [f"number/{other.numbers['Facebook'][0]}"]

    await add_call(database, company, source="Facebook", started_at=NOW - timedelta(minutes=5))
    assert await keys(database, company) == []
    await look_for_silences(database, NOW + timedelta(hours=1))
    async with database.everything() as connection:
        assert await connection.fetchval("SELECT count(*) FROM silences WHERE company_id = $1", company.id) == 0


async def test_a_retired_number_is_not_missed(database: Database) -> None:
    company = await make_company(database)
    await every_day(database, company, "Google Ads", range(1, 40))
    await every_day(database, company, "Facebook", range(14, 40))
    async with database.companies(company.id) as connection:
        await connection.execute(
            "UPDATE tracking_numbers SET retired_at = now() WHERE id = $1", company.numbers["Facebook"][0]
        )
    await look_for_silences(database, NOW)
    assert await keys(database, company) == []


async def test_a_site_whose_visits_stop_is_told_of(database: Database) -> None:
    company = await make_company(database)
    async with database.companies(company.id) as connection:
        site = await connection.fetchval(
            "INSERT INTO sites (company_id, name, public_key) VALUES ($1, 'Home', 'abcdefghijklmnop12') RETURNING id",
            company.id,
        )
        await connection.execute(
            """INSERT INTO visits (company_id, site_id, id, started_at, label, channel, source, url)
               SELECT $1, $2, gen_random_uuid(), $3::timestamptz - make_interval(hours => hour), 'Direct', 'Direct',
                      '(direct)', 'https://example.com/'
               FROM generate_series(30, 24 * 30) AS hour, generate_series(1, 4)""",
            company.id,
            site,
            NOW,
        )
    await look_for_silences(database, NOW)
    async with database.companies(company.id) as connection:
        (need,) = await needs_of(connection, company.id, ZONE, NOW)
    assert (need.key, need.name) == (f"site/{site}", "Home")
    assert 90 < need.a_day < 100


async def test_putting_off_lasts_a_week_for_one_company(database: Database) -> None:
    company, other = await make_company(database), await make_company(database, "Other", ("3001", "3002", "3003"))
    for each in (company, other):
        await add_call(database, each, outcome="no_answer", started_at=NOW - timedelta(hours=2))
    (key,) = await keys(database, company)
    assert key.startswith("missed/")
    async with database.everything() as connection:
        user = await connection.fetchval("INSERT INTO users (email) VALUES ('a@example.com') RETURNING id")
    async with database.companies(company.id) as connection:
        await put_off(connection, company.id, key, user, NOW)
    assert await keys(database, company) == []
    assert len(await keys(database, other)) == 1
    async with database.companies(company.id) as connection:
        assert await needs_of(connection, company.id, ZONE, NOW + timedelta(days=7, seconds=1)) == ()  # no news by then
        assert await needs_of(connection, company.id, ZONE, NOW + timedelta(days=6)) == ()
        await take_up(connection, company.id, key)
    assert await keys(database, company) == [key]
