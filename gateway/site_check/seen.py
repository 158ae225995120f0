"""What was seen of a page: plain values, as the browser told them, from which the findings are made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from gateway.site_check.proxy import Fault


class _Said(BaseModel):
    """Told by a script within the page: a page may tell lies, so nothing is taken as it comes."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Line(_Said):
    """A line of text with a digit in it. ``kept``: the snippet never touches it there."""

    text: str
    shadow: bool = False
    kept: bool = False


class Link(_Said):
    """A link that a telephone opens."""

    href: str
    shadow: bool = False
    kept: bool = False


class Attribute(_Said):
    """Text that stands in an attribute."""

    name: str
    value: str
    shadow: bool = False


class Frame(_Said):
    """Another page within the page; its text where it may be read."""

    src: str
    text: str | None = None


class Image(_Said):
    """A picture."""

    src: str
    alt: str = ""


class ScriptTag(_Said):
    """The snippet's own tag, as it stands in the page now; ``key``: of the inline variant."""

    attributes: dict[str, str]
    inline: bool = False
    key: str = ""


class Worker(_Said):
    """A service worker."""

    scope: str
    script: str


class PageState(_Said):
    """The page at a moment; ``ready``: the snippet has started."""

    title: str = ""
    url: str = ""
    ready: bool = False
    site: str = ""
    scripts: tuple[ScriptTag, ...] = ()
    lines: tuple[Line, ...] = ()
    links: tuple[Link, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    frames: tuple[Frame, ...] = ()
    images: tuple[Image, ...] = ()
    password: bool = False
    controlled: bool = False
    workers: tuple[Worker, ...] = ()
    banners: tuple[str, ...] = ()
    structured: tuple[str, ...] = ()


class Blocked(StrEnum):
    """Who kept a request from being made, where it was not the network."""

    NOBODY = ""
    POLICY = "csp"
    MIXED = "mixed-content"
    CLIENT = "inspector"
    CORS = "cors"
    OTHER = "other"


@dataclass(slots=True)
class Request:
    """One request of the page. ``caller``: addresses of the scripts that made it, the innermost first."""

    url: str
    kind: str = ""
    method: str = "GET"
    callers: tuple[str, ...] = ()
    status: int | None = None
    mime: str = ""
    error: str = ""
    blocked: Blocked = Blocked.NOBODY
    from_worker: bool = False
    fetch_site: str = ""
    origin: str = ""
    seconds: float | None = None
    body: str | None = None
    sent: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    redirected_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """A request or a script that the page's Content-Security-Policy forbids."""

    directive: str
    blocked: str


@dataclass(slots=True)
class Seen:
    """One visit of a page.

    ``html`` is what the server sent; ``before`` the page before the visitor moved, ``state`` at the end; ``consented``
    after ``numberpool.consent(true)`` where it was needed. ``error`` is the browser's word for why nothing came.
    """

    url: str
    final_url: str = ""
    status: int | None = None
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    html: str = ""
    requests: list[Request] = field(default_factory=list)
    policy: list[PolicyFault] = field(default_factory=list)
    before: PageState | None = None
    state: PageState = field(default_factory=PageState)
    consented: PageState | None = None
    answers: list[dict[str, Any]] = field(default_factory=list)  # of the collector, in their order
    timed_out: bool = False
    moved_first: bool = False  # the snippet began only after the visitor had moved
    faults: Mapping[str, Fault] = field(default_factory=dict)
    fights: bool = False  # the page puts its own number back
