"""Checks of the folders that Asterisk and the gateway share: Asterisk writes there, the gateway reads and deletes."""

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gateway.doctor.findings import Area, Finding, error

_AREA = Area.FOLDERS
# Enough to find a umask that keeps us out.
_FILES_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Who:
    """A user of this machine, with the groups it is in."""

    uid: int
    gids: frozenset[int]
    name: str

    @classmethod
    def of(cls, uid: int) -> "Who":
        """The user with that number."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:  # it has no name
            return cls(uid, frozenset(), str(uid))
        return cls(uid, frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid)), entry.pw_name)

    def may(self, path: Path, bits: int) -> bool:
        """Whether the file's mode gives this user all of ``bits`` (4 read, 2 write, 1 enter). Raises OSError.

        A path with an access control list is not judged: it may.
        """
        if self.uid == 0 or "system.posix_acl_access" in os.listxattr(path):
            return True
        state = path.stat()
        shift = 6 if state.st_uid == self.uid else 3 if state.st_gid in self.gids else 0
        return (stat.S_IMODE(state.st_mode) >> shift) & bits == bits

    def stopped_at(self, path: Path, bits: int) -> Path | None:
        """The first folder on the way, or ``path`` itself, that this user may not use; none if it may. Raises "
        "OSError."""
        for parent in reversed(path.parents):
            if not self.may(parent, 1):
                return parent
        return None if self.may(path, bits) else path


def check_spool(spool: Path, asterisk: Who | None, gateway: Who) -> list[Finding]:
    """Outbox and recordings below ``spool``. ``asterisk`` is None where its user is not known."""
    found: list[Finding] = []
    owner = asterisk.name if asterisk else "asterisk"
    for part, use in (("outbox", "the record of each call"), ("recordings", "what was said")):
        folder = spool / part
        make = f"install -d -o {owner} -g {owner} -m 2770 {folder}"
        try:
            if not folder.is_dir():
                found.append(
                    error(
                        "folder.missing",
                        _AREA,
                        f"The folder {folder} is not there: Asterisk cannot write {use}.",
                        make,
                        where=str(folder),
                    )
                )
                continue
            found += _rights(folder, use, asterisk, gateway, make)
        except PermissionError:
            found.append(
                error(
                    "folder.gateway",
                    _AREA,
                    f"{gateway.name} may not come to {folder}: the gateway cannot take {use} from there.",
                    f"usermod -a -G {owner} {gateway.name}   # then start numberpool again",
                    where=str(folder),
                )
            )
    return found


def _rights(folder: Path, use: str, asterisk: Who | None, gateway: Who, make: str) -> list[Finding]:
    found = []
    if asterisk is not None and (stopped := asterisk.stopped_at(folder, 3)):
        found.append(
            error(
                "folder.asterisk",
                _AREA,
                f"Asterisk runs as {asterisk.name}, which may not write to {folder}"
                + ("" if stopped == folder else f" (it is stopped at {stopped})")
                + f": {use} is lost.",
                make if stopped == folder else f"chmod o+x {stopped}",
                where=str(folder),
            )
        )
    join = f"usermod -a -G {asterisk.name if asterisk else 'asterisk'} {gateway.name}   # then start numberpool again"
    if stopped := gateway.stopped_at(folder, 7):
        found.append(
            error(
                "folder.gateway",
                _AREA,
                f"Numberpool runs as {gateway.name}, which may not read and write {folder}"
                + ("" if stopped == folder else f" (it is stopped at {stopped})")
                + f": {use} never reaches the database.",
                join,
                make,
                where=str(folder),
            )
        )
    elif unreadable := next((file for file in _some_files(folder) if not gateway.may(file, 4)), None):
        found.append(
            error(
                "folder.umask",
                _AREA,
                f"Asterisk writes files in {folder} that {gateway.name} may not read ({unreadable.name}).",
                "systemctl edit asterisk   # [Service]  UMask=0027",
                f"chmod g+r {folder}/*; {join}",
                where=str(folder),
            )
        )
    return found


def _some_files(folder: Path) -> Iterable[Path]:
    return [file for file in islice(folder.iterdir(), _FILES_LOOKED_AT) if file.is_file()]


def user_of_port(port: int) -> Who | None:
    """Who listens on a TCP port of this machine, as the kernel's table says; none if nobody does."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1].endswith(f":{port:04X}") and fields[3] == "0A":  # 0A: it listens
                return Who.of(int(fields[7]))
    return None


def user_of_gateway(data_folder: Path) -> Who:
    """Whom the gateway runs as: the owner of its data folder, else whoever asks."""
    try:
        return Who.of(data_folder.stat().st_uid)
    except OSError:
        return Who.of(os.geteuid())
