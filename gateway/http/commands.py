"""Accounts from the command line: the functions, and the click commands in front of them."""

import re
from pathlib import Path

import click

from gateway.errors import Mendable
from gateway.http import accounts
from gateway.http.permissions import Role
from gateway.opening import with_database
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "accounts.sql")

_ADDRESS = re.compile(r"^[^@\s]+@[^@\s]+$")


class CommandRefused(Mendable):
    """What was asked for cannot be done; the message says what to do instead."""


async def add_user(database: Database, email: str, company: str, role: Role, name: str = "") -> int:
    """Make a user (or take the one with that address) a member of the company; the user's id.

    Raises CommandRefused where the address is none or there is no such company.
    """
    email = accounts.folded(email)
    if not _ADDRESS.fullmatch(email):
        raise CommandRefused(f"{email!r} is not an e-mail address; write it like owner@example.com")
    async with database.everything() as connection:
        found = await _queries.company_by_name(connection, name=company)
        if found is None:
            known = [row["name"] async for row in _queries.company_names(connection)]
            raise CommandRefused(
                f"there is no company {company!r}; "
                + (f"known: {', '.join(known)}" if known else "create one with numberpool company add NAME")
            )
        user_id: int | None = await _queries.insert_user(connection, email=email, name=name)
        if user_id is None:
            user_id = int((await _queries.user_by_email(connection, email=email))["id"])
        await _queries.set_membership(connection, user_id=user_id, company_id=found["id"], role=role.value)
    return user_id


async def make_login_link(database: Database, email: str, base_url: str) -> str:
    """A link that signs this user in once, within 15 minutes.

    Raises CommandRefused where there is no such user.
    """
    token = await accounts.make_link_token(database, email)
    if token is None:
        raise CommandRefused(
            f"there is no user {accounts.folded(email)}; make one with numberpool user add EMAIL --company NAME"
        )
    return f"{base_url.rstrip('/')}/sign-in/link/{token}"


@click.group()
def user() -> None:
    """Who may sign in to the pages."""


@user.command("add")
@click.argument("email")
@click.option("--company", required=True, metavar="NAME", help="The company the user belongs to.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.OWNER.value)
@click.option("--name", default="", help="How the pages call this person.")
@click.pass_obj
def add(settings: Settings, email: str, company: str, role: str, name: str) -> None:
    """Make a user, or give an existing one a role in another company."""

    async def work(database: Database) -> str:
        await add_user(database, email, company, Role(role), name)
        return f"{accounts.folded(email)} is now {role} of {company}. Next: numberpool login-link {email}"

    with_database(settings, work)


@click.command("login-link")
@click.argument("email")
@click.option("--base-url", metavar="URL", help="The address of the pages; else pages.public_url.")
@click.pass_obj
def login_link(settings: Settings, email: str, base_url: str | None) -> None:
    """Print a link that signs a user in once, within 15 minutes."""
    pages = settings.pages
    base = base_url or pages.public_url or f"http://{pages.host}:{pages.port}"

    async def work(database: Database) -> str:
        return await make_login_link(database, email, base)

    with_database(settings, work)


COMMANDS: tuple[click.Command, ...] = (user, login_link)
