"""Websites in the settings, by clicking: one is added, changed and taken back, and a page of it is checked."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from gateway.health import Health
from gateway.http.permissions import Role
from gateway.http.site_snippet import snippet_of
from gateway.pools import setup, sites
from gateway.pools.site_changes import SiteSettings, Target
from gateway.settings import CollectorSettings, Settings
from gateway.site_check.job import ask_for_check, handlers
from gateway.site_check.stored import note_end
from gateway.store.jobs import run_jobs
from tests.collector.conftest import running_worker
from tests.http.conftest import CHROMIUM, CHROMIUM_FLAGS, Pages, pages
from tests.http.test_browser import looking, nothing_for_axe
from tests.site_check.conftest import SANDBOX
from tests.site_check.website import MAIN, Website, settings_for

__all__ = ["pages"]


@pytest_asyncio.fixture(scope="module")
async def window() -> AsyncIterator[Browser]:
    """The browser of whoever looks at the pages."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


async def rows(pages: Pages, query: str, *values: object) -> list[Any]:
    """What a query over Acme finds."""
    async with pages.database.companies(pages.company.id) as connection:
        return list(await connection.fetch(query, *values))


async def add_site(pages: Pages, company_id: int | None = None, name: str = "Main site") -> sites.SiteMade:
    """A site on localhost with the main line, and numbers to lend for it."""
    company = setup.Company(company_id or pages.company.id, "", "CA")
    async with pages.database.everything() as connection:
        made = await sites.add_site(connection, company, name, hosts=["localhost"])
        await sites.add_target(connection, company, name, MAIN)
        pool = await setup.add_pool(connection, company, f"Visitors of {name}", "dynamic")
        await connection.execute(
            "INSERT INTO tracking_numbers (company_id, pool_id, e164) VALUES ($1, $2, $3)",
            company.id,
            pool,
            f"+1306555{8700 + made.id}",
        )
    return made


async def test_a_website_is_added(pages: Pages, window: Browser) -> None:
    async with looking(pages, window) as page:
        await page.goto(f"{pages.url}/settings/sites")
        await expect(page.get_by_role("heading", name="No website yet")).to_be_visible()
        await nothing_for_axe(page, "no site")
        await page.get_by_role("link", name="Add a website").click()
        await page.get_by_label("Name").fill("Main site")
        await page.get_by_label("Host").fill("https://www.acme.example/contact, our!site")
        await page.get_by_label("Number printed on it").fill("12")
        await page.get_by_role("button", name="Add the website").click()
        await expect(page.get_by_text("our!site is not the name of a web server.")).to_be_visible()
        await expect(page.get_by_text("This is not a telephone number")).to_be_visible()
        await expect(page.get_by_label("Name")).to_have_value("Main site")
        await nothing_for_axe(page, "a form with problems")
        await page.get_by_label("Host").fill("https://www.acme.example/contact")
        await page.get_by_label("Number printed on it").fill("(306) 555-1234")
        await page.get_by_role("button", name="Add the website").click()
        await expect(page.get_by_role("heading", name="Main site")).to_be_visible()
        await expect(page.get_by_text("Main site is added.")).to_be_visible()
        (site,) = await rows(pages, "SELECT * FROM sites")
        assert site["hosts"] == ["www.acme.example"]
        assert [each["e164"] for each in await rows(pages, "SELECT e164 FROM swap_targets")] == [MAIN]
        tag = f'<script async src="/np/np.js" data-site="{site["public_key"]}"></script>'
        await expect(page.locator("#plain")).to_have_text(tag)
        await nothing_for_axe(page, "a site")
        await page.goto(f"{pages.url}/settings/sites")
        await expect(page.get_by_role("link", name="Main site")).to_be_visible()
        await expect(page.get_by_text("none in 30 days")).to_be_visible()
        await expect(page.get_by_text("not checked yet")).to_be_visible()
        await nothing_for_axe(page, "the list")
    lines = await rows(pages, "SELECT action, subject, details::text FROM audit_log WHERE subject LIKE 'site/%'")
    assert [(line["action"], line["subject"]) for line in lines] == [("setting.added", f"site/{site['id']}")]


async def test_what_is_shown_to_copy_is_copied(pages: Pages, window: Browser) -> None:
    made = await add_site(pages)
    async with looking(pages, window) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(f"{pages.url}/settings/sites/{made.id}")
        await page.get_by_role("button", name="Copy The tag", exact=True).click()
        await expect(page.get_by_role("button", name="Copied The tag", exact=True)).to_be_visible()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied == f'<script async src="/np/np.js" data-site="{made.public_key}"></script>'
        await page.get_by_text("Swapped before anything is painted").click()
        shown = await page.locator("#inline").inner_text()
        assert made.public_key in shown
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]{44}'", await page.locator("#hash").inner_text())
        for part in ("By a tag manager", "On AMP pages", "Pages that your server fills in itself"):
            await page.get_by_text(part, exact=True).click()
        await page.get_by_text("For the web server: nginx").click()
        await expect(page.locator("#nginx")).to_contain_text("server_name localhost;")
        await nothing_for_axe(page, "everything open")


async def test_a_site_is_changed_and_taken_back(pages: Pages, window: Browser) -> None:
    made = await add_site(pages)
    await add_site(pages, name="Second")
    async with looking(pages, window) as page:
        await page.goto(f"{pages.url}/settings/sites/{made.id}")
        await page.get_by_label("Name").fill("Second")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Another website has this name already.")).to_be_visible()
        await page.get_by_label("Name").fill("Roofs")
        await page.get_by_label("Hosts", exact=False).first.fill("roofs.example\nwww.roofs.example, shop.roofs.example")
        await page.get_by_label("Payment hosts").fill("checkout.stripe.com")
        await page.get_by_label("Time zone").select_option("Europe/London")
        await page.get_by_label("Visitors are asked first").check()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Roofs is changed.")).to_be_visible()
        (site,) = await rows(pages, "SELECT * FROM sites WHERE id = $1", made.id)
        assert site["hosts"] == ["roofs.example", "www.roofs.example", "shop.roofs.example"]
        assert (site["time_zone"], site["consent_required"]) == ("Europe/London", True)
        (line,) = await rows(pages, "SELECT details::text FROM audit_log WHERE action = 'setting.changed'")
        assert json.loads(line["details"])["changes"]["time_zone"] == [None, "Europe/London"]
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("heading", name="Main site")).to_be_visible()
        (site,) = await rows(pages, "SELECT * FROM sites WHERE id = $1", made.id)
        assert (site["hosts"], site["time_zone"], site["consent_required"]) == (["localhost"], None, False)


async def test_numbers_come_and_go(pages: Pages, window: Browser) -> None:
    made = await add_site(pages)
    (target,) = await rows(pages, "SELECT id FROM swap_targets")
    async with pages.database.everything() as connection:
        await connection.execute(
            "INSERT INTO pool_swap_targets (company_id, pool_id, swap_target_id) SELECT company_id, id, $1 FROM pools"
            " WHERE name = 'Visitors of Main site'",
            target["id"],
        )
    async with looking(pages, window) as page:
        await page.goto(f"{pages.url}/settings/sites/{made.id}")
        await page.get_by_label("Another number").fill("306 555 1234")
        await page.get_by_role("button", name="Add the number").click()
        await expect(page.get_by_text("This number stands here already.")).to_be_visible()
        await page.get_by_label("Another number").fill("306 555 9000")
        await page.get_by_role("button", name="Add the number").click()
        await expect(page.get_by_text("(306) 555-9000 is swapped from now on.")).to_be_visible()
        await page.get_by_role("listitem").filter(has_text="555-1234").get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("(306) 555-1234 is not swapped any more.")).to_be_visible()
        assert not await rows(pages, "SELECT FROM pool_swap_targets")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("listitem").filter(has_text="555-1234")).to_be_visible()
    assert len(await rows(pages, "SELECT FROM swap_targets")) == 2
    assert len(await rows(pages, "SELECT FROM pool_swap_targets")) == 1


async def test_a_page_is_checked(pages: Pages, window: Browser, tmp_path: Path) -> None:
    made = await add_site(pages)
    async with running_worker(pages.database.dsn, visits_per_minute=6000) as worker, looking(pages, window) as page:
        shop = Website(worker.url, made.public_key)
        shop.page("<p>Call (306) 555-1234</p><p>Fax (306) 244-7700</p>", shop.tag * 2)
        runner = await shop.open()
        port = int(worker.url.rpartition(":")[2])
        settings = settings_for(port, chromium=CHROMIUM, sandbox=SANDBOX, private_addresses=True)
        working = asyncio.create_task(run_jobs(pages.database.dsn, handlers(pages.database, settings), Health()))
        try:
            await page.goto(f"{pages.url}/settings/sites/{made.id}")
            await page.get_by_label("Page").fill("https://www.google.com/")
            await page.get_by_role("button", name="Check now").click()
            await expect(page.get_by_text("www.google.com is not one of this website's hosts")).to_be_visible()
            await page.get_by_label("Page").fill(shop.url)
            await page.get_by_role("button", name="Check now").click()
            await page.wait_for_url("**/checks/*")
            await expect(page.locator("#under-way [role=status]")).not_to_be_empty()
            await nothing_for_axe(page, "under way")
            await expect(page.get_by_text("The snippet is in the page 2 times")).to_be_visible(timeout=90_000)
            await expect(page.get_by_text("1 thing to mend")).to_be_visible()
            await expect(page.get_by_text("(306) 244-7700 stands on the page and is no swap target")).to_be_visible()
            await nothing_for_axe(page, "a report")
            await page.goto(f"{pages.url}/settings/sites")
            await page.get_by_role("link", name="1 thing to mend").click()
            await expect(page.get_by_role("heading", name="What a visitor is shown")).to_be_visible()
        finally:
            working.cancel()
            await asyncio.wait([working])
            await runner.cleanup()


async def test_a_private_page_is_told_apart_where_it_is_not_allowed(pages: Pages) -> None:
    made = await add_site(pages)
    async with pages.database.companies(pages.company.id) as connection:
        user = await connection.fetchval("INSERT INTO users (email) VALUES ('a@example.com') RETURNING id")
        check = await ask_for_check(connection, pages.company.id, made.id, made.public_key, "http://localhost/", user)
        (job,) = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'site.check'")
    work = handlers(pages.database, settings_for(0, chromium=CHROMIUM, sandbox=SANDBOX))["site.check"]
    from gateway.store.jobs import Job

    await work(Job("site.check", json.loads(job["payload"]), 1, False))
    (row,) = await rows(pages, "SELECT report::text, ended_at FROM site_checks WHERE id = $1", check)
    assert [each["kind"] for each in json.loads(row["report"])["findings"]] == ["page.private"]


async def test_a_check_that_could_not_be_made_says_why(pages: Pages, window: Browser) -> None:
    made = await add_site(pages)
    async with pages.database.companies(pages.company.id) as connection:
        user = await connection.fetchval("INSERT INTO users (email) VALUES ('a@example.com') RETURNING id")
        check = await ask_for_check(connection, pages.company.id, made.id, made.public_key, "http://localhost/", user)
        (job,) = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'site.check'")
    from gateway.store.jobs import Job

    work = handlers(pages.database, settings_for(0, chromium="/nowhere/chromium"))["site.check"]
    await work(Job("site.check", json.loads(job["payload"]), 1, False))
    async with looking(pages, window, scheme="dark") as page:
        await page.goto(f"{pages.url}/settings/sites/{made.id}/checks/{check}")
        await expect(page.get_by_text("The check could not be made.")).to_be_visible()
        await expect(page.get_by_text("sudo apt-get install -y chromium")).to_be_visible()
        await nothing_for_axe(page, "a check that could not be made")


async def test_who_may_only_look_changes_nothing(pages: Pages, window: Browser) -> None:
    made = await add_site(pages)
    async with looking(pages, window, role=Role.ANALYST) as page:
        await page.goto(f"{pages.url}/settings/sites/{made.id}")
        await expect(page.get_by_role("heading", name="Main site")).to_be_visible()
        for name in ("Check now", "Remove", "Save", "Add the number"):
            await expect(page.get_by_role("button", name=name)).to_have_count(0)
        await nothing_for_axe(page, "for an analyst")
    client = await pages.signed_in(Role.ANALYST)
    for path in ("", "/numbers", "/checks"):
        answer = await client.post(f"/settings/sites/{made.id}{path}", data={}, allow_redirects=False)
        assert answer.status == 403


async def test_a_strangers_site_is_not_there(pages: Pages) -> None:
    theirs = await add_site(pages, pages.stranger.id, "Theirs")
    async with pages.database.companies(pages.stranger.id) as connection:
        target = await connection.fetchval("SELECT id FROM swap_targets WHERE site_id = $1", theirs.id)
        user = await connection.fetchval("INSERT INTO users (email) VALUES ('b@example.com') RETURNING id")
        check = await ask_for_check(
            connection, pages.stranger.id, theirs.id, theirs.public_key, "http://localhost/", user
        )
        await note_end(connection, pages.stranger.id, check, {})
    own = await add_site(pages)
    client = await pages.signed_in()
    for path in (f"/{theirs.id}", f"/{theirs.id}/checks/{check}", f"/{own.id}/checks/{check}", f"/{'9' * 19}"):
        assert (await client.get(f"/settings/sites{path}")).status == 404, path
    for path in (
        f"/{theirs.id}",
        f"/{theirs.id}/numbers",
        f"/{theirs.id}/checks",
        f"/{theirs.id}/numbers/{target}/remove",
        f"/{own.id}/numbers/{target}/remove",
    ):
        answer = await client.post(f"/settings/sites{path}", data={"url": "http://localhost/"}, allow_redirects=False)
        assert answer.status == 404, path
    assert "Theirs" not in await (await client.get("/settings/sites")).text()


async def test_the_page_works_without_script_and_in_russian(pages: Pages, window: Browser) -> None:
    made = await add_site(pages)
    async with looking(pages, window, script=False) as page:
        await page.goto(f"{pages.url}/settings/sites/{made.id}")
        await page.get_by_role("button", name="Русский").click()
        await page.goto(f"{pages.url}/settings/sites/{made.id}")
        await expect(page.get_by_role("heading", name="Как запоминаются посетители")).to_be_visible()
        await expect(page.get_by_role("button", name="Проверить сейчас")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
async def test_nothing_is_wider_than_the_screen(pages: Pages, window: Browser, width: int) -> None:
    made = await add_site(pages)
    async with looking(pages, window) as page:
        await page.set_viewport_size({"width": width, "height": 844})
        for path in ("", "/new", f"/{made.id}"):
            await page.goto(f"{pages.url}/settings/sites{path}")
            await _open_everything(page)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


async def _open_everything(page: Page) -> None:
    await page.evaluate("document.querySelectorAll('.site-part details').forEach((each) => { each.open = true })")


def test_examples_carry_the_sites_own_names() -> None:
    site = SiteSettings(1, "Roofs", "k" * 20, ("www.roofs.example",), (), None, False)
    made = snippet_of(CollectorSettings(port=9999), site, (Target(1, MAIN),))
    for text in (made.nginx, made.caddy):
        assert "www.roofs.example" in text
        assert "127.0.0.1:9999" in text
        assert "np.roofs.example" in text
        assert "example.com" not in text
    assert "https://www.roofs.example/np/v1/amp?site=" in made.amp
    assert "target=%2B13065551234&amp;url=SOURCE_URL" in made.amp
    abroad = snippet_of(CollectorSettings(public_url="https://np.roofs.example/x"), site, ())
    assert "https://np.roofs.example/x/v1/server/visit" in abroad.server
    assert Settings().site_check.private_addresses is False
