"""Reports by mail on the pages: added, asked, confirmed, tried, paused, removed; and ended by one click in a mail."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from gateway.delivery import letters
from gateway.http.app import TABLE
from gateway.http.letters import writers
from gateway.http.permissions import Role
from gateway.http.rendering import templates_of_checkout_or_wheel
from gateway.http.report_letters import ReportDesk
from gateway.reports import mail_clerk, mail_subscriptions
from gateway.reports.mail_due import Kind
from gateway.reports.mail_subscriptions import Pause, Purpose, Subscription, Wish
from gateway.settings import MailSettings
from gateway.store import jobs
from gateway.store.jobs import run_jobs
from tests.delivery.post_office import PostOffice, post_office, text_of
from tests.http.company import add_call
from tests.http.conftest import Pages, running_pages
from tests.http.test_browser import looking, nothing_for_axe
from tests.stack import eventually

BASE = "http://calls.example"


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.3)
    monkeypatch.setattr(letters, "AGAIN_AFTER", timedelta(seconds=0.3))


@asynccontextmanager
async def sending(dsn: str, folder: Path, office: PostOffice) -> AsyncIterator[Pages]:
    """Pages, and the jobs of a gateway beside them."""
    mail = MailSettings.model_validate(
        {"host": "127.0.0.1", "port": office.port, "security": "none", "from": "Calls <calls@example.com>"}
    )
    async with running_pages(dsn, folder, mail, public_url=BASE) as pages:
        templates = templates_of_checkout_or_wheel()
        handlers = {
            **letters.handlers(mail, writers(pages.database, templates, BASE), pages.health),
            **mail_clerk.handlers(
                pages.database, mail, ReportDesk(pages.database, templates, BASE).write, pages.health
            ),
        }
        work = asyncio.create_task(run_jobs(dsn, handlers, pages.health))
        try:
            yield pages
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[PostOffice]:
    async with post_office(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def posting(database_dsn: str, tmp_path: Path, office: PostOffice) -> AsyncIterator[Pages]:
    async with sending(database_dsn, tmp_path, office) as running:
        yield running


async def arrived(office: PostOffice, count: int) -> None:
    async def there() -> bool:
        return len(office.taken) >= count

    await eventually(there, 40)


async def all_of(pages: Pages) -> list[Subscription]:
    async with pages.database.companies(pages.company.id) as wire:
        return await mail_subscriptions.subscriptions(wire, pages.company.id)


async def owners_id(pages: Pages) -> int:
    async with pages.database.everything() as wire:
        return int(await wire.fetchval("SELECT min(user_id) FROM memberships WHERE company_id = $1", pages.company.id))


WEEKLY = {"kind": "weekly", "hour": "7", "weekday": "5", "quiet_from": "", "quiet_until": "", "language": "en"}


async def add(client: aiohttp.ClientSession, **values: str) -> tuple[int, str]:
    async with client.post("/settings/mail", data={**WEEKLY, **values}) as answer:
        return answer.status, await answer.text()


async def test_an_address_outside_is_asked_says_yes_and_leaves_by_one_click(posting: Pages, office: PostOffice) -> None:
    client = await posting.signed_in()
    status, page = await add(client, who="outside", address=" Boss@Example.com ")
    assert status == 200
    assert "boss@example.com was asked by mail" in page
    await arrived(office, 1)
    question = office.taken[0]
    assert question["To"] == "boss@example.com"
    assert question["Subject"] == "Do you want the weekly report of Acme Roofing?"
    (asked,) = re.findall(r"http://calls\.example(/mail/confirm/\S+)", text_of(question))
    stranger = posting.client()
    for _ in range(2):  # looking, as programs do that check mails, confirms nothing
        page = await (await stranger.get(asked)).text()
        assert "Do you want it?" in page
    assert (await all_of(posting))[0].confirmed_at is None
    assert "It is sent to you" in await (await stranger.post(asked)).text()
    (of,) = await all_of(posting)
    assert of.is_running
    assert (of.wish.hour, of.wish.weekday) == (7, 5)

    await client.post(f"/settings/mail/{of.id}/now")
    await arrived(office, 2)
    message = office.taken[1]
    leave = str(message["List-Unsubscribe"]).strip("<>").removeprefix(BASE)
    assert leave in text_of(message)
    assert "Unsubscribe?" in await (await stranger.get(leave)).text()
    assert (await all_of(posting))[0].is_running
    # As a mail program does it (RFC 8058): without cookies, without a page it would come from.
    async with (
        aiohttp.ClientSession(posting.url) as program,
        program.post(leave, data={"List-Unsubscribe": "One-Click"}, allow_redirects=False) as answer,
    ):
        assert answer.status == 200
        assert "You are unsubscribed" in await answer.text()
    (of,) = await all_of(posting)
    assert of.paused_why is Pause.UNSUBSCRIBED
    assert "ended by the link in a mail" in await (await client.get("/settings/mail")).text()
    log = await (await client.get("/settings/audit")).text()
    assert "boss@example.com: weekly" in log

    # Nobody else lets it go on without asking; the reader may take it back.
    await client.post(f"/settings/mail/{of.id}/resume")
    assert not (await all_of(posting))[0].is_running
    await arrived(office, 3)
    assert office.taken[2]["Subject"].startswith("Do you want")
    await stranger.post(leave)
    await stranger.post(leave, data={"again": "yes"})
    assert (await all_of(posting))[0].paused_at is None


async def test_only_the_one_route_is_posted_to_from_anywhere(posting: Pages) -> None:
    assert [route.path.split("{")[0] for route in TABLE if route.from_anywhere] == ["/mail/leave/"]
    id = await subscribed(posting, Kind.DAILY)
    token = await token_of(posting, id, Purpose.CONFIRM)
    async with aiohttp.ClientSession(posting.url) as program, program.post(f"/mail/confirm/{token}") as answer:
        assert answer.status == 403


async def test_a_token_that_is_guessed_bent_or_of_another_purpose_does_nothing(posting: Pages) -> None:
    id = await subscribed(posting, Kind.DAILY)
    leave, confirm = [await token_of(posting, id, purpose) for purpose in (Purpose.LEAVE, Purpose.CONFIRM)]
    number, _, signature = leave.partition("-")
    bent = signature[:-2] + ("AA" if signature[-2:] != "AA" else "BB")
    for token in (confirm, f"{number}-{bent}", f"{number}-", f"{id + 1:x}-{signature}", "f" * 90, "-", "0-0", number):
        answer = await posting.client().post(f"/mail/leave/{token}")
        assert answer.status == 410, token
        assert "no longer works" in await answer.text()
    assert (await all_of(posting))[0].is_running
    async with posting.database.companies(posting.company.id) as wire:
        await wire.execute("UPDATE mail_subscriptions SET removed_at = now()")
    assert (await posting.client().post(f"/mail/leave/{leave}")).status == 410


async def subscribed(pages: Pages, kind: Kind, role: Role = Role.OWNER) -> int:
    """A user's own; its id."""
    await pages.link(role)
    async with pages.database.everything() as wire:
        user = await wire.fetchval(
            "SELECT id FROM users WHERE email = $1", f"{role.value}-{pages.company.id}@example.com"
        )
        id = await mail_subscriptions.add(wire, pages.company.id, Wish(kind), user, user_id=user, address=None)
    assert id is not None
    return id


async def token_of(pages: Pages, id: int, purpose: Purpose) -> str:
    async with pages.database.everything() as wire:
        found = await mail_subscriptions.subscription(wire, id)
    assert found is not None
    return found.token(purpose)


async def test_changed_removed_and_taken_back(posting: Pages) -> None:
    client = await posting.signed_in()
    id = await subscribed(posting, Kind.WEEKLY)
    answer = await client.post(f"/settings/mail/{id}", data={**WEEKLY, "hour": "21"})
    page = await answer.text()
    assert "Saved." in page
    assert (await all_of(posting))[0].wish.hour == 21
    await client.post(re.findall(r'action="(/undo/\d+)"', page)[0], data={"next": "/settings/mail"})
    assert (await all_of(posting))[0].wish == Wish(Kind.WEEKLY)
    page = await (await client.post(f"/settings/mail/{id}/remove")).text()
    assert not await all_of(posting)
    assert (await client.get(f"/settings/mail/{id}")).status == 404
    await client.post(re.findall(r'action="(/undo/\d+)"', page)[0], data={"next": "/settings/mail"})
    assert [each.id for each in await all_of(posting)] == [id]
    page = await (await client.post(f"/settings/mail/{id}/pause")).text()
    assert "Nothing is sent until" in page
    assert (await all_of(posting))[0].paused_why is Pause.PERSON
    await client.post(f"/settings/mail/{id}/resume")
    assert (await all_of(posting))[0].is_running


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"who": "outside", "address": "no address"}, "not an e-mail address"),
        ({"who": "outside", "address": ""}, "Write something"),
        ({"who": "99999"}, "Choose one of these"),
        ({"kind": "yearly"}, "Choose one of these"),
        ({"language": "xx"}, "Choose one of these"),
        ({"hour": "24"}, "Between 0 and 23"),
        ({"kind": "missed", "quiet_from": "9"}, "need a beginning and an end"),
        ({"kind": "missed", "quiet_from": "9", "quiet_until": "9"}, "end when they begin"),
    ],
)
async def test_what_will_not_do_is_said_beside_its_field(posting: Pages, values: dict[str, str], said: str) -> None:
    client = await posting.signed_in()
    status, page = await add(client, **{"who": str(await owners_id(posting)), **values})
    assert status == 422
    assert said in page
    assert not await all_of(posting)


async def test_the_same_twice_and_a_user_s_own_address_are_one(posting: Pages) -> None:
    client = await posting.signed_in()
    owner = f"owner-{posting.company.id}@example.com"
    assert (await add(client, who="outside", address=owner))[0] == 200
    (of,) = await all_of(posting)
    assert of.user_id is not None
    assert of.is_running
    status, page = await add(client, who=str(of.user_id))
    assert status == 422
    assert "sent there already" in page


async def test_each_role_looks_after_its_own_and_who_may_change_settings_after_all(posting: Pages) -> None:
    owners = await subscribed(posting, Kind.DAILY)
    agents = await subscribed(posting, Kind.MISSED, Role.AGENT)
    analysts = await subscribed(posting, Kind.WEEKLY, Role.ANALYST)
    seen = {
        Role.OWNER: {owners, agents, analysts},
        Role.MANAGER: {owners, agents, analysts},
        Role.ANALYST: {analysts},
        Role.AGENT: {agents},
    }
    for role, own in seen.items():
        client = await posting.signed_in(role)
        page = await (await client.get("/settings/mail")).text()
        assert {int(id) for id in re.findall(r'href="/settings/mail/(\d+)', page)} == own, role
        for id in (owners, agents, analysts):
            assert (await client.get(f"/settings/mail/{id}")).status == (200 if id in own else 404)
            assert (await client.post(f"/settings/mail/{id}/pause")).status == (200 if id in own else 404)
        for kind in Kind:
            shown = (await client.get("/settings/mail/preview", params={"kind": kind.value})).status
            assert shown == (404 if role is Role.AGENT and kind.is_report else 200)
    agent = await posting.signed_in(Role.AGENT)
    async with posting.database.everything() as wire:
        agents_user = await wire.fetchval("SELECT user_id FROM mail_subscriptions WHERE id = $1", agents)
    status, page = await add(agent, who=str(agents_user), kind="daily")
    assert status == 422
    assert "An agent sees his own calls only" in page
    assert (await add(agent, who=str(await owners_id(posting)), kind="missed"))[0] == 422
    assert (await add(agent, who="outside", address="x@example.com", kind="missed"))[0] == 422


async def test_without_a_mail_server_the_page_says_how_to_name_one(pages: Pages) -> None:
    client = await pages.signed_in()
    page = await (await client.get("/settings/mail")).text()
    assert "No mail server is named yet" in page
    assert "numberpool mail test" in page
    id = await subscribed(pages, Kind.DAILY)
    page = await (await client.post(f"/settings/mail/{id}/now")).text()
    assert "It cannot be sent now" in page
    await client.post(f"/settings/mail/{id}/pause")
    assert "It cannot be sent now" in await (await client.post(f"/settings/mail/{id}/resume")).text()
    status, page = await add(client, who="outside", address="boss@example.com")
    assert status == 422
    assert "No mail server is named yet" in page
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_a_preview_is_the_mail_and_may_do_nothing(posting: Pages) -> None:
    await add_call(posting.database, posting.company, outcome="no_answer", caller_name="<script>alert(1)</script>")
    client = await posting.signed_in()
    for kind in Kind:
        answer = await client.get("/settings/mail/preview", params={"kind": kind.value, "language": "ru"})
        text = await answer.text()
        assert "data:image/png;base64," in text
        assert "cid:" not in text
        assert "<script" not in text
        policy = answer.headers["Content-Security-Policy"]
        assert "sandbox" in policy
        assert "script-src" not in policy
        assert "default-src 'none'" in policy


async def test_by_clicking(posting: Pages, chromium: Browser, office: PostOffice) -> None:
    await add_call(posting.database, posting.company, outcome="no_answer")
    async with looking(posting, chromium) as page:
        await page.goto(f"{posting.url}/settings/mail")
        await page.get_by_role("link", name="Add the first").click()
        await expect(page.get_by_label("Address")).to_be_hidden()
        await expect(page.get_by_label("On", exact=True)).to_be_visible()
        await page.get_by_label("Each missed call").check()
        await expect(page.get_by_label("On", exact=True)).to_be_hidden()
        await expect(page.get_by_label("At", exact=True)).to_be_hidden()
        await page.get_by_label("From").select_option("21")
        await page.get_by_label("Until").select_option("7")
        await nothing_for_axe(page, "new")
        await page.get_by_role("button", name="Add").click()
        await expect(page.get_by_text("It is sent from the next time on.")).to_be_visible()
        await expect(page.get_by_text("when a call is missed")).to_be_visible()
        await nothing_for_axe(page, "list")
        await page.get_by_role("link", name="Alerts of missed calls").click()
        look = page.frame_locator("iframe")
        await expect(look.get_by_text("Missed call", exact=True)).to_be_visible()
        await page.get_by_role("table").get_by_role("link").first.click()
        await page.get_by_role("button", name="Send one now").click()
        await expect(page.get_by_text("It is on its way")).to_be_visible()
        await arrived(office, 1)

        async def told() -> bool:
            await page.reload()
            return await page.get_by_text("taken by the mail server").is_visible()

        await eventually(told, 40)
        await nothing_for_axe(page, "one")
        await page.get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("Nobody gets mail yet")).to_be_visible()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("when a call is missed")).to_be_visible()
        (of,) = await all_of(posting)
        await page.goto(f"{posting.url}/mail/leave/{of.token(Purpose.LEAVE)}")
        await nothing_for_axe(page, "leave")
        await page.get_by_role("button", name="Unsubscribe").click()
        await expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
        await nothing_for_axe(page, "left")
        await page.get_by_role("button", name="Send it again").click()
        await expect(page.get_by_role("heading", name="Unsubscribe?")).to_be_visible()
        assert (await all_of(posting))[0].is_running
