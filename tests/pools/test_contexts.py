"""Destinations in contexts of the admin's own dialplan: only where the settings allow them, and never a dead end."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.calls.load import load_directory
from gateway.calls.route import Destination
from gateway.pools import errors, setup
from gateway.pools.setup import Company
from gateway.store.database import Database

LAST = Destination("PJSIP/last", 30)


@pytest_asyncio.fixture
async def connection(database_dsn: str) -> AsyncIterator[Any]:
    database = await Database.open(database_dsn)
    async with database.everything() as connection:
        yield connection
    await database.close()


@pytest_asyncio.fixture
async def company(connection: Any) -> Company:
    made = await setup.add_company(connection, "Prairie Heating", region="ca")
    await setup.add_source(connection, made, "Google Ads")
    return made


async def test_a_context_that_is_not_allowed_is_refused_with_the_line_to_add(connection: Any, company: Company) -> None:
    with pytest.raises(errors.ContextNotAllowed) as refused:
        await setup.add_destination(connection, company, "Queue", "Dialplan/600@queues", contexts=("menu",))
    assert 'dialplan_contexts = ["menu", "queues"]' in str(refused.value)
    assert await setup.destinations(connection, company) == []
    with pytest.raises(errors.ContextNotAllowed):
        await setup.add_destination(connection, company, "Queue", "Dialplan/600@queues")


@pytest.mark.parametrize("dial", ["Dialplan/600", "Dialplan/600@queues&PJSIP/main", "Dialplan/${X}@queues"])
async def test_no_place_in_the_dialplan(connection: Any, company: Company, dial: str) -> None:
    with pytest.raises(errors.BadDialString, match="Dialplan/extension@context"):
        await setup.add_destination(connection, company, "Queue", dial, contexts=("queues",))


async def test_a_context_that_is_no_longer_allowed_is_passed_over(connection: Any, company: Company) -> None:
    allowed = ("queues", "menu")
    await setup.add_destination(connection, company, "Front desk", "PJSIP/reception")
    await setup.add_destination(connection, company, "Menu", "Dialplan/700@menu", contexts=allowed)
    for name, dial, then in (
        ("Queue", "Dialplan/600@queues", "Front desk"),
        ("Mobile", "PJSIP/mobile", "Queue"),
        ("Menu first", "Dialplan/701@menu", "Mobile"),
    ):
        await setup.add_destination(connection, company, name, dial, next_name=then, contexts=allowed)
    for number, destination in (("306 555 2001", "Menu first"), ("306 555 2002", "Menu")):
        await setup.add_number(connection, company, number, source="Google Ads", destination=destination)

    async def dials(*contexts: str) -> tuple[list[str], list[str]]:
        directory = await load_directory(connection, LAST, contexts)
        first, second = ([each.dial for each in number.route.destinations] for number in directory.numbers.values())
        return first, second

    whole = ["Dialplan/701@menu", "PJSIP/mobile", "Dialplan/600@queues", "PJSIP/reception"]
    assert await dials("queues", "menu") == (whole, ["Dialplan/700@menu"])
    # The rest of the chain stays; a number with nothing left rings the main line.
    assert await dials("queues") == (whole[1:], ["PJSIP/reception"])
    assert await dials() == (["PJSIP/mobile", "PJSIP/reception"], ["PJSIP/reception"])
    directory = await load_directory(connection, LAST, ("queues",))
    assert directory.passed_over == {"Dialplan/700@menu", "Dialplan/701@menu"}


async def test_a_main_line_that_is_not_allowed_gives_way_to_the_default(connection: Any, company: Company) -> None:
    await setup.add_destination(connection, company, "Queue", "Dialplan/600@queues", contexts=("queues",))
    await setup.add_number(connection, company, "306 555 2001", source="Google Ads")
    (number,) = (await load_directory(connection, LAST)).numbers.values()
    assert number.route.destinations == (LAST,)
