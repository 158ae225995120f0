"""What sources cost: whatever way a period is cut, its parts add up; nothing is counted twice in silence."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.reports import spend_book, spend_errors
from gateway.reports.dimension import Dimension
from gateway.reports.question import Question
from gateway.reports.spend import shared_numbers, spend_by, spend_over
from gateway.store.database import Database
from tests.http.company import MadeCompany, make_company

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(database_dsn)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def acme(database: Database) -> MadeCompany:
    return await make_company(database)


def november(company: MadeCompany, *by: Dimension, **where: str) -> Question:
    return Question(
        company.id, NOVEMBER, DECEMBER, by=by, where={Dimension(name): value for name, value in where.items()}
    )


async def test_by_source_channel_and_campaign(database: Database, acme: MadeCompany) -> None:
    google, facebook = acme.sources["Google Ads"], acme.sources["Facebook"]
    async with database.companies(acme.id) as connection:
        assert await spend_by(connection, november(acme)) == {}
        await connection.execute("UPDATE sources SET channel = 'Paid Search' WHERE id = $1", google)
        for campaign, amount in (("roofs", "700.10"), ("gutters", "299.90")):
            await spend_book.add_amount(
                connection, acme.id, google, NOVEMBER, date(2026, 11, 30), Decimal(amount), campaign=campaign
            )
        await spend_book.set_month(connection, acme.id, facebook, NOVEMBER, Decimal(500))
        assert await spend_by(connection, november(acme)) == {(): Decimal(1500)}
        assert await spend_by(connection, november(acme, Dimension.SOURCE)) == {
            (str(google),): Decimal(1000),
            (str(facebook),): Decimal(500),
        }
        assert await spend_by(connection, november(acme, Dimension.CHANNEL)) == {
            ("Paid Search",): Decimal(1000),
            ("",): Decimal(500),
        }
        assert await spend_by(connection, november(acme, Dimension.CAMPAIGN, source=str(google))) == {
            ("roofs",): Decimal("700.10"),
            ("gutters",): Decimal("299.90"),
        }
        assert await spend_by(connection, november(acme, Dimension.SOURCE, Dimension.CAMPAIGN)) == {
            (str(google), "roofs"): Decimal("700.10"),
            (str(google), "gutters"): Decimal("299.90"),
            (str(facebook), ""): Decimal(500),
        }
        assert await spend_by(connection, november(acme, campaign="roofs")) == {(): Decimal("700.10")}
        # Nobody knows what the callers of a region cost.
        assert await spend_by(connection, november(acme, Dimension.REGION)) is None
        assert await spend_by(connection, november(acme, Dimension.SOURCE, region="Regina")) is None


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    amounts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 90), st.integers(0, 10**7)), min_size=1, max_size=6),
    cuts=st.lists(st.integers(1, 160), max_size=8),
    currency=st.sampled_from(["CAD", "JPY", "BHD"]),
)
async def test_parts_of_a_period_add_up_to_it_in_whole_coins(
    database: Database, acme: MadeCompany, amounts: list[tuple[int, int, int]], cuts: list[int], currency: str
) -> None:
    smallest = {"CAD": Decimal("0.01"), "JPY": Decimal(1), "BHD": Decimal("0.001")}[currency]
    first = date(2026, 10, 1)
    edges = [first, *(first + timedelta(days=cut) for cut in sorted(set(cuts))), first + timedelta(days=200)]
    async with database.everything() as connection:
        await connection.execute("DELETE FROM spend")
        await connection.execute("UPDATE companies SET currency = $1", currency)
        for start, length, coins in amounts:
            await spend_book.add_amount(
                connection,
                acme.id,
                acme.sources["Facebook"],
                first + timedelta(days=start),
                first + timedelta(days=start + length),
                coins * smallest,
                on_top=True,
            )
        spans = list(itertools.pairwise(edges))
        parts = await spend_over(connection, Question(acme.id, first, edges[-1]), spans)
    assert parts is not None
    each = [part.get((), Decimal(0)) for part in parts]
    assert sum(each) == sum(coins for _, _, coins in amounts) * smallest
    assert all(part >= 0 and part % smallest == 0 for part in each)


async def test_a_part_of_an_amount_is_spread_evenly_over_its_days(database: Database, acme: MadeCompany) -> None:
    async with database.companies(acme.id) as connection:
        await spend_book.set_month(connection, acme.id, acme.sources["Facebook"], NOVEMBER, Decimal(500))
        third = Question(acme.id, NOVEMBER, date(2026, 11, 11))
        assert await spend_by(connection, third) == {(): Decimal("166.67")}
        rest = Question(acme.id, date(2026, 11, 11), date(2027, 1, 1))
        assert await spend_by(connection, rest) == {(): Decimal("333.33")}


async def test_an_amount_is_never_counted_twice_in_silence(database: Database, acme: MadeCompany) -> None:
    google = acme.sources["Google Ads"]
    async with database.companies(acme.id) as connection:
        await spend_book.add_amount(
            connection, acme.id, google, date(2026, 11, 15), date(2026, 12, 14), Decimal(300), campaign="roofs"
        )
        # Of another campaign: no clash. Of the whole source, or of the same campaign: one.
        await spend_book.add_amount(
            connection, acme.id, google, NOVEMBER, date(2026, 11, 30), Decimal(100), campaign="gutters"
        )
        for campaign in ("", "roofs"):
            with pytest.raises(spend_errors.Overlaps) as refused:
                await spend_book.add_amount(
                    connection, acme.id, google, date(2026, 12, 14), date(2026, 12, 20), Decimal(9), campaign=campaign
                )
            assert [each.campaign for each in refused.value.clashes] == ["roofs"]  # type: ignore[attr-defined]
        with pytest.raises(spend_errors.Overlaps):
            await spend_book.set_month(connection, acme.id, google, NOVEMBER, Decimal(50))
        assert await spend_book.doubled(connection, acme.id, NOVEMBER, DECEMBER) == ()
        # A fee comes on top, and says so.
        await spend_book.add_amount(
            connection, acme.id, google, NOVEMBER, date(2026, 11, 30), Decimal(50), on_top=True, note="agency"
        )
        assert await spend_book.doubled(connection, acme.id, NOVEMBER, DECEMBER) == ()
        found = await spend_by(connection, Question(acme.id, NOVEMBER, date(2027, 1, 1)))
        assert found == {(): Decimal(450)}
        # Two sources that become one may double days: that is told.
        await spend_book.set_month(connection, acme.id, acme.sources["Facebook"], NOVEMBER, Decimal(10))
        await connection.execute("UPDATE spend SET source_id = $1", google)
        (twice,) = await spend_book.doubled(connection, acme.id, NOVEMBER, DECEMBER)
        assert (twice.source_name, twice.first_day, twice.last_day) == (
            "Google Ads",
            NOVEMBER,
            date(2026, 11, 30),
        )


async def test_a_month_is_typed_over_cleared_and_brought_back(database: Database, acme: MadeCompany) -> None:
    facebook = acme.sources["Facebook"]

    async with database.companies(acme.id) as connection:

        async def november_cell() -> spend_book.MonthCell:
            found = await spend_book.months(connection, acme.id, NOVEMBER, DECEMBER)
            return found.get((facebook, NOVEMBER), spend_book.EMPTY)

        assert (await november_cell()).is_open
        first = await spend_book.set_month(connection, acme.id, facebook, NOVEMBER, Decimal(500))
        second = await spend_book.set_month(connection, acme.id, facebook, NOVEMBER, Decimal("499.995"))
        assert second.removed == (first.id,)
        assert (await november_cell()).amount == Decimal("500.00")
        cleared = await spend_book.set_month(connection, acme.id, facebook, NOVEMBER, None)
        assert (cleared.id, cleared.removed) == (None, (second.id,))
        assert (await november_cell()).number == 0
        assert await spend_book.bring_back(connection, acme.id, cleared.removed) == (second.id,)
        cell = await november_cell()
        assert cell.is_open
        assert cell.own_id == second.id
        # Half a month by itself is no month: it shows, and is not typed over.
        await spend_book.set_month(connection, acme.id, facebook, NOVEMBER, None)
        await spend_book.add_amount(connection, acme.id, facebook, date(2026, 11, 16), date(2026, 12, 15), Decimal(300))
        cell = await november_cell()
        assert (cell.amount, cell.is_open) == (Decimal(150), False)


async def test_amounts_and_days_that_cannot_be(database: Database, acme: MadeCompany) -> None:
    facebook = acme.sources["Facebook"]
    async with database.companies(acme.id) as connection:
        for amount in (Decimal(-1), Decimal("NaN"), Decimal(10) ** 10):
            with pytest.raises(spend_errors.BadAmount):
                await spend_book.add_amount(connection, acme.id, facebook, NOVEMBER, NOVEMBER, amount)
        with pytest.raises(spend_errors.BadDays):
            await spend_book.add_amount(connection, acme.id, facebook, DECEMBER, NOVEMBER, Decimal(1))
        with pytest.raises(spend_errors.NoSuchAmount):
            await spend_book.one_amount(connection, acme.id, 12345)


async def test_numbers_cost_their_price_by_the_day(database: Database, acme: MadeCompany) -> None:
    async with database.companies(acme.id) as connection:
        await connection.execute("UPDATE pools SET monthly_price = 3")
        await connection.execute("UPDATE tracking_numbers SET created_at = $1", datetime(2026, 1, 1, 12, tzinfo=UTC))
        google, _ = acme.numbers["Google Ads"]
        await connection.execute("UPDATE tracking_numbers SET monthly_price = 30 WHERE id = $1", google)
        facebook, _ = acme.numbers["Facebook"]
        await connection.execute(
            "UPDATE tracking_numbers SET created_at = $2 WHERE id = $1",
            facebook,
            datetime(2026, 11, 21, 12, tzinfo=UTC),
        )
        found = await spend_by(connection, november(acme, Dimension.SOURCE))
        assert found == {
            (str(acme.sources["Google Ads"]),): Decimal(30),
            (str(acme.sources["Facebook"]),): Decimal(1),  # ten days of thirty
            (str(acme.sources["Direct mail"]),): Decimal(3),
        }
        # A pool that serves many sources costs, but none of them.
        pool = await connection.fetchval(
            "INSERT INTO pools (company_id, name, kind, monthly_price) "
            "VALUES ($1, 'Website', 'dynamic', 2) RETURNING id",
            acme.id,
        )
        await connection.execute(
            "INSERT INTO tracking_numbers (company_id, pool_id, e164, created_at) "
            "SELECT $1, $2, '+1306555400' || n, '2026-01-01' FROM generate_series(0, 4) AS n",
            acme.id,
            pool,
        )
        assert await spend_by(connection, november(acme, Dimension.SOURCE)) == found
        assert await spend_by(connection, november(acme)) == {(): Decimal(44)}
        assert await shared_numbers(connection, acme.id, NOVEMBER, DECEMBER) == Decimal(10)
        assert await shared_numbers(connection, acme.id, NOVEMBER, date(2026, 11, 16)) == Decimal(5)
        names = {(each.pool_name, each.source_name): each for each in await spend_book.prices(connection, acme.id)}
        assert names["Website", None].monthly_price == 10
        assert names["Advertisements", "Google Ads"].monthly_price == 30


async def test_amounts_in_a_former_currency_are_not_added_to_others(database: Database, acme: MadeCompany) -> None:
    async with database.companies(acme.id) as connection:
        await spend_book.set_month(connection, acme.id, acme.sources["Facebook"], NOVEMBER, Decimal(500))
        await connection.execute("UPDATE companies SET currency = 'USD'")
        assert await spend_by(connection, november(acme)) == {}
        assert await spend_book.in_other_currency(connection, acme.id) == (("CAD", 1, Decimal(500)),)


async def test_a_price_counts_from_the_day_it_was_changed(database: Database, acme: MadeCompany) -> None:
    async with database.companies(acme.id) as connection:
        await connection.execute("UPDATE companies SET time_zone = 'UTC'")
        await connection.execute("UPDATE tracking_numbers SET created_at = '2026-01-10T12:00:00Z'")
        one, *_ = [row["id"] for row in await connection.fetch("SELECT id FROM tracking_numbers ORDER BY id")]

        async def cost(since: date, until: date) -> Decimal:
            spent = await spend_by(connection, Question(acme.id, since, until))
            return (spent or {}).get((), Decimal(0))

        august, september, october = date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)
        await connection.execute("UPDATE tracking_numbers SET monthly_price = 30 WHERE id = $1", one)
        # The first price that is known holds for the days before it as well.
        assert await cost(august, september) == 30
        await connection.execute("UPDATE number_prices SET since = '2026-06-05'")
        await connection.execute("UPDATE tracking_numbers SET monthly_price = 60 WHERE id = $1", one)
        await connection.execute("UPDATE number_prices SET since = '2026-09-16' WHERE price = 60")
        assert await cost(august, september) == 30
        assert await cost(september, october) == 15 + 30
        assert await cost(october, date(2026, 11, 1)) == 60
        parts = [await cost(september + timedelta(days=day), september + timedelta(days=day + 1)) for day in range(30)]
        assert sum(parts) == 45
        assert await cost(date(2026, 1, 1), date(2026, 2, 1)) == Decimal("21.29")  # 22 of 31 days
        # On the same day it is a correction; without a price it costs nothing from then on.
        today: date = await connection.fetchval("SELECT (now() AT TIME ZONE 'UTC')::date")
        for price in (90, 120, None):
            await connection.execute("UPDATE tracking_numbers SET monthly_price = $2 WHERE id = $1", one, price)
        assert await connection.fetchval("SELECT count(*) FROM number_prices WHERE since = $1", today) == 1
        assert await cost(today, today + timedelta(days=40)) == 0
        assert await cost(september, october) == 45


async def test_a_price_of_a_pool_is_that_of_its_numbers_without_one(database: Database, acme: MadeCompany) -> None:
    async with database.companies(acme.id) as connection:
        numbers = await connection.fetch("SELECT id, pool_id FROM tracking_numbers ORDER BY id")
        await connection.execute("UPDATE tracking_numbers SET monthly_price = 5 WHERE id = $1", numbers[0]["id"])
        await connection.execute("UPDATE pools SET monthly_price = 7")
        prices = {row["number_id"]: row["price"] for row in await connection.fetch("SELECT * FROM number_prices")}
        assert prices == {row["id"]: 5 if place == 0 else 7 for place, row in enumerate(numbers)}
