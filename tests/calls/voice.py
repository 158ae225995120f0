"""The sound of one call on a telephone of the tests: a tone out, whatever comes in."""

import asyncio
import itertools
import secrets
from typing import Self, cast

import numpy as np

from tests.calls.sipp import RATE, Listener, ulaw

_FRAME = 160  # 20 ms


class Voice(Listener):
    """The sound of one call: says a tone, hears what comes."""

    def __init__(self, hertz: float, counts_from: int) -> None:
        super().__init__()
        self._counts_from, self._sent, self._source = counts_from, 0, secrets.token_bytes(4)
        at = np.arange(RATE) / RATE
        self._tone = ulaw((0.25 * 32767 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)).tobytes()
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    @classmethod
    async def open(cls, address: str, hertz: float, counts_from: int) -> Self:
        """A voice on a free port; ``hertz`` is a whole number, so that a second of it repeats without a seam.

        ``counts_from`` is the sequence number of its first packet (RFC 3550, 5.1).
        """
        loop = asyncio.get_running_loop()
        _, self = await loop.create_datagram_endpoint(lambda: cls(hertz, counts_from), local_addr=(address, 0))
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Where it listens."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def speak_to(self, address: str, port: int) -> None:
        """Say the tone to there, from now on."""
        self.hush()
        self._task = asyncio.create_task(self._speak((address, port)))

    def begin_anew(self, counts_from: int) -> None:
        """What is said next is a stream of its own, as many phones have it after a hold."""
        self._counts_from, self._sent, self._source = counts_from, 0, secrets.token_bytes(4)

    def hush(self) -> None:
        """Say nothing more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _speak(self, remote: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for turn in itertools.count():
            # By the clock since the start: a busy machine then sends the frames it owes, and the tone keeps its length.
            await asyncio.sleep(began + turn * _FRAME / RATE - loop.time())
            # Counted on after a hold, as phones do.
            number, at = self._sent, self._sent * _FRAME % RATE
            sequence, moment = (self._counts_from + number) & 0xFFFF, number * _FRAME & 0xFFFFFFFF
            header = b"\x80\x00" + sequence.to_bytes(2) + moment.to_bytes(4) + self._source
            self._transport.sendto(header + self._tone[at : at + _FRAME], remote)
            self._sent += 1

    def close(self) -> None:
        """Hang its socket up."""
        self.hush()
        self._transport.close()
