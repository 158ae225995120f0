"""What the doctor says: one thing that is wrong, where, and what to type."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # calls are lost, or nothing is recorded, or the gateway cannot work
    WARNING = "warning"  # it works until something else happens
    NOTE = "note"  # what could not be looked at, or is only worth knowing


class Area(StrEnum):
    """The headings of the report, in its order."""

    AMI = "Manager interface"
    MODULES = "Modules"
    FILES = "Rendered files"
    DIALPLAN = "Dialplan"
    TRUNKS = "Trunks"
    DESTINATIONS = "Destinations"
    SOUND = "Sound"
    RECORDING = "Recording"
    FOLDERS = "Folders"
    CLOCKS = "Clocks"
    DATABASE = "Database"
    NUMBERS = "Numbers"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of what is wrong, and the lines that mend it.

    ``kind`` is a stable name for machines, such as ``destination.no-qualify``; ``where`` names the thing it was found
    at (an endpoint, a file, a number); ``node`` the Asterisk, empty for what concerns all of them.
    """

    kind: str
    severity: Severity
    area: Area
    what: str
    mend: tuple[str, ...] = ()
    where: str = ""
    node: str = ""


def error(kind: str, area: Area, what: str, *mend: str, where: str = "") -> Finding:
    """A finding by which calls, recordings or the gateway suffer."""
    return Finding(kind, Severity.ERROR, area, what, mend, where)


def warning(kind: str, area: Area, what: str, *mend: str, where: str = "") -> Finding:
    """A finding that works until something else happens."""
    return Finding(kind, Severity.WARNING, area, what, mend, where)


def note(kind: str, area: Area, what: str, *mend: str, where: str = "") -> Finding:
    """What could not be looked at, or is only worth knowing."""
    return Finding(kind, Severity.NOTE, area, what, mend, where)
