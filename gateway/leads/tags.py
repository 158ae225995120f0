"""The tags of a company: renamed, made part of another, removed, with all that has them; and all taken back.

Calls, forms, chats and texts are found by the words of their tags, so each change writes those words anew. Open pages
are not told of every one: they show the change when they are next read.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.leads import marks
from gateway.leads.search import fold, words_of
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "tags.sql")
_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class UsedTag:
    """A tag, how many calls (and other leads) have it, and when the last of them came."""

    id: int
    name: str
    calls: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredTag:
    """A tag as it is stored; ``folded`` is its name as it is compared."""

    id: int
    name: str
    folded: str


async def tags_used(connection: Connection, company_id: int) -> list[UsedTag]:
    """All tags by name."""
    return [UsedTag(**row) async for row in _queries.tags_used(connection, company_id=company_id)]


async def one_tag(connection: Connection, company_id: int, id: int, *, hold: bool = False) -> StoredTag | None:
    """A tag of a company; ``hold``: nobody else changes it before the transaction ends."""
    row = await (_queries.hold_tag if hold else _queries.one_tag)(connection, company_id=company_id, id=id)
    return StoredTag(**row) if row is not None else None


async def make_tag(connection: Connection, company_id: int, name: str) -> int | None:
    """A new tag; none where there is one of that name, however it is written."""
    id: int | None = await _queries.make_tag(connection, company_id=company_id, name=name, folded=fold(name))
    return id


async def rename_tag(connection: Connection, company_id: int, id: int, name: str) -> bool:
    """Give a tag another name; false where another tag has it."""
    folded = fold(name)
    if await _queries.is_anothers(connection, company_id=company_id, id=id, folded=folded):
        return False
    await _queries.rename_tag(connection, company_id=company_id, id=id, name=name, folded=folded)
    await _index(connection, company_id, await calls_of(connection, company_id, id))
    await _index_leads(connection, company_id, await leads_of(connection, company_id, id))
    return True


async def calls_of(connection: Connection, company_id: int, id: int) -> list[int]:
    """The calls that have a tag."""
    return [row["call_id"] async for row in _queries.calls_of_tag(connection, company_id=company_id, id=id)]


async def leads_of(connection: Connection, company_id: int, id: int) -> list[UUID]:
    """The forms, chats and texts that have a tag."""
    return [row["lead_id"] async for row in _queries.leads_of_tag(connection, company_id=company_id, id=id)]


async def views_of(connection: Connection, company_id: int, id: int) -> list[dict[str, Any]]:
    """The views people keep that are filtered by a tag."""
    return [dict(row) async for row in _queries.views_of_tag(connection, company_id=company_id, id=id)]


async def remove_tag(
    connection: Connection, company_id: int, tag: StoredTag, into: StoredTag | None = None
) -> dict[str, Any]:
    """Take a tag off every lead and forget it, or make it part of another; what ``put_back`` wants, fit for JSON.

    Views that people keep are filtered by the other tag from then on, or go with it where there is none.
    """
    calls, leads = await calls_of(connection, company_id, tag.id), await leads_of(connection, company_id, tag.id)
    views = await views_of(connection, company_id, tag.id)
    view_ids = [view["id"] for view in views]
    added: list[int] = []
    added_leads: list[str] = []
    if into is not None:
        place = {"company_id": company_id, "tag_id": into.id}
        added = [row["call_id"] async for row in _queries.tag_calls(connection, **place, calls=calls)]
        added_leads = [str(row["lead_id"]) async for row in _queries.tag_leads(connection, **place, leads=leads)]
        await _queries.lead_views(connection, company_id=company_id, id=tag.id, other=into.id, views=view_ids)
    else:
        await _queries.forget_views(connection, company_id=company_id, views=view_ids)
    await _queries.remove_tag(connection, company_id=company_id, id=tag.id)
    await _index(connection, company_id, calls)
    await _index_leads(connection, company_id, leads)
    return {
        "tag": {"id": tag.id, "name": tag.name, "folded": tag.folded},
        "calls": calls,
        "leads": [str(lead) for lead in leads],
        "views": views,
        "into": into and into.id,
        "added": added,
        "added_leads": added_leads,
    }


async def put_back(connection: Connection, company_id: int, removed: dict[str, Any]) -> bool:
    """A removed tag is there again, on all that had it and still is; false where another has its name by now."""
    tag, into = StoredTag(**removed["tag"]), removed["into"]
    if await _queries.is_anothers(connection, company_id=company_id, id=tag.id, folded=tag.folded):
        return False
    await _queries.put_back(connection, company_id=company_id, id=tag.id, name=tag.name, folded=tag.folded)
    rows = _queries.tag_calls(connection, company_id=company_id, tag_id=tag.id, calls=removed["calls"])
    tagged = [row["call_id"] async for row in rows]
    # An undo from before texts and forms had tags names none.
    leads = [UUID(each) for each in removed.get("leads", ())]
    rows = _queries.tag_leads(connection, company_id=company_id, tag_id=tag.id, leads=leads)
    tagged_leads = [row["lead_id"] async for row in rows]
    views = removed["views"]
    if into is not None:
        await _queries.untag_calls(connection, company_id=company_id, tag_id=into, calls=removed["added"])
        taken = [UUID(each) for each in removed.get("added_leads", ())]
        await _queries.untag_leads(connection, company_id=company_id, tag_id=into, leads=taken)
        view_ids = [view["id"] for view in views]
        await _queries.lead_views(connection, company_id=company_id, id=into, other=tag.id, views=view_ids)
    elif views:
        await _queries.bring_views_back(connection, company_id=company_id, views=json.dumps(views))
    await _index(connection, company_id, tagged)
    await _index_leads(connection, company_id, tagged_leads)
    return True


async def _index(connection: Connection, company_id: int, calls: Sequence[int]) -> None:
    """Make calls findable by the words of their callers' names, their notes and their tags, as they are now."""
    for start in range(0, len(calls), _AT_ONCE):
        some = calls[start : start + _AT_ONCE]
        rows = _queries.texts_of_calls(connection, company_id=company_id, calls=some)
        ids, words = _columns([row async for row in rows])
        await _queries.index_calls(connection, company_id=company_id, calls=some, ids=ids, words=words)


async def _index_leads(connection: Connection, company_id: int, leads: Sequence[UUID]) -> None:
    """The same of forms, chats and texts."""
    for lead in leads:
        await marks.index(connection, company_id, lead)


def _columns(rows: Collection[Any]) -> tuple[list[int], list[str]]:
    pairs = [(row["id"], word) for row in rows for word in words_of([row["caller_name"], *row["tags"], row["note"]])]
    return [id for id, _ in pairs], [word for _, word in pairs]
