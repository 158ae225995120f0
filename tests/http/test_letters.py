"""Letters from beginning to end: asked for on a page, written by a job, taken by a real mail server, and used."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.delivery import letters
from gateway.health import Condition
from gateway.http.letters import writers
from gateway.http.permissions import Role
from gateway.http.rendering import templates_of_checkout_or_wheel
from gateway.settings import MailSettings
from gateway.store import jobs
from gateway.store.jobs import run_jobs
from tests.delivery.post_office import PostOffice, free_port, post_office, text_of
from tests.http.conftest import Pages, running_pages
from tests.http.test_sign_in import PASSWORD, with_password
from tests.stack import eventually

NEW = "five other plain words"


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(jobs, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.3)
    monkeypatch.setattr(letters, "AGAIN_AFTER", timedelta(seconds=0.3))


def mail_settings(port: int, **more: object) -> MailSettings:
    return MailSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "security": "none", "from": "Calls <calls@example.com>", **more}
    )


@asynccontextmanager
async def sending(dsn: str, folder: Path, mail: MailSettings) -> AsyncIterator[Pages]:
    """Pages, and the jobs of a gateway beside them. Letters lead to the pages' public address."""
    async with running_pages(dsn, folder, mail, public_url="http://calls.example") as pages:
        written = writers(pages.database, templates_of_checkout_or_wheel(), "http://calls.example/")
        work = asyncio.create_task(run_jobs(dsn, letters.handlers(mail, written, pages.health), pages.health))

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
async def pages(database_dsn: str, tmp_path: Path, office: PostOffice) -> AsyncIterator[Pages]:
    async with sending(database_dsn, tmp_path, mail_settings(office.port)) as running:
        yield running


async def arrived(office: PostOffice, count: int) -> None:
    async def there() -> bool:
        return len(office.taken) >= count

    await eventually(there, 20)


async def idle(pages: Pages) -> None:
    """Until no job waits."""

    async def done() -> bool:
        async with pages.database.everything() as wire:
            return not await wire.fetchval("SELECT count(*) FROM pgqueuer")

    await eventually(done, 20)


def link_in(office: PostOffice, number: int = -1) -> str:
    """The path of the link in a letter; it is the same in both of its bodies."""
    message = office.taken[number]
    found = re.findall(r"http://calls\.example(/\S+)", text_of(message))
    assert len(found) == 1, text_of(message)
    assert f'href="http://calls.example{found[0]}"' in text_of(message, "html")
    return str(found[0])


async def test_a_forgotten_password_is_set_anew_by_letter(pages: Pages, office: PostOffice) -> None:
    email = await with_password(pages)
    signed_in_elsewhere = pages.client()
    await signed_in_elsewhere.post("/sign-in", data={"email": email, "password": PASSWORD})
    await idle(pages)
    office.taken.clear()
    answer = await pages.client().post("/sign-in/forgotten", data={"email": f" {email.upper()} "})
    assert answer.status == 200
    await arrived(office, 1)
    assert office.recipients[-1] == email
    path, client = link_in(office), pages.client()
    assert path.startswith("/sign-in/reset/")
    for _ in range(2):  # looking uses nothing up
        assert email in await (await client.get(path)).text()
    refused = await client.post(path, data={"new": "short"})
    assert refused.status == 422
    assert "at least 12" in await refused.text()
    answer = await client.post(path, data={"new": NEW}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert (await client.get("/api/v1/calls")).status == 200
    assert (await signed_in_elsewhere.get("/api/v1/calls")).status == 401
    assert (await pages.client().post("/sign-in", data={"email": email, "password": PASSWORD})).status == 401
    assert (await client.get(path)).status == 410
    assert (await client.post(path, data={"new": NEW})).status == 410
    await idle(pages)
    assert "Your password was changed" in [message["Subject"] for message in office.taken]


async def test_nobody_learns_who_has_an_account(pages: Pages, office: PostOffice) -> None:
    email = await with_password(pages)
    await idle(pages)
    office.taken.clear()
    texts = []
    for address in (email, "nobody-here@example.com"):
        answer = await pages.client().post("/sign-in/forgotten", data={"email": address})
        own = re.compile(r'data-now="[^"]*"|' + re.escape(address))
        texts.append((answer.status, own.sub("", await answer.text())))
    assert texts[0] == texts[1]
    await idle(pages)
    assert [message["To"] for message in office.taken] == [email]


async def test_letters_cannot_be_had_without_end(pages: Pages, office: PostOffice) -> None:
    email = await with_password(pages)
    await idle(pages)
    office.taken.clear()
    answers = [(await pages.client().post("/sign-in/forgotten", data={"email": email})).status for _ in range(12)]
    assert answers == [200] * 10 + [429] * 2
    await idle(pages)
    assert len(office.taken) == 3
    # Each of the three links works, until one is used.
    paths = [link_in(office, number) for number in range(3)]
    assert (await pages.client().post(paths[1], data={"new": NEW}, allow_redirects=False)).status == 303
    assert {(await pages.client().get(path)).status for path in paths} == {410}


@pytest.mark.parametrize(
    "address",
    ["", "x", "a@b\r\nBcc: evil@example.com", "a@b\nc", "a b@example.com", "@", "x" * 300 + "@example.com"],
)
async def test_addresses_that_are_none_reach_nobody(pages: Pages, office: PostOffice, address: str) -> None:
    await pages.client().post("/sign-in/forgotten", data={"email": address})
    await idle(pages)
    assert office.taken == []


async def test_a_reset_link_signs_nobody_in_and_a_sign_in_link_resets_nothing(pages: Pages, office: PostOffice) -> None:
    email = await with_password(pages)
    await idle(pages)
    await pages.client().post("/sign-in/forgotten", data={"email": email})
    await idle(pages)
    reset = link_in(office).rpartition("/")[2]
    sign_in = (await pages.link()).rpartition("/")[2]
    assert (await pages.client().post(f"/sign-in/link/{reset}")).status == 410
    assert (await pages.client().post(f"/sign-in/reset/{sign_in}", data={"new": NEW})).status == 410


async def test_an_invitation_by_letter_is_accepted_with_a_name_and_a_password(pages: Pages, office: PostOffice) -> None:
    owner = await pages.signed_in()
    await idle(pages)
    company = f"company-{pages.company.id}"
    data = {"email": "New@Example.com", "name": "Nora", "role": "agent", "endpoints": "102", company: "yes"}
    answer = await owner.post("/settings/users/invite", data=data)
    assert "is on its way" in await answer.text()
    await arrived(office, 1)
    assert office.recipients[-1] == "new@example.com"
    assert "Acme Roofing" in office.taken[-1]["Subject"]
    await idle(pages)
    assert "waits for the mail server" not in await (await owner.get("/settings/users")).text()
    path, client = link_in(office), pages.client()
    page = await (await client.get(path)).text()
    assert "Acme Roofing" in page
    assert "new@example.com" in page
    assert (await client.post(path, data={"name": "Nora", "new": "short"})).status == 422
    answer = await client.post(path, data={"name": "Nora Field", "new": NEW}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert (await client.get("/calls")).status == 200
    assert (await client.get("/settings/users")).status == 403
    assert (await client.get(path)).status == 410
    page = await (await owner.get("/settings/users")).text()
    assert "Nora Field" in page
    assert "PJSIP/102" in page


async def test_a_new_browser_is_told_of_the_first_is_not(pages: Pages, office: PostOffice) -> None:
    email = await with_password(pages)  # signs in for the first time, by link
    await idle(pages)
    office.taken.clear()
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    client = pages.client(**{"User-Agent": firefox})
    for _ in range(2):
        await client.post("/sign-in", data={"email": email, "password": PASSWORD})
        await client.post("/sign-out")
    await idle(pages)
    assert [message["Subject"] for message in office.taken] == ["A new browser signed in as you"]
    assert "Firefox on Linux, from 127.0.0.1" in text_of(office.taken[0])


async def test_letters_speak_the_language_of_who_gets_them(pages: Pages, office: PostOffice) -> None:
    email = await with_password(pages)
    client = pages.client(**{"Accept-Language": "ru"})
    await client.post("/sign-in", data={"email": email, "password": PASSWORD})
    await idle(pages)
    assert "нового браузера" in office.taken[-1]["Subject"]


async def test_a_company_with_an_odd_name_writes_no_header(pages: Pages, office: PostOffice) -> None:
    async with pages.database.everything() as wire:
        await wire.execute(
            "UPDATE companies SET name = E'Acme\\r\\nBcc: evil@example.com\\r\\n\\r\\n<b>x</b>' WHERE id = $1",
            pages.company.id,
        )
        await wire.execute(
            "INSERT INTO users (email, name) VALUES ('o@example.com', E'Eve\\r\\nBcc: evil@example.com')"
        )
        await wire.execute(
            "INSERT INTO memberships (user_id, company_id, role) SELECT id, $1, 'owner' FROM users", pages.company.id
        )
        async with wire.transaction():
            id = await wire.fetchval(
                "INSERT INTO invitations (email, expires_at, invited_by) SELECT 'new@example.com', now() + "
                "interval '1 day', id FROM users RETURNING id"
            )
            await wire.execute(
                "INSERT INTO invited_to (company_id, invitation_id, role) VALUES ($1, $2, 'agent')",
                pages.company.id,
                id,
            )
            await letters.post(wire, letters.Letter.INVITATION, invitation=id)
    await arrived(office, 1)
    message = office.taken[0]
    assert "Bcc" not in message
    assert office.recipients == ["new@example.com"]
    assert "<b>x</b>" not in text_of(message, "html")


async def test_while_the_server_is_away_letters_wait_it_is_said_and_they_go_when_it_is_back(
    database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr(letters, "PATIENCE", timedelta(seconds=1))
    async with sending(database_dsn, tmp_path, mail_settings(port)) as pages:
        email = await with_password(pages)
        owner = await pages.signed_in()
        await pages.client().post("/sign-in/forgotten", data={"email": email})

        async def told() -> bool:
            report = pages.health.reports().get("mail")
            return report is not None and report.condition is Condition.NEEDS_PERSON

        await eventually(told, 20)
        page = await (await owner.get("/calls")).text()
        assert f"Letters wait for the mail server: 127.0.0.1:{port} cannot be reached" in page
        async with post_office(tmp_path, port=port) as office:
            await idle(pages)
            assert email in office.recipients
            assert pages.health.reports()["mail"].condition is Condition.OK


async def test_what_the_server_refuses_for_good_is_held_and_shown(
    database_dsn: str, tmp_path: Path, office: PostOffice
) -> None:
    async with sending(database_dsn, tmp_path, mail_settings(office.port)) as pages:
        owner = await pages.signed_in()
        company = f"company-{pages.company.id}"
        await owner.post(
            "/settings/users/invite", data={"email": "nobody@example.com", "role": "manager", company: "yes"}
        )

        async def held() -> bool:
            report = pages.health.reports().get("jobs")
            return report is not None and "no such person" in report.message

        await eventually(held, 30)
        page = await (await owner.get("/settings/users")).text()
        assert "waits for the mail server" in page
        assert "Jobs failed and are held: 1 × send_letter" in page


async def test_a_letter_that_is_too_old_or_withdrawn_is_not_sent(
    pages: Pages, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pages.signed_in()
    await idle(pages)
    office.taken.clear()
    monkeypatch.setitem(letters._WORTH_SENDING, letters.Letter.RESET, timedelta(0))
    async with pages.database.everything() as wire:
        await letters.post(wire, letters.Letter.RESET, email=f"owner-{pages.company.id}@example.com")
        await letters.post(wire, letters.Letter.INVITATION, invitation=12345)
        await letters.post(wire, letters.Letter.NEW_DEVICE, user=12345)
    await idle(pages)
    assert office.taken == []


async def test_without_mail_nothing_is_promised(database_dsn: str, tmp_path: Path) -> None:
    async with running_pages(database_dsn, tmp_path) as pages:
        page = await (await pages.client().get("/sign-in/forgotten")).text()
        assert "numberpool login-link" in page
        answer = await pages.client().post("/sign-in/forgotten", data={"email": "a@example.com"})
        assert "sends no mail" in await answer.text()
        assert "/sign-in/forgotten" not in await (await pages.client().get("/sign-in")).text()
        await pages.signed_in(Role.OWNER)
        async with pages.database.everything() as wire:
            assert await wire.fetchval("SELECT count(*) FROM pgqueuer") == 0
