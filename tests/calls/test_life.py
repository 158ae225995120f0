"""The life of a call, on real SIP: how it ends, who ended it, how long it took, and which lines it tried."""

from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.scenarios import Invite, caller_listens, caller_refused, caller_talks
from tests.installation import Installation, Number

NUMBERS = {
    "main": Number("+13065552001"),
    "hangs-up": Number("+13065552002", ("hangs-up",)),
    "busy": Number("+13065552003", ("busy",)),
}


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(home, folder, dsn, list(NUMBERS.values()), tuple(LINES))


async def test_answered_and_the_caller_hangs_up(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_talks(Invite(NUMBERS["main"].e164, caller), 0.5), "main")
    assert (row["outcome"], row["hung_up_by"], row["decided_by"]) == ("answered", "caller", "gateway")
    assert (row["did"], row["caller"], row["source_id"], row["trunk"]) == ("+13065552001", caller, 1, "trunk")
    assert row["answered_by"] == "PJSIP/main"
    assert row["talk_seconds"] == pytest.approx(0.5, abs=0.15)
    assert row["ring_seconds"] == pytest.approx(0.05, abs=0.1)
    (leg,) = await exchange.installation.legs(row)
    assert (leg["dial"], leg["result"], leg["answered_by"]) == ("PJSIP/main", "answered", "PJSIP/main")


async def test_answered_and_the_business_hangs_up(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_listens(Invite(NUMBERS["hangs-up"].e164, caller)), "hangs-up")
    assert (row["outcome"], row["hung_up_by"], row["answered_by"]) == ("answered", "business", "PJSIP/hangs-up")
    assert row["talk_seconds"] == pytest.approx(0.3, abs=0.15)


async def test_busy(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_refused(Invite(NUMBERS["busy"].e164, caller), 486), "busy")
    assert (row["outcome"], row["hangup_cause"], row["answered_at"]) == ("busy", 17, None)
