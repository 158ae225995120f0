"""``numberpool jobs``: what failed and is held, and trying it again."""

import click

from gateway.opening import with_database
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.jobs import held, release_held


@click.group()
def jobs() -> None:
    """Jobs that failed and wait for a person."""


@jobs.command("held")
@click.pass_obj
def show_held(settings: Settings) -> None:
    """Show what is held, and why."""

    async def work(database: Database) -> str:
        async with database.everything() as connection:
            return "\n".join(str(each) for each in await held(connection)) or "No job is held."

    with_database(settings, work)


@jobs.command("retry")
@click.pass_obj
def retry(settings: Settings) -> None:
    """Try all held jobs again, once what made them fail is mended."""

    async def work(database: Database) -> str:
        async with database.everything() as connection:
            return f"{await release_held(connection)} jobs are tried again."

    with_database(settings, work)


COMMANDS: tuple[click.Command, ...] = (jobs,)
