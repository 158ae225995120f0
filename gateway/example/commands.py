"""``numberpool demo``: fill an installation with example data to look around in, and take it out again."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.example.company import set_up
from gateway.example.filling import ExampleRefused, Voices, fill
from gateway.example.removing import remove, remove_company
from gateway.example.trades import TRADES
from gateway.http.commands import add_user
from gateway.http.permissions import Role
from gateway.local.programs import Program
from gateway.opening import with_database
from gateway.pools import setup
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.queries import load_queries

_LINE = "PJSIP/office"
_queries = load_queries(Path(__file__).parent, "example.sql")


@click.group()
def demo() -> None:
    """Example data: ninety days of two made-up companies, marked as such."""


@demo.command("fill")
@click.option("--user", metavar="EMAIL", help="Who may look at it as owner; else everybody who owns a company here.")
@click.pass_obj
def fill_example(settings: Settings, user: str | None) -> None:
    """Make the two companies and fill them. Nothing that is there is touched."""

    async def work(database: Database) -> str:
        return await fill_all(database, settings, user)

    with_database(settings, work)


@demo.command("remove")
@click.option("--company", metavar="NAME", help="Which company's; else the example data of all.")
@click.pass_obj
def remove_example(settings: Settings, company: str | None) -> None:
    """Take the example data out again, and nothing else."""

    async def work(database: Database) -> str:
        company_id = None
        if company is not None:
            async with database.everything() as connection:
                company_id = (await setup.the_company(connection, company)).id
        lines = []
        for each in await remove(database, settings.data_folder, company_id):
            lines.append(
                f"{each.name} is gone, with everything in it."
                if each.company_is_gone
                else f"The example data of {each.name} is gone; what is its own has stayed."
            )
        return "\n".join(lines)

    with_database(settings, work)


async def fill_all(database: Database, settings: Settings, user: str | None) -> str:
    """Make and fill the example companies; what to say of it.

    Raises ExampleRefused where companies of their names are there, SetupError where their numbers are another's.
    """
    espeak = shutil.which("espeak-ng")
    voices = Voices(Program(Path(espeak)), settings.data_folder / "example", settings.data_folder) if espeak else None
    async with database.everything() as connection:
        known = {row["name"] for row in await setup.companies(connection)}
        taken = [trade.company for trade in TRADES if trade.company in known]
        if taken:
            raise ExampleRefused(
                f"there is a company named {taken[0]} already; example data is never mixed with what is there. If it "
                "is the example itself, take that out first:  numberpool demo remove"
            )
        made = [await set_up(connection, trade, _LINE) for trade in TRADES]
    try:
        lines = []
        for trade, (company, key) in zip(TRADES, made, strict=True):
            filled = await fill(
                database,
                trade,
                company.id,
                key,
                datetime.now(UTC),
                voices=voices,
                made_company=True,
                say=lambda line: click.echo(line, err=True),
            )
            lines.append(f"{trade.company}: {filled.calls} calls, {filled.visits} visits, {filled.jobs} jobs.")
    except BaseException:
        await _take_back(database, settings, [company.id for company, _ in made])
        raise
    for email in [user] if user else await _owners(database):
        for trade in TRADES:
            await add_user(database, email, trade.company, Role.OWNER)
    if voices is None:
        lines.append("The calls cannot be heard, because nothing here speaks: sudo apt-get install espeak-ng")
    return "\n".join([*lines, "To take all of it out again:  numberpool demo remove"])


async def _take_back(database: Database, settings: Settings, companies: list[int]) -> None:
    for company_id in companies:
        try:
            await remove(database, settings.data_folder, company_id)
        except ExampleRefused:  # it was not filled yet
            async with database.everything() as connection:
                await remove_company(connection, company_id)


async def _owners(database: Database) -> list[str]:
    async with database.everything() as connection:
        return [row["email"] async for row in _queries.owners(connection)]


COMMANDS: tuple[click.Command, ...] = (demo,)
