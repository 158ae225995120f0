"""A call rings, whatever has died or hangs: the gateway, Postgres, Asterisk, another gateway, the outbox, the disk."""

import asyncio
import os
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_listens, caller_talks
from tests.installation import Installation, Number
from tests.stack import eventually, lasts

NUMBERS = [Number("+13065552001", record=True), Number("+13065552002", ("second",))]
LINES = ("main", "second")


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(home, folder, dsn, NUMBERS, LINES)


@pytest_asyncio.fixture
async def gateway_back(exchange: Exchange) -> AsyncIterator[None]:
    """Whatever a test does to the gateway, the next one finds it well."""
    yield
    gateway = exchange.installation.gateway
    gateway.resume()
    if not await gateway.is_well():
        await gateway.kill()
        await gateway.start()


pytestmark = pytest.mark.usefixtures("gateway_back")


async def _ring(exchange: Exchange, caller: str, calls: int = 1, did: str = "+13065552002") -> None:
    """Calls that must be answered by the line of their number."""
    invite = Invite(did, f"{caller[:-2]}[call_number]")
    sipp = await exchange.place(caller_talks(invite, 0.1), "main", "second", calls=calls, rate=50)
    await sipp.done()


async def test_the_gateway_is_stopped(exchange: Exchange, caller: str) -> None:
    installation = exchange.installation
    before = await installation.newest()
    assert await installation.gateway.stop() == 0
    assert await installation.variable("NP_GATE") == "shut"
    await _ring(exchange, caller, 3)
    await installation.gateway.start()
    rows = await installation.ended(before, 3)
    assert {(row["decided_by"], row["answered_by"], row["number_id"], row["source_id"]) for row in rows} == {
        ("fallback", "PJSIP/second", 2, 1)
    }
    assert max(row["decision_ms"] for row in rows) == 0


async def test_the_gateway_is_killed(exchange: Exchange, caller: str) -> None:
    installation = exchange.installation
    before = await installation.newest()
    await installation.gateway.kill()
    await _ring(exchange, caller, 3)
    await installation.gateway.start()
    rows = await installation.ended(before, 3)
    assert {(row["decided_by"], row["answered_by"]) for row in rows} == {("fallback", "PJSIP/second")}
    assert max(row["decision_ms"] for row in rows) == 0


async def test_the_gateway_hangs(exchange: Exchange, caller: str) -> None:
    """Calls in flight wait for the bound, the next ones do not; afterwards it decides again."""
    installation = exchange.installation
    before = await installation.newest()
    installation.gateway.suspend()
    await _ring(exchange, caller)
    await _ring(exchange, caller, 3)
    installation.gateway.resume()

    async def is_open() -> bool:
        return await installation.variable("NP_GATE") == "open"

    await eventually(is_open)
    await _ring(exchange, caller)
    first, *next_ones, last = await installation.ended(before, 5)
    assert first["decided_by"] == "fallback"
    assert installation.bound_ms <= first["decision_ms"] < 2 * installation.bound_ms
    assert {(row["decided_by"], row["decision_ms"]) for row in next_ones} == {("fallback", 0)}
    assert last["decided_by"] == "gateway"
    assert last["decision_ms"] < installation.bound_ms


async def test_the_gateway_is_killed_while_a_call_waits_for_it(exchange: Exchange, caller: str) -> None:
    installation = exchange.installation
    before = await installation.newest()
    installation.gateway.suspend()
    sipp = await exchange.place(caller_talks(Invite("+13065552002", caller), 0.1), "second")
    await asyncio.sleep(0.05)  # the call is in its wait for the gateway
    await installation.gateway.kill()
    await sipp.done()
    await installation.gateway.start()
    row = await installation.ended_one(before)
    assert (row["decided_by"], row["answered_by"]) == ("fallback", "PJSIP/second")
    assert row["decision_ms"] < installation.bound_ms


async def test_a_gateway_that_starts_in_mid_call(exchange: Exchange, caller: str) -> None:
    """The call began before the gateway did: it is live at once, and ends right."""
    installation = exchange.installation
    before = await installation.newest()
    await installation.gateway.kill()
    sipp = await exchange.place(caller_talks(Invite("+13065552001", caller), 8), "main")
    await installation.gateway.start()

    async def is_live() -> bool:
        rows = await installation.sql("SELECT state FROM calls WHERE id > $1", before)
        return [row["state"] for row in rows] == ["answered"]

    await eventually(is_live, 20)  # an ended call is never live again
    await sipp.done()
    row = await installation.ended_one(before)
    assert (row["outcome"], row["decided_by"], row["hung_up_by"]) == ("answered", "fallback", "caller")
    assert lasts(row["talk_seconds"], 8)


@pytest.mark.parametrize("ending", ["stop", "kill"])
async def test_a_gateway_that_is_started_again_in_mid_call(exchange: Exchange, caller: str, ending: str) -> None:
    installation = exchange.installation
    before = await installation.newest()
    sipp = await exchange.place(caller_talks(Invite("+13065552001", caller), 12), "main")

    async def is_live() -> bool:
        rows = await installation.sql("SELECT state FROM calls WHERE id > $1", before)
        return [row["state"] for row in rows] == ["answered"]

    await eventually(is_live)
    await (installation.gateway.stop() if ending == "stop" else installation.gateway.kill())
    await installation.gateway.start()
    assert await is_live()
    await sipp.done()
    row = await installation.ended_one(before)
    assert (row["outcome"], row["decided_by"]) == ("answered", "gateway")
    assert lasts(row["talk_seconds"], 12)
    await _ready(installation, row["id"])


async def _ready(installation: Installation, call: int) -> None:
    async def is_made() -> bool:
        rows = await installation.sql("SELECT state FROM recordings WHERE call_id = $1", call)
        return [row["state"] for row in rows] in (["ready"], ["empty"])

    await eventually(is_made)


async def test_two_gateways_of_one_asterisk(exchange: Exchange, caller: str) -> None:
    """The newer decides; the older stands down and says so."""
    installation = exchange.installation
    before = await installation.newest()
    newer = installation.another_gateway("newer")
    await newer.start()
    try:
        said = await installation.gateway.wait_health("asterisk:pbx", "needs_person")
        assert "Another Numberpool gateway" in said
        await _ring(exchange, caller)
        row = await installation.ended_one(before)
        assert row["decided_by"] == "gateway"
    finally:
        await newer.stop()


async def test_a_gateway_that_hung_comes_back_after_another_took_over(exchange: Exchange, caller: str) -> None:
    installation = exchange.installation
    before = await installation.newest()
    newer = installation.another_gateway("newer-2")
    installation.gateway.suspend()
    await newer.start()
    try:
        await _ring(exchange, caller)
        installation.gateway.resume()
        await installation.gateway.wait_health("asterisk:pbx", "needs_person")
        await _ring(exchange, caller, 5)
        rows = await installation.ended(before, 6)
        assert {row["decided_by"] for row in rows} == {"gateway"}
        assert max(row["decision_ms"] for row in rows) < installation.bound_ms
    finally:
        await newer.stop()


async def test_a_refused_account_is_told_with_its_mend(exchange: Exchange, caller: str) -> None:
    installation = exchange.installation
    await installation.gateway.kill()
    stranger = installation.another_gateway("stranger", secret="wrong", store_secret="wrong-too")
    await stranger.start(ready=False)
    try:
        said = await stranger.wait_health("asterisk:pbx", "needs_person")
        assert "refused the AMI account numberpool " in said
        assert "manager reload" in said
        said = await stranger.wait_health("asterisk:pbx:store", "needs_person")
        assert "refused the AMI account numberpool-store " in said
        before = await installation.newest()
        await _ring(exchange, caller)
        row = await installation.ended_one(before)
        assert (row["decided_by"], row["outcome"]) == ("fallback", "answered")
    finally:
        await stranger.stop()


async def test_garbage_in_the_outbox_stops_nothing(exchange: Exchange, caller: str) -> None:
    installation = exchange.installation
    before = await installation.newest()
    outbox = installation.spool / "outbox"
    (outbox / "garbage").write_bytes(os.urandom(3000))
    (outbox / "a-lie").write_text("v=1&key=another&stage=3&end=\n")
    (outbox / "huge").write_bytes(b"v=1&" * 50_000)
    (outbox / "folder").mkdir()
    half = outbox / "half-a-line"
    half.write_text("v=1&key=half-a-line&id=1.1&at=17000")
    await _ring(exchange, caller)

    async def is_in() -> bool:
        rows = await installation.sql("SELECT state FROM calls WHERE id > $1", before)
        return [row["state"] for row in rows] == ["ended"]

    await eventually(is_in)

    async def are_put_aside() -> bool:
        return {"a-lie.rejected", "huge.rejected", "folder", "half-a-line"} <= {f.name for f in outbox.iterdir()}

    await eventually(are_put_aside)
    for file in outbox.iterdir():
        file.rmdir() if file.is_dir() else file.unlink()


async def test_an_outbox_that_is_not_there(exchange: Exchange, caller: str) -> None:
    installation = exchange.installation
    before = await installation.newest()
    outbox, away = installation.spool / "outbox", installation.spool / "outbox-away"
    outbox.rename(away)
    try:
        await installation.gateway.wait_health("outbox:pbx", "needs_person")
        await _ring(exchange, caller)

        async def is_in() -> bool:
            rows = await installation.sql("SELECT outcome FROM calls WHERE id > $1", before)
            return [row["outcome"] for row in rows] == ["answered"]

        await eventually(is_in)
    finally:
        away.rename(outbox)
    await installation.gateway.wait_health("outbox:pbx", "ok")


@contextmanager
def _full_disk(folder: Path) -> Iterator[None]:
    """``folder`` on a file system of its own without room. Skips the test where that cannot be had."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k,mode=0777", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a full disk needs the right to mount one: {mounted.stderr.strip()}")
    try:
        (folder / ".filler").write_bytes(b"x" * 4096)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_under_the_spool(exchange: Exchange, caller: str) -> None:
    installation = exchange.installation
    before = await installation.newest()
    with _full_disk(installation.spool):
        for part in ("outbox", "recordings"):
            (installation.spool / part).mkdir()
        await _ring(exchange, caller, did="+13065552001")
        await _ring(exchange, caller)

        async def are_in() -> bool:
            rows = await installation.sql("SELECT outcome FROM calls WHERE id > $1", before)
            return [row["outcome"] for row in rows] == ["answered", "answered"]

        await eventually(are_in)


async def test_asterisk_dies_in_mid_call(exchange: Exchange, caller: str) -> None:
    """The call becomes cut off, what was said until then is kept, and the next call is decided again."""
    installation = exchange.installation
    before = await installation.newest()
    sipp = await exchange.place(caller_listens(Invite("+13065552001", caller), exchange.tone(440)), "main")

    async def is_recorded() -> bool:
        files = list((installation.spool / "recordings").iterdir())
        return sum(file.stat().st_size for file in files) > 16000

    await eventually(is_recorded)
    installation.pbx.kill()
    await sipp.stop()
    await installation.pbx.wait_booted()
    await installation.gateway.wait_ready()
    row = await installation.ended_one(before, 25)
    assert (row["outcome"], row["answered_by"]) == ("cut_off", "PJSIP/main")
    await _ready(installation, row["id"])
    (recording,) = await installation.sql("SELECT * FROM recordings WHERE call_id = $1", row["id"])
    assert (recording["state"], recording["seconds"] > 0.5) == ("ready", True)
    before = await installation.newest()
    await _ring(exchange, caller)
    row = await installation.ended_one(before)
    assert row["decided_by"] == "gateway"


async def test_thirty_calls_through_a_death_and_a_new_start(exchange: Exchange) -> None:
    installation = exchange.installation
    before = await installation.newest()
    invite = Invite("+13065552002", "+1306666[call_number]")
    sipp = await exchange.place(caller_talks(invite, 0.2), "second", calls=30, rate=15)
    await asyncio.sleep(0.5)  # seven calls are through or under way
    await installation.gateway.kill()
    await asyncio.sleep(0.3)
    await installation.gateway.start()
    await sipp.done()
    rows = await installation.ended(before, 30, 15)
    assert Counter(row["outcome"] for row in rows) == {"answered": 30}
    assert {row["decided_by"] for row in rows} == {"gateway", "fallback"}
