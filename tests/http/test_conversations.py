"""Texts by clicking: set up a carrier, read a conversation, answer, send again; who may, and who wants none."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from playwright.async_api import Browser, expect

from gateway.http.permissions import Role
from gateway.leads.gathering import gather_all
from gateway.texts import accounts, store
from gateway.texts.carriers.shape import Account, Kind
from gateway.texts.text import Inbound
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe

THEIRS = "+13065550142"
TWILIO = {"name": "Twilio", "kind": "twilio", "carrier-account": "AC0123", "carrier-token": "very-secret"}


async def open_account(pages: Pages) -> Account:
    company = pages.company.id
    async with pages.database.companies(company) as wire:
        id = await accounts.add(wire, company, "Carrier", Kind.TWILIO, {"account": "AC0123"}, {"token": "secret"})
        assert id is not None
        account = await accounts.account_by_id(wire, company, id)
    assert account is not None
    return account


async def comes(
    pages: Pages, body: str, *, ago: float = 0, other: str = THEIRS, id: str = "", media: tuple[str, ...] = ()
) -> int:
    """A text comes in; the id of its conversation."""
    company, now = pages.company.id, datetime.now(UTC)
    async with pages.database.companies(company) as wire:
        account = await wire.fetchval("SELECT min(id) FROM text_accounts")
        if account is None:
            account = (await open_account(pages)).id
        number = pages.company.numbers["Google Ads"][1]
        at = now - timedelta(hours=ago)
        text = Inbound(company, account, number, other, body, media, id or body[:40], None, at)
        await store.keep(wire, text)
        found: int = await wire.fetchval("SELECT id FROM conversations WHERE other = $1", other)
    return found


async def sent(pages: Pages) -> list[tuple[str, str]]:
    async with pages.database.companies(pages.company.id) as wire:
        rows = await wire.fetch("SELECT body, state FROM texts WHERE direction = 'out' ORDER BY id")
    return [(row["body"], row["state"]) for row in rows]


async def test_the_list_and_one_of_them(pages: Pages) -> None:
    client = await pages.signed_in()
    assert "No text yet" in await (await client.get("/conversations")).text()
    await comes(pages, "Is the offer still on?", ago=30, other="+13065550177")
    talk = await comes(pages, "Hail broke a window <script>alert(1)</script> 🏠", media=("https://m.example/1.jpg",))
    page = await (await client.get("/conversations")).text()
    assert page.index("Hail broke") < page.index("Is the offer still on?")
    assert page.count('class="tag is-call"') == 2
    assert "Google Ads" in page
    page = await (await client.get(f"/conversations/{talk}")).text()
    assert "&lt;script&gt;" in page
    assert 'href="https://m.example/1.jpg"' in page
    assert "A new lead, from Google Ads" in page
    assert (await (await client.get("/conversations")).text()).count('class="tag is-call"') == 1
    assert "Hail broke" not in await (await client.get("/conversations?unread=yes")).text()
    assert "Hail broke" in await (await client.get("/conversations?q=5550142")).text()
    assert "Nothing fits" in await (await client.get("/conversations?q=999999")).text()


async def test_a_lead_leads_to_its_conversation(pages: Pages) -> None:
    talk = await comes(pages, "hello")
    client = await pages.signed_in()
    async with pages.database.companies(pages.company.id) as wire:
        lead = await wire.fetchval("SELECT id FROM leads")
        text = await wire.fetchval("SELECT id FROM texts")
    answer = await client.get(f"/conversations/of/{lead}", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"/conversations/{talk}#text-{text}")
    assert (await client.get(f"/conversations/of/{'0' * 36}")).status == 404


async def test_the_persons_page_leads_there(pages: Pages) -> None:
    talk = await comes(pages, "hello")
    await comes(pages, "hello again")
    await gather_all(pages.database)
    async with pages.database.companies(pages.company.id) as wire:
        person = await wire.fetchval("SELECT person_id FROM person_keys WHERE value = $1", THEIRS)
    client = await pages.signed_in()
    page = await (await client.get(f"/people/{person}")).text()
    assert f'href="/conversations/{talk}"' in page
    assert "2 texts" in page
    assert f"/people/{person}" in await (await client.get(f"/conversations/{talk}")).text()


async def test_many_are_paged(pages: Pages) -> None:
    await open_account(pages)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "INSERT INTO conversations (company_id, number, other, last_at) "
            "SELECT $1, '+13065552001', '+1306556' || (1000 + n), now() - n * interval '1 minute' "
            "FROM generate_series(1, 120) n",
            pages.company.id,
        )
        talk = await wire.fetchval("SELECT max(id) FROM conversations")
        await wire.execute(
            "INSERT INTO texts (company_id, conversation_id, direction, body, state, at) "
            "SELECT $1, $2, 'in', 'text ' || n || '.', 'received', now() - n * interval '1 minute' "
            "FROM generate_series(1, 130) n",
            pages.company.id,
            talk,
        )
    client = await pages.signed_in()
    seen: list[str] = []
    address: str | None = "/conversations"
    while address is not None:
        page = await (await client.get(address)).text()
        seen += [part.split('"')[0] for part in page.split('data-key="')[1:]]
        older = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0] if 'rel="next"' in page else None
        address = older.replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == 120
    page = await (await client.get(f"/conversations/{talk}")).text()
    assert page.count('class="bubble"') == 100
    assert "text 1." in page
    before = page.split("before=")[1].split('"')[0]
    page = await (await client.get(f"/conversations/{talk}?before={before}")).text()
    assert page.count('class="bubble"') == 30
    assert "text 130." in page


async def test_an_answer_is_queued_once_and_stands_in_the_log(pages: Pages) -> None:
    talk = await comes(pages, "Can you come today?")
    client = await pages.signed_in()
    answer = await client.post(f"/conversations/{talk}", data={"text": "  At nine.\r\nIs that all right? "})
    assert answer.status == 200
    page = await answer.text()
    assert "On its way." in page
    assert "waiting to be sent" in page
    assert await sent(pages) == [("At nine.\nIs that all right?", "waiting")]
    async with pages.database.everything() as wire:
        jobs = await wire.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'send_text'")
    assert [json.loads(job["payload"])["company"] for job in jobs] == [pages.company.id]
    log = await (await client.get("/settings/audit")).text()
    assert "texted" in log
    assert THEIRS in log


@pytest.mark.parametrize(("text", "said"), [("", "Write something here."), ("x" * 1601, "At most 1,600 characters")])
async def test_what_cannot_be_sent_is_not(pages: Pages, text: str, said: str) -> None:
    talk = await comes(pages, "hello")
    client = await pages.signed_in()
    answer = await client.post(f"/conversations/{talk}", data={"text": text})
    assert answer.status == 422
    assert said in await answer.text()
    assert await sent(pages) == []


async def test_who_wants_none_cannot_be_texted(pages: Pages) -> None:
    talk = await comes(pages, "Stop")
    short = await comes(pages, "Your code", other="24365")
    client = await pages.signed_in()
    for id, said in ((talk, "They wrote “Stop”"), (short, "takes no answer")):
        assert said in await (await client.get(f"/conversations/{id}")).text()
        answer = await client.post(f"/conversations/{id}", data={"text": "hello?"})
        assert answer.status == 422
    assert await sent(pages) == []


async def test_what_came_over_sip_is_answered_by_the_only_carrier_there_is(pages: Pages) -> None:
    talk = await comes(pages, "hello")
    client = await pages.signed_in()
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE conversations SET account_id = NULL")
    assert "Write an answer" in await (await client.get(f"/conversations/{talk}")).text()
    async with pages.database.companies(pages.company.id) as wire:
        await accounts.add(wire, pages.company.id, "Second", Kind.TWILIO, {"account": "AC9"}, {"token": "x"})
    page = await (await client.get(f"/conversations/{talk}")).text()
    assert "No account with a carrier can send" in page
    assert (await client.post(f"/conversations/{talk}", data={"text": "x"})).status == 422


async def test_one_that_failed_is_sent_again(pages: Pages) -> None:
    talk = await comes(pages, "hello")
    client = await pages.signed_in()
    await client.post(f"/conversations/{talk}", data={"text": "Yes?"})
    async with pages.database.companies(pages.company.id) as wire:
        id = await wire.fetchval(
            "UPDATE texts SET state = 'failed', fault = 'no way' WHERE state = 'waiting' RETURNING id"
        )
    page = await (await client.get(f"/conversations/{talk}")).text()
    assert "no way" in page
    assert "Send again" in page
    assert (await client.post(f"/conversations/{talk}/again", data={"id": str(id)})).status == 200
    assert await sent(pages) == [("Yes?", "waiting")]
    assert (await client.post(f"/conversations/{talk}/again", data={"id": str(id)})).status == 404


async def test_who_may_what(pages: Pages) -> None:
    talk = await comes(pages, "hello")
    analyst, agent = await pages.signed_in(Role.ANALYST), await pages.signed_in(Role.AGENT)
    page = await (await analyst.get(f"/conversations/{talk}")).text()
    assert "hello" in page
    assert "<textarea" not in page
    assert (await analyst.post(f"/conversations/{talk}", data={"text": "x"})).status == 403
    assert (await agent.get(f"/conversations/{talk}")).status == 403
    assert (await agent.get("/conversations")).status == 403
    stranger = await pages.signed_in(Role.OWNER, pages.stranger)
    assert (await stranger.get(f"/conversations/{talk}")).status == 404
    assert (await stranger.post(f"/conversations/{talk}", data={"text": "x"})).status == 404


# --------------------------------------------------------------------------------------------------------- settings


async def test_an_account_is_made_changed_removed_and_brought_back(pages: Pages) -> None:
    client = await pages.signed_in()
    missing = await client.post("/settings/texts/new", data={**TWILIO, "carrier-token": ""})
    assert missing.status == 422
    page = await (await client.post("/settings/texts/new", data=TWILIO)).text()
    assert "very-secret" not in page
    async with pages.database.companies(pages.company.id) as wire:
        (made,) = await accounts.standings(wire, pages.company.id)
    account = made.account
    assert account.token in page
    assert (await client.post("/settings/texts/new", data=TWILIO)).status == 422  # the name is taken

    async def present() -> Account | None:
        async with pages.database.companies(pages.company.id) as wire:
            return await accounts.account_by_id(wire, pages.company.id, account.id)

    me = f"/settings/texts/{account.id}"
    await client.post(me, data={"name": "Our texts", "carrier-account": "AC9", "carrier-token": ""})
    now = await present()
    assert now is not None
    assert (now.name, now.plain, now.secrets) == ("Our texts", {"account": "AC9"}, {"token": "very-secret"})
    await client.post(me, data={"name": "Our texts", "carrier-account": "AC9", "carrier-token": "another"})
    now = await present()
    assert now is not None
    assert now.secrets == {"token": "another"}
    await client.post(f"{me}/address")
    renewed = await present()
    assert renewed is not None
    assert renewed.token != account.token
    page = await (await client.post(f"{me}/remove")).text()
    assert await present() is None
    undo = page.split('action="/undo/')[1].split('"')[0]
    await client.post(f"/undo/{undo}", data={"next": "/settings/texts"})
    assert await present() == renewed
    log = await (await client.get("/settings/audit")).text()
    assert "the account for texts" in log
    assert "very-secret" not in log
    assert "another" not in log


async def test_the_address_is_tried(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await open_account(pages)
    client = await pages.signed_in()
    me = f"/settings/texts/{account.id}"
    assert "That did not work" in await (await client.post(f"{me}/try")).text()  # no website, no address

    app = web.Application()
    app.router.add_get("/right/v1/texts/{token}/ready", ready_of(account.id))
    app.router.add_get("/wrong/v1/texts/{token}/ready", ready_of(account.id + 1))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        for folder, said in (("right", "It works"), ("wrong", "something else"), ("none", "something else")):
            monkeypatch.setitem(vars(pages.settings.collector), "public_url", f"{base}/{folder}")
            assert said in await (await client.post(f"{me}/try")).text(), folder
    finally:
        await runner.cleanup()
    assert "That did not work" in await (await client.post(f"{me}/try")).text()  # nobody is there any more


def ready_of(id: int) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """What the collector says of an account."""

    async def ready(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"texts": "ready", "account": id})

    return ready


async def test_who_is_told_by_mail(pages: Pages) -> None:
    client = await pages.signed_in()
    typed = "office@example.com\n a@example.com, office@example.com"
    await client.post("/settings/texts/mail", data={"addresses": typed})
    async with pages.database.companies(pages.company.id) as wire:
        assert await accounts.mail_to(wire, pages.company.id) == ("office@example.com", "a@example.com")
    assert (await client.post("/settings/texts/mail", data={"addresses": "nobody"})).status == 422
    await comes(pages, "hello")
    async with pages.database.everything() as wire:
        jobs = await wire.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'send_letter'")
    told = sorted(json.loads(job["payload"])["to"] for job in jobs)
    assert told == ["a@example.com", "office@example.com"]


# ---------------------------------------------------------------------------------------------------------- browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_reading_and_answering_in_a_browser(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    talk = await comes(pages, "Can you come today? " * 6, ago=26)
    await comes(pages, "Still there?", ago=1, media=("https://m.example/1.jpg",))
    async with looking(pages, chromium, scheme) as page:
        await page.goto(f"{pages.url}/conversations")
        await nothing_for_axe(page, "list")
        await page.get_by_text("Still there?").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("(306) 555-0142")
        await nothing_for_axe(page, "conversation")
        box = page.get_by_label("Your answer")
        await box.fill("ж" * 71)
        await expect(page.locator("#length")).to_have_text("71 letters, sent as 2 texts")
        await box.fill("At nine?")
        await expect(page.locator("#length")).to_have_text("8 letters")
        await box.press("Control+Enter")
        await expect(page.locator(".is-ours .bubble")).to_have_text("At nine?")
        await comes(pages, "Nine is fine.")  # while it is open
        await expect(page.locator(".is-theirs .bubble").last).to_have_text("Nine is fine.")
        await page.set_viewport_size({"width": 390, "height": 800})
        await page.goto(f"{pages.url}/conversations/{talk}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await nothing_for_axe(page, "conversation on a phone")
        await page.goto(f"{pages.url}/settings/texts/new?kind=vonage")
        await nothing_for_axe(page, "a new account")
        await page.goto(f"{pages.url}/settings/texts")
        await nothing_for_axe(page, "accounts")
        await page.get_by_role("link", name="Carrier", exact=True).click()
        await expect(page.locator("#address")).to_contain_text("/v1/texts/")
        await nothing_for_axe(page, "an account")
