"""The commands about what calls do: ``flow set``, ``flow assign``, ... and ``route show``."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import click

from gateway.calls import flow_setup
from gateway.calls.flow import FlowRefused
from gateway.calls.flow_words import in_words
from gateway.calls.route_shown import route_shown
from gateway.pools.numbers import printed
from gateway.pools.setup import the_company
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table


def _whose(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say whose calls are meant."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="All calls of the company."),
        click.option("--pool", metavar="NAME", help="Calls to the numbers of this pool."),
        click.option("--source", metavar="NAME", help="Calls to the numbers of this source."),
        click.option("--number", metavar="NUMBER", help="Calls to this tracking number."),
    ):
        command = option(command)
    return command


@click.group()
def flow() -> None:
    """Flows: what calls do. Opening hours, menus, who rings in which order, voicemail."""


@flow.command("set")
@click.argument("name")
@click.argument("file", type=click.File("r"))
@of_company
@click.pass_obj
def set_flow(settings: Settings, name: str, file: TextIO, company: str | None) -> None:
    """Make the flow NAME of a JSON document: FILE, or - for standard input. One of that name is changed.

    Destinations go by their names. A ring that ends in a mailbox:

    \b
    {"version": 1, "start":
      {"kind": "ring", "strategy": "together", "seconds": 20, "lines": ["Front desk", "Mobile"],
       "then": {"kind": "voicemail", "greeting": "custom/leave-a-message"}}}
    """
    try:
        document = json.load(file)
    except (ValueError, RecursionError) as error:
        raise FlowRefused(f"{file.name} is no JSON ({error}); mend it there and try again.") from None

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        made = await flow_setup.set_flow(connection, owner, name, document)
        names = await flow_setup.destination_names(connection, owner)
        then = "" if made.by else f'\nNext, whose calls go by it:  numberpool flow assign "{made.name}" --all'
        return f"{made.name}, revision {made.revision}:\n{in_words(made.start, names)}{then}"

    in_transaction(settings, work)


@flow.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As the document that flow set reads.")
@of_company
@click.pass_obj
def show_flow(settings: Settings, name: str, as_json: bool, company: str | None) -> None:
    """Show a flow in words."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        found = await flow_setup.the_flow(connection, owner, name)
        if as_json:
            return json.dumps(await flow_setup.document_of(connection, owner, found), indent=1, ensure_ascii=False)
        names = await flow_setup.destination_names(connection, owner)
        return in_words(found.start, names, await flow_setup.house_of(connection, owner), datetime.now(UTC))

    in_transaction(settings, work)


@flow.command("list")
@of_company
@click.pass_obj
def list_flows(settings: Settings, company: str | None) -> None:
    """Show the flows of a company, and whose calls go by them."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        return table(
            ("FLOW", "REVISION", "CALLS OF"),
            ((each.name, each.revision, ", ".join(each.by)) for each in await flow_setup.flows(connection, owner)),
            "No flow yet: numbers ring their destinations in order. Make one:  numberpool flow set NAME FILE",
        )

    in_transaction(settings, work)


@flow.command("remove")
@click.argument("name")
@of_company
@click.pass_obj
def remove_flow(settings: Settings, name: str, company: str | None) -> None:
    """Remove a flow that no calls go by."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        await flow_setup.remove_flow(connection, owner, name)
        return f"{name} is removed."

    in_transaction(settings, work)


@flow.command("assign")
@click.argument("name")
@_whose
@of_company
@click.pass_obj
def assign(
    settings: Settings,
    name: str,
    number: str | None,
    source: str | None,
    pool: str | None,
    everything: bool,
    company: str | None,
) -> None:
    """Let calls go by the flow NAME. A number's own flow goes before its source's, its pool's and its company's."""
    _assign(settings, name, number, source, pool, everything, company)


@flow.command("unassign")
@_whose
@of_company
@click.pass_obj
def unassign(
    settings: Settings,
    number: str | None,
    source: str | None,
    pool: str | None,
    everything: bool,
    company: str | None,
) -> None:
    """Let calls go by no flow of their own any more."""
    _assign(settings, None, number, source, pool, everything, company)


def _assign(
    settings: Settings,
    name: str | None,
    number: str | None,
    source: str | None,
    pool: str | None,
    everything: bool,
    company: str | None,
) -> None:
    given: list[tuple[flow_setup.Whose, str]] = []
    given += [("number", number)] if number is not None else []
    given += [("source", source)] if source is not None else []
    given += [("pool", pool)] if pool is not None else []
    given += [("company", "")] if everything else []
    if len(given) != 1:
        raise click.UsageError("name one of --number, --source, --pool and --all")
    whose, subject = given[0]

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        await flow_setup.assign(connection, owner, name, whose, subject)
        calls = f"Calls of {owner.name}" if whose == "company" else f"Calls of the {whose} {subject}"
        return f"{calls} go by {name}." if name else f"{calls} go by no flow of their own."

    in_transaction(settings, work)


@flow.command("close")
@of_company
@click.pass_obj
def close(settings: Settings, company: str | None) -> None:
    """Closed now, whatever the hours say, until "flow open"."""
    _switch(settings, company, closed=True)


@flow.command("open")
@of_company
@click.pass_obj
def open_again(settings: Settings, company: str | None) -> None:
    """The hours hold again."""
    _switch(settings, company, closed=False)


def _switch(settings: Settings, company: str | None, *, closed: bool) -> None:
    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        await flow_setup.close_now(connection, owner, closed)
        return (
            f"{owner.name} is closed now, whatever its hours say. Open again with:  numberpool flow open"
            if closed
            else f"The hours of {owner.name} hold again."
        )

    in_transaction(settings, work)


@flow.command("messages-to")
@click.argument("address")
@of_company
@click.pass_obj
def messages_to(settings: Settings, address: str, company: str | None) -> None:
    """Tell ADDRESS by mail of each message that a caller leaves; none: nobody any more.

    A user of the company is told at once; an address outside is asked first. Both can end it by the link in each mail.
    """
    nobody = address.strip().lower() == "none"
    if not nobody and not settings.mail.is_set_up:
        raise click.UsageError("no mail server is named: set host and from under [mail] in the settings")

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        if nobody:
            await flow_setup.send_messages_to_nobody(connection, owner)
            return f"Nobody is told by mail of messages for {owner.name}."
        if await flow_setup.send_messages_to(connection, owner, address.strip()):
            return (
                f"{address.strip()} was asked by mail, and is told of messages for {owner.name} once the answer is yes."
            )
        return f"{address.strip()} is told by mail of messages for {owner.name}."

    in_transaction(settings, work)


@click.group()
def route() -> None:
    """What a call to a number does."""


@route.command("show")
@click.argument("number")
@click.option("--at", metavar="TIME", help='When, by the clock of the company, such as "2026-12-24 17:30"; else now.')
@click.option("--caller", default="", metavar="NUMBER", help="Who calls; rules about callers hold.")
@click.option("--node", help="Which Asterisk of the settings; needed where there are several.")
@of_company
@click.pass_obj
def show_route(
    settings: Settings, number: str, at: str | None, caller: str, node: str | None, company: str | None
) -> None:
    """Show what a call to NUMBER does: in words, and as the lines that the dialplan gets.

    Who is first where turns, idle telephones or chance decide is for each call anew; shown is one of them.
    """
    trunks = settings.node(node).trunks if settings.nodes or node else ()

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        house = await flow_setup.house_of(connection, owner)
        now = _moment(at, house.zone)
        shown = await route_shown(connection, owner, settings.calls, trunks, number, now, caller)
        gone_by = shown.flow
        names = await flow_setup.destination_names(connection, owner)
        who = printed(shown.e164, owner.region) if shown.e164 else f"{number} (no tracking number: the default)"
        said = in_words(gone_by.start, names, house, now) if gone_by else "no flow: its destinations in order"
        return (
            f"{who} at {now.astimezone(house.zone):%A, %d %B %Y, %H:%M} ({house.zone})\n"
            + (f"flow {gone_by.name}, revision {gone_by.revision}\n\n" if gone_by else "\n")
            + "\n".join(f"  {line}" for line in said.splitlines())
            + "\n\n"
            + table(("ASKED", "LINE"), [(each.asked, each.line) for each in shown.lines], "")
        )

    in_transaction(settings, work)


def _moment(text: str | None, zone: ZoneInfo) -> datetime:
    """The moment that was typed, by the company's clock. Raises UsageError."""
    if text is None:
        return datetime.now(UTC)
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f'{text!r} is no time; write it as "2026-12-24 17:30"') from None
    return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=zone).astimezone(UTC)


COMMANDS: tuple[click.Command, ...] = (flow, route)
