"""Reads conversations for the pages: the list, one of them, and those of a person."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from gateway.http.call_filter import LONGEST_TEXT, Place
from gateway.http.call_store import Source, source_of
from gateway.http.refusals import BadRequest
from gateway.http.words import Words
from gateway.store.database import Connection
from gateway.store.queries import load_queries
from gateway.texts.text import State

_queries = load_queries(Path(__file__).parent, "conversations.sql")

PAGE = 50
TEXTS = 100
_LONGEST_GLIMPSE = 140


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A line of the list. ``glimpse`` is how its last text begins; ``person`` may have no name."""

    id: int
    number: str
    other: str
    last_at: datetime
    is_unread: bool
    is_ours: bool  # the last text
    glimpse: str
    pictures: int
    has_failed: bool
    person: str
    source: Source | None
    is_opted_out: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation. ``opted_out_by`` is the word by which they said that they want no texts."""

    id: int
    company_id: int
    number: str
    other: str
    last_at: datetime
    account_id: int | None
    person_id: int | None
    person: str
    pool: str | None
    opted_out_by: str | None
    opted_out_at: datetime | None


@dataclass(frozen=True, slots=True)
class Bubble:
    """A text of a conversation. ``lead_id`` where it began a lead, which ``source`` brought."""

    id: int
    is_ours: bool
    body: str
    media: tuple[str, ...]
    state: State
    fault: str
    at: datetime
    sender: str | None
    lead_id: UUID | None
    source: Source | None
    confidence: float | None

    @property
    def may_be_sent_again(self) -> bool:
        """Whether a person may decide so."""
        return self.is_ours and self.state in (State.FAILED, State.UNSURE)


@dataclass(frozen=True, slots=True)
class Day:
    """The texts of one day of the company's calendar, the oldest first."""

    day: date
    texts: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True)
class TalksView:
    """What the address of the list asks for."""

    q: str = ""
    unread: bool = False
    before: Place | None = None
    company: int | None = None  # only where the viewer has several

    @classmethod
    def parse(cls, query: Mapping[str, str], company: int | None) -> "TalksView":
        """Raises BadRequest where a value cannot be one."""
        q, before = query.get("q", "").strip(), query.get("before")
        if len(q) > LONGEST_TEXT or not q.isprintable():
            raise BadRequest(part="q")
        return cls(q, bool(query.get("unread")), Place.parse(before) if before else None, company)

    def url(self, **changes: Any) -> str:
        """The view with some parts changed."""
        changed = replace(self, **{"before": None, **changes})
        parts = {
            "company": changed.company,
            "q": changed.q or None,
            "unread": "yes" if changed.unread else None,
            "before": changed.before,
        }
        query = urlencode({name: str(value) for name, value in parts.items() if value is not None})
        return f"/conversations?{query}" if query else "/conversations"

    @property
    def is_narrowed(self) -> bool:
        """Whether it shows less than all."""
        return bool(self.q or self.unread)

    @property
    def digits(self) -> str | None:
        """What is looked for in numbers."""
        return "".join(letter for letter in self.q if letter.isascii() and letter.isdigit()) or self.q or None


async def page_of_talks(
    connection: Connection, company_id: int, view: TalksView
) -> tuple[list[ConversationRow], str | None]:
    """A page of the list, and the address of the next; none where this is the end."""
    before = view.before.among_calls if view.before else (None, None)
    rows = _queries.page_of_conversations(
        connection,
        company_id=company_id,
        before_at=before[0],
        before_id=before[1],
        digits=view.digits,
        unread=view.unread,
        most=PAGE + 1,
    )
    found = [_row(row) async for row in rows]
    shown = found[:PAGE]
    older = view.url(before=Place(shown[-1].last_at, shown[-1].id)) if len(found) > PAGE else None
    return shown, older


async def has_any(connection: Connection, company_id: int) -> bool:
    """Whether anybody ever wrote."""
    return bool(await _queries.has_any(connection, company_id=company_id))


async def talk_by_id(connection: Connection, id: int) -> Talk | None:
    """One conversation of those that the connection sees."""
    row = await _queries.conversation(connection, id=id)
    if row is None:
        return None
    return Talk(
        row["id"],
        row["company_id"],
        row["number"],
        row["other"],
        row["last_at"],
        row["account_id"],
        row["person_id"],
        row["person"] or "",
        row["pool"],
        row["opted_out_by"],
        row["opted_out_at"],
    )


async def talk_of_lead(connection: Connection, lead_id: UUID) -> tuple[int, int] | None:
    """The conversation in which a lead began, and the text; none where it was none."""
    row = await _queries.conversation_of_lead(connection, lead_id=lead_id)
    return None if row is None else (row["conversation_id"], row["id"])


async def texts_of(
    connection: Connection, talk: Talk, before: Place | None, words: Words
) -> tuple[list[Day], Place | None]:
    """Its newest texts by day, the oldest first, and from where on there are older ones."""
    place = before.among_calls if before else (None, None)
    rows = _queries.texts_of_conversation(
        connection,
        company_id=talk.company_id,
        conversation_id=talk.id,
        before_at=place[0],
        before_id=place[1],
        most=TEXTS + 1,
    )
    found = [_bubble(row) async for row in rows]
    shown = found[:TEXTS]
    days = groupby(reversed(shown), key=lambda text: words.local_day(text.at))
    older = Place(shown[-1].at, shown[-1].id) if len(found) > TEXTS else None
    return [Day(day, tuple(texts)) for day, texts in days], older


async def was_read(connection: Connection, talk: Talk) -> None:
    """Somebody who may answer has it before their eyes."""
    await _queries.was_read(connection, company_id=talk.company_id, id=talk.id)


async def talks_of_person(connection: Connection, company_id: int, person: int) -> list[Any]:
    """The conversations with a person's numbers, the last first."""
    return [row async for row in _queries.conversations_of_person(connection, company_id=company_id, person=person)]


def _row(row: Any) -> ConversationRow:
    body = " ".join((row["body"] or "").split())
    return ConversationRow(
        row["id"],
        row["number"],
        row["other"],
        row["last_at"],
        row["is_unread"],
        row["direction"] == "out",
        body if len(body) <= _LONGEST_GLIMPSE else body[:_LONGEST_GLIMPSE].rstrip() + "…",
        row["pictures"] or 0,
        row["state"] == State.FAILED,
        row["person"] or "",
        source_of(row),
        row["is_opted_out"],
    )


def _bubble(row: Any) -> Bubble:
    return Bubble(
        row["id"],
        row["direction"] == "out",
        row["body"],
        tuple(json.loads(row["media"])),
        State(row["state"]),
        row["fault"],
        row["at"],
        row["sender"],
        row["lead_id"],
        source_of(row),
        row["confidence"],
    )
