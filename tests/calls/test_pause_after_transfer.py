"""Whoever a call was passed on to has the recording paused as the first one had; what was paused stays so meanwhile."""

import asyncio
from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.heard import finished
from tests.calls.office import IncomingCall, Office, Phones
from tests.calls.scenarios import Invite, caller_listens
from tests.calls.test_pauses import pauses, silence
from tests.installation import Installation, Number

DID = "+13065552001"
CALLER_HZ = 600.0


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [Number(DID, ("PJSIP/101",), record=True)]
    return Office(home, folder, dsn, numbers, tuple(LINES), bound_ms=3000, dialplan_contexts=("internal",))


@pytest.mark.parametrize("who", ["101", "102"])
async def test_paused_by_either(exchange: Exchange, phones: Phones, caller: str, who: str) -> None:
    scenario = caller_listens(Invite(DID, caller), exchange.tone(CALLER_HZ))
    call = await IncomingCall.answered(exchange, scenario, phones["101"], talk=2)
    if who == "101":
        await call.line.press("*7")
        await asyncio.sleep(1)
    await call.line.transfer("102")
    line = await (await phones["102"].rings()).answer()
    if who == "102":
        await asyncio.sleep(2)
        await line.press("*7")
    await asyncio.sleep(4)
    await line.hang_up()
    row = await call.over()
    assert row["last_answered_by"] == "PJSIP/102"
    (pause,) = await pauses(exchange, row)
    assert pause["ended"] is None
    recording, samples, rate = await finished(exchange.installation, row)
    began, ended = silence(samples, rate)
    assert ended == pytest.approx(recording["seconds"], abs=0.4)
    assert ended - began > 3
    assert began == pytest.approx(pause["began"], abs=2.0)
