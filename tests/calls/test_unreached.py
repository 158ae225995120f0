"""A destination that cannot be reached loses no call: the default line rings."""

from pathlib import Path

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.scenarios import Invite, caller_refused, caller_talks
from tests.installation import Installation, Number

# Nobody listens at the port of "gone", as behind a firewall that says nothing.
GONE, RINGS = "+13065552001", "+13065552002"


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [Number(GONE, ("gone",), ring_seconds=5), Number(RINGS, ("rings",), ring_seconds=5)]
    return Installation(home, folder, dsn, numbers, (*LINES, "gone"))


async def test_a_host_that_is_gone(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_talks(Invite(GONE, caller), 0.1), "main")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")
    legs = await exchange.installation.legs(row)
    assert [(leg["dial"], leg["result"]) for leg in legs] == [("PJSIP/gone", "failed"), ("PJSIP/main", "answered")]


async def test_a_phone_that_rang_was_reached(exchange: Exchange, caller: str) -> None:
    """Nobody came to it; that is an answer of a kind, and no other line is disturbed."""
    row = await exchange.call(caller_refused(Invite(RINGS, caller), 480), "rings")
    assert row["outcome"] == "no_answer"
    assert len(await exchange.installation.legs(row)) == 1
