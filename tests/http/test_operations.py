"""Health, the database away, and the commands that make accounts."""

import asyncio

import asyncpg
import click
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from gateway.health import Condition
from gateway.http.commands import COMMANDS, CommandRefused, add_user, make_login_link
from gateway.http.permissions import Role
from gateway.local.postgres import EmbeddedPostgres
from gateway.settings import PostgresSettings, Settings
from tests.http.conftest import Pages


@pytest.mark.parametrize(
    ("condition", "status"), [(Condition.OK, 200), (Condition.TROUBLED, 200), (Condition.NEEDS_PERSON, 503)]
)
async def test_health_says_which_part_and_what_to_do(pages: Pages, condition: Condition, status: int) -> None:
    pages.health.tell("asterisk:pbx", condition, "Set the secret.")
    answer = await pages.client().get("/healthz")
    assert answer.status == status
    told = await answer.json()
    assert told["condition"] == condition.value
    assert told["parts"]["asterisk:pbx"] == {"condition": condition.value, "message": "Set the secret."}
    page = await (await (await pages.signed_in()).get("/calls")).text()
    assert ("Set the secret." in page) == (condition is Condition.NEEDS_PERSON)
    assert "Set the secret." not in await (await pages.client().get("/sign-in")).text()


async def test_a_database_that_is_away_is_said_in_words(pages: Pages, postgres_server: EmbeddedPostgres) -> None:
    client = await pages.signed_in()
    async with pages.database.everything() as wire:
        name = await wire.fetchval("SELECT current_database()")
    admin = await asyncpg.connect(postgres_server.admin_dsn)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
    page, data = await client.get("/calls"), await client.get("/api/v1/calls")
    assert page.status == data.status == 503
    assert "The database is away" in await page.text()
    assert (await data.json())["id"] == "database_away"
    assert (await pages.client().get("/healthz")).status in (200, 503)


async def test_accounts_are_made_by_command(pages: Pages) -> None:
    await add_user(pages.database, "first@example.com", "Acme Roofing", Role.OWNER)
    user = await add_user(pages.database, " New@Example.com ", "Acme Roofing", Role.OWNER)
    assert await add_user(pages.database, "new@example.com", "Acme Roofing", Role.ANALYST) == user
    link = await make_login_link(pages.database, "NEW@example.com", "https://calls.example/")
    assert link.startswith("https://calls.example/sign-in/link/")
    for refused in (
        add_user(pages.database, "not an address", "Acme Roofing", Role.OWNER),
        add_user(pages.database, "a@example.com", "No Such", Role.OWNER),
        make_login_link(pages.database, "nobody@example.com", "http://x"),
    ):
        with pytest.raises(CommandRefused, match=r"\w{5,}"):
            await refused


async def test_the_commands_themselves(pages: Pages) -> None:
    dsn = pages.database.dsn
    settings = Settings(postgres=PostgresSettings(dsn=SecretStr(dsn)), data_folder=pages.settings.data_folder)

    async def told(*arguments: str) -> tuple[int, str]:
        group = click.Group(commands=COMMANDS)
        result = await asyncio.to_thread(CliRunner().invoke, group, list(arguments), obj=settings)
        return result.exit_code, result.output or str(result.exception)

    assert await told("user", "add", "o@example.com", "--company", "Acme Roofing") == (
        0,
        "o@example.com is now owner of Acme Roofing. Next: numberpool login-link o@example.com\n",
    )
    code, link = await told("login-link", "o@example.com")
    assert code == 0
    assert link.startswith("http://127.0.0.1:8080/sign-in/link/")
    code, listed = await told("user", "list")
    assert code == 0
    assert "o@example.com" in listed
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE users SET totp_secret = 'JBSWY3DPEHPK3PXP', totp_since = now()")
    assert await told("user", "second-step-off", "O@example.com") == (0, "The second step of o@example.com is off.\n")
    assert "nothing was changed" in (await told("user", "second-step-off", "o@example.com"))[1]
    assert (await told("user", "second-step-off", "nobody@example.com"))[0] == 1
    async with pages.database.everything() as wire:
        lines = await wire.fetch("SELECT action, via FROM audit_log ORDER BY id")
    assert [tuple(line) for line in lines] == [("user.added", "command"), ("account.second_step_off", "command")]
    code, output = await told("user", "add", "o@example.com", "--company", "Nobody")
    assert (code, "known: Acme Roofing" in output) == (1, True)
