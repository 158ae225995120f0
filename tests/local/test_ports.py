"""Two demonstrations that start at one instant take different ports."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.local.errors import LocalError
from gateway.local.ports import Ports

FIRST = 21500
CHILD = """
import sys, socket, pathlib
from gateway.local.ports import Ports
with Ports(pathlib.Path(sys.argv[1])) as ports:
    print(*(ports.take(int(sys.argv[2]), kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM) for _ in range(2)))
    sys.stdout.flush()
    sys.stdin.readline()
"""


def test_processes_at_one_instant_take_different_ports_and_give_them_back(tmp_path: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), str(FIRST)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        taken = []
        for child in children:
            assert child.stdout
            taken.append([int(port) for port in child.stdout.readline().split()])
        for tcp, udp in zip([each[:2] for each in taken], [each[2:] for each in taken], strict=True):
            assert len({*tcp}) == len({*udp}) == 2
        assert len({port for each in taken for port in each[:2]}) == 8
        assert len({port for each in taken for port in each[2:]}) == 8
    finally:
        for child in children:
            child.kill()
            child.wait()
    deadline = time.monotonic() + 30
    while True:
        with Ports(tmp_path) as ports:
            if ports.take(FIRST, socket.SOCK_STREAM) == min(port for each in taken for port in each[:2]):
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_somebody_listens_on_is_passed_over(tmp_path: Path) -> None:
    with Ports(tmp_path) as ports, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        used = listening.getsockname()[1]
        found = ports.take(used, socket.SOCK_STREAM) if used < 65000 else used + 1
        assert found > used


def test_there_may_be_none(tmp_path: Path) -> None:
    with Ports(tmp_path) as ports, socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        listening.bind(("127.0.0.1", 65535))
        listening.listen()
        with pytest.raises(LocalError, match="no port from 65535"):
            ports.take(65535, socket.SOCK_STREAM)
