"""All companies of an agency on one page: what rings, today, the period; each on its own calendar."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, expect

from gateway.http.permissions import Role
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_browser import looking, nothing_for_axe


async def both(pages: Pages, role: Role = Role.MANAGER) -> None:
    """Everybody so far is in both companies."""
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO memberships (user_id, company_id, role) SELECT id, $1, $2 FROM users",
            pages.stranger.id,
            role.value,
        )


def cells(page: str, company: str) -> dict[str, str]:
    """The cells of a company's row, by their labels."""
    row = page.partition(f"<bdi>{company}</bdi>")[2].partition("</tr>")[0]
    found = re.findall(r'data-label="([^"]+)">(.*?)</td>', row, re.DOTALL)
    return {label: " ".join(re.sub("<[^>]*>", "", value).split()) for label, value in found}


async def test_today_is_each_companys_own_day_and_what_rings_is_told(pages: Pages) -> None:
    client = await pages.signed_in()
    await both(pages)
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE companies SET time_zone = 'Pacific/Kiritimati' WHERE id = $1", pages.stranger.id)
    now = datetime.now(UTC)
    for company, zone in ((pages.company, "America/Regina"), (pages.stranger, "Pacific/Kiritimati")):
        local = now.astimezone(ZoneInfo(zone))
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        await add_call(pages.database, company, started_at=midnight + timedelta(seconds=1), outcome="busy")
        await add_call(pages.database, company, started_at=midnight - timedelta(seconds=1), outcome="busy")
    await add_call(pages.database, pages.company, state="ringing", outcome=None)
    await add_call(pages.database, pages.stranger, state="answered", outcome=None)
    page = await (await client.get("/companies?period=7d")).text()
    acme, borealis = cells(page, "Acme Roofing"), cells(page, "Borealis Dental")
    assert (acme["Now"], acme["Today"], acme["Missed today"], acme["Last 7 days"]) == ("1 rings", "1", "1", "2")
    assert (borealis["Now"], borealis["Today"], borealis["Missed today"]) == ("1 talks", "1", "1")


async def test_its_figures_are_those_of_the_overview_and_of_the_list(pages: Pages) -> None:
    client = await pages.signed_in()
    await both(pages)
    now = datetime.now(UTC)
    outcomes = ("answered", "no_answer", "busy", "voicemail", "blocked", "cut_off", "answered", "answered")
    for place, outcome in enumerate(outcomes * 3):
        await add_call(pages.database, pages.company, outcome=outcome, started_at=now - timedelta(hours=3 * place + 1))
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "UPDATE calls SET status = 'spam' WHERE id IN (SELECT id FROM calls ORDER BY id % 4, id LIMIT 5)"
        )
        await wire.execute("UPDATE calls SET answered_at = started_at WHERE outcome = 'cut_off' AND id % 2 = 0")
    page = await (await client.get("/companies")).text()
    acme = cells(page, "Acme Roofing")
    overview = await (await client.get(f"/overview?company={pages.company.id}")).text()
    shown = dict(re.findall(r'<dt>(\w+)</dt>\s*<dd class="value">(?:<a [^>]*>)?(\d+)', overview))
    assert (acme["Last 30 days"], acme["Answered"], acme["Missed"]) == (
        shown["calls"],
        shown["answered"],
        shown["missed"],
    )
    row = page.partition("<bdi>Acme Roofing</bdi>")[2].partition("</tr>")[0]
    missed = next(url for url in re.findall(r'href="([^"]+)"', row) if "reached=no" in url and "period" not in url)
    listed = await (await client.get(unescape(missed))).text()
    assert str(listed.count('<li class="call')) == acme["Missed"] != "0"


async def test_jobs_and_spend_are_those_of_the_overview(pages: Pages) -> None:
    client = await pages.signed_in()
    await both(pages)
    now, company = datetime.now(UTC), pages.company
    for days, value in ((1, "900"), (3, "1200"), (45, "70")):
        call_id = await add_call(pages.database, company, started_at=now - timedelta(days=days))
        answer = await client.post(f"/calls/{call_id}/job", data={"value": value, "next": "/calls"})
        assert answer.status == 200
    async with pages.database.companies(company.id) as wire:
        today = now.astimezone(ZoneInfo("America/Regina")).date()
        await wire.execute(
            "INSERT INTO spend (company_id, source_id, first_day, last_day, amount, currency) "
            "VALUES ($1, $2, $3, $4, 600, 'CAD')",
            company.id,
            company.sources["Google Ads"],
            today - timedelta(days=59),
            today,
        )
        await wire.execute("UPDATE tracking_numbers SET monthly_price = 3, created_at = now() - interval '10 days'")
    for period in ("30d", "all", "today", "90d"):
        overview = await (await client.get(f"/overview?company={company.id}&period={period}")).text()
        large = re.findall(r'<dt>([^<]+)</dt>\s*<dd class="value">(?:<a [^>]*>)?([^<]+)', overview)
        shown = {name: value.strip() for name, value in large}
        acme = cells(await (await client.get(f"/companies?period={period}")).text(), "Acme Roofing")
        # Among companies with several currencies each is named.
        money = [acme[name].replace("CA$", "$") for name in ("Spend", "A job")]
        assert (acme["Jobs"], *money) == (shown["jobs"], shown["spent"], shown["a job"]), period
    borealis = cells(await (await client.get("/companies")).text(), "Borealis Dental")
    assert (borealis["Jobs"], borealis["Spend"], borealis["A job"]) == ("0", "–", "–")


async def test_where_one_is_an_agent_there_are_no_figures(pages: Pages) -> None:
    client = await pages.signed_in()
    await both(pages, Role.AGENT)
    page = await (await client.get("/companies")).text()
    assert cells(page, "Acme Roofing")
    assert not cells(page, "Borealis Dental")


async def test_forty_companies_with_forty_thousand_calls(pages: Pages) -> None:
    client = await pages.signed_in()
    async with pages.database.everything() as wire:
        await wire.execute("ALTER TABLE calls DISABLE TRIGGER call_changed")
        await wire.execute("INSERT INTO companies (name) SELECT 'Client ' || i FROM generate_series(1, 40) i")
        await wire.execute(
            "INSERT INTO memberships (user_id, company_id, role) "
            "SELECT u.id, c.id, 'manager' FROM users u, companies c ON CONFLICT DO NOTHING"
        )
        await wire.execute(
            """INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, started_at)
               SELECT c.id, $1, c.id || '-' || i, 3, 'ended', CASE WHEN i % 5 = 0 THEN 'busy' ELSE 'answered' END,
                      '+13065552001', now() - i * interval '30 minutes'
               FROM companies c, generate_series(1, 1000) i""",
            pages.company.node_id,
        )
        await wire.execute("ANALYZE calls")
    page = await client.get("/companies")
    assert page.status == 200
    assert (await page.text()).count("Client ") >= 40


async def test_the_page_lives(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await both(pages)
        await page.goto(f"{pages.url}/companies")
        await nothing_for_axe(page, "companies")
        call_id = await add_call(pages.database, pages.stranger, state="ringing", outcome=None)
        await expect(page.get_by_role("row", name=re.compile("Borealis")).get_by_text("1 rings")).to_be_visible()
        async with pages.database.companies(pages.stranger.id) as wire:
            await wire.execute("UPDATE calls SET state = 'ended', outcome = 'busy', stage = 3 WHERE id = $1", call_id)
        await expect(page.get_by_text("1 rings")).to_have_count(0)
        await nothing_for_axe(page, "companies, with a missed call")
