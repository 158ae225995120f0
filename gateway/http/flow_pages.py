"""Call routing: the flows of a company, the switch that closes it now, what a flow does, and whose calls go by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.asterisk.routecode import encode_fitting
from gateway.calls import flow_changes, flow_setup, own_sounds
from gateway.calls.directory import Directory
from gateway.calls.flow import Flow
from gateway.calls.flow_setup import StoredFlow
from gateway.calls.outbound import Trunk
from gateway.calls.route import Step
from gateway.calls.route_shown import RouteShown, directory_now, shown_in
from gateway.calls.speech import sounds_folder
from gateway.calls.steps import House, Moment, menus, place_of, steps_of
from gateway.http.accounts import Company
from gateway.http.flow_draft import Kind, cards_of, every_card
from gateway.http.flow_explained import Explained, explained
from gateway.http.flow_picture import Picture, Wording, draw_flow
from gateway.http.flow_routing import PATH
from gateway.http.flow_said import Names, Said, State, chain_said, state_of, way_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS
from gateway.http.pool_pages import of_setup
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_pages import may_write
from gateway.http.words import Words
from gateway.pools.numbers import NumberError


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list; ``numbers``: how many go by it in the end."""

    flow: StoredFlow
    state: State
    of_company: bool
    pools: tuple[str, ...]
    sources: tuple[str, ...]
    own_numbers: int
    numbers: int


async def all_flows(request: web.Request) -> web.StreamResponse:
    """The flows, how each is now, and the switch."""
    company = company_of(request)
    words, now = words_for(request, company), datetime.now(UTC)
    async with request.app[PARTS].database.companies(company.id) as connection:
        stored = await flow_setup.flows(connection, of_setup(company))
        house = await flow_setup.house_of(connection, of_setup(company))
        assigned = await flow_changes.assigned(connection, company.id)
        own = {flow.id: len(await flow_changes.numbers_of(connection, company.id, flow.id)) for flow in stored}
    rows = [
        Row(
            flow,
            state_of(flow.start, house, now, words),
            assigned.company_flow == flow.id,
            tuple(each.name for each in assigned.pools if each.flow_id == flow.id),
            tuple(each.name for each in assigned.sources if each.flow_id == flow.id),
            own[flow.id],
            assigned.by_flow.get(flow.id, 0),
        )
        for flow in stored
    ]
    return render(
        request,
        "flows.html",
        company=company,
        rows=rows,
        closed_now=house.closed_now,
        has_hours=any(row.state.kind != "always" for row in rows),
        without=assigned.by_flow.get(0, 0),
        may_write=may_write(request, company),
    )


async def one_flow(request: web.Request) -> web.StreamResponse:
    """A flow: its picture, what it does at a moment, whose calls go by it."""
    company = company_of(request)
    return await show_flow(request, company)


async def show_flow(request: web.Request, company: Company, form: Form | None = None) -> web.StreamResponse:
    """The page; ``form`` is that of the assignments, with problems."""
    words, parts = words_for(request, company), request.app[PARTS]
    id, problem = id_in_path(request), ""
    async with parts.database.companies(company.id) as connection:
        flow = await the_flow(request, connection, company)
        house = await flow_setup.house_of(connection, of_setup(company))
        names = await names_of(request, connection, company)
        assigned = await flow_changes.assigned(connection, company.id)
        numbers = await flow_changes.numbers_of(connection, company.id, id)
        others = {each.id: each.name for each in await flow_setup.flows(connection, of_setup(company))}
    at, is_now = moment_of(request.query.get("at", ""), house)
    asked = request.query.get("number", "").strip()[:40]
    async with parts.database.everything() as connection:
        directory = await directory_now(connection, parts.settings.calls)
    trunks = trunks_of(request)
    shown: RouteShown | None = None
    if asked:
        try:
            shown = shown_in(directory, of_setup(company), trunks, asked, at, request.query.get("caller", "")[:40])
        except NumberError:
            problem = words.say("This is not a telephone number; write it with its area code.")
        except ValueError as error:
            problem = str(error)
        if shown is not None and shown.e164 is None:
            problem, shown = words.say("That is no number of yours."), None
    running = directory.flows.get(id)
    steps = _steps_now(shown, running, directory, company, at, trunks)
    said = chain_said(cards_of(flow.start), names, words)
    other = shown.flow if shown is not None else None
    return render(
        request,
        "flow.html",
        company=company,
        status=422 if form is not None else 200,
        flow=flow,
        said=said,
        picture=picture_of(cards_of(flow.start), said, house, at, words),
        state=state_of(flow.start, house, at, words),
        at=at,
        at_value=at.astimezone(house.zone).strftime("%Y-%m-%dT%H:%M"),
        is_now=is_now,
        asked=asked,
        caller=request.query.get("caller", "")[:40],
        problem=problem,
        shown=shown,
        other_flow=other if shown is not None and (other is None or other.id != id) else None,
        by_another=shown is not None and (other is None or other.id != id),
        explained=[explained(step, names, words, trunks) for step in steps],
        line=_line(shown, steps, trunks),
        after_keys=_after_keys(shown, running, directory, company, at, trunks, names, words),
        assigned=assigned,
        numbers=numbers,
        others=others,
        goes_by=assigned.by_flow.get(id, 0),
        form=form or Form(None, words),
        may_write=may_write(request, company),
    )


async def the_flow(request: web.Request, connection: Any, company: Company) -> StoredFlow:
    """The flow that the address names. Raises NotFound."""
    id = id_in_path(request)
    for flow in await flow_setup.flows(connection, of_setup(company)):
        if flow.id == id:
            return flow
    raise NotFound()


async def names_of(request: web.Request, connection: Any, company: Company) -> Names:
    """What destinations and sounds are called."""
    folder = sounds_folder(request.app[PARTS].settings)
    sounds = await own_sounds.sounds(connection, company.id, folder)
    destinations = await flow_setup.destination_names(connection, of_setup(company))
    return Names(destinations, {each.path: each.name for each in sounds})


def picture_of(cards: Any, said: Sequence[Said], house: House, at: datetime, words: Words) -> Picture:
    """The flow drawn, with the way of a call at that moment."""
    wording = Wording(
        words.say("A call"), words.say("nobody answers"), words.say("The call ends"), words.say("nothing yet")
    )
    ringing = {place for place, card in every_card(cards) if card.kind is Kind.RING}
    return draw_flow(said, way_of(cards, house, at, words), wording, ringing)


def moment_of(text: str, house: House) -> tuple[datetime, bool]:
    """A time of the company's clock as a form sends it, and whether it is now because none was given."""
    now = datetime.now(UTC)
    try:
        given = datetime.fromisoformat(text.strip()[:25])
    except ValueError:
        return now, True
    if not 2000 <= given.year < 2100:
        return now, True
    return (given if given.tzinfo else given.replace(tzinfo=house.zone)).astimezone(UTC), False


def to_flows(request: web.Request, company: Company, more: str = "") -> str:
    """The address of the list, or of what lies below it."""
    query = f"?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else ""
    return f"{PATH}{more}{query}"


def trunks_of(request: web.Request) -> Sequence[Trunk]:
    """The trunks of the first Asterisk: what numbers outside are rung over."""
    nodes = request.app[PARTS].settings.nodes
    return nodes[0].trunks if nodes else ()


def _steps_now(
    shown: RouteShown | None,
    flow: Flow | None,
    directory: Directory,
    company: Company,
    at: datetime,
    trunks: Sequence[Trunk],
) -> Sequence[Step]:
    """What is done: by the number that was asked for, else by the flow itself."""
    if shown is not None:
        return () if shown.route.blocked else (shown.route.steps or shown.route.destinations)
    house = directory.houses.get(company.id)
    return () if flow is None or house is None else steps_of(flow, house, Moment(at, trunks=trunks))


def _line(shown: RouteShown | None, steps: Sequence[Step], trunks: Sequence[Trunk]) -> str:
    return shown.lines[0].line if shown is not None else encode_fitting(steps, trunks)


def _after_keys(
    shown: RouteShown | None,
    flow: Flow | None,
    directory: Directory,
    company: Company,
    at: datetime,
    trunks: Sequence[Trunk],
    names: Names,
    words: Words,
) -> list[tuple[str, str, list[Explained]]]:
    """Of every menu on the way: the key, the line that the dialplan gets for it, and that explained."""
    chosen = shown.flow if shown is not None else flow
    house = directory.houses.get(company.id)
    if chosen is None or house is None:
        return []
    found = []
    for path, places in menus(chosen).items():
        for place in places:
            steps = steps_of(chosen, house, Moment(at, trunks=trunks), place)
            name = f"Menu/{place_of(chosen, path)}-{place[-1]}"
            found.append(
                (
                    f"{place[-1]} · {name}",
                    encode_fitting(steps, trunks),
                    [explained(s, names, words, trunks) for s in steps],
                )
            )
    return found
