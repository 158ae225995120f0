"""One end of a call's audio that is no telephone: it says a tone from one port, and keeps what comes to it."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import numpy as np

from tests.calls.sipp import RATE, Listener, ulaw

_PACKET = 160  # samples: 20 ms of G.711


class Talker(Listener):
    """Speaks and hears u-law; ``port`` is where it does."""

    def __init__(self) -> None:
        super().__init__()
        self._transport: asyncio.DatagramTransport | None = None
        self.packets: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.packets.append(data)
        super().datagram_received(data, addr)

    @property
    def port(self) -> int:
        """The port that it speaks from and listens on."""
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    async def speak(self, to: tuple[str, int], hertz: float) -> None:
        """Say a tone to ``to`` until cancelled, a packet every 20 ms (RFC 3550)."""
        assert self._transport is not None
        at = np.arange(RATE) / RATE
        tone = ulaw((8000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)).tobytes()
        loop = asyncio.get_running_loop()
        began = loop.time()
        number = 0
        while True:
            head = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * _PACKET, 0x4E50)
            start = number * _PACKET % len(tone)
            self._transport.sendto(head + tone[start : start + _PACKET], to)
            number += 1
            await asyncio.sleep(max(0.0, began + number * _PACKET / RATE - loop.time()))

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        """Send one packet of anything; what comes back is in ``packets``."""
        assert self._transport is not None
        self._transport.sendto(data, to)


@asynccontextmanager
async def talker(address: str = "127.0.0.1") -> AsyncIterator[Talker]:
    """Somebody with a port of their own, until the block ends."""
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Talker, local_addr=(address, 0))
    try:
        yield protocol
    finally:
        transport.close()


@asynccontextmanager
async def speaking(who: Talker, to: tuple[str, int], hertz: float) -> AsyncIterator[None]:
    """``who`` says a tone while the block runs."""
    task = asyncio.create_task(who.speak(to, hertz))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
