"""Rules over many past visits: tried beside, put in force, applied; versions compared and gone back to."""

import json
import re
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, Route, expect

from gateway.http import source_pages
from gateway.http.permissions import Role
from gateway.visits import rule_runs
from tests.http.conftest import Pages
from tests.http.journeys import Journeys
from tests.http.test_browser import Scheme, looking, nothing_for_axe

FLYERS = json.dumps(
    {
        "version": "1",
        "extends": "default",
        "rules": [{"name": "flyers", "when": {"source": ["flyer"]}, "then": {"label": "Flyer", "medium": "print"}}],
    }
)

# A page that comes again by itself, on a busy machine.
SOON = 30_000


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two visits are too many for the page itself."""
    monkeypatch.setattr(source_pages, "MOST_VISITS", 1)


async def work(pages: Pages) -> None:
    """What the gateway's jobs do with the runs that wait."""
    async with pages.database.everything() as wire:
        rows = await wire.fetch("SELECT company_id, id FROM rule_runs WHERE ended_at IS NULL")
    for row in rows:
        await rule_runs.carry_out(pages.database, row["company_id"], row["id"])


async def some_visits(pages: Pages) -> None:
    journeys = await Journeys.open(pages.database, pages.company)
    for path in ("/", "/?utm_source=flyer&x=", "/?utm_source=flyer&y="):
        await journeys.visit(datetime.now(UTC), path=path)


async def test_rules_are_tried_beside_put_in_force_and_gone_back_from(pages: Pages, chromium: Browser) -> None:
    await some_visits(pages)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/sources/rules")
        await page.get_by_label("Rules").fill(FLYERS)
        await page.get_by_role("button", name="Check and try").click()
        await page.wait_for_url("**/settings/sources/runs/*")
        await expect(page.get_by_text("0 of 3 visits looked at")).to_be_visible()
        await work(pages)
        await expect(page.get_by_text("would have another source")).to_be_visible(
            timeout=SOON
        )  # it comes again by itself
        await expect(page.get_by_role("row", name=re.compile("Flyer"))).to_contain_text("2")
        await page.get_by_label("What was changed").fill("Flyers have a name")
        await page.get_by_label("Change these visits, too").check()
        await page.get_by_role("button", name="Put it in force").click()
        await expect(page.get_by_text("Version 1 is in force.")).to_be_visible()
        await work(pages)
        await expect(page.get_by_text("have another source now")).to_be_visible(timeout=SOON)
        async with pages.database.companies(pages.company.id) as wire:
            assert await wire.fetchval("SELECT count(*) FROM visits WHERE label = 'Flyer'") == 2
        await page.get_by_role("link", name="Sources").first.click()
        await page.get_by_role("link", name="The rules as they come").click()
        await expect(page.locator(".differences")).to_contain_text("flyers")
        await expect(page.locator(".differences")).to_contain_text("gone")
        await page.get_by_label("Change past visits, too").check()
        await page.get_by_role("button", name="Put it in force again").click()
        await expect(page.get_by_text("Version 2 is in force.")).to_be_visible()
        await work(pages)
        await expect(page.get_by_text("have another source now")).to_be_visible(timeout=SOON)
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval("SELECT count(*) FROM visits WHERE label = 'Flyer'") == 0
        assert await wire.fetchval("SELECT count(*) FROM rule_sets") == 2


async def test_a_run_is_stopped(pages: Pages) -> None:
    await some_visits(pages)
    client = await pages.signed_in()
    answer = await client.post("/settings/sources/rules", data={"rules": FLYERS, "days": "30", "do": "try"})
    assert re.search(r"/runs/\d+", str(answer.url))
    assert "Refresh" in answer.headers
    stopped = await client.post(f"{answer.url.path}/stop")
    assert "It was stopped after 0 of 3 visits." in await stopped.text()
    assert "Refresh" not in stopped.headers


async def test_who_may_only_look_runs_nothing_and_no_version_is_made_up(pages: Pages) -> None:
    await some_visits(pages)
    client = await pages.signed_in()
    answer = await client.post("/settings/sources/rules", data={"rules": FLYERS, "days": "30", "do": "store"})
    assert answer.url.path == "/settings/sources"
    analyst = await pages.signed_in(Role.ANALYST)
    assert (await analyst.get("/settings/sources/versions/1?with=0")).status == 200
    assert (await analyst.post("/settings/sources/versions/0/back")).status == 403
    for path in ("versions/7", "versions/1?with=9", "runs/1", "versions/999999999"):
        assert (await client.get(f"/settings/sources/{path}")).status == 404, path
    assert (await client.post("/settings/sources/versions/1/back")).status == 404
    stranger = await pages.signed_in(company=pages.stranger)
    assert (await stranger.get("/settings/sources/versions/1")).status == 404


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_no_page_is_too_wide(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    await some_visits(pages)
    client = await pages.signed_in()
    paths = ["versions/1?with=0", "versions/0"]
    for _ in range(2):
        answer = await client.post(
            "/settings/sources/rules", data={"rules": FLYERS, "days": "30", "do": "store", "apply": "yes"}
        )
        paths.append(answer.url.path.removeprefix("/settings/sources/"))
        if len(paths) == 3:
            await work(pages)

    async def as_it_is(route: Route) -> None:
        """The page without its coming again, which would take it away from under axe."""
        answer = await route.fetch()
        headers = {name: value for name, value in answer.headers.items() if name != "refresh"}
        await route.fulfill(response=answer, headers=headers)

    async with looking(pages, chromium, scheme) as page:
        await page.route("**/runs/*", as_it_is)
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for path in ("", *(f"/{each}" for each in paths)):
                await page.goto(f"{pages.url}/settings/sources{path}")
                await nothing_for_axe(page, f"{path} {width} {scheme}")
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
