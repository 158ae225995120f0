"""The longest there is: headers, names, chains of destinations, conversations. Every call's record comes in whole."""

import asyncio
from pathlib import Path

import pytest

from gateway.calls.turns import MOST_TURNS, Turn, encode_turn
from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.scenarios import Invite, caller_talks
from tests.installation import Installation, Number
from tests.stack import eventually

DID, CHAIN, NOT_HERE = "+13065552001", "+13065552002", "+13065559876"
# As many attempts as a route has room for: each is refused at once, and tried again with another number.
TRUNKS = [f"t{number}" for number in range(4)]


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    chain = (*(f"Trunk/{NOT_HERE}{number}" for number in range(7)), "main")
    return Installation(
        home,
        folder,
        dsn,
        [Number(DID), Number(CHAIN, chain)],
        (*LINES, *TRUNKS),
        company={"main_number": "+13065550000"},
        trunks=[{"name": name, "shows": "caller"} for name in TRUNKS],
    )


DIGITS = "1" * 3900
TO = f"<sip:{DIGITS}@127.0.0.1>"
HEADERS = {
    "To": Invite(to=TO),
    "P-Called-Party-ID": Invite(headers=(f"P-Called-Party-ID: {TO}",)),
    "both": Invite(to=TO, headers=(f"P-Called-Party-ID: {TO}",)),
    "From": Invite(from_=f'"{"ü" * 1500}" <sip:{"#" * 500}@127.0.0.1>'),
    "request": Invite(request_user=f"{DID}{DIGITS[:60]}", to=f"<sip:{DID}@127.0.0.1>"),
}


@pytest.mark.parametrize("where", list(HEADERS))
async def test_a_long_header_takes_no_call_out_of_the_log(exchange: Exchange, where: str) -> None:
    row = await exchange.call(caller_talks(HEADERS[where], 0.05), "main")
    assert (row["outcome"], row["decided_by"], row["number_id"]) == ("answered", "gateway", 1)


async def test_very_many_attempts(exchange: Exchange, caller: str) -> None:
    for name in TRUNKS:
        await exchange.line(name, LINES["forbidden"]())
    row = await exchange.call(caller_talks(Invite(CHAIN, caller), 0.05), "main")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")
    legs = await exchange.installation.legs(row)
    assert len(legs) > 12
    assert {leg["result"] for leg in legs[:-1]} == {"failed"}
    assert (legs[-1]["dial"], legs[-1]["result"], legs[-1]["answered_by"]) == ("PJSIP/main", "answered", "PJSIP/main")


async def test_everything_at_its_longest_in_one_call(exchange: Exchange) -> None:
    """Headers, attempts and a conversation that was handed on and on."""
    there = exchange.installation
    for name in TRUNKS:
        await exchange.line(name, LINES["forbidden"]())
    before = await there.newest()
    invite = Invite(
        CHAIN,
        to=TO,
        from_=f'"{"ü" * 60}" <sip:{"#" * 79}@127.0.0.1>',
        headers=(f"P-Called-Party-ID: {TO}",),
    )
    sipp = await exchange.place(caller_talks(invite, 3), "main")

    async def talks() -> bool:
        return "PJSIP/main-" in await there.pbx.cli("core show channels concise") and " Up " in (
            await there.pbx.cli("core show channels")
        )

    await eventually(talks)
    (channel,) = {
        line.split("!")[0]
        for line in (await there.pbx.cli("core show channels concise")).splitlines()
        if line.startswith("PJSIP/trunk-")
    }
    await asyncio.sleep(1)  # what the gateway has seen itself is on the channel
    longest = Turn(f"PJSIP/{':' * 85}-0000abcd", f"{'#' * 50}@{'x' * 49}", 1.5, 2.5, 3.5)
    for number in range(1, MOST_TURNS + 1):
        await there.pbx.cli(f"dialplan set chanvar {channel} NP_TURN_{number} {encode_turn(longest)}")
    await sipp.done()
    row = await there.ended_one(before)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")
    legs = await there.legs(row)
    assert sum(leg["kind"] == "destination" for leg in legs) > 12
    assert sum(leg["kind"] == "transfer" for leg in legs) > 2
