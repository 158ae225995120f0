"""SIP messages as the tests' own telephones read them (RFC 3261)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Sip:
    """One SIP message: its first line, its headers (names in small letters), its body."""

    first: str
    headers: Sequence[tuple[str, str]]
    body: str = ""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """A datagram's message."""
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(first, [(name.strip().lower(), value.strip()) for name, _, value in pairs], body)

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def code(self) -> int:
        """The status of a response; 0 of a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/") else 0

    @property
    def method(self) -> str:
        """The method, of a request or of what a response answers."""
        return self["cseq"].split()[1]

    @property
    def branch(self) -> str:
        """The transaction (RFC 3261, 8.1.1.7)."""
        found = re.search(r"branch=([^;,\s]+)", self["via"])
        return found[1] if found else ""


def tag_of(header: str) -> str:
    """The tag of a From or To: one side's half of the dialog's name (RFC 3261, 12)."""
    found = re.search(r";tag=([^;\s]+)", header)
    return found[1] if found else ""
