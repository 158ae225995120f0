"""A check asks the collector like a visitor, and leaves nothing behind."""

from typing import Any

import pytest

from gateway.site_check.stored import add_check, calls_itself, new_mark, note_end
from tests.collector.conftest import ADVERTISED, CHROME, Collected, Page, collected

__all__ = ["collected"]

# Whatever a visitor would leave: rows, and what the pools count.
LEFT = ("visits", "page_views", "leases", "exposures", "visitors", "visit_ways", "pool_tallies")


async def checking(collected: Collected) -> tuple[Page, int]:
    """A window of a check that is under way, and the check."""
    mark = new_mark()
    site = collected.shop.site
    async with collected.worker.database.companies(site.company_id) as connection:
        check = await add_check(connection, site.company_id, site.id, ADVERTISED, mark)
    return await collected.page(User_Agent=f"{CHROME} {calls_itself(mark)}"), check


async def left(collected: Collected) -> dict[str, int]:
    """How many rows there are of what visitors leave."""
    await collected.worker.written()
    async with collected.worker.database.everything() as connection:
        there = {
            row["relname"]
            for row in await connection.fetch("SELECT relname FROM pg_class WHERE relname = ANY ($1)", list(LEFT))
        }
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in sorted(there)}


async def test_it_is_shown_a_number_of_the_pool_and_takes_none(collected: Collected) -> None:
    page, _ = await checking(collected)
    answers: list[dict[str, Any]] = [await page.visit() for _ in range(5)]
    for answer in answers:
        (number,) = answer["numbers"]
        assert number["why"] == "lent"
        assert number["number"]["e164"] != number["target"]["e164"]
        assert number["exposure"] is None
        assert answer["visit"] is None
        assert answer["visitor"] is None
        assert answer["remember"] == 0
        assert answer["source"]["medium"] == "cpc"
    # Nobody holds it, so it is the same each time, and the first visitor gets that very one.
    assert len({answer["numbers"][0]["number"]["e164"] for answer in answers}) == 1
    assert not any((await left(collected)).values())
    visitor = await collected.page()
    assert await visitor.shown() == answers[0]["numbers"][0]["number"]["e164"]
    assert any((await left(collected)).values())


async def test_a_full_pool_loses_no_visitor_his_number(collected: Collected) -> None:
    visitors = [await collected.page() for _ in range(3)]
    shown = [await each.shown() for each in visitors]
    assert len(set(shown)) == 3
    page, _ = await checking(collected)
    answer = await page.visit()
    assert answer["numbers"][0]["why"] == "lent"
    assert [await each.shown() for each in visitors] == shown


async def test_it_gets_no_cookie_and_nothing_is_told_of_direct_visits(collected: Collected) -> None:
    page, _ = await checking(collected)
    answer = await page.visit("https://shop.example/")
    assert answer["numbers"][0]["why"] == "page"
    assert len(page.session.cookie_jar) == 0


async def test_consent_is_waited_for(collected: Collected) -> None:
    page, _ = await checking(collected)
    answer = await page.visit(consent={"required": True, "state": "unknown"})
    assert (answer["why"], answer["numbers"][0]["why"]) == ("consent", "page")
    answer = await page.visit(path="/v1/consent", consent={"required": True, "state": "granted"})
    assert (answer["why"], answer["numbers"][0]["why"]) == ("visitor", "lent")
    assert not any((await left(collected)).values())


@pytest.mark.parametrize("mark", ["", "x" * 22, "nonsense"])
async def test_a_stranger_who_calls_himself_so_is_a_program_like_others(collected: Collected, mark: str) -> None:
    page = await collected.page(User_Agent=f"{CHROME} {calls_itself(mark)}")
    answer = await page.visit()
    assert (answer["why"], answer["numbers"][0]["why"]) == ("bot", "page")
    assert not any((await left(collected)).values())


async def test_a_mark_is_good_until_the_check_ends_and_in_its_company(collected: Collected) -> None:
    page, check = await checking(collected)
    company = collected.shop.site.company_id
    assert (await page.visit())["why"] == "visitor"
    async with collected.worker.database.companies(company) as connection:
        await note_end(connection, company, check, {})
    assert (await page.visit())["why"] == "bot"


async def test_what_else_a_page_tells_is_nobodys(collected: Collected) -> None:
    """AMP's element asks without a snippet: a check is a program to it."""
    page, _ = await checking(collected)
    query = {"site": collected.key, "url": ADVERTISED}
    answer = await page.session.get(f"{collected.worker.url}/v1/amp", params=query, headers=page.headers)
    assert answer.status == 200
    assert not any((await left(collected)).values())
