"""How trunks are, asked of a real Asterisk by the gateway, and written down for the pages."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg

from gateway.local.processes import free_port
from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.installation import Installation, Number
from tests.stack import eventually

DID = "+13065552001"
# The gateway looks every twenty seconds, and writes every fifteen.
SECONDS = 90
PORT = free_port("127.0.0.1")
_TRUNKS = f"""
[watched]
type=endpoint
context=elsewhere
transport=udp
disallow=all
allow=ulaw
aors=watched
[watched]
type=aor
contact=sip:127.0.0.1:{PORT}
qualify_frequency=1
qualify_timeout=0.3
[signed-up]
type=endpoint
context=elsewhere
transport=udp
disallow=all
allow=ulaw
[signed-up]
type=registration
server_uri=sip:127.0.0.1:{PORT}
client_uri=sip:acme@127.0.0.1:{PORT}
transport=udp
line=yes
endpoint=signed-up
retry_interval=1
"""


class _Living(asyncio.DatagramProtocol):
    """A carrier that says that it lives, and lets nobody register."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        asked = data.decode(errors="replace").split("\r\n")
        status = "200 OK" if asked[0].startswith("OPTIONS") else "503 Service Unavailable"
        kept = [line for line in asked if line.startswith(("Via:", "From:", "To:", "Call-ID:", "CSeq:"))]
        answer = [f"SIP/2.0 {status}", *kept, "Content-Length: 0", "", ""]
        self.transport.sendto("\r\n".join(answer).encode(), address)


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [Number(DID, ("PJSIP/reception@main",))]
    trunks = [{"name": name} for name in ("watched", "signed-up", "main")]
    return Installation(home, folder, dsn, numbers, ("main",), {"pjsip.conf": _TRUNKS}, trunks=trunks)


async def test_a_trunk_that_does_not_answer_is_told_of_until_it_does(
    exchange: Exchange, module_database_dsn: str
) -> None:
    connection = await asyncpg.connect(module_database_dsn)
    try:

        async def down() -> dict[str, str]:
            row = await connection.fetchrow("SELECT is_linked, trunks FROM node_states")
            if row is None or not row["is_linked"]:
                return {"": "not linked"}
            return {name: each["state"] for name, each in json.loads(row["trunks"]).items()}

        async def both_are_down() -> bool:
            return await down() == {"watched": "unreachable", "signed-up": "unregistered"}

        await eventually(both_are_down, SECONDS)
        since = await connection.fetchval("SELECT trunks->'watched'->>'since' FROM node_states")

        loop = asyncio.get_running_loop()
        carrier, _ = await loop.create_datagram_endpoint(_Living, local_addr=("127.0.0.1", PORT))
        try:

            async def one_is_up() -> bool:
                return await down() == {"signed-up": "unregistered"}

            await eventually(one_is_up, SECONDS)
        finally:
            carrier.close()

        async def is_down_anew() -> bool:
            again = await connection.fetchval("SELECT trunks->'watched'->>'since' FROM node_states")
            return again is not None and again > since

        await eventually(is_down_anew, SECONDS)
    finally:
        await connection.close()
