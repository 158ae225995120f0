"""Where an address is: read from the admin's own database file in MaxMind's format (GeoLite2, GeoIP2, DB-IP).

None comes with Numberpool: their licences want the admin to fetch them.
"""

from dataclasses import dataclass
from pathlib import Path

import structlog
from maxminddb import InvalidDatabaseError, Reader, open_database

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """``country`` is ISO 3166-1 (``CA``), ``region`` ISO 3166-2 (``CA-SK``); empty where it is not known."""

    country: str = ""
    region: str = ""
    city: str = ""


NOWHERE = Place()


class Places:
    """The places of addresses; without a file, nowhere."""

    def __init__(self, reader: Reader | None = None) -> None:
        self._reader = reader

    @classmethod
    def from_file(cls, file: Path | None) -> "Places":
        """The places of ``file``; a file that cannot be read leaves them unknown, and says so in the log."""
        if file is None:
            return cls()
        try:
            return cls(open_database(str(file)))
        except (OSError, InvalidDatabaseError) as error:
            _log.error(
                "places of visitors stay unknown: the database file cannot be read",
                file=str(file),
                fault=str(error),
                mend="fetch a City database in MaxMind's format and name it as places_file under [collector]",
            )
            return cls()

    @property
    def are_known(self) -> bool:
        """Whether there is a file."""
        return self._reader is not None

    def of(self, address: str) -> Place:
        """Where ``address`` is."""
        if self._reader is None:
            return NOWHERE
        try:
            found = self._reader.get(address)
        except (ValueError, InvalidDatabaseError):
            return NOWHERE
        if not isinstance(found, dict):
            return NOWHERE
        country = _code(found.get("country")) or _code(found.get("registered_country"))
        subdivisions = found.get("subdivisions")
        division = _code(subdivisions[0]) if isinstance(subdivisions, list) and subdivisions else ""
        return Place(country, f"{country}-{division}" if country and division else "", _name(found.get("city")))

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()


def _code(entry: object) -> str:
    code = entry.get("iso_code") if isinstance(entry, dict) else None
    return code if isinstance(code, str) else ""


def _name(entry: object) -> str:
    names = entry.get("names") if isinstance(entry, dict) else None
    name = names.get("en") if isinstance(names, dict) else None
    return name if isinstance(name, str) else ""
