"""What went over the wire: the requests in SIPp's log of messages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.calls.sipp import Sipp

# SIPp writes a line of dashes and one of its own before each message.
_MESSAGE = re.compile(r"^-{20,}[^\n]*\n(?:UDP|TCP)[^\n]*\n\n?(.*?)(?=^-{20,}|\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Request:
    """A SIP request: its first line, and its headers as they came, in order."""

    line: str
    headers: tuple[tuple[str, str], ...]

    @property
    def user(self) -> str:
        """The user part of the request line's address."""
        return self.line.partition("sip:")[2].partition("@")[0]

    def all(self, name: str) -> list[str]:
        """The values of a header, each time it occurs."""
        return [value for each, value in self.headers if each.lower() == name.lower()]

    def one(self, name: str) -> str | None:
        """The value of a header that occurs once; none where it is not there."""
        values = self.all(name)
        assert len(values) < 2, f"{name} occurs {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def caller(self) -> str:
        """The address in From."""
        return (self.one("From") or "").partition(";tag=")[0]


def invites(messages: str) -> list[Request]:
    """The INVITEs in SIPp's log, once each, retransmissions left out."""
    found: dict[tuple[str, ...], Request] = {}
    for text in _MESSAGE.findall(messages):
        first, _, rest = text.replace("\r", "").lstrip("\n").partition("\n")
        if not first.startswith("INVITE "):
            continue
        headers = tuple(
            (name.strip(), value.strip())
            for name, colon, value in (line.partition(":") for line in rest.partition("\n\n")[0].split("\n"))
            if colon
        )
        request = Request(first, headers)
        found.setdefault((*request.all("Call-ID"), *request.all("CSeq"), *request.all("Via")), request)
    return list(found.values())


@dataclass(frozen=True)
class Seen:
    """What each line was sent, since its SIPp was started."""

    lines: Mapping[str, Sipp]

    def invites(self, name: str) -> list[Request]:
        """The INVITEs to one line, in order."""
        return invites(self.lines[name].messages)


def address(number: str) -> str:
    """How an address of ours with ``number`` begins."""
    return f"<sip:{number}@127.0.0.1"
