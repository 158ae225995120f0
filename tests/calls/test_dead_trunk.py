"""A trunk that is dead: passed over at once where it is asked if it lives, else after it has had its time."""

from pathlib import Path

from gateway.local.processes import free_port
from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_talks, line_answers, line_refuses
from tests.installation import Installation, Number, Row
from tests.stack import eventually, lasts

DID = "+13065552001"
MOBILE = "+13065559876"
RING_SECONDS = 5
_WATCHED = """
[watched]
type=endpoint
context=elsewhere
transport=udp
disallow=all
allow=ulaw
aors=watched
[watched]
type=aor
contact=sip:127.0.0.1:{port}
qualify_frequency=1
qualify_timeout=0.3
"""


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    extra = {"pjsip.conf": _WATCHED.format(port=free_port("127.0.0.1"))}
    numbers = [Number(DID, (f"Trunk/{MOBILE}",), RING_SECONDS)]
    trunks = [{"name": name} for name in ("watched", "carrier-a", "silent", "carrier-b")]
    lines = ("main", "carrier-a", "silent", "carrier-b")
    return Installation(home, folder, dsn, numbers, lines, extra, trunks=trunks)


async def _tried(exchange: Exchange, row: Row) -> list[tuple[str, str]]:
    return [(leg["dial"].partition("@")[2], leg["result"]) for leg in await exchange.installation.legs(row)]


async def test_one_that_is_known_to_be_dead_costs_no_time(exchange: Exchange, caller: str) -> None:
    async def is_known() -> bool:
        return "Unavail" in await exchange.installation.pbx.cli("pjsip show contacts")

    await eventually(is_known)
    await exchange.line("carrier-a", line_answers())
    row = await exchange.call(caller_talks(Invite(DID, caller), 0.05))
    assert await _tried(exchange, row) == [("watched", "failed"), ("carrier-a", "answered")]
    assert row["ring_seconds"] < 2


async def test_one_that_says_nothing_has_the_time_of_its_destination(exchange: Exchange, caller: str) -> None:
    """Nobody listens there, and Asterisk does not know: the next is tried after it, and the call still answered."""
    await exchange.line("carrier-a", line_refuses("503 Service Unavailable"))
    await exchange.line("carrier-b", line_answers())
    row = await exchange.call(caller_talks(Invite(DID, caller), 0.05))
    tried = await _tried(exchange, row)
    assert tried[-3:] == [("carrier-a", "failed"), ("silent", "failed"), ("carrier-b", "answered")]
    assert lasts(row["ring_seconds"], RING_SECONDS)
