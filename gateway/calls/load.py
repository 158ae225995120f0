"""Reads the directory of numbers from Postgres."""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import structlog

from gateway.asterisk.dialstring import dialplan_context
from gateway.calls.abroad import unwanted
from gateway.calls.admission import Verdict
from gateway.calls.caller import caller_number
from gateway.calls.consent import place_of
from gateway.calls.directory import Directory, Number, build_directory, chain, with_default
from gateway.calls.emergency import emergency_callers as all_emergency_callers
from gateway.calls.emergency import emergency_dialled, is_emergency
from gateway.calls.flow import Flow, FlowRefused, read_flow
from gateway.calls.gate import Door, announced, straight
from gateway.calls.hours import zone_named
from gateway.calls.policy import NOTHING, Phrase, Policy, PolicyRefused, read_policy
from gateway.calls.route import Destination, Prompts, Route
from gateway.calls.steps import House, steps_as_if_open
from gateway.pools.numbers import forms
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_sql = load_queries(Path(__file__).parent)
_flows_sql = load_queries(Path(__file__).parent, "flows.sql")
_policies_sql = load_queries(Path(__file__).parent, "policies.sql")
_log = structlog.get_logger(__name__)
# Reading a number takes 40 µs, and all of them are read again whenever one changes.
_forms = lru_cache(maxsize=200_000)(forms)
_emergency_dialled = lru_cache(maxsize=20_000)(emergency_dialled)


async def load_directory(
    connection: Connection,
    last_resort: Destination,
    contexts: Collection[str] = (),
    emergency_callers: Collection[str] = (),
    whispers: Mapping[tuple[int, int], str] = MappingProxyType({}),
    phrases: Mapping[tuple[int, Phrase], str] = MappingProxyType({}),
    prompts: Mapping[int, Prompts] = MappingProxyType({}),
) -> Directory:
    """All numbers, over a connection that sees every company.

    ``last_resort`` rings for a company that has named no main line. A destination that leads into a context of the
    dialplan which is not among ``contexts`` is passed over in every route, and so is one that dials an emergency
    number. Callers among ``emergency_callers`` are never blocked. ``whispers`` are sounds by company and source, for
    numbers that stand for one and have no sound of their own; ``phrases`` are what is said to callers, ``prompts`` to
    whoever answers. The work is done in a thread, beside the calls.
    """
    companies: list[Any] = [row async for row in _sql.directory_companies(connection)]
    destinations: list[Any] = [row async for row in _sql.directory_destinations(connection)]
    numbers: list[Any] = [row async for row in _sql.directory_numbers(connection)]
    flows: list[Any] = [row async for row in _flows_sql.directory_flows(connection)]
    rules: list[Any] = [row async for row in _sql.directory_caller_rules(connection)]
    policies: list[Any] = [row async for row in _policies_sql.directory_policies(connection)]
    traps = frozenset([row["id"] async for row in _policies_sql.directory_traps(connection)] if policies else [])

    doors = _doors(companies, policies, phrases)
    forbidden = _forbidden(destinations, contexts)
    directory = await asyncio.to_thread(
        _built, companies, destinations, numbers, last_resort, forbidden, flows, whispers, doors, traps, prompts
    )
    never_blocked = await asyncio.to_thread(_never_blocked, companies, emergency_callers)
    return replace(directory, caller_rules=_by_company(rules), emergency_callers=never_blocked)


def _forbidden(destinations: list[Any], contexts: Collection[str]) -> frozenset[str]:
    """The dial strings that lead into a context which the settings do not, or no longer, allow."""
    places = {row["dial"]: dialplan_context(row["dial"]) for row in destinations}
    return frozenset(dial for dial, context in places.items() if context is not None and context not in contexts)


def _dialling_emergency(companies: list[Any], destinations: list[Any]) -> frozenset[str]:
    """The dial strings that call the emergency services; they cannot be set up, but they may be there."""
    regions = {row["id"]: row["region"] for row in companies}
    return frozenset(
        row["dial"] for row in destinations if _emergency_dialled(row["dial"], regions.get(row["company_id"]))
    )


def _never_blocked(companies: list[Any], others: Collection[str]) -> frozenset[str]:
    """Emergency callers. What libphonenumber reads when it first meets a country, it reads here, not during a call."""
    for region in {row["region"] for row in companies}:
        caller_number("2025550123", region)
        is_emergency("2025550", region)
    return all_emergency_callers(others)


def _by_company(rules: list[Any]) -> dict[int, dict[str, Verdict]]:
    found: dict[int, dict[str, Verdict]] = {}
    for row in rules:
        found.setdefault(row["company_id"], {})[row["caller"]] = Verdict(row["verdict"])
    return found


def _built(
    companies: list[Any],
    destinations: list[Any],
    numbers: list[Any],
    last_resort: Destination,
    forbidden: frozenset[str],
    flow_rows: list[Any],
    whispers: Mapping[tuple[int, int], str],
    doors: Mapping[int, Door],
    traps: Collection[int],
    prompts: Mapping[int, Prompts],
) -> Directory:
    dial_emergency = _dialling_emergency(companies, destinations)
    rules = {id: door.policy for id, door in doors.items()}
    regions = {row["id"]: row["region"] for row in companies}
    # One that another company may ring is passed over for this one alone.
    not_there = frozenset(
        row["id"]
        for row in destinations
        if unwanted(row["dial"], regions.get(row["company_id"]), rules.get(row["company_id"], NOTHING)) is not None
    )
    links = {row["id"]: (None if row["id"] in not_there else _destination(row), row["next_id"]) for row in destinations}

    def allowed(start: int | None) -> tuple[Destination, ...]:
        return tuple(each for each in chain(start, links) if each.dial not in forbidden | dial_emergency)

    flows = {flow.id: flow for row in flow_rows if (flow := _flow(row)) is not None}
    houses = (
        _houses(companies, [row for row in destinations if row["id"] not in not_there], forbidden | dial_emergency)
        if flows
        else {}
    )

    def with_flow(route: Route, flow: Flow | None) -> Route:
        """With what a flow does where nobody can be asked."""
        return route if flow is None else replace(route, steps=steps_as_if_open(flow, houses[flow.company_id]))

    main_lines = {row["company_id"]: allowed(row["id"]) or (last_resort,) for row in destinations if row["is_default"]}

    main_numbers = {row["id"]: row["main_number"] for row in companies}

    def main_line(company_id: int) -> tuple[Destination, ...]:
        return main_lines.get(company_id, (last_resort,))

    def route(row: Any) -> Route:
        asked = Route(
            destinations=allowed(row["destination_id"]),
            record=row["record"],
            announcement=row["announcement"],
            whisper=row["whisper"] or whispers.get((row["company_id"], row["source_id"])),
            number_id=row["id"],
            source_id=row["source_id"],
            did=row["e164"],
            main_number=main_numbers.get(row["company_id"]),
            prompts=prompts.get(row["company_id"], Prompts()),
        )
        told = _announced(asked, doors.get(row["company_id"]), row["announcement"])
        rings = with_default(straight(told) if row["fax"] else told, main_line(row["company_id"]))
        return with_flow(rings, flows.get(row["flow_id"]))

    known = [
        Number(
            id=row["id"],
            company_id=row["company_id"],
            e164=row["e164"],
            source_id=row["source_id"],
            route=route(row),
            forms=_forms(row["e164"], row["region"]),
            flow=flows.get(row["flow_id"]),
            records=row["record"] and not row["fax"],
            is_trap=row["id"] in traps,
            is_fax=row["fax"],
            whispers=not (row["fax"] or row["whisper"]),
        )
        for row in numbers
    ]
    default = next((row for row in companies if row["is_default"]), None)
    default_route = (
        Route((last_resort,))
        if default is None
        else _announced(
            Route(
                main_line(default["id"]),
                record=default["record_calls"],
                announcement=default["announcement"],
                main_number=default["main_number"],
                prompts=prompts.get(default["id"], Prompts()),
            ),
            doors.get(default["id"]),
            default["announcement"],
        )
    )
    default_flow = flows.get(default["flow_id"]) if default else None
    built = build_directory(
        known,
        {row["id"]: row["region"] for row in companies},
        default and default["id"],
        with_flow(default_route, default_flow),
        forbidden,
        dial_emergency,
    )
    return replace(
        built,
        not_forwarded=not_there,
        default_flow=default_flow,
        flows=flows,
        houses=houses,
        doors={id: replace(door, rings=main_line(id)) for id, door in doors.items()},
        own_sounds={row["id"]: row["announcement"] for row in companies if row["announcement"]},
        default_records=default and default["record_calls"],
    )


def _announced(route: Route, door: Door | None, own_sound: str | None) -> Route:
    """As for a caller of whom nothing is known: that is what rings where nobody can be asked."""
    if door is None:
        return route
    limited = replace(route, longest_seconds=door.longest_seconds)
    return announced(limited, door, own_sound, None, is_known=False)


def _doors(companies: list[Any], policies: list[Any], phrases: Mapping[tuple[int, Phrase], str]) -> dict[int, Door]:
    owners = {row["id"]: row for row in companies}
    found: dict[int, Door] = {}
    for row in policies:
        owner, policy = owners.get(row["company_id"]), _policy(row)
        if owner is not None and policy != NOTHING:
            sounds = {phrase: sound for (company, phrase), sound in phrases.items() if company == owner["id"]}
            place = policy.place or place_of(owner["main_number"]) or owner["region"]
            found[owner["id"]] = Door(owner["id"], policy, place, sounds, lead_seconds=float(row["qualified_seconds"]))
    return found


def _policy(row: Any) -> Policy:
    """Rules as they were stored; none where they cannot be read: then calls ring."""
    try:
        return read_policy(json.loads(row["body"]))
    except (PolicyRefused, ValueError) as error:
        _log.error("the rules of a company cannot be read; its calls ring", company=row["company_id"], fault=str(error))
        return NOTHING


def _destination(row: Any) -> Destination:
    return Destination(row["dial"], row["ring_seconds"], row["press_one"])


def _flow(row: Any) -> Flow | None:
    """A flow as it was stored; none where it cannot be read, and its numbers ring as if they had none."""
    try:
        start = read_flow(json.loads(row["body"]))
    except (FlowRefused, ValueError) as error:
        _log.error("a flow cannot be read; its numbers ring without it", flow=row["name"], fault=str(error))
        return None
    return Flow(row["id"], row["company_id"], row["name"], row["revision"], start)


def _houses(companies: list[Any], destinations: list[Any], passed_over: Collection[str]) -> Mapping[int, House]:
    lines: dict[int, dict[int, Destination]] = {}
    for row in destinations:
        if row["dial"] not in passed_over:
            lines.setdefault(row["company_id"], {})[row["id"]] = _destination(row)
    return {
        row["id"]: House(lines.get(row["id"], {}), zone_named(row["time_zone"]), row["closed_now"]) for row in companies
    }
