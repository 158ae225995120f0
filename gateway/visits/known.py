"""Looking up places: by host and path, by app, by tag. Dictionaries, so that their number costs nothing."""

from collections.abc import Iterable
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from gateway.visits.address import LONGEST, Address, cleaned, host_of, readable
from gateway.visits.checks import hosts_written
from gateway.visits.rules import Place

Entry = TypeVar("Entry")


class Hosts(Generic[Entry]):
    """Entries by host and path. A host counts for all that lies below it; the longest wins, then the longest path."""

    def __init__(self) -> None:
        self._by_host: dict[str, list[tuple[str, Entry]]] = {}

    def add(self, pattern: str, entry: Entry) -> None:
        """Let ``a.example`` or ``a.example/path`` lead to ``entry``."""
        host, _, path = pattern.lower().partition("/")
        entries = self._by_host.setdefault(host, [])
        entries.append((path and f"/{path.rstrip('/')}", entry))
        entries.sort(key=lambda each: -len(each[0]))

    def all(self, host: str, path: str) -> Iterable[Entry]:
        """What ``host`` and ``path`` lead to, the closest first. ``host`` is no longer than DNS allows."""
        by_host = self._by_host
        rest = host
        while rest:
            entries = by_host.get(rest)
            if entries is not None:
                for prefix, entry in entries:
                    if not prefix or _lies_below(path, prefix):
                        yield entry
            rest = rest.partition(".")[2]

    def closest(self, host: str, path: str) -> Entry | None:
        """The closest of what ``host`` and ``path`` lead to."""
        by_host = self._by_host
        rest = host
        while rest:
            entries = by_host.get(rest)
            if entries is not None:
                for prefix, entry in entries:
                    if not prefix or _lies_below(path, prefix):
                        return entry
            rest = rest.partition(".")[2]
        return None


def _lies_below(path: str, prefix: str) -> bool:
    start = path[: len(prefix) + 1].lower()
    return start == prefix or start == prefix + "/"


class KnownPlaces:
    """The places of a rule set."""

    def __init__(self, places: Iterable[Place], endings: dict[str, tuple[str, ...]]) -> None:
        self._hosts: Hosts[Place] = Hosts()
        self._apps: dict[str, Place] = {}
        self._tags: dict[str, Place] = {}
        everything = tuple(places)
        self.by_name = {place.name: place for place in everything}
        for place in everything:
            for pattern in hosts_written(place.hosts, endings):
                self._hosts.add(pattern, place)
            self._apps.update((app.lower(), place) for app in place.apps)
            self._tags.update((tag.lower(), place) for tag in place.tags)
        for place in everything:
            self._tags.setdefault(place.name.lower(), place)

    def of_referrer(self, address: Address) -> Place | None:
        """The place that a referrer belongs to. Some scripts give an app's name as if it were a host."""
        if address.is_app:
            return self._apps.get(address.host)
        return self._hosts.closest(address.host, address.path) or self._apps.get(address.host)

    def of_tag(self, tag: str) -> Place | None:
        """The place that a tag in small letters names, by one of its words or one of its hosts."""
        place = self._tags.get(tag)
        if place is None and "." in tag:
            name, slash, path = tag.partition("/")
            place = self._hosts.closest(host_of(name), slash + path)
        return place


def keyword_of(place: Place, query: str) -> str | None:
    """What was searched for at ``place``, by the query of the referrer; most engines no longer say."""
    for wanted in place.keyword:
        for part in query.split("&"):
            name, _, value = part.partition("=")
            if name == wanted and value:
                found = _decoded(value, place.charset)
                if found:
                    return found
    return None


def _decoded(value: str, charset: str) -> str:
    """The words as typed: UTF-8, or what the engine wrote before there was UTF-8 everywhere."""
    found = readable(value)
    if "\ufffd" in found and charset and "%" in value:
        raw = unquote_to_bytes(value[: 9 * LONGEST].replace("+", " ").encode("utf-8", "replace"))
        return cleaned(raw.decode(charset, "replace")).strip()[:LONGEST]
    return found
