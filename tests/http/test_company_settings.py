"""What a company is, as its page sets it: saved, taken back, refused in place; and another company for agencies."""

import re
from typing import Any

import aiohttp
import pytest

from gateway.http.permissions import Role
from tests.http.conftest import Pages

ACME = {
    "name": "Acme Roofing",
    "region": "CA",
    "time_zone": "America/Regina",
    "currency": "CAD",
    "main_number": "",
    "credit_model": "first",
    "credit_days": "90",
    "half_life": "7",
}


async def row(pages: Pages) -> dict[str, Any]:
    async with pages.database.companies(pages.company.id) as wire:
        found = await wire.fetchrow("SELECT * FROM companies WHERE id = $1", pages.company.id)
    assert found is not None
    return dict(found)


async def own_both(pages: Pages) -> aiohttp.ClientSession:
    """An owner of Acme and of the other company."""
    client = await pages.signed_in()
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO memberships (user_id, company_id, role) SELECT id, $1, 'owner' FROM users", pages.stranger.id
        )
    return client


async def undo(client: aiohttp.ClientSession, page: str) -> None:
    found = re.search(r'action="(/undo/\d+)"', page)
    assert found, page
    assert (await client.post(found.group(1), data={"next": "/settings/company"})).status == 200


async def test_everything_is_saved_audited_and_taken_back(pages: Pages) -> None:
    client, before = await pages.signed_in(), await row(pages)
    values = {
        "name": "  Acme   Roofs ",
        "region": "GB",
        "time_zone": "Europe/London",
        "currency": "GBP",
        "main_number": "020 7946 0018",
        "credit_model": "last paid",
        "credit_days": "30",
        "half_life": "2.5",
    }
    page = await (await client.post("/settings/company", data=values)).text()
    now = await row(pages)
    assert (now["name"], now["region"], now["time_zone"], now["currency"]) == (
        "Acme Roofs",
        "GB",
        "Europe/London",
        "GBP",
    )
    assert now["main_number"] == "+442079460018"
    assert (now["credit_model"], now["credit_days"]) == ("last paid", 30)
    assert now["credit_half_life"].total_seconds() == 60 * 3600
    await undo(client, page)
    assert await row(pages) == before
    async with pages.database.companies(pages.company.id) as wire:
        actions = [
            each["action"] for each in await wire.fetch("SELECT action FROM audit_log WHERE subject LIKE 'company/%'")
        ]
    assert actions == ["setting.changed", "change.undone"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "Borealis Dental"),
        ("region", "ZZ"),
        ("time_zone", "Mars/Base"),
        ("currency", "XXX"),
        ("main_number", "911"),
        ("main_number", "hello"),
        ("credit_model", "linear"),
        ("credit_days", "0"),
        ("credit_days", "731"),
        ("half_life", "0"),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field(pages: Pages, field: str, value: str) -> None:
    client, before = await pages.signed_in(), await row(pages)
    answer = await client.post("/settings/company", data={**ACME, field: value})
    page = await answer.text()
    assert answer.status == 422
    assert f'id="{field}-problem"' in page
    assert await row(pages) == before


async def test_an_analyst_reads_and_changes_nothing(pages: Pages) -> None:
    client = await pages.signed_in(Role.ANALYST)
    page = await (await client.get("/settings/company")).text()
    assert "America/Regina" in page
    assert 'action="/settings/company"' not in page
    assert (await client.post("/settings/company", data=ACME)).status == 403


async def test_whoever_owns_several_makes_another_and_owns_it(pages: Pages) -> None:
    client = await own_both(pages)
    assert "Add a company" in await (await client.get(f"/settings/company?company={pages.company.id}")).text()
    values = {"name": "Prairie Spa", "region": "CA", "time_zone": "America/Regina", "currency": "CAD"}
    answer = await client.post("/settings/company/new", data=values, allow_redirects=False)
    assert answer.status == 303
    async with pages.database.everything() as wire:
        made = await wire.fetchrow(
            "SELECT c.id, c.is_default, m.role FROM companies c JOIN memberships m ON m.company_id = c.id "
            "WHERE c.name = 'Prairie Spa'"
        )
    assert made is not None
    assert (made["is_default"], made["role"]) == (False, "owner")
    again = await client.post("/settings/company/new", data=values)
    assert again.status == 422
    assert "This name is taken" in await again.text()


async def test_whoever_owns_one_makes_no_other(pages: Pages) -> None:
    client = await pages.signed_in()
    page = await (await client.get("/settings/company")).text()
    assert "Add a company" not in page
    assert "Borealis" not in page
    assert (await client.get("/settings/company/new")).status == 404
    assert (await client.post("/settings/company/new", data={**ACME, "name": "New"})).status == 404


async def test_calls_that_nobody_owns_move_among_own_companies_only(pages: Pages) -> None:
    single = await pages.signed_in(Role.OWNER)
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE companies SET is_default = (id = $1)", pages.stranger.id)
    assert (await single.post("/settings/company/default")).status == 404
    assert not (await row(pages))["is_default"]
    both = await own_both(pages)
    page = await (await both.post(f"/settings/company/default?company={pages.company.id}")).text()
    assert (await row(pages))["is_default"]
    await undo(both, page)
    assert not (await row(pages))["is_default"]
