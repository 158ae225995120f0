"""A text as the domain speaks of it: what came, what became of one sent, what a word alone means. No I/O."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from gateway.pools.numbers import NumberError, to_e164

LONGEST_BODY = 10_000
LONGEST_TO_SEND = 1_600  # what the carriers take at once: ten segments
MOST_MEDIA = 20
LONGEST_FAULT = 300
_LONGEST_ADDRESS = 2_000
_LONGEST_NAME = 60
# After so long a silence the next text is another lead, and no answer to what was said before.
SILENCE = timedelta(days=30)

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# A telephone as carriers write it; other senders are short codes and names.
_TELEPHONE = re.compile(r"[+(]?[0-9][0-9 ().-]{6,20}")
# Carriers answer these words themselves and deliver no more to whoever wrote one (CTIA Messaging Principles and Best
# Practices, 5.1.3; the CRTC asks for ARRET as well). Alone in a text they are meant so.
_STOP = frozenset(
    (
        *("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
        *("arret", "arrêt", "alto", "parar", "стоп", "отписаться", "отписка"),
    )
)
_START = frozenset(("start", "unstop", "старт"))
_HELP = frozenset(("help", "info", "aide", "ayuda", "помощь"))


class State(StrEnum):
    """What became of a text."""

    RECEIVED = "received"
    WAITING = "waiting"  # for its turn, or for a carrier that is away
    SENDING = "sending"
    UNSURE = "unsure"  # the carrier did not say whether it took it
    SENT = "sent"  # the carrier took it
    DELIVERED = "delivered"
    FAILED = "failed"


_RANK = {
    State.RECEIVED: 9,
    State.WAITING: 0,
    State.SENDING: 1,
    State.UNSURE: 2,
    State.SENT: 3,
    State.FAILED: 4,
    State.DELIVERED: 5,
}


def later(before: State, said: State) -> State:
    """The state after a carrier said something: what it says comes in any order, and more than once."""
    return said if _RANK[said] > _RANK[before] else before


class Wish(StrEnum):
    """What a word alone says."""

    STOP = "stop"
    START = "start"
    HELP = "help"


def wish_of(body: str) -> Wish | None:
    """What a text wants of us where it is one of the words that everybody agrees on; else none."""
    word = body.strip().strip(".!?\"'«»“”").lower().replace("-", "").replace(" ", "")
    if word in _STOP:
        return Wish.STOP
    if word in _START:
        return Wish.START
    return Wish.HELP if word in _HELP else None


@dataclass(frozen=True, slots=True)
class Part:
    """The ``place``-th of several, which a long text was cut into; ``of`` is what they have in common."""

    of: str
    place: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A text as a carrier hands it in: ``number`` (ours) and ``other`` as it writes them, ``id`` its own."""

    number: str
    other: str
    body: str
    media: tuple[str, ...] = ()
    id: str = ""
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """What a carrier says of a text that it was given."""

    id: str
    state: State
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text that is to be kept. ``number`` and ``other`` as E.164 where they are telephones."""

    company_id: int
    account_id: int | None  # none: it came over SIP
    number: str
    other: str
    body: str
    media: tuple[str, ...]
    carrier_id: str | None
    part: Part | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be noted of a text that was sent."""

    company_id: int
    account_id: int
    carrier_id: str
    state: State
    fault: str
    received_at: datetime


def inbound_of(
    arrived: Arrived, *, company_id: int, account_id: int | None, region: str, received_at: datetime
) -> Inbound | None:
    """A text made safe; none where it says not who texted whom."""
    number, other = as_number(arrived.number, region), as_number(arrived.other, region)
    if not number or not other:
        return None
    return Inbound(
        company_id,
        account_id,
        number,
        other,
        plain(arrived.body)[:LONGEST_BODY],
        tuple(address for address in arrived.media if is_web_address(address))[:MOST_MEDIA],
        plain(arrived.id)[:200] or None,
        Part(plain(arrived.part.of)[:200], arrived.part.place) if arrived.part else None,
        received_at,
    )


def as_number(written: str, region: str) -> str:
    """A number as E.164, however a carrier writes it (``+1306…``, ``1306…``, ``306…``); else what it wrote."""
    text = plain(written).removeprefix("tel:").strip()
    if _TELEPHONE.fullmatch(text):
        for form in (text, f"+{text}" if text.isdigit() else text):
            try:
                return to_e164(form, region)
            except NumberError:
                continue
    return " ".join(text.split())[:_LONGEST_NAME]


def is_telephone(other: str) -> bool:
    """Whether somebody can be answered: a short code or a name cannot."""
    return re.fullmatch(r"\+[1-9][0-9]{6,14}", other) is not None


def plain(text: str) -> str:
    """Without what neither Postgres nor a page can hold."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def is_web_address(address: str) -> bool:
    """Whether an address may stand in a link."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(address) <= _LONGEST_ADDRESS


# GSM 03.38 (3GPP TS 23.038, 6.2.1), with what costs two places at the end.
GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_DOUBLE = "\f^{}\\[~]|€"


@dataclass(frozen=True, slots=True)
class Length:
    """How long a text is on the air: units (of 7 or 16 bits), and into how many segments it is cut."""

    units: int
    segments: int
    is_unicode: bool = field(default=False)


def length_of(body: str) -> Length:
    """3GPP TS 23.040: 160 letters of GSM's alphabet or 70 others in one; 153 or 67 in each of several."""
    if all(letter in GSM or letter in GSM_DOUBLE for letter in body):
        units, alone, each, wide = len(body) + sum(letter in GSM_DOUBLE for letter in body), 160, 153, False
    else:
        units, alone, each, wide = len(body.encode("utf-16-le", "replace")) // 2, 70, 67, True
    return Length(units, 1 if units <= alone else -(-units // each), wide)
