"""Destinations changed and removed: where calls ring is never left open."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.calls.flow_setup import flows_that_ring, ring_instead
from gateway.pools import errors, setup
from gateway.pools.numbers import printed
from gateway.pools.setup import Company
from gateway.store.queries import load_queries

# What nothing is called by: no destination is next.
NONE = "none"
_MOST_NAMED = 5

_queries = load_queries(Path(__file__).parent, "destinations.sql")


async def change_destination(
    connection: Any,
    company: Company,
    name: str,
    *,
    new_name: str | None = None,
    dial: str | None = None,
    ring_seconds: int | None = None,
    next_name: str | None = None,
    is_default: bool = False,
    contexts: Collection[str] = (),
    trunks: bool = True,
) -> str:
    """Change what is named of a destination; the name it has then. Calls that ring already go on as they began.

    ``next_name``: where a call goes when nobody answers, ``none`` for nowhere; ``is_default`` makes it the main line.
    Raises NoSuchDestination, NameTaken, NoName, NextInCircle and what ``setup.checked_dial`` raises, BadRingSeconds.
    """
    known = await _held(connection, company)
    present = _named(known, name)
    changed = dict(present)
    if new_name is not None:
        changed["name"] = setup.checked_name(new_name)
        if any(row["name"] == changed["name"] and row["id"] != present["id"] for row in known):
            raise errors.NameTaken(changed["name"])
    if dial is not None:
        changed["dial"] = await setup.checked_dial(connection, company, dial, contexts=contexts, trunks=trunks)
    if ring_seconds is not None:
        changed["ring_seconds"] = setup.checked_ring_seconds(ring_seconds)
    if next_name is not None:
        nowhere = next_name.strip().lower() in ("", NONE) and not any(row["name"] == next_name.strip() for row in known)
        changed["next_id"] = None if nowhere else _named(known, next_name)["id"]
        if _comes_back(known, present["id"], changed["next_id"]):
            raise errors.NextInCircle(next_name.strip())
    if is_default and not present["is_default"]:
        changed["is_default"] = True
        for row in known:
            if row["is_default"]:
                await _queries.change_destination(
                    connection, company_id=company.id, **{**dict(row), "is_default": False}
                )
    await _queries.change_destination(connection, company_id=company.id, **changed)
    return str(changed["name"])


async def remove_destination(connection: Any, company: Company, name: str, *, instead: str | None = None) -> None:
    """Remove a destination that nothing leads to; with ``instead``, what led there leads to that one from then on.

    Raises NoSuchDestination, StillLeadsThere.
    """
    known = await _held(connection, company)
    gone = _named(known, name)
    if instead is not None:
        await _lead_to(connection, company, known, gone, _named([row for row in known if row is not gone], instead))
    elif reasons := await _what_leads_to(connection, company, known, gone):
        raise errors.StillLeadsThere(gone["name"], reasons)
    await _queries.remove_destination(connection, company_id=company.id, id=gone["id"])


async def write(connection: Any, company_id: int, row: Mapping[str, Any]) -> None:
    """Set a destination to what was there once, without asking again whether it may be so."""
    values = {key: row[key] for key in ("id", "name", "dial", "ring_seconds", "next_id", "is_default")}
    await _queries.change_destination(connection, company_id=company_id, **values)


async def _lead_to(connection: Any, company: Company, known: Sequence[Any], gone: Any, other: Any) -> None:
    """Let everything that leads to ``gone`` lead to ``other``, or nowhere where it would come round in a circle."""
    rows = {row["id"]: dict(row) for row in known}
    del rows[gone["id"]]
    if rows[other["id"]]["next_id"] == gone["id"]:
        rows[other["id"]]["next_id"] = gone["next_id"] if gone["next_id"] != other["id"] else None
    for row in rows.values():
        if row["next_id"] == gone["id"]:
            row["next_id"] = None
            if not _comes_back(list(rows.values()), row["id"], other["id"]):
                row["next_id"] = other["id"]
    if gone["is_default"]:
        await _queries.change_destination(connection, company_id=company.id, **{**dict(gone), "is_default": False})
        rows[other["id"]]["is_default"] = True
    await ring_instead(connection, company, gone["id"], other["id"])
    for row in rows.values():
        await _queries.change_destination(connection, company_id=company.id, **row)
    await _queries.move_numbers(connection, company_id=company.id, id=gone["id"], other=other["id"])


async def _what_leads_to(connection: Any, company: Company, known: Sequence[Any], gone: Any) -> list[str]:
    """What would lead nowhere without a destination, in words."""
    reasons = [f"calls that {row['name']} does not answer" for row in known if row["next_id"] == gone["id"]]
    if numbers := await _numbers(connection, company, gone["id"], is_main=False):
        reasons.append(numbers)
    reasons += [f"the flow {flow.name}" for flow in await flows_that_ring(connection, company, gone["id"])]
    if gone["is_default"]:
        others = await _numbers(connection, company, gone["id"], is_main=True)
        if others or len(known) > 1:
            reasons.append(f"{others or 'every number'} as the main line")
    return reasons


async def _held(connection: Any, company: Company) -> list[Any]:
    return [row async for row in _queries.hold_destinations(connection, company_id=company.id)]


async def _numbers(connection: Any, company: Company, id: int, *, is_main: bool) -> str:
    """The numbers that lead to a destination, named as people read them; empty where none does."""
    query = (
        _queries.numbers_of_main_line(connection, company_id=company.id)
        if is_main
        else _queries.numbers_of_destination(connection, company_id=company.id, id=id)
    )
    found = [printed(row["e164"], company.region) async for row in query]
    more = len(found) - _MOST_NAMED
    return ", ".join(found[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _named(known: Sequence[Any], name: str) -> Any:
    for row in known:
        if row["name"] == name.strip():
            return row
    raise errors.NoSuchDestination(name)


def _comes_back(known: Sequence[Any], id: int, next_id: int | None) -> bool:
    """Whether a call that nobody answers would come to a destination again."""
    leads_to = {row["id"]: row["next_id"] for row in known} | {id: next_id}
    seen = {id}
    while next_id is not None:
        if next_id in seen:
            return True
        seen.add(next_id)
        next_id = leads_to[next_id]
    return False
