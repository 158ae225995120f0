"""What this machine tells by itself: its ports, its addresses, the names in a folder."""

import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def ephemeral_ports() -> tuple[int, int] | None:
    """The ports that the kernel gives to programs that name none; none where it does not say."""
    try:
        first, last = _EPHEMERAL.read_text().split()
    except (OSError, ValueError):
        return None
    return int(first), int(last)


def own_addresses(towards: Iterable[str]) -> dict[str, str]:
    """Address -> our own address on the way there. Nothing is sent; where there is no way, it is left out."""
    found = {}
    for address in towards:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            found[address] = str(probe.getsockname()[0])
    return found


def names_in(folders: Mapping[str, Path]) -> dict[str, Sequence[str] | None]:
    """The names in each folder, None where it is not there; a folder that we may not read is left out."""
    found: dict[str, Sequence[str] | None] = {}
    for key, folder in folders.items():
        try:
            found[key] = [file.name for file in folder.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            found[key] = None
        except OSError:
            continue
    return found
