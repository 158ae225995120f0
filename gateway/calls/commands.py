"""The command about callers: ``caller allow``, ``caller block``, ``caller forget``, ``caller list``."""

from typing import Any

import click

from gateway.calls import rules
from gateway.calls.admission import Verdict
from gateway.pools.numbers import NumberError, printed, to_e164
from gateway.pools.setup import the_company
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table

_note = click.option("--note", default="", help="Why; shown in the list.")


@click.group()
def caller() -> None:
    """Callers who are always let through, and callers who are blocked."""


@caller.command()
@click.argument("number")
@_note
@of_company
@click.pass_obj
def allow(settings: Settings, number: str, note: str, company: str | None) -> None:
    """Let calls from NUMBER through, whatever other rule there is."""
    _set(settings, number, Verdict.ALLOW, note, company, "Calls from {} to {} ring, whatever other rule there is.")


@caller.command()
@click.argument("number")
@_note
@of_company
@click.pass_obj
def block(settings: Settings, number: str, note: str, company: str | None) -> None:
    """Refuse calls from NUMBER. They are in the call log as blocked."""
    _set(
        settings,
        number,
        Verdict.BLOCK,
        note,
        company,
        "Calls from {} to {} are refused; the log shows them as blocked.",
    )


@caller.command()
@click.argument("number")
@of_company
@click.pass_obj
def forget(settings: Settings, number: str, company: str | None) -> None:
    """Take the rule about NUMBER away."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        return f"{_as_read(await rules.forget(connection, owner, number), owner.region)} has no rule any more."

    in_transaction(settings, work)


@caller.command("list")
@of_company
@click.pass_obj
def list_callers(settings: Settings, company: str | None) -> None:
    """Show the rules about callers."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        return table(
            ("CALLER", "AS SENT", "RULE", "NOTE"),
            (
                (
                    _as_read(each["caller"], owner.region),
                    each["caller"],
                    "let through" if each["verdict"] == Verdict.ALLOW else "blocked",
                    each["note"],
                )
                for each in await rules.rules(connection, owner)
            ),
            "No rule yet: every call rings. Make one:  numberpool caller block NUMBER",
        )

    in_transaction(settings, work)


def _set(settings: Settings, number: str, verdict: Verdict, note: str, company: str | None, said: str) -> None:
    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        kept = await rules.set_rule(connection, owner, number, verdict, note)
        return said.format(_as_read(kept, owner.region), owner.name)

    in_transaction(settings, work)


def _as_read(number: str, region: str) -> str:
    """The number as people read it; one that is no number of the network as it is sent."""
    try:
        return printed(to_e164(number, region), region) if number.startswith("+") else number
    except NumberError:
        return number


COMMANDS: tuple[click.Command, ...] = (caller,)
