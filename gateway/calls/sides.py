"""Names of sound files: the raw sides in a node's spool, the finished recording in the data folder.

The path of the sides comes with the call's record, so from outside; it is made safe here and nowhere else.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# Where the dialplan has MixMonitor write, below the spool.
FOLDER = "recordings"
ENDINGS = {8000: ".sln", 16000: ".sln16"}

_SIDES = re.compile(rf"{FOLDER}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_RAW = re.compile(r"(?P<key>[A-Za-z0-9_-][A-Za-z0-9._-]*)-(?:caller|business)\.sln(?P<wide>16)?")
_FINISHED = re.compile(rf"{FOLDER}/[0-9]+/[0-9]{{4}}/[0-9]{{2}}/(?:back-)?[0-9]+\.mp3")


class UnsafePath(ValueError):
    """A recording's path would leave the folder it belongs to; its call's record was written by another program."""


@dataclass(frozen=True, slots=True)
class SidePaths:
    """The two raw files of one call."""

    caller: Path
    business: Path

    def exist(self) -> bool:
        """Whether there is at least one."""
        return self.caller.exists() or self.business.exists()

    def look(self) -> tuple[tuple[int, int] | None, ...]:
        """Size and time of change of each, to see whether they still grow."""
        return tuple(_look(path) for path in (self.caller, self.business))


def _look(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns


def side_paths(spool: Path, sides: str, rate: int) -> SidePaths:
    """The raw files named by ``sides`` (such as ``recordings/1763-42``) in ``spool``.

    Raises UnsafePath where that would lead out of the spool, by its text or by a link on the way.
    """
    if not _SIDES.fullmatch(sides) or len(sides) > 200 or rate not in ENDINGS:
        raise UnsafePath(UnsafePath.__doc__)
    base = spool / sides
    if not base.parent.resolve().is_relative_to(spool.resolve()):
        raise UnsafePath(UnsafePath.__doc__)
    return SidePaths(*(base.with_name(f"{base.name}-{side}{ENDINGS[rate]}") for side in ("caller", "business")))


def discard(paths: SidePaths) -> None:
    """Delete the raw files, once nothing needs them."""
    for path in (paths.caller, paths.business):
        path.unlink(missing_ok=True)


def finished_file(company_id: int, started_at: datetime, call_id: int) -> str:
    """Where a recording goes, below the data folder: a folder a company and month, by UTC."""
    return f"{FOLDER}/{company_id}/{started_at.astimezone(UTC):%Y/%m}/{call_id}.mp3"


def finished_back(company_id: int, asked_at: datetime, placed_id: int) -> str:
    """The same of a call back."""
    return f"{FOLDER}/{company_id}/{asked_at.astimezone(UTC):%Y/%m}/back-{placed_id}.mp3"


def recording_path(data_folder: Path, file: str) -> Path:
    """The finished recording that ``recordings.file`` names.

    Raises UnsafePath where the database does not name one.
    """
    if not _FINISHED.fullmatch(file):
        raise UnsafePath(UnsafePath.__doc__)
    return data_folder / file


def take_off_disk(data_folder: Path, file: str) -> None:
    """Remove a finished recording, if it is there and one of ours. Raises OSError where it cannot be removed."""
    with suppress(UnsafePath):
        recording_path(data_folder, file).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Raw files of one call found in the spool. ``changed_at`` is the later of the two, ``size`` both together."""

    key: str
    rate: int
    changed_at: datetime
    size: int

    @property
    def sides(self) -> str:
        """Their path below the spool, as ``recordings.sides`` has it."""
        return f"{FOLDER}/{self.key}"


def leftovers(spool: Path) -> list[Leftover]:
    """All calls that have raw files in ``spool``, oldest first. Links and other files are passed over."""
    found: dict[str, Leftover] = {}
    for path in _files(spool / FOLDER):
        named = _RAW.fullmatch(path.name)
        if not named or path.is_symlink():
            continue
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        changed_at = datetime.fromtimestamp(state.st_mtime, UTC)
        known = found.get(named["key"])
        found[named["key"]] = Leftover(
            named["key"],
            16000 if named["wide"] else 8000,
            max(changed_at, known.changed_at) if known else changed_at,
            state.st_size + (known.size if known else 0),
        )
    return sorted(found.values(), key=lambda leftover: leftover.changed_at)


def _files(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except FileNotFoundError:
        return
