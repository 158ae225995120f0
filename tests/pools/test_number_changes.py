"""Numbers moved, rested, retired, taken back and removed; through all of it their calls ring."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from gateway.calls.load import load_directory
from gateway.calls.route import Destination
from gateway.pools import errors, number_changes, pool_errors, setup
from gateway.pools.number_changes import FOR_EVER
from gateway.pools.number_commands import state_of
from gateway.pools.showing import Why
from gateway.store.database import Database
from tests.pools.shop import ADS, DIRECT, Shop, all_is_well, open_shop

LAST = Destination("PJSIP/last", 30)


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()


async def rings(shop: Shop) -> set[str]:
    async with shop.database.everything() as connection:
        directory = await load_directory(connection, LAST)
    return {number.e164 for number in directory.numbers.values() if number.company_id == shop.company.id}


async def test_whatever_is_done_calls_ring(database: Database) -> None:
    shop = await open_shop(database, 4)
    ours = [row["e164"] for row in await shop.rows("SELECT e164 FROM tracking_numbers ORDER BY id")]
    given = await shop.shown(shop.visitor())
    assert given.e164 == ours[0]
    async with database.everything() as connection:
        await number_changes.retire(connection, shop.company, ours[:2], now=shop.now)
        await number_changes.rest(connection, shop.company, ours[2:3], until=None, now=shop.now)
        states = [state_of(state) for _, state in (await number_changes.standings(connection, shop.company)).values()]
    assert states == ["retired", "retired", "rests", "active"]
    assert await rings(shop) == set(ours)
    await all_is_well(shop)


async def test_a_number_wakes_from_rest_and_from_retirement(database: Database) -> None:
    shop = await open_shop(database, 1)
    shown = await shop.shown(shop.visitor())
    async with database.everything() as connection:
        await number_changes.retire(connection, shop.company, [shown.e164], now=shop.now)
        await number_changes.rest(connection, shop.company, [shown.e164], until=None, now=shop.now)
        (_, state), *_ = (await number_changes.standings(connection, shop.company)).values()
        assert state.resting_until == FOR_EVER
    shop.passes(days=400)
    assert (await shop.shown(shop.visitor())).why is Why.FALLBACK
    async with database.everything() as connection:
        assert await number_changes.wake(connection, shop.company, [shown.e164], now=shop.now) == [shown.e164]
    await all_is_well(shop)
    assert (await shop.shown(shop.visitor())).e164 == shown.e164
    await all_is_well(shop)


async def test_a_number_that_moves_is_lent_by_the_rules_of_its_new_pool(database: Database) -> None:
    shop = await open_shop(database, 2)
    visitor = shop.visitor()
    shown = await shop.shown(visitor)
    async with database.everything() as connection:
        await setup.add_pool(connection, shop.company, "Others", "dynamic")
        await connection.execute(
            "UPDATE pools SET priority = 99, when_full = 'fallback', quarantine_seconds = 600"
            " WHERE company_id = $1 AND name = 'Others'",
            shop.company.id,
        )
        await number_changes.move(connection, shop.company, [shown.e164], "Others", now=shop.now)
    await shop.reload()
    await all_is_well(shop)
    assert (await shop.shown(visitor)).why is Why.FALLBACK  # people may still see it on a page
    shop.passes(minutes=30)
    again = await shop.shown(visitor)
    assert (again.e164, again.pool_id != shown.pool_id) == (shown.e164, True)
    await all_is_well(shop)


async def test_into_a_static_pool_for_one_source(database: Database) -> None:
    shop = await open_shop(database, 1)
    shown = await shop.shown(shop.visitor())
    async with database.everything() as connection:
        await setup.add_pool(connection, shop.company, "Print", "static")
        await setup.add_source(connection, shop.company, "Ads", source="google", medium="cpc")
        with pytest.raises(pool_errors.StaticNeedsSource, match="--source"):
            await number_changes.move(connection, shop.company, [shown.e164], "Print", now=shop.now)
        with pytest.raises(errors.NoSuchSource):
            await number_changes.move(connection, shop.company, [shown.e164], "Print", source="x", now=shop.now)
        with pytest.raises(errors.NoSuchPool):
            await number_changes.move(connection, shop.company, [shown.e164], "Nowhere", now=shop.now)
        await number_changes.move(connection, shop.company, [shown.e164], "Print", source="Ads", now=shop.now)
        await connection.execute("UPDATE pools SET priority = 99 WHERE name = 'Print'")
    await shop.reload()
    static = await shop.shown(shop.visitor(), ADS)
    assert (static.e164, static.why) == (shown.e164, Why.STATIC)


async def test_a_static_number_that_was_seen_rests_before_it_is_lent(database: Database) -> None:
    shop = await open_shop(database, 0, printed=["+13069990401"], when_full="fallback")
    async with database.everything() as connection:
        await setup.add_pool(connection, shop.company, "Print", "static")
        await setup.add_source(connection, shop.company, "Direct", channel="Direct")
        for number in ("+13069990401", "+13069990402"):
            await setup.add_number(connection, shop.company, number, pool="Print", source="Direct")
    await shop.reload()
    shown = await shop.shown(shop.visitor(), DIRECT)
    assert (shown.e164, shown.why) == ("+13069990401", Why.STATIC)
    async with database.everything() as connection:
        numbers = ["+13069990401", "+13069990402"]
        await number_changes.move(connection, shop.company, numbers, "Visitors", now=shop.now)
    await shop.reload()
    assert (await shop.shown(shop.visitor())).e164 == "+13069990402"  # nobody has seen it yet
    other = shop.visitor()
    assert (await shop.shown(other)).why is Why.FALLBACK
    shop.passes(minutes=20)
    assert (await shop.shown(other)).why is Why.LENT


async def test_taken_back_from_its_holder(database: Database) -> None:
    shop = await open_shop(database, 2, when_full="fallback")
    visitor = shop.visitor()
    shown = await shop.shown(visitor)
    async with database.everything() as connection:
        numbers = [row["e164"] for row in await shop.rows("SELECT e164 FROM tracking_numbers")]
        assert await number_changes.release(connection, shop.company, numbers, now=shop.now) == [shown.e164]
    (row,) = await shop.rows("SELECT closed_as, last_seen FROM leases")
    assert (row["closed_as"], row["last_seen"]) == ("released", shop.now)
    assert (await shop.shown(visitor)).e164 != shown.e164  # it rests, as any number does that was just seen
    await all_is_well(shop)


async def test_only_what_has_no_history_is_removed(database: Database) -> None:
    shop = await open_shop(database, 2)
    shown = await shop.shown(shop.visitor())
    (other,) = [
        row["e164"] for row in await shop.rows("SELECT e164 FROM tracking_numbers") if row["e164"] != shown.e164
    ]
    async with database.everything() as connection:
        with pytest.raises(pool_errors.HasHistory, match=r"\+.* retire it instead"):
            await number_changes.remove(connection, shop.company, [other, shown.e164])
        assert await number_changes.remove(connection, shop.company, [other]) == [other]
    assert await rings(shop) == {shown.e164}
    await all_is_well(shop)


async def test_numbers_of_another_company_are_not_ours_to_change(database: Database) -> None:
    ours, theirs = await open_shop(database, 1), await open_shop(database, 1)
    (row,) = await theirs.rows("SELECT e164 FROM tracking_numbers")
    async with database.everything() as connection:
        for change in (number_changes.retire, number_changes.wake, number_changes.release):
            with pytest.raises(pool_errors.NoSuchNumber, match="numberpool number list"):
                await change(connection, ours.company, [row["e164"]], now=ours.now)
        with pytest.raises(errors.BadNumber):
            await number_changes.retire(connection, ours.company, ["nonsense"], now=ours.now)


async def test_a_visitor_is_served_while_numbers_are_changed(database: Database) -> None:
    """Not only at rest: whoever holds the number meanwhile gets another with the next page."""
    shop = await open_shop(database, 2)
    visitor = shop.visitor()
    shown = await shop.shown(visitor)
    async with database.everything() as connection:
        until = shop.now + timedelta(days=1)
        await number_changes.rest(connection, shop.company, [shown.e164], until=until, now=shop.now)
    shop.passes(seconds=5)
    other = await shop.shown(visitor)
    assert (other.why, other.e164 != shown.e164) == (Why.LENT, True)
