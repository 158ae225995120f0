"""Money by clicking and typing: the grid, single amounts, imports that are looked at first, undo, and who may what."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, Locator, Page, expect

from gateway.http.permissions import Role
from gateway.reports import spend_book
from gateway.reports.spend_book import months_before
from tests.http.conftest import Pages
from tests.http.test_browser import looking, nothing_for_axe

REGINA = ZoneInfo("America/Regina")
GOOGLE = """Campaign report
"November 1, 2025 - November 3, 2025"
Day,Campaign status,Campaign,Currency code,Cost,Impr.
2025-11-01,Enabled,Roofs,CAD,"1,010.50",100
2025-11-02,Enabled,Roofs,CAD,20.00,90
2025-11-03,Enabled,Gutters,CAD,0.00,9
2025-11-31,Enabled,Gutters,CAD,5.00,9
Total: Account, --, --,CAD,"1,035.50",208
"""


def this_month() -> str:
    return f"{datetime.now(REGINA):%Y-%m}"


async def spent(pages: Pages) -> list[tuple[str, str, str, Decimal]]:
    """Every amount in force: source, campaign, first day, amount."""
    async with pages.database.companies(pages.company.id) as connection:
        found = await spend_book.amounts(connection, pages.company.id, most=1000)
    return sorted((each.source_name, each.campaign, each.first_day.isoformat(), each.amount) for each in found)


def cell(page: Page, source: str, month: int = 5) -> Locator:
    """A cell of the grid; the present month is the sixth."""
    return page.locator("#spend-grid tbody tr").filter(has_text=source).locator("input").nth(month)


async def test_the_grid_without_script(pages: Pages) -> None:
    client = await pages.signed_in(Role.MANAGER)
    facebook, month = pages.company.sources["Facebook"], this_month()
    cells = {f"cell-{facebook}-{month}": "1,200.50", f"cell-{pages.company.sources['Google Ads']}-{month}": ""}
    answer = await client.post("/money/months", data=cells)
    assert "Saved." in await answer.text()
    assert await spent(pages) == [("Facebook", "", f"{month}-01", Decimal("1200.50"))]
    # The same again changes nothing, and what is no number is said beside what was typed.
    assert "Nothing was changed." in await (await client.post("/money/months", data=cells)).text()
    wrong = await client.post("/money/months", data={f"cell-{facebook}-{month}": "a lot"})
    assert wrong.status == 422
    text = await wrong.text()
    assert 'value="a lot"' in text
    assert "This is not a number." in text
    for name in ("cell-999999-2026-11", "cell-x-2026-11", f"cell-{facebook}-2026-99", f"cell-{facebook}-1-1"):
        assert (await client.post("/money/months", data={name: "5"})).status == 200
    assert len(await spent(pages)) == 1
    # Another company's source is nobody here.
    theirs = pages.stranger.sources["Facebook"]
    await client.post("/money/months", data={f"cell-{theirs}-{month}": "5"})
    async with pages.database.everything() as connection:
        assert await connection.fetchval("SELECT count(*) FROM spend") == 1
    audit = await (await (await pages.signed_in()).get("/settings/audit")).text()
    assert "changed the spend of Facebook" in audit


async def test_who_only_reads_sees_figures_and_no_field(pages: Pages) -> None:
    async with pages.database.companies(pages.company.id) as connection:
        month = datetime.now(REGINA).date().replace(day=1)
        await spend_book.set_month(connection, pages.company.id, pages.company.sources["Facebook"], month, Decimal(500))
    client = await pages.signed_in(Role.ANALYST)
    text = await (await client.get("/money")).text()
    assert "$500" in text
    assert '<input name="cell-' not in text
    assert (await client.post("/money/months", data={"cell-1-2026-11": "5"})).status == 403
    assert (await client.get("/money/import")).status == 403
    assert (await (await pages.signed_in(Role.AGENT)).get("/money")).status == 403


async def test_the_grid_by_keyboard_with_paste_and_undo(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/money")
        google, facebook = cell(page, "Google Ads"), cell(page, "Facebook")
        await google.focus()
        await page.keyboard.type("1000")
        await page.keyboard.press("Enter")
        await expect(facebook).to_be_focused()
        await page.keyboard.type("5")
        await page.keyboard.press("Escape")
        await expect(facebook).to_have_value("")
        await page.keyboard.type("500")
        await page.keyboard.press("ArrowUp")
        await expect(google).to_be_focused()
        total = page.locator("#spend-grid [data-total=all]")
        await expect(total).to_have_text("$1,500")
        await expect(page.locator("table.came-back tfoot")).to_contain_text("$")

        # What is no number stays where it is, with a word on it, and nothing is lost.
        await page.keyboard.type("a lot")
        await page.keyboard.press("Enter")
        await expect(google).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#notices")).to_contain_text("This is not a number.")
        await google.fill("1200")
        await page.keyboard.press("Enter")
        await expect(total).to_have_text("$1,700")
        await page.locator("#notices").get_by_role("button", name="Undo").click()
        await expect(total).to_have_text("$1,500")
        await expect(google).to_have_value("1,000")

        # Two rows and two columns of a spreadsheet, from last month on.
        await cell(page, "Google Ads", 4).focus()
        await page.evaluate(
            """() => {
                const data = new DataTransfer();
                data.setData("text", "800\\t900\\r\\n400\\t450\\r\\n");
                document.activeElement.dispatchEvent(
                    new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
            }"""
        )
        await expect(total).to_have_text("$2,550")
        await nothing_for_axe(page, "/money")
    month = datetime.now(REGINA).date().replace(day=1)
    before = months_before(month, 1).isoformat()
    assert await spent(pages) == [
        ("Facebook", "", before, Decimal(400)),
        ("Facebook", "", month.isoformat(), Decimal(450)),
        ("Google Ads", "", before, Decimal(800)),
        ("Google Ads", "", month.isoformat(), Decimal(900)),
    ]


async def test_an_amount_that_overlaps_is_shown_and_may_come_on_top(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium, "dark") as page:
        await page.goto(f"{pages.url}/money/amounts")
        await expect(page.get_by_role("heading", name="No amount in these days")).to_be_visible()

        async def add(amount: str, note: str = "") -> None:
            await page.get_by_label("Source", exact=True).select_option("Direct mail")
            await page.get_by_label("First day").fill("2026-03-09")
            await page.get_by_label("Last day").fill("2026-03-22")
            await page.locator("#amount").fill(amount)
            await page.locator("#note").fill(note)
            await page.get_by_role("button", name="Add it").click()

        await add("2400")
        await expect(page.locator("table").first).to_contain_text("$2,400")
        await add("100", "printer")
        await expect(page.get_by_role("alert")).to_contain_text("There is an amount for some of these days already")
        await expect(page.get_by_role("alert")).to_contain_text("$2,400")
        await nothing_for_axe(page, "/money/amounts with a clash")
        await page.get_by_label("It comes on top of that").check()
        await page.get_by_role("button", name="Add it").click()
        await expect(page.get_by_text("2 amounts, $2,500")).to_be_visible()

        await page.get_by_role("row").filter(has_text="printer").get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("1 amount, $2,400")).to_be_visible()
        await page.locator("#notices").get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("2 amounts, $2,500")).to_be_visible()
        await nothing_for_axe(page, "/money/amounts")


async def test_an_export_is_looked_at_stored_replaced_and_taken_back(
    pages: Pages, chromium: Browser, tmp_path: Path
) -> None:
    export = tmp_path / "Campaign report.csv"
    export.write_text(GOOGLE)

    async with looking(pages, chromium) as page:

        async def look(content: str | None = None) -> None:
            if content is not None:
                export.write_text(content)
            await page.goto(f"{pages.url}/money/import")
            await page.get_by_label("File").set_input_files(export)
            await page.get_by_role("button", name="Look at it first").click()

        await look()
        await expect(
            page.get_by_role("heading", name="Google Ads: 2 amounts would be stored, $1,030.50")
        ).to_be_visible()
        await expect(page.get_by_role("row").filter(has_text="2025-11-31")).to_contain_text("This is not a day.")
        await expect(page.get_by_label("Source of Roofs")).to_have_value(str(pages.company.sources["Google Ads"]))
        await nothing_for_axe(page, "/money/import")
        assert await spent(pages) == []
        await page.get_by_role("button", name="Store 2 amounts").click()
        await expect(page.locator("#notices")).to_contain_text("2 amounts are stored. 1 line was left out.")
        stored = [
            ("Google Ads", "Roofs", "2025-11-01", Decimal("1010.50")),
            ("Google Ads", "Roofs", "2025-11-02", Decimal(20)),
        ]
        assert await spent(pages) == stored

        # A day later the export says another amount: it takes the place of the first.
        await look(GOOGLE.replace("20.00", "25.00"))
        await expect(page.get_by_text("2 amounts of earlier imports give way to these.")).to_be_visible()
        await page.get_by_role("button", name="Store 2 amounts").click()
        await expect(page.locator("#notices")).to_contain_text("are stored")
        assert (await spent(pages))[1][3] == 25
        await page.locator("#notices").get_by_role("button", name="Undo").click()
        await expect(page.locator("#notices")).to_contain_text("Undone.")
        assert await spent(pages) == stored

        # Another source by choice, days that are taken, and the file's word against what is there.
        await look(GOOGLE)
        await page.get_by_label("Source of Roofs").select_option("Facebook")
        await page.get_by_role("button", name="Look again").click()
        await expect(page.get_by_label("Source of Roofs")).to_have_value(str(pages.company.sources["Facebook"]))
        await page.get_by_role("button", name="Store 2 amounts").click()
        await expect(page.locator("#notices")).to_contain_text("are stored")
        assert {source for source, *_ in await spent(pages)} == {"Google Ads", "Facebook"}

        # A whole import is taken out, and brought back.
        row = page.get_by_role("table", name="Imports").get_by_role("row").nth(1)
        await row.get_by_role("button", name="Remove").click()
        await expect(page.locator("#notices")).to_contain_text("The import with 2 amounts is removed.")
        assert await spent(pages) == stored
        await page.locator("#notices").get_by_role("button", name="Undo").click()
        await expect(page.locator("#notices")).to_contain_text("Undone.")
        assert len(await spent(pages)) == 4


async def test_a_file_that_needs_a_word_gets_it(pages: Pages, chromium: Browser, tmp_path: Path) -> None:
    export = tmp_path / "kosten.csv"
    async with pages.database.companies(pages.company.id) as connection:
        november = datetime(2025, 11, 1, tzinfo=REGINA).date()
        await spend_book.set_month(
            connection, pages.company.id, pages.company.sources["Facebook"], november, Decimal(9)
        )

    async with looking(pages, chromium) as page:

        async def look(content: str) -> None:
            export.write_text(content)
            await page.goto(f"{pages.url}/money/import")
            await page.get_by_label("File").set_input_files(export)
            await page.get_by_role("button", name="Look at it first").click()

        # Columns nobody knows.
        await look("Wann;Wofür;Wieviel\n03.11.2025;Dach;1.234,50\n")
        await expect(page.get_by_role("heading", name="Which column is what?")).to_be_visible()
        await page.locator("#column-day").select_option("Wann")
        await page.locator("#column-campaign").select_option("Wofür")
        await page.locator("#column-amount").select_option("Wieviel")
        await page.get_by_role("button", name="Look again").click()
        await expect(page.get_by_role("heading", name="Which source does this belong to?")).to_be_visible()
        await page.get_by_label("Source of Dach").select_option("Direct mail")
        await page.get_by_role("button", name="Look again").click()
        await page.get_by_role("button", name="Store 1 amount").click()
        await expect(page.locator("#notices")).to_contain_text("1 amount is stored.")
        assert ("Direct mail", "Dach", "2025-11-03", Decimal("1234.50")) in await spent(pages)

        # Money of another country.
        meta = "Reporting starts,Reporting ends,Campaign name,Amount spent (%s)\n2025-11-01,2025-11-30,Spring,300\n"
        await look(meta % "USD")
        await expect(page.get_by_role("alert")).to_contain_text("This file is in USD, and the company’s money is CAD")
        await expect(page.get_by_role("button", name="Store")).to_have_count(0)

        # Days for which somebody typed an amount.
        await look(meta % "CAD")
        await expect(page.get_by_text("1 amount is there already for some of these days")).to_be_visible()
        await nothing_for_axe(page, "/money/import with a clash")
        await page.locator('input[name="clash"][value="replace"]').check()
        await page.get_by_role("button", name="Store it so").click()
        await expect(page.locator("#notices")).to_contain_text("1 amount is stored.")
        assert ("Facebook", "Spring", "2025-11-01", Decimal(300)) in await spent(pages)
        assert ("Facebook", "", "2025-11-01", Decimal(9)) not in await spent(pages)

        # No table at all.
        await look("a letter to a friend")
        await expect(page.get_by_text("There is no table with amounts in this file.")).to_be_visible()


async def test_a_program_without_a_source_gets_one(pages: Pages) -> None:
    client = await pages.signed_in(Role.OWNER)
    text = "Gregorian date,Campaign name,Spend\n11/1/2025,Bing search,31.50\n"
    looked = await (await client.post("/money/import", data={"list": text, "do": "look"})).text()
    assert "A new source: Microsoft Advertising" in looked
    stored = await client.post("/money/import", data={"list": text, "do": "store"})
    assert "1 amount is stored." in await stored.text()
    assert await spent(pages) == [("Microsoft Advertising", "Bing search", "2025-11-01", Decimal("31.50"))]
