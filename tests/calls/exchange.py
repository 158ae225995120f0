"""Callers and business lines around one installation."""

from collections.abc import Callable
from pathlib import Path

from tests.calls.scenarios import (
    Invite,
    Tone,
    caller_talks,
    line_answers,
    line_answers_a_cancel,
    line_refuses,
    line_rings,
)
from tests.calls.sipp import Sipp, make_tone
from tests.installation import TRUNK, Installation, Row

# What a line does whose name says it; main answers.
LINES: dict[str, Callable[[], str]] = {
    "main": line_answers,
    "second": line_answers,
    "hangs-up": lambda: line_answers(hangs_up_after=0.3),
    "busy": lambda: line_refuses("486 Busy Here"),
    "forbidden": lambda: line_refuses("403 Forbidden"),
    "declines": lambda: line_refuses("603 Decline"),
    "unavailable": lambda: line_refuses("503 Service Unavailable"),
    "rings": line_rings,
    "crosses": line_answers_a_cancel,
}


class Exchange:
    """Places calls; a line is there from the first time it is wanted until the end."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._lines: dict[str, Sipp] = {}
        self._callers: list[Sipp] = []

    async def line(self, name: str, xml: str | None = None) -> Sipp:
        """The line's SIPp, started if need be; with ``xml``, it plays that from now on."""
        running = self._lines.get(name)
        if running is not None and xml is None:
            return running
        if running is not None:
            await running.stop()
        sipp = Sipp(
            self.installation.home,
            self._folder,
            xml or LINES[name](),
            port=self.installation.ports[name],
            key=name,
        )
        await sipp.start()
        self._lines[name] = sipp
        return sipp

    async def place(self, xml: str, *lines: str, address: str = TRUNK, calls: int = 1, rate: float = 20) -> Sipp:
        """Start calls; the ``lines`` are there before."""
        for name in lines:
            await self.line(name)
        pbx = self.installation.pbx
        sipp = Sipp(
            self.installation.home,
            self._folder,
            xml,
            (pbx.address, pbx.sip_port),
            address=address,
            calls=calls,
            rate=rate,
            key="caller",
        )
        self._callers.append(sipp)
        await sipp.start()
        return sipp

    async def call(self, xml: str, *lines: str, address: str = TRUNK) -> Row:
        """Place one call that goes as ``xml`` says; its row in the log, once it has ended."""
        before = await self.installation.newest()
        sipp = await self.place(xml, *lines, address=address)
        await sipp.done()
        return await self.installation.ended_one(before)

    async def talk(self, invite: Invite, address: str = TRUNK) -> Row:
        """A short answered call on the main line; its row."""
        return await self.call(caller_talks(invite, 0.05), "main", address=address)

    def tone(self, hertz: float) -> Tone:
        """A tone to be sent in a call."""
        return make_tone(self.installation.folder, hertz)

    @property
    def _folder(self) -> Path:
        return self.installation.folder / "sipp"

    async def hush(self) -> None:
        """End what a failed test left behind, so that the next one finds no calls but its own."""
        left = [sipp for sipp in self._callers if sipp.runs]
        self._callers.clear()
        if left:
            for sipp in left:
                await sipp.stop()
            await self.installation.pbx.cli("channel request hangup all")
            await self.installation.wait_quiet()

    async def stop(self) -> None:
        """End all lines."""
        for sipp in self._lines.values():
            await sipp.stop()
