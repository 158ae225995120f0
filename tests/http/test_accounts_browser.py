"""Users and one's own account in a real browser: clicked through, nothing for axe, no complaint of the console."""

import re

import pyotp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from gateway.http.permissions import Role
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe, watch
from tests.http.test_sign_in import PASSWORD


async def another(page: Page, pages: Pages, complaints: list[str]) -> tuple[BrowserContext, Page]:
    """A browser of somebody else."""
    assert page.context.browser
    context = await page.context.browser.new_context(viewport={"width": 390, "height": 844}, locale="en-CA")
    fresh = await context.new_page()
    watch(context, fresh, pages.url, complaints)
    return context, fresh


async def test_somebody_is_invited_comes_sees_his_calls_and_is_removed(pages: Pages, chromium: Browser) -> None:
    await add_call(pages.database, pages.company, caller_name="Dana Whitford")
    other = await add_call(pages.database, pages.company, caller_name="Maria Stone")
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE calls SET answered_by = 'PJSIP/102' WHERE id = $1", other)
        await wire.execute("DELETE FROM legs WHERE call_id = $1", other)
        await wire.execute("DELETE FROM endpoints_reached WHERE call_id = $1 AND endpoint <> 'PJSIP/102'", other)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/users")
        await page.get_by_role("link", name="Invite somebody").click()
        await nothing_for_axe(page, "invite")
        await page.get_by_label("E-mail address").fill("nora@example.com")
        await page.get_by_label("agent").check()
        await page.get_by_role("textbox", name="Telephones").fill("no/telephone?")
        await page.get_by_role("button", name="Invite").click()
        await expect(page.get_by_text("no/telephone? names no telephone")).to_be_visible()
        await nothing_for_axe(page, "invite, with a problem")
        await page.get_by_role("textbox", name="Telephones").fill("102")
        await page.get_by_role("button", name="Invite").click()
        link = await page.locator("#link").inner_text()
        await expect(page.get_by_role("button", name="Copy")).to_be_visible()
        await nothing_for_axe(page, "invited")

        complaints: list[str] = []
        context, nora = await another(page, pages, complaints)
        await nora.goto(link)
        await nothing_for_axe(nora, "invitation")
        await nora.get_by_label("Your name").fill("Nora Field")
        await nora.get_by_label("Password").fill("Numberpool123")
        await nora.get_by_role("button", name="Accept the invitation").click()
        await expect(nora.get_by_text("among the first that anybody would try")).to_be_visible()
        await nora.get_by_label("Password").fill(PASSWORD)
        await nora.get_by_role("button", name="Accept the invitation").click()
        await expect(nora.get_by_text("Maria Stone")).to_be_visible()
        await expect(nora.get_by_text("Dana Whitford")).to_have_count(0)

        await page.get_by_role("link", name="To the users").click()
        await nothing_for_axe(page, "users")
        await page.get_by_role("link", name="Nora Field").click()
        await nothing_for_axe(page, "user")
        await page.get_by_role("button", name="Remove Nora Field").click()
        await expect(page.get_by_text("Nora Field is removed.")).to_be_visible()
        await nora.goto(f"{pages.url}/calls")
        await nora.wait_for_url("**/sign-in?**")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("link", name="Nora Field")).to_be_visible()

        await page.goto(f"{pages.url}/settings/audit")
        await expect(page.get_by_text("invited nora@example.com as agent")).to_be_visible()
        await page.get_by_label("What").select_option("user")
        await page.get_by_role("button", name="Show", exact=True).click()
        await page.wait_for_url(re.compile("action=user"))
        await expect(page.get_by_text("removed Nora Field, who was agent")).to_be_visible()
        await nothing_for_axe(page, "audit")
        await context.close()
        assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_second_step_is_turned_on_asked_for_and_a_session_ended(
    pages: Pages, chromium: Browser, scheme: Scheme
) -> None:
    async with looking(pages, chromium, scheme) as page:
        await page.get_by_label("New password").fill(PASSWORD)
        await page.get_by_role("button", name="Set the password").click()
        await page.wait_for_url("**/overview")
        await page.goto(f"{pages.url}/account")
        await nothing_for_axe(page, "account")
        await page.get_by_role("link", name="Turn it on").click()
        await nothing_for_axe(page, "second step")
        secret = (await page.locator("code").first.inner_text()).replace(" ", "")
        await page.get_by_label("Then type the six digits").fill("123")
        await page.get_by_role("button", name="Turn it on").click()
        await expect(page.get_by_text("is not the code that the app shows now")).to_be_visible()
        await page.get_by_label("Then type the six digits").fill(pyotp.TOTP(secret).now())
        await page.get_by_role("button", name="Turn it on").click()
        await expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        code = await page.locator(".recovery-codes code").first.inner_text()
        await nothing_for_axe(page, "recovery codes")
        await page.get_by_role("link", name="I have them").click()
        await expect(page.get_by_text("10 recovery codes are left")).to_be_visible()

        complaints: list[str] = []
        context, elsewhere = await another(page, pages, complaints)
        await elsewhere.goto(f"{pages.url}/sign-in")
        await elsewhere.get_by_label("E-mail address").fill(f"{Role.OWNER.value}-{pages.company.id}@example.com")
        await elsewhere.get_by_label("Password").fill(PASSWORD)
        await elsewhere.get_by_role("button", name="Sign in").click()
        await expect(elsewhere.get_by_role("heading", name="The second step")).to_be_visible()
        await nothing_for_axe(elsewhere, "code")
        await elsewhere.get_by_label("Code").fill(code)
        await elsewhere.get_by_role("button", name="Sign in").click()
        await elsewhere.wait_for_url("**/overview")

        await page.goto(f"{pages.url}/account")
        await page.get_by_role("button", name="Sign out everywhere but here").click()
        await expect(page.get_by_text("other browser is signed out")).to_be_visible()
        await elsewhere.goto(f"{pages.url}/calls")
        await elsewhere.wait_for_url("**/sign-in?**")
        await elsewhere.goto(f"{pages.url}/sign-in/forgotten")
        await nothing_for_axe(elsewhere, "forgotten")
        await context.close()
        assert complaints == []
