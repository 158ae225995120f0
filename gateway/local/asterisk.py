"""A private Asterisk: a folder of its own, ports of its own, ends with us.

home = programs.prepare(folder / "asterisk")
pbx = PrivateAsterisk(home, folder / "pbx", name="pbx", config={"extensions.conf": "..."})
await pbx.start()
print(await pbx.cli("core show channels"))
await pbx.stop()
"""

import asyncio
import contextlib
import random
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from gateway.local.asterisk_config import Places, base_files, write_files
from gateway.local.errors import ProcessDied
from gateway.local.processes import Breakable, ProcessFile, free_port, run_folder, spawn
from gateway.local.programs import AsteriskHome

log = structlog.get_logger(__name__)

# A loaded machine with two cores took 3 s; ten times that means that something is wrong.
BOOT_SECONDS = 30.0

# After a death the next start waits this long, then twice as long, up to the last; a run of a
# minute begins again with the first.
_BACKOFF_SECONDS = (0.1, 10.0)

# RTP ports of one Asterisk: two for each leg, so 500 legs.
_RTP_PORTS = 2000


def _free_rtp_range(address: str) -> tuple[int, int]:
    # Below the kernel's ephemeral range; Asterisk itself steps over a port that is taken.
    while True:
        first = random.randrange(10_000, 30_000, _RTP_PORTS)
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as probe:
            probe.bind((address, first))
            return first, first + _RTP_PORTS - 1


class PrivateAsterisk(Breakable):
    """One Asterisk that we run ourselves.

    `config` adds text to the files of the same name (`{"pjsip.conf": "[carrier]..."}`, also
    `#include` lines), and makes files that are not there yet. With `supervised` a process that
    dies is started anew, with backoff; set it to False before killing it on purpose. `verbose`
    above 0 writes the dialplan's steps to `log/full`.
    """

    def __init__(
        self,
        home: AsteriskHome,
        folder: Path,
        *,
        name: str,
        address: str = "127.0.0.1",
        sip_port: int | None = None,
        ami_port: int | None = None,
        config: Mapping[str, str] | None = None,
        supervised: bool = True,
        verbose: int = 0,
    ) -> None:
        folder = folder.absolute()
        self.home = home
        self.name = name
        self.folder = folder
        self.supervised = supervised
        self.verbose = verbose
        self.config: dict[str, str] = dict(config or {})
        self.address = address
        self.sip_port = sip_port or free_port(address, socket.SOCK_DGRAM)
        self.ami_port = ami_port or free_port()
        self.rtp_ports = _free_rtp_range(address)
        self.starts = 0
        self._run = run_folder(folder / "run", "asterisk.ctl")
        self._process: asyncio.subprocess.Process | None = None
        self._process_file = ProcessFile(folder / "process")
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def etc(self) -> Path:
        """Its configuration files; known before the start, so that others can write there."""
        return self.folder / "etc"

    @property
    def spool(self) -> Path:
        """Its spool folder."""
        return self.folder / "spool"

    @property
    def pid(self) -> int | None:
        """The id of its process while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def log_file(self) -> Path:
        """Its notices, warnings and errors."""
        return self.folder / "log" / "messages"

    def write_config(self) -> None:
        """Write its configuration; `start` does it, a reload after a change needs it too."""
        places = Places(self.folder, self._run, self.address, self.sip_port, self.ami_port, *self.rtp_ports)
        base = base_files(self.home, places, self.name, self.verbose)
        write_files(self.etc, base, self.config)

    async def start(self) -> None:
        """Start it and wait until it has fully booted. Raises `ProcessDied` with its log."""
        if self.pid is not None:
            return
        for part in ("state/keys", "spool/outgoing", "spool/tmp", "log", "cache", "agi-bin"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self._run.mkdir(parents=True, exist_ok=True)
        # One that outlived an earlier run of ours would hold the ports.
        self._process_file.end()
        self.write_config()
        await self._spawn()
        try:
            await self._wait_booted()
        except BaseException:
            self.kill()
            raise
        if self._supervisor is None or self._supervisor.done():
            self._supervisor = asyncio.create_task(self._supervise(), name=f"{self.name} keeper")

    async def _spawn(self) -> None:
        (self._run / "asterisk.ctl").unlink(missing_ok=True)
        command = self.home.asterisk.command("-f", "-C", self.etc / "asterisk.conf")
        self._process = await spawn(command, self.folder / "log" / "console", self.home.asterisk.full_environment())
        self._process_file.write(self._process.pid)
        self.starts += 1

    async def _wait_booted(self, may_die: bool = False) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if self.pid is None and not may_die:
                raise ProcessDied(f"the private Asterisk {self.name} ended at once:\n{self._tail()}")
            with contextlib.suppress(OSError):
                # Answers only when every module is loaded; Asterisk's own commands come a moment after.
                answer = await self.cli("core waitfullybooted", deadline - time.monotonic())
                if "fully booted" in answer and "System name" in await self.cli("core show settings"):
                    return
            await asyncio.sleep(0.01)
        raise ProcessDied(f"the private Asterisk {self.name} does not get ready:\n{self._tail()}")

    def _tail(self) -> str:
        lines: list[str] = []
        for path in (self.folder / "log" / "console", self.log_file):
            if path.is_file():
                lines += path.read_text(errors="replace").splitlines()[-15:]
        return "\n".join(lines)

    async def cli(self, command: str, timeout: float = 10.0) -> str:
        """What `asterisk -rx COMMAND` prints, asked over the control socket itself.

        Raises `OSError` when it does not run, `TimeoutError` when it does not answer.
        """
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_unix_connection(sock=await self._control_socket(), limit=2**24)
            try:
                # It greets with host, process and version; this is what its own client sends.
                await reader.readline()
                writer.write(b"cli quit after " + command.encode() + b"\0")
                answer = await reader.read()
            finally:
                writer.close()
        return _plain(answer)

    async def _control_socket(self) -> socket.socket:
        # Asterisk lets two connections wait; a third is refused with EAGAIN, which asyncio takes
        # for "still connecting".
        while True:
            control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            control.setblocking(False)
            try:
                control.connect(str(self._run / "asterisk.ctl"))
            except BlockingIOError:
                control.close()
                await asyncio.sleep(0.002)
            except OSError:
                control.close()
                raise
            else:
                return control

    async def _supervise(self) -> None:
        pause, longest = _BACKOFF_SECONDS
        while True:
            process = self._process
            if process is None:
                return
            began = time.monotonic()
            code = await process.wait()
            if not self.supervised:
                return
            if time.monotonic() - began > 60:
                pause = _BACKOFF_SECONDS[0]
            log.warning("asterisk_died", name=self.name, code=code, again_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)
            await self._spawn()

    async def wait_booted(self) -> None:
        """Wait until it answers, after a resume or a death that the supervision mends."""
        await self._wait_booted(may_die=self.supervised)

    async def wait_dead(self) -> None:
        """Wait until its process has ended."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """Stop it, calls included, and take its short-lived files away."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        if self.pid is not None:
            self.resume()
            with contextlib.suppress(OSError, TimeoutError):
                await self.cli("core stop now", 2.0)
            assert self._process is not None
            try:
                async with asyncio.timeout(3.0):
                    await self._process.wait()
            except TimeoutError:
                self.kill()
                await self._process.wait()
        self._process_file.forget()
        if self._run != self.folder / "run":
            shutil.rmtree(self._run, ignore_errors=True)


def _plain(answer: bytes) -> str:
    """The answer without what a console does to it."""
    # Verbose lines for consoles carry a level byte and a marker; zero bytes end messages.
    text = answer.replace(b"\0", b"").decode(errors="replace")
    return "\n".join(line.lstrip("\x7f") for line in text.splitlines()).strip()
