"""The commands that set up companies and their numbers: ``company``, ``source``, ``number``, and the rooms beside."""

from typing import Any, TextIO

import click

from gateway.pools import setup
from gateway.pools.destination_commands import COMMANDS as DESTINATIONS
from gateway.pools.number_changes import standings
from gateway.pools.number_commands import COMMANDS as NUMBER_CHANGES
from gateway.pools.number_commands import state_of
from gateway.pools.number_list import numbers_in
from gateway.pools.numbers import printed
from gateway.pools.pool_commands import COMMANDS as POOLS
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table

_main_number = click.option(
    "--main-number", metavar="NUMBER", help="The number people know it by, for trunks that show it (shows = main)."
)
_record = click.option("--record/--no-record", default=None, help="Whether calls are recorded; else as the pool says.")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


@click.group()
def company() -> None:
    """Companies: each sees only its own numbers, calls and recordings."""


@company.command("add")
@click.argument("name")
@click.option("--time-zone", default="UTC", show_default=True, help="Such as America/Regina.")
@click.option(
    "--region", default="US", show_default=True, help="Country whose national numbers it writes (two letters)."
)
@click.option("--currency", default="USD", show_default=True)
@click.option("--record/--no-record", default=True, show_default=True, help="Whether its calls are recorded.")
@click.option("--announcement", metavar="SOUND", help="A sound played before it rings, such as custom/may-be-recorded.")
@_main_number
@click.option("--default", "is_default", is_flag=True, help="Calls to numbers that nobody owns are this company's.")
@click.pass_obj
def add_company(
    settings: Settings,
    name: str,
    time_zone: str,
    region: str,
    currency: str,
    record: bool,
    announcement: str | None,
    main_number: str | None,
    is_default: bool,
) -> None:
    """Make a company."""

    async def work(connection: Any) -> str:
        made = await setup.add_company(
            connection,
            name,
            time_zone=time_zone,
            region=region,
            currency=currency,
            record_calls=record,
            announcement=announcement,
            main_number=main_number,
            is_default=is_default or None,
        )
        return f'{made.name} is set up.\nNext, its main line:  numberpool destination add "Front desk" PJSIP/reception'

    in_transaction(settings, work)


@company.command("set")
@_main_number
@of_company
@click.pass_obj
def change_company(settings: Settings, main_number: str | None, company: str | None) -> None:
    """Change a company."""
    if main_number is None:
        raise click.UsageError('name what to change, such as --main-number "(306) 555-0000"')

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        e164 = await setup.set_main_number(connection, owner, main_number)
        return f"{printed(e164, owner.region)} ({e164}) is the main number of {owner.name}."

    in_transaction(settings, work)


@company.command("list")
@click.pass_obj
def list_companies(settings: Settings) -> None:
    """Show all companies."""

    async def work(connection: Any) -> str:
        return table(
            ("COMPANY", "TIME ZONE", "REGION", "CURRENCY", "RECORDS", "GETS UNKNOWN NUMBERS"),
            (
                (
                    *(each[column] for column in ("name", "time_zone", "region", "currency")),
                    _yes(each["record_calls"]),
                    _yes(each["is_default"]),
                )
                for each in await setup.companies(connection)
            ),
            "No company yet. Make one:  numberpool company add NAME",
        )

    in_transaction(settings, work)


@click.group()
def source() -> None:
    """Sources: what brings calls, such as Google Ads or a flyer."""


@source.command("add")
@click.argument("name")
@click.option("--channel", default="", help="Such as Paid search, Print, Radio.")
@click.option("--source", default="", help="Such as google; compared with utm_source.")
@click.option("--medium", default="", help="Such as cpc; compared with utm_medium.")
@click.option("--campaign", default="")
@of_company
@click.pass_obj
def add_source(
    settings: Settings, name: str, channel: str, source: str, medium: str, campaign: str, company: str | None
) -> None:
    """Make a source."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        await setup.add_source(
            connection, owner, name, channel=channel, source=source, medium=medium, campaign=campaign
        )
        return (
            f"{name} is a source of {owner.name}.\n"
            f'Next, its number:  numberpool number add "(306) 555-2001" --source "{name}"'
        )

    in_transaction(settings, work)


@source.command("list")
@of_company
@click.pass_obj
def list_sources(settings: Settings, company: str | None) -> None:
    """Show the sources of a company."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        return table(
            ("NAME", "CHANNEL", "SOURCE", "MEDIUM", "CAMPAIGN"),
            (
                (each["name"], each["channel"], each["source"], each["medium"], each["campaign"])
                for each in await setup.sources(connection, owner)
            ),
            'No source yet. Make one:  numberpool source add "Google Ads"',
        )

    in_transaction(settings, work)


@click.group()
def number() -> None:
    """Tracking numbers."""


@number.command("add")
@click.argument("numbers", nargs=-1)
@click.option("--file", type=click.File(), help="A list of numbers, one a line; - reads it from standard input.")
@click.option("--source", metavar="NAME", help="What a static number stands for.")
@click.option("--pool", metavar="NAME", help="Which pool; else the company's static numbers.")
@click.option("--destination", metavar="NAME", help="Where it rings; else the main line.")
@click.option(
    "--whisper", metavar="SOUND", help="A sound only the person who answers hears, such as custom/google-ads."
)
@click.option("--fax", is_flag=True, help="A fax is behind it: no announcement, no whisper, no recording.")
@_record
@of_company
@click.pass_obj
def add_numbers(
    settings: Settings,
    numbers: tuple[str, ...],
    file: TextIO | None,
    source: str | None,
    pool: str | None,
    destination: str | None,
    whisper: str | None,
    fax: bool,
    record: bool | None,
    company: str | None,
) -> None:
    """Make tracking numbers: all that are named, or none where one of them cannot be used."""
    if not numbers and file is None:
        raise click.UsageError("name a number, such as (306) 555-2001, or a list of them with --file")

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        listed = numbers_in(file.read(), owner.region) if file else []
        made = []
        for text in (*numbers, *listed):
            e164 = await setup.add_number(
                connection,
                owner,
                text,
                source=source,
                pool=pool,
                destination=destination,
                record_calls=record,
                whisper=whisper,
                fax=fax,
            )
            made.append(f"{printed(e164, owner.region)} ({e164}) rings {destination or 'the main line'}.")
        return "\n".join(made) or "The list holds no number."

    in_transaction(settings, work)


@number.command("list")
@of_company
@click.pass_obj
def list_numbers(settings: Settings, company: str | None) -> None:
    """Show the tracking numbers of a company."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        states = await standings(connection, owner)
        return table(
            ("NUMBER", "E.164", "SOURCE", "POOL", "RINGS", "RECORDS", "STATE"),
            (
                (
                    printed(each["e164"], owner.region),
                    *(each[column] for column in ("e164", "source", "pool")),
                    each["destination"] or "main line",
                    "fax" if each["fax"] else _yes(each["record"]),
                    state_of(states[each["id"]][1]),
                )
                for each in await setup.numbers(connection, owner)
            ),
            'No number yet. Make one:  numberpool number add "(306) 555-2001" --source "Google Ads"',
        )

    in_transaction(settings, work)


for change in NUMBER_CHANGES:
    number.add_command(change)

COMMANDS: tuple[click.Command, ...] = (company, source, *DESTINATIONS, number, *POOLS)
