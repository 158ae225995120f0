"""What browsers, servers and scripts send to the collector, and what they get, as models that describe themselves.

Names that are not known here are passed over, so that a newer snippet can speak to an older collector.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from gateway.pools.showing import Why
from gateway.visits.address import cleaned
from gateway.visits.client_ids import known_ids
from gateway.visits.consent import Said
from gateway.visits.ids import is_ours

# The longest address and texts that are stored; a longer one is cut, because browsers do send them.
LONGEST_URL = 2000
_LONGEST_TITLE = 300
# What a program hands in may have waited there for so long; its clock may be before ours.
LONGEST_AGO = timedelta(days=30)
_CLOCKS_APART = timedelta(minutes=5)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:[-_][A-Za-z0-9]{1,8}){0,5}")
_KIND = re.compile(r"[^\W_][\w-]{0,39}")
_SCREEN = re.compile(r"[0-9]{1,5}x[0-9]{1,5}(?:x[0-9.]{1,6})?")


def _own(id: UUID) -> UUID:
    if not is_ours(id):
        raise ValueError(f"{id} is no UUID of version 7")
    return id


def _none_if_empty(given: object) -> object:
    return None if given == "" else given


Data = dict[str, str | bool | int | float | None]
OwnId = Annotated[UUID, AfterValidator(_own)]
_GivenId = Annotated[OwnId | None, BeforeValidator(_none_if_empty)]
_Key = Annotated[str, Field(max_length=60, description="the site's public key")]
_Url = Annotated[str, Field(max_length=12_000)]


class Message(BaseModel):
    """Anything that is sent here."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Place(Message):
    """A page, and where its visitor came from."""

    url: _Url
    referrer: _Url = ""


class ConsentSaid(Message):
    """What the visitor said, and who says so."""

    required: bool = Field(False, description="whether the page asks before it keeps anything")
    state: Said = Said.UNKNOWN
    signal: str = Field("", max_length=100, description="a banner's name, consent mode, api, …")
    at: datetime | None = None

    @field_validator("at")
    @classmethod
    def _in_utc(cls, at: datetime | None) -> datetime | None:
        if at is None:
            return None
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return at if 2000 <= at.year <= 2200 else None


class Visit(Place):
    """A page was opened (or came back to the front): which numbers shall it show?"""

    site: _Key = ""
    visit: _GivenId = Field(None, description="of the last answer, if at most 30 minutes ago")
    visitor: _GivenId = Field(None, description="as stored; a page that may store one makes it itself, version 7")
    touch: Place | None = Field(
        None, description="url and referrer of the last page load that was answered touch: true"
    )
    visible: bool = True
    automated: bool = Field(False, description="navigator.webdriver")
    targets: list[Annotated[str, Field(max_length=60)]] | None = Field(
        None, max_length=100, description="numbers on the page in any form; absent: all of the site's"
    )
    title: str = ""
    language: str = ""
    screen: str = Field("", description="1920x1080x2")
    time_zone: str = ""
    consent: ConsentSaid = ConsentSaid()
    gpc: bool = Field(False, description="navigator.globalPrivacyControl")
    client_ids: dict[str, str] = Field({}, description="_ga, _ga_*, _fbp, _fbc, _ym_uid, _uetvid")

    @field_validator("title")
    @classmethod
    def _cut(cls, title: str) -> str:
        return cleaned(title)[:_LONGEST_TITLE].strip()

    @field_validator("language")
    @classmethod
    def _a_language(cls, language: str) -> str:
        return language if len(language) <= 35 and _LANGUAGE.fullmatch(language) else ""

    @field_validator("screen")
    @classmethod
    def _a_screen(cls, screen: str) -> str:
        return screen if len(screen) <= 20 and _SCREEN.fullmatch(screen) else ""

    @field_validator("client_ids")
    @classmethod
    def _known_ids(cls, given: dict[str, str]) -> dict[str, str]:
        return known_ids(given.items())


class ServerVisit(Visit):
    """A page that a server renders: what the browser told it, and the address it came from."""

    address: str = Field("", max_length=60, description="the browser's, not the server's")
    user_agent: str = Field("", max_length=2000)
    accept_language: str = Field("", max_length=500)


class Alive(Message):
    """A page is still there."""

    site: _Key
    visit: _GivenId = None
    exposures: list[OwnId] = Field([], max_length=16, description="none: a page that shows nothing of ours")


class Left(Alive):
    """A page is left."""


class Tap(Message):
    """A telephone link was tapped."""

    site: _Key
    visit: OwnId
    exposure: _GivenId = None
    number: str = Field(max_length=60, description="as in the link, in any form")


def _with_something(data: Data) -> Data:
    if all(value in (None, "") for value in data.values()):
        raise ValueError("holds nothing; send what was typed by the names of the fields")
    return data


def _if_own(given: object) -> object:
    """An id if it is one of ours: a lead is not lost for one that is none."""
    try:
        return _own(given if isinstance(given, UUID) else UUID(str(given)))
    except ValueError:
        return None


_PerhapsOwn = Annotated[UUID | None, BeforeValidator(_if_own)]


class Lead(Message):
    """What a person handed in: a form, a chat and the like."""

    site: _Key
    visit: _PerhapsOwn = None
    exposure: _PerhapsOwn = None
    exposures: list[_PerhapsOwn] = Field([], max_length=100, description="what the page shows; the first counts")
    kind: str = Field("form", description="any short word, such as form or chat")
    data: Data = Field(description="flat: what was typed, by the names of the fields; at most 50 are kept")
    url: _Url = ""
    title: str = ""
    automated: bool = False

    @property
    def shown(self) -> UUID | None:
        """The number on the page."""
        return self.exposure or next((each for each in self.exposures if each), None)

    @field_validator("kind")
    @classmethod
    def _short_word(cls, kind: str) -> str:
        kind = cleaned(kind).strip().lower()
        if not _KIND.fullmatch(kind):
            raise ValueError("must be a short word, such as form or chat: letters, digits, - and _, at most 40")
        return kind

    @field_validator("data")
    @classmethod
    def _says_something(cls, data: Data) -> Data:
        return _with_something(data)

    @field_validator("title")
    @classmethod
    def _cut(cls, title: str) -> str:
        return cleaned(title)[:_LONGEST_TITLE].strip()


class ServerLead(Message):
    """What a company's own program hands in: a chat that ended, an enquiry of a marketplace and the like."""

    kind: str = Field("chat", description="any short word, such as chat or form")
    data: Data = Field(description="flat: what was written, by names; at most 50 are kept")
    phone: str = Field("", max_length=60, description="who wrote: in any form, as the company's country writes it")
    email: str = Field("", max_length=254)
    visit: _PerhapsOwn = Field(None, description="the visit it belongs to, as /v1/server/visit answered it")
    visitor: _PerhapsOwn = Field(None, description="or its visitor: the value of the cookie np_ and the site's key")
    number: str = Field("", max_length=60, description="the tracking number that it came to, where it came to one")
    at: datetime | None = Field(None, description="when it was, with its time zone; none: now")

    @field_validator("kind")
    @classmethod
    def _short_word(cls, kind: str) -> str:
        kind = cleaned(kind).strip().lower()
        if not _KIND.fullmatch(kind) or kind in ("call", "written", "suspect"):
            raise ValueError("must be a short word, such as chat: letters, digits, - and _, at most 40; no call")
        return kind

    @field_validator("data")
    @classmethod
    def _says_something(cls, data: Data) -> Data:
        return _with_something(data)

    @field_validator("at")
    @classmethod
    def _some_time_ago(cls, at: datetime | None) -> datetime | None:
        if at is None:
            return None
        if at.tzinfo is None:
            raise ValueError("must say its time zone, such as 2026-11-22T10:42:00Z")
        now = datetime.now(UTC)
        if not now - LONGEST_AGO <= at <= now + _CLOCKS_APART:
            raise ValueError(f"must lie within the last {LONGEST_AGO.days} days")
        return min(at.astimezone(UTC), now)


class PageView(Message):
    """Another page of the same visit was opened without loading it anew."""

    site: _Key
    visit: OwnId
    visitor: _GivenId = None
    url: _Url
    title: str = ""

    @field_validator("title")
    @classmethod
    def _cut(cls, title: str) -> str:
        return cleaned(title)[:_LONGEST_TITLE].strip()


class AmpQuery(Message):
    """What AMP's call tracking element fills in."""

    site: _Key
    target: str = Field("", max_length=60, description="the number printed on the page; else the site's first")
    url: _Url = Field("", description="SOURCE_URL")
    referrer: _Url = Field("", description="DOCUMENT_REFERRER")


class LeadAnswer(BaseModel):
    """What became of a lead."""

    lead: UUID | None = Field(description="none: it is taken and written later, because the database is away")


class NumberParts(BaseModel):
    """A telephone number in the forms that a page may print it in."""

    e164: str
    country: str = Field(description="calling code")
    national: str = Field(description="national significant number")
    trunk: str = Field(description="what is dialled before it within the country, such as 0, 1 or 8; may be empty")
    written: str = Field(description="as people write it within the country")
    international: str


class NumberShown(BaseModel):
    """The number that a page shows in place of a target."""

    target: NumberParts
    number: NumberParts
    why: Why
    exposure: UUID | None = Field(description="to be sent with alive, leave and tap; none: nothing to keep alive")
    remember: int = Field(description="seconds for which a page may show it from memory, since it was last alive")


AnswerKind = Literal["visitor", "consent", "bot", "hidden", "limited", "away"]


class SourceAnswer(BaseModel):
    """What the visit is put down to."""

    label: str
    channel: str
    source: str
    medium: str


class VisitAnswer(BaseModel):
    """What a page shows."""

    visit: UUID | None
    visitor: UUID | None = Field(description="none: nothing may be stored in the browser")
    touch: bool = Field(description="keep this page's url and referrer, and send them as touch from now on")
    remember: int = Field(description="seconds the visitor may be remembered; 0: not at all")
    keep_alive: int = Field(description="seconds between keep-alives while the page is visible")
    why: AnswerKind = Field(description="only visitor carries numbers lent to this visitor")
    ask_again: int | None = Field(description="seconds; none: when the page is shown or opened again")
    source: SourceAnswer | None
    numbers: list[NumberShown]


class CookieAnswer(BaseModel):
    """The cookie that the site's own server sets."""

    name: str
    value: str
    max_age: int


class ServerVisitAnswer(VisitAnswer):
    """What a server prints."""

    cookie: CookieAnswer | None


class AliveAnswer(BaseModel):
    """What became of each number on the page."""

    exposures: dict[str, str] = Field(
        description="held, displaced, expired, released, unknown, or waiting: not yet told"
    )
    ask_again: bool = Field(description="ask for numbers anew")


class AmpAnswer(BaseModel):
    """As amp-call-tracking wants it (amp.dev)."""

    phoneNumber: str
    formattedPhoneNumber: str


class ClicksAnswer(BaseModel):
    """What became of the rows that were sent."""

    stored: int = Field(description="clicks that are known now, new or changed")
    visits: int = Field(description="visits that gained something")
    refused: list["ClickRefused"]


class ClickRefused(BaseModel):
    """A row that cannot be used."""

    row: int = Field(description="from 0")
    message: str
