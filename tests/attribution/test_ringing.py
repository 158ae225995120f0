"""Real calls through a real Asterisk to numbers that the real collector lent to visits: what brought them."""

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from gateway.calls.speech import Speech, Words
from gateway.local.postgres import EmbeddedPostgres
from gateway.local.programs import AsteriskHome
from gateway.settings import SpeechSettings
from gateway.store.migrate import migrate
from tests.calls import tone_engine
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_talks, line_answers
from tests.calls.sipp import listener
from tests.collector.conftest import CHROME
from tests.installation import Gateway, Installation, Row
from tests.stack import eventually

PRINTED = "+13065550100"
SEARCHED = "https://www.google.com/"
_ADVERTISED = "https://shop.example/roofs?gclid=Cj0KCQ_test&utm_campaign=spring"


@dataclass
class Corner:
    """An installation whose numbers are lent to the visits of a site, and a Postgres that tests may hurt."""

    exchange: Exchange
    postgres: EmbeddedPostgres

    @property
    def installation(self) -> Installation:
        return self.exchange.installation

    async def visit(self, url: str = "https://shop.example/", referrer: str = "") -> dict[str, Any]:
        """A new browser opens a page of the shop; what it was answered."""
        return await self.post("/v1/visit", {"site": "abcdefghijklmnop", "url": url, "referrer": referrer})

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        found: list[str] = []

        async def listens() -> bool:
            lines = self.installation.gateway.log_lines()
            found[:] = [line["url"] for line in lines if line.get("event") == "collector"]
            return bool(found)

        await eventually(listens, 20)
        headers = {"User-Agent": CHROME, "Accept-Language": "en-CA", "Origin": "https://shop.example"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(found[-1] + path, data=json.dumps(body)) as answer,
        ):
            assert answer.status < 300, await answer.text()
            text = await answer.text()
            read: dict[str, Any] = json.loads(text) if text else {}
            return read

    async def stored(self, visit: dict[str, Any]) -> None:
        """Wait until a visit is in the database."""

        async def is_there() -> bool:
            return bool(await self.installation.sql("SELECT FROM visits WHERE id = $1", visit["visit"]))

        await eventually(is_there)

    async def attribution(self, call: Row, *, settled: bool = True) -> Row:
        """What is said of a call, once it is."""
        rows: list[Row] = []

        async def is_said() -> bool:
            rows[:] = await self.installation.sql(
                "SELECT a.*, s.name FROM attributions a JOIN calls c ON c.id = a.call_id"
                " LEFT JOIN sources s ON s.id = c.source_id WHERE a.call_id = $1",
                call["id"],
            )
            return bool(rows) and (rows[0]["settled_at"] is not None or not settled)

        await eventually(is_said, 30)
        return rows[0]

    async def talk(self, number: str, caller: str) -> Row:
        return await self.exchange.call(caller_talks(Invite(number, caller), 0.1), "main")


@pytest_asyncio.fixture(scope="module")
async def corner(asterisk_home: AsteriskHome) -> AsyncIterator[Corner]:
    folder = Path(tempfile.mkdtemp(prefix="np-test-"))
    async with AsyncExitStack() as running:
        running.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = EmbeddedPostgres(folder / "postgres", outlives_us=False)
        await postgres.start()
        running.push_async_callback(postgres.stop)
        await migrate(postgres.dsn)
        patched = running.enter_context(pytest.MonkeyPatch.context())
        patched.setenv("NUMBERPOOL_ATTRIBUTION__SETTLE_SECONDS", "1")
        patched.setenv("NUMBERPOOL_SPEECH__COMMAND", json.dumps([sys.executable, tone_engine.__file__]))
        installation = Installation(asterisk_home, folder, postgres.dsn, ())
        exchange = Exchange(installation)
        running.push_async_callback(installation.stop)
        running.push_async_callback(exchange.stop)
        await installation.add_company()
        for statement in (
            "INSERT INTO pools (company_id, name, kind, priority) VALUES (1, 'Visitors', 'dynamic', 10)",
            "INSERT INTO tracking_numbers (company_id, pool_id, e164)"
            " SELECT 1, p.id, '+13065552' || lpad(n::text, 3, '0') FROM pools p, generate_series(1, 20) AS n",
            "INSERT INTO sites (company_id, name, public_key, hosts)"
            " VALUES (1, 'Home', 'abcdefghijklmnop', '{shop.example}')",
            f"INSERT INTO swap_targets (company_id, site_id, e164) VALUES (1, 1, '{PRINTED}')",
        ):
            await installation.sql(statement)
        installation.render()
        await installation.pbx.start()
        await installation.gateway.start()
        await installation.gateway.wait_health("sources of calls", "ok", 30)
        yield Corner(exchange, postgres)


def workers(gateway: Gateway) -> list[int]:
    """The processes that decide calls for a gateway."""
    assert gateway._process is not None
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdecimal()
        and b"gateway.attribution.worker" in _read(folder / "cmdline")
        and f"PPid:\t{gateway._process.pid}\n".encode() in _read(folder / "status")
    ]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # it has just ended
        return b""


def number_of(visit: dict[str, Any]) -> str:
    """What a page shows."""
    (shown,) = visit["numbers"]
    assert shown["why"] == "lent"
    number: str = shown["number"]["e164"]
    return number


async def test_while_it_rings_and_afterwards_the_call_has_the_source_of_the_visit(corner: Corner) -> None:
    visit = await corner.visit(_ADVERTISED)
    await corner.stored(visit)
    before = await corner.installation.newest()
    going_on = await corner.exchange.place(caller_talks(Invite(number_of(visit), "+13064440001"), 12.0), "main")
    calls: list[Row] = []

    async def rings() -> bool:
        calls[:] = await corner.installation.sql("SELECT * FROM calls WHERE id > $1", before)
        return bool(calls) and calls[0]["source_id"] is not None

    await eventually(rings, 30)
    assert calls[0]["state"] != "ended"
    said = await corner.attribution(calls[0], settled=False)
    assert (str(said["visit_id"]), said["name"], said["settled_at"]) == (visit["visit"], "Google Paid", None)
    assert said["because"] == ["live"]
    assert said["confidence"] > 0.9
    await going_on.done()
    ended = await corner.installation.ended_one(before, 30)
    assert ended["source_id"] == calls[0]["source_id"]  # the end of a call takes its source from nobody
    assert ended["decided_by"] == "gateway"
    assert ended["decision_ms"] < corner.installation.bound_ms
    said = await corner.attribution(ended)
    assert (str(said["visit_id"]), said["name"], said["campaign"]) == (visit["visit"], "Google Paid", "spring")
    assert said["decided_at"] < ended["ended_at"] <= said["settled_at"]


async def test_whoever_answers_is_told_what_brought_the_call(corner: Corner) -> None:
    """Of a number on loan that is known only while it rings. What was never said before is said by its source."""
    there = corner.installation
    keyword, _, source, _ = (hertz for _, hertz in tone_engine.TONES)

    async def heard(word: str, caller: str) -> set[int]:
        """The tones that the line hears; the caller hears none."""
        visit = await corner.visit(f"{_ADVERTISED}&utm_term={word}")
        await corner.stored(visit)
        async with listener() as (line_hears, line_ear), listener() as (caller_hears, caller_ear):
            # It rings for as long as a person takes to the telephone.
            await corner.exchange.line("main", line_answers(after=4, tone=line_ear))
            try:
                await corner.exchange.call(caller_talks(Invite(number_of(visit), caller), 2.5, caller_ear))
            finally:
                await corner.exchange.line("main", line_answers())
        tones = [hertz for _, hertz in tone_engine.TONES]
        assert max(map(caller_hears.loudness, tones)) < 0.005
        return {hertz for hertz in tones if line_hears.loudness(hertz) > 0.05}

    settings = SpeechSettings(command=(sys.executable, tone_engine.__file__))

    async def is_spoken() -> bool:
        return Speech(there.spool / "sounds", settings).sound(Words("Google Paid, emergency roof repair")) is not None

    assert await heard("emergency+roof+repair", "+13064440021") == set()  # nobody asked for whispers
    await there.sql("UPDATE companies SET whisper_spoken = true")
    try:
        await eventually(is_spoken)
        assert await heard("emergency+roof+repair", "+13064440022") == {keyword}
        assert await heard("gutters", "+13064440023") == {source}
    finally:
        await there.sql("UPDATE companies SET whisper_spoken = false")


async def test_of_two_rivals_the_one_who_tapped(corner: Corner) -> None:
    """A number that two visits have on their screens, as from a cached page."""
    bob = await corner.visit(referrer=SEARCHED)
    ann = await corner.visit(_ADVERTISED)
    for visit in (bob, ann):
        await corner.stored(visit)
    number = number_of(bob)
    await corner.installation.sql(
        "INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen)"
        " SELECT 1, gen_random_uuid(), $1, number_id, shown_at, last_seen FROM exposures WHERE id = $2",
        ann["visit"],
        bob["numbers"][0]["exposure"],
    )
    await corner.post(
        "/v1/tap",
        {
            "site": "abcdefghijklmnop",
            "visit": bob["visit"],
            "exposure": bob["numbers"][0]["exposure"],
            "number": number,
        },
    )
    said = await corner.attribution(await corner.talk(number, "+13064440002"))
    assert (str(said["visit_id"]), said["because"][0], said["name"]) == (bob["visit"], "tap", "Google Organic")
    rivals = await corner.installation.sql(
        "SELECT visit_id, chance FROM call_candidates WHERE call_id = $1 AND NOT is_answer", said["call_id"]
    )
    assert [str(each["visit_id"]) for each in rivals] in ([ann["visit"]], [])


async def test_a_gateway_killed_between_the_ringing_and_the_settling(corner: Corner) -> None:
    visit = await corner.visit(referrer=SEARCHED)
    await corner.stored(visit)
    gateway = corner.installation.gateway
    first = await corner.talk(number_of(visit), "+13064440003")
    (worker,) = workers(gateway)
    await gateway.kill()

    async def is_gone() -> bool:
        return b"gateway.attribution.worker" not in _read(Path(f"/proc/{worker}/cmdline"))

    await eventually(is_gone)  # it needs nobody to end it
    # And one that rings, talks and ends while there is no gateway at all.
    before = await corner.installation.newest()
    second = await corner.exchange.place(caller_talks(Invite(number_of(visit), "+13064440004"), 0.1), "main")
    await second.done()
    await gateway.start()
    later = await corner.installation.ended_one(before, 20)
    assert later["decided_by"] == "fallback"
    for call in (first, later):
        said = await corner.attribution(call)
        assert (str(said["visit_id"]), said["name"]) == (visit["visit"], "Google Organic")


async def test_what_decides_calls_is_killed_and_the_gateway_goes_on(corner: Corner) -> None:
    visit = await corner.visit(_ADVERTISED)
    await corner.stored(visit)
    gateway = corner.installation.gateway
    (worker,) = workers(gateway)
    os.kill(worker, signal.SIGKILL)
    call = await corner.talk(number_of(visit), "+13064440006")
    assert call["decided_by"] == "gateway"
    said = await corner.attribution(call)
    assert (str(said["visit_id"]), said["name"]) == (visit["visit"], "Google Paid")
    assert worker not in workers(gateway)


async def test_postgres_away_while_it_rings(corner: Corner) -> None:
    visit = await corner.visit(_ADVERTISED)
    await corner.stored(visit)
    before = await corner.installation.newest()
    await corner.postgres.stop()
    during = await corner.exchange.place(caller_talks(Invite(number_of(visit), "+13064440005"), 0.2), "main")
    await during.done()
    await corner.postgres.start()
    row = await corner.installation.ended_one(before, 30)
    assert (row["outcome"], row["decided_by"]) == ("answered", "gateway")
    said = await corner.attribution(row)
    assert (str(said["visit_id"]), said["name"]) == (visit["visit"], "Google Paid")
    await corner.installation.gateway.wait_health("sources of calls", "ok")
