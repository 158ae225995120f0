"""Accounts from the command line: the functions, and the click commands in front of them."""

import re
from pathlib import Path

import click

from gateway import audit
from gateway.audit import Action, by_command
from gateway.errors import Mendable
from gateway.http import accounts, links, members, second_step
from gateway.http.permissions import Role
from gateway.opening import with_database
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.queries import load_queries
from gateway.terminal import table

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
        user_id: int | None = await _queries.insert_user(connection, email=email, name=name, language=None)
        if user_id is None:
            user_id = int((await _queries.user_by_email(connection, email=email))["id"])
        try:
            await members.keep_an_owner(connection, found["id"], user_id, role)
        except members.LastOwner:
            raise CommandRefused(
                f"{email} is the only owner of {company}; make somebody else its owner first:  "
                f"numberpool user add EMAIL --company {company!r} --role owner"
            ) from None
        await _queries.set_membership(connection, user_id=user_id, company_id=found["id"], role=role.value)
        about = {"name": name or email, "role": role.value}
        await audit.note(connection, by_command(), found["id"], Action.USER_ADDED, f"user/{user_id}", **about)
    return user_id


async def drop_second_step(database: Database, email: str) -> bool:
    """For somebody whose telephone and recovery codes are lost: whether the second step was on.

    Raises CommandRefused where there is no such user.
    """
    async with database.everything() as connection:
        user = await _queries.user_by_email(connection, email=accounts.folded(email))
        if user is None:
            raise CommandRefused(f"there is no user {accounts.folded(email)}; numberpool user list shows all")
        was_on = await second_step.turn_off(connection, user["id"])
        if was_on:
            await accounts.note_everywhere(connection, by_command(), user["id"], Action.SECOND_STEP_OFF)
    return was_on


async def make_login_link(database: Database, email: str, base_url: str) -> str:
    """A link that signs this user in once, within 15 minutes.

    Raises CommandRefused where there is no such user.
    """
    token = await links.make_link_token(database, email)
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


@user.command("list")
@click.pass_obj
def list_users(settings: Settings) -> None:
    """Show who may sign in, to which company, as what."""

    async def work(database: Database) -> str:
        async with database.everything() as connection:
            rows = [tuple(row.values()) async for row in _queries.all_users(connection)]
        titles = ("company", "e-mail", "name", "role", "second step")
        return table(titles, rows, "There is no user yet; make one with numberpool user add EMAIL --company NAME")

    with_database(settings, work)


@user.command("second-step-off")
@click.argument("email")
@click.pass_obj
def second_step_off(settings: Settings, email: str) -> None:
    """Let a user sign in with the password alone again, whose telephone and recovery codes are lost."""

    async def work(database: Database) -> str:
        if await drop_second_step(database, email):
            return f"The second step of {accounts.folded(email)} is off."
        return f"{accounts.folded(email)} has no second step; nothing was changed."

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
