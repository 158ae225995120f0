"""Puts people together from calls and forms as these come, and from all history at first.

Whatever is written of a call or a form leaves a row in ``people_due`` (by triggers, so that nothing is left out); this
works it off in batches. A batch commits whole or not at all, so that a gateway that dies leaves nothing half done.
"""

import asyncio
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from uuid import UUID

import structlog

from gateway.health import Condition, Health
from gateway.leads.belonging import SURE, Key, KeyKind, Owner, Register
from gateway.leads.naming import name_of
from gateway.leads.search import words_of
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries

PART = "people"
LOOK_SECONDS = 1.0
# What a batch takes of the gateway's own time is a few milliseconds: a call that rings may have to wait for it.
BATCH = 250
# Of a batch, so many are the newest: while a long history is looked at, a call that comes in does not wait for it.
NEWEST = 50
# Other work goes on between two batches of a long history.
PAUSE_SECONDS = 0.02
# More than so many are told as that.
MOST_DUE_COUNTED = 100_000
# The shortest number that is a subscriber's: shorter ones are extensions and services.
FEWEST_DIGITS = 7

_queries = load_queries(Path(__file__).parent, "people.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A call or a form (``id`` is a number or a UUID), and what tells whose it is."""

    id: int | UUID
    at: datetime
    keys: tuple[Key, ...]
    name: str
    name_from: int  # 1: told by the network, 2: by a form
    person: int | None  # whose it was
    by_hand: bool


async def keep_gathering(database: Database, health: Health) -> None:
    """Look for what is due until cancelled."""
    for turn in count():
        try:
            done = await gather_some(database, newest=bool(turn % 2))
        except AWAY as error:
            _log.warning("people are put together later", fault=str(error))
            health.tell(PART, Condition.TROUBLED, "The database is away. Calls are given to people later.")
            done = 0
        else:
            health.tell(PART, Condition.OK, "Calls and forms are given to people.")
        await asyncio.sleep(PAUSE_SECONDS if done else LOOK_SECONDS)


async def gather_all(database: Database) -> int:
    """Look at everything that is due now; how much that was."""
    total = 0
    while done := await gather_some(database):
        total += done
    return total


async def gather_some(database: Database, *, newest: bool = False) -> int:
    """One batch of one company: that which waits longest, or the one last written of. How many rows it was."""
    async with database.everything() as connection:
        company_id = await (_queries.newest_due if newest else _queries.oldest_due)(connection)
    if company_id is None:
        return 0
    async with database.companies(company_id) as connection:
        await lock(connection, company_id)
        due = [
            row
            async for row in _queries.take_due(connection, company_id=company_id, newest=NEWEST, most=BATCH - NEWEST)
        ]
        calls = {row["call_id"] for row in due} - {None}
        leads = {row["lead_id"] for row in due} - {None}
        people = {row["person_id"] for row in due} - {None}
        entries = await _entries(connection, company_id, calls, leads)
        await _place(connection, company_id, entries, people)
    return len(due)


async def how_many_due(connection: Connection, company_id: int) -> int:
    """How many calls and forms are still to be looked at, at most one more than are counted."""
    return int(await _queries.how_many_due(connection, company_id=company_id, most=MOST_DUE_COUNTED + 1))


async def lock(connection: Connection, company_id: int) -> None:
    """Nobody else changes the company's people until the end of the transaction."""
    await _queries.lock_people(connection, company_id=company_id)


async def recount(connection: Connection, company_id: int, people: Collection[int]) -> None:
    """Count anew what stands beside these people's names, make them findable, and remove who has nothing left."""
    ids = sorted(people)
    if not ids:
        return
    await _queries.recount(connection, company_id=company_id, people=ids)
    gone = {row["id"] async for row in _queries.remove_empty(connection, company_id=company_id, people=ids)}
    ids = [id for id in ids if id not in gone]
    owners: list[int] = []
    words: list[str] = []
    async for row in _queries.texts_of(connection, company_id=company_id, people=ids):
        for word in words_of([row["name"], *row["emails"]]):
            owners.append(row["id"])
            words.append(word)
    await _queries.index_people(connection, company_id=company_id, people=ids, owners=owners, words=words)


async def move_all(connection: Connection, company_id: int, from_id: int, to: int) -> None:
    """All that is one person's becomes the other's, and the one is gone; who counts anew is the caller."""
    both = {"company_id": company_id, "from_id": from_id, "to": to}
    await _queries.move_keys(connection, **both)
    await _queries.move_entries(connection, **both)
    await _queries.move_apart(connection, **both)
    await _queries.move_name(connection, **both)
    await _queries.remove_person(connection, company_id=company_id, id=from_id)


def keys_of_entry(phone: str, email: str, visitor_id: object) -> tuple[Key, ...]:
    """What tells whose a call or form is; numbers that are no subscriber's tell nothing."""
    keys = []
    if phone.startswith("+") and len(phone) > FEWEST_DIGITS:
        keys.append(Key(KeyKind.PHONE, phone))
    if email:
        keys.append(Key(KeyKind.EMAIL, email))
    if visitor_id:
        keys.append(Key(KeyKind.VISITOR, str(visitor_id)))
    return tuple(keys)


async def _entries(
    connection: Connection, company_id: int, calls: Collection[int], leads: Collection[UUID]
) -> list[Entry]:
    """Calls and forms by time."""
    entries = []
    async for row in _queries.facts_of_calls(connection, company_id=company_id, ids=list(calls), sure=SURE):
        # Who withholds the number is nobody, whatever else is guessed.
        keys = keys_of_entry(row["caller"], "", row["visitor_id"]) if row["caller"] else ()
        entries.append(Entry(row["id"], row["at"], keys, row["caller_name"], 1, row["person_id"], row["by_hand"]))
    async for row in _queries.facts_of_leads(connection, company_id=company_id, ids=list(leads)):
        keys = () if row["is_suspect"] else keys_of_entry(row["phone"], row["email"], row["visitor_id"])
        name = name_of(json.loads(row["data"]))
        entries.append(Entry(row["id"], row["at"], keys, name, 2, row["person_id"], row["by_hand"]))
    return sorted(entries, key=lambda entry: (entry.at, str(entry.id)))


async def _place(connection: Connection, company_id: int, entries: Sequence[Entry], people: set[int]) -> None:
    register = await _register(connection, company_id, {key for entry in entries for key in entry.keys})
    before = dict(register.owners)
    ids = iter([row["id"] async for row in _queries.new_ids(connection, many=len(entries))])
    made: list[int] = []

    def new() -> int:
        made.append(next(ids))
        return made[-1]

    placed = [(entry, entry.person if entry.by_hand else register.place(entry.keys, new)) for entry in entries]
    now = register.now
    if fresh := [id for id in made if id not in register.joined]:
        await _queries.add_people(connection, company_id=company_id, ids=fresh)
    for goes in register.joined:
        if goes not in made:
            await move_all(connection, company_id, goes, now(goes))
    await _keep_keys(connection, company_id, register, before, placed)
    at_last = [(entry, now(person)) for entry, person in placed if person is not None]
    await _keep_entries(connection, company_id, at_last)
    lost = [entry for entry, person in placed if person is None and entry.person is not None]
    await _queries.nobodys(
        connection,
        company_id=company_id,
        calls=[entry.id for entry in lost if isinstance(entry.id, int)],
        leads=[entry.id for entry in lost if not isinstance(entry.id, int)],
    )
    await _name(connection, company_id, at_last)
    touched = people | {person for _, person in at_last} | {now(e.person) for e in entries if e.person is not None}
    await recount(connection, company_id, touched)


async def _register(connection: Connection, company_id: int, keys: Collection[Key]) -> Register:
    asked = sorted(keys, key=lambda key: (key.kind, key.value))
    owners = {
        Key(KeyKind(row["kind"]), row["value"]): Owner(row["person_id"], row["is_shared"])
        async for row in _queries.owners_of(
            connection,
            company_id=company_id,
            kinds=[key.kind.value for key in asked],
            values=[key.value for key in asked],
        )
    }
    people = sorted({owner.person for owner in owners.values()})
    found = _queries.contacts_of(connection, company_id=company_id, people=people)
    contacts = {row["person_id"]: row["contacts"] async for row in found}
    found = _queries.apart_of(connection, company_id=company_id, people=people)
    apart = [(row["one_id"], row["other_id"]) async for row in found]
    return Register.of(owners, apart, contacts)


async def _keep_keys(
    connection: Connection,
    company_id: int,
    register: Register,
    before: dict[Key, Owner],
    placed: Iterable[tuple[Entry, int | None]],
) -> None:
    """Keys that are new, and the moment when each was last met."""
    last: dict[Key, datetime] = {}
    for entry, _ in placed:
        for key in entry.keys:
            if key in register.owners and (key not in last or last[key] < entry.at):
                last[key] = entry.at
    given = sorted(last, key=lambda key: (key.kind, key.value))
    await _queries.keep_keys(
        connection,
        company_id=company_id,
        kinds=[key.kind.value for key in given],
        values=[key.value for key in given],
        people=[register.now(register.owners[key].person) for key in given],
        ats=[last[key] for key in given],
    )


async def _keep_entries(connection: Connection, company_id: int, placed: Sequence[tuple[Entry, int]]) -> None:
    for query, is_call in ((_queries.keep_calls, True), (_queries.keep_leads, False)):
        given = [
            (entry, person) for entry, person in placed if isinstance(entry.id, int) is is_call and not entry.by_hand
        ]
        if given:
            await query(
                connection,
                company_id=company_id,
                ids=[entry.id for entry, _ in given],
                people=[person for _, person in given],
                ats=[entry.at for entry, _ in given],
            )


async def _name(connection: Connection, company_id: int, placed: Iterable[tuple[Entry, int]]) -> None:
    best: dict[int, Entry] = {}
    for entry, person in placed:
        known = best.get(person)
        if entry.name and (known is None or (entry.name_from, entry.at) >= (known.name_from, known.at)):
            best[person] = entry
    if best:
        await _queries.name_people(
            connection,
            company_id=company_id,
            people=list(best),
            names=[entry.name for entry in best.values()],
            ranks=[entry.name_from for entry in best.values()],
            ats=[entry.at for entry in best.values()],
        )
