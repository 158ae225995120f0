"""Programs that run beside us and end with us.

Only processes that we started are ever touched, by their id: a process file holds the id together
with the start time that the kernel gave it, so that a number used again by another process is
not taken for ours.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

# sun_path of a unix socket is 108 bytes with its closing zero (unix(7)).
_SOCKET_PATH_BYTES = 107


def started_at(pid: int) -> int | None:
    """The kernel's start time of a process, in ticks since boot; None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name in parentheses may hold anything; the fields are counted from its end. A zombie
    # has ended already.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


class ProcessFile:
    """Remembers one process across our own death."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, pid: int) -> None:
        """Remember this process."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(f"{pid} {started_at(pid)}\n")

    def read(self) -> int | None:
        """The remembered process, if that very one still lives."""
        try:
            pid, started = map(int, self.path.read_text().split())
        except (OSError, ValueError):
            return None
        return pid if started_at(pid) == started else None

    def forget(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)

    def end(self, grace: float = 2.0) -> bool:
        """End the remembered process if it lives, by force after `grace` seconds."""
        pid = self.read()
        if pid is not None:
            for number in (signal.SIGCONT, signal.SIGTERM):
                _signal(pid, number)
            deadline = time.monotonic() + grace
            while self.read() is not None and time.monotonic() < deadline:
                time.sleep(0.02)
            if self.read() is not None:
                _signal(pid, signal.SIGKILL)
                while self.read() is not None:
                    time.sleep(0.02)
        self.forget()
        return pid is not None


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Breakable(ABC):
    """A process of ours that can be made to fail in the ways that processes fail."""

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """The id of the process while it runs."""

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self._send(signal.SIGKILL)

    def suspend(self) -> None:
        """Let it hang (SIGSTOP)."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> list[int]:
        """Send it to the process and its children, which may serve its connections; which those were."""
        pid = self.pid
        if pid is None:
            return []
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:  # it has just ended
            children = []
        family = [pid, *map(int, children)]
        for each in family:
            _signal(each, number)
        return family


def ends_with_us() -> list[str]:
    """What stands before a command so that the kernel ends it when we die, however we die."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


async def spawn(
    command: Sequence[str], output: Path, environment: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start a program that ends with us; what it prints is added to the file `output`.

    It gets a session of its own, so that Ctrl-C reaches us alone and we end it in order.
    """
    with output.open("ab") as file:
        return await asyncio.create_subprocess_exec(
            *ends_with_us(),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=dict(environment) if environment is not None else None,
            start_new_session=True,
        )


def run_folder(folder: Path, longest_name: str) -> Path:
    """A folder for sockets: `folder`, or a short one where that path would be too long."""
    if len(os.fsencode(folder / longest_name)) <= _SOCKET_PATH_BYTES:
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    for base in (tempfile.gettempdir(), "/tmp"):
        if len(base) + len("/np-xxxxxxxx/") + len(longest_name) <= _SOCKET_PATH_BYTES:
            return Path(tempfile.mkdtemp(prefix="np-", dir=base))
    raise OSError(f"{tempfile.gettempdir()} is too deep a folder for a unix socket")


def free_port(address: str = "127.0.0.1", kind: int = socket.SOCK_STREAM) -> int:
    """A port that nobody uses at this address now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
