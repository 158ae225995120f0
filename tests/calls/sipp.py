"""Runs SIPp: one call or many, and the lines that are called."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway.local.processes import ends_with_us, free_port
from gateway.local.programs import AsteriskHome
from tests.calls.scenarios import Ear, Tone

# Longer than any scenario here: SIPp then ends itself, and its call counts as failed.
LONGEST_SECONDS = 40
RATE = 8000
_numbers = itertools.count(1)


class SippFailed(AssertionError):
    """A call did not go as its scenario says; the message holds SIPp's own words."""


class Sipp:
    """One SIPp process playing ``xml``: towards ``remote`` if it is given, else waiting for calls."""

    def __init__(
        self,
        home: AsteriskHome,
        folder: Path,
        xml: str,
        remote: tuple[str, int] | None = None,
        *,
        address: str = "127.0.0.1",
        port: int | None = None,
        calls: int | None = None,
        rate: float = 20,
        key: str = "call",
    ) -> None:
        self.port = port or free_port(address, socket.SOCK_DGRAM)
        self._folder = folder / f"sipp-{next(_numbers)}-{key}"
        self._folder.mkdir(parents=True)
        (self._folder / "scenario.xml").write_text(xml)
        media = free_port(address, socket.SOCK_DGRAM) & ~1
        arguments: list[str | Path] = [
            *([f"{remote[0]}:{remote[1]}"] if remote else []),
            *("-sf", self._folder / "scenario.xml", "-i", address, "-bind_local", "-p", str(self.port), "-mi", address),
            *("-min_rtp_port", str(media), "-max_rtp_port", str(min(media + 400, 65534)), "-nostdin", "-skip_rlimit"),
            *("-trace_err", "-error_file", self._folder / "errors", "-trace_msg"),
            *("-message_file", self._folder / "messages", "-r", str(rate), "-cid_str", f"%u-%p-{key}@%s"),
            *(["-m", str(calls), "-timeout", str(LONGEST_SECONDS), "-timeout_error"] if calls else []),
        ]
        self._command = [*ends_with_us(), *home.sipp.command(*arguments)]
        self._environment = {**home.sipp.full_environment(), "TERM": "dumb"}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; one that waits for calls listens when this returns."""
        with (self._folder / "output").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
            )
        async with asyncio.timeout(10):
            while self._process.returncode is None and not _listens(self.port):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.005)

    async def done(self) -> None:
        """Wait until all calls are over. Raises SippFailed unless every one went as the scenario says."""
        assert self._process is not None
        code = await self._process.wait()
        if code != 0:
            raise SippFailed(f"SIPp ended with {code}\n{self.errors}\n{self.messages[-4000:]}")

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process is not None and self._process.returncode is None

    async def stop(self) -> None:
        """End it, calls or no calls."""
        if self._process is not None and self.runs:
            self._process.kill()
            await self._process.wait()

    @property
    def messages(self) -> str:
        """Every SIP message that it sent and received."""
        return _text(self._folder / "messages")

    @property
    def errors(self) -> str:
        """What went otherwise than the scenario says."""
        return _text(self._folder / "errors") or _text(self._folder / "output")[-2000:]


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


def _listens(port: int) -> bool:
    # A UDP socket answers nothing; the kernel's table tells.
    wanted = f":{port:04X}"
    return any(line.split()[1].endswith(wanted) for line in Path("/proc/net/udp").read_text().splitlines()[1:])


def make_tone(folder: Path, hertz: float, seconds: float = 1.0, level: float = 0.25) -> Tone:
    """A tone that can be repeated without a seam (a whole number of periods a second), as u-law samples."""
    at = np.arange(int(RATE * seconds)) / RATE
    file = folder / f"tone-{hertz:g}.ul"
    file.write_bytes(ulaw((level * 32767 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)).tobytes())
    return Tone(file)


def ulaw(samples: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """16-bit samples as G.711 u-law."""
    biased = np.minimum(np.abs(samples.astype(np.int32)), 32635) + 132
    sign = np.where(samples < 0, 0x80, 0)
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = (biased >> (exponent + 3)) & 0x0F
    coded: npt.NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return coded


def make_sound(folder: Path, name: str, hertz: float, seconds: float) -> str:
    """A sound file for Asterisk; its name without the ending, as a whisper or an announcement has it."""
    at = np.arange(int(RATE * seconds)) / RATE
    (folder / f"{name}.sln").write_bytes((8000 * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes())
    return str(folder / name)


class Listener(asyncio.DatagramProtocol):
    """Hears what is sent to one side of a call."""

    def __init__(self) -> None:
        self._payloads: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        # RTP without extensions and contributors, payload 0 (RFC 3550, 5.1).
        if len(data) > 12 and data[0] == 0x80 and data[1] & 0x7F == 0:
            self._payloads.append(data[12:])

    @property
    def samples(self) -> npt.NDArray[np.int16]:
        """All that was heard, 8000 samples a second."""
        table = np.zeros(256, np.int16)
        levels = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
        codes = ulaw(levels)
        table[codes[::-1]] = levels[::-1]
        return table[np.frombuffer(b"".join(self._payloads), np.uint8)]

    def loudness(self, hertz: float) -> float:
        """How loud a tone was over all that was heard, 1 being a full-scale tone throughout."""
        return loudness(self.samples, hertz)


def loudness(samples: npt.NDArray[np.int16], hertz: float, rate: int = RATE) -> float:
    """The amplitude of the tone ``hertz`` in ``samples``, 1 being full scale."""
    if not len(samples):
        return 0.0
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / rate)
    return float(2 * np.abs(np.mean(samples / 32768 * turns)))


@asynccontextmanager
async def listener(address: str = "127.0.0.1") -> AsyncIterator[tuple[Listener, Ear]]:
    """Somebody who listens, and the ear that a scenario offers for it."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Listener, local_addr=(address, 0))
    try:
        yield protocol, Ear(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
