"""What is in a recording of a real call: whose voice on which side, how long, and when there is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.heard import finished, strongest
from tests.calls.scenarios import Invite, Sound, caller_gives_up, caller_talks, line_answers
from tests.calls.sipp import loudness, make_sound
from tests.installation import Installation, Number
from tests.stack import eventually

CALLER_HZ, BUSINESS_HZ, WHISPER_HZ = 440.0, 1000.0, 620.0
SECONDS = 2.0

# Pool, number and company each may say yes or no; the nearest that says anything decides.
NUMBERS = {
    "as the company": Number("+13065552001", record=None),
    "the number says no": Number("+13065552002", record=False),
    "the pool says no": Number("+13065552003", record=None, pool="Quiet"),
    "the number says yes over its pool": Number("+13065552004", record=True, pool="Quiet"),
}
RINGS = Number("+13065552005", ("rings",), record=True)
WHISPERS = "+13065552006"


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    whisper = make_sound(folder, "whisper", WHISPER_HZ, 0.5)
    numbers = [*NUMBERS.values(), RINGS, Number(WHISPERS, record=True, whisper=whisper)]
    return Installation(home, folder, dsn, numbers, tuple(LINES), company={"record_calls": True})


@asynccontextmanager
async def speaking_line(exchange: Exchange, sound: Sound | None) -> AsyncIterator[None]:
    """The main line speaks ``sound`` while the block runs."""
    await exchange.line("main", line_answers(tone=sound))
    yield
    await exchange.line("main", LINES["main"]())


async def test_the_caller_is_left_and_the_business_right(exchange: Exchange, caller: str) -> None:
    async with speaking_line(exchange, exchange.tone(BUSINESS_HZ)):
        invite = Invite(NUMBERS["as the company"].e164, caller)
        call = await exchange.call(caller_talks(invite, SECONDS, exchange.tone(CALLER_HZ)))
    assert call["recorded"]
    row, samples, rate = await finished(exchange.installation, call)
    left, right = samples[:, 0], samples[:, 1]
    assert strongest(left, rate) == pytest.approx(CALLER_HZ, abs=3)
    assert strongest(right, rate) == pytest.approx(BUSINESS_HZ, abs=3)
    for own, other, own_hz, other_hz in (
        (left, right, CALLER_HZ, BUSINESS_HZ),
        (right, left, BUSINESS_HZ, CALLER_HZ),
    ):
        # A tone of a quarter of full scale; on the other side at least 50 dB below it.
        assert loudness(own, own_hz, rate) > 0.15
        assert loudness(other, own_hz, rate) < 0.0008
        assert loudness(own, other_hz, rate) < 0.0008
    assert row["seconds"] == pytest.approx(SECONDS, abs=0.25)
    assert len(samples) / rate == pytest.approx(row["seconds"], abs=0.15)
    assert row["peaks"]
    spool = exchange.installation.spool / "recordings"

    async def is_cleared() -> bool:
        return not list(spool.iterdir())

    await eventually(is_cleared)


@pytest.mark.parametrize("silent", ["caller", "business"])
async def test_a_silent_side_keeps_in_step(exchange: Exchange, caller: str, silent: str) -> None:
    """One side sends no sound at all: its channel is silence of the same length."""
    sounds: dict[str, Sound | None] = {
        "caller": exchange.tone(CALLER_HZ),
        "business": exchange.tone(BUSINESS_HZ),
        silent: None,
    }
    async with speaking_line(exchange, sounds["business"]):
        invite = Invite(NUMBERS["as the company"].e164, caller)
        call = await exchange.call(caller_talks(invite, SECONDS, sounds["caller"]))
    row, samples, rate = await finished(exchange.installation, call)
    quiet, loud = (0, 1) if silent == "caller" else (1, 0)
    assert strongest(samples[:, loud], rate) == pytest.approx((CALLER_HZ, BUSINESS_HZ)[loud], abs=3)
    assert np.abs(samples[:, quiet]).max() < 100
    assert row["seconds"] == pytest.approx(SECONDS, abs=0.25)


async def test_the_whisper_is_in_no_recording(exchange: Exchange, caller: str) -> None:
    async with speaking_line(exchange, exchange.tone(BUSINESS_HZ)):
        call = await exchange.call(caller_talks(Invite(WHISPERS, caller), SECONDS, exchange.tone(CALLER_HZ)))
    _, samples, rate = await finished(exchange.installation, call)
    assert loudness(samples[:, 0], WHISPER_HZ, rate) < 0.0008
    assert loudness(samples[:, 1], WHISPER_HZ, rate) < 0.0008
    assert strongest(samples[:, 1], rate) == pytest.approx(BUSINESS_HZ, abs=3)


@pytest.mark.parametrize(
    ("which", "pool", "recorded"),
    [
        ("as the company", None, True),
        ("the number says no", None, False),
        ("the pool says no", False, False),
        ("the number says yes over its pool", False, True),
    ],
)
async def test_whether_a_call_is_recorded(
    exchange: Exchange, caller: str, which: str, pool: bool | None, recorded: bool
) -> None:
    number = NUMBERS[which]
    installation = exchange.installation
    await installation.sql("UPDATE pools SET record_calls = $1 WHERE name = $2", pool, number.pool)
    await installation.wait_fallback(number.e164, f"|{int(recorded)}|")
    call = await exchange.call(caller_talks(Invite(number.e164, caller), 0.3), "main")
    assert call["recorded"] is recorded
    rows = await installation.sql("SELECT state FROM recordings WHERE call_id = $1", call["id"])
    assert len(rows) == int(recorded)
    if not recorded:
        assert not [file for file in (installation.spool / "recordings").iterdir() if call["asterisk_id"] in file.name]


async def test_a_company_that_records_nothing(exchange: Exchange, caller: str) -> None:
    installation = exchange.installation
    number = NUMBERS["as the company"]
    await installation.sql("UPDATE companies SET record_calls = false")
    try:
        await installation.wait_fallback(number.e164, "|0|")
        call = await exchange.call(caller_talks(Invite(number.e164, caller), 0.3), "main")
    finally:
        await installation.sql("UPDATE companies SET record_calls = true")
        await installation.wait_fallback(number.e164, "|1|")
    assert call["recorded"] is False


async def test_a_call_that_nobody_answers_has_no_recording(exchange: Exchange, caller: str) -> None:
    call = await exchange.call(caller_gives_up(Invite(RINGS.e164, caller), 0.3), "rings")
    assert (call["outcome"], call["recorded"]) == ("abandoned", False)
    assert not await exchange.installation.sql("SELECT 1 FROM recordings WHERE call_id = $1", call["id"])
    assert not [
        file
        for file in (exchange.installation.spool / "recordings").iterdir()
        if call["asterisk_id"] in file.name and file.stat().st_size
    ]
