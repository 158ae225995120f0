"""Reports and alerts, from the look at what is due to a real mail server: once, whichever gateway sends them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.delivery.mail import Mail, send
from gateway.health import Condition, Health
from gateway.http import report_letters
from gateway.http.commands import add_user
from gateway.http.permissions import GRANTS, Permission, Role
from gateway.http.rendering import templates_of_checkout_or_wheel
from gateway.http.report_letters import ReportDesk
from gateway.reports import mail_calls, mail_clerk, mail_figures, mail_subscriptions
from gateway.reports.mail_alerts import Quiet
from gateway.reports.mail_clerk import Errand
from gateway.reports.mail_due import Kind
from gateway.reports.mail_subscriptions import Fate, Pause, PostedMail, Wish
from gateway.settings import MailSettings
from gateway.store import jobs
from gateway.store.database import Database
from gateway.store.jobs import run_jobs
from tests.delivery.post_office import PostOffice, free_port, post_office, text_of
from tests.http.company import MadeCompany, add_call, make_company
from tests.stack import eventually

BASE = "https://calls.example"
# A Monday, 8:00 in Regina (UTC-6).
MONDAY = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
TEMPLATES = templates_of_checkout_or_wheel()


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.3)
    monkeypatch.setattr(mail_clerk, "AGAIN_AFTER", timedelta(seconds=0.3))
    monkeypatch.setattr(mail_clerk, "MENDED_AFTER", timedelta(seconds=0.3))
    monkeypatch.setattr(mail_clerk, "TAKEN_WAIT", timedelta(seconds=0.2))
    # The tests' Mondays need not be this week's.
    monkeypatch.setattr(mail_clerk, "_WORTH_SENDING", dict.fromkeys(Kind, timedelta(days=1)))


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def company(database: Database) -> MadeCompany:
    return await make_company(database)


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[PostOffice]:
    async with post_office(tmp_path) as running:
        yield running


def mail_settings(port: int) -> MailSettings:
    return MailSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "security": "none", "from": "Calls <calls@example.com>"}
    )


@asynccontextmanager
async def gateway(database: Database, port: int, health: Health | None = None, **more: Any) -> AsyncIterator[None]:
    """The jobs of a gateway."""
    desk = ReportDesk(database, TEMPLATES, BASE, now=lambda: MONDAY)
    write = more.get("write", desk.write)
    handlers = mail_clerk.handlers(database, mail_settings(port), write, health or Health())
    work = asyncio.create_task(run_jobs(database.dsn, handlers, Health()))
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def subscribe(
    database: Database, company: MadeCompany, wish: Wish, role: Role = Role.OWNER, address: str | None = None
) -> int:
    """One that counts from long ago; its id."""
    user_id: int | None = None
    async with database.everything() as wire:
        name = await wire.fetchval("SELECT name FROM companies WHERE id = $1", company.id)
    if address is None:
        await add_user(database, f"{role.value}-{company.id}@example.com", name, role)
        async with database.everything() as wire:
            user_id = await wire.fetchval(
                "SELECT id FROM users WHERE email = $1", f"{role.value}-{company.id}@example.com"
            )
    async with database.companies(company.id) as wire:
        id = await mail_subscriptions.add(wire, company.id, wish, None, user_id=user_id, address=address)
        assert id is not None
        await wire.execute(
            "UPDATE mail_subscriptions SET counts_from = '2020-01-01', confirmed_at = now() WHERE id = $1", id
        )
    return id


async def missed(database: Database, company: MadeCompany, at: datetime, **more: Any) -> int:
    """A missed call as the ledger writes it."""
    id = await add_call(database, company, outcome=more.pop("outcome", "no_answer"), started_at=at, ring=10, **more)
    async with database.companies(company.id) as wire:
        await mail_calls.expect_alerts(wire, company.id, id)
        await mail_calls.expect_alerts(wire, company.id, id)  # an outbox is read twice
    return id


async def mails(database: Database, company: MadeCompany, id: int) -> list[PostedMail]:
    async with database.companies(company.id) as wire:
        return await mail_subscriptions.last_mails(wire, company.id, [id])


async def settled(database: Database, company: MadeCompany, id: int, count: int = 1) -> list[PostedMail]:
    """The mails of a subscription once there are so many, none of them waiting."""
    found: list[PostedMail] = []

    async def done() -> bool:
        found[:] = await mails(database, company, id)
        return len(found) >= count and all(mail.fate is not Fate.WAITING for mail in found)

    await eventually(done, 40)
    return found


async def test_two_gateways_send_a_weekly_report_once(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    for hours in (20, 30, 50):
        await add_call(database, company, started_at=MONDAY - timedelta(hours=hours))
    await add_call(database, company, started_at=MONDAY - timedelta(days=40))
    id = await subscribe(database, company, Wish(Kind.WEEKLY))
    assert await mail_clerk.post_due(database, MONDAY - timedelta(seconds=1)) == 1  # of the week before: long overdue
    async with gateway(database, office.port), gateway(database, office.port):
        posted = await asyncio.gather(*(mail_clerk.post_due(database, MONDAY) for _ in range(4)))
        assert sum(posted) == 1
        assert await mail_clerk.post_due(database, MONDAY + timedelta(hours=3)) == 0
        found = await settled(database, company, id, 2)
    assert [each.fate for each in found] == [Fate.SENT, Fate.SENT]
    assert len(office.taken) == 2
    message = next(each for each in office.taken if "3 calls" in each["Subject"])
    assert message["Subject"] == "Acme Roofing, last week: 3 calls"
    assert message["To"] == f"owner-{company.id}@example.com"
    for kind in ("plain", "html"):
        text = text_of(message, kind)
        assert "Google Ads" in text
        assert "Nov 16 – Nov 22" in text
    assert "Compared with Nov 9 – Nov 15" in text_of(message)
    assert "250" in found[0].answer or found[0].answer == "OK"


async def test_a_company_whose_clock_nobody_knows_holds_up_no_other(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    other = await make_company(database, "Borealis Dental", ("3001", "3002", "3003"))
    await subscribe(database, company, Wish(Kind.DAILY))
    id = await subscribe(database, other, Wish(Kind.DAILY))
    async with database.companies(company.id) as wire:
        await wire.execute("UPDATE companies SET time_zone = 'Nowhere/At_All' WHERE id = $1", company.id)
    assert await mail_clerk.post_due(database, MONDAY) == 1
    assert len(await mails(database, other, id)) == 1


async def test_a_gateway_that_was_down_sends_the_latest_of_each_and_none_before(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    daily = await subscribe(database, company, Wish(Kind.DAILY))
    async with gateway(database, office.port):
        assert await mail_clerk.post_due(database, MONDAY - timedelta(days=9)) == 1
        assert await mail_clerk.post_due(database, MONDAY + timedelta(hours=7)) == 1
        found = await settled(database, company, daily, 2)
    assert [mail.what for mail in found] == ["daily:2026-11-22", "daily:2026-11-13"]


async def test_a_gateway_that_dies_after_the_server_took_a_mail_sends_the_same_one_again(
    database: Database, company: MadeCompany, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once, and by its Message-ID one mail; a mail is in nobody's hands while another may still send it."""
    monkeypatch.setattr(mail_clerk, "IN_HAND_SECONDS", 3.0)
    id = await subscribe(database, company, Wish(Kind.DAILY))
    assert await mail_clerk.post_due(database, MONDAY) == 1
    died = asyncio.Event()

    async def send_and_die(settings: MailSettings, mail: Mail) -> str:
        await send(settings, mail)
        died.set()
        await asyncio.Event().wait()
        return ""

    with monkeypatch.context() as patched:
        patched.setattr(mail_clerk, "send", send_and_die)
        patched.setattr(mail_clerk, "_let_go", _nothing)
        async with gateway(database, office.port):
            async with asyncio.timeout(40):
                await died.wait()
            (waiting,) = await mails(database, company, id)
            assert waiting.fate is Fate.WAITING
    async with gateway(database, office.port):
        await settled(database, company, id)
    assert len(office.taken) == 2
    assert office.taken[0]["Message-ID"] == office.taken[1]["Message-ID"]


async def _nothing(*_: Any) -> None:
    """A process that is gone notes nothing."""


async def test_while_the_server_is_away_a_report_waits_and_is_told(
    database: Database, company: MadeCompany, tmp_path: Path
) -> None:
    port = free_port()
    id = await subscribe(database, company, Wish(Kind.DAILY))
    await mail_clerk.post_due(database, MONDAY)
    async with gateway(database, port):

        async def waits() -> bool:
            (mail,) = await mails(database, company, id)
            return mail.tries > 1 and "cannot be reached" in mail.answer

        await eventually(waits, 40)
        async with post_office(tmp_path, port=port) as office:
            (mail,) = await settled(database, company, id)
    assert mail.fate is Fate.SENT
    assert len(office.taken) == 1


async def test_what_is_refused_is_noted_and_after_three_the_subscription_rests(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    id = await subscribe(database, company, Wish(Kind.DAILY), address="nobody@example.com")
    async with gateway(database, office.port):
        for day in range(4):
            posted = await mail_clerk.post_due(database, MONDAY + timedelta(days=day))
            assert posted == (day < 3)
            found = await settled(database, company, id, min(day + 1, 3))
    assert [mail.fate for mail in found] == [Fate.REFUSED] * 3
    assert "no such person" in found[0].answer
    async with database.companies(company.id) as wire:
        of = await mail_subscriptions.subscription(wire, id)
        assert of is not None
        assert of.paused_why is Pause.REFUSED
        await mail_subscriptions.resume(wire, of, is_reader=False)
        of = await mail_subscriptions.subscription(wire, id)
        assert of is not None
        assert of.is_running


async def test_a_server_that_does_not_let_us_in_is_a_person_s_business_and_nothing_is_lost(
    database: Database, company: MadeCompany, office: PostOffice, tmp_path: Path
) -> None:
    id = await subscribe(database, company, Wish(Kind.DAILY))
    await mail_clerk.post_due(database, MONDAY)
    health = Health()
    # It wants an encrypted line, which the settings say it does not.
    async with post_office(tmp_path, tls=True) as strict, gateway(database, strict.port, health):

        async def told() -> bool:
            (mail,) = await mails(database, company, id)
            return "STARTTLS" in mail.answer and mail.tries > 1

        await eventually(told, 40)
    (mail,) = await mails(database, company, id)
    assert mail.fate is Fate.WAITING
    report = health.reports()[mail_clerk.PART]
    assert report.condition is Condition.NEEDS_PERSON
    assert "Mend [mail] in the settings" in report.message
    async with gateway(database, office.port, health):  # mended
        await settled(database, company, id)
    assert health.reports()[mail_clerk.PART].condition is Condition.OK


async def test_a_missed_call_is_told_two_minutes_later_with_all_that_is_known(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    id = await subscribe(database, company, Wish(Kind.MISSED))
    caller: dict[str, Any] = {"caller": "+13065550142", "caller_name": "Dana Whitford"}
    await add_call(database, company, started_at=MONDAY - timedelta(days=11), **caller)
    await missed(database, company, MONDAY - timedelta(hours=1), **caller)
    call = await missed(database, company, MONDAY, source="Facebook", **caller)
    ended = MONDAY + timedelta(seconds=10)
    async with database.companies(company.id) as wire:
        person = await wire.fetchval(
            "INSERT INTO people (company_id, name) VALUES ($1, 'Dana of Broad Street') RETURNING id", company.id
        )
        await wire.execute(
            "INSERT INTO person_of (company_id, person_id, call_id, at) VALUES ($1, $2, $3, now())",
            company.id,
            person,
            call,
        )
    async with gateway(database, office.port):
        assert await mail_clerk.post_due(database, ended + timedelta(seconds=119)) == 1  # the one of an hour ago
        assert await mail_clerk.post_due(database, ended + timedelta(seconds=121)) == 0  # one in five minutes
        assert await mail_clerk.post_due(database, ended + timedelta(minutes=8)) == 1
        await settled(database, company, id, 2)
    message = office.taken[-1] if "Facebook" in office.taken[-1]["Subject"] else office.taken[0]
    assert message["Subject"] == "Missed call: Dana of Broad Street, Facebook"
    text, html = text_of(message), text_of(message, "html")
    for said in ("(306) 555-0142", "nobody answered", "(306) 555-2002", "2 calls that day", f"{BASE}/calls/{call}"):
        assert said in text
    assert "last answered: Thursday, November 12" in text
    assert 'href="tel:+13065550142"' in html


async def test_a_message_is_told_of_at_once_also_when_its_caller_was_answered_since(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    id = await subscribe(database, company, Wish(Kind.MESSAGES))
    other = await subscribe(database, company, Wish(Kind.MISSED), Role.MANAGER)
    name = "Zo\u00eb\r\nBcc: evil@example.com"
    call = await add_call(
        database, company, outcome="voicemail", started_at=MONDAY, caller="+13065550142", caller_name=name
    )
    answered = await add_call(database, company, started_at=MONDAY, caller="+13065550199")
    async with database.companies(company.id) as wire:
        await wire.execute(
            "INSERT INTO recordings (company_id, call_id, state, sides, rate, file, seconds, peaks) "
            "VALUES ($1, $2, 'ready', 'recordings/x', 8000, 'recordings/1/2026/03/1.mp3', 12, '')",
            company.id,
            call,
        )
        for _ in range(2):  # a recording may be made twice
            await mail_calls.expect_message(wire, company.id, call)
        await mail_calls.expect_message(wire, company.id, answered)  # no message
    await add_call(database, company, started_at=MONDAY + timedelta(seconds=60), caller="+13065550142")
    async with gateway(database, office.port):
        assert await mail_clerk.post_due(database, MONDAY + timedelta(seconds=90)) == 1
        await settled(database, company, id, 1)
        assert await mail_clerk.post_due(database, MONDAY + timedelta(hours=1)) == 0
    (message,) = office.taken
    assert message["Subject"].startswith("A message from Zo\u00eb")
    assert "Bcc" not in message
    text = text_of(message)
    for said in ("(306) 555-0142", "left a message of 12 seconds", f"{BASE}/calls/{call}", "/mail/leave/"):
        assert said in text
    assert "List-Unsubscribe" in message
    async with database.companies(company.id) as wire:
        assert await mail_subscriptions.last_mails(wire, company.id, [other]) == []


async def test_whoever_called_again_and_was_answered_is_nobody_s_alert(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    await subscribe(database, company, Wish(Kind.MISSED))
    await missed(database, company, MONDAY)
    await add_call(database, company, started_at=MONDAY + timedelta(seconds=100))
    spam = await missed(database, company, MONDAY, caller="+13065550177")
    async with database.companies(company.id) as wire:
        await wire.execute("UPDATE calls SET status = 'spam' WHERE id = $1", spam)
    blocked = await missed(database, company, MONDAY, caller="+13065550178")
    back = await missed(database, company, MONDAY, caller="+13065550179")
    both_lines = await missed(database, company, MONDAY, caller="+13065550180")
    await add_call(
        database, company, caller="+13065550180", started_at=MONDAY - timedelta(seconds=5), ring=20
    )  # the other line of the same telephone, which somebody took later
    async with database.companies(company.id) as wire:
        await wire.execute(
            "INSERT INTO caller_rules (company_id, caller, verdict) VALUES ($1, '+13065550178', 'block')", company.id
        )
        await wire.execute("INSERT INTO call_backs (company_id, call_id) VALUES ($1, $2)", company.id, back)
    assert len({spam, blocked, back, both_lines}) == 4
    assert await mail_clerk.post_due(database, MONDAY + timedelta(minutes=10)) == 0
    async with database.everything() as wire:
        assert not await wire.fetchval("SELECT count(*) FROM alert_calls WHERE settled_at IS NULL")


async def test_bursts_and_quiet_hours_come_as_one_mail(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    id = await subscribe(database, company, Wish(Kind.MISSED, quiet=Quiet(8, 9)))
    for minute in range(7):
        await missed(database, company, MONDAY + timedelta(minutes=minute), caller=f"+1306555010{minute}")
    async with gateway(database, office.port):
        assert await mail_clerk.post_due(database, MONDAY + timedelta(minutes=30)) == 0
        posted = await asyncio.gather(*(mail_clerk.post_due(database, MONDAY + timedelta(hours=1)) for _ in range(3)))
        assert sum(posted) == 1
        (mail,) = await settled(database, company, id)
    assert mail.calls == 7
    assert [message["Subject"] for message in office.taken] == ["Acme Roofing: 7 missed calls"]


async def test_an_agent_is_told_of_his_own_calls_only_and_gets_no_report(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    alerts = await subscribe(database, company, Wish(Kind.MISSED), Role.AGENT)
    report = await subscribe(database, company, Wish(Kind.DAILY), Role.AGENT)
    async with database.companies(company.id) as wire:
        await wire.execute(
            "INSERT INTO member_endpoints (company_id, user_id, endpoint) "
            "SELECT company_id, user_id, 'PJSIP/102' FROM mail_subscriptions WHERE id = $1",
            alerts,
        )
    await missed(database, company, MONDAY, caller="+13065550177")
    own = await missed(database, company, MONDAY, caller="+13065550199")
    async with database.companies(company.id) as wire:
        await wire.execute("UPDATE legs SET dial = 'PJSIP/102' WHERE call_id = $1", own)
    async with gateway(database, office.port):
        assert await mail_clerk.post_due(database, MONDAY + timedelta(minutes=5)) == 1
        await settled(database, company, alerts)
    assert not await mails(database, company, report)
    assert "555-0199" in text_of(office.taken[0])
    assert "555-0177" not in text_of(office.taken[0]) + text_of(office.taken[0], "html")


def test_the_query_knows_who_may_read_reports() -> None:
    """It leaves agents out by name."""
    assert {role for role in Role if Permission.REPORTS_READ not in GRANTS[role]} == {Role.AGENT}
    assert all(Permission.CALLS_READ in GRANTS[role] for role in Role)


@pytest.mark.parametrize("why", ["left", "unconfirmed", "paused", "removed"])
async def test_nobody_is_written_to_who_is_not_to_be(
    database: Database, company: MadeCompany, office: PostOffice, why: str
) -> None:
    """Neither when it comes due, nor where that changes between the look and the sending."""
    id = await subscribe(database, company, Wish(Kind.DAILY))
    change = {
        "left": "DELETE FROM memberships WHERE company_id = $1",
        "unconfirmed": "UPDATE mail_subscriptions SET confirmed_at = NULL WHERE company_id = $1",
        "paused": "UPDATE mail_subscriptions SET paused_at = now(), paused_why = 'person' WHERE company_id = $1",
        "removed": "UPDATE mail_subscriptions SET removed_at = now() WHERE company_id = $1",
    }[why]
    await mail_clerk.post_due(database, MONDAY)
    async with database.everything() as wire:
        await wire.execute(change, company.id)
    assert await mail_clerk.post_due(database, MONDAY + timedelta(days=1)) == 0
    async with gateway(database, office.port):
        (mail,) = await settled(database, company, id)
    assert mail.fate is (Fate.SENT if why == "paused" else Fate.NOT_NEEDED)  # what was under way may arrive
    assert len(office.taken) == (why == "paused")


async def test_what_nobody_wants_to_read_any_more_is_given_up(
    database: Database, company: MadeCompany, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await subscribe(database, company, Wish(Kind.DAILY))
    await mail_clerk.post_due(database, MONDAY)
    monkeypatch.setattr(mail_clerk, "_WORTH_SENDING", dict.fromkeys(Kind, timedelta(0)))
    async with gateway(database, office.port):
        (mail,) = await settled(database, company, id)
    assert mail.fate is Fate.GIVEN_UP
    assert not office.taken


async def test_a_fault_in_writing_leaves_the_mail_to_be_tried_again(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    id = await subscribe(database, company, Wish(Kind.DAILY))
    await mail_clerk.post_due(database, MONDAY)
    desk = ReportDesk(database, TEMPLATES, BASE, now=lambda: MONDAY)
    tries: list[int] = []

    async def stumble(errand: Errand) -> Mail | None:
        tries.append(errand.id)
        if len(tries) < 3:
            raise RuntimeError("a fault of ours")
        return await desk.write(errand)

    write: Callable[[Errand], Awaitable[Mail | None]] = stumble
    async with gateway(database, office.port, write=write):
        (mail,) = await settled(database, company, id)
    assert mail.fate is Fate.SENT
    assert len(office.taken) == 1
    assert len(tries) == 3


async def test_a_report_waits_until_its_days_are_counted(
    database: Database, company: MadeCompany, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await subscribe(database, company, Wish(Kind.DAILY))
    await mail_clerk.post_due(database, MONDAY)
    looks: list[int] = []
    told = mail_figures.told

    async def counting(*given: Any) -> mail_figures.Told:
        looks.append(1)
        found = await told(*given)
        return replace(found, answer=replace(found.answer, stale_days=3)) if len(looks) < 3 else found

    monkeypatch.setattr(mail_figures, "told", counting)
    monkeypatch.setattr(report_letters, "_LOOK_AGAIN", timedelta(seconds=0.2))
    async with gateway(database, office.port):
        (mail,) = await settled(database, company, id)
    assert (mail.fate, mail.tries, len(office.taken)) == (Fate.SENT, 3, 1)


async def test_a_day_without_calls_is_told_in_two_sentences(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    await add_call(database, company, started_at=MONDAY - timedelta(days=3))
    id = await subscribe(database, company, Wish(Kind.DAILY, language="ru"))
    english = await subscribe(database, company, Wish(Kind.DAILY), Role.MANAGER)
    await mail_clerk.post_due(database, MONDAY)
    async with gateway(database, office.port):
        await settled(database, company, id)
        await settled(database, company, english)
    by_subject = {message["Subject"]: text_of(message) for message in office.taken}
    assert (
        "Nobody called. The last call came on Friday, November 20." in by_subject["Acme Roofing, yesterday: no calls"]
    )
    assert "Никто не звонил." in by_subject["Acme Roofing, вчера: звонков нет"]
    assert len(by_subject["Acme Roofing, yesterday: no calls"]) < 600


async def test_what_is_sent_by_hand_changes_nothing_of_what_comes(
    database: Database, company: MadeCompany, office: PostOffice
) -> None:
    id = await subscribe(database, company, Wish(Kind.MISSED))
    async with database.companies(company.id) as wire:
        of = await mail_subscriptions.subscription(wire, id)
        assert of is not None
        await mail_clerk.send_now(wire, of, None, MONDAY)
    async with gateway(database, office.port):
        (mail,) = await settled(database, company, id)
        assert mail.is_test
        await missed(database, company, MONDAY)
        assert await mail_clerk.post_due(database, MONDAY + timedelta(minutes=3)) == 1
        await settled(database, company, id, 2)
    assert "No call was missed yet" in text_of(office.taken[0])


def test_health_says_nothing_of_mail_where_nobody_gets_any() -> None:
    health = Health()
    mail_clerk._tell(health, Condition.OK, "Reports by mail are sent.")
    assert mail_clerk.PART not in health.reports()
