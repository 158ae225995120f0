"""What the commands of several subjects share: which company, all of it or nothing, and answers in columns."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import click

from gateway.audit import note_command
from gateway.opening import with_database
from gateway.settings import Settings
from gateway.store.database import Database

Work = Callable[[Any], Awaitable[str]]

of_company = click.option("--company", metavar="NAME", help="Which company; needed where there are several.")


def in_transaction(settings: Settings, work: Work) -> None:
    """Do ``work`` in one transaction that sees every company, all of it or nothing; then print what it says.

    What it changed stands in the audit log, as done by this command.
    """
    context = click.get_current_context()
    command, given = " ".join(context.command_path.split()[1:]), dict(context.params)

    async def transaction(database: Database) -> str:
        async with database.everything() as connection:
            said = await work(connection)
            await note_command(connection, command, given)
            return said

    with_database(settings, transaction)


def table(titles: tuple[str, ...], rows: Iterable[tuple[object, ...]], empty: str) -> str:
    """Rows in columns as wide as they need to be; ``empty`` where there are none."""
    lines = [tuple("" if cell is None else str(cell) for cell in row) for row in rows]
    if not lines:
        return empty
    widths = [max(map(len, column)) for column in zip(titles, *lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (titles, *lines)
    )
