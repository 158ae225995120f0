"""A guide as a person follows it: its code blocks, in order, under their headings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.assets import asset_folder

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# The first line of what goes into a file names it; ": change [section]": it takes the place of that section;
# ": remove": its lines go.
_FILE = re.compile(r"^[;#] (/\S+?)(?:: (change \[[^\]]+\]|remove))?$")


class UnclearGuide(ValueError):
    """A block of a guide says neither a file, nor a command, nor a form to fill in."""


@dataclass(frozen=True)
class Block:
    """One code block: shell commands, what goes into a file, or the fields of a form (``language`` text)."""

    headings: Sequence[str]
    language: str
    text: str

    @property
    def file(self) -> Path:
        """The file it goes into. Raises UnclearGuide where none is named."""
        found = _FILE.match(self.text.split("\n", 1)[0])
        if found is None:
            raise UnclearGuide(f"no file is named in\n{self.text}")
        return Path(found[1])

    @property
    def changes(self) -> str | None:
        """The section whose place it takes; none: it is added at the end."""
        found = _FILE.match(self.text.split("\n", 1)[0])
        change = re.fullmatch(r"change \[(.+)\]", (found and found[2]) or "")
        return change and change[1]

    @property
    def removes(self) -> Sequence[str]:
        """The lines that are to go; none: it adds some."""
        first, *lines = self.text.rstrip("\n").split("\n")
        found = _FILE.match(first)
        return lines if found is not None and found[2] == "remove" else ()

    @property
    def fields(self) -> dict[str, str]:
        """What to type into a form, by the name of the field."""
        pairs = (line.partition(": ") for line in self.text.strip().splitlines())
        fields = {name: value for name, _, value in pairs}
        if not all(fields.values()):
            raise UnclearGuide(f"no form:\n{self.text}")
        return fields


def read_guide(name: str) -> list[Block]:
    """The blocks of ``asterisk_conf/<name>``."""
    text = (asset_folder("asterisk_conf") / name).read_text()
    fences = list(_FENCE.finditer(text))
    # A comment in a block is no heading.
    marks = [mark for mark in _HEADING.finditer(text) if not any(f.start() < mark.start() < f.end() for f in fences)]
    blocks = []
    for fence in fences:
        path: list[str] = []
        for mark in marks:
            if mark.start() < fence.start():
                depth = len(mark[0]) - len(mark[0].lstrip("#"))
                path[depth - 1 :] = [mark[1]]
        blocks.append(Block(tuple(path), fence[1], fence[2]))
    return blocks
