"""The commands about where calls ring: ``destination``."""

from typing import Any

import click

from gateway.asterisk.dialstring import dialplan_context
from gateway.pools import destinations, setup
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table


@click.group()
def destination() -> None:
    """Destinations: where calls ring."""


@destination.command("add")
@click.argument("name")
@click.argument("dial")
@click.option("--ring-seconds", type=int, default=30, show_default=True)
@click.option("--then", "next_name", metavar="NAME", help="The destination that rings when nobody answers here.")
@click.option("--main", "is_default", is_flag=True, help="Make it the main line, where numbers without one ring.")
@of_company
@click.pass_obj
def add_destination(
    settings: Settings,
    name: str,
    dial: str,
    ring_seconds: int,
    next_name: str | None,
    is_default: bool,
    company: str | None,
) -> None:
    """Make a destination.

    DIAL is what Asterisk dials, such as PJSIP/reception or PJSIP/+13065551234@carrier; or a place in your own
    dialplan, such as Dialplan/600@queues, in a context that the settings allow (dialplan_contexts).
    """

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        await setup.add_destination(
            connection,
            owner,
            name,
            dial,
            ring_seconds=ring_seconds,
            next_name=next_name,
            is_default=is_default or None,
            contexts=settings.calls.dialplan_contexts,
            trunks=any(node.trunks for node in settings.nodes),
        )
        if dialplan_context(dial.strip()) is not None:
            return (
                f"{name} leads to {dial}.\nWhen nobody takes the call there, hand it back:  Goto(numberpool-next,s,1)"
            )
        return f"{name} rings {dial} for {ring_seconds} s."

    in_transaction(settings, work)


@destination.command("set")
@click.argument("name")
@click.option("--name", "new_name", metavar="NAME", help="Another name.")
@click.option("--dial", metavar="DIAL", help="What Asterisk dials.")
@click.option("--ring-seconds", type=int, help="How long it rings.")
@click.option("--then", "next_name", metavar="NAME", help="The destination that rings when nobody answers here; none.")
@click.option("--main", "is_default", is_flag=True, help="Make it the main line, where numbers without one ring.")
@of_company
@click.pass_obj
def change_destination(
    settings: Settings,
    name: str,
    new_name: str | None,
    dial: str | None,
    ring_seconds: int | None,
    next_name: str | None,
    is_default: bool,
    company: str | None,
) -> None:
    """Change a destination. Calls that ring at this moment go on as they began."""
    if not is_default and all(each is None for each in (new_name, dial, ring_seconds, next_name)):
        raise click.UsageError("name what to change: --name, --dial, --ring-seconds, --then or --main")

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        now = await destinations.change_destination(
            connection,
            owner,
            name,
            new_name=new_name,
            dial=dial,
            ring_seconds=ring_seconds,
            next_name=next_name,
            is_default=is_default,
            contexts=settings.calls.dialplan_contexts,
            trunks=any(node.trunks for node in settings.nodes),
        )
        row = next(row for row in await setup.destinations(connection, owner) if row["name"] == now)
        then = f", then {row['next_name']}" if row["next_name"] else ""
        main = " It is the main line." if row["is_default"] else ""
        return f"{now} rings {row['dial']} for {row['ring_seconds']} s{then}.{main}"

    in_transaction(settings, work)


@destination.command("remove")
@click.argument("name")
@click.option("--instead", metavar="NAME", help="Where what rang there rings from now on.")
@of_company
@click.pass_obj
def remove_destination(settings: Settings, name: str, instead: str | None, company: str | None) -> None:
    """Remove a destination that nothing leads to, or let everything lead to another instead."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        await destinations.remove_destination(connection, owner, name, instead=instead)
        return f"{name} is removed." + (f" What rang there rings {instead}." if instead else "")

    in_transaction(settings, work)


@destination.command("list")
@of_company
@click.pass_obj
def list_destinations(settings: Settings, company: str | None) -> None:
    """Show the destinations of a company."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        return table(
            ("NAME", "DIALS", "RINGS", "THEN", "MAIN LINE"),
            (
                (
                    each["name"],
                    each["dial"],
                    f"{each['ring_seconds']} s",
                    each["next_name"],
                    "yes" if each["is_default"] else "no",
                )
                for each in await setup.destinations(connection, owner)
            ),
            'No destination yet. Make one:  numberpool destination add "Front desk" PJSIP/reception',
        )

    in_transaction(settings, work)


COMMANDS: tuple[click.Command, ...] = (destination,)
