"""The page of one call in a real browser: its sound, why it has its source, the way to it, and who may see what."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from gateway.calls.audio import Encoded, make_stereo
from gateway.calls.sides import finished_file
from gateway.http.permissions import Role
from gateway.visits.ids import new_id
from tests.attribution.front import Front, open_front
from tests.http.company import RATE, MadeCompany, add_call, make_recording
from tests.http.conftest import Pages
from tests.http.test_browser import looking, nothing_for_axe, until
from tests.pools.shop import ADS, SEARCH

AT = "document.querySelector('#audio').currentTime"
# What Web Audio was asked for, in the order in which the player makes it.
GAINS = """
const made = [];
const make = AudioContext.prototype.createGain;
AudioContext.prototype.createGain = function () { const gain = make.call(this); made.push(gain); return gain; };
window.gains = () => made.map((gain) => gain.gain.value).join("");
"""


@pytest_asyncio.fixture
async def front(pages: Pages) -> AsyncIterator[Front]:
    """A company with a pool whose visits the test writes; its owner is ``front_owner``."""
    yield await open_front(pages.database)


def owner(front: Front) -> MadeCompany:
    """Whom to sign in as."""
    return MadeCompany(front.company_id)


async def a_visitor_calls(front: Front) -> int:
    """He came by an advertisement last week and wrote; today he came by a search, read, tapped and called."""
    him = front.someone(60 * 24 * 8)
    week = 60 * 24 * 7
    first = await front.visit(him, week, ADS)
    visit = await front.visit(him, 12, SEARCH)
    await front.page(visit, 11, 0, left=False)
    await front.rows(
        "UPDATE visits SET device = 'mobile', city = 'Regina', keyword = 'roof <b>repair', referrer = $2 WHERE id = $1",
        visit,
        "https://www.google.com/",
    )
    for each, ago, path, title in (
        (first, week, "spring", "Spring"),
        (visit, 11.5, "roofs", "Roofs"),
        (visit, 2, "p", ""),
    ):
        await front.rows(
            "INSERT INTO page_views (company_id, site_id, visit_id, at, url, title) VALUES ($1, $2, $3, $4, $5, $6)",
            front.company_id,
            front.shop.site.id,
            each,
            front.ago(ago),
            f"https://shop.example/{path}",
            title,
        )
    await front.rows(
        "INSERT INTO leads (company_id, site_id, id, kind, data, phone, visit_id, visitor_id, url, received_at) "
        "VALUES ($1, $2, $3, 'form', $4, '+13065550199', $5, $6, 'https://shop.example/contact', $7)",
        front.company_id,
        front.shop.site.id,
        new_id(front.ago(week)),
        json.dumps({"name": "Dana Whitford", "message": "How much is a roof?"}),
        first,
        him,
        front.ago(week),
    )
    await front.tap(visit, 0.1)
    call = await front.call()
    await front.settle()
    return call


def with_a_pause(folder: Path) -> tuple[str, Encoded]:
    """Ten seconds: two of the caller, six of silence, two of the business."""
    time = np.arange(10 * RATE) / RATE
    caller = np.where(time < 2, 0.4 * np.sin(2 * np.pi * 300 * time), 0)
    business = np.where(time >= 8, 0.4 * np.sin(2 * np.pi * 500 * time), 0)
    folder.mkdir(parents=True, exist_ok=True)
    sides = []
    for name, side in (("caller", caller), ("business", business)):
        sides.append(folder / f"pause.{name}.sln")
        sides[-1].write_bytes((side * 32767).astype(np.int16).tobytes())
    file = finished_file(1, datetime(2026, 11, 21, tzinfo=UTC), 77)
    (folder.parent / file).parent.mkdir(parents=True, exist_ok=True)
    return file, make_stereo(sides[0], sides[1], RATE, folder.parent / file)


async def test_keys_speed_skipping_and_muting(pages: Pages, chromium: Browser) -> None:
    call_id = await add_call(pages.database, pages.company, recording=with_a_pause(pages.recordings), talk=10)
    async with looking(pages, chromium) as page:
        await page.add_init_script(GAINS)
        await page.goto(f"{pages.url}/calls/{call_id}")
        await expect(page.locator(".surface canvas").first).to_be_attached()
        await expect(page.locator("#skip")).to_contain_text("−0:05")
        await page.keyboard.press("l")
        await until(page, "location.hash === ''")  # ten seconds on is the end
        await page.keyboard.press("j")
        await expect(page.locator("#position")).to_contain_text("0:00 / 0:10")
        await page.keyboard.press("Shift+>")
        assert await page.locator("#speed").input_value() == "1.25"
        await page.get_by_label("Speed").select_option("0.75")
        await page.get_by_role("button", name="Skip silence").click()
        await expect(page.get_by_role("button", name="Skip silence")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("k")
        await until(page, f"{AT} > 7.4")  # played through, that would take ten seconds
        await page.keyboard.press("k")
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()

        await page.get_by_role("button", name="Mute the caller").click()
        await until(page, "gains() === '0011'")  # caller left and right, business left and right
        await page.get_by_role("button", name="Mute the business").click()
        await until(page, "gains() === '0000'")
        await page.get_by_role("button", name="Mute the caller").click()
        await until(page, "gains() === '1100'")
        await page.get_by_role("button", name="Mute the business").click()
        await until(page, "gains() === '1001'")

        await page.reload()  # a listener's habits stay
        assert await page.locator("#speed").input_value() == "0.75"
        await expect(page.get_by_role("button", name="Skip silence")).to_have_attribute("aria-pressed", "true")


async def test_a_link_to_a_moment_and_the_moments_of_the_call(pages: Pages, chromium: Browser) -> None:
    sound = make_recording(pages.recordings, "moment", 60)
    call_id = await add_call(pages.database, pages.company, recording=sound, talk=60)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE legs SET talk_seconds = 20 WHERE call_id = $1", call_id)
        await wire.execute(
            "INSERT INTO legs "
            "(company_id, call_id, position, kind, dial, ring_seconds, talk_seconds, result, answered_by)"
            " VALUES ($1, $2, 2, 'transfer', '102@internal', 5, 40, 'answered', 'PJSIP/anna')",
            pages.company.id,
            call_id,
        )
    async with looking(pages, chromium) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(f"{pages.url}/calls/{call_id}")
        moments = page.get_by_role("list", name="Moments of this call")
        await expect(moments).to_contain_text("Put through to anna")
        await moments.get_by_role("link", name="0:20").click()
        await expect(page.locator("#position")).to_contain_text("0:20")
        await page.get_by_role("button", name="Copy a link to this moment").click()
        await expect(page.locator("#notices")).to_contain_text("The link to 0:20 is copied.")
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied == f"{pages.url}/calls/{call_id}#t=20"
        await page.goto("about:blank")
        await page.goto(copied)
        await expect(page.locator("#position")).to_contain_text("0:20")
        await page.get_by_role("button", name="Play", exact=True).click()
        await until(page, f"{AT} > 20.1")


async def test_without_script_the_browsers_own_player_stands_there(pages: Pages, chromium: Browser) -> None:
    sound = make_recording(pages.recordings, "plain", 5)
    call_id = await add_call(pages.database, pages.company, recording=sound, talk=5)
    async with looking(pages, chromium, script=False) as page:
        await page.goto(f"{pages.url}/calls/{call_id}")
        await expect(page.locator("audio[controls]")).to_be_visible()
        await expect(page.locator(".stage svg.wave")).to_be_visible()
        for name in ("Play", "Mute the caller", "Copy a link to this moment"):
            await expect(page.get_by_role("button", name=name, exact=True)).to_be_hidden()


async def test_only_the_librarys_stylesheet_is_let_in(pages: Pages, chromium: Browser) -> None:
    call_id = await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    seen = set()
    for _ in range(2):
        async with client.get(f"/calls/{call_id}") as answer:
            policy = answer.headers["Content-Security-Policy"]
        (styles,) = [part.strip() for part in policy.split(";") if part.strip().startswith("style-src")]
        assert styles.startswith("style-src 'self' 'nonce-")
        assert "unsafe" not in policy
        assert "script-src 'self';" in policy
        seen.add(styles)
    assert len(seen) == 2
    async with client.get("/calls") as answer:
        assert "style-src 'self';" in answer.headers["Content-Security-Policy"]


async def test_why_this_source_and_the_way_to_the_call(pages: Pages, front: Front, chromium: Browser) -> None:
    call = await a_visitor_calls(front)
    earlier = await front.call(60 * 24 * 3, caller="+13065550199", number=list(front.numbers)[-1])
    async with looking(pages, chromium, role=None) as page:
        await enter(page, pages, front)
        await page.goto(f"{pages.url}/calls/{call}")
        why = page.locator("#why")
        await expect(why.get_by_role("heading", name="Why Google Paid")).to_be_visible()  # the first touch has it
        await expect(why).to_contain_text("This visitor tapped")
        await expect(why).to_contain_text("6 seconds before the call")
        await expect(why).to_contain_text("Weighed by how soon people usually call")
        assert await why.locator("svg.when-seen rect").count() == await why.locator(".suspect").count() == 1
        assert await why.locator("svg.when-seen circle").count() == 1
        await expect(why.locator(".touches li").first).to_contain_text("has the credit")
        way = page.locator("#way")
        assert await way.locator(".visit").count() == 2
        newest = way.locator(".visit").first
        for words in ("Google Organic", "this visit called", "searched “roof <b>repair”", "on a phone", "Regina"):
            await expect(newest).to_contain_text(words)
        steps = await newest.locator(".looked-at li > :last-child").all_inner_texts()
        assert [step.split(" /")[0] for step in steps] == ["Roofs", "/p", f"tapped {spoken(front)}", "called"]
        caller = page.locator("#caller")
        await expect(caller).to_contain_text("Saskatchewan")
        await expect(caller).to_contain_text("How much is a roof?")
        await nothing_for_axe(page, "why")
        for link in (newest.get_by_role("link"), why.locator(".suspect a")):
            await link.click()
            await expect(page.locator("main")).to_contain_text("Roofs")
            await expect(page).to_have_url(re.compile("/visitors/"))
            await page.go_back()
        await caller.locator(f'a[href^="/calls/{earlier}"]').click()
        await expect(page.locator("#why")).to_contain_text("This number stands for Flyer")


async def test_the_source_appears_once_it_is_known(pages: Pages, front: Front, chromium: Browser) -> None:
    await front.came(front.someone(), 5, 0, ADS, left=False)
    call = await front.call(state="ringing")
    async with looking(pages, chromium, role=None) as page:
        await enter(page, pages, front)
        await page.goto(f"{pages.url}/calls/{call}")
        await expect(page.locator("#why")).to_contain_text("is being decided")
        await expect(page.locator("#way")).to_be_empty()
        await page.wait_for_timeout(300)  # the stream is open
        await front.rows(
            "UPDATE calls SET state = 'ended', stage = 3, outcome = 'answered', ended_at = $2 WHERE id = $1",
            call,
            front.ago(-1),
        )
        await front.settle()
        await expect(page.get_by_role("heading", name="Why Google Paid")).to_be_visible()
        await expect(page.locator("#why")).to_contain_text("on the screen when the phone rang")
        await expect(page.locator("#way .visit")).to_have_count(1)
        await expect(page.locator("#call-head")).to_contain_text("Google Paid")


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_each_stand_has_its_sentence(pages: Pages, front: Front, language: str) -> None:
    unknown = await front.call(60 * 24 * 3, caller=None)
    last = await front.came(front.someone(), 90, 80, ADS)
    old = await front.call()
    await front.settle()
    ringing = await front.call(state="ringing", caller="+14035550135")
    told = await a_visitor_calls(front)
    await front.rows("UPDATE attributions SET forgotten = true WHERE call_id = $1", told)
    said = {
        "en": (
            (unknown, "Nobody was shown this number in the days before the call."),
            (unknown, "The number was withheld"),
            (old, "Nobody had this number on a screen within"),
            (ringing, "What brought this call is being decided"),
            (told, "Whoever called asked to be forgotten"),
        ),
        "ru": (
            (unknown, "В дни перед звонком этот номер никому не показывался."),
            (unknown, "Номер скрыт"),
            (old, "не было ни на одном экране"),
            (ringing, "Источник звонка определяется"),
            (told, "попросил забыть его"),
        ),
    }
    assert last is not None
    client = await pages.signed_in(company=owner(front))
    for call, sentence in said[language]:
        async with client.get(f"/calls/{call}", headers={"Accept-Language": language}) as answer:
            assert answer.status == 200
            assert sentence in await answer.text(), sentence


async def test_who_may_see_what(pages: Pages, front: Front) -> None:
    call = await a_visitor_calls(front)
    shown: dict[Role, tuple[bool, ...]] = {}
    for role in (Role.OWNER, Role.ANALYST):
        client = await pages.signed_in(role, owner(front))
        async with client.get(f"/calls/{call}") as answer:
            text = await answer.text()
        shown[role] = ("The way to this call" in text, "How much is a roof?" in text, 'class="statuses"' in text)
    assert shown == {Role.OWNER: (True, True, True), Role.ANALYST: (True, True, False)}
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE calls SET answered_by = 'PJSIP/reception' WHERE id = $1", call)
    agent = await pages.signed_in(Role.AGENT, owner(front))
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO member_endpoints SELECT company_id, user_id, 'PJSIP/reception' FROM memberships "
            "WHERE company_id = $1 AND role = 'agent'",
            front.company_id,
        )
    async with agent.get(f"/calls/{call}") as answer:
        text = await answer.text()
        assert answer.status == 200, text
    assert "Why Google Paid" in text
    for word in ("The way to this call", "How much is a roof?", "svg class=&#34;when-seen", "roofs"):
        assert word not in text
    assert 'class="suspect' not in text


async def test_a_status_by_one_key(pages: Pages, chromium: Browser) -> None:
    call_id = await add_call(pages.database, pages.company)
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/calls/{call_id}")
        await page.keyboard.press("4")
        await expect(page.get_by_role("button", name="Booked", pressed=True)).to_be_visible()
        async with pages.database.companies(pages.company.id) as wire:
            assert await wire.fetchval("SELECT status FROM calls WHERE id = $1", call_id) == "booked"
        await page.get_by_label("Note").fill("5 roofs")  # digits that are typed are text
        await expect(page.get_by_role("button", name="Booked", pressed=True)).to_be_visible()


@pytest.mark.parametrize(
    ("state", "words"),
    [("pending", "appears here in a moment"), ("empty", "neither side could be heard"), ("failed", "no such file")],
)
async def test_why_there_is_nothing_to_hear(pages: Pages, state: str, words: str) -> None:
    call_id = await add_call(pages.database, pages.company)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "INSERT INTO recordings (company_id, call_id, state, sides, rate, fault) "
            "VALUES ($1, $2, $3, 'x', 8000, $4)",
            pages.company.id,
            call_id,
            state,
            "There is no such file." if state == "failed" else None,
        )
    client = await pages.signed_in()
    async with client.get(f"/calls/{call_id}") as answer:
        text = await answer.text()
    assert words in text
    assert "<audio" not in text


async def enter(page: Page, pages: Pages, front: Front) -> None:
    """Sign in as the owner of the front's company."""
    await page.goto(await pages.link(Role.OWNER, owner(front)))
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/welcome")


def spoken(front: Front) -> str:
    number = front.number
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}" if number.startswith("+1") else number


async def test_what_the_same_person_did_from_another_number(pages: Pages) -> None:
    call_id = await add_call(pages.database, pages.company, caller="+13065550142")
    other = await add_call(pages.database, pages.company, caller="+16395550123", source="Facebook")
    third = await add_call(pages.database, pages.company, caller="+13065550142", outcome="no_answer")
    await add_call(pages.database, pages.company, caller="+13065550177")
    async with pages.database.companies(pages.company.id) as wire:
        person = await wire.fetchval(
            "INSERT INTO people (company_id, name, calls, jobs) VALUES ($1, 'Dana Whitford', 3, 1) RETURNING id",
            pages.company.id,
        )
        await wire.execute(
            "INSERT INTO person_of (company_id, person_id, call_id, at) "
            "SELECT company_id, $2, id, started_at FROM calls WHERE company_id = $1 AND id = ANY ($3) "
            "ON CONFLICT (company_id, call_id) DO UPDATE SET person_id = excluded.person_id",
            pages.company.id,
            person,
            [call_id, other, third],
        )
    owner_sees = await (await (await pages.signed_in()).get(f"/calls/{call_id}")).text()
    shown = {int(id) for id in re.findall(r'<li><a href="/calls/(\d+)', owner_sees)}
    assert shown == {other, third}
    assert f'href="/people/{person}"' in owner_sees
    assert "3 calls, 1 job" in owner_sees
    agent = await pages.signed_in(Role.AGENT)
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO member_endpoints SELECT company_id, user_id, 'PJSIP/reception' FROM memberships "
            "WHERE company_id = $1 AND role = 'agent'",
            pages.company.id,
        )
    agent_sees = await (await agent.get(f"/calls/{call_id}")).text()
    assert {int(id) for id in re.findall(r'<li><a href="/calls/(\d+)', agent_sees)} == {third}
    assert "/people/" not in agent_sees
