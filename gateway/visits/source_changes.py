"""One source as the settings change it: renamed, coloured, hidden, or merged into another.

What the rules name a visit leads to a source by its labels, so a source that is renamed goes on being found, and the
visits of one that was merged count where it went.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from asyncpg import UniqueViolationError

from gateway.errors import Mendable
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "source_changes.sql")


class NameOfAnother(Mendable):
    """Another source has this name, or had it; give this one another name, or merge the two."""


class StillInUse(Mendable):
    """Numbers stand for this source; give them another source or retire them first."""


class BothHave(Mendable):
    """Both sources have an entry for the same thing, which there may be only once; remove one of the two first."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self.table = table


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What is set of a source. ``source``, ``medium`` and ``campaign`` tell its visits; ``colour`` is its place."""

    id: int
    name: str
    channel: str
    source: str
    medium: str
    campaign: str
    colour: int
    hidden_at: datetime | None


async def one_source(connection: Any, company_id: int, id: int, *, hold: bool = False) -> SourceSettings | None:
    """A source of a company; ``hold``: nobody else changes it before the transaction ends."""
    query = _queries.hold_source if hold else _queries.one_source
    row = await query(connection, company_id=company_id, id=id)
    return SourceSettings(**row) if row is not None else None


async def labels_of(connection: Any, company_id: int, id: int) -> tuple[str, ...]:
    """What visits are named that count for a source."""
    return tuple([row["label"] async for row in _queries.labels(connection, company_id=company_id, id=id)])


async def save_source(connection: Any, company_id: int, wanted: SourceSettings) -> str | None:
    """Set everything of a source but whether it is hidden.

    The new name becomes one of its labels; it comes back where it was none before, for an undo. Raises NameOfAnother.
    """
    place = {"company_id": company_id, "id": wanted.id}
    if await _queries.is_anothers(connection, **place, name=wanted.name):
        raise NameOfAnother
    before = await labels_of(connection, company_id, wanted.id)
    await _queries.save_source(
        connection,
        **place,
        name=wanted.name,
        channel=wanted.channel,
        source=wanted.source,
        medium=wanted.medium,
        campaign=wanted.campaign,
        colour=wanted.colour,
    )
    return None if wanted.name in before else wanted.name


async def take_name_back(connection: Any, company_id: int, before: SourceSettings, label: str | None) -> None:
    """A source is as it was; ``label`` is the name that it got by the change. Raises NameOfAnother."""
    await save_source(connection, company_id, before)
    if label is not None:
        await _queries.forget_label(connection, company_id=company_id, id=before.id, label=label)


async def hide(connection: Any, company_id: int, id: int, at: datetime | None) -> None:
    """Offer a source no longer, or again (none); what it brought stays. Raises StillInUse."""
    if at is not None and await numbers_in_use(connection, company_id, id):
        raise StillInUse
    await _queries.set_hidden(connection, company_id=company_id, id=id, hidden_at=at)


async def numbers_in_use(connection: Any, company_id: int, id: int) -> int:
    """How many numbers stand for a source that are not retired."""
    found: int = await _queries.numbers_of(connection, company_id=company_id, id=id)
    return found


async def rows_of(connection: Any, company_id: int, id: int) -> Mapping[str, int]:
    """How many rows of each table are a source's, by the table's name."""
    return {
        row["relation"]: row["rows_there"] async for row in _queries.rows_of(connection, company_id=company_id, id=id)
    }


async def merge(connection: Any, company_id: int, merged: int, target: int) -> None:
    """Whatever is of one source is another's from now on, and the one is gone. Raises BothHave."""
    try:
        async with connection.transaction():
            await _queries.merge(connection, company_id=company_id, merged=merged, target=target)
    except UniqueViolationError as error:
        raise BothHave(error.table_name or "") from None


async def split(connection: Any, company_id: int, merged: int) -> bool:
    """Take a merge back, within two days; false where it is too late, or its name is another's by now."""
    return bool(await _queries.split(connection, company_id=company_id, merged=merged))


async def merged_into(connection: Any, company_id: int, id: int) -> int | None:
    """The source that one was merged into."""
    found: int | None = await _queries.merged_into(connection, company_id=company_id, id=id)
    return found


def changes(before: SourceSettings, after: SourceSettings) -> dict[str, list[Any]]:
    """What differs, as the audit log keeps it."""
    after = replace(after, hidden_at=before.hidden_at)
    names = ("name", "channel", "source", "medium", "campaign", "colour")
    return {
        name: [getattr(before, name), getattr(after, name)]
        for name in names
        if getattr(before, name) != getattr(after, name)
    }
