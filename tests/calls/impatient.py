"""A caller who hangs up at an exact moment, whatever has come by then: SIPp's scenarios cannot take either of two
messages at the very moment at which they send one.
"""

import asyncio
import secrets
from typing import Self, cast

from tests.calls.scenarios import SDP_TEXT


class ImpatientCaller(asyncio.DatagramProtocol):
    """Calls, and sends CANCEL ``patience`` seconds after the first ring unless the call was answered before."""

    def __init__(self, did: str, caller: str, remote: tuple[str, int], patience: float) -> None:
        self._did, self._caller, self._remote, self._patience = did, caller, remote, patience
        self._id = secrets.token_hex(8)
        self._gave_up = False
        self._to = f"<sip:{did}@{remote[0]}>"
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.told: int | None = None  # the final answer to the INVITE

    @classmethod
    async def call(cls, did: str, caller: str, remote: tuple[str, int], patience: float) -> Self:
        """The whole call. Raises TimeoutError where Asterisk leaves something unanswered."""
        loop = asyncio.get_running_loop()
        transport, self = await loop.create_datagram_endpoint(
            lambda: cls(did, caller, remote, patience), local_addr=("127.0.0.1", 0)
        )
        try:
            async with asyncio.timeout(20):
                await self.over
        finally:
            transport.close()
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._port: int = transport.get_extra_info("sockname")[1]
        self._send("INVITE", 1, SDP_TEXT.format(port=self._port + 1).replace("[media_ip]", "127.0.0.1"))

    def _send(self, method: str, cseq: int, body: str = "", branch: str = "1") -> None:
        lines = [
            f"{method} sip:{self._did}@{self._remote[0]} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK-{self._id}-{branch}",
            f"From: <sip:{self._caller}@127.0.0.1>;tag={self._id}",
            f"To: {self._to}",
            f"Call-ID: {self._id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:caller@127.0.0.1:{self._port}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._transport.sendto("\r\n".join([*lines, "", body]).encode(), self._remote)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        head = data.decode(errors="replace").partition("\r\n\r\n")[0].split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        code, method = int(head[0].split()[1]), fields["cseq"].split()[1]
        if method == "INVITE" and code == 180 and not self._gave_up:
            asyncio.get_running_loop().call_later(self._patience, self._give_up)
        elif method == "INVITE" and 200 <= code < 300:
            self.told, self._to = code, fields["to"]
            self._send("ACK", 1, branch="ack")
            self._send("BYE", 2, branch="bye")
        elif method == "INVITE" and code >= 300:
            self.told, self._to = code, fields["to"]
            self._send("ACK", 1)
            self._finish()
        elif method == "BYE":
            self._finish()

    def _give_up(self) -> None:
        if self.told is None and not self.over.done():
            self._gave_up = True
            self._send("CANCEL", 1)

    def _finish(self) -> None:
        if not self.over.done():
            self.over.set_result(None)
