"""Pools and their numbers, clicked through in a real browser."""

import json
from typing import Any

from playwright.async_api import Browser, Page, expect

from gateway.http.permissions import Role
from gateway.pools import setup, sites
from tests.http.conftest import Pages
from tests.http.test_browser import looking, nothing_for_axe


async def _row(pages: Pages, query: str, *values: Any) -> Any:
    async with pages.database.companies(pages.company.id) as connection:
        return await connection.fetchrow(query, *values)


async def _a_pool(pages: Pages, page: Page, name: str = "Website visitors") -> None:
    """A pool that lends, made by clicking; the browser is then where its numbers are added."""
    await page.goto(f"{pages.url}/settings/pools")
    await page.get_by_role("link", name="Add a pool").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("button", name="Add the pool").click()
    await expect(page.get_by_role("heading", name="Add numbers")).to_be_visible()


async def test_a_pool_gets_its_numbers_from_a_list_that_is_shown_first(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await _a_pool(pages, page)
        await page.get_by_label("Numbers").fill("(306) 555-4100\n306 555 4101\n12\n(306) 555-4100\n(306) 555-2001\n")
        await page.get_by_role("button", name="Look at it first").click()
        await expect(page.get_by_role("heading", name="2 numbers would be made")).to_be_visible()
        await expect(page.get_by_role("row", name="12")).to_contain_text("digits")
        await expect(page.get_by_role("row", name="4 (306) 555-4100")).to_contain_text("earlier line")
        await expect(page.get_by_role("row", name="5 +13065552001")).to_contain_text(
            "in the pool Advertisements already"
        )
        assert (await _row(pages, "SELECT count(*) FROM tracking_numbers WHERE e164 LIKE '+13065554%'"))[0] == 0
        await nothing_for_axe(page, "the preview of an import")
        await page.get_by_role("button", name="Make the 2 that are good").click()
        await expect(page.get_by_text("2 numbers are made. 3 lines were left out.")).to_be_visible()
        assert (await _row(pages, "SELECT count(*) FROM tracking_numbers WHERE e164 LIKE '+13065554%'"))[0] == 2
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("Undone.")).to_be_visible()
        assert (await _row(pages, "SELECT count(*) FROM tracking_numbers WHERE e164 LIKE '+13065554%'"))[0] == 0


async def test_a_file_takes_the_place_of_a_pasted_list_and_says_prices(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await _a_pool(pages, page)
        table = "Phone Number;Monthly cost;Carrier\n+1 306 555 4200;1.15;Tel & Co\n+1 306 555 4201;dear;Tel & Co\n"
        await page.get_by_label("Or a file").set_input_files(
            {"name": "numbers.csv", "mimeType": "text/csv", "buffer": table.encode("utf-16")}
        )
        await page.get_by_role("button", name="Look at it first").click()
        await expect(page.get_by_role("heading", name="1 number would be made")).to_be_visible()
        await expect(page.get_by_role("row", name="3 +1 306 555 4201")).to_contain_text("The price is no number")
        await page.get_by_role("button", name="Make the 1 that is good").click()
        await expect(page.get_by_role("cell", name="$1.15")).to_be_visible()
        await expect(page.get_by_text("Tel & Co")).to_be_visible()


async def test_all_settings_of_a_pool_are_kept_refused_in_place_and_taken_back(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await _a_pool(pages, page)
        await page.goto(page.url.replace("/import", ""))
        await expect(page.locator("#medium")).to_be_hidden()
        await page.locator("a[href='#pool-settings']").click()
        await page.locator("#medium").fill("cpc, ppc")
        await page.locator("#campaign").fill('spring*, !brand, "Roofs, new"')
        await page.get_by_text("More: keyword").click()
        await page.locator("#device").fill("watch")
        await page.get_by_label("Parameters of the address").fill("utm_term = roof*")
        await page.get_by_label("Stays the visitor's", exact=True).fill("2")
        await page.get_by_label("Stays the visitor's: unit").select_option("hours")
        await page.get_by_label("Then rests", exact=True).fill("3")
        await page.get_by_label("Then rests: unit").select_option("days")
        await page.get_by_label("show the fallback number").check()
        await page.locator("#fallback").fill("(306) 555-0000")
        await page.get_by_label("Price of a number").fill("1.15")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Only desktop, mobile and tablet are known.")).to_be_visible()
        await expect(page.get_by_text("Make it at least as long")).to_be_visible()
        await page.locator("#device").fill("mobile")
        await page.get_by_label("Rests after a call", exact=True).fill("4")
        await page.get_by_label("Rests after a call: unit").select_option("days")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Website visitors is changed.")).to_be_visible()
        kept = await _row(pages, "SELECT * FROM pools WHERE name = 'Website visitors'")
        assert json.loads(kept["conditions"]) == {
            "medium": ["cpc", "ppc"],
            "campaign": ["spring*", "!brand", "roofs, new"],
            "device": ["mobile"],
            "parameters": {"utm_term": ["roof*"]},
        }
        assert (kept["reserve_seconds"], kept["quarantine_seconds"], kept["dialled_quarantine_seconds"]) == (
            7200,
            259200,
            345600,
        )
        assert (kept["when_full"], kept["fallback_number"], str(kept["monthly_price"])) == (
            "fallback",
            "+13065550000",
            "1.1500",
        )
        await expect(page.locator("#campaign")).to_have_value('spring*, !brand, "roofs, new"')
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("Undone.")).to_be_visible()
        kept = await _row(pages, "SELECT * FROM pools WHERE name = 'Website visitors'")
        assert (kept["conditions"], kept["reserve_seconds"], kept["fallback_number"]) == ("{}", 1200, None)


async def test_numbers_rest_are_woken_moved_and_removed_and_that_is_taken_back(pages: Pages, chromium: Browser) -> None:
    async with pages.database.everything() as connection:
        owner = setup.Company(pages.company.id, "Acme Roofing", "CA")
        pool_id = await setup.add_pool(connection, owner, "Website visitors", "dynamic")
        for end in range(4100, 4103):
            await setup.add_number(connection, owner, f"+1306555{end}", pool="Website visitors")
    state = "SELECT p.name, n.resting_until, n.retired_at, s.name AS source FROM tracking_numbers n JOIN pools p ON p.id = n.pool_id LEFT JOIN sources s ON s.id = n.source_id WHERE e164 = '+13065554100'"  # noqa: E501
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/pools/{pool_id}")
        await page.get_by_role("button", name="Retire").click()
        await expect(page.get_by_role("alert")).to_contain_text("Tick the numbers")
        await page.get_by_label("(306) 555-4100").check()
        await page.get_by_role("button", name="Rest").click()
        await expect(page.get_by_text("1 number rests")).to_be_visible()
        await expect(page.get_by_role("row", name="(306) 555-4100")).to_contain_text("rests")
        await page.get_by_role("button", name="Undo").click()
        assert (await _row(pages, state))["resting_until"] is None
        await page.get_by_label("(306) 555-4100").check()
        await page.get_by_role("button", name="Move to").click()
        await expect(page.get_by_role("alert")).to_contain_text("stands for a source")
        await page.get_by_label("(306) 555-4100").check()
        await page.get_by_label("Source", exact=True).first.select_option("Facebook")
        await page.get_by_role("button", name="Move to").click()
        await expect(page.get_by_text("1 number is moved.")).to_be_visible()
        assert tuple((await _row(pages, state)).values())[::3] == ("Advertisements", "Facebook")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_label("(306) 555-4100")).to_be_visible()
        assert tuple((await _row(pages, state)).values())[::3] == ("Website visitors", None)
        await page.get_by_label("(306) 555-4100").check()
        await page.get_by_role("button", name="Remove", exact=True).click()
        await expect(page.get_by_text("1 number is removed.")).to_be_visible()
        assert await _row(pages, state) is None
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_label("(306) 555-4100")).to_be_visible()
        await page.get_by_role("link", name="(306) 555-4101").click()
        await page.get_by_label("Whisper").fill("custom/web")
        await page.get_by_label("A fax is behind it").check()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("A fax hears no whisper")).to_be_visible()
        await page.get_by_label("A fax is behind it").uncheck()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("(306) 555-4101 is changed.")).to_be_visible()


async def test_an_analyst_reads_and_changes_nothing(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium, role=Role.ANALYST) as page:
        answer = await page.goto(f"{pages.url}/settings/pools")
        if answer is not None and answer.status == 200:
            await expect(page.get_by_role("link", name="Add a pool")).to_have_count(0)
            await page.get_by_role("link", name="Advertisements").click()
            await expect(page.get_by_role("button", name="Save")).to_have_count(0)
            await nothing_for_axe(page, "a pool that one may only look at")


async def test_the_adviser_tries_sizes_out_and_the_page_stays_usable(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await _a_pool(pages, page)
        await page.goto(page.url.replace("/import", "/advice"))
        await page.get_by_role("button", name="Try it out").click()
        await expect(page.get_by_text("The pool has lent no number in 90 days")).to_be_visible()
        await page.get_by_label("I know the busiest hour").check()
        await page.get_by_label("Visits in the busiest hour").fill("12")
        await page.get_by_role("button", name="Try it out").click()
        await expect(page.get_by_role("progressbar")).to_be_visible()
        await page.get_by_role("link", name="Website visitors").click()
        await expect(page.get_by_role("heading", name="How full it was")).to_be_visible()
        await page.go_back()
        await expect(page.get_by_text("numbers are enough")).to_be_visible(timeout=120_000)
        await expect(page.get_by_role("row").filter(has_text="busiest hour / 4")).to_contain_text("3")
        await nothing_for_axe(page, "the advice for a pool")
        await page.get_by_label("An export of Google Analytics").check()
        await page.get_by_label("The export").set_input_files(
            {"name": "ga.csv", "mimeType": "text/csv", "buffer": b"Date,Sessions\n2026-05-01,7\n"}
        )
        await page.get_by_role("button", name="Try it out").click()
        await expect(page.get_by_text("It cannot be read.")).to_be_visible()


async def test_the_rules_are_tried_with_an_address_and_changed_as_text(pages: Pages, chromium: Browser) -> None:
    async with pages.database.everything() as connection:
        site = await sites.add_site(connection, setup.Company(pages.company.id, "Acme Roofing", "CA"), "Main", hosts=[])
        await connection.execute(
            "INSERT INTO visits (company_id, id, site_id, started_at, url, referrer, label, channel, source, "
            "medium, rule) "
            "VALUES ($1, gen_random_uuid(), $2, now() - interval '1 hour', 'https://acme.example/', "
            "'https://partner.example/roofs', 'partner.example', 'Referral', 'partner.example', 'referral', "
            "'referral')",
            pages.company.id,
            site.id,
        )
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/sources")
        await page.get_by_label("Address of the first page").fill("https://acme.example/?gclid=abc")
        await page.get_by_label("Page the visitor came from").fill("https://www.google.com/")
        await page.get_by_role("button", name="Try it").click()
        await expect(page.locator("#answer")).to_contain_text("Google Paid")
        await expect(page.locator("#answer")).to_contain_text("Decided by the rule ad-click.")
        await page.get_by_text("rules before it did not decide").click()
        await expect(page.locator("#answer")).to_contain_text("google-maps-host")
        await nothing_for_axe(page, "the sources")
        await page.get_by_role("link", name="Change the rules").click()
        await page.get_by_label("Rules").fill('version = "1"\nextends = "default"\n[[rules]]\nname = "partner"\n')
        await page.get_by_role("button", name="Check and try").click()
        await expect(page.get_by_text("'partner': then is missing; add it.")).to_be_visible()
        await page.get_by_label("Rules").fill(
            'version = "1"\nextends = "default"\nchannels = []\n[[rules]]\nname = "partner"\n'
            'when = { referrer = ["partner.example"] }\nthen = { label = "Partner", medium = "partner" }\n'
        )
        await page.get_by_role("button", name="Check and try").click()
        await expect(page.get_by_role("heading", name="1 visit would have another source")).to_be_visible()
        await nothing_for_axe(page, "a dry run")
        assert (await _row(pages, "SELECT label FROM visits"))["label"] == "partner.example"
        await page.get_by_label("Change these visits, too").check()
        await page.get_by_role("button", name="Put it in force").click()
        await expect(page.get_by_text("Version 1 is in force. 1 visit has another source now.")).to_be_visible()
        kept = await _row(pages, "SELECT label, rule, rule_set_version FROM visits")
        assert tuple(kept.values()) == ("Partner", "partner", 1)
        await expect(page.get_by_text("Version 1 of your own.")).to_be_visible()


async def test_what_was_learned_says_that_it_is_the_prior_until_calls_came(pages: Pages, chromium: Browser) -> None:
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/learned")
        await expect(page.get_by_text("so this is what Numberpool begins with")).to_be_visible()
        await expect(page.get_by_text("No such call yet.")).to_be_visible()
        await expect(page.get_by_role("row", name="10 minutes")).to_be_visible()
        await nothing_for_axe(page, "what was learned")
        async with pages.database.companies(pages.company.id) as connection:
            await connection.execute(
                "INSERT INTO reliability (company_id, month, evidence, tenth, calls, said, was, computed_at) "
                "VALUES ($1, '2026-10-01', 'tap', 9, 20, 19.0, 18, now())",
                pages.company.id,
            )
        await page.reload()
        await expect(page.get_by_role("row", name="90%–100%")).to_contain_text("95%")
        await expect(page.get_by_role("row", name="90%–100%")).to_contain_text("90%")
        await nothing_for_axe(page, "what was said and was")
