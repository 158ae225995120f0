"""How each Asterisk is, written down by its gateway for pages that may be another process's.

A trunk is *unreachable* where Asterisk asks it whether it lives (``qualify_frequency``) and nothing answers on any of
its addresses; *unregistered* where this Asterisk registers with it and is not let in. What is not asked is up.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from gateway.doctor.pjsip import Endpoint, Registration
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "node_states.sql")

PERIOD_SECONDS = 15.0
# By what trunks calls come in changes seldom.
_TRUNKS_SECONDS = 900.0
_LATELY = timedelta(days=30)

UP, UNREACHABLE, UNREGISTERED = "up", "unreachable", "unregistered"
_log = structlog.get_logger(__name__)


class WatchedNode(Protocol):
    """What is asked of a node (gateway.asterisk.node.Node)."""

    name: str
    trunks_watched: frozenset[str]

    @property
    def is_linked(self) -> bool: ...

    @property
    def trunks(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class TrunkState:
    """A trunk that is not up: unreachable or unregistered, and since when it was seen so."""

    name: str
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NodeState:
    """One Asterisk as its gateway last told, at ``seen_at``; ``linked_at``: when it last was linked to it."""

    name: str
    seen_at: datetime
    is_linked: bool
    linked_at: datetime | None
    down: tuple[TrunkState, ...] = ()


def trunk_states(
    names: Iterable[str], endpoints: Iterable[Endpoint], registrations: Iterable[Registration]
) -> dict[str, str]:
    """How the trunks of these names are, as Asterisk tells."""
    known = {each.name: each for each in endpoints}
    wanted = set(names)
    found = {name: _reach(known[name]) for name in wanted & set(known)}
    for each in registrations:
        name = each.endpoint or each.name
        if (name in wanted or each.line) and not each.status.startswith("Registered"):
            found[name] = UNREGISTERED
    return found


def _reach(endpoint: Endpoint) -> str:
    statuses = [contact.status for contact in endpoint.contacts]
    return UNREACHABLE if statuses and all(status == "Unreachable" for status in statuses) else UP


async def keep_node_states(database: Database, nodes: Sequence[WatchedNode]) -> None:
    """Write them down until cancelled."""
    since: dict[tuple[str, str, str], datetime] = {}
    looked = float("-inf")
    loop = asyncio.get_running_loop()
    while True:
        now = datetime.now(UTC)
        try:
            async with database.everything() as connection:
                if loop.time() - looked > _TRUNKS_SECONDS:
                    for node in nodes:
                        node.trunks_watched = await _trunks_of_calls(connection, node.name, now)
                    looked = loop.time()
                for node in nodes:
                    await note_node(connection, node, now, since)
        except AWAY as error:
            _log.warning("how the nodes are cannot be written", fault=str(error))
        await asyncio.sleep(PERIOD_SECONDS)


async def note_node(
    connection: Connection, node: WatchedNode, now: datetime, since: dict[tuple[str, str, str], datetime]
) -> None:
    """Write down how one is. ``since`` remembers when each trunk was first seen as it is."""
    present = {(node.name, trunk, state) for trunk, state in node.trunks.items()}
    for gone in [key for key in since if key[0] == node.name and key not in present]:
        del since[gone]
    told = {
        trunk: {"state": state, "since": since.setdefault((node.name, trunk, state), now).isoformat()}
        for trunk, state in node.trunks.items()
        if state != UP
    }
    await _queries.note_state(
        connection, node=node.name, now=now, is_linked=node.is_linked, trunks=json.dumps(told, sort_keys=True)
    )


async def node_states(connection: Connection) -> tuple[NodeState, ...]:
    """Every node that ever told, by name."""
    return tuple(
        [
            NodeState(row["name"], row["seen_at"], row["is_linked"], row["linked_at"], _down(row["trunks"]))
            async for row in _queries.states(connection)
        ]
    )


def _down(text: str) -> tuple[TrunkState, ...]:
    return tuple(
        TrunkState(name, each["state"], datetime.fromisoformat(each["since"]))
        for name, each in sorted(json.loads(text).items())
    )


async def _trunks_of_calls(connection: Connection, node: str, now: datetime) -> frozenset[str]:
    rows = _queries.trunks_of_calls(connection, node=node, since=now - _LATELY)
    return frozenset([row["trunk"] async for row in rows])
