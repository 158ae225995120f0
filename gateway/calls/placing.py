"""The gateway's part of calls back: takes up what was asked for, and ends what somebody wants to end."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from gateway.asterisk.ami import AmiError
from gateway.asterisk.node import Node
from gateway.asterisk.place import NotConnected, NoTelephone, OldDialplan, Placing
from gateway.calls.directory import Directory
from gateway.calls.ledger import Ledger
from gateway.calls.outbound import NoTrunk
from gateway.calls.placed import PlacedOutcome, unplaceable
from gateway.store.database import AWAY, Database
from gateway.store.notify import Listener
from gateway.store.queries import load_queries

CHANNEL = "numberpool_placed"
# Notifications tell at once; this only mends what a lost one would leave.
LOOK_SECONDS = 5.0

_sql = load_queries(Path(__file__).parent, "placed.sql")
_log = structlog.get_logger(__name__)


class Placer:
    """Places calls back on the ``nodes`` of this gateway."""

    def __init__(
        self, database: Database, ledger: Ledger, nodes: Sequence[Node], directory: Callable[[], Directory]
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._nodes = {node.name: node for node in nodes}
        self._directory = directory

    async def run(self, listener: Listener) -> None:
        """Do what is asked for, until cancelled."""
        async with listener.subscribe(CHANNEL) as changes:
            following = aiter(changes)
            while True:
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await anext(following)
                except TimeoutError:
                    pass
                try:
                    await self.look()
                except AWAY as error:
                    _log.warning("calls back cannot be read", fault=str(error))

    async def look(self) -> None:
        """Take up everything that waits."""
        async with self._database.everything() as connection:
            rows = [row async for row in _sql.to_do(connection)]
        for row in rows:
            if row["state"] == "asked":
                await self._begin(row)
            elif row["hang_up"] and row["node"] in self._nodes:
                try:
                    await self._nodes[row["node"]].end_placed(row["asterisk_id"].rpartition("-")[0])
                except AmiError as error:
                    _log.warning("a call back could not be ended", call=row["id"], fault=str(error))

    async def _begin(self, row: Any) -> None:
        node = self._node_for(row["came_by"], row["telephone"])
        if row["hang_up"]:
            await self._end(row["id"], PlacedOutcome.GIVEN_UP)
            return
        if row["is_old"] or node is None:  # whoever clicked does not wait for it any more
            await self._end(row["id"], PlacedOutcome.NO_ASTERISK)
            return
        node_id = await self._ledger.node_id(node.name)
        async with self._database.everything() as connection:
            if await _sql.take(connection, id=row["id"], node_id=node_id) is None:
                return
        try:
            await node.place(self._placing(row))
        except NoTrunk:
            await self._end(row["id"], PlacedOutcome.NO_TRUNK)
        except NotConnected:
            await self._end(row["id"], PlacedOutcome.NO_ASTERISK)
        except NoTelephone:
            await self._end(row["id"], PlacedOutcome.TELEPHONE_UNREACHABLE)
        except OldDialplan:
            await self._end(row["id"], PlacedOutcome.OLD_DIALPLAN)
        except (AmiError, ValueError) as error:
            _log.error("a call back was refused", call=row["id"], fault=str(error))
            await self._end(row["id"], PlacedOutcome.REFUSED)

    def _placing(self, row: Any) -> Placing:
        """What is known of it now. Raises ValueError for a number that must not be dialled, whoever asked for it."""
        directory = self._directory()
        region = directory.regions.get(row["company_id"])
        for number in (row["callee"], row["telephone"]):
            if number.startswith("+") and (why := unplaceable(number, region)):
                raise ValueError(f"{number} must not be dialled: {why}")
        number = directory.numbers.get(row["number_id"] or 0)
        route = number.route if number else None
        return Placing(
            id=row["id"],
            key=row["asterisk_id"],
            telephone=row["telephone"],
            callee=row["callee"],
            shown=row["shown"],
            name=row["person"],
            record=bool(route and route.record),
            # Whoever is called back hears the same as who calls, before he is connected.
            notice=route.announcement if route and route.record else None,
        )

    def _node_for(self, came_by: str, telephone: str) -> Node | None:
        """The node to do it: by which the first call came, else another that is there and knows the telephone."""
        nodes = sorted(self._nodes.values(), key=lambda node: (node.name != came_by, not node.settings.trunks))
        there = [node for node in nodes if node.is_linked]
        knows = [node for node in there if telephone.startswith("+") or telephone in (node.endpoints or ())]
        return next(iter(knows or there), None)

    async def _end(self, id: int, outcome: PlacedOutcome) -> None:
        async with self._database.everything() as connection:
            await _sql.end_without(connection, id=id, outcome=outcome.value)
