"""People in a real browser: looked for, joined, split, named, undone; what roles and other companies see of them."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.http.permissions import Role
from gateway.leads.gathering import gather_all
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.journeys import Journeys
from tests.http.test_browser import looking, nothing_for_axe

DANA, MARIA, TOM = "+13065550142", "+13065550199", "+13065550177"


async def fill(pages: Pages) -> Journeys:
    """Dana called twice and wrote; Maria called; Tom wrote from Dana's address."""
    now = datetime.now(UTC)
    journeys = await Journeys.open(pages.database, pages.company)
    await add_call(
        pages.database, pages.company, caller=DANA, caller_name="D WHITFORD", started_at=now - timedelta(days=3)
    )
    await add_call(pages.database, pages.company, caller=DANA, started_at=now - timedelta(days=2), outcome="busy")
    await journeys.form(now - timedelta(days=1), phone=DANA, email="family@example.com", name="Dana Whitford")
    await add_call(
        pages.database,
        pages.company,
        caller=MARIA,
        caller_name="Maria Lavallée",
        source="Facebook",
        started_at=now - timedelta(hours=5),
    )
    await journeys.form(now - timedelta(hours=2), email="family@example.com", name="Tom Whitford")
    await add_call(pages.database, pages.company, caller=None, started_at=now - timedelta(hours=1))
    await add_call(pages.database, pages.stranger, caller=TOM, caller_name="Stranger Tom")
    await gather_all(pages.database)
    return journeys


async def names(page: Page) -> list[str]:
    """Who is listed."""
    return [text.strip() for text in await page.locator("tbody td.is-main a").all_inner_texts()]


async def actions(pages: Pages) -> list[tuple[str, str]]:
    async with pages.database.companies(pages.company.id) as wire:
        rows = await wire.fetch(
            "SELECT action, details ->> 'what' FROM audit_log WHERE action ~ '^(person|change)' ORDER BY id"
        )
    return [(row[0], row[1]) for row in rows]


async def test_found_by_name_number_and_address(pages: Pages, chromium: Browser) -> None:
    await fill(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/people")
        assert await names(page) == ["Tom Whitford", "Maria Lavallée"]
        for text, found in (
            ("lavallee", ["Maria Lavallée"]),
            ("whit tom", ["Tom Whitford"]),
            ("555-0199", ["Maria Lavallée"]),
            ("306 555 0142", ["Tom Whitford"]),
            ("family@ex", ["Tom Whitford"]),
            ("nobody", []),
            ("5550177", []),
        ):
            await page.goto(f"{pages.url}/people")
            await page.get_by_label("Search people").fill(text)
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/people?q=*")
            assert await names(page) == found, text
        await page.goto(f"{pages.url}/people")
        await page.get_by_role("link", name="Facebook").click()
        assert await names(page) == ["Maria Lavallée"]
        await page.get_by_role("link", name="Show everybody").click()
        await page.get_by_role("link", name="With jobs").click()
        await expect(page.get_by_role("heading", name="Nobody fits")).to_be_visible()


async def test_split_joined_and_undone_by_clicking(pages: Pages, chromium: Browser) -> None:
    await fill(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/people")
        await page.get_by_role("link", name="Tom Whitford").click()
        await expect(page.get_by_text("Shingles are missing").first).to_be_visible()
        await page.get_by_role("link", name="Split").click()
        await page.get_by_role("button", name="Split off what is ticked").click()
        await expect(page.get_by_role("alert")).to_contain_text("Tick what is somebody else’s")
        await page.get_by_label("family@example.com").check()
        await page.get_by_role("button", name="Split off what is ticked").click()
        await expect(page.get_by_role("status")).to_contain_text("Split into two")
        await expect(page.get_by_text("Not the same as")).to_be_visible()
        await page.goto(f"{pages.url}/people")
        assert len(await names(page)) == 3
        await page.get_by_role("link", name="Maria Lavallée").click()
        await page.get_by_role("link", name="Join with another person").click()
        await page.get_by_label("Search people").fill("0142")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="The same person").click()
        await expect(page.get_by_role("status")).to_contain_text("Joined")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("status")).to_contain_text("Undone")
        await page.goto(f"{pages.url}/people")
        assert len(await names(page)) == 3
    told = await actions(pages)
    assert told == [("person.changed", "split"), ("person.changed", "joined"), ("change.undone", None)]


async def test_named_noted_and_shared_without_script(pages: Pages, chromium: Browser) -> None:
    await fill(pages)
    async with looking(pages, chromium, script=False) as page:
        await page.goto(f"{pages.url}/people")
        await page.get_by_role("link", name="Tom Whitford").click()
        await page.get_by_label("Name given by hand").fill("The Whitfords")
        await page.get_by_role("button", name="Save the name").click()
        await expect(page.get_by_role("heading", name="The Whitfords")).to_be_visible()
        await page.get_by_label("Note").fill("A dog lives there")
        await page.get_by_role("button", name="Save the note").click()
        await expect(page.get_by_label("Note")).to_have_value("A dog lives there")
        await page.get_by_role("button", name="Many use it (306) 555-0142").click()
        await expect(page.get_by_text("it no longer joins people")).to_be_visible()
        await page.goto(f"{pages.url}/people")
        assert await page.get_by_text("many use it", exact=True).count() == 1
        assert len(await names(page)) == 3
        await page.goto(f"{pages.url}/settings/audit")
        await expect(page.get_by_text("marked a number or address as one that many use")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(pages: Pages, chromium: Browser, scheme: str) -> None:
    await fill(pages)
    async with looking(pages, chromium, "dark" if scheme == "dark" else "light") as page:
        await page.goto(f"{pages.url}/people")
        await nothing_for_axe(page, "people")
        await page.get_by_role("link", name="Tom Whitford").click()
        await nothing_for_axe(page, "person")
        at = page.url.partition("?")[0]
        for end in ("/join", "/join?q=maria", "/split"):
            await page.goto(at + end)
            await nothing_for_axe(page, end)
        await page.set_viewport_size({"width": 390, "height": 844})
        for path in ("/people", at.removeprefix(pages.url), "/people?q=nobody"):
            await page.goto(pages.url + path)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390, path
            await nothing_for_axe(page, path)


async def test_nothing_yet_says_what_comes(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        for path, heading in (("/people", "Nobody yet"), ("/visitors", "No visits yet")):
            await page.goto(pages.url + path)
            await expect(page.get_by_role("heading", name=heading)).to_be_visible()
            await nothing_for_axe(page, path)


async def test_who_may(pages: Pages) -> None:
    await fill(pages)
    async with pages.database.everything() as wire:
        ours = await wire.fetchval("SELECT id FROM people WHERE company_id = $1 LIMIT 1", pages.company.id)
        theirs = await wire.fetchval("SELECT id FROM people WHERE company_id = $1 LIMIT 1", pages.stranger.id)
    analyst, agent = await pages.signed_in(Role.ANALYST), await pages.signed_in(Role.AGENT)
    manager = await pages.signed_in(Role.MANAGER)
    async with analyst.get(f"/people/{ours}") as answer:
        assert answer.status == 200
        assert "Save the name" not in await answer.text()
    assert (await analyst.post(f"/people/{ours}/name", data={"name": "x"})).status == 403
    assert (await agent.get("/people")).status == 403
    assert (await agent.get(f"/people/{ours}")).status in (403, 404)
    assert (await manager.get(f"/people/{theirs}")).status == 404
    for path, posted in (("join", {"other": str(theirs)}), ("share", {"key": f"phone:{TOM}"})):
        assert (await manager.post(f"/people/{ours}/{path}", data=posted)).status == 404
    assert (await manager.post(f"/people/{ours}/name", data={"name": "x" * 200})).status == 422
