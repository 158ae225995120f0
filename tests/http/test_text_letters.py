"""A text that comes in is told by mail: what was written, by whom, and where it can be answered."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gateway.texts import accounts
from tests.delivery.post_office import PostOffice, post_office, text_of
from tests.http.conftest import Pages
from tests.http.test_conversations import comes
from tests.http.test_letters import arrived, idle, link_in, mail_settings, sending


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[PostOffice]:
    async with post_office(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def pages(database_dsn: str, tmp_path: Path, office: PostOffice) -> AsyncIterator[Pages]:
    async with sending(database_dsn, tmp_path, mail_settings(office.port)) as running:
        yield running


async def told(pages: Pages, *addresses: str) -> None:
    async with pages.database.companies(pages.company.id) as wire:
        await accounts.set_mail_to(wire, pages.company.id, addresses)


async def test_each_address_is_told_and_led_to_the_conversation(pages: Pages, office: PostOffice) -> None:
    await told(pages, "office@example.com", "boss@example.com")
    body = "Hail broke a window 🏠\r\nBcc: evil@example.com <b>"
    talk = await comes(pages, body, media=("https://m.example/1.jpg",))
    await arrived(office, 2)
    assert sorted(office.recipients) == ["boss@example.com", "office@example.com"]
    message = office.taken[0]
    assert message["Subject"] == "A text from (306) 555-0142 to Acme Roofing"
    assert message["Bcc"] is None
    said = text_of(message)
    assert "Hail broke a window 🏠" in said
    assert "With 1 picture or file." in said
    assert "(306) 555-2001" in said
    assert "&lt;b&gt;" in text_of(message, "html")
    assert link_in(office) == f"/conversations/{talk}"


async def test_who_is_told_no_more_gets_no_letter_that_waits(pages: Pages, office: PostOffice) -> None:
    await told(pages, "office@example.com")
    await comes(pages, "first")
    await arrived(office, 1)
    await told(pages)
    await comes(pages, "second")
    await idle(pages)
    assert len(office.taken) == 1
