"""What a check finds: kinds of findings, how grave each is, and what it is about. The sentences are in ``words``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """How grave a finding is, the gravest first."""

    PROBLEM = "problem"  # visitors see a wrong number, or their calls lead back to nobody
    WARNING = "warning"  # it works, but worse than it could, or not for everybody
    NOTE = "note"  # worth knowing
    GOOD = "good"  # as it should be


class Area(StrEnum):
    """The headings of a report, in its order."""

    PAGE = "page"
    SNIPPET = "snippet"
    COLLECTOR = "collector"
    NUMBERS = "numbers"
    CONSENT = "consent"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: its kind, such as ``script.blocked_by_policy``, and what fills its sentence."""

    kind: str
    level: Level
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def area(self) -> Area:
        """What it is about."""
        return _AREAS[self.kind.partition(".")[0]]

    def as_json(self) -> dict[str, Any]:
        """As it is stored, and printed for machines."""
        return {"kind": self.kind, "level": self.level.value, "facts": dict(self.facts)}


_AREAS = {
    "page": Area.PAGE,
    "script": Area.SNIPPET,
    "optimiser": Area.SNIPPET,
    "key": Area.SNIPPET,
    "host": Area.SNIPPET,
    "worker": Area.SNIPPET,
    "collector": Area.COLLECTOR,
    "target": Area.NUMBERS,
    "number": Area.NUMBERS,
    "direct": Area.NUMBERS,
    "consent": Area.CONSENT,
    "setup": Area.MEMORY,
}


def good(kind: str, **facts: str | int) -> Finding:
    """Something that is as it should be."""
    return Finding(kind, Level.GOOD, facts)


def note(kind: str, **facts: str | int) -> Finding:
    """Something worth knowing."""
    return Finding(kind, Level.NOTE, facts)


def warning(kind: str, **facts: str | int) -> Finding:
    """Something that works worse than it could."""
    return Finding(kind, Level.WARNING, facts)


def problem(kind: str, **facts: str | int) -> Finding:
    """Something by which numbers or calls go wrong."""
    return Finding(kind, Level.PROBLEM, facts)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found on a page. ``key`` is that of the site it was looked at for; empty: none is known."""

    url: str
    key: str
    findings: tuple[Finding, ...]

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong: neither a problem nor a warning."""
        return all(each.level in (Level.GOOD, Level.NOTE) for each in self.findings)

    @property
    def worst(self) -> Level:
        """The gravest level among its findings."""
        order = list(Level)
        return min((each.level for each in self.findings), key=order.index, default=Level.NOTE)

    def of(self, area: Area) -> list[Finding]:
        """What was found of one area, the gravest first."""
        order = list(Level)
        return sorted((each for each in self.findings if each.area is area), key=lambda each: order.index(each.level))

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {"url": self.url, "key": self.key, "findings": [each.as_json() for each in self.findings]}


def report_of(stored: Mapping[str, Any]) -> Report:
    """A report as it was stored. What a newer version wrote and this one does not know is left out."""
    return Report(str(stored.get("url", "")), str(stored.get("key", "")), tuple(_known(stored.get("findings", ()))))


def _known(stored: Iterable[Mapping[str, Any]]) -> Iterable[Finding]:
    from gateway.site_check.words import SENTENCES

    for each in stored:
        kind, level = str(each.get("kind", "")), str(each.get("level", ""))
        if kind in SENTENCES and level in list(Level):
            yield Finding(kind, Level(level), dict(each.get("facts", {})))
