"""What systemd hears of the gateway: a real socket, and the gateway's own process."""

import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.health import Condition, Health
from gateway.local.processes import spawn
from gateway.machine.notify import START_SECONDS, Systemd, sentence
from tests.installation import Gateway
from tests.stack import PROJECT, eventually

WATCHDOG_SECONDS = 1.0

TOML = """
data_folder = "{folder}/data"
[log]
json_lines = true
[pages]
port = 0
[postgres]
dsn = "{dsn}"
[[nodes]]
name = "pbx"
port = 1
secret = "a"
store_secret = "b"
spool = "{folder}/spool"
"""

# The gateway as it is, and a signal that blocks its event loop as a fault in a part of it would.
HANGS = """
import asyncio, signal, sys, time
from pathlib import Path
from gateway.app import run
from gateway.settings import load_settings

async def main() -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, time.sleep, 3600)
    await run(load_settings(Path(sys.argv[1])))

asyncio.run(main())
"""


class Listening:
    """The end of the socket where systemd listens."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.heard: list[tuple[float, str]] = []

    def listen(self) -> list[str]:
        """All lines so far."""
        while True:
            try:
                datagram = self.socket.recv(65536)
            except BlockingIOError:
                return [line for _, line in self.heard]
            self.heard += [(time.monotonic(), line) for line in datagram.decode().splitlines()]

    def count(self, line: str) -> int:
        return self.listen().count(line)

    async def wait_for(self, line: str, times: int = 1, seconds: float = 30) -> None:
        async def is_heard() -> bool:
            return self.count(line) >= times

        await eventually(is_heard, seconds)

    async def wait_status(self, part: str, seconds: float = 30) -> None:
        async def is_heard() -> bool:
            return any(line.startswith("STATUS=") and part in line for line in self.listen())

        await eventually(is_heard, seconds)


@pytest.fixture
def systemd(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    address = str(short_path / "notify")
    listening = Listening(address)
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG_SECONDS * 1e6)))
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    yield listening
    listening.socket.close()


@asynccontextmanager
async def _gateway(folder: Path, dsn: str) -> AsyncIterator[Gateway]:
    gateway = Gateway(folder / "gateway", TOML.format(folder=folder, dsn=dsn))
    await gateway.start(ready=False)
    try:
        yield gateway
    finally:
        await gateway.stop()


def test_without_systemd_nothing_is_told() -> None:
    assert Systemd.from_environment({}) == Systemd(None, None)
    assert not Systemd(None, None).tell("READY=1")


def test_what_systemd_hands_over_does_not_reach_child_processes() -> None:
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    assert Systemd.from_environment(environment) == Systemd("/run/x", 20.0)
    assert environment == {"A": "b"}


@pytest.mark.parametrize(
    ("watchdog", "seconds"),
    [
        ({"WATCHDOG_USEC": "1500000"}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"}, None),  # meant for somebody else
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_ours_only_when_it_is_meant_for_us(watchdog: dict[str, str], seconds: float | None) -> None:
    assert Systemd.from_environment({"NOTIFY_SOCKET": "/run/x", **watchdog}).watchdog_seconds == seconds


def test_an_abstract_socket_is_told(short_path: Path) -> None:
    listening = Listening(f"\0{short_path}")
    assert Systemd(f"@{short_path}", None).tell("READY=1", "STATUS=Ω")
    assert listening.listen() == ["READY=1", "STATUS=Ω"]
    listening.socket.close()


def test_a_socket_that_is_gone_harms_nobody(short_path: Path) -> None:
    assert not Systemd(str(short_path / "none"), None).tell("READY=1")


def test_a_socket_that_nobody_reads_is_not_waited_for(short_path: Path) -> None:
    listening = Listening(str(short_path / "full"))
    systemd = Systemd(str(short_path / "full"), None)
    assert not all(systemd.tell("STATUS=" + "x" * 1000) for _ in range(10_000))
    listening.socket.close()


def test_the_sentence_says_the_worst_first_in_one_line() -> None:
    health = Health()
    assert sentence(health) == "All is well."
    health.tell("asterisk:pbx", Condition.TROUBLED, "Cannot be reached.")
    health.tell("calls", Condition.NEEDS_PERSON, "There is no company yet;\nmake one.")
    health.tell("pages", Condition.OK, "Pages are served.")
    assert sentence(health) == "calls: There is no company yet; make one. asterisk:pbx: Cannot be reached."
    health.tell("calls", Condition.NEEDS_PERSON, "long " * 200)
    assert len(sentence(health)) <= 300


async def test_the_gateway_is_ready_alive_and_stops(short_path: Path, database_dsn: str, systemd: Listening) -> None:
    """Ready without an Asterisk: it waits for that one, and says so."""
    async with _gateway(short_path, database_dsn) as gateway:
        await systemd.wait_for("READY=1")
        await gateway.wait_health("pages", "ok")
        await systemd.wait_for("WATCHDOG=1", 4)
        await systemd.wait_status("asterisk:pbx")
    assert systemd.count("READY=1") == 1
    assert systemd.count("STOPPING=1") == 1
    lines = systemd.listen()
    assert lines.index("READY=1") < lines.index("STOPPING=1")


async def test_a_process_that_hangs_feeds_no_watchdog(short_path: Path, database_dsn: str, systemd: Listening) -> None:
    async with _gateway(short_path, database_dsn) as gateway:
        await systemd.wait_for("WATCHDOG=1")
        gateway.suspend()
        await _falls_silent(systemd)
        fed = systemd.count("WATCHDOG=1")
        gateway.resume()
        await systemd.wait_for("WATCHDOG=1", fed + 1)


async def test_an_event_loop_that_hangs_feeds_no_watchdog(
    short_path: Path, database_dsn: str, systemd: Listening
) -> None:
    config = short_path / "numberpool.toml"
    config.write_text(TOML.format(folder=short_path, dsn=database_dsn))
    command = [sys.executable, "-c", HANGS, str(config)]
    process = await spawn(command, short_path / "log", {**os.environ, "PYTHONPATH": str(PROJECT)})
    try:
        await systemd.wait_for("READY=1")
        await systemd.wait_for("WATCHDOG=1")
        process.send_signal(signal.SIGUSR1)
        await _falls_silent(systemd)
        assert process.returncode is None, (short_path / "log").read_text()
    finally:
        process.kill()
        await process.wait()


async def _falls_silent(systemd: Listening) -> None:
    """Return once nothing was heard for two whole times of the watchdog."""

    async def is_silent() -> bool:
        systemd.listen()
        return time.monotonic() - systemd.heard[-1][0] > 2 * WATCHDOG_SECONDS

    await eventually(is_silent, 30)


async def test_it_is_ready_while_it_waits_for_postgres(short_path: Path, systemd: Listening) -> None:
    """Whoever waits for the service is not kept waiting, and systemd does not start it again and again."""
    began = time.monotonic()
    async with _gateway(short_path, "postgresql://nobody@127.0.0.1:1/none"):
        await systemd.wait_for("WATCHDOG=1")
        await systemd.wait_for("READY=1")
        assert time.monotonic() - began >= START_SECONDS
        await systemd.wait_status("database is not open yet")
        fed = systemd.count("WATCHDOG=1")
        await systemd.wait_for("WATCHDOG=1", fed + 2)
    assert systemd.count("STOPPING=1") == 1
