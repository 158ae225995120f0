"""Asterisk's configuration files as values: from Asterisk itself (``GetConfig``) or read from its folder.

The form is that of Asterisk's own ``configs/samples``: sections, ``key = value`` or ``=>``, templates, ``#include``,
comments from ``;`` on and between ``;--`` and ``--;``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SECTION = re.compile(r"^\[([^\]]*)\]\s*(?:\(([^)]*)\))?")
_INCLUDE = re.compile(r"^#(try)?include\s+[\"<]?([^\">]+?)[\">]?\s*$", re.IGNORECASE)
_BLOCK = re.compile(r";--.*?--;", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\);.*$")
# A file that includes itself would have no end.
_DEEPEST = 10


@dataclass(frozen=True, slots=True)
class Section:
    """One ``[name]`` with its lines in order; what a template gives is among them."""

    name: str
    options: tuple[tuple[str, str], ...] = ()
    is_template: bool = False

    def get(self, key: str, default: str = "") -> str:
        """The last value of ``key``, as Asterisk takes it."""
        return next((value for name, value in reversed(self.options) if name.lower() == key), default)

    def all(self, key: str) -> list[str]:
        """Every value of ``key``."""
        return [value for name, value in self.options if name.lower() == key]


@dataclass(frozen=True, slots=True)
class Config:
    """One file with everything that it includes; ``includes`` are the files it names, as they were found."""

    sections: tuple[Section, ...] = ()
    includes: tuple[Path, ...] = ()
    exists: bool = True

    def named(self, name: str) -> list[Section]:
        """All sections of that name that are no templates: Asterisk allows several."""
        return [section for section in self.sections if section.name == name and not section.is_template]

    def option(self, section: str, key: str, default: str = "") -> str:
        """The value in the first section of that name, where Asterisk looks."""
        return next((found.get(key, default) for found in self.named(section)), default)

    def of_type(self, kind: str) -> list[Section]:
        """The sections of pjsip.conf with ``type=kind``."""
        return [section for section in self.sections if not section.is_template and section.get("type") == kind]


@dataclass
class _Open:
    name: str
    template: bool = False
    options: list[tuple[str, str]] = field(default_factory=list)


def parse_config(text: str) -> Config:
    """``text`` of one file, its ``#include`` lines left aside."""
    done: list[_Open] = []
    here: _Open | None = None
    for line in _logical_lines(text):
        here = _take(line, here, done)
    return _closed(done, ())


def read_config(folder: Path, name: str) -> Config:
    """The file ``name`` of Asterisk's folder with all that it includes. Raises OSError where one may not be read."""
    if not (folder / name).exists():
        return Config(exists=False)
    includes: list[Path] = []
    done: list[_Open] = []
    _read_into(done, folder, folder / name, includes, 0)
    return _closed(done, tuple(includes))


def config_of_answer(answer: Mapping[str, str]) -> Config:
    """The answer of the AMI action ``GetConfig``: ``Category-000000`` and ``Line-000000-000001`` fields."""
    fields = {str(key).lower(): str(value) for key, value in answer.items()}
    sections = []
    for key in sorted(key for key in fields if key.startswith("category-")):
        number = key.removeprefix("category-")
        lines = sorted(line for line in fields if line.startswith(f"line-{number}-"))
        options = tuple(_pair(fields[line]) for line in lines)
        sections.append(Section(fields[key], options, fields.get(f"istemplate-{number}") == "1"))
    return Config(tuple(sections))


def _pair(line: str) -> tuple[str, str]:
    # A key may hold '=' in no file of Asterisk's but one: eventfilter(...) of manager.conf has none either.
    key, _, value = line.partition("=")
    return key.strip(), value.removeprefix(">").strip()


def _logical_lines(text: str) -> Iterator[str]:
    for line in _BLOCK.sub("", text).splitlines():
        yield _COMMENT.sub("", line).replace("\\;", ";").strip()


def _read_into(done: list[_Open], folder: Path, file: Path, includes: list[Path], depth: int) -> None:
    here: _Open | None = None
    for line in _logical_lines(file.read_text(errors="replace")):
        include = _INCLUDE.match(line)
        if include is None:
            here = _take(line, here, done)
        elif depth < _DEEPEST:
            # What stands behind an #include goes on with the section before it, not with the last one of that file.
            path = folder / include[2]
            for found in sorted(path.parent.glob(path.name)):
                includes.append(found)
                _read_into(done, folder, found, includes, depth + 1)


def _take(line: str, here: _Open | None, done: list[_Open]) -> _Open | None:
    """One line of a file; the section in which the next one stands."""
    header = _SECTION.match(line)
    if header is not None:
        return _opened(header[1].strip(), header[2] or "", done)
    if here is not None and "=" in line and not line.startswith("#"):
        key, value = _pair(line)
        here.options.append((key.removesuffix("+").strip(), value))
    return here


def _closed(done: list[_Open], includes: tuple[Path, ...]) -> Config:
    return Config(tuple(Section(each.name, tuple(each.options), each.template) for each in done), includes)


def _opened(name: str, marks: str, done: list[_Open]) -> _Open:
    parts = [mark.strip() for mark in marks.split(",") if mark.strip()]
    for mark in parts:
        if mark.startswith("+"):  # [name](+) goes on with that section
            key, _, value = mark[1:].partition("=")
            for earlier in done:
                if earlier.name == name and (not key or (key, value) in earlier.options):
                    return earlier
    section = _Open(name, "!" in parts)
    done.append(section)
    for mark in parts:
        for template in done:
            if template.name == mark:
                section.options += template.options
    return section
