"""The commands about the telephones that calls ring: ``telephone``."""

from typing import Any

import click

from gateway.calls import telephone_setup
from gateway.pools.setup import the_company
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company

_wanted = click.argument("wanted", type=click.Choice(["on", "off"]))


@click.group()
def telephone() -> None:
    """Telephones: what whoever answers hears, presses and sees."""


@telephone.command("press-one")
@click.argument("name")
@_wanted
@of_company
@click.pass_obj
def press_one(settings: Settings, name: str, wanted: str, company: str | None) -> None:
    """Whoever picks up at the destination NAME hears "press 1 to take this call", and only then is connected.

    A mailbox that answers there never presses: the call goes on to whoever is next.
    """

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        await telephone_setup.ask_to_press_one(connection, owner, name, wanted == "on")
        if wanted == "on":
            return f"An answer at {name} counts once somebody there has pressed 1."
        return f"Whoever picks up at {name} has the call."

    in_transaction(settings, work)


@telephone.command("list")
@of_company
@click.pass_obj
def show(settings: Settings, company: str | None) -> None:
    """Show what a company wants of its telephones."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        found = await telephone_setup.telephones(connection, owner)
        return f"Press 1 to take a call:  {', '.join(found.press_one) or 'nowhere'}"

    in_transaction(settings, work)


COMMANDS: tuple[click.Command, ...] = (telephone,)
