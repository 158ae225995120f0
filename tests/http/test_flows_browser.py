"""Call routing by clicking and by keyboard, in a real browser: made, drawn as it is edited, saved, tried, closed."""

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.calls import flow_setup
from gateway.pools.setup import Company
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe
from tests.http.test_flows import HOURS, RING, flows_of, make, upload, wav

LIST = "/settings/flows"


async def drawn(page: Page) -> list[str]:
    """The titles of the picture's boxes."""
    return await page.locator(".flow-picture .title").all_text_contents()


async def test_a_routing_is_made_by_clicking_assigned_closed_and_opened(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings")
        await page.get_by_role("link", name="Call routing").first.click()
        await page.get_by_role("link", name="Begin with opening hours").click()
        assert await drawn(page) == ["Opening hours", "Ring", "Voicemail", "Voicemail"]
        await page.get_by_label("Name", exact=True).first.fill("Office")
        opened = page.get_by_role("group", name="Opening hours, when open")
        await opened.get_by_role("button", name="Add: Menu").click()
        await expect(page.locator(".flow-picture .title")).to_have_count(6)
        menu = page.get_by_role("group", name="Menu, key 1")
        await menu.get_by_label("How long, in seconds").fill("15")
        await expect(page.locator(".flow-picture").get_by_text("for 15 secs")).to_be_attached()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Choose what the caller hears.")).to_be_visible()
        assert await flows_of(pages) == {}
        await page.get_by_label("What the caller hears").select_option("a sound of Asterisk …")
        await page.get_by_label("Name of the sound in Asterisk").first.fill("custom/welcome")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Office is added.")).to_be_visible()
        start = (await flows_of(pages))["Office"]["body"]["start"]
        assert start["open"]["keys"]["1"]["seconds"] == 15

        await page.get_by_label("All calls that have no other").check()
        await page.get_by_role("button", name="Set", exact=True).click()
        await expect(page.get_by_text("3 numbers go by it")).to_be_visible()
        await page.get_by_role("link", name="Call routing", exact=False).first.click()
        await page.get_by_role("button", name="Close now").click()
        await expect(page.get_by_text("Closed now, by the switch")).to_be_visible()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("button", name="Close now")).to_be_visible()


async def test_by_keyboard_the_focus_stays_with_what_is_moved(pages: Pages, chromium: Browser) -> None:
    id = await make(pages, "Office", {"kind": "sound", "sound": "custom/hello", "then": RING})
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}{LIST}/{id}/edit")
        await page.get_by_role("button", name="Ring: earlier").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".flow-card h3").first).to_contain_text("Ring")
        assert await drawn(page) == ["Ring", "Play a sound", "Voicemail"]
        inside = (
            "document.activeElement.closest('.flow-card').querySelector('h3').textContent.trim().startsWith('Ring')"
        )
        assert await page.evaluate(inside)
        await expect(page.locator("#flow-changes summary")).to_contain_text("Saving changes")
        await page.get_by_role("button", name="Ring: later").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
        await page.get_by_role("button", name="Another telephone").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Telephone 2", exact=True)).to_be_focused()
        await page.get_by_label("Name", exact=True).fill("Front desk")
        await page.keyboard.press("Enter")  # looks, and saves nothing
        await expect(page.get_by_text("Choose who rings here")).to_be_visible()
        assert list(await flows_of(pages)) == ["Office"]


async def test_without_a_script_it_is_a_form(pages: Pages, chromium: Browser) -> None:
    id = await make(pages, "Office", RING)
    async with looking(pages, chromium, script=False) as page:
        await page.goto(f"{pages.url}{LIST}/{id}/edit")
        await page.get_by_role("button", name="Add: Opening hours").click()
        assert await drawn(page) == ["Opening hours", "Ring", "Voicemail", "Voicemail"]
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Office is changed.")).to_be_visible()
        await page.get_by_role("button", name="Undo").click()
        assert (await flows_of(pages))["Office"]["body"]["start"]["kind"] == "ring"


async def test_what_happens_on_sunday_and_from_the_page_of_a_number(pages: Pages, chromium: Browser) -> None:
    id = await make(pages, "Office", HOURS)
    async with looking(pages, chromium) as page:
        number = pages.company.numbers["Facebook"][0]
        await page.goto(f"{pages.url}/settings/numbers/{number}")
        await page.get_by_label("What its calls do").select_option("Office")
        await page.get_by_role("button", name="Set the routing").click()
        await expect(page.get_by_text("Its calls go by Office.")).to_be_visible()
        await page.get_by_role("link", name="See it").click()
        await page.get_by_label("somebody calls at").fill("2026-11-22T14:00")
        await page.get_by_label("the number").fill(pages.company.numbers["Facebook"][1])
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator(".flow-steps").first).to_contain_text("plays “custom/closed”")
        await expect(page.locator(".flow-picture .is-way .caption").first).to_have_text("when closed")
        assert f"/settings/flows/{id}" in page.url


async def test_a_sound_is_uploaded_and_chosen(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/sounds")
        await page.get_by_label("Name", exact=True).fill("Welcome")
        await page.get_by_label("File", exact=True).set_input_files(
            {"name": "welcome.wav", "mimeType": "audio/wav", "buffer": wav()}
        )
        await page.get_by_role("button", name="Add the sound").click()
        await expect(page.get_by_text("Welcome is there")).to_be_visible()
        seconds = await page.locator("audio").evaluate(
            "a => new Promise((done, fail) => { a.onloadedmetadata = () => done(a.duration); a.onerror = fail; "
            "a.preload = 'metadata'; a.load(); })"
        )
        assert seconds == pytest.approx(1, abs=0.05)
        await page.goto(f"{pages.url}{LIST}/new?begin=ring")
        await page.get_by_label("Name", exact=True).fill("Office")
        await page.get_by_label("Greeting").select_option("Welcome")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Office is added.")).to_be_visible()
        await page.goto(f"{pages.url}/settings/sounds")
        await expect(page.get_by_role("link", name="Office")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_no_page_is_too_wide(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    id = await make(pages, "Office", HOURS)
    owner = Company(pages.company.id, "", "CA")
    async with pages.database.everything() as wire:
        await flow_setup.assign(wire, owner, "Office", "company")
    client = await pages.signed_in()
    await client.post("/settings/sounds", data=upload("Welcome", wav()))
    async with looking(pages, chromium, scheme) as page:
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for path in ("flows", f"flows/{id}", f"flows/{id}/edit", "flows/new?begin=empty", "sounds", "whisper"):
                await page.goto(f"{pages.url}/settings/{path}")
                await nothing_for_axe(page, f"{path} {width} {scheme}")
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
