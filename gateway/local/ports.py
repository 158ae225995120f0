"""Ports of this machine that demonstrations take: whoever chooses one keeps it from the others until he ends.

Between finding a port free and using it some time passes, in which another demonstration may find it free as well. So
each holds a lock for its port, which goes with its process however that ends.
"""

import contextlib
import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from gateway.local.errors import LocalError

_MOST = 200


class Ports:
    """The ports of one demonstration, held until ``with`` ends.

    with Ports() as ports:
        pages = ports.take(8080, socket.SOCK_STREAM)
    """

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: where the locks lie, the same for all who are to keep out of each other's way."""
        self._folder = folder or Path(tempfile.gettempdir()) / f"numberpool-ports-{os.getuid()}"
        self._held = ExitStack()

    def __enter__(self) -> "Ports":
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def take(self, wanted: int, kind: socket.SocketKind) -> int:
        """``wanted``, or the next port of 127.0.0.1 that nobody uses or has taken. Raises LocalError."""
        for port in range(wanted, min(wanted + _MOST, 65536)):
            with contextlib.suppress(OSError):
                lock = self._held.enter_context(self._locked(port, kind))
                if _is_free(port, kind):
                    return port
                lock.close()
        raise LocalError(f"no port from {wanted} to {wanted + _MOST - 1} is free on 127.0.0.1")

    @contextlib.contextmanager
    def _locked(self, port: int, kind: socket.SocketKind) -> Iterator[IO[str]]:
        with (self._folder / f"{kind.name.lower()}-{port}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            # As the server itself does: what lingers from the last run does not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
