"""How pools are doing: what workers count, what is seen of them now and by the hour."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from gateway.pools import tally
from gateway.pools.health import Miss, PoolHealth, pool_health
from gateway.pools.tally import Tally, forget_hours, sample_occupancy
from gateway.store.database import Database
from tests.pools.shop import ADS, SEARCH, START, Shop, open_shop
from tests.stack import eventually


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()


async def health(shop: Shop, **back: float) -> PoolHealth:
    async with shop.database.companies(shop.company.id) as connection:
        start = shop.now - timedelta(**back or {"days": 1})
        (found,) = await pool_health(
            connection, shop.company.id, start=start, finish=shop.now + timedelta(hours=1), now=shop.now
        )
    return found


async def look(shop: Shop) -> None:
    async with shop.database.everything() as connection:
        await sample_occupancy(connection, shop.now)


async def test_a_pool_nobody_came_to(database: Database) -> None:
    found = await health(await open_shop(database, 3))
    assert (found.name, found.numbers, found.held, found.hours, found.misses) == ("Visitors", 3, 0, (), ())
    assert (found.occupied, found.advice) == (None, None)


async def test_what_visitors_got_is_counted_by_the_hour_and_by_source(database: Database) -> None:
    shop = await open_shop(database, 2)
    first = shop.visitor()
    for visitor in (first, first, shop.visitor()):
        await shop.shown(visitor)
    shop.passes(hours=1)
    for source in (ADS, ADS, SEARCH, ADS):
        await shop.shown(shop.visitor(), source)
    await shop.tally.write(database)
    found = await health(shop)
    assert [(each.hour, each.leased, each.displaced, each.refused) for each in found.hours] == [
        (START, 2, 0, 0),
        (START + timedelta(hours=1), 4, 2, 0),
    ]
    assert found.misses == (Miss("Google Organic", 1, 0), Miss("Google Paid", 1, 0))
    assert (found.leased, found.displaced) == (6, 2)
    assert found.advice is not None
    assert "2 visits took another visitor's number" in found.advice
    assert (await health(shop, minutes=30)).hours == found.hours[1:]


async def test_refusals_are_counted(database: Database) -> None:
    shop = await open_shop(database, 1, when_full="fallback")
    for _ in range(3):
        await shop.shown(shop.visitor())
    await shop.tally.write(database)
    found = await health(shop)
    assert (found.leased, found.refused, found.misses) == (1, 2, (Miss("Google Paid", 0, 2),))
    assert found.advice is not None
    assert "2 visits saw a fallback number" in found.advice


async def test_an_empty_pool_is_told(database: Database) -> None:
    found = await health(await open_shop(database, 0))
    assert found.advice is not None
    assert "numberpool number import" in found.advice


async def test_how_many_numbers_are_held(database: Database) -> None:
    shop = await open_shop(database, 5)
    for _ in range(3):
        await shop.shown(shop.visitor())
    await look(shop)
    shop.passes(minutes=19)
    await look(shop)
    assert (await health(shop)).held == 3
    shop.passes(minutes=1)
    await look(shop)
    assert (await health(shop)).held == 0
    (hour,) = (await health(shop)).hours
    assert (hour.occupied, hour.occupied_most, hour.numbers) == (2.0, 3, 5)


async def test_several_workers_add_to_one_hour(database: Database) -> None:
    shop = await open_shop(database, 40)
    workers = []
    for _ in range(4):
        shop.tally = Tally()
        workers.append(shop.tally)
        for _ in range(5):
            await shop.shown(shop.visitor())
    await asyncio.gather(*(each.write(database) for each in workers))
    await asyncio.gather(*(each.write(database) for each in workers))  # nothing is counted twice
    assert (await health(shop)).leased == 20


async def test_what_cannot_be_written_is_written_the_next_time(database: Database) -> None:
    shop = await open_shop(database, 3)
    await shop.shown(shop.visitor())
    away = await Database.open(database.dsn)
    await away.close()
    with pytest.raises(asyncpg.InterfaceError):
        await shop.tally.write(away)
    await shop.shown(shop.visitor())
    await shop.tally.write(database)
    assert (await health(shop)).leased == 2


async def test_an_orderly_end_writes_what_was_counted(database: Database) -> None:
    shop = await open_shop(database, 3)
    async with shop.tally.running(database):
        await shop.shown(shop.visitor())
    assert (await health(shop)).leased == 1


async def test_a_pool_that_is_gone_stops_nothing(database: Database) -> None:
    shop, other = await open_shop(database, 1), await open_shop(database, 1)
    shop.tally = other.tally
    await shop.shown(shop.visitor())
    await other.shown(other.visitor())
    await shop.rows("DELETE FROM exposures")
    await shop.rows("UPDATE lendable_numbers SET lease_id = NULL")
    for table in ("leases", "tracking_numbers", "pools"):
        await shop.rows(f"DELETE FROM {table}")
    await other.tally.write(database)
    assert (await health(other)).leased == 1


async def test_old_hours_are_forgotten(database: Database) -> None:
    shop = await open_shop(database, 1)
    for _ in range(2):
        await shop.shown(shop.visitor())
        shop.passes(hours=1)
    await shop.tally.write(database)
    async with database.everything() as connection:
        await forget_hours(connection, START + timedelta(hours=1))
    (hour,) = (await health(shop)).hours
    assert hour.hour == START + timedelta(hours=1)


async def test_pools_are_looked_at_once_a_minute(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = await open_shop(database, 1)
    monkeypatch.setattr(tally, "PERIOD_SECONDS", 0.01)
    looking = asyncio.create_task(tally.keep_sampling(database))

    async def looked() -> bool:
        return bool(await shop.rows("SELECT FROM pool_hours WHERE samples > 2"))

    await eventually(looked, 20)
    looking.cancel()
    await asyncio.wait([looking])
