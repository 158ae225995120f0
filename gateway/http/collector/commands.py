"""Commands about the collector: a worker by itself, and tokens of programs that speak to it."""

import asyncio
from typing import Any

import click

from gateway.http.collector.tokens import TokenKind, make_token, programs_of, remove_program, revoke_tokens
from gateway.pools import setup, sites
from gateway.pools.site_commands import site
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company
from gateway.visits.google_ads import script as google_ads_script
from gateway.visits.google_ads import tagging, tracking_template

_NO_ADDRESS = "https://YOUR-COLLECTOR"


@click.command()
@click.pass_obj
def collect(settings: Settings) -> None:
    """Run a worker of the collector by itself, until SIGTERM; start as many as there are processors."""
    from gateway.http.collector.worker import collect as serve

    asyncio.run(serve(settings))


@site.command("token")
@click.argument("name")
@click.option("--revoke", is_flag=True, help="Take all tokens of the site's servers back instead.")
@of_company
@click.pass_obj
def site_token(settings: Settings, name: str, revoke: bool, company: str | None) -> None:
    """Make a token for a server that renders the site's pages and asks for their numbers itself."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        site_id = await sites.site_id(connection, owner, name)
        if revoke:
            count = await revoke_tokens(connection, owner.id, TokenKind.SERVER, site_id)
            return f"Tokens taken back: {count}."
        token = await make_token(connection, owner.id, TokenKind.SERVER, site_id)
        return f"Shown only now. Send it to /v1/server/visit as  Authorization: Bearer {token}"

    in_transaction(settings, work)


@site.command("consent")
@click.argument("name")
@click.argument("rule", type=click.Choice(["required", "implied"]))
@of_company
@click.pass_obj
def site_consent(settings: Settings, name: str, rule: str, company: str | None) -> None:
    """Say whether visitors of a site must say yes before they are known again and lent a number of their own."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        await sites.require_consent(connection, owner, name, rule == "required")
        if rule == "required":
            return f"{name}: until a visitor says yes, static numbers are shown and nothing that identifies is kept."
        return f"{name}: visitors are known again unless they say no."

    in_transaction(settings, work)


@click.group("google-ads")
def google_ads() -> None:
    """Keywords of Google Ads: a script for the account, and parameters for its addresses."""


@google_ads.command()
@click.option("--address", metavar="URL", help="Where Google reaches the collector; else collector.public_url.")
@of_company
@click.pass_obj
def script(settings: Settings, address: str | None, company: str | None) -> None:
    """Print the script to paste into a Google Ads account (Tools, Bulk actions, Scripts), with a token of its own."""
    base = (address or settings.collector.public_url or _NO_ADDRESS).rstrip("/")

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        token = await make_token(connection, owner.id, TokenKind.GOOGLE_ADS)
        return google_ads_script(f"{base}/v1/google-ads/clicks", token).rstrip()

    in_transaction(settings, work)
    if base == _NO_ADDRESS:
        click.echo("Write your collector's address into ADDRESS, or name it as collector.public_url.", err=True)


@google_ads.command()
@of_company
@click.pass_obj
def revoke(settings: Settings, company: str | None) -> None:
    """Take the tokens of all scripts back."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        return f"Tokens taken back: {await revoke_tokens(connection, owner.id, TokenKind.GOOGLE_ADS)}."

    in_transaction(settings, work)


@google_ads.command("tagging")
@click.option("--campaign", metavar="NAME", help="A name for the campaign; else Google fills in its number.")
@click.option("--template", is_flag=True, help="As a tracking template, where the final URL suffix is taken.")
def print_tagging(campaign: str | None, template: bool) -> None:
    """Print the final URL suffix for an account or a campaign: it says what a click without gclid would not."""
    click.echo(tracking_template(campaign) if template else tagging(campaign))


@click.group()
def program() -> None:
    """Programs of a company's own that hand in chats and the like, each with a token."""


@program.command("add")
@click.argument("name")
@of_company
@click.pass_obj
def add_program(settings: Settings, name: str, company: str | None) -> None:
    """Make a token for a program; it is shown only now."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        if any(each.name.lower() == name.lower() for each in await programs_of(connection, owner.id)):
            raise click.ClickException(f"There is a program {name!r} already. Remove it first, or choose another name.")
        token = await make_token(connection, owner.id, TokenKind.LEADS, name=name)
        return f"Shown only now. Send to /v1/leads as  Authorization: Bearer {token}"

    in_transaction(settings, work)


@program.command("list")
@of_company
@click.pass_obj
def list_programs(settings: Settings, company: str | None) -> None:
    """The programs that may hand something in, and when each last did."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        lines = [
            f"{each.name}  since {each.created_at:%Y-%m-%d}, "
            + (f"last used {each.used_at:%Y-%m-%d %H:%M} UTC" if each.used_at else "never used")
            for each in await programs_of(connection, owner.id)
        ]
        return "\n".join(lines) or "No program may hand anything in."

    in_transaction(settings, work)


@program.command("remove")
@click.argument("name")
@of_company
@click.pass_obj
def take_program_back(settings: Settings, name: str, company: str | None) -> None:
    """Take a program's token back."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        found = [each for each in await programs_of(connection, owner.id) if each.name.lower() == name.lower()]
        if not found:
            raise click.ClickException(f"There is no program {name!r}; see  numberpool program list")
        for each in found:
            await remove_program(connection, owner.id, each.id)
        return f"{name} can hand in nothing more."

    in_transaction(settings, work)


COMMANDS: tuple[click.Command, ...] = (collect, google_ads, program)
