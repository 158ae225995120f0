"""The pages in a real browser: clicked, typed, watched; nothing to complain about for it or for a screen reader."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from gateway.health import Condition
from gateway.http.permissions import Role
from tests.http.company import add_call, fill, make_recording
from tests.http.conftest import Pages

Scheme = Literal["light", "dark"]
OWN_WORDS_404 = re.compile("Failed to load resource: the server responded with a status of (4|5)")


@asynccontextmanager
async def looking(
    pages: Pages, chromium: Browser, scheme: Scheme = "light", role: Role | None = Role.OWNER, script: bool = True
) -> AsyncIterator[Page]:
    """A browser window, signed in; fails afterwards if the console complained or another host was asked."""
    context = await chromium.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme=scheme, java_script_enabled=script, locale="en-CA"
    )
    complaints: list[str] = []
    page = await context.new_page()
    watch(context, page, pages.url, complaints)
    if role is not None:
        await page.goto(await pages.link(role))
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url("**/welcome")
    try:
        yield page
        assert complaints == []
    finally:
        await context.close()


def watch(context: BrowserContext, page: Page, own: str, complaints: list[str]) -> None:
    """Collect what the browser finds wrong."""
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type in ("error", "warning") and not OWN_WORDS_404.match(message.text)
            else None
        ),
    )
    context.on(
        "request",
        lambda request: complaints.append(request.url) if not request.url.startswith((own, "data:", "blob:")) else None,
    )


async def until(page: Page, holds: str, seconds: float = 20) -> None:
    """Wait until an expression is true on the page; the browser's own way needs eval, which the policy forbids."""
    async with asyncio.timeout(seconds):
        while not await page.evaluate(holds):
            await page.wait_for_timeout(30)


async def nothing_for_axe(page: Page, where: str) -> None:
    """No finding of axe-core on the page as it is now."""
    # It would read stylesheets by copying those of drawings into a page of its own, where the policy forbids them.
    results = await Axe().run(page, options={"preload": False})
    found = [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in results.response["violations"]]
    assert found == [], where


async def test_sign_in_by_link_set_a_password_sign_out_and_in_again(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium, role=None) as page:
        await page.goto(f"{pages.url}/calls?outcome=missed")
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        await page.goto(await pages.link())
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_label("New password").fill("four plain words here")
        await page.get_by_role("button", name="Set the password").click()
        await expect(page.get_by_role("heading", name="Four steps to the first figures")).to_be_visible()
        await page.get_by_text("owner-").first.click()
        await page.get_by_role("button", name="Sign out").click()
        await page.goto(f"{pages.url}/calls?outcome=missed")
        await page.get_by_label("E-mail address").fill(f"owner-{pages.company.id}@example.com")
        await page.get_by_label("Password").fill("a wrong one")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("do not belong together")
        await page.get_by_label("Password").fill("four plain words here")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/calls?outcome=missed")


async def test_a_call_appears_changes_and_ends_within_a_second_each(pages: Pages, chromium: Browser) -> None:
    await add_call(pages.database, pages.company, started_at=datetime.now(UTC) - timedelta(hours=1))
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        await expect(page.locator("#live-state")).to_have_text("Live")
        loop = asyncio.get_running_loop()

        began = loop.time()
        call_id = await add_call(
            pages.database, pages.company, state="ringing", outcome=None, caller_name="Tom Bear", caller="+13065550190"
        )
        row = page.locator(f'li[data-key="{call_id}"]')
        await row.wait_for(timeout=1000)
        assert loop.time() - began < 1
        await expect(row).to_contain_text("Ringing now")
        assert await page.locator("li.call").first.get_attribute("data-key") == str(call_id)
        await expect(page.locator("#announce")).to_contain_text("555-0190")
        await expect(row.locator(".length")).to_have_text("0:02", timeout=4000)

        began = loop.time()
        async with pages.database.companies(pages.company.id) as wire:
            await wire.execute(
                "UPDATE calls SET state = 'answered', stage = 2, answered_at = now() WHERE id = $1", call_id
            )
        await expect(row).to_contain_text("Talking now", timeout=1000)
        async with pages.database.companies(pages.company.id) as wire:
            await wire.execute(
                "UPDATE calls SET state = 'ended', stage = 3, outcome = 'answered', ended_at = now(), "
                "talk_seconds = 65 WHERE id = $1",
                call_id,
            )
        await expect(row).to_contain_text("1:05", timeout=1000)
        assert loop.time() - began < 2
        await expect(page.locator(".now")).to_have_count(0)
        await add_call(pages.database, pages.stranger)
        await page.wait_for_timeout(300)
        assert await page.locator("li.call").count() == 2


async def test_the_first_call_of_all_takes_the_place_of_the_empty_page(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        await expect(page.get_by_text("No calls yet")).to_be_visible()
        await expect(page.locator("#live-state")).to_have_text("Live")
        await add_call(pages.database, pages.company, state="ringing", outcome=None)
        await expect(page.get_by_text("Ringing now")).to_be_visible(timeout=2000)


async def test_nothing_is_missed_while_the_connection_was_gone(pages: Pages, chromium: Browser) -> None:
    await add_call(pages.database, pages.company)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        await expect(page.locator("#live-state")).to_have_text("Live")
        async with pages.database.everything() as wire:  # the listening connection dies
            await wire.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'numberpool listener'"
            )
        call_id = await add_call(pages.database, pages.company)
        await page.locator(f'li[data-key="{call_id}"]').wait_for(timeout=5000)


async def test_one_stream_serves_all_tabs(pages: Pages, chromium: Browser) -> None:
    await add_call(pages.database, pages.company)
    async with looking(pages, chromium) as page:
        streams: list[str] = []
        page.context.on("request", lambda request: streams.append(request.url) if "/events" in request.url else None)
        tabs = [page, *[await page.context.new_page() for _ in range(7)]]
        for tab in tabs:
            await tab.goto(f"{pages.url}/calls")
        for tab in tabs:
            await expect(tab.locator("#live-state")).to_have_text("Live")
        assert len(streams) == 1
        call_id = await add_call(pages.database, pages.company)
        for tab in tabs:
            await tab.bring_to_front()
            await tab.locator(f'li[data-key="{call_id}"]').wait_for(timeout=2000)
        await tabs[0].close()  # it held the stream; another takes over
        call_id = await add_call(pages.database, pages.company)
        await tabs[1].bring_to_front()
        await tabs[1].locator(f'li[data-key="{call_id}"]').wait_for(timeout=4000)


async def test_a_recording_plays_in_its_row_and_goes_on_when_the_list_changes(pages: Pages, chromium: Browser) -> None:
    sound = make_recording(pages.recordings, "row", 8)
    call_id = await add_call(pages.database, pages.company, recording=sound, talk=8)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        row = page.locator(f'li[data-key="{call_id}"]')
        await row.get_by_role("link", name="Play the call").click()
        await expect(row).to_have_class(re.compile("is-playing"))
        await expect(row.get_by_role("link", name="Pause")).to_be_visible()
        await until(page, "parseFloat(document.querySelector('.played')?.style.getPropertyValue('--at')) > 2")
        await add_call(pages.database, pages.company, state="ringing", outcome=None)
        await page.locator(".now li").wait_for(timeout=2000)
        await expect(row).to_have_class(re.compile("is-playing"))
        box = await row.locator(".wave-box").bounding_box()
        assert box is not None
        await page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 10)
        await until(page, "parseFloat(document.querySelector('.played').style.getPropertyValue('--at')) >= 74")
        await row.get_by_role("link", name="Pause").click()
        await expect(row).not_to_have_class(re.compile("is-playing"))
        assert page.url.endswith("/calls")


async def test_the_player_seeks_by_click_drag_and_keys_and_remembers_the_moment(
    pages: Pages, chromium: Browser
) -> None:
    sound = make_recording(pages.recordings, "long", 60)
    call_id = await add_call(pages.database, pages.company, recording=sound, talk=60)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls/{call_id}")
        stage, time = page.get_by_role("slider"), "document.querySelector('#audio').currentTime"
        box = await stage.bounding_box()
        assert box is not None
        await stage.click(position={"x": box["width"] / 2, "y": 20})
        await expect(page.locator("#position")).to_contain_text("0:30")
        await until(page, "location.hash === '#t=30'")
        await page.get_by_role("button", name="Play", exact=True).click()
        await until(page, f"{time} > 30.2")
        await page.get_by_role("button", name="Pause").click()
        await page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 30)
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 40, steps=4)
        await page.mouse.up()
        await until(page, f"Math.abs({time} - 12) < 0.5")
        await stage.focus()
        await page.keyboard.press("ArrowRight")
        await until(page, f"Math.abs({time} - 17) < 0.6")
        await page.keyboard.press("PageUp")
        await until(page, f"Math.abs({time} - 47) < 0.6")
        await page.keyboard.press("Home")
        await until(page, f"{time} === 0")
        await until(page, "location.hash === ''")
        await page.keyboard.press("Space")
        await until(page, f"{time} > 0.2")
        await page.keyboard.press("Space")
        await page.get_by_label("Speed").select_option("1.5")
        assert await page.evaluate("document.querySelector('#audio').playbackRate") == 1.5
        await expect(page.locator("#heard")).to_contain_text("listened")
        await page.goto(f"{pages.url}/calls/{call_id}#t=42")
        await expect(page.locator("#position")).to_contain_text("0:42")
        assert await stage.get_attribute("aria-valuetext") == "0:42 of 1:00"


async def test_a_call_page_follows_its_call_from_ringing_to_recording(pages: Pages, chromium: Browser) -> None:
    call_id = await add_call(pages.database, pages.company, state="ringing", outcome=None)
    sound, encoded = make_recording(pages.recordings, "follow", 3)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls/{call_id}")
        await expect(page.locator("#call-head")).to_contain_text("Ringing now")
        await page.wait_for_timeout(300)
        async with pages.database.companies(pages.company.id) as wire:
            await wire.execute(
                "INSERT INTO recordings (company_id, call_id, state, sides, rate) "
                "VALUES ($1, $2, 'pending', 'x', 8000)",
                pages.company.id,
                call_id,
            )
            await wire.execute(
                "UPDATE calls SET state = 'ended', stage = 3, outcome = 'answered', ended_at = now(), talk_seconds = 3 "
                "WHERE id = $1",
                call_id,
            )
        await expect(page.locator("#player-place")).to_contain_text("is being made", timeout=1500)
        async with pages.database.companies(pages.company.id) as wire:
            await wire.execute(
                "UPDATE recordings SET state = 'ready', file = $2, seconds = 3, peaks = $3 WHERE call_id = $1",
                call_id,
                sound,
                encoded.peaks,
            )
        await page.get_by_role("button", name="Play", exact=True).click(timeout=2000)
        await until(page, "document.querySelector('#audio').currentTime > 0.3")


async def test_filters_by_clicking_the_thing_itself_and_back_again(pages: Pages, chromium: Browser) -> None:
    await fill(pages.database, pages.company, pages.recordings, datetime.now(UTC))
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        await page.locator("li.call .from", has_text="Direct mail").first.click()
        await expect(page).to_have_url(re.compile(rf"\?source={pages.company.sources['Direct mail']}$"))
        assert set(await page.locator("li.call .from").all_inner_texts()) == {"Direct mail"}
        await page.get_by_role("navigation", name="Filters").get_by_role("link", name="Missed").click()
        await expect(page).to_have_url(re.compile("source=.*outcome=missed"))
        await page.locator(".chosen a").first.click()
        await expect(page).to_have_url(re.compile(r"\?outcome=missed$"))
        assert await page.locator("li.call").count() == await page.locator("li.call.is-missed").count() > 3
        await page.go_back()
        await page.go_back()
        await page.go_back()
        await expect(page).to_have_url(f"{pages.url}/calls")
        await page.locator(".day h2 a").first.click()
        await expect(page).to_have_url(re.compile(r"\?from=20\d\d-.*&to=20\d\d-"))
        await page.go_back()
        await page.locator("li.call .when").nth(3).click()
        await expect(page.get_by_role("heading", name="What happened")).to_be_visible()
        await page.get_by_role("link", name="← Calls").click()
        await expect(page).to_have_url(f"{pages.url}/calls")
        await page.get_by_role("link", name="Older calls").click()
        await expect(page.get_by_role("link", name="To the newest")).to_be_visible()


async def test_the_list_is_walked_by_keyboard(pages: Pages, chromium: Browser) -> None:
    sound = make_recording(pages.recordings, "keys", 5)
    made = [await add_call(pages.database, pages.company, recording=sound, talk=5) for _ in range(3)][::-1]
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls")
        focused = "document.activeElement.closest('li.call')?.dataset.key"
        for key, place in (("j", 0), ("j", 1), ("ArrowDown", 2), ("j", 2), ("k", 1)):
            await page.keyboard.press(key)
            assert await page.evaluate(focused) == str(made[place])
        await page.keyboard.press("p")
        await expect(page.locator(f'li[data-key="{made[1]}"]')).to_have_class(re.compile("is-playing"))
        await add_call(pages.database, pages.company, state="ringing", outcome=None)
        await page.locator(".now li").wait_for(timeout=2000)
        assert await page.evaluate(focused) == str(made[1])  # the list changed under the reader, not the place
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/calls/{made[1]}")


async def test_everything_can_be_read_and_heard_without_script(pages: Pages, chromium: Browser) -> None:
    sound = make_recording(pages.recordings, "plain", 3)
    call_id = await add_call(pages.database, pages.company, recording=sound, talk=3)
    async with looking(pages, chromium, script=False) as page:
        await page.goto(f"{pages.url}/calls")
        assert await page.locator(".play").get_attribute("href") == f"/calls/{call_id}/recording"
        await page.locator(".when").click()
        await expect(page.locator("audio[controls]")).to_be_visible()
        await expect(page.locator("#toggle")).to_be_hidden()


# What makes the page wider than the window, if it is.
_TOO_WIDE = """(width) => document.documentElement.scrollWidth <= width ? [] :
  [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > width)
    .map((each) => `${each.tagName} ${each.className} ${each.textContent.trim().slice(0, 40)}`)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_any_page(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    await fill(pages.database, pages.company, pages.recordings, datetime.now(UTC))
    calls, missed = pages.company.calls, pages.company.calls[1]
    async with looking(pages, chromium, scheme, role=None) as page:
        for path in ("/sign-in", "/sign-in/link/nonsense", "/nowhere"):
            await page.goto(pages.url + path)
            await nothing_for_axe(page, path)
    pages.health.tell("asterisk:pbx", Condition.NEEDS_PERSON, "Asterisk refuses the login; set the secret.")
    async with looking(pages, chromium, scheme) as page:
        async with pages.database.everything() as wire:
            await wire.execute(
                "INSERT INTO memberships (user_id, company_id, role) SELECT id, $1, 'owner' FROM users",
                pages.stranger.id,
            )
        paths = (
            "/welcome",
            "/account",
            "/overview",
            "/calls",
            f"/calls?company={pages.company.id}&outcome=missed&source=none&caller=withheld&from=2026-01-01",
            f"/calls?company={pages.company.id}&outcome=missed",
            f"/calls?company={pages.stranger.id}",
            "/companies?period=7d",
            f"/calls/filters?company={pages.company.id}&outcome=missed",
            f"/calls/{calls[0]}/marks",
            f"/calls?company={pages.company.id}&q=dana&region=Saskatchewan&status=new&talk=30-120&period=all",
            f"/calls/{calls[0]}",
            f"/calls/{missed}",
            f"/calls/{calls[-1]}",
            "/calls/99999999",
        )
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for path in paths:
                await page.goto(pages.url + path)
                await page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
                await page.wait_for_timeout(60)
                await nothing_for_axe(page, f"{path} {width}")
                wide = await page.evaluate(_TOO_WIDE, width)
                assert wide == [], f"{path} scrolls sideways at {width}"
    async with looking(pages, chromium, scheme, role=Role.AGENT) as page:
        await page.goto(f"{pages.url}/calls")
        await expect(page.get_by_text("Here stand the calls that rang at your telephones.")).to_be_visible()
        await nothing_for_axe(page, "an agent without a telephone")
        await page.goto(f"{pages.url}/calls/export.csv")
        await expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()
        await nothing_for_axe(page, "not allowed")
