"""Accounts from the command line: the functions, and the click commands in front of them."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from zoneinfo import available_timezones

import asyncpg
import click
import phonenumbers

from gateway.http import accounts
from gateway.http.permissions import Role
from gateway.settings import Settings
from gateway.store.database import Database, StoreError
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "accounts.sql")

Answer = TypeVar("Answer")
# How the command line runs something against the database: it loads the settings, opens, runs, closes.
WithDatabase = Callable[[Callable[[Database, Settings], Awaitable[Answer]]], Answer]

_ADDRESS = re.compile(r"^[^@\s]+@[^@\s]+$")


class CommandRefused(Exception):
    """What was asked for cannot be done; the message says what to do instead."""


async def add_company(database: Database, name: str, time_zone: str = "UTC", region: str = "US") -> int:
    """Make a company; its id.

    Raises CommandRefused where there is one of that name, or its time zone or country is none.
    """
    if time_zone not in available_timezones():
        raise CommandRefused(f"there is no time zone {time_zone!r}; write it like America/Regina")
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise CommandRefused(f"there is no country {region!r}; write its two letters, like CA")
    async with database.everything() as connection:
        if await _queries.company_by_name(connection, name=name) is not None:
            raise CommandRefused(f"there is a company {name!r} already; choose another name")
        company_id: int = await _queries.insert_company(connection, name=name, time_zone=time_zone, region=region)
    return company_id


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


def account_commands(with_database: WithDatabase[str]) -> list[click.Command]:
    """``company``, ``user`` and ``login-link``, for the command line to include."""

    def run(work: Callable[[Database, Settings], Awaitable[str]]) -> None:
        try:
            click.echo(with_database(work))
        except (CommandRefused, StoreError) as error:
            raise click.ClickException(str(error)) from None
        except (OSError, asyncpg.PostgresError) as error:
            raise click.ClickException(f"the database cannot be used: {error}; check postgres.dsn") from None

    @click.group()
    def user() -> None:
        """Who may sign in to the pages."""

    @user.command("add")
    @click.argument("email")
    @click.option("--company", required=True, metavar="NAME", help="The company the user belongs to.")
    @click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.OWNER.value)
    @click.option("--name", default="", help="How the pages call this person.")
    def add(email: str, company: str, role: str, name: str) -> None:
        """Make a user, or give an existing one a role in another company."""

        async def work(database: Database, _settings: Settings) -> str:
            await add_user(database, email, company, Role(role), name)
            return f"{accounts.folded(email)} is now {role} of {company}. Next: numberpool login-link {email}"

        run(work)

    @click.command("login-link")
    @click.argument("email")
    @click.option("--base-url", metavar="URL", help="The address of the pages; else pages.public_url.")
    def login_link(email: str, base_url: str | None) -> None:
        """Print a link that signs a user in once, within 15 minutes."""

        async def work(database: Database, settings: Settings) -> str:
            pages = settings.pages
            base = base_url or pages.public_url or f"http://{pages.host}:{pages.port}"
            return await make_login_link(database, email, base)

        run(work)

    @click.group()
    def company() -> None:
        """The companies whose calls are tracked."""

    @company.command("add")
    @click.argument("name")
    @click.option("--time-zone", default="UTC", show_default=True, help="In which its pages show times.")
    @click.option("--region", default="US", show_default=True, help="The country whose national numbers it writes.")
    def add_one(name: str, time_zone: str, region: str) -> None:
        """Make a company."""

        async def work(database: Database, _settings: Settings) -> str:
            await add_company(database, name, time_zone, region)
            return f"Made {name}. Next: numberpool user add EMAIL --company {name!r}"

        run(work)

    return [company, user, login_link]
