"""The pages about missed calls and about who answers: read, clicked, exported, and held to the list of calls."""

import csv
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.async_api import Browser, expect

from gateway.http import call_list
from gateway.http.accounts import Company, viewer_of
from gateway.http.call_filter import CallFilter
from gateway.http.permissions import Role
from tests.http.company import add_call, fill
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe, until

ANNA = "+13065550142"


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


async def _company(pages: Pages) -> Company:
    client = await pages.signed_in()
    session = next(cookie for cookie in client.cookie_jar if cookie.key == "np_session")
    viewer = await viewer_of(pages.database, session.value)
    assert viewer is not None
    found = viewer.company(pages.company.id)
    assert found is not None
    return found


async def _listed(pages: Pages, company: Company, link: str) -> int:
    """How many calls the list shows at a link of a page."""
    query = dict(parse_qsl(urlsplit(unescape(link)).query))
    query.pop("company", None)
    async with pages.database.companies(company.id) as connection:
        return await call_list.count(connection, company, CallFilter.parse(query))


def _links(text: str) -> list[tuple[str, int]]:
    """Every figure of a page that leads to the list of calls, and how many it says there are."""
    found = re.findall(r'<a href="(/calls\?[^"]*)">([0-9,]+)</a>', text)
    return [(link, int(said.replace(",", ""))) for link, said in found]


@pytest.mark.parametrize("path", ["/reports/missed", "/reports/answering"])
@pytest.mark.parametrize("period", ["7d", "all"])
async def test_each_figure_is_of_as_many_calls_as_the_list_shows(pages: Pages, path: str, period: str) -> None:
    now = datetime.now(UTC)
    await fill(pages.database, pages.company, pages.recordings, now)
    marked, blocked = pages.company.calls[0], pages.company.calls[3]
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE calls SET status = 'spam' WHERE id = $1", marked)
        await wire.execute("UPDATE calls SET outcome = 'blocked' WHERE id = $1 AND state = 'ended'", blocked)
    await add_call(pages.database, pages.company, outcome="voicemail", started_at=now - timedelta(hours=30))
    client = await pages.signed_in()
    answer = await client.get(path, params={"period": period})
    text = await answer.text()
    assert answer.status == 200
    links = _links(text)
    assert len(links) >= 2
    company = await _company(pages)
    for link, said in links:
        assert await _listed(pages, company, link) == said, link


async def test_an_analyst_reads_and_has_no_buttons_and_an_agent_is_not_let_in(pages: Pages) -> None:
    await add_call(pages.database, pages.company, outcome="no_answer", started_at=ago(30))
    text = await (await (await pages.signed_in(Role.ANALYST)).get("/reports/missed")).text()
    assert "waiting, 1 attempt" in text
    assert "called-back" not in text
    agent = await pages.signed_in(Role.AGENT)
    assert (await agent.get("/reports/missed")).status == 403
    assert (await agent.get("/reports/answering")).status == 403


async def test_called_back_is_said_once_and_taken_back(pages: Pages) -> None:
    call = await add_call(pages.database, pages.company, outcome="no_answer", started_at=ago(30))
    answered = await add_call(pages.database, pages.company, caller="+13065550199", started_at=ago(30))
    client = await pages.signed_in()
    json = {"Accept": "application/json"}
    told = await (await client.post(f"/calls/{call}/called-back", headers=json)).json()
    assert told["text"] == "Called back: (306) 555-0142."
    again = await (await client.post(f"/calls/{call}/called-back", headers=json)).json()
    assert "Nothing to do" in again["text"]
    assert again["undo"] is None
    never = await (await client.post(f"/calls/{answered}/called-back", headers=json)).json()
    assert "Nothing to do" in never["text"]
    assert "Nothing to do." in await (await client.get("/reports/missed")).text()
    audit = await (await client.get("/settings/audit")).text()
    assert "called back" in audit
    assert (await client.post(f"/undo/{told['undo']}", headers=json)).status == 200
    assert "waiting, 1 attempt" in await (await client.get("/reports/missed")).text()


async def test_files_hold_what_the_page_shows_and_no_formula(pages: Pages) -> None:
    await add_call(
        pages.database,
        pages.company,
        outcome="no_answer",
        started_at=ago(90),
        caller_name='=HYPERLINK("x")',
        caller=ANNA,
    )
    await add_call(pages.database, pages.company, outcome="busy", started_at=ago(60), caller=ANNA, caller_name="=1+1")
    await add_call(pages.database, pages.company, outcome="answered", started_at=ago(30), ring=0, caller=ANNA)
    client = await pages.signed_in()
    answer = await client.get("/reports/missed/export.csv")
    assert "missed-calls-acme-roofing" in answer.headers["Content-Disposition"]
    (heads, row) = csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig")))
    told = dict(zip(heads, row, strict=True))
    assert (told["Caller"], told["Missed calls"], told["Name"]) == (ANNA, "2", "'=1+1")
    assert told["Reached"] == "called again and was answered"
    assert 3590 <= int(told["Waited, seconds"]) <= 3610
    for path in ("/reports/missed/export.xlsx", "/reports/answering/export.xlsx", "/reports/answering/export.csv"):
        answer = await client.get(path)
        assert answer.status == 200
        body = await answer.read()
        if path.endswith("xlsx"):
            with zipfile.ZipFile(io.BytesIO(body)) as parts:
                sheet = parts.read("xl/worksheets/sheet1.xml").decode()
            assert "<f>" not in sheet
            assert "<v>" in sheet
        else:
            assert "Reception,PJSIP/reception,1,0,2,0.5,1,1," in body.decode()
    assert "exported the report" in await (await client.get("/settings/audit")).text()


@pytest.mark.parametrize("address", ["show=nonsense&page=0", "page=x", "page=100000"])
async def test_a_page_that_cannot_be_is_refused(pages: Pages, address: str) -> None:
    client = await pages.signed_in()
    assert (await client.get(f"/reports/missed?{address}")).status == 400
    assert (await client.get("/reports/answering?sort=moon")).status == 400


async def test_many_who_wait_are_paged_and_each_is_shown_once(pages: Pages) -> None:
    for minute in range(60):
        caller = f"+1306555{minute:04}"
        await add_call(pages.database, pages.company, outcome="no_answer", started_at=ago(60 + minute), caller=caller)
    client = await pages.signed_in()
    shown: list[str] = []
    for page in (1, 2, 3):
        text = await (await client.get("/reports/missed", params={"page": str(page)})).text()
        shown += re.findall(r'class="wait-number" href="tel:(\+[0-9]+)"', text)
        assert ('rel="next"' in text) == (page < 3)
    assert shown == [f"+1306555{minute:04}" for minute in range(60)]
    assert 'class="wait"' not in await (await client.get("/reports/missed?page=4")).text()


async def test_called_back_by_a_click_and_undone_and_noted(pages: Pages, chromium: Browser) -> None:
    first = await add_call(pages.database, pages.company, outcome="no_answer", started_at=ago(90), caller=ANNA)
    await add_call(pages.database, pages.company, outcome="busy", started_at=ago(45), caller="+13065550199")
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/reports/missed")
        rows = page.locator("li.wait")
        await expect(rows).to_have_count(2)
        await expect(page.locator("#live-state")).to_have_text("Live")
        await rows.filter(has_text="555-0142").get_by_role("button", name="Called back").click()
        await expect(page.get_by_role("status").get_by_text("Called back: (306) 555-0142.")).to_be_visible()
        await expect(rows).to_have_count(1)
        await page.get_by_role("button", name="Undo").click()
        await expect(rows).to_have_count(2)
        # A call that comes shows by itself.
        await add_call(pages.database, pages.company, outcome="abandoned", started_at=ago(1), caller="+13065550120")
        await expect(rows).to_have_count(3)
        row = rows.filter(has_text="555-0142")
        await row.get_by_text("Add a note").click()
        await row.get_by_label("Note").fill("Not before noon")
        await row.get_by_role("button", name="Save the note").click()
        await expect(page.locator("li.wait").filter(has_text="Not before noon")).to_have_count(1)
        # He calls again and is answered: done, and said how.
        await add_call(pages.database, pages.company, started_at=ago(0.5), caller=ANNA, ring=2)
        await expect(rows).to_have_count(2)
        await page.get_by_role("link", name="Reached since").click()
        await expect(rows).to_have_count(1)
        await expect(rows.first).to_contain_text("called again and was answered")
        assert first


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    await fill(pages.database, pages.company, pages.recordings, datetime.now(UTC))
    await add_call(pages.database, pages.company, outcome="no_answer", started_at=ago(20), caller="anonymous#1")
    async with looking(pages, chromium, scheme) as page:
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for path in (
                "/reports/missed",
                "/reports/missed?show=reached",
                "/reports/answering",
                "/reports/missed?period=today",
            ):
                await page.goto(pages.url + path)
                await page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
                await until(page, "document.readyState === 'complete'")
                await nothing_for_axe(page, f"{path} {width}")
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
