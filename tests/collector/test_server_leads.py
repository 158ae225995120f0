"""What a company's own programs hand in: whose it is, once each, with the source of its visitor or its number."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from gateway.http.collector.tokens import (
    TokenKind,
    bring_program_back,
    make_token,
    programs_of,
    remove_program,
)
from tests.collector.conftest import Collected
from tests.stack import Typed

CHAT = {"kind": "chat", "phone": "306-555-0190", "data": {"name": "Ann", "message": "Do you also do gutters?"}}


async def program(collected: Collected, name: str) -> str:
    """The token of a program."""
    async with collected.worker.database.companies(collected.shop.company.id) as wire:
        token = await make_token(wire, collected.shop.company.id, TokenKind.LEADS, name=name)
    await collected.changed()
    return token


async def hand_in(collected: Collected, token: str, body: Any, key: str = "") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{collected.worker.url}/v1/leads", json=body, headers=headers)
        return answer.status, await answer.json()


async def leads(collected: Collected) -> list[Any]:
    return await collected.rows("SELECT * FROM leads ORDER BY received_at, id")


async def test_a_chat_is_kept_once_by_the_senders_own_id(collected: Collected) -> None:
    one, other = await program(collected, "Chat"), await program(collected, "Market")
    first = await hand_in(collected, one, CHAT, "4711")
    assert first[0] == 200
    assert await hand_in(collected, one, {**CHAT, "data": {"message": "again"}}, "4711") == first
    assert (await hand_in(collected, other, CHAT, "4711"))[1] != first[1]  # another program's
    assert (await hand_in(collected, one, CHAT, "4712"))[1] != first[1]  # the same words, and another chat
    rows = await leads(collected)
    assert len(rows) == 3
    (row,) = [each for each in rows if str(each["id"]) == first[1]["lead"]]
    assert (row["kind"], row["phone"], row["region"]) == ("chat", "+13065550190", "Saskatchewan")
    assert json.loads(row["data"]) == CHAT["data"]
    assert row["credited_at"] is not None
    assert row["source_id"] is None


async def test_it_has_the_source_of_its_visitor(collected: Collected) -> None:
    token = await program(collected, "Chat")
    page = await collected.page()
    visit = await page.visit()
    await collected.worker.written()
    by_cookie = await hand_in(collected, token, {**CHAT, "visitor": visit["visitor"]})
    by_visit = await hand_in(collected, token, {**CHAT, "kind": "form", "visit": visit["visit"]})
    assert by_cookie[0] == by_visit[0] == 200
    for row in await leads(collected):
        assert (str(row["visit_id"]), str(row["visitor_id"])) == (visit["visit"], visit["visitor"])
        assert (row["campaign"], row["confidence"]) == ("spring", 1.0)
        assert row["source_id"] is not None


async def test_it_may_be_told_later_and_says_when_it_was(collected: Collected) -> None:
    token = await program(collected, "Chat")
    at = datetime.now(UTC) - timedelta(days=2)
    assert (await hand_in(collected, token, {**CHAT, "at": at.isoformat()}))[0] == 200
    (row,) = await leads(collected)
    assert row["received_at"] == at


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"data": {}}, "data"),
        ({"kind": "call"}, "kind"),
        ({"kind": "a b"}, "kind"),
        ({"phone": "nobody"}, "phone"),
        ({"number": "12"}, "number"),
        ({"at": "2026-11-22T10:00:00"}, "at"),
        ({"at": "2019-01-01T10:00:00Z"}, "at"),
        ({"at": "2199-01-01T10:00:00Z"}, "at"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_named(collected: Collected, wrong: Any, part: str) -> None:
    token = await program(collected, "Chat")
    status, answer = await hand_in(collected, token, {**CHAT, **wrong})
    assert status == 400, answer
    assert part in json.dumps(answer)
    assert await leads(collected) == []


async def test_only_a_companys_program_may(collected: Collected) -> None:
    async with collected.worker.database.companies(collected.shop.company.id) as wire:
        of_ads = await make_token(wire, collected.shop.company.id, TokenKind.GOOGLE_ADS)
    await collected.changed()
    for token in ("", "np_leads_x", of_ads):
        assert (await hand_in(collected, token, CHAT))[0] == 401
    assert await leads(collected) == []


async def test_a_token_taken_back_is_good_no_longer_and_may_come_back(collected: Collected) -> None:
    token = await program(collected, "Chat")
    company = collected.shop.company.id
    assert (await hand_in(collected, token, CHAT))[0] == 200
    async with collected.worker.database.companies(company) as wire:
        (known,) = await programs_of(wire, company)
        assert (known.name, known.used_at is None) == ("Chat", False)
        was = await remove_program(wire, company, known.id)
    assert was is not None
    await collected.changed()
    assert (await hand_in(collected, token, CHAT))[0] == 401
    async with collected.worker.database.companies(company) as wire:
        await bring_program_back(wire, company, was)
    await collected.changed()
    assert (await hand_in(collected, token, {**CHAT, "kind": "form"}))[0] == 200


async def test_a_flood_of_one_program_is_bounded(collected: Collected) -> None:
    token = await program(collected, "Chat")
    parts = collected.worker.parts
    bearer = next(iter(each for each in parts.catalog.tokens.values() if each.kind is TokenKind.LEADS))
    for _ in range(5000):
        parts.leads_of_program.take(bearer.id)
    assert (await hand_in(collected, token, CHAT))[0] == 429


async def test_commands_make_and_take_back_tokens(collected: Collected, numberpool: Typed) -> None:
    made = numberpool("program", "add", "Chat")
    assert made.returncode == 0, made.stderr
    token = made.stdout.split("Bearer ")[1].strip()
    again = numberpool("program", "add", "chat")
    assert again.returncode != 0
    assert "already" in again.stderr
    await collected.changed()
    assert (await hand_in(collected, token, CHAT))[0] == 200
    assert "Chat  since" in numberpool("program", "list").stdout
    assert numberpool("program", "remove", "Chat").stdout == "Chat can hand in nothing more.\n"
    assert numberpool("program", "remove", "Chat").returncode != 0
    await collected.changed()
    assert (await hand_in(collected, token, CHAT))[0] == 401
