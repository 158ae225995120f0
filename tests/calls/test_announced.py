"""The caller is told that the call is recorded; only then is it recorded, and only if it could be said."""

from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.heard import finished, strongest
from tests.calls.scenarios import Invite, caller_talks, line_answers
from tests.calls.sipp import listener, loudness, make_sound
from tests.installation import Installation, Number
from tests.stack import eventually

RECORDED = "+13065552001"
CALLER_HZ, LINE_HZ, ANNOUNCED_HZ = 440.0, 1000.0, 700.0
SECONDS = 4.0


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    announced = make_sound(folder, "announced", ANNOUNCED_HZ, SECONDS)
    numbers = [Number(RECORDED, ("main",), record=True)]
    return Installation(home, folder, dsn, numbers, ("main",), company={"announcement": announced}, bound_ms=3000)


async def recorders(exchange: Exchange) -> int:
    """How many recorders listen to the calls there are."""
    pbx = exchange.installation.pbx
    channels = [line.split("!")[0] for line in (await pbx.cli("core show channels concise")).splitlines()]
    lists = [await pbx.cli(f"mixmonitor list {channel}") for channel in channels if channel.startswith("PJSIP/trunk")]
    return sum(each.count("recordings/") for each in lists) // 2


async def plays(exchange: Exchange) -> bool:
    return "Playback" in await exchange.installation.pbx.cli("core show channels concise")


async def talks(exchange: Exchange) -> bool:
    return "!Dial!" in await exchange.installation.pbx.cli("core show channels concise")


async def test_recording_begins_behind_the_announcement(exchange: Exchange, caller: str) -> None:
    before = await exchange.installation.newest()
    async with listener() as (caller_hears, caller_ear):
        await exchange.line("main", line_answers(tone=exchange.tone(LINE_HZ)))
        try:
            sipp = await exchange.place(caller_talks(Invite(RECORDED, caller), SECONDS + 6, caller_ear))
            await eventually(lambda: plays(exchange))
            assert await recorders(exchange) == 0
            await eventually(lambda: talks(exchange))
            assert await recorders(exchange) == 1
            await sipp.done()
        finally:
            await exchange.line("main", LINES["main"]())
    row = await exchange.installation.ended_one(before)
    assert (row["outcome"], row["recorded"]) == ("answered", True)
    assert caller_hears.loudness(ANNOUNCED_HZ) > 0.03
    # The wait is no talk.
    assert row["ring_seconds"] > SECONDS - 0.5
    recording, samples, rate = await finished(exchange.installation, row)
    assert recording["seconds"] == pytest.approx(row["talk_seconds"], abs=1.5)
    assert strongest(samples[:, 1], rate) == pytest.approx(LINE_HZ, abs=3)
    assert max(loudness(samples[:, side], ANNOUNCED_HZ, rate) for side in (0, 1)) < 0.003


async def test_hanging_up_in_the_middle_of_it(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_talks(Invite(RECORDED, caller), 0.3), "main")
    assert (row["outcome"], row["answered_at"], row["talk_seconds"], row["recorded"]) == (
        "abandoned",
        None,
        None,
        False,
    )
    assert row["hung_up_by"] == "caller"
    assert await exchange.installation.legs(row) == []
    assert [*(exchange.installation.spool / "recordings").glob(f"{row['asterisk_id']}*")] == []


async def test_what_could_not_be_said_is_not_recorded(exchange: Exchange, caller: str) -> None:
    there = exchange.installation
    await there.sql("UPDATE companies SET announcement = 'not-there'")
    try:
        await there.wait_fallback(RECORDED, "|not-there|")
        row = await exchange.call(caller_talks(Invite(RECORDED, caller), 1.0), "main")
    finally:
        await there.sql("UPDATE companies SET announcement = $1", str(there.folder / "announced"))
        await there.wait_fallback(RECORDED, "/announced|")
    assert (row["outcome"], row["recorded"]) == ("answered", False)
    assert '"unheard": "announcement"' in row["evidence"]
    assert [*(there.spool / "recordings").glob(f"{row['asterisk_id']}*")] == []
