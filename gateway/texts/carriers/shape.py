"""What all carriers have in common: an account, what is posted to us, and what we post to them."""

import json
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gateway.texts.text import LONGEST_FAULT, Arrived, Reported, State, plain


def N_(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is shown."""
    return text


class Kind(StrEnum):
    """Whose account it is."""

    TWILIO = "twilio"
    SIGNALWIRE = "signalwire"
    TELNYX = "telnyx"
    PLIVO = "plivo"
    VONAGE = "vonage"
    BANDWIDTH = "bandwidth"
    VOIPMS = "voipms"
    GENERAL = "general"


class CannotRead(Exception):
    """What was posted is not what this carrier posts."""


@dataclass(frozen=True, slots=True)
class Field:
    """What an account needs to be told. ``label`` and ``hint`` in English, to be translated where they are shown."""

    name: str
    label: str
    hint: str = ""
    is_secret: bool = False
    required: bool = True
    usual: str = ""
    is_address: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """An account with a carrier. ``token`` stands in the address that the carrier posts to."""

    id: int
    company_id: int
    region: str
    name: str
    kind: Kind
    token: str
    plain: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def said(self, name: str, usual: str = "") -> str:
        """What a field that may be seen holds."""
        return self.plain.get(name) or usual

    def secret(self, name: str) -> str:
        """What a field that may not be seen holds; empty where nobody typed it."""
        return self.secrets.get(name, "")


@dataclass(frozen=True, slots=True)
class Posted:
    """A request to our address. ``addresses`` are the forms in which the sender may have known it, with the query."""

    method: str
    addresses: tuple[str, ...]
    query: str
    headers: Mapping[str, str]  # names in small letters
    body: bytes

    def header(self, name: str) -> str:
        """A header; empty where there is none."""
        return self.headers.get(name.lower(), "")

    @property
    def is_json(self) -> bool:
        """Whether the body says that it is JSON."""
        return "json" in self.header("content-type")

    def fields(self) -> list[tuple[str, str]]:
        """The form, or the query where nothing was posted. Raises CannotRead."""
        try:
            text = self.body.decode() or self.query
            return parse_qsl(text, keep_blank_values=True, max_num_fields=300)
        except ValueError as error:
            raise CannotRead(str(error)) from None

    def json(self) -> Any:
        """The body. Raises CannotRead."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise CannotRead(str(error)) from None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be posted so that a text goes out: ``form`` or ``json``."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """The carrier took it, under this id (empty: it gives none)."""

    id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier did not take it. ``again``: it will later; none: it does not say whether it took it."""

    why: str
    again: bool | None = False


class Carrier(ABC):
    """One carrier's way. Plain functions over an account and what came; the sources stand in each module."""

    kind: Kind
    name: str
    fields: Sequence[Field]
    signed: bool = True
    # What is said to whoever posts: some read the answer as a text to be sent.
    answer: bytes = b""
    answer_type: str = "text/plain"
    # Stands behind our address, where the carrier fills in what it knows.
    query: str = ""

    @abstractmethod
    def is_genuine(self, account: Account, posted: Posted, now: datetime) -> bool:
        """Whether the carrier posted it."""

    @abstractmethod
    def read(self, account: Account, posted: Posted) -> list[Arrived | Reported]:
        """What it says. Raises CannotRead; a kind of news that does not concern us is an empty list."""

    @abstractmethod
    def outgoing(self, account: Account, number: str, other: str, body: str, callback: str | None) -> Outgoing:
        """How a text is given to it. ``callback`` is where it may say what became of it."""

    def can_send(self, account: Account) -> bool:
        """Whether texts can be given to it."""
        return True

    def taken(self, account: Account, status: int, body: bytes) -> Taken | Refused:
        """What its answer means."""
        found = read_json(body)
        if 200 <= status < 300:
            return self.accepted(account, found)
        return refused(status, self.fault(found) or body.decode(errors="replace"))

    def accepted(self, account: Account, found: Any) -> Taken | Refused:
        """What an answer means that says it went well."""
        return Taken("")

    def fault(self, found: Any) -> str:
        """Why it refused, as it says."""
        return text_at(found, "message")


def refused(status: int, why: str) -> Refused:
    """What a refusal means. 429 and 503 say that nothing was done; other faults of the server say nothing at all."""
    said = " ".join(plain(why).split())[:LONGEST_FAULT] or f"HTTP {status}"
    if status in (429, 503):
        return Refused(said, again=True)
    return Refused(said, again=None if status >= 500 or status < 400 else False)


def basic(user: str, password: str) -> Mapping[str, str]:
    """The header of RFC 7617."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def same(given: str, right: str) -> bool:
    """Whether a secret is right, in a time that tells nothing."""
    return bool(right) and compare_digest(given.encode("utf-8", "replace"), right.encode("utf-8", "replace"))


def bytes_of(text: str) -> bytes | None:
    """What base64 stands for; none where it is none."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None


def read_json(body: bytes) -> Any:
    """JSON, or none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def at(found: Any, path: str) -> Any:
    """What lies at ``path``, such as ``data.payload.from.phone_number`` or ``to.0``; none where nothing does."""
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def text_at(found: Any, path: str) -> str:
    """The text at ``path``; empty where there is none."""
    value = at(found, path)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def reported(id: str, state: State | None, *said: str) -> list[Arrived | Reported]:
    """A report, where it says something that we tell."""
    if not id or state is None:
        return []
    why = ": ".join(each for each in said if each) if state is State.FAILED else ""
    return [Reported(id, state, " ".join(plain(why).split())[:LONGEST_FAULT])]


def without_query(address: str) -> str:
    """An address up to its question mark."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
