"""Visits served together: as one by one, with several workers at it; what one of them meets is its own affair."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from gateway.pools.desk import LendingDesk
from gateway.pools.showing import Showing, Shown, Why, showing_of
from gateway.pools.tally import Tally
from gateway.store.database import Database
from gateway.store.together import MOST_AT_ONCE
from gateway.visits.ids import new_id
from tests.pools.shop import ADS, DIRECT, PRINTED, SEARCH, Shop, all_is_well, open_shop


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()


def page(shop: Shop, visitor: UUID, source: object = ADS, **facts: object) -> Showing:
    from gateway.pools.conditions import Arrival

    return showing_of(
        shop.offer,
        shop.site,
        Arrival(source, **facts),  # type: ignore[arg-type]
        visitor=visitor,
        visit_id=new_id(shop.now),
        now=shop.now,
    )


async def shown(desk: LendingDesk, shop: Shop, visitor: UUID, source: object = ADS, **facts: object) -> Shown:
    return (await desk.show(page(shop, visitor, source, **facts)))[0]


async def test_together_as_one_by_one(database: Database) -> None:
    one, other = await open_shop(database, 40), await open_shop(database, 40)
    desk = LendingDesk(database, one.tally)
    sources = [random.choice((ADS, SEARCH, DIRECT)) for _ in range(30)]
    alone = [(await one.shown(one.visitor(), source)).why for source in sources]
    together = await asyncio.gather(*(shown(desk, other, other.visitor(), source) for source in sources))
    assert [each.why for each in together] == alone
    lent = [each for each in together if each.why is Why.LENT]
    assert len({each.e164 for each in lent}) == len(lent)
    for shop in (one, other):
        await all_is_well(shop)
    counts = "SELECT (SELECT count(*) FROM leases) AS leases, (SELECT count(*) FROM exposures) AS exposures"
    assert await one.rows(counts) == await other.rows(counts)


async def test_those_idle_longest_are_lent_first_and_closed_as_expired(database: Database) -> None:
    shop = await open_shop(database, 6)
    desk = LendingDesk(database, Tally())
    first = [(await shown(desk, shop, shop.visitor())).e164 for _ in range(3)]
    shop.passes(hours=2)
    second = await asyncio.gather(*(shown(desk, shop, shop.visitor()) for _ in range(3)))
    assert not {each.e164 for each in second} & set(first)
    shop.passes(hours=2)
    third = await asyncio.gather(*(shown(desk, shop, shop.visitor()) for _ in range(3)))
    assert {each.e164 for each in third} == set(first)
    (closed,) = await shop.rows(
        "SELECT count(*) AS n, array_agg(DISTINCT closed_as) AS how FROM leases WHERE closed_as <> ''"
    )
    assert (closed["n"], closed["how"]) == (3, ["expired"])
    await all_is_well(shop)


async def test_a_holder_in_many_tabs_and_a_combination_of_many_visitors(database: Database) -> None:
    shop = await open_shop(database, 10, bound_to=["utm_campaign"])
    desk = LendingDesk(database, Tally())
    given = await asyncio.gather(
        *(shown(desk, shop, shop.visitor(), parameters={"utm_campaign": f"c{n % 3}"}) for n in range(30))
    )
    assert [len({each.e164 for each in given[n::3]}) for n in range(3)] == [1, 1, 1]
    assert len({each.exposure_id for each in given}) == 30
    assert len(await shop.rows("SELECT FROM leases")) == 3
    await all_is_well(shop)


async def test_a_full_pool_shares_as_it_does_one_by_one(database: Database) -> None:
    shop = await open_shop(database, 4)
    desk = LendingDesk(database, shop.tally)
    early = await asyncio.gather(*(shown(desk, shop, shop.visitor()) for _ in range(4)))
    shop.passes(minutes=1)
    late = await asyncio.gather(*(shown(desk, shop, shop.visitor()) for _ in range(4)))
    assert {each.e164 for each in late} == {each.e164 for each in early}
    closed = await shop.rows("SELECT closed_as FROM leases WHERE closed_as IS NOT NULL")
    assert [row["closed_as"] for row in closed] == ["displaced"] * 4
    await all_is_well(shop)


async def test_several_workers_lend_no_number_twice(database: Database) -> None:
    shop = await open_shop(database, 60)
    async with AsyncExitStack() as stack:
        desks = []
        for _ in range(3):
            worker = await Database.open(database.dsn, 3)
            stack.push_async_callback(worker.close)
            desks.append(LendingDesk(worker, shop.tally, patience=10))
        visitors = [shop.visitor() for _ in range(50)]
        for _ in range(6):
            asked = [random.choice(visitors) for _ in range(2 * MOST_AT_ONCE)]
            given = await asyncio.gather(*(shown(random.choice(desks), shop, visitor) for visitor in asked))
            of: dict[UUID, set[str]] = {}
            for visitor, each in zip(asked, given, strict=True):
                of.setdefault(visitor, set()).add(each.e164)
            assert all(len(numbers) == 1 for numbers in of.values())
            assert len({number for numbers in of.values() for number in numbers}) == len(of)
            await all_is_well(shop)
            shop.passes(minutes=1)
    assert len(await shop.rows("SELECT FROM exposures")) == 12 * MOST_AT_ONCE


async def test_companies_in_one_transaction_keep_to_their_own(database: Database) -> None:
    shops = [await open_shop(database, 5) for _ in range(3)]
    desk = LendingDesk(database, Tally())
    given = await asyncio.gather(*(shown(desk, shop, shop.visitor()) for shop in shops for _ in range(4)))
    for number, shop in enumerate(shops):
        own = {row["e164"] for row in await shop.rows("SELECT e164 FROM tracking_numbers")}
        assert {each.e164 for each in given[4 * number : 4 * number + 4]} <= own
        await all_is_well(shop)


async def test_a_database_that_is_away_is_told_to_each(database: Database) -> None:
    shop = await open_shop(database, 5)
    closed = await Database.open(database.dsn, 2)
    desk = LendingDesk(closed, Tally())
    await closed.close()
    answers = await asyncio.gather(*(shown(desk, shop, shop.visitor()) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(answer, asyncpg.InterfaceError) for answer in answers)
    with pytest.raises(asyncpg.InterfaceError):
        await shown(desk, shop, shop.visitor())


async def test_a_database_that_hangs_is_given_up(database: Database) -> None:
    shop = await open_shop(database, 5)
    desk = LendingDesk(database, Tally(), patience=0.2)
    async with database.everything() as connection:
        await connection.execute("LOCK TABLE leases IN ACCESS EXCLUSIVE MODE")
        answers = await asyncio.gather(*(shown(desk, shop, shop.visitor()) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(answer, TimeoutError) for answer in answers)
    assert (await shown(desk, shop, shop.visitor())).why is Why.LENT
    await all_is_well(shop)


async def test_a_page_of_a_number_that_is_lent_and_one_that_nobody_holds(database: Database) -> None:
    """Whether the pool has a number at the first try or only at the second, each exposure is noted once."""
    shop = await open_shop(database, 3, printed=(PRINTED, "+13065550101"))
    async with database.companies(shop.company.id) as connection:
        await connection.execute(
            "INSERT INTO tracking_numbers (company_id, pool_id, e164, retired_at)"
            " SELECT company_id, id, '+13065550101', now() FROM pools WHERE name = 'Visitors'"
        )
        await connection.execute(
            "INSERT INTO pool_swap_targets (company_id, pool_id, swap_target_id)"
            " SELECT t.company_id, p.id, t.id FROM swap_targets t JOIN pools p USING (company_id)"
            " WHERE t.e164 = $1 AND p.name = 'Visitors'",
            PRINTED,
        )
    await shop.reload()
    desk = LendingDesk(database, shop.tally)
    for _ in range(2):  # the second time nothing is free, and some are displaced
        pages = await asyncio.gather(*(desk.show(page(shop, shop.visitor())) for _ in range(3)))
        assert {tuple(each.why for each in shown) for shown in pages} == {(Why.LENT, Why.PAGE)}
        shop.passes(minutes=1)
        await all_is_well(shop)
    (counts,) = await shop.rows(
        "SELECT count(*) AS n, count(DISTINCT visit_id) AS pages, count(lease_id) AS l FROM exposures"
    )
    assert tuple(counts) == (12, 6, 6)
    ids = {each.exposure_id for shown in pages for each in shown}
    assert ids <= {row["id"] for row in await shop.rows("SELECT id FROM exposures")}
    assert len(ids) == 6


async def test_a_call_for_one_company_sees_nothing_of_another(database: Database) -> None:
    one, other = await open_shop(database, 3), await open_shop(database, 3)
    async with database.calling() as connection:
        assert await connection.fetch("SELECT FROM tracking_numbers") == []
        assert (
            await connection.fetch(
                "SELECT FROM numberpool_touches('', ARRAY[$1::bigint], ARRAY[$2::uuid])", 1, new_id(one.now)
            )
            == []
        )
        assert await connection.fetchval("SELECT current_setting('numberpool.companies', true)") == ""
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
    desk = LendingDesk(database, Tally())
    visitor = other.visitor()
    foreign = Showing(
        other.offer, one.site, page(other, visitor).arrival, visitor, new_id(other.now), other.now,
        {one.site.targets[0]: page(other, visitor).choices[other.site.targets[0]]},
    )  # fmt: skip
    # A pool of another company's, asked for in the name of this one: as if it were not there.
    given = await desk.show(foreign)
    assert given[0].number_id is None
    assert await other.rows("SELECT FROM leases") == []
