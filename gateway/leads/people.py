"""People corrected by hand: joined, split, named, a number marked as shared. Each change answers what takes it back.

Every function takes a connection that sees the company, in a transaction. What comes back for undo is plain JSON.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.leads.belonging import SURE, Key, KeyKind
from gateway.leads.gathering import keys_of_entry, lock, move_all, recount
from gateway.store.database import Connection
from gateway.store.queries import load_queries

LONGEST_NOTE = 4000
BY_HAND = 3

_queries = load_queries(Path(__file__).parent, "people.sql")


@dataclass(frozen=True, slots=True)
class PersonKey:
    """What tells that something is this person's, and when it was last met."""

    kind: KeyKind
    value: str
    is_shared: bool
    last_at: datetime

    @property
    def name(self) -> str:
        """As forms name it."""
        return f"{self.kind.value}:{self.value}"


@dataclass(frozen=True, slots=True)
class Split:
    """Who was made of a part, and how to take it back."""

    person: int
    back: dict[str, Any]


async def keys_of(connection: Connection, company_id: int, person: int) -> list[PersonKey]:
    """The numbers, addresses and browsers of a person."""
    found = _queries.keys_of(connection, company_id=company_id, id=person)
    keys = [PersonKey(KeyKind(r["kind"]), r["value"], r["is_shared"], r["last_at"]) async for r in found]
    return sorted(keys, key=lambda key: list(KeyKind).index(key.kind))


async def join(connection: Connection, company_id: int, person: int, other: int) -> dict[str, Any] | None:
    """``other`` is the same person, and is gone. None where one of them is not there, or both are one."""
    await lock(connection, company_id)
    kept = await _queries.person(connection, company_id=company_id, id=person)
    gone = await _queries.person(connection, company_id=company_id, id=other)
    if kept is None or gone is None or person == other:
        return None
    entries = [row["id"] async for row in _queries.entries_of(connection, company_id=company_id, id=other, sure=SURE)]
    parted = [row["other_id"] async for row in _queries.aparts_of(connection, company_id=company_id, id=other)]
    back = {
        "person": person,
        "name": kept["name"],
        "name_from": kept["name_from"],
        "note": kept["note"],
        "gone": dict(gone),
        "keys": [told(key) for key in await keys_of(connection, company_id, other)],
        "entries": entries,
        "apart": parted,
    }
    await move_all(connection, company_id, other, person)
    await recount(connection, company_id, [person])
    return back


async def unjoin(connection: Connection, company_id: int, back: dict[str, Any]) -> None:
    """Undo :func:`join`: the other is there again, with what was his then and is still here."""
    await lock(connection, company_id)
    person, gone = back["person"], back["gone"]
    await _queries.bring_person(connection, company_id=company_id, **gone)
    keys = [[k.kind.value, k.value] for k in await keys_of(connection, company_id, person) if told(k) in back["keys"]]
    await _take(connection, company_id, person, gone["id"], keys, back["entries"], ())
    for third in back["apart"]:
        await _queries.part(connection, company_id=company_id, one=gone["id"], other=third)
    await _queries.set_name(
        connection, company_id=company_id, id=person, name=back["name"], name_from=back["name_from"]
    )
    await _queries.set_note(connection, company_id=company_id, id=person, note=back["note"])
    await recount(connection, company_id, [person, gone["id"]])


async def split(
    connection: Connection,
    company_id: int,
    person: int,
    keys: Collection[Key],
    calls: Collection[int] = (),
    leads: Collection[UUID] = (),
) -> Split | None:
    """Make another person of some keys with all that is theirs, and of calls and forms that are named themselves.

    The two are never joined again by themselves. None where nothing would go, or nothing stay.
    """
    await lock(connection, company_id)
    own = await keys_of(connection, company_id, person)
    goes = [key for key in own if Key(key.kind, key.value) in keys]
    entries = [row async for row in _queries.entries_of(connection, company_id=company_id, id=person, sure=SURE)]
    named = [row["id"] for row in entries if row["call_id"] in calls or row["lead_id"] in leads]
    known = {Key(key.kind, key.value) for key in own}
    going = {Key(key.kind, key.value) for key in goes}
    theirs = [row["id"] for row in entries if row["id"] not in named and _strongest(row, known) in going]
    if not (named or theirs) or len(named) + len(theirs) == len(entries):
        return None
    other = await _new_person(connection, company_id)
    await _take(
        connection, company_id, person, other, [[key.kind.value, key.value] for key in goes], named + theirs, named
    )
    await _queries.part(connection, company_id=company_id, one=person, other=other)
    await recount(connection, company_id, [person, other])
    freed = [row["id"] for row in entries if row["id"] in named and not row["by_hand"]]
    return Split(other, {"person": person, "other": other, "freed": freed})


async def unsplit(connection: Connection, company_id: int, back: dict[str, Any]) -> None:
    """Undo :func:`split`: both are one again."""
    await lock(connection, company_id)
    person, other = back["person"], back["other"]
    if await _queries.person(connection, company_id=company_id, id=person) is None:
        return
    await move_all(connection, company_id, other, person)
    await _queries.free_entries(connection, company_id=company_id, ids=back["freed"])
    await recount(connection, company_id, [person])


async def share(connection: Connection, company_id: int, person: int, key: Key) -> Split | None:
    """Many use this number or address: from now on it tells nothing of what has another sign.

    What has no other sign stays together, as an entry of its own. None where the person has no such key.
    """
    await lock(connection, company_id)
    own = await keys_of(connection, company_id, person)
    if all((each.kind, each.value) != (key.kind, key.value) for each in own):
        return None
    await _set_shared(connection, company_id, key, True)
    shared = [[key.kind.value, key.value]]
    remembered = told(key)
    if len(own) == 1:
        return Split(person, {"key": remembered, "person": person, "other": None, "entries": []})
    rest = {Key(each.kind, each.value) for each in own} - {key}
    entries = [row async for row in _queries.entries_of(connection, company_id=company_id, id=person, sure=SURE)]
    only = [row["id"] for row in entries if not row["by_hand"] and not rest.intersection(_keys(row))]
    other = await _new_person(connection, company_id)
    await _take(connection, company_id, person, other, shared, only, ())
    await recount(connection, company_id, [person, other])
    return Split(other, {"key": remembered, "person": person, "other": other, "entries": only})


async def unshare(connection: Connection, company_id: int, key: Key) -> bool:
    """One person uses it after all: what comes from now on with it is this person's. Whether it was shared."""
    await lock(connection, company_id)
    owners = _queries.owners_of(connection, company_id=company_id, kinds=[key.kind.value], values=[key.value])
    shared = [row async for row in owners if row["is_shared"]]
    if shared:
        await _set_shared(connection, company_id, key, False)
    return bool(shared)


async def take_back_sharing(connection: Connection, company_id: int, back: dict[str, Any]) -> None:
    """Undo :func:`share`."""
    await lock(connection, company_id)
    for key in await keys_of(connection, company_id, back["other"] or back["person"]):
        if told(key) == back["key"]:
            await _set_shared(connection, company_id, Key(key.kind, key.value), False)
    if back["other"] is not None:
        if await _queries.person(connection, company_id=company_id, id=back["person"]) is None:
            return
        await move_all(connection, company_id, back["other"], back["person"])
        await recount(connection, company_id, [back["person"]])


async def rename(connection: Connection, company_id: int, person: int, name: str) -> dict[str, Any] | None:
    """Name a person by hand; an empty name lets forms and callers tell it again. None: it is not there."""
    before = await _queries.person(connection, company_id=company_id, id=person)
    if before is None:
        return None
    await _queries.set_name(connection, company_id=company_id, id=person, name=name, name_from=BY_HAND if name else 0)
    await recount(connection, company_id, [person])
    return {"person": person, "name": before["name"], "name_from": before["name_from"]}


async def name_back(connection: Connection, company_id: int, back: dict[str, Any]) -> None:
    """Undo :func:`rename`."""
    await _queries.set_name(
        connection, company_id=company_id, id=back["person"], name=back["name"], name_from=back["name_from"]
    )
    await recount(connection, company_id, [back["person"]])


async def write_note(connection: Connection, company_id: int, person: int, note: str) -> str | None:
    """What is worth remembering of a person; the note before, none where the person is not there."""
    before = await _queries.person(connection, company_id=company_id, id=person)
    if before is None:
        return None
    await _queries.set_note(connection, company_id=company_id, id=person, note=note)
    return str(before["note"])


def told(key: Key | PersonKey) -> list[str]:
    """A key as undo remembers it: who asks to be forgotten must not be found there, so a browser is only recognised."""
    if key.kind is KeyKind.VISITOR:
        return [key.kind.value, hashlib.sha256(key.value.encode()).hexdigest()]
    return [key.kind.value, key.value]


def _keys(entry: Any) -> tuple[Key, ...]:
    return keys_of_entry(entry["phone"], entry["email"], entry["visitor_id"])


def _strongest(entry: Any, known: Collection[Key]) -> Key | None:
    """By which of the person's keys an entry is his; what was put there by hand is so by none."""
    if entry["by_hand"]:
        return None
    return next((key for key in _keys(entry) if key in known), None)


async def _new_person(connection: Connection, company_id: int) -> int:
    ids = [row["id"] async for row in _queries.new_ids(connection, many=1)]
    await _queries.add_people(connection, company_id=company_id, ids=ids)
    return int(ids[0])


async def _take(
    connection: Connection,
    company_id: int,
    person: int,
    other: int,
    keys: Sequence[Sequence[str]],
    entries: Sequence[int],
    by_hand: Sequence[int],
) -> None:
    await _queries.take_keys(
        connection,
        company_id=company_id,
        from_id=person,
        to=other,
        kinds=[kind for kind, _ in keys],
        values=[value for _, value in keys],
    )
    await _queries.take_entries(
        connection, company_id=company_id, from_id=person, to=other, ids=list(entries), by_hand=list(by_hand)
    )


async def _set_shared(connection: Connection, company_id: int, key: Key, is_shared: bool) -> None:
    await _queries.set_shared(
        connection, company_id=company_id, kind=key.kind.value, value=key.value, is_shared=is_shared
    )
