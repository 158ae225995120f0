"""Which mirror of Debian or Ubuntu this machine uses, read from its own apt sources.

No host is written down in this project: the machine already knows where it gets its packages from,
through whatever mirror, cache or proxy its administrator chose. Both formats of sources.list(5)
are read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

# Suite names of Debian's main archive that say "this is not a derivative's own archive".
_ROLLING = frozenset({"stable", "testing", "unstable", "sid", "oldstable"})


@dataclass(frozen=True)
class AptSource:
    """One archive: its address, suite and components, and the fields that go with them."""

    uri: str
    suite: str
    components: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()

    def for_suite(self, suite: str, components: tuple[str, ...] = ("main",)) -> "AptSource":
        """The same archive, another of its suites."""
        return replace(self, suite=suite, components=components)

    def as_deb822(self) -> str:
        """The stanza that a `.sources` file holds for it."""
        lines = [
            "Types: deb",
            f"URIs: {self.uri}",
            f"Suites: {self.suite}",
            f"Components: {' '.join(self.components)}",
            *(f"{name}: {value}" for name, value in self.options),
        ]
        return "\n".join(lines) + "\n"


# What carries over to the private sources: how the archive is trusted. "Architectures" and the
# like belong to the entry they stand in.
_KEPT = {"signed-by": "Signed-By", "trusted": "Trusted"}


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    name = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0] in " \t" and name:
            # A key may stand in the stanza itself; its lines keep their leading space.
            fields[name] += "\n" + line
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()


def parse_deb822(text: str) -> list[AptSource]:
    """The archives of a `.sources` file; disabled and source-only stanzas are left out."""
    found = []
    for fields in _stanzas(text):
        if fields.get("enabled", "yes").lower() in {"no", "false", "0"}:
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        options = tuple((_KEPT[key], value) for key, value in fields.items() if key in _KEPT)
        components = tuple(fields.get("components", "").split())
        found += [
            AptSource(uri, suite, components, options)
            for uri in fields.get("uris", "").split()
            for suite in fields.get("suites", "").split()
        ]
    return found


_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<uri>\S+)\s+(?P<rest>.+)$")


def parse_one_line(text: str) -> list[AptSource]:
    """The archives of a `.list` file."""
    found = []
    for line in text.splitlines():
        entry = _ONE_LINE.match(line.split("#", 1)[0].strip())
        if entry is None:
            continue
        suite, *components = entry["rest"].split()
        options = []
        for option in (entry["options"] or "").split():
            key, _, value = option.partition("=")
            if key in _KEPT:
                options.append((_KEPT[key], value.replace(",", " ")))
        found.append(AptSource(entry["uri"], suite, tuple(components), tuple(options)))
    return found


def machine_sources(apt_folder: Path = Path("/etc/apt")) -> list[AptSource]:
    """Every archive that this machine's apt is configured to read."""
    found: list[AptSource] = []
    listed = apt_folder / "sources.list"
    parts = apt_folder / "sources.list.d"
    if listed.is_file():
        found += parse_one_line(listed.read_text(errors="replace"))
    if parts.is_dir():
        for path in sorted(parts.iterdir()):
            if path.suffix == ".sources":
                found += parse_deb822(path.read_text(errors="replace"))
            elif path.suffix == ".list":
                found += parse_one_line(path.read_text(errors="replace"))
    return found


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """The fields of os-release(5)."""
    fields = {}
    if path.is_file():
        for line in path.read_text(errors="replace").splitlines():
            key, _, value = line.partition("=")
            fields[key] = value.strip().strip("\"'")
    return fields


def own_archive(sources: list[AptSource], release: dict[str, str]) -> AptSource | None:
    """The entry that serves this distribution's own `main`, or None where it is neither Debian nor Ubuntu."""
    if release.get("ID") not in {"debian", "ubuntu"}:
        return None
    suites = _ROLLING | {release.get("VERSION_CODENAME", "")}
    for source in sources:
        if source.suite in suites and "main" in source.components:
            return source
    return None
