"""The commands that set up sites and the numbers printed there: ``site``."""

from typing import Any

import click

from gateway.pools import setup, sites
from gateway.pools.numbers import printed
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table
from gateway.visits import snippet


@click.group()
def site() -> None:
    """Sites: where the snippet stands, and the numbers printed there."""


_hosts = click.option(
    "--host", "hosts", multiple=True, metavar="NAME", help="Its own: coming from there is no new visit."
)
_payment = click.option(
    "--payment-host", "payment_hosts", multiple=True, metavar="NAME", help="Where visitors pay and come back from."
)
_zone = click.option("--time-zone", help="Such as America/Regina; else the company's.")


@site.command("add")
@click.argument("name")
@_hosts
@_payment
@_zone
@click.option("--number", "numbers", multiple=True, help="A number printed on it, which visitors see replaced.")
@of_company
@click.pass_obj
def add_site(
    settings: Settings,
    name: str,
    hosts: tuple[str, ...],
    payment_hosts: tuple[str, ...],
    time_zone: str | None,
    numbers: tuple[str, ...],
    company: str | None,
) -> None:
    """Make a site."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        made = await sites.add_site(
            connection, owner, name, hosts=hosts, payment_hosts=payment_hosts, time_zone=time_zone
        )
        for number in numbers:
            await sites.add_target(connection, owner, name, number)
        return f"{name} is a site of {owner.name}. Its key, for its pages:  {made.public_key}"

    in_transaction(settings, work)


@site.command("set")
@click.argument("name")
@_hosts
@_payment
@_zone
@of_company
@click.pass_obj
def set_site(
    settings: Settings,
    name: str,
    hosts: tuple[str, ...],
    payment_hosts: tuple[str, ...],
    time_zone: str | None,
    company: str | None,
) -> None:
    """Change a site. Hosts that are named replace those that were."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        await sites.change_site(
            connection, owner, name, hosts=hosts or None, payment_hosts=payment_hosts or None, time_zone=time_zone
        )
        return f"{name} is changed."

    in_transaction(settings, work)


@site.command("target")
@click.argument("name")
@click.argument("number")
@click.option("--remove", is_flag=True, help="It is printed there no more.")
@of_company
@click.pass_obj
def change_target(settings: Settings, name: str, number: str, remove: bool, company: str | None) -> None:
    """Say that NUMBER is printed on a site, so that visitors see it replaced."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        if remove:
            await sites.remove_target(connection, owner, name, number)
            return f"{number} is replaced on {name} no more."
        _, e164 = await sites.add_target(connection, owner, name, number)
        return f"{printed(e164, owner.region)} ({e164}) on {name} is replaced by the number of a pool."

    in_transaction(settings, work)


@site.command("list")
@of_company
@click.pass_obj
def list_sites(settings: Settings, company: str | None) -> None:
    """Show the sites of a company."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        return table(
            ("NAME", "KEY", "HOSTS", "NUMBERS PRINTED"),
            (
                (
                    each["name"],
                    each["public_key"],
                    ", ".join(each["hosts"]),
                    ", ".join(printed(e164, owner.region) for e164 in each["targets"]),
                )
                for each in await sites.sites(connection, owner)
            ),
            'No site yet. Make one:  numberpool site add "Our site" --host www.example.com --number "(306) 555-0100"',
        )

    in_transaction(settings, work)


@site.command("snippet")
@click.argument("key")
@click.option(
    "--address", default="/np/", show_default=True, help="Where the collector is, as the site's pages see it."
)
@click.option("--inline", is_flag=True, help="The variant that swaps remembered numbers before anything is painted.")
def print_snippet(key: str, address: str, inline: bool) -> None:
    """Print what goes into the head of a site's pages. KEY is shown by site list."""
    if not inline:
        click.echo(snippet.tag(key, address))
        return
    made = snippet.inline_snippet(key, address)
    click.echo(made.html)
    click.echo(f"For a Content-Security-Policy, in script-src:  {made.csp_hash}", err=True)
