"""Reads forms, chats and texts for the pages, as typed values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.http.call_filter import Place
from gateway.http.call_store import Row, Source, source_of
from gateway.leads.marks import Tag
from gateway.leads.naming import name_of
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "lead_store.sql")

# So much of what was written tells what it is about.
_FIRST_WORDS = 140
# What somebody wrote in his own words is longer than what a field asked for.
_OWN_WORDS = 25


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A lead that is no call: what was written, who wrote, where it came from, what people said of it."""

    id: UUID
    company_id: int
    kind: str
    data: Mapping[str, Any]
    phone: str
    email: str
    url: str
    title: str
    suspect: str
    received_at: datetime
    number: str  # of ours, of a text
    source: Source | None
    status: str = "new"
    note: str = ""
    tags: tuple[Tag, ...] = ()
    job_id: int | None = None
    job_value: Decimal | None = None
    job_currency: str | None = None
    region: str = ""
    is_first: bool = False
    channel: str = ""
    campaign: str = ""
    keyword: str = ""
    confidence: float | None = None
    pool_id: int | None = None
    pool_name: str | None = None
    site_name: str | None = None
    visit_id: UUID | None = None
    visitor_id: UUID | None = None

    is_call = False
    is_live = False

    @property
    def path(self) -> str:
        """The address of its page."""
        return f"/leads/{self.id}"

    @property
    def place(self) -> Place:
        """Where it stands in the order of leads."""
        return Place(self.received_at, self.id)

    @property
    def started_at(self) -> datetime:
        """When it came, as calls say it."""
        return self.received_at

    @property
    def caller(self) -> str | None:
        """The number it was written from, or left in it."""
        return self.phone or None

    @property
    def caller_name(self) -> str:
        """How who wrote it is called."""
        return name_of(self.data)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What was written, field by field."""
        return [(name, str(value)) for name, value in self.data.items() if value not in (None, "", [])]

    @property
    def first_words(self) -> str:
        """What it is about: the longest that somebody wrote in his own words, else what was typed first."""
        texts = [value for value in self.data.values() if isinstance(value, str) and value]
        own = max(texts, key=len, default="")
        if len(own) < _OWN_WORDS:
            known = {self.caller_name, self.email}
            own = " · ".join(text for text in texts if text not in known and text[0] not in "+(0123456789")
        text = " ".join(own.split())
        return text if len(text) <= _FIRST_WORDS else f"{text[: _FIRST_WORDS - 1].rstrip()}…"


async def lead_by_id(connection: Connection, lead_id: UUID) -> LeadRow | None:
    """One lead; none if there is none among the companies that the connection sees."""
    row = await _queries.lead_by_id(connection, lead_id=lead_id)
    return lead_row(row) if row is not None else None


async def has_conversation(connection: Connection, company_id: int, lead_id: UUID) -> bool:
    """Whether it is the beginning of a conversation by text."""
    return bool(await _queries.has_conversation(connection, company_id=company_id, lead_id=lead_id))


async def set_suspect(connection: Connection, company_id: int, lead_id: UUID, suspect: str) -> str | None:
    """Say that a program seems to have sent it (which kind), or that a person did (empty); what was said before."""
    before: str | None = await _queries.set_suspect(connection, company_id=company_id, lead_id=lead_id, suspect=suspect)
    return before


_FIELDS = [name for name in LeadRow.__dataclass_fields__ if name not in ("source", "tags", "data", "received_at")]


def lead_row(row: Row) -> LeadRow:
    """A row of the queries that read leads."""
    return LeadRow(
        **{name: row[name] for name in _FIELDS},
        data=json.loads(row["data"]),
        received_at=row["received_at"].astimezone(UTC),
        source=source_of(row),
        tags=tuple(Tag(*tag) for tag in row["tags"] or ()),
    )
