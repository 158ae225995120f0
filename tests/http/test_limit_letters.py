"""Calls that a limit turned away: a need on the first page, a line in the log, and one letter an hour."""

import re
from datetime import UTC, datetime, timedelta

from gateway.calls.limit_letters import tell
from gateway.http.permissions import Role
from gateway.store.database import Database
from tests.delivery.post_office import PostOffice, text_of
from tests.http.company import add_call
from tests.http.conftest import Pages
from tests.http.test_letters import arrived, idle, office, pages

__all__ = ["office", "pages"]  # fixtures: letters that are sent and arrive


async def turned_away(pages: Pages, at: datetime, by: str = "company-full") -> int:
    call = await add_call(pages.database, pages.company, outcome="blocked", started_at=at)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE calls SET screened = $1 WHERE id = $2", by, call)
    return call


async def logged(database: Database) -> list[int]:
    async with database.everything() as wire:
        rows = await wire.fetch(
            "SELECT (details->>'calls')::int AS calls FROM audit_log WHERE action = 'limit.reached'"
        )
    return [row["calls"] for row in rows]


async def test_one_letter_an_hour_a_line_and_a_need(pages: Pages, office: PostOffice) -> None:
    client = await pages.signed_in(Role.OWNER)
    now = datetime.now(UTC)
    await turned_away(pages, now, by="often")  # no limit's
    assert await tell(pages.database, now, by_mail=True) == 0
    for _ in range(2):
        await turned_away(pages, now - timedelta(seconds=30))
    await idle(pages)
    office.taken.clear()
    assert await tell(pages.database, now, by_mail=True) == 1
    assert await tell(pages.database, now, by_mail=True) == 0
    await arrived(office, 1)
    (letter,) = office.taken
    assert "were turned away" in letter["Subject"]
    assert "2 calls to" in text_of(letter)
    assert f"http://calls.example/settings/calls?company={pages.company.id}" in text_of(letter)
    overview = await (await client.get("/overview")).text()
    assert "2 calls were turned away in the last day" in overview
    audit = re.sub(r"\s+", " ", await (await client.get("/settings/audit")).text())
    assert "turned calls away by a limit (2)" in audit

    # Within the hour nobody is told again; after it of what came since.
    await turned_away(pages, now + timedelta(minutes=30), by="trunk-full")
    assert await tell(pages.database, now + timedelta(minutes=59), by_mail=True) == 0
    assert await tell(pages.database, now + timedelta(minutes=61), by_mail=False) == 1
    assert await logged(pages.database) == [2, 1]
    assert await tell(pages.database, now + timedelta(hours=5), by_mail=True) == 0
    await idle(pages)
    assert len(office.taken) == 1  # without mail set up, nothing is posted


async def test_a_clock_that_was_ahead_keeps_nobody_from_being_told(pages: Pages, office: PostOffice) -> None:
    now = datetime.now(UTC)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("INSERT INTO limit_letters VALUES ($1, $2)", pages.company.id, now + timedelta(days=2))
    await turned_away(pages, now + timedelta(days=2, seconds=1))
    assert await tell(pages.database, now, by_mail=False) == 1
    assert await tell(pages.database, now, by_mail=False) == 0
