"""Whoever answers presses *7: nothing is on the record until they press it again."""

from itertools import pairwise
from pathlib import Path

import pytest

from gateway.asterisk.ami import AmiLink
from gateway.asterisk.channels import variable
from gateway.asterisk.recorder import record_anew
from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.heard import Samples, finished
from tests.calls.scenarios import Invite, caller_listens, line_answers, line_presses, press
from tests.calls.sipp import Listener, listener, loudness
from tests.installation import Installation, Number, Row
from tests.stack import eventually

DID = "+13065552001"
CALLER_HZ, LINE_HZ = 600.0, 800.0
PAUSED_HZ, RECORDED_HZ = 440.0, 1400.0  # of the tones (gateway.calls.tones)


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [Number(DID, ("main",), record=True), Number("+13065552002", ("second",), record=True)]
    return Installation(home, folder, dsn, numbers, tuple(LINES), bound_ms=3000)


async def pauses(exchange: Exchange, row: Row) -> list[Row]:
    return await exchange.installation.sql(
        "SELECT * FROM recording_pauses WHERE call_id = $1 ORDER BY position", row["id"]
    )


def hears(samples: Samples, rate: int, side: int, hertz: float, began: float, ended: float) -> bool:
    """Whether a tone is on that side of the recording throughout, and not whether it is for a moment."""
    return loudness(samples[round(began * rate) : round(ended * rate), side], hertz, rate) > 0.05


def silence(samples: Samples, rate: int) -> tuple[float, float]:
    """The longest stretch with nothing on either side: from .. to in seconds."""
    step = rate // 20
    quiet = [int(abs(samples[at : at + step].astype(int)).max()) < 200 for at in range(0, len(samples), step)]
    ends = [-1, *(place for place, is_quiet in enumerate(quiet) if not is_quiet), len(quiet)]
    began, ended = max(pairwise(ends), key=lambda pair: pair[1] - pair[0])
    return (began + 1) / 20, ended / 20


def tones(heard: Listener) -> list[float]:
    """Which of our two tones was heard, in order."""
    step = 800
    found: list[float] = []
    for at in range(0, len(heard.samples) - step, step):
        window = heard.samples[at : at + step]
        for hertz in (PAUSED_HZ, RECORDED_HZ):
            if loudness(window, hertz) > 0.05 and found[-1:] != [hertz]:
                found.append(hertz)
    return found


async def presses(exchange: Exchange, caller: str, keys: str, between: float, ear: object) -> Row:
    """A call whose caller sends a tone; who answers presses keys, and hangs up some seconds after the last."""
    line = line_presses(keys, after=2.0, tone=ear, between=between, hangs_up=True)  # type: ignore[arg-type]
    await exchange.line("main", line)
    try:
        return await exchange.call(caller_listens(Invite(DID, caller), exchange.tone(CALLER_HZ)))
    finally:
        await exchange.line("main", LINES["main"]())


async def test_paused_and_resumed(exchange: Exchange, caller: str) -> None:
    async with listener() as (phone_hears, ear):
        row = await presses(exchange, caller, "*7 *7", 0.3, ear)
    assert row["outcome"] == "answered"
    (pause,) = await pauses(exchange, row)
    recording, samples, rate = await finished(exchange.installation, row)
    # Silence stands for what was said: the recording is as long as the talk.
    assert recording["seconds"] == pytest.approx(row["talk_seconds"], abs=1.0)
    assert pause["ended"] - pause["began"] == pytest.approx(3.6, abs=1.5)
    before, after = silence(samples, rate)
    assert after - before == pytest.approx(pause["ended"] - pause["began"], abs=1.0)
    # On a busy machine sound comes late into the recorder; what is said of the pause comes by the clock.
    assert before == pytest.approx(pause["began"], abs=2.0)
    assert hears(samples, rate, 0, CALLER_HZ, 0.3, before - 0.2)
    assert hears(samples, rate, 0, CALLER_HZ, after + 0.2, recording["seconds"] - 0.3)
    assert tones(phone_hears) == [PAUSED_HZ, RECORDED_HZ]


async def test_without_a_gateway_recording_ends(exchange: Exchange, caller: str) -> None:
    """Nobody can pause it; then nothing more is recorded than what there is."""
    there = exchange.installation
    async with listener() as (phone_hears, ear):
        before = await there.newest()
        line = line_presses("*7", after=6.0, tone=ear, hangs_up=True)
        await exchange.line("main", line)
        try:
            sipp = await exchange.place(caller_listens(Invite(DID, caller), exchange.tone(CALLER_HZ)))
            await eventually(lambda: is_talking(exchange))
            await there.gateway.kill()
            await sipp.done()
        finally:
            await exchange.line("main", LINES["main"]())
            await there.gateway.start()
    row = await there.ended_one(before, 30)
    (pause,) = await pauses(exchange, row)
    assert pause["ended"] is None
    recording, _, _ = await finished(there, row)
    assert recording["seconds"] == pytest.approx(pause["began"], abs=1.5)
    assert recording["seconds"] < row["talk_seconds"] - 1.5
    assert tones(phone_hears) == [PAUSED_HZ]


async def is_talking(exchange: Exchange) -> bool:
    return "2 active channels" in await exchange.installation.pbx.cli("core show channels")


async def test_the_caller_presses_it_in_vain(exchange: Exchange, caller: str) -> None:
    keys = [*press(Invite(DID, caller), "*", 1.0), *press(Invite(DID, caller), "7", 0.2, cseq=3)]
    await exchange.line("main", line_answers(hangs_up_after=5.0))
    try:
        row = await exchange.call(caller_listens(Invite(DID, caller), exchange.tone(CALLER_HZ), keys))
    finally:
        await exchange.line("main", LINES["main"]())
    assert await pauses(exchange, row) == []
    recording, samples, rate = await finished(exchange.installation, row)
    assert hears(samples, rate, 0, CALLER_HZ, 0.3, recording["seconds"] - 0.3)


async def test_a_paused_recording_stays_so_when_it_is_begun_anew(exchange: Exchange, caller: str) -> None:
    """As it is when a transfer brings another voice (gateway.asterisk.recorder)."""
    there = exchange.installation
    before = await there.newest()
    await exchange.line("main", line_presses("*7", after=1.0, hangs_up=True, long=8.0))
    try:
        sipp = await exchange.place(caller_listens(Invite(DID, caller), exchange.tone(CALLER_HZ)))
        await eventually(lambda: is_paused(exchange), 20)
        link = await AmiLink.connect(
            "127.0.0.1", there.pbx.ami_port, "numberpool-store", "s-store", lambda _: None, None
        )
        try:
            channel = await trunk_channel(exchange)
            key = await variable(link, channel, "NP_KEY")
            assert await record_anew(link, channel, key, there.spool / "recordings")
        finally:
            link.close()
        await sipp.done()
    finally:
        await exchange.line("main", LINES["main"]())
    row = await there.ended_one(before, 30)
    (pause,) = await pauses(exchange, row)
    recording, samples, rate = await finished(there, row)
    assert pause["ended"] is None
    began, ended = silence(samples, rate)
    assert ended == pytest.approx(recording["seconds"], abs=0.3)
    assert ended - began > 4


async def trunk_channel(exchange: Exchange) -> str:
    listed = (await exchange.installation.pbx.cli("core show channels concise")).splitlines()
    return next((row.split("!")[0] for row in listed if row.startswith("PJSIP/trunk-")), "")


async def is_paused(exchange: Exchange) -> bool:
    channel = await trunk_channel(exchange)
    shown = await exchange.installation.pbx.cli(f"core show channel {channel}") if channel else ""
    return "NP_PAUSED=1" in shown
