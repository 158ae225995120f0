"""The commands about texts: ``texts carriers``, ``texts list``, ``texts add``, ``texts remove``, ``texts mail``."""

from typing import Any

import click

from gateway.errors import Mendable
from gateway.pools.setup import the_company
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table
from gateway.texts import accounts
from gateway.texts.carriers import CARRIERS
from gateway.texts.carriers.shape import Kind
from gateway.texts.sending import callback_of


class WrongField(Mendable):
    """A carrier is told something that it does not know, or not told what it needs."""


class NameTaken(Mendable):
    """There is an account of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is an account called {name!r} already: choose another name with --name")


class NoSuchAccount(Mendable):
    """No account has that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no account called {name!r}; numberpool texts list shows those there are")


@click.group()
def texts() -> None:
    """Texts: the carriers that bring them, and who is told of them by mail."""


@texts.command("carriers")
def carriers() -> None:
    """The carriers there are, and what each needs to be told."""
    for kind, carrier in CARRIERS.items():
        click.echo(f"{kind.value}  ({carrier.name})")
        for each in carrier.fields:
            optional = "" if each.required else "optional; "
            secret = "asked for, not shown; " if each.is_secret else ""
            click.echo(f"    {each.name:18} {optional}{secret}{each.label}. {each.hint}".rstrip())


@texts.command("list")
@of_company
@click.pass_obj
def list_accounts(settings: Settings, company: str | None) -> None:
    """The accounts of a company, with the address that each carrier posts to."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        rows = []
        for each in await accounts.standings(connection, owner.id):
            account = each.account
            address = callback_of(settings.collector.public_url, account.token) or f"…/v1/texts/{account.token}"
            heard = each.heard_at.strftime("%Y-%m-%d %H:%M") if each.heard_at else "never"
            rows.append((account.name, account.kind.value, heard, address + CARRIERS[account.kind].query))
        return table(("NAME", "CARRIER", "LAST TEXT (UTC)", "ADDRESS"), rows, "No carrier brings texts yet.")

    in_transaction(settings, work)


@texts.command()
@click.argument("carrier", type=click.Choice([kind.value for kind in Kind]))
@click.option("--name", help="What the account is called here; else the carrier's name.")
@click.option("--set", "given", multiple=True, metavar="FIELD=VALUE", help="What may be seen, such as account=AC0123.")
@of_company
@click.pass_obj
def add(settings: Settings, carrier: str, name: str | None, given: tuple[str, ...], company: str | None) -> None:
    """Add an account with CARRIER. Secrets are asked for, and are neither shown nor written to the audit log."""
    chosen = CARRIERS[Kind(carrier)]
    seen = dict(_pair(each) for each in given)
    fields = {each.name: each for each in chosen.fields if not each.is_secret}
    if unknown := [each for each in seen if each not in fields and each != "api"]:
        raise WrongField(f"{chosen.name} knows no field {unknown[0]!r}; numberpool texts carriers lists them")
    for each in fields.values():
        if each.usual:
            seen.setdefault(each.name, each.usual)
        if each.required and not seen.get(each.name):
            raise WrongField(f"{chosen.name} needs {each.name} ({each.label}): --set {each.name}=…")
    secret = {}
    for each in (field for field in chosen.fields if field.is_secret):
        typed = click.prompt(each.label, hide_input=True, default=None if each.required else "", show_default=False)
        if typed:
            secret[each.name] = typed

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        called = name or chosen.name
        id = await accounts.add(connection, owner.id, called, chosen.kind, seen, secret)
        account = await accounts.account_by_id(connection, owner.id, id) if id is not None else None
        if account is None:
            raise NameTaken(called)
        address = callback_of(settings.collector.public_url, account.token)
        where = address or f"the collector's address followed by /v1/texts/{account.token}"
        return f"{called} is added. Give the carrier this address for incoming messages: {where}{chosen.query}"

    in_transaction(settings, work)


@texts.command()
@click.argument("name")
@of_company
@click.pass_obj
def remove(settings: Settings, name: str, company: str | None) -> None:
    """Remove the account called NAME. Its conversations stay."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        found = await accounts.standings(connection, owner.id)
        id = next((each.account.id for each in found if each.account.name == name), None)
        if id is None:
            raise NoSuchAccount(name)
        await accounts.remove(connection, owner.id, id)
        return f"{name} is removed. Its conversations stay."

    in_transaction(settings, work)


@texts.command()
@click.argument("addresses", nargs=-1)
@of_company
@click.pass_obj
def mail(settings: Settings, addresses: tuple[str, ...], company: str | None) -> None:
    """Tell ADDRESSES of each text by mail, and nobody else; without ADDRESSES, nobody."""
    wrong = next((each for each in addresses if "@" not in each or any(c.isspace() for c in each)), None)
    if wrong is not None:
        raise WrongField(f"{wrong!r} is no e-mail address")

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        await accounts.set_mail_to(connection, owner.id, addresses)
        if not addresses:
            return f"Nobody is told of texts to {owner.name} by mail."
        return f"Texts to {owner.name} are told by mail to {', '.join(addresses)}."

    in_transaction(settings, work)


def _pair(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise WrongField(f"{given!r}: write it as FIELD=VALUE")
    return name.strip(), value.strip()


COMMANDS: tuple[click.Command, ...] = (texts,)
