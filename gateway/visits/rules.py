"""Source rules as they are written: places, click ids, rules, channels. ``ruleset`` reads and keeps them together.

All are frozen values. A list of words may be written as one text with spaces between them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict

_STRICT = ConfigDict(extra="forbid")
TAGS = ("source", "medium", "campaign", "term", "content")
Tag = Literal["source", "medium", "campaign", "term", "content"]


def _listed(given: object) -> object:
    return tuple(given.split()) if isinstance(given, str) else given


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Kind(StrEnum):
    """What a place is; the rules and the channels go by it."""

    SEARCH = "search"
    SOCIAL = "social"
    VIDEO = "video"
    SHOPPING = "shopping"
    AI = "ai"
    LOCAL = "local"
    DIRECTORY = "directory"
    MAIL = "mail"
    DISPLAY = "display"
    OFFLINE = "offline"
    SITE = "site"
    PAYMENT = "payment"
    SIGN_IN = "sign-in"


class Evidence(StrEnum):
    """By what a visit is put down to a place, the strongest first."""

    CLICK = "click"
    TAG = "tag"
    REFERRER = "referrer"
    HINT = "hint"


@dataclass(frozen=True)
class Place:
    """Something that sends visitors, and how to recognise it. See the beginning of ``defaults/places.toml``."""

    __pydantic_config__ = _STRICT

    name: str
    kind: Kind
    label: str = ""
    source: str = ""
    medium: str = ""
    hosts: Listed = ()
    apps: Listed = ()
    tags: Listed = ()
    keyword: Listed = ()
    charset: str = ""

    @property
    def short(self) -> str:
        """The short name that reports group by."""
        return self.source or self.name


@dataclass(frozen=True)
class Sites:
    """Hosts and tags of one kind, each standing for itself."""

    __pydantic_config__ = _STRICT

    kind: Kind
    hosts: Listed = ()
    tags: Listed = ()

    def places(self) -> Iterator[Place]:
        """A place for each."""
        for host in self.hosts:
            yield Place(host, self.kind, label=host, hosts=(host,))
        for tag in self.tags:
            yield Place(tag, self.kind)


@dataclass(frozen=True)
class ClickId:
    """A parameter by which an advertiser's click is known; ``ads`` is false where unpaid links carry it as well."""

    __pydantic_config__ = _STRICT

    name: str
    place: str
    ads: bool = True


@dataclass(frozen=True)
class When:
    """The conditions of a rule, all of which must hold; of the words in one condition, one must. None given: always."""

    __pydantic_config__ = _STRICT

    place: Listed = ()
    kind: tuple[Kind, ...] = ()
    by: tuple[Evidence, ...] = ()
    referrer: Listed = ()
    click: Listed = ()
    source: tuple[str, ...] = ()
    medium: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()
    term: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    unless_medium: tuple[str, ...] = ()
    without: tuple[Tag, ...] = ()


@dataclass(frozen=True)
class Then:
    """What a rule says of a visit; what is left out is taken from the address, else from the place."""

    __pydantic_config__ = _STRICT

    label: str
    source: str = ""
    medium: str = ""
    channel: str = ""
    paid: bool = False
    touch: bool = True


@dataclass(frozen=True)
class Rule:
    """One rule: its name, its conditions, its result, and the reason somebody gave for it."""

    __pydantic_config__ = _STRICT

    name: str
    then: Then
    when: When = When()
    why: str = ""


@dataclass(frozen=True)
class Channel:
    """One line of the table of channels: all of its conditions must hold."""

    __pydantic_config__ = _STRICT

    channel: str
    kind: tuple[Kind, ...] = ()
    source: tuple[str, ...] = ()
    medium: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()
