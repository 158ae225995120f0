"""Visits of people: which number their pages show, what is written of them, and what their next pages do."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gateway.visits.ids import made_at, new_id
from tests.collector.conftest import ADVERTISED, Collected
from tests.pools.shop import PRINTED

HOME = "https://shop.example/"


async def test_an_advertisement_is_shown_a_number_and_written_down(collected: Collected) -> None:
    page = await collected.page()
    answer = await page.visit(referrer="https://www.google.com/", title="Roofs", language="en-CA")
    (number,) = answer["numbers"]
    assert number["target"]["e164"] == PRINTED
    assert number["why"] == "lent"
    assert number["number"]["e164"] != PRINTED
    assert answer["why"] == "visitor"
    assert answer["source"]["label"] == "Google Paid"
    assert answer["touch"]
    row = await collected.visit_row(answer["visit"])
    assert (row["label"], row["campaign"], row["click_id"]) == ("Google Paid", "spring", "Cj0KCQ_test")
    assert (row["url"], row["referrer"]) == (ADVERTISED, "https://www.google.com/")
    assert (str(row["visitor_id"]), str(row["network"]), row["device"]) == (
        answer["visitor"],
        "127.0.0.0/24",
        "desktop",
    )
    assert row["started_at"] == made_at(UUID(answer["visit"]))
    (exposure,) = await collected.rows("SELECT * FROM exposures")
    assert (str(exposure["id"]), str(exposure["visit_id"])) == (number["exposure"], answer["visit"])
    (view,) = await collected.rows("SELECT * FROM page_views")
    assert (view["url"], view["title"], str(view["visit_id"])) == (ADVERTISED, "Roofs", answer["visit"])
    (visitor,) = await collected.rows("SELECT * FROM visitors")
    assert str(visitor["id"]) == answer["visitor"]
    assert json.loads(visitor["touch"])["label"] == "Google Paid"


async def test_the_next_page_goes_on_with_visit_and_number(collected: Collected) -> None:
    page = await collected.page()
    first = await page.visit()
    touch = {"url": ADVERTISED, "referrer": ""}
    second = await page.visit(HOME, referrer=ADVERTISED, visit=first["visit"], touch=touch)
    assert (second["visit"], second["visitor"]) == (first["visit"], first["visitor"])
    assert second["numbers"][0]["number"] == first["numbers"][0]["number"]
    assert second["numbers"][0]["exposure"] != first["numbers"][0]["exposure"]
    assert not second["touch"]
    assert second["source"]["label"] == "Google Paid"
    assert len(await collected.rows("SELECT FROM visits")) == 1
    assert len(await collected.rows("SELECT FROM page_views")) == 2
    again = await page.visit(visit=first["visit"], touch=touch)  # the advertisement's page, loaded again
    assert again["visit"] == first["visit"]
    other = await page.visit(HOME + "?utm_source=facebook&utm_medium=paid_social", visit=first["visit"], touch=touch)
    assert other["visit"] != first["visit"]
    assert other["touch"]
    assert other["numbers"][0]["number"] == first["numbers"][0]["number"]  # his own, of the same pool


async def test_a_second_page_that_comes_before_the_first_is_written_has_its_source(collected: Collected) -> None:
    page = await collected.page()
    first, at_once = await page.visit(), await page.visit(HOME)
    assert at_once["visitor"] == first["visitor"]
    assert at_once["source"]["label"] == "Google Paid"
    assert at_once["numbers"][0]["number"] == first["numbers"][0]["number"]


async def test_a_visitor_known_by_the_cookie_alone_comes_back_directly(collected: Collected) -> None:
    page = await collected.page()
    first = await page.visit()
    await collected.worker.written()
    later = await page.visit(HOME)
    assert later["visitor"] == first["visitor"]
    assert later["visit"] != first["visit"]
    assert later["source"]["label"] == "Google Paid"
    assert later["numbers"][0]["why"] == "lent"
    row = await collected.visit_row(later["visit"])
    assert row["label"] == "Direct"  # what brought this visit; what counts is another matter
    (visitor,) = await collected.rows("SELECT touch FROM visitors")
    assert json.loads(visitor["touch"])["campaign"] == "spring"


async def test_a_direct_visit_keeps_the_pages_own_number(collected: Collected) -> None:
    answer = await (await collected.page()).visit(HOME)
    assert [number["why"] for number in answer["numbers"]] == ["page"]
    assert answer["numbers"][0]["number"]["e164"] == PRINTED
    assert (await collected.visit_row(answer["visit"]))["label"] == "Direct"


async def test_two_tabs_at_one_instant_show_one_number(collected: Collected) -> None:
    visitor = str(new_id(datetime.now(UTC)))
    tabs = [await collected.page() for _ in range(6)]
    answers = await asyncio.gather(*(tab.visit(visitor=visitor) for tab in tabs))
    assert len({answer["numbers"][0]["number"]["e164"] for answer in answers}) == 1
    assert {answer["visitor"] for answer in answers} == {visitor}
    assert len(await collected.rows("SELECT FROM leases")) == 1
    assert len(await collected.rows("SELECT FROM visitors")) == 1


async def test_numbers_are_found_in_any_form_a_page_prints(collected: Collected) -> None:
    page = await collected.page()
    for printed in ("tel:+1-306-555-0100", "(306) 555-0100", "306.555.0100", "1 306 555 0100", "+13065550100"):
        (number,) = (await page.visit(targets=[printed, "+49301234567", "nonsense", ""]))["numbers"]
        assert number["target"] == {
            "e164": PRINTED,
            "country": "1",
            "national": "3065550100",
            "trunk": "1",
            "written": "(306) 555-0100",
            "international": "+1 306-555-0100",
        }
    assert (await page.visit(targets=["+13065559999"]))["numbers"] == []
    assert (await page.visit(targets=[]))["numbers"] == []
    assert len((await page.visit())["numbers"]) == 1


async def test_halves_of_characters_and_endless_texts(collected: Collected) -> None:
    page = await collected.page()
    body = {
        "site": page.key,
        "url": ADVERTISED + "&x=" + "y" * 9000,
        "title": "cut \ud83d" + "z" * 900,
        "language": "x" * 90,
    }
    answer = await page.post("/v1/visit", body)
    assert answer.status == 200
    row = await collected.visit_row((await answer.json())["visit"])
    assert (len(row["url"]), row["language"]) == (2000, "en-CA")
    (view,) = await collected.rows("SELECT title FROM page_views")
    assert len(view["title"]) == 300
    assert view["title"].startswith("cut ?z")


async def test_ids_that_cannot_be_ours_are_not_taken(collected: Collected) -> None:
    page = await collected.page()
    now = datetime.now(UTC)
    for made in (now - timedelta(days=3000), now + timedelta(days=2)):
        strange = str(new_id(made))
        answer = await page.visit(visitor=strange, visit=strange)
        assert strange not in (answer["visitor"], answer["visit"])
        page.session.cookie_jar.clear()


async def test_the_cookie_comes_before_what_a_script_stored(collected: Collected) -> None:
    page = await collected.page()
    first = await page.visit()
    (cookie,) = page.session.cookie_jar
    assert (cookie.key, cookie.value) == (f"np_{collected.key}", first["visitor"])
    assert cookie["httponly"]
    assert cookie["path"] == "/"
    assert cookie["samesite"] == "Lax"
    assert not cookie["secure"]
    answer = await page.visit(visitor=str(new_id(datetime.now(UTC))))
    assert answer["visitor"] == first["visitor"]
    bare = await collected.page()
    bare.session.cookie_jar.clear()
    assert (await bare.visit(visitor=first["visitor"]))["visitor"] == first["visitor"]
