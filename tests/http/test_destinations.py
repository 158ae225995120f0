"""Where calls ring, by the pages: added, changed, removed, taken back; callers let through and blocked."""

import re
from typing import Any

import aiohttp
import pytest

from gateway.http.permissions import Role
from tests.http.company import add_call
from tests.http.conftest import Pages

LIST = "/settings/destinations"


def values(**changed: str) -> dict[str, str]:
    return {"name": "Workshop", "rings": "telephone", "dial": "workshop", "ring_seconds": "20", "next": "", **changed}


async def rows(pages: Pages) -> dict[str, dict[str, Any]]:
    async with pages.database.companies(pages.company.id) as wire:
        found = await wire.fetch("SELECT id, name, dial, ring_seconds, next_id, is_default FROM destinations")
    return {row["name"]: dict(row) for row in found}


async def undo(client: aiohttp.ClientSession, page: str) -> int:
    found = re.search(r'action="(/undo/\d+)"', page)
    assert found, page
    return (await client.post(found.group(1), data={"next": LIST})).status


async def test_added_changed_removed_and_each_taken_back(pages: Pages) -> None:
    client = await pages.signed_in()
    first = await rows(pages)
    reception = first["Reception"]["id"]
    page = await (await client.post(LIST, data=values(dial="workshop, 102", next=str(reception)))).text()
    made = (await rows(pages))["Workshop"]
    assert (made["dial"], made["ring_seconds"], made["next_id"]) == ("PJSIP/workshop&PJSIP/102", 20, reception)
    assert await undo(client, page) == 200
    assert await rows(pages) == first

    await client.post(LIST, data=values())
    before = await rows(pages)
    own = f"{LIST}/{before['Workshop']['id']}"
    new = values(name="Garage", rings="other", dial="Dialplan/600@queues", is_default="yes")
    assert (await client.post(own, data=new)).status == 422  # a context that the settings do not name
    page = await (await client.post(own, data=values(name="Garage", ring_seconds="45", is_default="yes"))).text()
    now = await rows(pages)
    assert (now["Garage"]["is_default"], now["Reception"]["is_default"]) == (True, False)
    assert await undo(client, page) == 200
    assert await rows(pages) == before

    page = await (await client.post(f"{own}/remove")).text()
    assert "Workshop" not in await rows(pages)
    assert await undo(client, page) == 200
    assert await rows(pages) == before


async def test_what_still_leads_there_is_led_elsewhere_first_and_back_by_undo(pages: Pages) -> None:
    client = await pages.signed_in()
    await client.post(LIST, data=values())
    before = await rows(pages)
    number = pages.company.numbers["Facebook"][0]
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "UPDATE tracking_numbers SET destination_id = $1 WHERE id = $2", before["Workshop"]["id"], number
        )
    own = f"{LIST}/{before['Workshop']['id']}"
    page = await (await client.post(f"{own}/remove")).text()
    assert "Calls still ring at Workshop" in page
    assert await rows(pages) == before
    page = await (await client.post(f"{own}/remove", data={"instead": str(before["Reception"]["id"])})).text()

    async def leads_to() -> int:
        async with pages.database.companies(pages.company.id) as wire:
            found: int = await wire.fetchval("SELECT destination_id FROM tracking_numbers WHERE id = $1", number)
        return found

    assert await leads_to() == before["Reception"]["id"]
    assert await undo(client, page) == 200
    assert await rows(pages) == before
    assert await leads_to() == before["Workshop"]["id"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "Reception"}),
        ("dial", {"dial": "two words!"}),
        ("dial", {"rings": "outside", "dial": "(306) 555-7777"}),  # no trunk in these settings
        ("dial", {"rings": "outside", "dial": "911"}),
        ("dial", {"rings": "other", "dial": "PJSIP/911@carrier"}),
        ("dial", {"rings": "other", "dial": "PJSIP/x,System(rm)"}),
        ("dial", {"rings": "other", "dial": "PJSIP/+13065552001@carrier"}),  # our own number
        ("dial", {"rings": "other", "dial": "PJSIP/+13065553001@carrier"}),  # another company's
        ("ring_seconds", {"ring_seconds": "4"}),
        ("next", {"next": "4999"}),
    ],
)
async def test_what_cannot_ring_is_said_beside_its_field(pages: Pages, field: str, given: dict[str, str]) -> None:
    client, before = await pages.signed_in(), await rows(pages)
    answer = await client.post(LIST, data=values(**given))
    assert answer.status == 422
    assert f'id="{field}-problem"' in await answer.text()
    assert await rows(pages) == before


async def test_calls_never_go_in_a_circle(pages: Pages) -> None:
    client = await pages.signed_in()
    reception = (await rows(pages))["Reception"]
    await client.post(LIST, data=values(next=str(reception["id"])))
    workshop = (await rows(pages))["Workshop"]
    answer = await client.post(
        f"{LIST}/{reception['id']}", data=values(name="Reception", dial="reception", next=str(workshop["id"]))
    )
    assert answer.status == 422
    assert 'id="next-problem"' in await answer.text()


async def test_the_list_tells_what_rings_and_when_it_last_did(pages: Pages) -> None:
    client = await pages.signed_in(Role.ANALYST)
    page = await (await client.get(LIST)).text()
    assert "the telephone reception" in page
    assert "not yet" in page
    call = await add_call(pages.database, pages.company)
    page = await (await client.get(LIST)).text()
    assert f"/calls/{call}" in page
    assert "(306) 555-2001" in page
    assert f"{LIST}/new" not in page
    assert (await client.post(LIST, data=values())).status == 403


async def test_callers_are_blocked_let_through_and_forgotten(pages: Pages) -> None:
    client = await pages.signed_in()

    async def verdicts() -> dict[str, str]:
        async with pages.database.companies(pages.company.id) as wire:
            return {row["caller"]: row["verdict"] for row in await wire.fetch("SELECT * FROM caller_rules")}

    blocked = {"caller": "(306) 555-0142", "verdict": "block", "note": "sells warranties"}
    page = await (await client.post(f"{LIST}/callers", data=blocked)).text()
    assert await verdicts() == {"+13065550142": "block"}
    assert "sells warranties" in page
    page = await (await client.post(f"{LIST}/callers", data={**blocked, "verdict": "allow"})).text()
    assert await verdicts() == {"+13065550142": "allow"}
    assert await undo(client, page) == 200
    assert await verdicts() == {"+13065550142": "block"}
    found = re.search(rf'action="({LIST}/callers/\d+/remove)"', await (await client.get(LIST)).text())
    assert found
    page = await (await client.post(found.group(1))).text()
    assert await verdicts() == {}
    assert await undo(client, page) == 200
    assert await verdicts() == {"+13065550142": "block"}
    for never in ("911", "nobody"):
        answer = await client.post(f"{LIST}/callers", data={"caller": never, "verdict": "block"})
        assert answer.status == 422
        assert 'id="caller-problem"' in await answer.text()
