"""What brought visitors before: found for many at once, for each of its own company alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from gateway.store.database import Database
from gateway.visits.earlier import EarlierTouches
from tests.pools.shop import ADS, SEARCH, Shop, open_shop


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()


async def known(shop: Shop, touch: object) -> UUID:
    visitor = shop.visitor()
    async with shop.database.companies(shop.company.id) as connection:
        await connection.execute(
            "INSERT INTO visitors (company_id, site_id, id, first_seen, last_seen, touch)"
            " VALUES ($1, $2, $3, $4, $4, $5)",
            shop.company.id,
            shop.site.id,
            visitor,
            shop.now,
            None if touch is None else json.dumps(touch),
        )
    return visitor


async def test_many_ask_at_once_and_each_hears_of_his_own(database: Database) -> None:
    one, other = await open_shop(database), await open_shop(database)
    touches = EarlierTouches(database, patience=10)
    by_ads, by_search = await known(one, asdict(ADS)), await known(other, asdict(SEARCH))
    direct, strange = await known(one, None), await known(one, {"label": "x", "of_another_version": 1})
    asked = [
        (one, by_ads, ADS),
        (other, by_search, SEARCH),
        (other, by_ads, None),  # another company's
        (one, direct, None),
        (one, strange, None),
        (one, one.visitor(), None),
    ]
    found = await asyncio.gather(*(touches.of(shop.company.id, visitor) for shop, visitor, _ in asked * 30))
    assert found == [source for _, _, source in asked] * 30


async def test_a_database_that_is_away_is_told_to_each(database: Database) -> None:
    closed = await Database.open(database.dsn, 2)
    touches = EarlierTouches(closed, patience=10)
    await closed.close()
    shop = await open_shop(database)
    answers = await asyncio.gather(*(touches.of(1, shop.visitor()) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, asyncpg.InterfaceError) for answer in answers)


async def test_one_that_does_not_answer_is_given_up_and_the_next_is_answered(database: Database) -> None:
    shop = await open_shop(database)
    visitor = await known(shop, asdict(ADS))
    touches = EarlierTouches(database, patience=0.3)
    async with database.everything() as connection:
        await connection.execute("LOCK TABLE visitors IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TimeoutError):
            await touches.of(shop.company.id, visitor)
    patient = EarlierTouches(database, patience=10)
    assert await patient.of(shop.company.id, visitor) == ADS
