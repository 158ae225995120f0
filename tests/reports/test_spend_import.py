"""Imports of spend: the same export twice is one, what clashes is told, and all of it can be taken back."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
import pytest_asyncio

from gateway.reports import spend_book, spend_errors, spend_import
from gateway.reports.export_columns import ExportKind
from gateway.reports.question import Question
from gateway.reports.spend import spend_by
from gateway.reports.spend_exports import Row
from gateway.reports.spend_import import Clash, NoSource, Stored
from gateway.store.database import Connection, Database
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


def days(campaign: str, amount: str, first: int = 1, last: int = 30) -> list[Row]:
    """The same amount on each day of a part of November."""
    return [
        Row(place + 2, day, day, campaign, None, Decimal(amount))
        for place, day in enumerate(NOVEMBER + timedelta(days=number - 1) for number in range(first, last + 1))
    ]


async def store(connection: Connection, acme: MadeCompany, rows: list[Row], clash: Clash = Clash.KEEP) -> Stored:
    source_of = {spend_import.belongs_to(row): acme.sources["Google Ads"] for row in rows}
    return await spend_import.store(
        connection, acme.id, ExportKind.GOOGLE_ADS, "november.csv", rows, source_of, clash=clash
    )


async def total(connection: Connection, acme: MadeCompany) -> Decimal:
    found = await spend_by(connection, Question(acme.id, NOVEMBER, DECEMBER))
    assert found is not None
    return found.get((), Decimal(0))


async def test_the_same_export_twice_is_one_and_a_later_one_corrects_it(database: Database, acme: MadeCompany) -> None:
    async with database.companies(acme.id) as connection:
        first = await store(connection, acme, days("roofs", "10") + days("gutters", "5"))
        assert (first.number, first.left_out) == (60, 0)
        assert await total(connection, acme) == 450
        await store(connection, acme, days("roofs", "10") + days("gutters", "5"))
        assert await total(connection, acme) == 450
        # Only one campaign, half the month, another amount: the rest stays.
        await store(connection, acme, days("roofs", "11", 1, 15))
        assert await total(connection, acme) == 465
        assert await spend_book.doubled(connection, acme.id, NOVEMBER, DECEMBER) == ()
        # A day on which nothing was spent after all takes its amount away.
        await store(connection, acme, days("gutters", "0", 30, 30))
        assert await total(connection, acme) == 460


async def test_an_import_is_taken_out_and_what_it_replaced_counts_again(database: Database, acme: MadeCompany) -> None:
    async with database.companies(acme.id) as connection:
        first = await store(connection, acme, days("roofs", "10"))
        second = await store(connection, acme, days("roofs", "20"))
        third = await store(connection, acme, days("roofs", "30"))
        assert first.id is not None
        assert second.id is not None
        assert third.id is not None
        # The one in the middle: what it replaced is replaced by the third as well.
        gone = await spend_import.remove_import(connection, acme.id, second.id)
        assert (len(gone.amounts), len(gone.restored)) == (0, 0)
        assert await total(connection, acme) == 900
        gone = await spend_import.remove_import(connection, acme.id, third.id)
        # What stood before it was the second's, which is gone; the first is what is left.
        assert (len(gone.amounts), len(gone.restored)) == (30, 30)
        assert await total(connection, acme) == 300
        await spend_import.import_again(connection, acme.id, third.id, gone.amounts, gone.restored)
        assert await total(connection, acme) == 900
        assert [each.id for each in await spend_import.imports(connection, acme.id)] == [third.id, first.id]
        with pytest.raises(spend_errors.NoSuchAmount):
            await spend_import.remove_import(connection, acme.id, second.id)


async def test_what_was_typed_is_told_and_the_person_chooses(database: Database, acme: MadeCompany) -> None:
    google = acme.sources["Google Ads"]
    rows = [*days("roofs", "10", 21, 30), Row(99, DECEMBER, DECEMBER, "roofs", None, Decimal(7))]
    sums = {Clash.KEEP: (1, Decimal(500)), Clash.REPLACE: (11, Decimal(100)), Clash.BOTH: (11, Decimal(600))}
    for clash, (number, november) in sums.items():
        async with database.companies(acme.id) as connection:
            await connection.execute("DELETE FROM spend")
            typed = await spend_book.set_month(connection, acme.id, google, NOVEMBER, Decimal(500))
            planned = await spend_import.plan(connection, acme.id, rows, {"campaign:roofs": google})
            assert [each.id for each in planned.clashes] == [typed.id]
            assert planned.clashing == {row.line for row in rows[:-1]}
            stored = await store(connection, acme, rows, clash)
            assert (stored.number, await total(connection, acme)) == (number, november)
            assert stored.id is not None
            await spend_import.remove_import(connection, acme.id, stored.id)
            assert await total(connection, acme) == 500


async def test_where_all_of_it_is_left_out_there_is_no_import(database: Database, acme: MadeCompany) -> None:
    async with database.companies(acme.id) as connection:
        await spend_book.set_month(connection, acme.id, acme.sources["Google Ads"], NOVEMBER, Decimal(500))
        stored = await store(connection, acme, days("roofs", "10"))
        assert stored == Stored(None, 0, 30)
        assert await spend_import.imports(connection, acme.id) == ()


async def test_a_campaign_without_a_source_is_not_stored(database: Database, acme: MadeCompany) -> None:
    async with database.companies(acme.id) as connection:
        with pytest.raises(NoSource):
            await spend_import.plan(connection, acme.id, days("roofs", "10"), {})


async def test_ten_thousand_amounts_twice_and_away_again(database: Database, acme: MadeCompany) -> None:
    dated = [date(2026, 1, 1) + timedelta(days=day) for day in range(250)]
    rows = [
        Row(place * 40 + number, day, day, f"campaign {number}", None, Decimal(1))
        for place, day in enumerate(dated)
        for number in range(40)
    ]
    async with database.companies(acme.id) as connection:
        await store(connection, acme, rows)
        second = await store(connection, acme, rows)
        year = Question(acme.id, date(2026, 1, 1), date(2027, 1, 1))
        assert await spend_by(connection, year) == {(): Decimal(10_000)}
        assert await spend_book.doubled(connection, acme.id, date(2026, 1, 1), date(2027, 1, 1)) == ()
        assert second.id is not None
        gone = await spend_import.remove_import(connection, acme.id, second.id)
        assert (len(gone.amounts), len(gone.restored)) == (10_000, 10_000)
        assert await spend_by(connection, year) == {(): Decimal(10_000)}
