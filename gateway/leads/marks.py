"""Marks on calls: status, note, tags. Each change answers what was there before, so that it can be told and taken back.

Every function takes a connection that sees the company, and a call that the caller has read on it.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway.leads.search import fold, words_of
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "marks.sql")

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
    """A word the company marks calls with."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What people said of a call."""

    status: Status
    note: str
    tags: tuple[Tag, ...]


async def marks_of(connection: Connection, company_id: int, call_id: int) -> Marks | None:
    """The marks of a call; none where the connection sees no such call."""
    row = await _queries.marks_of_call(connection, company_id=company_id, call_id=call_id)
    if row is None:
        return None
    tags = [
        Tag(tag["id"], tag["name"])
        async for tag in _queries.tags_of_call(connection, company_id=company_id, call_id=call_id)
    ]
    return Marks(Status(row["status"]), row["note"], tuple(tags))


async def set_status(connection: Connection, company_id: int, call_id: int, status: Status) -> Status | None:
    """Say how far it has come; what it was before, none where there is no such call."""
    before = await _queries.set_status(connection, company_id=company_id, call_id=call_id, status=status.value)
    return Status(before) if before is not None else None


async def set_note(connection: Connection, company_id: int, call_id: int, note: str) -> str | None:
    """Write the note; the one before, none where there is no such call."""
    before: str | None = await _queries.set_note(connection, company_id=company_id, call_id=call_id, note=note)
    if before is not None:
        await index(connection, company_id, call_id)
    return before


async def add_tag(connection: Connection, company_id: int, call_id: int, name: str) -> tuple[Tag, bool]:
    """Mark a call with a tag, made if the company has none of that name; the tag, and whether the call had it not."""
    row = await _queries.tag_by_name(connection, company_id=company_id, name=name, folded=fold(name))
    tag = Tag(row["id"], row["name"])
    added = await _queries.add_tag(connection, company_id=company_id, call_id=call_id, tag_id=tag.id)
    if added is not None:
        await index(connection, company_id, call_id)
    return tag, added is not None


async def remove_tag(connection: Connection, company_id: int, call_id: int, tag_id: int) -> bool:
    """Take a tag off a call; whether it had it."""
    removed = await _queries.remove_tag(connection, company_id=company_id, call_id=call_id, tag_id=tag_id)
    if removed is not None:
        await index(connection, company_id, call_id)
    return removed is not None


async def tags_of_company(connection: Connection, company_id: int) -> list[Tag]:
    """The tags that the company has, by name."""
    return [Tag(row["id"], row["name"]) async for row in _queries.tags_of_company(connection, company_id=company_id)]


async def touch(connection: Connection, company_id: int, call_id: int) -> None:
    """Let open pages read a call again, because something beside it changed."""
    await _queries.touch(connection, company_id=company_id, call_id=call_id)


async def index(connection: Connection, company_id: int, call_id: int) -> None:
    """Make a call findable by the words of its caller's name, its note and its tags, as they are now."""
    texts = await _queries.texts_of_call(connection, company_id=company_id, call_id=call_id)
    if texts is not None:
        words = words_of([texts["caller_name"], *texts["tags"], texts["note"]])
        await _queries.index_call(connection, company_id=company_id, call_id=call_id, words=words)
        await touch(connection, company_id, call_id)
