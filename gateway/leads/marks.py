"""Marks on calls, forms, chats and texts: status, note, tags. Each change answers what was there before.

Every function takes a connection that sees the company, and a call (by its number) or another lead (by its UUID) that
the caller has read on it.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosql

from gateway.leads.search import fold, words_of
from gateway.store.database import Connection
from gateway.store.queries import load_queries

# A call, or what is no call.
Marked = int | UUID

_FOLDER = Path(__file__).parent
_of_calls = load_queries(_FOLDER, "marks.sql")
_AS_LEADS = {
    "calls": "leads",
    "call_tags": "lead_tags",
    "call_words": "lead_words",
    "call_id": "lead_id",
    "started_at": "received_at",
    "caller_name": "email",
}


def _queries_of_leads() -> Any:
    """The queries of calls, over the tables of forms, chats and texts."""
    names = re.compile(rf"\b({'|'.join(_AS_LEADS)})\b")
    text = names.sub(lambda name: _AS_LEADS[name[0]], (_FOLDER / "marks.sql").read_text())
    return aiosql.from_str(text, "asyncpg", mandatory_parameters=False)


_of_leads = _queries_of_leads()

LONGEST_NOTE = 4000
LONGEST_TAG = 40


class Status(StrEnum):
    """How far a lead has come."""

    NEW = "new"
    LEAD = "lead"
    QUOTED = "quoted"
    BOOKED = "booked"
    LOST = "lost"
    SPAM = "spam"


@dataclass(frozen=True, slots=True)
class Tag:
    """A word the company marks calls and other leads with."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What people said of a call, or another lead."""

    status: Status
    note: str
    tags: tuple[Tag, ...]


async def marks_of(connection: Connection, company_id: int, id: Marked) -> Marks | None:
    """The marks of a lead; none where the connection sees no such lead."""
    queries, which = _at(company_id, id)
    row = await queries.marks_of_call(connection, **which)
    if row is None:
        return None
    tags = [Tag(tag["id"], tag["name"]) async for tag in queries.tags_of_call(connection, **which)]
    return Marks(Status(row["status"]), row["note"], tuple(tags))


async def set_status(connection: Connection, company_id: int, id: Marked, status: Status) -> Status | None:
    """Say how far it has come; what it was before, none where there is no such lead."""
    queries, which = _at(company_id, id)
    before = await queries.set_status(connection, **which, status=status.value)
    return Status(before) if before is not None else None


async def set_note(connection: Connection, company_id: int, id: Marked, note: str) -> str | None:
    """Write the note; the one before, none where there is no such lead."""
    queries, which = _at(company_id, id)
    before: str | None = await queries.set_note(connection, **which, note=note)
    if before is not None:
        await index(connection, company_id, id)
    return before


async def add_tag(connection: Connection, company_id: int, id: Marked, name: str) -> tuple[Tag, bool]:
    """Mark a lead with a tag, made if the company has none of that name; the tag, and whether the lead had it not."""
    queries, which = _at(company_id, id)
    row = await queries.tag_by_name(connection, company_id=company_id, name=name, folded=fold(name))
    tag = Tag(row["id"], row["name"])
    added = await queries.add_tag(connection, **which, tag_id=tag.id)
    if added is not None:
        await index(connection, company_id, id)
    return tag, added is not None


async def remove_tag(connection: Connection, company_id: int, id: Marked, tag_id: int) -> bool:
    """Take a tag off a lead; whether it had it."""
    queries, which = _at(company_id, id)
    removed = await queries.remove_tag(connection, **which, tag_id=tag_id)
    if removed is not None:
        await index(connection, company_id, id)
    return removed is not None


async def tags_of_company(connection: Connection, company_id: int) -> list[Tag]:
    """The tags that the company has, by name."""
    return [Tag(row["id"], row["name"]) async for row in _of_calls.tags_of_company(connection, company_id=company_id)]


async def touch(connection: Connection, company_id: int, id: Marked) -> None:
    """Let open pages read a lead again, because something beside it changed."""
    queries, which = _at(company_id, id)
    await queries.touch(connection, **which)


async def index(connection: Connection, company_id: int, id: Marked) -> None:
    """Make a lead findable by its words, as they are now.

    Those are the words of the caller's name or of what was typed, of the note and the tags.
    """
    queries, which = _at(company_id, id)
    texts = await (queries.texts_of_call if isinstance(id, int) else queries.texts_of_lead)(connection, **which)
    if texts is None:
        return
    said = [texts["caller_name"]] if isinstance(id, int) else _typed(texts)
    await queries.index_call(connection, **which, words=words_of([*texts["tags"], texts["note"], *said]))
    await touch(connection, company_id, id)


def _at(company_id: int, id: Marked) -> tuple[Any, dict[str, Any]]:
    if isinstance(id, UUID):
        return _of_leads, {"company_id": company_id, "lead_id": id}
    return _of_calls, {"company_id": company_id, "call_id": id}


def _typed(texts: Any) -> list[str]:
    data = json.loads(texts["data"])
    return [texts["email"], *(str(value) for value in data.values() if not isinstance(value, bool))]
