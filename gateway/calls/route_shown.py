"""What a call to a number does at a moment: the very route that the gateway answers, to be looked at by people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.asterisk.routecode import encode_fitting, encode_route
from gateway.calls.directory import Directory
from gateway.calls.flow import Flow
from gateway.calls.load import load_directory
from gateway.calls.outbound import Trunk
from gateway.calls.route import Destination, Route
from gateway.calls.steps import Moment
from gateway.pools.numbers import to_e164
from gateway.pools.setup import Company
from gateway.settings import CallSettings

GATEWAY, NOBODY = "the gateway's line", "nobody to ask"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the dialplan gets it, and when: from the gateway, where nobody can be asked, after a key of a menu."""

    asked: str
    line: str


@dataclass(frozen=True, slots=True)
class RouteShown:
    """A call to ``e164`` (none: a number that no pool knows), by ``flow`` (none: its destinations in order).

    Who is first where turns, idle telephones or chance decide is for each call anew; ``route`` is one of them.
    """

    e164: str | None
    flow: Flow | None
    route: Route
    lines: tuple[Line, ...]


async def directory_now(connection: Any, settings: CallSettings) -> Directory:
    """All numbers as the gateway reads them, over a connection that sees every company."""
    last_resort = Destination(settings.default_destination, settings.ring_seconds)
    return await load_directory(connection, last_resort, settings.dialplan_contexts, settings.emergency_callers)


async def route_shown(
    connection: Any,
    company: Company,
    settings: CallSettings,
    trunks: Sequence[Trunk],
    number: str,
    at: datetime,
    caller: str = "",
) -> RouteShown:
    """What a call to ``number`` of a company does. Raises NumberError, and ValueError for a route that is too long."""
    return shown_in(await directory_now(connection, settings), company, trunks, number, at, caller)


def shown_in(
    directory: Directory, company: Company, trunks: Sequence[Trunk], number: str, at: datetime, caller: str = ""
) -> RouteShown:
    """The same, of a directory that was read before."""
    found = directory.match([to_e164(number, company.region)])
    if found is not None and found.company_id != company.id:
        found = None
    flow = found.flow if found is not None else directory.default_flow
    dialled = [] if found is None else [found.e164]
    route = directory.decide(dialled, caller, Moment(at, trunks=trunks))
    lines = [
        Line(GATEWAY, encode_route(route, trunks)),
        Line(NOBODY, encode_route(directory.decide(dialled, caller), trunks)),
    ]
    if flow is not None:
        prefix = f"Menu/{flow.id}-{flow.revision}-"
        lines += [
            Line(choice, encode_fitting(steps, trunks))
            for choice, steps in directory.branches()
            if choice.startswith(prefix)
        ]
    return RouteShown(found.e164 if found else None, flow, route, tuple(lines))
