"""Destinations changed and removed: checked like new ones, never in a circle, and no number is left without a line."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.load import load_directory
from gateway.calls.route import Destination
from gateway.pools import errors, setup
from gateway.pools.destinations import _comes_back, change_destination, remove_destination
from gateway.pools.setup import Company
from gateway.store.database import Database


@pytest_asyncio.fixture
async def connection(database_dsn: str) -> AsyncIterator[Any]:
    database = await Database.open(database_dsn)
    async with database.everything() as connection:
        yield connection
    await database.close()


@pytest_asyncio.fixture
async def company(connection: Any) -> Company:
    """Desk (the main line), then Mobile; Mobile, then Office; a number of each and one of the main line."""
    company = await setup.add_company(connection, "Prairie Heating", region="CA")
    await setup.add_source(connection, company, "Flyer")
    await setup.add_destination(connection, company, "Office", "PJSIP/office")
    await setup.add_destination(connection, company, "Mobile", "PJSIP/mobile", next_name="Office")
    await setup.add_destination(connection, company, "Desk", "PJSIP/desk", next_name="Mobile", is_default=True)
    for text, where in (("306 555 2001", None), ("306 555 2002", "Mobile"), ("306 555 2003", "Office")):
        await setup.add_number(connection, company, text, source="Flyer", destination=where)
    return company


async def rings(connection: Any, number: str) -> list[str]:
    """The dial strings a call to a number goes through, as the gateway loads them."""
    directory = await load_directory(connection, Destination("PJSIP/last", 30), (), ())
    return [each.dial for each in directory.decide([number]).destinations]


async def test_what_is_named_is_changed_and_the_rest_stays(connection: Any, company: Company) -> None:
    assert (
        await change_destination(connection, company, "Desk", new_name=" Front  desk ", ring_seconds=12) == "Front desk"
    )
    rows = {row["name"]: row for row in await setup.destinations(connection, company)}
    desk = rows["Front desk"]
    assert (desk["dial"], desk["ring_seconds"], desk["next_name"], desk["is_default"]) == (
        "PJSIP/desk",
        12,
        "Mobile",
        True,
    )
    await change_destination(connection, company, "Front desk", dial="PJSIP/reception", next_name="none")
    await change_destination(connection, company, "Office", is_default=True)
    rows = {row["name"]: row for row in await setup.destinations(connection, company)}
    assert (rows["Front desk"]["dial"], rows["Front desk"]["next_name"]) == ("PJSIP/reception", None)
    assert [name for name, row in rows.items() if row["is_default"]] == ["Office"]
    # Its own name in other spaces is no other's.
    assert await change_destination(connection, company, "Office", new_name="Office") == "Office"


@pytest.mark.parametrize(
    ("name", "changes", "error"),
    [
        ("Nobody", {"ring_seconds": 10}, errors.NoSuchDestination),
        ("Desk", {"new_name": "Mobile"}, errors.NameTaken),
        ("Desk", {"new_name": " "}, errors.NoName),
        ("Desk", {"dial": "reception"}, errors.BadDialString),
        ("Desk", {"dial": "PJSIP/911@carrier"}, errors.DialsEmergency),
        ("Desk", {"dial": "PJSIP/+13065552001@carrier"}, errors.CallsItself),
        ("Desk", {"dial": "Dialplan/600@queues"}, errors.ContextNotAllowed),
        ("Desk", {"ring_seconds": 4}, errors.BadRingSeconds),
        ("Desk", {"next_name": "Nobody"}, errors.NoSuchDestination),
        ("Desk", {"next_name": "Desk"}, errors.NextInCircle),
        ("Mobile", {"next_name": "Desk"}, errors.NextInCircle),
        ("Office", {"next_name": "Desk"}, errors.NextInCircle),
    ],
)
async def test_what_cannot_be_is_refused(
    connection: Any, company: Company, name: str, changes: dict[str, Any], error: type[errors.SetupError]
) -> None:
    before = [dict(row) for row in await setup.destinations(connection, company)]
    with pytest.raises(error):
        await change_destination(connection, company, name, **changes)
    assert [dict(row) for row in await setup.destinations(connection, company)] == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Desk", ["(306) 555-2001 as the main line"]),
        ("Mobile", ["calls that Desk does not answer", "(306) 555-2002"]),
        ("Office", ["calls that Mobile does not answer", "(306) 555-2003"]),
    ],
)
async def test_what_still_rings_is_not_removed(connection: Any, company: Company, name: str, said: list[str]) -> None:
    with pytest.raises(errors.StillLeadsThere) as raised:
        await remove_destination(connection, company, name)
    for words in [*said, f'numberpool destination remove "{name}" --instead NAME']:
        assert words in str(raised.value)
    assert len(await setup.destinations(connection, company)) == 3


@pytest.mark.parametrize(
    ("gone", "instead", "lines"),
    [
        ("Desk", "Mobile", (["mobile", "office"], ["mobile", "office"], ["office"])),
        ("Desk", "Office", (["office"], ["mobile", "office"], ["office"])),
        ("Mobile", "Office", (["desk", "office"], ["office"], ["office"])),
        ("Mobile", "Desk", (["desk", "office"], ["desk", "office"], ["office"])),
        ("Office", "Mobile", (["desk", "mobile"], ["mobile"], ["mobile"])),
        # It would come round in a circle: the call ends there.
        ("Office", "Desk", (["desk", "mobile"], ["mobile"], ["desk", "mobile"])),
    ],
)
async def test_another_rings_instead(
    connection: Any, company: Company, gone: str, instead: str, lines: tuple[list[str], ...]
) -> None:
    await remove_destination(connection, company, gone, instead=instead)
    assert gone not in [row["name"] for row in await setup.destinations(connection, company)]
    for number, expected in zip(("+13065552001", "+13065552002", "+13065552003"), lines, strict=True):
        assert await rings(connection, number) == [f"PJSIP/{name}" for name in expected]


async def test_removed_when_nothing_leads_there(connection: Any, company: Company) -> None:
    await setup.add_destination(connection, company, "Spare", "PJSIP/spare")
    await remove_destination(connection, company, "Spare")
    with pytest.raises(errors.NoSuchDestination):
        await remove_destination(connection, company, "Spare")
    with pytest.raises(errors.NoSuchDestination):
        await remove_destination(connection, company, "Desk", instead="Desk")
    other = await setup.add_company(connection, "Other", region="CA")
    with pytest.raises(errors.NoSuchDestination):
        await remove_destination(connection, other, "Desk")
    await setup.add_destination(connection, other, "Only", "PJSIP/only")
    await remove_destination(connection, other, "Only")  # no number, no other line


LINKS = st.dictionaries(st.integers(0, 6), st.none() | st.integers(0, 6), min_size=1)


@given(LINKS, st.integers(0, 6), st.none() | st.integers(0, 6))
def test_circles_are_seen_and_only_those(links: dict[int, int | None], id: int, next_id: int | None) -> None:
    known = [{"id": each, "next_id": links.get(each)} for each in range(7)]
    present, steps = next_id, 0
    while present is not None and steps <= 8:
        present = next_id if present == id else links.get(present)
        steps += 1
    assert _comes_back(known, id, next_id) == (present is not None)
