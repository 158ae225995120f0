"""Carriers' posts to the collector: signed ones are kept once, in conversations, and nothing is lost or believed."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from gateway.http.collector import texts as posts
from gateway.store import inbox
from gateway.texts import accounts
from gateway.texts.carriers.shape import Account, Kind
from tests.collector.conftest import Collected, Worker, running_worker
from tests.pools.shop import open_shop
from tests.stack import eventually
from tests.texts.signing import KINDS, PLAIN, SECRETS, Post, inbound, report

THEIRS = "+13065550142"
EMOJI = "Hail broke three windows 🏠🏠 — can you come? Ж € " + "x" * 1550


@dataclass
class Line:
    """A carrier with an account of the shop's."""

    worker: Worker
    account: Account
    number: str  # a tracking number of the shop's

    @property
    def address(self) -> str:
        return f"{self.worker.url}/v1/texts/{self.account.token}"

    async def post(self, post: Post) -> tuple[int, str]:
        """Status and body of the answer."""
        query, body, headers = post
        address = f"{self.address}?{query}" if query else self.address
        method = "POST" if body else "GET"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, address, data=body or None, headers=headers) as answer,
        ):
            return answer.status, await answer.text()

    async def text(self, id: str, body: str, **facts: Any) -> int:
        """A text comes in; the status that the carrier sees."""
        told = {"number": self.number, "other": THEIRS, **facts}
        status, _ = await self.post(inbound(self.account.kind.value, self.address, id=id, body=body, **told))
        return status


async def open_line(collected: Collected, kind: str = "twilio", worker: Worker | None = None) -> Line:
    company = collected.shop.company.id
    worker = worker or collected.worker
    async with collected.worker.database.companies(company) as connection:
        id = await accounts.add(connection, company, f"Carrier {kind}", Kind(kind), PLAIN[kind], SECRETS[kind])
        assert id is not None
        account = await accounts.account_by_id(connection, company, id)
        number = await connection.fetchval("SELECT e164 FROM tracking_numbers ORDER BY id LIMIT 1")
    assert account is not None
    await worker.parts.catalog.load(worker.database)
    return Line(worker, account, number)


@pytest_asyncio.fixture
async def line(collected: Collected) -> Line:
    return await open_line(collected)


async def texts(collected: Collected) -> list[Any]:
    return await collected.rows("SELECT * FROM texts ORDER BY at, id")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_text_of_each_carrier_is_kept(collected: Collected, kind: str) -> None:
    line = await open_line(collected, kind)
    assert await line.text("M1", EMOJI) == 200
    assert await line.text("M1", EMOJI) == 200  # it comes again
    (row,) = await texts(collected)
    assert (row["body"], row["direction"], row["state"], row["carrier_id"]) == (EMOJI, "in", "received", "M1")
    (conversation,) = await collected.rows("SELECT * FROM conversations")
    assert (conversation["number"], conversation["other"]) == (line.number, THEIRS)
    assert (conversation["account_id"], conversation["last_at"]) == (line.account.id, row["at"])
    (lead,) = await collected.rows("SELECT * FROM leads")
    assert (lead["kind"], lead["phone"], lead["id"]) == ("text", THEIRS, row["lead_id"])
    assert lead["number_id"] == conversation["number_id"]
    assert lead["number_id"] is not None


async def test_what_carriers_are_answered(collected: Collected) -> None:
    for kind, said in (("twilio", "<Response/>"), ("plivo", "<Response/>"), ("voipms", "ok"), ("telnyx", "")):
        line = await open_line(collected, kind)
        post = inbound(kind, line.address, id=f"{kind} 1", body="hello", number=line.number, other=THEIRS)
        status, body = await line.post(post)
        assert (status, body.endswith(said), bool(body)) == (200, True, bool(said))
        async with aiohttp.ClientSession() as session, session.get(f"{line.address}/ready") as answer:
            assert await answer.json() == {"texts": "ready", "account": line.account.id}


async def test_pictures_are_addresses(collected: Collected, line: Line) -> None:
    await line.text("M1", "", media=("https://media.example/roof.jpg", "javascript:alert(1)"))
    (row,) = await texts(collected)
    assert json.loads(row["media"]) == ["https://media.example/roof.jpg"]


async def test_many_of_one_at_once_begin_one_lead(collected: Collected, line: Line) -> None:
    statuses = await asyncio.gather(*(line.text(f"M{each // 2}", f"text {each // 2}") for each in range(12)))
    assert statuses == [200] * 12
    assert sorted(row["carrier_id"] for row in await texts(collected)) == [f"M{each}" for each in range(6)]
    assert len(await collected.rows("SELECT FROM leads")) == 1
    assert len(await collected.rows("SELECT FROM conversations")) == 1


async def test_after_thirty_quiet_days_it_is_another_lead(collected: Collected, line: Line) -> None:
    await line.text("M1", "first")
    await line.text("M2", "soon after")
    for days, leads in ((29, 1), (31, 2)):
        async with collected.worker.database.companies(collected.shop.company.id) as connection:
            await connection.execute("UPDATE conversations SET last_at = now() - $1::interval", timedelta(days=days))
        await line.text(f"after {days}", "again")
        assert len(await collected.rows("SELECT FROM leads")) == leads
    await line.text("other", "hello", other="+13065550199")
    assert len(await collected.rows("SELECT FROM conversations")) == 2
    assert len(await collected.rows("SELECT FROM leads")) == 3


async def test_who_writes_stop_wants_no_more(collected: Collected, line: Line) -> None:
    await line.text("M1", "Stop")
    assert await collected.rows("SELECT FROM leads") == []
    (row,) = await collected.rows("SELECT * FROM text_opt_outs")
    assert (row["other"], row["word"]) == (THEIRS, "Stop")
    await line.text("M2", "start")
    assert await collected.rows("SELECT FROM text_opt_outs") == []


async def test_a_number_that_is_no_tracking_number_is_kept_all_the_same(collected: Collected, line: Line) -> None:
    await line.text("M1", "hello", number="+13065559999", other="24365")
    (row,) = await collected.rows("SELECT * FROM conversations")
    assert (row["number"], row["other"], row["number_id"]) == ("+13065559999", "24365", None)
    (lead,) = await collected.rows("SELECT * FROM leads")
    assert lead["phone"] == ""


async def test_who_cannot_sign_is_refused_and_the_page_is_told(collected: Collected, line: Line) -> None:
    query, body, headers = inbound("twilio", line.address, id="M1", body="hi", number=line.number, other=THEIRS)
    for wrong in ({**headers, "X-Twilio-Signature": "nonsense"}, {"Content-Type": headers["Content-Type"]}):
        status, said = await line.post((query, body, wrong))
        assert (status, json.loads(said)["id"]) == (403, "wrong_signature")
    assert await texts(collected) == []
    (row,) = await collected.rows("SELECT refused_at FROM text_accounts")
    assert row["refused_at"] is not None
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{line.worker.url}/v1/texts/{'x' * 40}", data=body) as answer:
            assert answer.status == 404
        async with session.post(line.address, data=b"x" * 70_000) as answer:
            assert answer.status == 413


async def test_a_removed_account_takes_nothing(collected: Collected, line: Line) -> None:
    async with collected.worker.database.companies(line.account.company_id) as connection:
        await accounts.remove(connection, line.account.company_id, line.account.id)
    await collected.changed()
    assert await line.text("M1", "hello") == 404


async def test_an_account_of_another_company_brings_its_own_texts_alone(collected: Collected, line: Line) -> None:
    """A carrier posts a text to a number of ours for an account of theirs: it is theirs, and nothing of ours."""
    stranger = await open_shop(collected.worker.database)
    async with collected.worker.database.companies(stranger.company.id) as connection:
        id = await accounts.add(
            connection, stranger.company.id, "Theirs", Kind.TWILIO, PLAIN["twilio"], SECRETS["twilio"]
        )
        assert id is not None
        account = await accounts.account_by_id(connection, stranger.company.id, id)
    assert account is not None
    await collected.changed()
    theirs = Line(collected.worker, account, line.number)
    assert await theirs.text("M1", "hello") == 200
    assert await texts(collected) == []
    assert [row["number_id"] for row in await stranger.rows("SELECT number_id FROM conversations")] == [None]


async def test_parts_of_a_long_one_are_put_together_in_any_order(collected: Collected) -> None:
    line = await open_line(collected, "vonage")
    for place, body in ((2, "come "), (3, "today?"), (1, "Can you ")):
        said = inbound("vonage", line.address, id=f"M{place}", body=body, number=line.number, other=THEIRS)
        fields = dict(pair.split("=", 1) for pair in said[1].decode().split("&"))
        more = {"concat": "true", "concat-ref": "7", "concat-total": "3", "concat-part": str(place)}
        status, _ = await line.post(signed_again(fields, more))
        assert status == 200
    (row,) = await texts(collected)
    assert row["body"] == "Can you come today?"


def signed_again(fields: dict[str, str], more: dict[str, str]) -> Post:
    from urllib.parse import unquote_plus

    from tests.texts.signing import _signed

    plain = {name: unquote_plus(value) for name, value in fields.items() if name not in ("sig", "timestamp", "nonce")}
    return _signed("vonage", "", {**plain, **more})


async def test_reports_come_in_any_order_and_before_we_know_of_what(collected: Collected, line: Line) -> None:
    await line.text("M1", "hello")
    async with collected.worker.database.companies(line.account.company_id) as connection:
        id = await connection.fetchval(
            "INSERT INTO texts (company_id, conversation_id, direction, body, state, account_id, carrier_id, at) "
            "SELECT company_id, id, 'out', 'Yes', 'sent', account_id, 'SM1', now() FROM conversations RETURNING id"
        )
    for state, after in (("delivered", "delivered"), ("sent", "delivered"), ("failed", "delivered")):
        await line.post(report("twilio", line.address, id="SM1", state=state, code="30003"))
        (row,) = await collected.rows("SELECT state, fault FROM texts WHERE id = $1", id)
        assert (row["state"], row["fault"]) == (after, "")
    await line.post(report("twilio", line.address, id="SM2", state="failed", code="30003"))
    (kept,) = await collected.rows("SELECT * FROM text_reports")
    assert (kept["carrier_id"], kept["state"], kept["fault"]) == ("SM2", "failed", "30003")


async def test_texts_wait_for_postgres(
    database_dsn: str, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(posts, "PATIENCE_SECONDS", 0.2)
    async with running_worker(database_dsn) as worker:
        line = await open_line(collected, worker=worker)
        holder = await asyncpg.connect(database_dsn)
        async with holder.transaction():
            await holder.execute("LOCK TABLE texts, conversations IN ACCESS EXCLUSIVE MODE")
            assert await line.text("M1", "is anybody there?") == 200
            assert await line.text("M1", "is anybody there?") == 200
            assert await line.text("M2", "hello?") == 200
            assert worker.parts.texts.waiting == 3
        await holder.close()

        async def written() -> bool:
            return worker.parts.texts.waiting == 0

        await eventually(written)
        assert [row["carrier_id"] for row in await texts(collected)] == ["M1", "M2"]
        assert len(await collected.rows("SELECT FROM leads")) == 1


async def test_what_waits_is_written_at_the_end_and_too_much_is_refused(
    database_dsn: str, collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_WAITING", 2)
    monkeypatch.setattr(inbox, "RETRY_SECONDS", timedelta(hours=1).total_seconds())
    monkeypatch.setattr(posts, "PATIENCE_SECONDS", 0.1)
    async with running_worker(database_dsn) as worker:
        line = await open_line(collected, worker=worker)
        holder = await asyncpg.connect(database_dsn)
        async with holder.transaction():
            await holder.execute("LOCK TABLE texts IN ACCESS EXCLUSIVE MODE")
            assert [await line.text(f"M{each}", "hello") for each in range(3)] == [200, 200, 503]
        await holder.close()
    assert sorted(row["carrier_id"] for row in await texts(collected)) == ["M0", "M1"]
