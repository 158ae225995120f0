"""How the telephones are that destinations ring: written down by the gateway, read by pages of any process."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from gateway.asterisk.endpoints import EndpointState
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "endpoint_states.sql")

PERIOD_SECONDS = 5.0
# What a gateway told that has not been heard of for so long is not said any more.
_HEARD_OF = timedelta(seconds=60)
# The better, the earlier: a telephone that two nodes know is where it can be reached.
_BEST = (
    EndpointState.FREE,
    EndpointState.RINGING,
    EndpointState.BUSY,
    EndpointState.UNREACHABLE,
    EndpointState.UNREGISTERED,
)
_REACHABLE = frozenset(_BEST[:3])
_log = structlog.get_logger(__name__)


class NodeWithTelephones(Protocol):
    """What is asked of a node (gateway.asterisk.node.Node)."""

    name: str

    @property
    def endpoints(self) -> Mapping[str, EndpointState] | None:
        """How its telephones are; none while nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Telephone:
    """One telephone of a destination, and since when it is as it is."""

    name: str
    state: EndpointState
    since: datetime

    @property
    def is_reachable(self) -> bool:
        """Whether it would ring, or is spoken on."""
        return self.state in _REACHABLE


@dataclass(frozen=True, slots=True)
class Reach:
    """How the telephones of a destination are: those that something is known of."""

    telephones: tuple[Telephone, ...]

    @property
    def reachable(self) -> int:
        """How many would ring, or are spoken on."""
        return sum(each.is_reachable for each in self.telephones)

    @property
    def down(self) -> tuple[Telephone, ...]:
        """Those that would not ring."""
        return tuple(each for each in self.telephones if not each.is_reachable)


def endpoints_of(dial: str) -> tuple[str, ...]:
    """The telephones that a dial string rings: ``PJSIP/desk&PJSIP/102``; of ``PJSIP/306…@carrier`` it is the trunk."""
    names = [part.removeprefix("PJSIP/") for part in dial.split("&") if part.startswith("PJSIP/")]
    return tuple(dict.fromkeys(f"PJSIP/{name.rpartition('@')[2].partition('/')[0]}" for name in names))


async def keep_endpoint_states(database: Database, nodes: Sequence[NodeWithTelephones]) -> None:
    """Write down what changes until cancelled."""
    written: dict[str, Mapping[str, EndpointState]] = {}
    while True:
        for node in nodes:
            present = node.endpoints
            if present is None or written.get(node.name) == present:
                continue
            try:
                async with database.everything() as connection:
                    await note_endpoints(connection, node.name, present, datetime.now(UTC))
                written[node.name] = present
            except AWAY as error:
                _log.warning("how the telephones are cannot be written", fault=str(error))
        await asyncio.sleep(PERIOD_SECONDS)


async def note_endpoints(
    connection: Connection, node: str, present: Mapping[str, EndpointState], now: datetime
) -> None:
    """Write down how the telephones of a node are; what did not change keeps its time."""
    states = [state.value for state in present.values()]
    await _queries.note_states(connection, node=node, endpoints=list(present), states=states, now=now)


async def reach_of(connection: Connection, dials: Collection[str], now: datetime) -> dict[str, Reach]:
    """How what dial strings ring is, by dial string; those of which nothing is known are left out."""
    asked = {dial: endpoints_of(dial) for dial in dials}
    names = sorted({name for each in asked.values() for name in each})
    known: dict[str, Telephone] = {}
    async for row in _queries.states_of(connection, endpoints=names, since=now - _HEARD_OF):
        each = Telephone(row["endpoint"].removeprefix("PJSIP/"), EndpointState(row["state"]), row["since"])
        before = known.get(row["endpoint"])
        if before is None or _BEST.index(each.state) < _BEST.index(before.state):
            known[row["endpoint"]] = each
    found = {dial: tuple(known[name] for name in each if name in known) for dial, each in asked.items()}
    return {dial: Reach(telephones) for dial, telephones in found.items() if telephones}
