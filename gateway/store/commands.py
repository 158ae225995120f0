"""``numberpool jobs``: what failed and is held, and trying it again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import click

from gateway.settings import Settings
from gateway.store.jobs import held, release_held


def _run(settings: Settings, work: Callable[[Any], Awaitable[str]]) -> None:
    from gateway.app import open_database

    async def open_and_work() -> str:
        async with open_database(settings) as database, database.everything() as connection:
            return await work(connection)

    click.echo(asyncio.run(open_and_work()))


@click.group()
def jobs() -> None:
    """Jobs that failed and wait for a person."""


@jobs.command("held")
@click.pass_obj
def show_held(settings: Settings) -> None:
    """Show what is held, and why."""

    async def work(connection: Any) -> str:
        return "\n".join(str(each) for each in await held(connection)) or "No job is held."

    _run(settings, work)


@jobs.command("retry")
@click.pass_obj
def retry(settings: Settings) -> None:
    """Try all held jobs again, once what made them fail is mended."""

    async def work(connection: Any) -> str:
        return f"{await release_held(connection)} jobs are tried again."

    _run(settings, work)


COMMANDS: tuple[click.Command, ...] = (jobs,)
