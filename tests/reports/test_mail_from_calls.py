"""What the ledger writes of a missed call is what alerts tell of; and the command that shows what a mail looks like."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio
from click.testing import CliRunner
from pydantic import SecretStr

from gateway.calls.ledger import Noted
from gateway.calls.load import load_directory
from gateway.calls.record import CallRecord, Stage
from gateway.calls.route import Destination
from gateway.reports import mail_clerk, mail_subscriptions
from gateway.reports.commands import reports
from gateway.reports.mail_due import Kind
from gateway.reports.mail_subscriptions import Wish
from gateway.settings import PostgresSettings, Settings
from gateway.store.database import Database
from tests.calls.test_ledger import EXAMPLE, writing
from tests.http.company import MadeCompany, add_call, make_company
from tests.stack import eventually

# Within an hour, whose list is not due before its end.
NOW = datetime.now(UTC).replace(minute=10, second=0)


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn)
    yield opened
    await opened.close()


async def subscribed(database: Database, company: MadeCompany, kind: Kind, address: str = "a@example.com") -> int:
    async with database.companies(company.id) as wire:
        id = await mail_subscriptions.add(wire, company.id, Wish(kind), None, user_id=None, address=address)
        await wire.execute("UPDATE mail_subscriptions SET confirmed_at = now() WHERE id = $1", id)
    assert id is not None
    return id


async def test_the_ledger_notes_missed_calls_once_and_no_others(database: Database) -> None:
    company = await make_company(database)
    own, other = (
        await subscribed(database, company, Kind.MISSED),
        await make_company(database, "Other", ("1", "2", "3")),
    )
    hourly = await subscribed(database, company, Kind.MISSED_HOURLY)
    await subscribed(database, company, Kind.DAILY)
    await subscribed(database, other, Kind.MISSED)
    number = company.numbers["Google Ads"][1]
    async with database.everything() as wire:
        directory = await load_directory(wire, Destination("PJSIP/main", 30))
    begun: dict[str, Any] = {"dialled": (number, "", "", ""), "started_at": NOW, "ended_at": NOW + timedelta(seconds=9)}
    kinds: dict[str, CallRecord] = {
        "missed": replace(EXAMPLE, **begun),
        "message": replace(EXAMPLE, **begun, voicemail=True),
        "blocked": replace(EXAMPLE, **begun, blocked=True),
        "answered": replace(EXAMPLE, **begun, answered_at=NOW, answered_channel="PJSIP/main-1", caller="+13065550101"),
        "ringing": replace(EXAMPLE, **(begun | {"ended_at": None}), stage=Stage.STARTED),
    }
    async with writing(database, directory) as (ledger, settled, node, _):
        for _ in range(2):
            for name, record in kinds.items():
                ledger.note(Noted(node, replace(record, key=f"pbx-{name}", unique_id=f"pbx-{name}")))

            async def done() -> bool:
                return len({each.noted.record.key for each in settled}) == len(kinds) - 1

            await eventually(done, 20)
    async with database.everything() as wire:
        rows = await wire.fetch(
            "SELECT a.subscription_id, c.asterisk_id FROM alert_calls a JOIN calls c ON c.id = a.call_id ORDER BY 1, 2"
        )
    assert [tuple(row) for row in rows] == [
        (id, f"pbx-{name}") for id in sorted((own, hourly)) for name in ("message", "missed")
    ]
    assert await mail_clerk.post_due(database, NOW + timedelta(minutes=4)) == 1


async def test_the_command_shows_a_mail_with_its_pictures_or_as_text(database: Database, database_dsn: str) -> None:
    company = await make_company(database)
    await add_call(database, company, started_at=NOW - timedelta(days=1), outcome="no_answer")
    settings = Settings(postgres=PostgresSettings(dsn=SecretStr(database_dsn)))

    async def said(*arguments: str) -> tuple[int, str]:
        result = await asyncio.to_thread(CliRunner().invoke, reports, ["preview", *arguments], obj=settings)
        return result.exit_code, result.output or str(result.exception)

    for kind in Kind:
        code, html = await said("--kind", kind.value, "--company", "Acme Roofing")
        assert code == 0, html
        assert html.lower().startswith("<!doctype html>")
        assert "data:image/png;base64," in html
        assert "cid:" not in html
    code, text = await said("--kind", "missed", "--language", "ru", "--text")
    assert (code, text.splitlines()[0]) == (0, "Пропущенный звонок: (306) 555-0142, Google Ads")
    code, text = await said("--language", "xx")
    assert code == 1
    assert "choose one of en" in text
    async with database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM report_mails") == 0
