"""The gateway's part of calls back: takes up what was asked for, and ends what somebody wants to end."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from gateway.asterisk.ami import AmiError
from gateway.asterisk.node import Node
from gateway.asterisk.place import NotConnected, NoTelephone, OldDialplan, Placing
from gateway.calls.directory import Directory, Number
from gateway.calls.gate import announced
from gateway.calls.ledger import Ledger
from gateway.calls.outbound import NoTrunk
from gateway.calls.placed import PlacedOutcome, unplaceable
from gateway.calls.route import Route
from gateway.store.database import AWAY, Database
from gateway.store.notify import Listener
from gateway.store.queries import load_queries

CHANNEL = "numberpool_placed"
# Notifications tell at once; this only mends what a lost one would leave.
LOOK_SECONDS = 5.0

_sql = load_queries(Path(__file__).parent, "placed.sql")
_log = structlog.get_logger(__name__)


def told(directory: Directory, company: int, number: Number | None, callee: str) -> Route:
    """Whether the call is recorded and what ``callee`` hears first: as calls to ``number``, by the law of his place.

    Without a number of the company's, nothing is recorded.
    """
    if number is None:
        return Route(())
    door, records = directory.doors.get(company), number.records
    if door is None:
        return number.route
    plain = replace(
        number.route,
        record=number.route.record if records is None else records,
        untold=False,
        marks=(),
        announcement=None,
    )
    return announced(plain, door, directory.own_sounds.get(company), callee, is_known=True)


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
        company = row["company_id"]
        region, door = directory.regions.get(company), directory.doors.get(company)
        for text in (row["callee"], row["telephone"]):
            if text.startswith("+") and (why := unplaceable(text, region, (), door.policy.countries if door else None)):
                raise ValueError(f"{text} must not be dialled: {why}")
        route = told(directory, company, directory.numbers.get(row["number_id"] or 0), row["callee"])
        return Placing(
            id=row["id"],
            key=row["asterisk_id"],
            telephone=row["telephone"],
            callee=row["callee"],
            shown=row["shown"],
            name=row["person"],
            record=route.record,
            notice=route.announcement if route.record else None,
            longest_seconds=door.longest_seconds if door else None,
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
