"""The commands that change many numbers, all below ``number``: import, move, rest, wake, retire, release, remove."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

import click

from gateway.pools import number_changes, setup
from gateway.pools.durations import duration
from gateway.pools.import_numbers import import_numbers
from gateway.pools.lending import NumberState
from gateway.pools.number_changes import FOR_EVER
from gateway.pools.number_table import decoded, entries_of
from gateway.pools.numbers import printed
from gateway.pools.setup import Company
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company

_numbers = click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--pool", metavar="NAME", help="Which pool, where the list does not say; else the static numbers.")
@click.option("--source", metavar="NAME", help="What static numbers stand for, where the list does not say.")
@click.option("--destination", metavar="NAME", help="Where they ring, where the list does not say; else the main line.")
@click.option("--only-good", is_flag=True, help="Leave faulty lines out, and take the others.")
@of_company
@click.pass_obj
def import_list(
    settings: Settings,
    file: BinaryIO,
    pool: str | None,
    source: str | None,
    destination: str | None,
    only_good: bool,
    company: str | None,
) -> None:
    """Make all numbers of a list: FILE, or - for standard input.

    Lines of numbers in any form, or CSV; a header may name columns: number, pool, source, destination, whisper, price,
    note. Faulty lines are named, and then none is made unless --only-good is given.
    """
    text = decoded(file.read())

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        entries = entries_of(text, owner.region)
        if not entries:
            return "The list holds no number."
        done = await import_numbers(
            connection,
            owner,
            entries,
            pool=pool,
            source=source,
            destination=destination,
            only_good=only_good,
            progress=_progress(),
        )
        for fault in done.faults:
            click.echo(f"left out: {fault}", err=True)
        left = f", {len(done.faults)} left out" if done.faults else ""
        return f"{len(done.made)} number{'s' * (len(done.made) != 1)} made{left}."

    in_transaction(settings, work)


def _progress() -> Callable[[int, int], None]:
    """Tells a person at a terminal how far it is; a script is told nothing."""

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty() and of > 500:
            click.echo(f"\r{done} of {of}" + ("\n" if done == of else ""), nl=False, err=True)

    return tell


@click.command("move")
@_numbers
@click.option("--to", "pool", required=True, metavar="POOL", help="The pool that they shall belong to.")
@click.option("--source", metavar="NAME", help="What they stand for, in a static pool.")
@of_company
@click.pass_obj
def move(settings: Settings, numbers: tuple[str, ...], pool: str, source: str | None, company: str | None) -> None:
    """Move numbers into another pool. Whoever sees one of them now gets another with the next page."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        now = datetime.now(UTC)
        done = await number_changes.move(connection, owner, numbers, pool, source=source, now=now)
        return _told(owner, done, f"belongs to {pool} now.")

    in_transaction(settings, work)


@click.command("rest")
@_numbers
@click.option("--for", "length", metavar="TIME", help="Such as 30d; else until numberpool number wake.")
@of_company
@click.pass_obj
def rest(settings: Settings, numbers: tuple[str, ...], length: str | None, company: str | None) -> None:
    """Show numbers to no visitor for a time; their calls ring through."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        now = datetime.now(UTC)
        until = None if length is None else now + duration(length)
        done = await number_changes.rest(connection, owner, numbers, until=until, now=now)
        return _told(owner, done, f"rests for {length}." if length else "rests until it is woken.")

    in_transaction(settings, work)


@click.command("wake")
@_numbers
@of_company
@click.pass_obj
def wake(settings: Settings, numbers: tuple[str, ...], company: str | None) -> None:
    """End the rest of numbers, or take them back from being retired."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        done = await number_changes.wake(connection, owner, numbers, now=datetime.now(UTC))
        return _told(owner, done, "is shown again.")

    in_transaction(settings, work)


@click.command("retire")
@_numbers
@of_company
@click.pass_obj
def retire(settings: Settings, numbers: tuple[str, ...], company: str | None) -> None:
    """Show numbers to nobody any more. Their calls still ring through, and their history stays."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        done = await number_changes.retire(connection, owner, numbers, now=datetime.now(UTC))
        return _told(owner, done, "is retired; its calls still ring through.")

    in_transaction(settings, work)


@click.command("release")
@_numbers
@of_company
@click.pass_obj
def release(settings: Settings, numbers: tuple[str, ...], company: str | None) -> None:
    """Take numbers back from the visitors who hold them."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        done = await number_changes.release(connection, owner, numbers, now=datetime.now(UTC))
        return _told(owner, done, "is nobody's now.") or "Nobody held them."

    in_transaction(settings, work)


@click.command("remove")
@_numbers
@of_company
@click.pass_obj
def remove(settings: Settings, numbers: tuple[str, ...], company: str | None) -> None:
    """Remove numbers that were never called, lent or shown, such as those of a mistaken import."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        return _told(owner, await number_changes.remove(connection, owner, numbers), "is removed.")

    in_transaction(settings, work)


def state_of(state: NumberState) -> str:
    """What a person made of a number: ``active``, ``rests``, ``rests until 2026-12-01 09:00 UTC``, ``retired``."""
    if state.retired_at is not None:
        return "retired"
    if state.resting_until is None or state.resting_until <= datetime.now(UTC):
        return "active"
    if state.resting_until == FOR_EVER:
        return "rests"
    return f"rests until {state.resting_until:%Y-%m-%d %H:%M} UTC"


def _told(company: Company, numbers: Sequence[str], what: str) -> str:
    return "\n".join(f"{printed(e164, company.region)} ({e164}) {what}" for e164 in numbers)


COMMANDS: tuple[click.Command, ...] = (import_list, move, rest, wake, retire, release, remove)
