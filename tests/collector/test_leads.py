"""Forms and chats that pages hand in: kept once, whatever happens, and linked with a visit only where that may be."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from gateway.http.collector.messages import LeadAnswer
from gateway.store import inbox
from tests.collector.conftest import ADVERTISED, Collected, Page, running_worker
from tests.pools.shop import open_shop
from tests.stack import eventually

TYPED = {
    "form": "quote",
    "name": "Ann",
    "phone": "(306) 555-0190",
    "email": "ann@example.com",
    "urgent": True,
    "rooms": 4,
}
URL = "https://shop.example/contact?utm_campaign=spring&token=secret&gclid=x#thanks"


async def hand_in(page: Page, **facts: Any) -> str | None:
    """What the page hands in; the lead's id."""
    body = {"site": page.key, "kind": "form", "data": TYPED, "url": URL, "title": "Contact us", **facts}
    answer = await page.post("/v1/lead", body)
    assert answer.status == 200, await answer.text()
    assert answer.headers["Access-Control-Allow-Origin"] == page.headers["Origin"]
    LeadAnswer.model_validate(await answer.json())
    found: str | None = (await answer.json())["lead"]
    return found


async def leads(collected: Collected) -> list[Any]:
    return await collected.rows("SELECT * FROM leads ORDER BY received_at")


async def test_what_is_kept_of_a_lead(collected: Collected) -> None:
    page = await collected.page()
    visit = await page.visit()
    exposure = visit["numbers"][0]["exposure"]
    id = await hand_in(page, visit=visit["visit"], exposures=[exposure])
    (row,) = await leads(collected)
    assert str(row["id"]) == id
    assert (row["kind"], json.loads(row["data"])) == ("form", TYPED)
    assert (row["phone"], row["email"]) == ("+13065550190", "ann@example.com")
    assert [str(row[name]) for name in ("visit_id", "visitor_id", "exposure_id")] == [
        visit["visit"],
        visit["visitor"],
        exposure,
    ]
    assert row["url"] == "https://shop.example/contact?utm_campaign=spring&gclid=withheld"
    assert (row["title"], row["suspect"], row["site_id"]) == ("Contact us", "", collected.shop.site.id)


@pytest.mark.parametrize(
    ("consent", "headers"),
    [({"required": True}, {}), ({"state": "denied"}, {}), ({}, {"Sec_GPC": "1"})],
)
async def test_without_consent_it_is_kept_and_leads_to_no_visit(
    collected: Collected, consent: dict[str, Any], headers: dict[str, Any]
) -> None:
    page = await collected.page(**headers)
    visit = await page.visit(consent=consent)
    assert visit["why"] == "consent"
    await hand_in(page, visit=visit["visit"], exposures=[])
    (row,) = await leads(collected)
    assert (row["visit_id"], row["visitor_id"], row["exposure_id"]) == (None, None, None)
    assert json.loads(row["data"]) == TYPED


async def test_a_later_no_cuts_the_thread(collected: Collected) -> None:
    page, other = await collected.page(), await collected.page()
    first = await page.visit()
    others = await other.visit()
    await hand_in(page, visit=first["visit"], exposures=[first["numbers"][0]["exposure"]])
    await hand_in(other, visit=others["visit"], exposures=[])
    await page.visit(ADVERTISED, "/v1/consent", visit=first["visit"], consent={"state": "denied"})
    rows = await leads(collected)
    assert [row["visit_id"] for row in rows] == [None, UUID(others["visit"])]
    assert [row["visitor_id"] for row in rows] == [None, UUID(others["visitor"])]
    assert (rows[0]["exposure_id"], rows[0]["likeness"]) == (None, None)
    assert json.loads(rows[0]["data"]) == TYPED


async def test_what_is_sent_twice_counts_once(collected: Collected) -> None:
    page, other = await collected.page(), await collected.page()
    visit, others = (await page.visit())["visit"], (await other.visit())["visit"]
    ids = await asyncio.gather(*(hand_in(page, visit=visit) for _ in range(5)))
    assert len(set(ids)) == 1
    # Another order of the fields is the same; other words, another kind, another visit or none are not.
    assert await hand_in(page, visit=visit, data=dict(reversed(TYPED.items()))) == ids[0]
    different: list[str | None] = [
        await hand_in(page, visit=visit, data={**TYPED, "name": "Bob"}),
        await hand_in(page, visit=visit, kind="chat"),
        await hand_in(other, visit=others),
        await hand_in(page),
    ]
    assert len({*ids, *different}) == 5
    # After a minute it is meant.
    async with collected.worker.database.everything() as connection:
        await connection.execute("UPDATE leads SET received_at = received_at - interval '61 seconds'")
    again = await hand_in(page, visit=visit)
    assert again not in ids
    rows = await leads(collected)
    assert len(rows) == 6
    # What tells repeats is made from the visit as well, and does not stay.
    assert [row["likeness"] is not None for row in rows] == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("facts", "part"),
    [
        ({"data": {}}, "data"),
        ({"data": {"name": " ", "more": ""}}, None),
        ({"data": None}, "data"),
        ({"data": {"name": {"first": "Ann"}}}, "data.name"),
        ({"data": {"list": ["a"]}}, "data.list"),
        ({"kind": ""}, "kind"),
        ({"kind": "a whole sentence, which is no kind"}, "kind"),
        ({"kind": "x" * 41}, "kind"),
        ({"site": None}, "site"),
    ],
)
async def test_what_makes_no_sense_is_refused(collected: Collected, facts: dict[str, Any], part: str | None) -> None:
    page = await collected.page()
    body = {"site": page.key, "kind": "form", "data": TYPED, **facts}
    answer = await page.post("/v1/lead", body)
    if part is None:
        assert answer.status in (200, 400)
        return
    assert (answer.status, (await answer.json())["id"]) == (400, "bad_request")
    assert (await answer.json())["details"]["faults"][0]["part"].startswith(part)
    assert await leads(collected) == []


async def test_what_is_odd_is_no_reason_to_lose_it(collected: Collected) -> None:
    page = await collected.page()
    odd = {
        "visit": "6f2f9e6e-1f6b-4b52-9d3e-2a4f4f1d9c11",
        "exposure": "nonsense",
        "exposures": [None, 5],
        "kind": " Callback ",
        "url": "not an address",
        "unheard_of": [1],
        "data": {"phone": "306-555-0190", "huge": 10**40, "nul": "a\0b", "text": "x" * 30_000, "half": "\ud83d"},
    }
    await hand_in(page, **odd)
    (row,) = await leads(collected)
    assert (row["kind"], row["phone"], row["visit_id"]) == ("callback", "+13065550190", None)
    data = json.loads(row["data"])
    assert (data["nul"], data["huge"], len(data["text"])) == ("ab", 10**40, 4000)
    # A visit of another company, or one that is not there, is linked by nobody.
    stranger = await open_shop(collected.worker.database)
    await collected.changed()
    foreign = await collected.page(key=stranger.site.public_key)
    theirs = (await foreign.visit())["visit"]
    await hand_in(page, visit=theirs)
    assert (await leads(collected))[1]["visit_id"] is None
    assert len(await stranger.rows("SELECT FROM leads")) == 0


async def test_size_hosts_and_limits(database_dsn: str, collected: Collected) -> None:
    page = await collected.page()
    large = await page.post("/v1/lead", {"site": page.key, "data": {"text": "x" * 70_000}})
    told = await large.json()
    assert (large.status, told["id"], told["details"]) == (413, "too_large", {"most_bytes": 65536})
    wrong = await collected.page(Origin="https://evil.example")
    assert (await wrong.post("/v1/lead", {"site": page.key, "data": TYPED})).status == 403
    assert (await page.post("/v1/lead", {"site": "nobody", "data": TYPED})).status == 404
    async with running_worker(database_dsn, visits_per_minute=3) as worker:
        page = await collected.page(worker)
        for _ in range(20):
            await page.post("/v1/visit", {"site": page.key, "url": "https://shop.example/"})
        # Visits without number, and yet the form is taken; a flood of forms is not.
        answers = [
            await page.post("/v1/lead", {"site": page.key, "data": {"message": f"buy {each}"}}) for each in range(13)
        ]
        assert [answer.status for answer in answers[:10]] == [200] * 10
        assert answers[-1].status == 429
        assert int(answers[-1].headers["Retry-After"]) >= 1
    async with running_worker(database_dsn, site_visits_per_second=1, trusted_proxies=("127.0.0.1",)) as worker:
        statuses = []
        for each in range(13):
            page = await collected.page(worker, X_Forwarded_For=f"203.0.113.{each}")
            statuses.append((await page.post("/v1/lead", {"site": page.key, "data": {"message": f"{each}"}})).status)
        assert (statuses[:10], statuses[-1]) == ([200] * 10, 429)


async def test_programs_are_marked_and_kept(collected: Collected) -> None:
    page = await collected.page(User_Agent="curl/8.5.0")
    await hand_in(page)
    (row,) = await leads(collected)
    assert row["suspect"] != ""


async def test_a_lead_waits_for_postgres_and_outlives_its_site(
    database_dsn: str, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "RETRY_SECONDS", 0.05)
    async with running_worker(database_dsn, answer_ms=200) as worker:
        page = await collected.page(worker)
        visit = await page.visit()
        holder = await asyncpg.connect(database_dsn)
        async with holder.transaction():
            # Also the visit that it is linked with cannot be written yet.
            await holder.execute("LOCK TABLE leads, visits IN ACCESS EXCLUSIVE MODE")
            assert await hand_in(page, visit=visit["visit"]) is None
            assert await hand_in(page, visit=visit["visit"]) is None  # the browser repeats
            assert worker.parts.leads.waiting == 2
        await holder.close()

        async def written() -> bool:
            return worker.parts.leads.waiting == 0

        await eventually(written)
        (row,) = await leads(collected)
        assert str(row["visit_id"]) == visit["visit"]
    async with collected.worker.database.everything() as connection:
        await connection.execute("DELETE FROM sites WHERE id = $1", collected.shop.site.id)
    (row,) = await leads(collected)
    assert (row["site_id"], row["phone"]) == (None, "+13065550190")


async def test_what_waits_is_written_at_the_end_and_too_much_is_refused(
    database_dsn: str, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_WAITING", 2)
    monkeypatch.setattr(inbox, "RETRY_SECONDS", timedelta(hours=1).total_seconds())
    async with running_worker(database_dsn, answer_ms=100) as worker:
        page = await collected.page(worker)
        holder = await asyncpg.connect(database_dsn)
        async with holder.transaction():
            await holder.execute("LOCK TABLE leads IN ACCESS EXCLUSIVE MODE")
            for name in ("Ann", "Bob"):
                assert await hand_in(page, data={"name": name}) is None
            refused = await page.post("/v1/lead", {"site": page.key, "data": {"name": "Cy"}})
            assert (refused.status, (await refused.json())["id"]) == (503, "database_away")
        await holder.close()
    assert sorted(json.loads(row["data"])["name"] for row in await leads(collected)) == ["Ann", "Bob"]
