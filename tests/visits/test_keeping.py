"""A company keeps its visits for a shorter time than the server does: after a day of grace, and nobody else's go."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.attribution.recompute import frozen_until
from gateway.store.database import Database
from gateway.visits import keeping
from gateway.visits.keeping import GRACE, months_before
from gateway.visits.months import keep_months
from tests.store.test_migrations import ROWS, fill

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 200))
def test_whole_months_are_kept(day: date, months: int) -> None:
    since = months_before(day, months)
    assert since.day == 1
    assert (day.year - since.year) * 12 + day.month - since.month == months


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    """Two companies with a row in every table, and a visit with what belongs to it in each of ten months."""
    await fill(database_dsn, *sorted(ROWS))
    opened = await Database.open(database_dsn)
    async with opened.everything() as wire:
        await wire.execute("UPDATE companies SET visits_kept_months = NULL")
        await wire.execute(
            "INSERT INTO visits (company_id, site_id, id, started_at, label, channel, source, url) "
            "SELECT s.company_id, s.id, gen_random_uuid(), $1::timestamptz - make_interval(months => n), 'Direct', "
            "'Direct', '(direct)', '/' FROM sites s, generate_series(1, 10) n",
            NOW,
        )
        await wire.execute(
            "INSERT INTO page_views (company_id, site_id, visit_id, at, url) "
            "SELECT company_id, site_id, id, started_at, url FROM visits"
        )
        await wire.execute("UPDATE visitors SET last_seen = $1::timestamptz - interval '5 months'", NOW)
    yield opened
    await opened.close()


async def visits(database: Database) -> dict[int, tuple[int, datetime]]:
    """How many visits, and the oldest, of each company."""
    async with database.everything() as wire:
        rows = await wire.fetch(
            "SELECT company_id, count(*) AS visits, min(started_at) AS oldest FROM visits GROUP BY 1 ORDER BY 1"
        )
    return {row["company_id"]: (row["visits"], row["oldest"]) for row in rows}


async def test_a_shorter_time_counts_after_a_day_and_takes_what_belongs_to_the_visits(database: Database) -> None:
    before = await visits(database)
    one, other = before
    async with database.companies(one) as wire:
        await keeping.set_visits_kept(wire, one, 3, NOW)
        assert await keeping.older(wire, one, months_before(TODAY, 3)) == 7
    await keeping.forget_by_company(database, TODAY, NOW + GRACE - timedelta(minutes=1), 25)
    assert await visits(database) == before
    await keeping.forget_by_company(database, TODAY, NOW + GRACE, 25)
    after = await visits(database)
    assert after[other] == before[other]
    assert after[one][0] == before[one][0] - 7
    assert after[one][1] >= datetime(2026, 8, 1, tzinfo=UTC)
    async with database.everything() as wire:
        for table, when in (("page_views", "at"), ("visitors", "last_seen")):
            oldest = await wire.fetchval(f"SELECT min({when}) FROM {table} WHERE company_id = $1", one)
            assert oldest is None or oldest >= datetime(2026, 8, 1, tzinfo=UTC), table
            assert await wire.fetchval(f"SELECT min({when}) FROM {table} WHERE company_id = $1", other) < oldest_kept()
    async with database.companies(one) as wire:
        border = await frozen_until(wire, one)
        assert border is not None
        assert border > datetime(2026, 8, 1, tzinfo=UTC)
    # Once more changes nothing, and a longer time brings nothing back.
    async with database.companies(one) as wire:
        await keeping.set_visits_kept(wire, one, 12, NOW)
        await wire.execute("UPDATE companies SET visits_kept_from = NULL")
    await keeping.forget_by_company(database, TODAY, NOW + GRACE, 25)
    assert await visits(database) == after
    async with database.companies(one) as wire:
        kept = await keeping.visits_kept(wire, one)
    assert kept is not None
    assert kept.since == date(2026, 8, 1)


def oldest_kept() -> datetime:
    return datetime(2026, 8, 1, tzinfo=UTC)


async def test_the_servers_time_is_the_longest(database: Database) -> None:
    one, other = await visits(database)
    async with database.companies(one) as wire:
        await wire.execute("UPDATE companies SET visits_kept_months = 12 WHERE id = $1", one)
    await keep_months(database, TODAY, kept=6)
    oldest = {company: when for company, (_, when) in (await visits(database)).items()}
    assert all(when >= datetime(2026, 5, 1, tzinfo=UTC) for when in oldest.values())
    assert set(oldest) == {one, other}
