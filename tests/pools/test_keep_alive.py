"""Keep-alives on a real Postgres: what they keep, what they tell, and that none is lost when the worker stops."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from gateway.pools import keep_alive, number_changes
from gateway.pools.keep_alive import Held, KeepAlives, TooMany
from gateway.store.database import Database
from gateway.visits.ids import new_id
from tests.pools.shop import PRINTED, START, Shop, open_shop


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()


async def told(keep_alives: KeepAlives, shop: Shop, shown: Any, **how: Any) -> Held:
    """What a page is told that shows ``shown``, once it is written."""
    answer = keep_alives.note(shown.exposure_id, shop.company.id, at=shop.now, **how)
    await keep_alives.write()
    return await answer


async def test_who_is_still_here_keeps_the_number(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 1, when_full="fallback"), KeepAlives(database)
    mine = await shop.shown(shop.visitor())
    for _ in range(10):
        shop.passes(minutes=19)
        assert await told(keep_alives, shop, mine) is Held.HELD
        assert (await shop.shown(shop.visitor())).lease_id is None
    (row,) = await shop.rows("SELECT last_seen, shown_at FROM exposures WHERE id = $1", mine.exposure_id)
    assert row["last_seen"] == shop.now
    assert keep_alives.waiting == 0


async def test_leases_are_not_touched_by_keep_alives(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 1), KeepAlives(database)
    mine = await shop.shown(shop.visitor())
    before = await shop.rows("SELECT xmin::text, ctid::text FROM leases")
    shop.passes(minutes=1)
    await told(keep_alives, shop, mine)
    assert await shop.rows("SELECT xmin::text, ctid::text FROM leases") == before


async def test_displaced_expired_and_released_are_told_apart(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 3), KeepAlives(database)
    pages = [await shop.shown(shop.visitor()) for _ in range(3)]
    shop.passes(minutes=25)
    assert await told(keep_alives, shop, pages[1]) is Held.HELD
    shop.passes(seconds=1)
    await shop.shown(shop.visitor())  # takes the first, whose reserve is over
    await told(keep_alives, shop, pages[2])
    shop.passes(seconds=1)
    await shop.shown(shop.visitor())  # takes the second, which is idle longest
    async with database.everything() as connection:
        assert pages[2].e164 is not None
        await number_changes.release(connection, shop.company, [pages[2].e164], now=shop.now)
    shop.passes(minutes=1)
    assert [await told(keep_alives, shop, page) for page in pages] == [Held.EXPIRED, Held.DISPLACED, Held.RELEASED]
    # The page did show the number all the while.
    rows = await shop.rows("SELECT last_seen FROM exposures WHERE id = ANY ($1)", [page.exposure_id for page in pages])
    assert {row["last_seen"] for row in rows} == {shop.now}


async def test_a_late_word_revives_what_nobody_took(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 1, when_full="fallback"), KeepAlives(database)
    mine = await shop.shown(shop.visitor())
    shop.passes(days=2)
    assert await told(keep_alives, shop, mine) is Held.HELD
    assert (await shop.shown(shop.visitor())).lease_id is None


async def test_goodbye_and_back_again(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 1), KeepAlives(database)
    mine = await shop.shown(shop.visitor())
    shop.passes(seconds=30)
    assert await told(keep_alives, shop, mine, left=True) is Held.HELD
    (row,) = await shop.rows("SELECT left_at, last_seen FROM exposures")
    assert (row["left_at"], row["last_seen"]) == (shop.now, shop.now)
    shop.passes(seconds=5)
    await told(keep_alives, shop, mine)
    (row,) = await shop.rows("SELECT left_at, last_seen FROM exposures")
    assert (row["left_at"], row["last_seen"]) == (None, shop.now)


async def test_a_word_that_comes_late_moves_nothing_back(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 1), KeepAlives(database)
    mine = await shop.shown(shop.visitor())
    assert mine.exposure_id is not None
    shop.passes(minutes=5)
    await told(keep_alives, shop, mine)
    keep_alives.note(mine.exposure_id, shop.company.id, at=shop.now - timedelta(minutes=4))
    await keep_alives.write()
    assert [row["last_seen"] for row in await shop.rows("SELECT last_seen FROM exposures")] == [shop.now]
    assert [row["idle_since"] for row in await shop.rows("SELECT idle_since FROM lendable_numbers")] == [shop.now]


async def test_nobody_keeps_what_is_another_companys(database: Database) -> None:
    ours, theirs = await open_shop(database, 1), await open_shop(database, 1)
    page = await theirs.shown(theirs.visitor())
    ours.passes(minutes=5)
    assert await told(KeepAlives(database), ours, page) is Held.UNKNOWN
    assert [row["last_seen"] for row in await theirs.rows("SELECT last_seen FROM exposures")] == [START]


async def test_what_is_not_ours(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 1), KeepAlives(database)
    with pytest.raises(ValueError, match="no UUID of version 7"):
        keep_alives.note(uuid.uuid4(), shop.company.id, at=shop.now)
    unknown = keep_alives.note(new_id(shop.now), shop.company.id, at=shop.now)
    await keep_alives.write()
    assert await unknown is Held.UNKNOWN


async def test_a_number_that_nobody_holds_is_exposed_all_the_same(database: Database) -> None:
    shop = await open_shop(database, 0, printed=["+13069990301"])
    await shop.rows("UPDATE pools SET kind = 'static'")
    await shop.rows(
        "INSERT INTO tracking_numbers (company_id, pool_id, e164) SELECT company_id, id, '+13069990301' FROM pools"
    )
    await shop.reload()
    shown = await shop.shown(shop.visitor())
    assert shown.e164 != PRINTED
    shop.passes(minutes=3)
    assert await told(KeepAlives(database), shop, shown) is Held.HELD
    assert [row["last_seen"] for row in await shop.rows("SELECT last_seen FROM exposures")] == [shop.now]


async def test_a_number_that_is_being_lent_is_tried_again(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 1), KeepAlives(database)
    mine = await shop.shown(shop.visitor())
    assert mine.exposure_id is not None
    shop.passes(minutes=1)
    answer = keep_alives.note(mine.exposure_id, shop.company.id, at=shop.now)
    async with database.companies(shop.company.id) as connection:
        await connection.execute("SELECT FROM lendable_numbers FOR UPDATE")
        async with asyncio.timeout(10):
            await keep_alives.write()
        assert not answer.done()
        assert keep_alives.waiting == 1
    await keep_alives.write()
    assert await answer is Held.HELD
    assert [row["idle_since"] for row in await shop.rows("SELECT idle_since FROM lendable_numbers")] == [shop.now]


async def test_what_is_noted_while_it_is_written_is_written_after(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 1), KeepAlives(database)
    mine = await shop.shown(shop.visitor())
    assert mine.exposure_id is not None
    blocker = await asyncpg.connect(database.dsn)
    try:
        transaction = blocker.transaction()
        await transaction.start()
        await blocker.execute("SELECT set_config('numberpool.companies', 'all', true)")
        await blocker.execute("SELECT FROM exposures WHERE id = $1 FOR UPDATE", mine.exposure_id)
        first = keep_alives.note(mine.exposure_id, shop.company.id, at=shop.now + timedelta(seconds=1))
        writing = asyncio.create_task(keep_alives.write())
        await asyncio.sleep(0.2)
        second = keep_alives.note(mine.exposure_id, shop.company.id, at=shop.now + timedelta(seconds=2))
        await transaction.rollback()
        await writing
    finally:
        await blocker.close()
    assert not second.done()
    await keep_alives.write()
    assert (await first, await second) == (Held.HELD, Held.HELD)
    (row,) = await shop.rows("SELECT last_seen FROM exposures")
    assert row["last_seen"] == shop.now + timedelta(seconds=2)


async def test_an_orderly_end_writes_what_waits(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 40), KeepAlives(database)
    pages = [await shop.shown(shop.visitor()) for _ in range(40)]
    shop.passes(minutes=1)
    async with keep_alives.running():
        for page in pages:
            assert page.exposure_id is not None
            keep_alives.note(page.exposure_id, shop.company.id, at=shop.now, left=True)
    assert {row["left_at"] for row in await shop.rows("SELECT left_at FROM exposures")} == {shop.now}


async def test_it_is_written_by_itself_within_the_second(database: Database) -> None:
    shop, keep_alives = await open_shop(database, 1), KeepAlives(database)
    mine = await shop.shown(shop.visitor())
    assert mine.exposure_id is not None
    async with keep_alives.running(), asyncio.timeout(10):
        assert await keep_alives.seen(mine.exposure_id, shop.company.id, at=shop.now) is Held.HELD


async def test_while_postgres_is_away_they_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = await open_shop(database, 1)
    mine = await shop.shown(shop.visitor())
    assert mine.exposure_id is not None
    away = await Database.open(database.dsn)
    await away.close()
    keep_alives = KeepAlives(away)
    waiting = asyncio.create_task(keep_alives.seen(mine.exposure_id, shop.company.id, at=shop.now))
    await asyncio.sleep(0)
    with pytest.raises(asyncpg.InterfaceError):
        await keep_alives.write()
    assert keep_alives.waiting == 1
    waiting.cancel()  # the page went away; its word is kept
    await asyncio.wait([waiting])
    monkeypatch.setattr(keep_alive, "MOST_WAITING", 1)
    keep_alives.note(mine.exposure_id, shop.company.id, at=shop.now)
    with pytest.raises(TooMany):
        keep_alives.note(new_id(shop.now), shop.company.id, at=shop.now)
    keep_alives._database = database  # it is back
    shop.passes(seconds=1)
    await keep_alives.write()
    assert keep_alives.waiting == 0
