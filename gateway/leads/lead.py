"""A lead as it is stored: what was typed, made safe, and where it came from. No I/O."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.leads.contact import Contact, Value, contact_of
from gateway.visits.entries import LONGEST_URL, page_without_identity

MOST_FIELDS = 50
_LONGEST_NAME = 100
_LONGEST_TEXT = 4000
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# What nobody wants to find in a list of leads, whatever form it was typed into.
_SECRET_NAME = re.compile(r"passw|kennwort|пароль|\bpin\b|cvv|cvc|card.?(?:no|num)", re.IGNORECASE)
_CARD = re.compile(r"[2-6](?:[ -]?[0-9]){12,18}")
_WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Lead:
    """What a page of a site handed in. ``data`` holds what was typed by the names of the fields.

    ``visit_id`` and ``exposure_id`` are what the page says; whether the lead is linked with them is decided where it is
    stored. ``suspect`` names the kind of program that seems to have sent it; empty: a person. What a program of the
    company's hands in has no site, and may have that program's own id for it (``sent_as``), the tracking number that
    it came to (E.164) and the visitor where it knows no visit.
    """

    company_id: int
    site_id: int | None
    id: UUID
    kind: str
    data: Mapping[str, Value]
    contact: Contact
    visit_id: UUID | None
    exposure_id: UUID | None
    url: str
    title: str
    suspect: str
    received_at: datetime
    sent_as: str = ""
    number: str = ""
    visitor_id: UUID | None = None

    @property
    def likeness(self) -> bytes:
        """Alike for what is sent twice: by a browser the same from the same visit, by a program what it names so."""
        if self.sent_as:
            return hashlib.sha256(f"{self.company_id}/{self.sent_as}".encode("utf-8", "replace")).digest()
        said = json.dumps([self.site_id, self.kind, str(self.visit_id), dict(self.data)], sort_keys=True)
        return hashlib.sha256(said.encode("utf-8", "replace")).digest()


def lead_of(
    *,
    company_id: int,
    site_id: int | None,
    id: UUID,
    kind: str,
    data: Mapping[str, Value | None],
    region: str,
    visit_id: UUID | None,
    exposure_id: UUID | None,
    url: str,
    title: str,
    suspect: str,
    received_at: datetime,
    sent_as: str = "",
) -> Lead:
    """A lead out of what a page sent. Fields beyond the fiftieth are left away, long texts are cut."""
    kept = kept_of(data)
    return Lead(
        company_id=company_id,
        site_id=site_id,
        id=id,
        kind=kind,
        data=kept,
        contact=contact_of(kept, region),
        visit_id=visit_id,
        exposure_id=exposure_id,
        # Of the query only the tags of an advertisement: the rest may hold anything, such as a way into an account.
        url=page_without_identity(_CONTROL.sub("", url))[:LONGEST_URL],
        title=title,
        suspect=suspect,
        received_at=received_at,
        sent_as=sent_as,
    )


def kept_of(data: Mapping[str, Value | None]) -> dict[str, Value]:
    """What is kept of the fields: nothing empty, and no secrets."""
    kept: dict[str, Value] = {}
    for name, value in data.items():
        name = _CONTROL.sub("", name).strip()[:_LONGEST_NAME]
        if isinstance(value, str):
            value = _CONTROL.sub("", value).strip()[:_LONGEST_TEXT]
        if not name or value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
            continue
        kept[name] = _WITHHELD if _is_secret(name, value) else value
        if len(kept) == MOST_FIELDS:
            break
    return kept


def _is_secret(name: str, value: Value) -> bool:
    if isinstance(value, bool):
        return False
    text = str(value)
    return bool(_SECRET_NAME.search(name)) or bool(_CARD.fullmatch(text) and _adds_up(text))


def _adds_up(card: str) -> bool:
    """Whether digits end in the check digit of a payment card (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(int(letter) for letter in reversed(card) if letter.isdigit()):
        total += digit if place % 2 == 0 else sum(divmod(2 * digit, 10))
    return total % 10 == 0
