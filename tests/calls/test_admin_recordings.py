"""Recordings and announcements around the admin's own dialplan: ours is whole, and so is his."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls.admin_dialplan import CONTEXTS, admin_config
from tests.calls.exchange import LINES, Exchange
from tests.calls.heard import finished, strongest
from tests.calls.scenarios import Invite, Tone, caller_talks, line_answers
from tests.calls.sipp import RATE, listener, loudness, make_sound
from tests.installation import Installation, Number, Row
from tests.stack import eventually

CALLER_HZ, LINE_HZ, ANNOUNCEMENT_HZ = 1000.0, 700.0, 620.0
SECONDS = 3.0
NUMBERS = {
    "phone": ("PJSIP/main",),
    "queue": ("Dialplan/604@queues",),
    "ring group": ("Dialplan/610@ext-group",),
    "recorded there": ("Dialplan/640@recorded",),
    "recorded in a queue": ("Dialplan/641@recorded",),
    "recorder stopped there": ("Dialplan/642@recorded",),
}
DIDS = {name: f"+130655530{position:02}" for position, name in enumerate(NUMBERS, start=1)}
# A trunk whose calls the admin records before they are ours.
RECORDED_TRUNK = "127.0.0.9"
_RECORDED_TRUNK = f"""
[recorded-trunk]
type=endpoint
context=recorded-trunk
transport=udp
disallow=all
allow=ulaw
direct_media=no
[recorded-trunk]
type=identify
endpoint=recorded-trunk
match={RECORDED_TRUNK}
"""


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [Number(DIDS[name], lines, record=True) for name, lines in NUMBERS.items()]
    files = {**admin_config(folder), "pjsip.conf": _RECORDED_TRUNK}
    return Installation(home, folder, dsn, numbers, tuple(LINES), files, dialplan_contexts=CONTEXTS)


@pytest_asyncio.fixture(scope="module", autouse=True)
async def lines(exchange: Exchange) -> AsyncIterator[None]:
    """Every phone of the office, the ones that answer with a voice."""
    voice = exchange.tone(LINE_HZ)
    for name in ("main", "second"):
        await exchange.line(name, line_answers(tone=voice))
    await exchange.line("rings")
    yield


async def talk(exchange: Exchange, name: str, caller: str, address: str = "127.0.0.1") -> Row:
    """A caller and whoever answers, both of them speaking."""
    voice: Tone = exchange.tone(CALLER_HZ)
    return await exchange.call(caller_talks(Invite(DIDS[name], caller), SECONDS, voice), address=address)


async def assert_ours_is_whole(exchange: Exchange, row: Row) -> None:
    """The caller on the left, whoever answered on the right, from the answer to the end."""
    _, samples, rate = await finished(exchange.installation, row)
    assert strongest(samples[:, 0], rate) == pytest.approx(CALLER_HZ, abs=3)
    assert strongest(samples[:, 1], rate) == pytest.approx(LINE_HZ, abs=3)
    assert len(samples) / rate == pytest.approx(SECONDS, abs=0.4)


async def assert_the_admins_is_whole(exchange: Exchange, caller: str) -> None:
    """Both voices mixed, to the end of the call."""
    file = exchange.installation.folder / "own-recordings" / f"{caller}.wav"
    found: list[float] = []

    async def is_there() -> bool:
        # The header is written when the recorder is closed; 44 bytes, then samples.
        samples = np.frombuffer(file.read_bytes()[44:], "<i2") if file.exists() else np.zeros(0, np.int16)
        found[:] = [len(samples) / RATE, loudness(samples, CALLER_HZ), loudness(samples, LINE_HZ)]
        return found[0] > SECONDS - 0.4 and found[1] > 0.1 and found[2] > 0.1

    try:
        await eventually(is_there)
    except TimeoutError:
        raise AssertionError(f"seconds, caller, line: {found}") from None


@pytest.mark.parametrize("name", ["queue", "ring group"])
async def test_a_recording_goes_on_in_the_admins_context(exchange: Exchange, caller: str, name: str) -> None:
    row = await talk(exchange, name, caller)
    assert (row["answered_by"], row["recorded"]) == ("PJSIP/second", True)
    await assert_ours_is_whole(exchange, row)


@pytest.mark.parametrize("name", ["recorded there", "recorded in a queue"])
async def test_the_admins_recorder_and_ours(exchange: Exchange, caller: str, name: str) -> None:
    row = await talk(exchange, name, caller)
    await assert_ours_is_whole(exchange, row)
    await assert_the_admins_is_whole(exchange, caller)


async def test_a_recorder_that_began_before_ours(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "phone", caller, RECORDED_TRUNK)
    assert row["trunk"] == "recorded-trunk"
    await assert_ours_is_whole(exchange, row)
    await assert_the_admins_is_whole(exchange, caller)


async def test_the_admin_stops_the_recorder_that_he_began(exchange: Exchange, caller: str) -> None:
    """StopMixMonitor() without an id takes the newest, which is his."""
    row = await talk(exchange, "recorder stopped there", caller)
    await assert_ours_is_whole(exchange, row)


async def test_an_announcement_before_the_admins_context(exchange: Exchange, caller: str) -> None:
    there = exchange.installation
    sound = make_sound(there.folder, "announcement", ANNOUNCEMENT_HZ, 0.5)
    await there.sql("UPDATE companies SET announcement = $1", sound)
    try:
        await there.wait_fallback(DIDS["queue"], sound)
        async with listener() as (caller_hears, ear):
            row = await exchange.call(caller_talks(Invite(DIDS["queue"], caller), 2.0, ear))
    finally:
        await there.sql("UPDATE companies SET announcement = NULL")
        await there.wait_fallback(DIDS["queue"], "||")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")
    # The announcement's answer is not a person's.
    assert row["ring_seconds"] > 0.5
    assert caller_hears.loudness(ANNOUNCEMENT_HZ) > 0.03
    assert caller_hears.loudness(LINE_HZ) > 0.03
