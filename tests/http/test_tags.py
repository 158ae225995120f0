"""Tags by clicking: counted, renamed, made one, removed; calls, their search and kept views follow, and come back."""

import re

import pytest
from playwright.async_api import Browser, expect

from gateway.http.permissions import Role
from gateway.leads import marks
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe


async def tagged(pages: Pages, *names: str) -> tuple[int, dict[str, int]]:
    """A call with tags; their ids."""
    call = await add_call(pages.database, pages.company)
    found = {}
    async with pages.database.companies(pages.company.id) as wire:
        for name in names:
            tag, _ = await marks.add_tag(wire, pages.company.id, call, name)
            found[name] = tag.id
    return call, found


async def tags_of(pages: Pages, call: int) -> list[str]:
    async with pages.database.companies(pages.company.id) as wire:
        known = await marks.marks_of(wire, pages.company.id, call)
    assert known is not None
    return [tag.name for tag in known.tags]


async def calls_found(pages: Pages, word: str) -> set[int]:
    async with pages.database.companies(pages.company.id) as wire:
        rows = await wire.fetch(
            "SELECT call_id FROM call_words WHERE company_id = $1 AND word = $2", pages.company.id, word
        )
    return {row["call_id"] for row in rows}


async def test_a_tag_gets_another_name_and_its_calls_are_found_by_it(pages: Pages, chromium: Browser) -> None:
    call, _ = await tagged(pages, "Warrenty", "Roof")
    other, _ = await tagged(pages, "Roof")
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings")
        await page.get_by_role("link", name="Tags").first.click()
        await expect(page.get_by_role("row", name=re.compile("Roof"))).to_contain_text("2")
        await page.get_by_role("link", name="Warrenty", exact=True).click()
        await page.get_by_label("Name", exact=True).fill("roof")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("There is a tag of this name already.")).to_be_visible()
        await page.get_by_label("Name", exact=True).fill("Warranty")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("The tag is called Warranty now.")).to_be_visible()
        assert await tags_of(pages, call) == ["Roof", "Warranty"]
        assert await calls_found(pages, "warranty") == {call}
        assert await calls_found(pages, "warrenty") == set()
        assert await calls_found(pages, "roof") == {call, other}
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("Undone.")).to_be_visible()
    assert await calls_found(pages, "warrenty") == {call}
    assert await calls_found(pages, "warranty") == set()


async def test_two_tags_become_one_and_are_two_again(pages: Pages, chromium: Browser) -> None:
    both, ids = await tagged(pages, "Roof", "Roofing")
    one, _ = await tagged(pages, "Roofing")
    client = await pages.signed_in()
    await client.post("/calls/views", data={"name": "Roofs", "query": f"tag={ids['Roofing']}&period=all"})
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/tags/{ids['Roofing']}")
        await page.get_by_label("The other tag").select_option("Roof (1)")
        await page.get_by_role("button", name="Make it part of that tag").click()
        await expect(page.get_by_text("Roofing is part of Roof now.")).to_be_visible()
        assert await tags_of(pages, both) == await tags_of(pages, one) == ["Roof"]
        assert await calls_found(pages, "roofing") == set()
        assert (await client.get(f"/calls?tag={ids['Roof']}&period=all")).status == 200
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("Undone.")).to_be_visible()
    assert await tags_of(pages, both) == ["Roof", "Roofing"]
    assert await tags_of(pages, one) == ["Roofing"]
    assert await calls_found(pages, "roofing") == {both, one}


async def test_a_removed_tag_takes_the_views_of_it_along_and_brings_them_back(pages: Pages) -> None:
    call, ids = await tagged(pages, "Wrong number")
    client = await pages.signed_in()
    id = ids["Wrong number"]
    async with pages.database.everything() as wire:
        user = await wire.fetchval("SELECT user_id FROM memberships WHERE company_id = $1 LIMIT 1", pages.company.id)
        for name, query in (("Wrong ones", f"outcome=missed&tag={id}"), ("Others", f"tag={id}1"), ("Missed", "")):
            await wire.execute(
                "INSERT INTO saved_views (company_id, user_id, name, query) VALUES ($1, $2, $3, $4)",
                *(pages.company.id, user, name, query),
            )

    async def views() -> list[tuple[str, str]]:
        async with pages.database.companies(pages.company.id) as wire:
            return [tuple(row) for row in await wire.fetch("SELECT name, query FROM saved_views ORDER BY name")]

    before = await views()
    assert "1 kept view" in await (await client.get(f"/settings/tags/{id}")).text()
    said = await (await client.post(f"/settings/tags/{id}/remove")).text()
    assert "The tag Wrong number is removed." in said
    assert await tags_of(pages, call) == []
    assert [name for name, _ in await views()] == ["Missed", "Others"]
    step = re.search(r"/undo/\d+", said)
    assert step
    await client.post(step.group(0), data={"next": "/settings/tags"})
    assert await views() == before
    assert await tags_of(pages, call) == ["Wrong number"]


async def test_an_undo_that_no_longer_fits_says_so(pages: Pages) -> None:
    _, ids = await tagged(pages, "Roof")
    client = await pages.signed_in()
    said = await (await client.post(f"/settings/tags/{ids['Roof']}/remove")).text()
    step = re.search(r"/undo/\d+", said)
    assert step
    await client.post("/settings/tags", data={"name": "roof"})
    answer = await client.post(step.group(0), data={"next": "/settings/tags"})
    assert answer.status == 200
    assert "cannot be undone any more" in await answer.text()


async def test_many_calls_are_told_in_bounded_statements(pages: Pages) -> None:
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, started_at, note) "
            "SELECT $1, $2, 'many' || n, 3, 'ended', 'answered', '1', now(), 'note' || n "
            "FROM generate_series(1, 5000) n",
            *(pages.company.id, pages.company.node_id),
        )
        tag = await wire.fetchval(
            "INSERT INTO tags (company_id, name, folded) VALUES ($1, 'Many', 'many') RETURNING id", pages.company.id
        )
        await wire.execute(
            "INSERT INTO call_tags SELECT company_id, id, $2, started_at FROM calls WHERE company_id = $1",
            *(pages.company.id, tag),
        )
    client = await pages.signed_in()
    await client.post(f"/settings/tags/{tag}", data={"name": "Lots"})
    assert len(await calls_found(pages, "lots")) == 5000
    assert len(await calls_found(pages, "note4999")) == 1
    said = await (await client.post(f"/settings/tags/{tag}/remove")).text()
    step = re.search(r"/undo/\d+", said)
    assert step
    assert await calls_found(pages, "lots") == set()
    await client.post(step.group(0), data={"next": "/settings/tags"})
    assert len(await calls_found(pages, "lots")) == 5000


async def test_who_may_only_look_changes_nothing(pages: Pages) -> None:
    _, ids = await tagged(pages, "Roof")
    analyst = await pages.signed_in(Role.ANALYST)
    assert "Add the tag" not in await (await analyst.get("/settings/tags")).text()
    assert (await analyst.get(f"/settings/tags/{ids['Roof']}")).status == 403
    assert (await analyst.post(f"/settings/tags/{ids['Roof']}/remove")).status == 403


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_no_page_is_too_wide(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    _, ids = await tagged(pages, "Roof", "Warranty")
    async with looking(pages, chromium, scheme) as page:
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            for path in ("tags", f"tags/{ids['Roof']}"):
                await page.goto(f"{pages.url}/settings/{path}")
                await nothing_for_axe(page, f"{path} {width} {scheme}")
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
