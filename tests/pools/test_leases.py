"""Numbers lent one visit after the other, on a real Postgres: who gets which, and what is refused."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from gateway.pools import number_changes
from gateway.pools.pool import WhenFull
from gateway.pools.showing import Why
from gateway.store.database import Database
from tests.pools.shop import ADS, DIRECT, PRINTED, SEARCH, all_is_well, open_shop


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()


async def test_each_visitor_has_a_number_of_his_own_and_keeps_it(database: Database) -> None:
    shop = await open_shop(database, 3)
    visitors = [shop.visitor() for _ in range(3)]
    given = [(await shop.shown(visitor)).e164 for visitor in visitors]
    assert len(set(given)) == 3
    for _ in range(4):
        shop.passes(minutes=15)
        assert [(await shop.shown(visitor)).e164 for visitor in visitors] == given
    await all_is_well(shop)
    assert len(await shop.rows("SELECT FROM leases")) == 3
    assert len(await shop.rows("SELECT FROM exposures")) == 15


async def test_the_number_idle_longest_is_lent_first(database: Database) -> None:
    shop = await open_shop(database, 3)
    given = []
    for _ in range(3):
        given.append((await shop.shown(shop.visitor())).e164)
        shop.passes(minutes=1)
    shop.passes(hours=2)
    for expected in given:
        assert (await shop.shown(shop.visitor())).e164 == expected
        shop.passes(seconds=1)
    closed = await shop.rows(
        "SELECT closed_as, upper(period) - lower(period) AS length FROM leases WHERE closed_as <> ''"
    )
    assert {row["closed_as"] for row in closed} == {"expired"}


async def test_his_own_number_again_after_the_reserve_if_nobody_took_it(database: Database) -> None:
    shop = await open_shop(database, 2)
    visitor = shop.visitor()
    mine = await shop.shown(visitor)
    shop.passes(days=3)
    await shop.shown(shop.visitor())  # takes the other one, which was never shown
    assert (await shop.shown(visitor)).lease_id == mine.lease_id
    shop.passes(hours=1)
    for _ in range(2):
        await shop.shown(shop.visitor())
    assert (await shop.shown(visitor)).lease_id != mine.lease_id


async def test_a_full_pool_shares_the_number_seen_longest_ago(database: Database) -> None:
    shop = await open_shop(database, 2)
    early, late, new = shop.visitor(), shop.visitor(), shop.visitor()
    first = await shop.shown(early)
    shop.passes(minutes=1)
    second = await shop.shown(late)
    shop.passes(minutes=1)
    assert (await shop.shown(new)).e164 == first.e164
    (row,) = await shop.rows("SELECT closed_as, last_seen FROM leases WHERE id = $1", first.lease_id)
    assert (row["closed_as"], row["last_seen"]) == ("displaced", shop.now - timedelta(minutes=2))
    shop.passes(minutes=1)
    assert (await shop.shown(early)).e164 == second.e164  # and now it is the late one's turn
    await all_is_well(shop)


async def test_a_full_pool_that_does_not_share_shows_a_fallback(database: Database) -> None:
    shop = await open_shop(database, 1, when_full="fallback", fallback_number="+13065550199")
    await shop.shown(shop.visitor())
    other = shop.visitor()
    refused = await shop.shown(other)
    assert (refused.e164, refused.why, refused.exposure_id) == ("+13065550199", Why.FALLBACK, None)
    shop.passes(minutes=19, seconds=59)
    assert (await shop.shown(other)).why is Why.FALLBACK
    shop.passes(seconds=1)
    assert (await shop.shown(other)).why is Why.LENT


async def test_without_a_fallback_number_the_page_keeps_its_own(database: Database) -> None:
    shop = await open_shop(database, 0)
    shown = await shop.shown(shop.visitor())
    assert (shown.e164, shown.why, shown.number_id) == (PRINTED, Why.FALLBACK, None)


async def test_a_fallback_is_first_of_all_the_static_number_of_the_source(database: Database) -> None:
    shop = await open_shop(database, 1, when_full="fallback", fallback_number="+13065550199")
    async with database.everything() as connection:
        await connection.execute(
            "INSERT INTO pools (company_id, name, kind) VALUES ($1, 'Online', 'static')", shop.company.id
        )
        await connection.execute(
            "INSERT INTO sources (company_id, name, source, medium) VALUES ($1, 'Ads', 'google', 'cpc')",
            shop.company.id,
        )
        await connection.execute(
            "INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id)"
            " SELECT $1, p.id, '+13069990001', s.id FROM pools p, sources s"
            " WHERE p.name = 'Online' AND p.company_id = $1 AND s.company_id = $1",
            shop.company.id,
        )
    await shop.reload()
    assert (await shop.shown(shop.visitor(), SEARCH)).why is Why.LENT
    shown = await shop.shown(shop.visitor(), ADS)
    assert (shown.e164, shown.why) == ("+13069990001", Why.FALLBACK)
    assert shown.exposure_id is not None  # a call on it leads to the visits that saw it
    assert (await shop.shown(shop.visitor(), SEARCH)).e164 == "+13065550199"


async def test_a_direct_visit_sees_the_pages_own_number(database: Database) -> None:
    shop = await open_shop(database, 2)
    shown = await shop.shown(shop.visitor(), DIRECT)
    assert (shown.e164, shown.why, shown.exposure_id) == (PRINTED, Why.PAGE, None)
    assert await shop.rows("SELECT FROM leases") == []


async def test_the_pages_own_number_may_be_a_tracking_number(database: Database) -> None:
    shop = await open_shop(database, 1, printed=["+13069990101"])
    async with database.everything() as connection:
        await connection.execute(
            "INSERT INTO tracking_numbers (company_id, pool_id, e164)"
            " SELECT $1, id, '+13069990101' FROM pools WHERE company_id = $1 LIMIT 1",
            shop.company.id,
        )
    await shop.reload()
    shown = await shop.shown(shop.visitor(), DIRECT)
    (exposure,) = await shop.rows("SELECT id, number_id, lease_id FROM exposures")
    assert (shown.e164, shown.why, shown.exposure_id) == ("+13069990101", Why.PAGE, exposure["id"])
    assert (exposure["number_id"], exposure["lease_id"]) == (shown.number_id, None)


async def test_one_number_replaces_all_that_a_pool_serves(database: Database) -> None:
    shop = await open_shop(database, 3, printed=[PRINTED, "+13065550101"])
    one, other = await shop.visit(shop.visitor())
    assert (one.e164, one.lease_id, one.exposure_id) == (other.e164, other.lease_id, other.exposure_id)
    assert {one.target.e164, other.target.e164} == {PRINTED, "+13065550101"}
    assert len(await shop.rows("SELECT FROM exposures")) == 1


async def test_one_combination_of_values_has_one_number(database: Database) -> None:
    shop = await open_shop(database, 3, bound_to=["utm_campaign", "utm_content"])
    spring = {"utm_campaign": "spring", "utm_content": "a"}
    one = await shop.shown(shop.visitor(), parameters=spring)
    assert (await shop.shown(shop.visitor(), parameters=spring)).lease_id == one.lease_id
    other = await shop.shown(shop.visitor(), parameters={"utm_campaign": "spring", "utm_content": "b"})
    assert other.e164 != one.e164
    (combination,) = await shop.rows("SELECT combination::text FROM leases WHERE id = $1", one.lease_id)
    assert combination[0] == '{"utm_content": "a", "utm_campaign": "spring"}'


async def test_a_number_rests_before_another_gets_it_and_longer_once_it_was_dialled(database: Database) -> None:
    shop = await open_shop(database, 1, when_full="fallback", quarantine_seconds=600, dialled_quarantine_seconds=86400)
    first = await shop.shown(shop.visitor())
    other = shop.visitor()
    shop.passes(minutes=29, seconds=59)
    assert (await shop.shown(other)).why is Why.FALLBACK
    async with database.everything() as connection:
        await connection.execute("INSERT INTO nodes (name) VALUES ('pbx') ON CONFLICT DO NOTHING")
        await connection.execute(
            "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, did, number_id, started_at)"
            " SELECT $1, id, 'rest-1', 1, 'ringing', $2, $3, $4 FROM nodes LIMIT 1",
            shop.company.id,
            first.e164,
            first.number_id,
            shop.now,
        )
    shop.passes(hours=23)
    assert (await shop.shown(other)).why is Why.FALLBACK
    shop.passes(hours=1)
    assert (await shop.shown(other)).why is Why.LENT


async def test_sharing_cuts_a_quarantine_short_before_it_takes_a_number_from_somebody(database: Database) -> None:
    shop = await open_shop(database, 2, quarantine_seconds=3600, dialled_quarantine_seconds=3600)
    left = await shop.shown(shop.visitor())
    shop.passes(minutes=25)
    await shop.shown(shop.visitor())
    shop.passes(minutes=1)
    assert (await shop.shown(shop.visitor())).e164 == left.e164
    closed = await shop.rows("SELECT closed_as FROM leases WHERE closed_as IS NOT NULL")
    assert [row["closed_as"] for row in closed] == ["expired"]


async def test_retired_and_resting_numbers_are_lent_to_nobody(database: Database) -> None:
    shop = await open_shop(database, 3)
    given = [await shop.shown(shop.visitor()) for _ in range(3)]
    async with database.everything() as connection:
        await number_changes.retire(connection, shop.company, [given[0].e164], now=shop.now)
        await number_changes.rest(
            connection, shop.company, [given[1].e164], until=shop.now + timedelta(hours=1), now=shop.now
        )
    await all_is_well(shop)
    for _ in range(5):
        assert (await shop.shown(shop.visitor())).e164 == given[2].e164
        shop.passes(minutes=10)
    shop.passes(minutes=11)
    assert (await shop.shown(shop.visitor())).e164 == given[1].e164
    await all_is_well(shop)


async def test_a_visitor_of_one_company_gets_nothing_of_another(database: Database) -> None:
    ours, theirs = await open_shop(database, 1), await open_shop(database, 1)
    visitor = ours.visitor()
    mine, other = await ours.shown(visitor), await theirs.shown(visitor)
    assert mine.number_id != other.number_id
    assert len(await ours.rows("SELECT FROM leases")) == len(await theirs.rows("SELECT FROM leases")) == 1


async def test_the_database_forbids_two_leases_at_once(database: Database) -> None:
    shop = await open_shop(database, 1)
    lent = await shop.shown(shop.visitor())
    async with database.everything() as connection:
        with pytest.raises(asyncpg.ExclusionViolationError, match="leases_never_overlap"):
            async with connection.transaction():
                await connection.execute(
                    "INSERT INTO leases (company_id, pool_id, number_id, holder, period)"
                    " VALUES ($1, $2, $3, 'visitor:x', tstzrange($4, NULL))",
                    shop.company.id,
                    lent.pool_id,
                    lent.number_id,
                    shop.now + timedelta(days=1),
                )


@pytest.mark.parametrize("change", ["pool_id = pool_id", "resting_until = now()", "retired_at = now()"])
async def test_no_number_is_changed_while_its_lease_is_open(database: Database, change: str) -> None:
    shop = await open_shop(database, 1)
    await shop.shown(shop.visitor())
    with pytest.raises(asyncpg.RaiseError, match="end it first"):
        await shop.rows(f"UPDATE tracking_numbers SET {change}")


async def test_a_clock_that_is_behind_makes_no_fault(database: Database) -> None:
    shop = await open_shop(database, 1)
    await shop.shown(shop.visitor())
    for back in (5, 1, 30, 0):
        shop.passes(seconds=-back)
        assert (await shop.shown(shop.visitor())).why is Why.LENT
    await all_is_well(shop)
    assert shop.pool.when_full is WhenFull.SHARE
