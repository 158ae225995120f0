"""A visitor from end to end: what the page shows, what the browser keeps, what stands in the database."""

import json
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import BrowserContext, Page, Route

from gateway.http.collector import snippet as served
from gateway.pools.sites import require_consent
from gateway.visits import snippet as built
from gateway.visits.ways import Way, setup_in_force
from tests.collector.conftest import running_worker
from tests.snippet_live.conftest import OWN, OWN_DIALLED, Live, shown, shows
from tests.stack import eventually

AD = "/roofs?gclid=Cj0KCQ_live&utm_campaign=spring"
HIDE = """(hidden) => { Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden})
    document.dispatchEvent(new Event('visibilitychange', {bubbles: true})) }"""


async def stored(live: Live, page: Page) -> dict[str, Any]:
    """What the browser keeps."""
    found: dict[str, Any] = await page.evaluate(f"JSON.parse(localStorage.np_{live.shop.site.public_key} || '{{}}')")
    return found


async def cookies(live: Live, person: BrowserContext) -> list[Any]:
    return [each for each in await person.cookies() if each["name"] == f"np_{live.shop.site.public_key}"]


async def exposure_of(live: Live, page: Page) -> UUID:
    return UUID((await stored(live, page))["numbers"][0]["exposure"])


@pytest.mark.parametrize("inline", [True, False])
async def test_an_advertisement_shows_a_number_of_the_pool_and_a_direct_visit_the_pages_own(
    live: Live, inline: bool
) -> None:
    live.inline = inline
    person = await live.person()
    page = await live.open(person, AD)
    number = await shown(page)
    (visit,) = await live.found("SELECT * FROM visits")
    assert (visit["label"], visit["campaign"], visit["click_id"]) == ("Google Paid", "spring", "Cj0KCQ_live")
    (lent,) = await live.found(
        "SELECT n.e164, e.visit_id FROM exposures e JOIN tracking_numbers n ON n.id = e.number_id"
    )
    assert lent["visit_id"] == visit["id"]
    assert lent["e164"][-10:] == "".join(letter for letter in number if letter.isdigit())
    assert await page.get_attribute("#link", "href") == f"tel:{lent['e164']}"
    # The next page goes on with it, and swaps before it has asked anybody.
    held: list[Route] = []
    await person.route("**/v1/visit", lambda route: held.append(route))
    await shows(await live.open(person, "/prices"), number)
    for route in held:
        await route.abort()
    # Somebody else, who typed the address.
    other = await live.person()
    page = await live.open(other)
    await live.found("SELECT FROM visits WHERE label = 'Direct'")
    await shows(page, OWN)
    assert await page.get_attribute("#link", "href") == f"tel:{OWN_DIALLED}"
    assert (await stored(live, page))["numbers"][0]["why"] == "page"


async def test_tabs_share_a_number_and_who_comes_back_sees_it_again(live: Live) -> None:
    person = await live.person()
    first = await live.open(person, AD)
    number = await shown(first)
    second = await live.open(person, "/second")
    await shows(second, number)
    assert len(await live.rows("SELECT FROM leases")) == 1
    (cookie,) = await cookies(live, person)
    assert (cookie["value"], cookie["httpOnly"], cookie["sameSite"]) == (
        (await stored(live, first))["visitor"],
        True,
        "Lax",
    )
    exposure = await exposure_of(live, second)
    await second.evaluate(HIDE, True)
    await live.found("SELECT FROM exposures WHERE id = $1 AND left_at IS NOT NULL", exposure)
    await second.evaluate(HIDE, False)
    await shows(second, number)
    # Closed, and back by typing the address: an advertisement is not forgotten.
    for page in (first, second):
        await page.goto("about:blank")
        await page.close()
    await live.found("SELECT FROM exposures WHERE left_at IS NULL", count=0)
    again = await live.open(person)
    await shows(again, number)
    assert (await live.rows("SELECT DISTINCT visitor_id FROM visits"))[0]["visitor_id"] == UUID(cookie["value"])
    # The storage is lost, as Safari loses it after a week: the server's cookie knows him all the same.
    await again.evaluate("localStorage.clear()")
    await shows(await live.open(person), number)
    assert len(await live.rows("SELECT DISTINCT visitor_id FROM visits")) == 1


async def test_which_set_up_is_in_force(live: Live) -> None:
    person = await live.person()
    for _ in range(2):
        await shown(await live.open(person, AD))
    await live.collector.end()
    async with live.shop.database.companies(live.shop.company.id) as connection:
        setup = await setup_in_force(connection, live.shop.company.id, live.shop.site.id)
    assert (setup.way, setup.cookies_come_back, [used.visits for used in setup.used]) == (Way.SAME_HOST, True, [2])


@pytest.mark.parametrize("says", ["page", "site"])
async def test_nothing_is_kept_before_the_visitor_said_yes_nor_after_a_no(live: Live, says: str) -> None:
    if says == "page":
        live.attributes = "data-consent=required"
    else:
        async with live.shop.database.everything() as connection:
            await require_consent(connection, live.shop.company, "Home", True)
        await live.collector.end()
        await live.collector.start()
    person = await live.person()
    page = await live.open(person, AD)
    (visit,) = await live.found("SELECT * FROM visits")
    assert (visit["visitor_id"], visit["click_id"], visit["user_agent"], visit["network"]) == (None, "", "", None)
    await shows(page, OWN)
    assert (await stored(live, page), await cookies(live, person)) == ({}, [])
    assert await page.evaluate("numberpool.lead('chat', {phone: '306-555-0190'})") is True
    (lead,) = await live.found("SELECT * FROM leads")
    assert (lead["phone"], lead["visit_id"], lead["visitor_id"]) == ("+13065550190", None, None)
    # Yes.
    await page.evaluate("numberpool.consent(true)")
    number = await shown(page)
    (visit,) = await live.found("SELECT * FROM visits WHERE visitor_id IS NOT NULL")
    assert (visit["click_id"], visit["consent"], visit["consent_signal"]) == ("Cj0KCQ_live", "granted", "api")
    assert visit["consent_at"] is not None
    assert (await stored(live, page))["visitor"] == str(visit["visitor_id"])
    assert len(await cookies(live, person)) == 1
    await shows(await live.open(person, "/second"), number)
    # No, after all.
    await page.evaluate("numberpool.consent(false)")
    await live.found("SELECT FROM visits WHERE visitor_id IS NULL AND click_id = '' AND consent = 'denied'")
    await shows(page, OWN)
    assert (await stored(live, page), await cookies(live, person)) == ({}, [])
    assert await live.rows("SELECT FROM visitors") == []


async def test_ids_of_other_programs_are_kept_though_they_come_late(live: Live) -> None:
    person = await live.person()
    page = await live.open(person, AD)
    await shown(page)
    await page.evaluate("document.cookie = '_ga=GA1.1.5.6'; document.cookie = '_fbp=fb.1.2.3'")
    await live.open(person, "/second")
    await live.found(
        "SELECT FROM visits v JOIN visitors w ON w.id = v.visitor_id AND w.client_ids = v.client_ids"
        """ WHERE v.client_ids = '{"_ga": "GA1.1.5.6", "_fbp": "fb.1.2.3"}'"""
    )


async def test_a_tap_is_told(live: Live) -> None:
    person = await live.person()
    page = await live.open(person, AD)
    await shown(page)
    await page.evaluate("addEventListener('click', (event) => event.preventDefault())")
    await page.click("#link")
    (tap,) = await live.found("SELECT t.*, n.e164 AS ours FROM taps t JOIN tracking_numbers n ON n.id = t.number_id")
    assert tap["e164"] == tap["ours"]
    assert str(tap["visit_id"]) == (await stored(live, page))["visit"]
    assert tap["exposure_id"] == await exposure_of(live, page)


async def test_forms_and_chats_become_leads(live: Live) -> None:
    person = await live.person()
    page = await live.open(person, AD)
    await shown(page)
    taken = await page.evaluate(
        "numberpool.lead('chat', {name: 'Bob', email: 'Bob@Example.com', urgent: true, rooms: 3})"
    )
    assert taken is True
    (chat,) = await live.found("SELECT * FROM leads")
    assert (chat["kind"], chat["email"]) == ("chat", "bob@example.com")
    assert json.loads(chat["data"]) == {"name": "Bob", "email": "Bob@Example.com", "urgent": True, "rooms": 3}
    await page.wait_for_function("performance.getEntriesByType('resource').some((one) => /np-forms/.test(one.name))")
    await page.wait_for_load_state("networkidle")
    await page.click("#send")
    await page.wait_for_url("**/thanks?**")
    (form,) = await live.found("SELECT * FROM leads WHERE kind = 'form'")
    assert json.loads(form["data"]) == {"form": "quote", "your-name": "Ann", "phone": "306 555 0190"}
    assert form["phone"] == "+13065550190"
    (visit,) = await live.rows("SELECT id, visitor_id FROM visits")
    for lead in (chat, form):
        assert (lead["visit_id"], lead["visitor_id"]) == (visit["id"], visit["visitor_id"])
        assert lead["exposure_id"] is not None
        assert lead["url"] == f"{live.url}/roofs?gclid=withheld&utm_campaign=spring"


async def test_who_lost_his_number_to_others_gets_another_with_the_next_sign_of_life(live: Live) -> None:
    first = await live.person()
    await first.clock.install()
    page = await live.open(first, AD)
    number = await shown(page)
    exposure = await exposure_of(live, page)
    others = [await shown(await live.open(await live.person(), AD)) for _ in range(2)]
    assert others[1] == number  # two numbers, three visitors: the longest idle one is displaced
    await live.found("SELECT FROM leases WHERE closed_as = 'displaced'")
    await first.clock.fast_forward(16_000)
    await live.found("SELECT FROM leases WHERE closed_as = 'displaced'", count=2)
    await shows(page, others[0])
    assert await exposure_of(live, page) != exposure


async def test_a_collector_that_dies_takes_nothing_from_the_page_and_comes_back(live: Live) -> None:
    person = await live.person()
    page = await live.open(person, AD)
    number = await shown(page)
    await live.found("SELECT FROM visits")
    await live.collector.end(signal.SIGKILL)
    # A stranger sees the page as it is, without a script or with one from the browser's memory.
    stranger = await (await live.person()).new_page()
    await stranger.goto(live.url + AD)
    await shows(stranger, OWN)
    # Who has a number keeps it on the next page.
    second = await live.open(person, "/second")
    await shows(second, number)
    assert await second.evaluate("numberpool.lead('chat', {a: 1})") is False
    await live.collector.start()
    await second.evaluate("numberpool.refresh()")
    await shows(second, number)
    assert await second.evaluate("numberpool.lead('chat', {a: 1})") is True
    await live.found("SELECT FROM page_views WHERE url LIKE '%/second'")
    await stranger.reload()
    assert await shown(stranger) != number
    assert len(await live.rows("SELECT FROM leases")) == 2


async def test_an_old_script_passes_over_what_a_newer_collector_says(live: Live) -> None:
    person = await live.person()

    async def newer(route: Route) -> None:
        answer = await route.fetch()
        if answer.status == 200:
            read = await answer.json()
            read |= {"advice": {"new": True}, "why": "unheard of" if read.get("why") else None}
            for number in read.get("numbers", []):
                number |= {"colour": "blue", "why": "guessed"}
                number["number"]["spoken"] = "three zero six"
            await route.fulfill(response=answer, json=read)
        else:
            await route.fulfill(response=answer)

    await person.route("**/v1/**", newer)
    page = await live.open(person, AD)
    number = await shown(page)
    await shows(await live.open(person, "/second"), number)
    assert await page.evaluate("numberpool.lead('chat', {a: 1})") is True


async def test_an_updated_script_is_taken_after_its_age(
    live: Live, database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "static" / "snippet"
    folder.mkdir(parents=True)
    (folder / "np.js").write_text("window.taken = 1")
    monkeypatch.setattr(built, "asset_folder", lambda _name: tmp_path)
    # As it is served, but for seconds instead of minutes.
    monkeypatch.setattr(served, "CACHING", served.CACHING.replace("max-age=600", "max-age=2"))
    built.script_of.cache_clear()
    asked = 0
    try:
        async with running_worker(database_dsn) as worker:
            page = await (await live.person()).new_page()
            live.scripts = f'<script src="{worker.url}/np.js"></script>'

            async def taken() -> int:
                await page.goto(live.url)
                found: int = await page.evaluate("window.taken")
                return found

            assert await taken() == 1
            (folder / "np.js").write_text("window.taken = 2")
            built.script_of.cache_clear()

            async def newer() -> bool:
                nonlocal asked
                asked += 1
                return await taken() == 2

            await eventually(newer, 30, 0.3)
            assert asked > 1, "the first page after the update did not go on with what it had"
    finally:
        built.script_of.cache_clear()
