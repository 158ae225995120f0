"""The example data is taken out by a button, by an owner, and nothing else goes with it."""

import re

import pytest_asyncio
from playwright.async_api import Browser, expect

from gateway.example.chance import MARKED
from gateway.example.filling import NODE
from gateway.http.commands import add_user, make_login_link
from gateway.http.permissions import Role
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_browser import looking, nothing_for_axe


@pytest_asyncio.fixture
async def example(pages: Pages) -> int:
    """A company made for the example: five of its calls, a visit and a form; its id."""
    async with pages.database.everything() as wire:
        company: int = await wire.fetchval("INSERT INTO companies (name) VALUES ('Example Roofing') RETURNING id")
        await wire.execute(
            "INSERT INTO example_data (company_id, since, until, made_company, made) "
            'VALUES ($1, now() - interval \'2 days\', now(), true, \'{"source": [], "tag": [], "blocked": []}\')',
            company,
        )
        node = await wire.fetchval("INSERT INTO nodes (name) VALUES ($1) RETURNING id", NODE)
        site = await wire.fetchval(
            "INSERT INTO sites (company_id, name, public_key) VALUES ($1, 'Home', 'examplesite12345') RETURNING id",
            company,
        )
        id = f"019390a0-0000-7000-8000-{MARKED}"
        await wire.execute(
            "INSERT INTO visits (company_id, site_id, id, started_at, label, channel, source, url) "
            "VALUES ($1, $2, $3, now() - interval '1 hour', 'Direct', 'Direct', '(direct)', 'https://example.com/')",
            *(company, site, id),
        )
        await wire.execute(
            "INSERT INTO leads (company_id, site_id, id, kind, data, received_at) "
            "VALUES ($1, $2, $3, 'form', '{}', now())",
            *(company, site, id),
        )
        await wire.execute(
            "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, started_at) "
            "SELECT $1, $2, 'e' || n, 3, 'ended', 'answered', '1', now() FROM generate_series(1, 5) n",
            *(company, node),
        )
    return company


async def owner_of_both(pages: Pages) -> None:
    await add_user(pages.database, f"owner-{pages.company.id}@example.com", "Acme Roofing", Role.OWNER)
    await add_user(pages.database, f"owner-{pages.company.id}@example.com", "Example Roofing", Role.OWNER)


async def companies(pages: Pages) -> list[str]:
    async with pages.database.everything() as wire:
        return [row["name"] for row in await wire.fetch("SELECT name FROM companies ORDER BY id")]


async def test_an_owner_is_told_what_goes_and_removes_it(pages: Pages, chromium: Browser, example: int) -> None:
    own = await add_call(pages.database, pages.company)
    await owner_of_both(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls?company={example}")
        await page.get_by_role("contentinfo").get_by_role("link", name="Remove it").click()
        await page.get_by_text("Remove the example data").click()
        await expect(page.get_by_text("5 calls, 0 recordings, 1 visits and 1 forms")).to_be_visible()
        await expect(page.get_by_text("The company was made for them")).to_be_visible()
        for width in (390, 1280):
            await page.set_viewport_size({"width": width, "height": 844})
            await nothing_for_axe(page, f"example {width}")
        await page.get_by_role("button", name="Remove it for good").click()
        await expect(page.get_by_text("Example Roofing is gone, with all of its example data.")).to_be_visible()
        await expect(page.get_by_text("Acme Roofing").first).to_be_visible()
    assert "Example Roofing" not in await companies(pages)
    async with pages.database.everything() as wire:
        assert [row["id"] for row in await wire.fetch("SELECT id FROM calls")] == [own]


async def test_a_company_in_which_something_happened_stays_with_its_own(pages: Pages, example: int) -> None:
    await owner_of_both(pages)
    client = await pages.signed_in()
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, started_at) "
            "VALUES ($1, $2, 'own', 3, 'ended', 'answered', '1', now())",
            *(example, pages.company.node_id),
        )
    assert (
        "Your own calls, visits and settings stay."
        in await (await client.get(f"/settings/company?company={example}")).text()
    )
    said = await (await client.post(f"/settings/company/example?company={example}")).text()
    assert "The example data of Example Roofing is gone." in said
    assert "Example Roofing" in await companies(pages)
    async with pages.database.companies(example) as wire:
        assert [row["asterisk_id"] for row in await wire.fetch("SELECT asterisk_id FROM calls")] == ["own"]
        assert await wire.fetchval("SELECT count(*) FROM audit_log WHERE action = 'setting.removed'") == 1
    assert (await client.post(f"/settings/company/example?company={example}")).status == 404


async def test_nobody_else_removes_it_and_the_only_company_is_not_taken_away(pages: Pages, example: int) -> None:
    before = await companies(pages)
    client = await pages.signed_in()
    assert (await client.post("/settings/company/example")).status == 404  # no example
    assert (await client.post(f"/settings/company/example?company={example}")).status == 404  # not his
    await add_user(pages.database, "alone@example.com", "Example Roofing", Role.OWNER)
    alone = pages.client()
    await alone.post(await make_login_link(pages.database, "alone@example.com", pages.url))
    said = await (await alone.post("/settings/company/example")).text()
    assert re.search("the only company you can open", said)
    assert await companies(pages) == before
    await add_user(pages.database, "manager@example.com", "Example Roofing", Role.MANAGER)
    manager = pages.client()
    await manager.post(await make_login_link(pages.database, "manager@example.com", pages.url))
    page = await (await manager.get("/settings/company")).text()
    assert "Remove the example data" not in page
