"""Flows as they are set up: made, assigned, removed, and the switch that closes a company now.

The functions take a connection inside a transaction that sees every company. In the documents that people write,
destinations go by their names; they are kept by their ids.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from gateway.calls.flow import FlowRefused, Hours, Menu, Ring, Sound, nodes, read_flow, write_flow
from gateway.calls.hours import zone_named
from gateway.calls.route import Destination
from gateway.calls.steps import House
from gateway.delivery.letters import Letter, post
from gateway.errors import Mendable
from gateway.pools import setup
from gateway.pools.numbers import to_e164
from gateway.pools.setup import Company
from gateway.reports import mail_subscriptions
from gateway.reports.mail_due import Kind
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "flows.sql")

# What the mail library takes is checked when it is sent; here, only what would surely never arrive.
_ADDRESS = re.compile(r"[^@\s]{1,200}@[^@\s]{1,200}")
Whose = Literal["company", "source", "pool", "number"]


class NoSuchFlow(Mendable):
    """A flow is named that is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is no flow here; numberpool flow list shows those that are.")


class FlowInUse(Mendable):
    """A flow that calls go by is not removed."""

    def __init__(self, name: str, by: str) -> None:
        super().__init__(f"{name!r} is what calls of {by} go by; assign them another flow, or none, first.")


class NothingToAssign(Mendable):
    """What a flow is to be assigned to is not there."""

    def __init__(self, whose: str, name: str) -> None:
        super().__init__(f"{name!r} is no {whose} of this company; numberpool {whose} list shows those that are.")


class NoAddress(Mendable):
    """Mail is to be sent to what is no address."""

    def __init__(self, given: str) -> None:
        super().__init__(f"{given!r} is no address for mail; write one such as office@example.com, or none.")


@dataclass(frozen=True, slots=True)
class StoredFlow:
    """A flow with what is known of it. ``start`` is its first node, ``by`` whose calls go by it, in words."""

    id: int
    name: str
    revision: int
    start: Any
    by: tuple[str, ...]


async def flows(connection: Any, company: Company) -> list[StoredFlow]:
    """The flows of a company, by name. Raises FlowRefused where one is of a later version of Numberpool."""
    return [
        StoredFlow(row["id"], row["name"], row["revision"], read_flow(json.loads(row["body"])), tuple(_by(row)))
        async for row in _queries.flows(connection, company_id=company.id)
    ]


async def the_flow(connection: Any, company: Company, name: str) -> StoredFlow:
    """The flow of that name. Raises NoSuchFlow."""
    for flow in await flows(connection, company):
        if flow.name == name.strip():
            return flow
    raise NoSuchFlow(name)


async def set_flow(connection: Any, company: Company, name: str, document: object) -> StoredFlow:
    """Make a flow, or change the one of that name. Raises FlowRefused, NoName."""
    ids = {row["name"]: row["id"] for row in await setup.destinations(connection, company)}

    def by_id(given: object) -> object:
        if isinstance(given, int) and given in ids.values():
            return given
        if given not in ids:
            raise FlowRefused(
                f"{given!r} is no destination of {company.name}; numberpool destination list shows those that are, "
                "numberpool destination add makes one."
            )
        return ids[str(given)]

    start = read_flow(_with_destinations(document, by_id))
    name = setup.checked_name(name)
    await _queries.save_flow(connection, company_id=company.id, name=name, body=json.dumps(write_flow(start)))
    return await the_flow(connection, company, name)


async def document_of(connection: Any, company: Company, flow: StoredFlow) -> dict[str, Any]:
    """The flow as people write it, with the names of its destinations."""
    names = await destination_names(connection, company)
    written: dict[str, Any] = _with_destinations(write_flow(flow.start), lambda id: names.get(id, id))
    return written


async def flows_that_ring(connection: Any, company: Company, destination: int) -> list[StoredFlow]:
    """The flows with that destination in them."""
    return [flow for flow in await flows(connection, company) if destination in _rung(flow)]


async def ring_instead(connection: Any, company: Company, destination: int, other: int) -> None:
    """Let the flows that ring a destination ring another one in its place."""
    for flow in await flows_that_ring(connection, company, destination):
        start = _exchanged(flow.start, destination, other)
        body = json.dumps(write_flow(start))
        await _queries.save_flow(connection, company_id=company.id, name=flow.name, body=body)


async def remove_flow(connection: Any, company: Company, name: str) -> None:
    """Remove a flow that no calls go by. Raises NoSuchFlow, FlowInUse."""
    flow = await the_flow(connection, company, name)
    if flow.by:
        raise FlowInUse(flow.name, ", ".join(flow.by))
    await _queries.remove_flow(connection, company_id=company.id, id=flow.id)


async def assign(connection: Any, company: Company, name: str | None, whose: Whose, subject: str = "") -> None:
    """Let calls of a source, pool or number (by its name), or of the company, go by a flow; none: by no flow.

    Raises NoSuchFlow, NothingToAssign, NumberError.
    """
    flow_id = None if name is None else (await the_flow(connection, company, name)).id
    values: dict[str, Any] = {"company_id": company.id, "flow_id": flow_id}
    match whose:
        case "company":
            await _queries.flow_of_company(connection, **values)
            return
        case "source":
            found = await _queries.flow_of_source(connection, name=subject.strip(), **values)
        case "pool":
            found = await _queries.flow_of_pool(connection, name=subject.strip(), **values)
        case "number":
            found = await _queries.flow_of_number(connection, e164=to_e164(subject, company.region), **values)
    if found is None:
        raise NothingToAssign(whose, subject)


async def close_now(connection: Any, company: Company, closed: bool) -> None:
    """Close the company whatever its hours say, or let them hold again."""
    await _queries.close_now(connection, company_id=company.id, closed=closed)


async def send_messages_to(connection: Any, company: Company, address: str) -> bool:
    """Let ``address`` be told by mail of messages that callers leave; whether it is asked first.

    It is, unless it is that of a user of the company. Raises NoAddress.
    """
    if not _ADDRESS.fullmatch(address):
        raise NoAddress(address)
    user = await mail_subscriptions.user_at(connection, company.id, address)
    outside = None if user is not None else address.lower()
    wish = mail_subscriptions.Wish(Kind.MESSAGES)
    made = await mail_subscriptions.add(connection, company.id, wish, None, user_id=user, address=outside)
    if made is not None and outside is not None:
        await post(connection, Letter.SUBSCRIPTION, subscription=made, asked_by=company.name)
    return outside is not None


async def send_messages_to_nobody(connection: Any, company: Company) -> None:
    """Nobody is told by mail of messages any more."""
    for each in await mail_subscriptions.subscriptions(connection, company.id):
        if each.wish.kind is Kind.MESSAGES:
            await mail_subscriptions.remove(connection, each)


async def house_of(connection: Any, company: Company) -> House:
    """What the flows of a company stand on, all destinations included."""
    row = await _queries.house(connection, company_id=company.id)
    lines = {
        each["id"]: Destination(each["dial"], each["ring_seconds"], each["press_one"])
        for each in await setup.destinations(connection, company)
    }
    return House(lines, zone_named(row["time_zone"]), row["closed_now"])


async def destination_names(connection: Any, company: Company) -> Mapping[int, str]:
    """What the destinations of a company are called, by id."""
    return {row["id"]: row["name"] for row in await setup.destinations(connection, company)}


def _by(row: Any) -> list[str]:
    numbers = int(row["numbers"])
    return [
        *(["the company"] if row["of_company"] else []),
        *(f"source {name}" for name in row["sources"]),
        *(f"pool {name}" for name in row["pools"]),
        *([f"{numbers} number{'s' if numbers > 1 else ''}"] if numbers else []),
    ]


def _with_destinations(document: Any, change: Callable[[Any], Any]) -> Any:
    """``document`` with each destination of its rings changed. A line that is only a name becomes a whole one."""
    if isinstance(document, list):
        return [_with_destinations(each, change) for each in document]
    if not isinstance(document, dict):
        return document
    changed = {key: _with_destinations(each, change) for key, each in document.items()}
    if changed.get("kind", "ring") == "ring" and isinstance(changed.get("lines"), list):
        changed["lines"] = [
            {**line, "destination": change(line.get("destination"))}
            if isinstance(line, dict)
            else {"destination": change(line)}
            for line in changed["lines"]
        ]
    return changed


def _rung(flow: StoredFlow) -> set[int]:
    return {line.destination for _, node in nodes(flow.start) if isinstance(node, Ring) for line in node.lines}


def _exchanged(node: Any, destination: int, other: int) -> Any:
    """``node`` and what follows it, ringing ``other`` for ``destination``; once where it rang both."""
    changes: dict[str, Any] = {}
    match node:
        case Ring(lines=lines, then=then):
            rung = [replace(line, destination=other) if line.destination == destination else line for line in lines]
            changes["lines"] = tuple({line.destination: line for line in reversed(rung)}.values())[::-1]
            changes["then"] = None if then is None else _exchanged(then, destination, other)
        case Sound(then=then):
            changes["then"] = _exchanged(then, destination, other)
        case Hours(open=opened, closed=closed):
            changes["open"] = _exchanged(opened, destination, other)
            changes["closed"] = _exchanged(closed, destination, other)
        case Menu(keys=keys, otherwise=otherwise):
            changes["keys"] = {key: _exchanged(following, destination, other) for key, following in keys.items()}
            changes["otherwise"] = _exchanged(otherwise, destination, other)
    return replace(node, **changes)
