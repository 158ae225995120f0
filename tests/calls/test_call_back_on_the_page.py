"""Chromium clicks "Call back": a real telephone rings, then the caller's, and the page says how it goes on."""

import re
from pathlib import Path

from playwright.async_api import Browser, expect

from gateway.http.commands import add_user, make_login_link
from gateway.http.permissions import Role
from gateway.local.programs import AsteriskHome
from gateway.store.database import Database
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_gives_up, line_answers, line_refuses
from tests.http.conftest import chromium
from tests.installation import Installation, Number

__all__ = ["chromium"]  # a fixture

DID = "+13065552001"
PATIENCE = 30_000  # ms, of a machine that does much else


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(
        home,
        folder,
        dsn,
        [Number(DID, ("rings",), record=True)],
        ("main", "rings", "desk", "carrier"),
        trunks=[{"name": "carrier", "shows": "tracking"}],
    )


async def test_the_page_shows_what_happens(exchange: Exchange, chromium: Browser, caller: str) -> None:
    installation = exchange.installation
    await exchange.line("desk", line_answers(0.3))
    await exchange.line("carrier", line_answers(0.5, tone=exchange.tone(440)))
    call = await exchange.call(caller_gives_up(Invite(DID, caller), 0.05), "rings")
    url = next(line["url"] for line in installation.gateway.log_lines() if line.get("event") == "pages")
    database = await Database.open(installation.dsn, 2)
    try:
        await add_user(database, "owner@acme.example", "Acme", Role.OWNER)
        link = await make_login_link(database, "owner@acme.example", url)
    finally:
        await database.close()
    await installation.sql("UPDATE users SET telephone = 'PJSIP/desk'")
    page = await chromium.new_page()
    try:
        await page.goto(link)
        await page.get_by_role("button", name="Sign in").click()
        await page.goto(f"{url}/calls/{call['id']}")
        await page.get_by_role("button", name=re.compile("^Call back")).dblclick()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Talking with", timeout=PATIENCE)
        await dialog.get_by_role("button", name="Hang up").click()
        await expect(dialog).to_contain_text("Talked for", timeout=PATIENCE)
        await page.reload()
        await expect(page.locator("#backs")).to_contain_text("Reached")
        assert len(await installation.sql("SELECT 1 FROM placed_calls")) == 1
        # By key in the list; and what goes wrong is said.
        await exchange.line("carrier", line_refuses("486 Busy Here"))
        await page.goto(f"{url}/calls")
        await page.keyboard.press("j")
        await page.keyboard.press("c")
        await expect(page.get_by_role("dialog")).to_contain_text("The line was busy.", timeout=PATIENCE)
    finally:
        await page.close()
    await installation.wait_quiet()
