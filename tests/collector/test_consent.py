"""What is kept of a visit, by what its visitor said: every combination; yes later, and no later."""

import itertools
import json
from typing import Any
from uuid import UUID

import pytest

from gateway.pools import setup
from gateway.pools.sites import require_consent
from tests.collector.conftest import ADVERTISED, Collected
from tests.pools.shop import PRINTED

CLIENT_IDS = {
    "_ga": "GA1.1.1.2",
    "_ga_ABCD1234": "GS1.1",
    "_fbp": "fb.1.1",
    "_fbc": "fb.1.2",
    "_ym_uid": "16",
    "_uetvid": "u",
}
STATIC = "+13065559090"
LANDING = ADVERTISED + "&email=dana%40example.com#part"


async def with_static_number(collected: Collected) -> None:
    """A static number that stands for Google's advertisements."""
    company = collected.shop.company
    async with collected.worker.database.everything() as connection:
        await setup.add_source(connection, company, "Google Ads")
        await connection.execute("UPDATE sources SET source = 'google', medium = 'cpc' WHERE name = 'Google Ads'")
        pool = await setup.add_pool(connection, company, "Static", "static")
        await connection.execute(
            "INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id)"
            " SELECT $1, $2, $3, id FROM sources WHERE name = 'Google Ads'",
            company.id,
            pool,
            STATIC,
        )
    await collected.changed()


async def nothing_names_the_visitor(collected: Collected) -> None:
    """No row of this company says who it was."""
    (visit,) = await collected.rows("SELECT * FROM visits")
    assert visit["visitor_id"] is None
    assert visit["network"] is None
    assert (visit["click_id"], visit["user_agent"], visit["city"]) == ("", "", "")
    assert (json.loads(visit["click_ids"]), json.loads(visit["client_ids"])) == ({}, {})
    kept = {
        table: json.dumps([dict(row) for row in await collected.rows(f"SELECT * FROM {table}")], default=str)
        for table in ("visits", "page_views", "visitors", "leases")
    }
    for table, text in kept.items():
        assert "Cj0KCQ_test" not in text, table
        assert "dana" not in text, table
        assert "GA1" not in text, table
    assert await collected.rows("SELECT * FROM visitors") == []


@pytest.mark.parametrize(
    ("required", "state", "gpc", "on_site"),
    [
        (required, state, gpc, on_site)
        for required, state, gpc, on_site in itertools.product(
            (False, True), ("unknown", "granted", "denied"), ("", "header", "script"), (False, True)
        )
        if not (required and on_site)
    ],
)
async def test_what_is_kept(collected: Collected, required: bool, state: str, gpc: str, on_site: bool) -> None:
    await with_static_number(collected)
    if on_site:
        async with collected.worker.database.everything() as connection:
            await require_consent(connection, collected.shop.company, "Home", True)
        await collected.changed()
    headers: dict[str, Any] = {"Sec_GPC": "1"} if gpc == "header" else {}
    page = await collected.page(**headers)
    answer = await page.visit(
        LANDING,
        referrer="https://www.google.com/search?q=leaking+roof&user=dana",
        consent={"required": required, "state": state, "signal": "banner", "at": "2026-11-02T10:00:00Z"},
        gpc=gpc == "script",
        client_ids=CLIENT_IDS,
    )
    may = not gpc and (state == "granted" or (state == "unknown" and not required and not on_site))
    row = await collected.visit_row(answer["visit"])
    assert (row["label"], row["campaign"], row["click_id_type"]) == ("Google Paid", "spring", "gclid")
    if may:
        assert answer["why"] == "visitor"
        assert answer["numbers"][0]["why"] == "lent"
        assert str(row["visitor_id"]) == answer["visitor"]
        assert json.loads(row["client_ids"]) == CLIENT_IDS
        assert json.loads(row["click_ids"]) == {"gclid": "Cj0KCQ_test"}
        assert (row["consent"], row["consent_signal"], str(row["consent_at"])) == (
            state,
            "banner",
            "2026-11-02 10:00:00+00:00",
        )
        assert len(page.session.cookie_jar) == 1
        return
    assert answer["why"] == "consent"
    assert answer["visitor"] is None
    assert answer["remember"] == answer["numbers"][0]["remember"] == 0
    assert (answer["numbers"][0]["why"], answer["numbers"][0]["number"]["e164"]) == ("static", STATIC)
    assert len(page.session.cookie_jar) == 0
    assert row["url"] == "https://shop.example/roofs?gclid=withheld&utm_campaign=spring"
    assert (row["consent"], row["consent_signal"]) == (
        ("denied", "Global Privacy Control") if gpc else (state, "banner")
    )
    await nothing_names_the_visitor(collected)


async def test_a_pool_bound_to_campaigns_lends_without_consent(collected: Collected) -> None:
    await collected.shop.rows("UPDATE pools SET bound_to = '{utm_campaign}' RETURNING id")
    await collected.changed()
    shown = set()
    for _ in range(3):
        answer = await (await collected.page()).visit(consent={"required": True})
        assert (answer["why"], answer["numbers"][0]["why"]) == ("consent", "lent")
        shown.add(answer["numbers"][0]["number"]["e164"])
    assert len(shown) == 1
    (lease,) = await collected.rows("SELECT holder, combination FROM leases")
    assert lease["holder"].startswith("values:")


async def test_yes_later_keeps_what_was_not_kept(collected: Collected) -> None:
    page = await collected.page()
    asked: dict[str, Any] = {"referrer": "https://www.google.com/", "client_ids": CLIENT_IDS}
    first = await page.visit(consent={"required": True}, **asked)
    assert first["numbers"][0]["number"]["e164"] == PRINTED
    await collected.worker.written()
    yes = {"required": True, "state": "granted", "signal": "banner"}
    second = await page.visit(path="/v1/consent", visit=first["visit"], consent=yes, **asked)
    assert second["visit"] == first["visit"]
    assert second["numbers"][0]["why"] == "lent"
    row = await collected.visit_row(first["visit"])
    assert str(row["visitor_id"]) == second["visitor"]
    assert (row["click_id"], row["url"], row["consent"]) == ("Cj0KCQ_test", ADVERTISED, "granted")
    assert json.loads(row["client_ids"]) == CLIENT_IDS
    assert len(await collected.rows("SELECT FROM visits")) == len(await collected.rows("SELECT FROM page_views")) == 1
    assert len(await collected.rows("SELECT FROM visitors")) == 1


async def test_yes_before_the_visit_is_written_keeps_it_once(collected: Collected) -> None:
    page = await collected.page()
    first = await page.visit(consent={"required": True})
    yes = {"required": True, "state": "granted"}
    await page.visit(path="/v1/consent", visit=first["visit"], consent=yes)
    row = await collected.visit_row(first["visit"])
    assert (row["click_id"], row["consent"]) == ("Cj0KCQ_test", "granted")


async def test_no_later_takes_away_what_identifies(collected: Collected) -> None:
    page = await collected.page()
    touch = {"url": LANDING, "referrer": ""}
    first = await page.visit(LANDING, client_ids=CLIENT_IDS)
    await page.visit("https://shop.example/2?session=dana", visit=first["visit"], touch=touch)
    await collected.worker.written()
    stranger = await (await collected.page()).visit()
    said = {"state": "denied", "signal": "banner"}
    answer = await page.visit(LANDING, path="/v1/consent", visit=first["visit"], consent=said)
    assert (answer["visitor"], answer["why"], answer["visit"]) == (None, "consent", first["visit"])
    assert len(page.session.cookie_jar) == 0
    rows = await collected.rows("SELECT * FROM visits WHERE id = $1", UUID(first["visit"]))
    assert rows[0]["visitor_id"] is None
    assert (rows[0]["click_id"], rows[0]["user_agent"], rows[0]["network"]) == ("", "", None)
    assert rows[0]["url"] == "https://shop.example/roofs?gclid=withheld&utm_campaign=spring"
    assert (rows[0]["label"], rows[0]["campaign"], rows[0]["consent"]) == ("Google Paid", "spring", "denied")
    texts = json.dumps(
        [
            [dict(row) for row in await collected.rows(f"SELECT * FROM {table}")]
            for table in ("visits", "page_views", "visitors", "leases")
        ],
        default=str,
    )
    assert "dana" not in texts
    assert first["visitor"] not in texts
    # Another visitor keeps what is his.
    assert str((await collected.visit_row(stranger["visit"]))["visitor_id"]) == stranger["visitor"]


async def test_no_is_kept_for_later_while_the_database_is_away(collected: Collected, monkeypatch: Any) -> None:
    page = await collected.page()
    first = await page.visit()
    await collected.worker.written()
    journal = collected.worker.parts.journal
    write = type(journal)._write

    async def away(*_: Any) -> None:
        raise OSError("away")

    monkeypatch.setattr(type(journal), "_write", away)
    answer = await page.visit(path="/v1/consent", visit=first["visit"], consent={"state": "denied"})
    assert answer["visitor"] is None
    monkeypatch.setattr(type(journal), "_write", write)
    assert (await collected.visit_row(first["visit"]))["visitor_id"] is None


async def test_a_page_within_the_site_is_stored_without_what_names_the_visitor(collected: Collected) -> None:
    page = await collected.page()
    visit = (await page.visit(consent={"required": True}))["visit"]
    answer = await page.post("/v1/page", {"site": page.key, "visit": visit, "url": LANDING, "title": "x\u0000y"})
    assert answer.status == 204
    known = await collected.page()
    first = await known.visit()
    await known.post(
        "/v1/page",
        {"site": page.key, "visit": first["visit"], "visitor": first["visitor"], "url": "https://shop.example/?p=5"},
    )
    urls = [row["url"] for row in await collected.rows("SELECT url FROM page_views ORDER BY at")]
    assert urls[1] == "https://shop.example/roofs?gclid=withheld&utm_campaign=spring"
    assert urls[3] == "https://shop.example/?p=5"
