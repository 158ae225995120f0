"""The audit log: only added to, said in sentences, found by person and kind, exported; and who may see it."""

import asyncio
import csv
import io
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import click
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from gateway import audit
from gateway.assets import asset_folder
from gateway.audit import Action, Actor, Via, note, note_once
from gateway.http.audit_words import GROUPS, SENTENCES, Line, sentence
from gateway.http.language import load_languages
from gateway.http.permissions import Role
from gateway.http.words import Words
from gateway.pools.commands import COMMANDS as SET_UP
from gateway.settings import PostgresSettings, Settings
from tests.http.company import add_call, make_recording
from tests.http.conftest import Pages
from tests.http.test_users import user_id

LANGUAGES = load_languages(asset_folder("web") / "translations")
ANNA = Actor(None, "Anna", address="203.0.113.9")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def line(pages: Pages, action: Action = Action.SETTING_ADDED, actor: Actor = ANNA, **details: object) -> None:
    async with pages.database.companies(pages.company.id) as connection:
        await note(connection, actor, pages.company.id, action, "pool/3", **details)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'nobody'",
        "UPDATE audit_log SET at = now()",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "TRUNCATE companies CASCADE",
        "DELETE FROM companies",
        "INSERT INTO audit_log (company_id, action, subject) SELECT id, 'x', 'y' FROM companies "
        "ON CONFLICT DO NOTHING; UPDATE audit_log SET action = 'x'",
    ],
)
async def test_a_line_stays_as_it_is(pages: Pages, statement: str) -> None:
    await line(pages, name="Website")
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ForeignKeyViolationError)):
        async with pages.database.everything() as wire:
            await wire.execute(statement)
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT actor FROM audit_log WHERE subject = 'pool/3'") == "Anna"


async def test_only_with_its_whole_company_may_a_line_go(pages: Pages) -> None:
    await line(pages)
    async with pages.database.everything() as wire:
        await wire.execute("SELECT set_config('numberpool.removes_company', $1, true)", str(pages.company.id))
        await wire.execute("DELETE FROM audit_log WHERE company_id = $1", pages.company.id)
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM audit_log WHERE company_id = $1", pages.company.id) == 0
        await wire.execute(
            "INSERT INTO audit_log (company_id, action, subject) VALUES ($1, 'x', 'y')", pages.stranger.id
        )
        await wire.execute("SELECT set_config('numberpool.removes_company', $1, true)", str(pages.company.id))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with wire.transaction():
                await wire.execute("DELETE FROM audit_log")


async def test_a_line_and_what_it_tells_are_there_together_or_not_at_all(pages: Pages) -> None:
    with suppress(ZeroDivisionError):
        async with pages.database.companies(pages.company.id) as connection:
            await note(connection, ANNA, pages.company.id, Action.SETTING_REMOVED, "pool/3")
            raise ZeroDivisionError
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM audit_log") == 0


async def test_one_doing_at_many_instants_is_one_line(pages: Pages) -> None:
    await pages.signed_in()
    who = Actor(await user_id(pages, Role.OWNER), "Owner")

    async def hear(session: str) -> None:
        async with pages.database.companies(pages.company.id) as connection:
            await note_once(
                connection,
                who,
                pages.company.id,
                Action.RECORDING_HEARD,
                "call/1",
                timedelta(minutes=30),
                session=session,
            )

    await asyncio.gather(*(hear("one") for _ in range(8)))
    await hear("another")
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM audit_log WHERE action = 'recording.heard'") == 2


# ------------------------------------------------------------------------------------------------------------ sentences


def said(action: Action | str, language: str = "en", /, **more: object) -> str:
    values: dict[str, object] = {
        "id": 1,
        "at": AT,
        "user_id": 7,
        "who": "Anna",
        "via": Via.PAGE.value,
        "address": "",
        "subject": "call/12",
        "details": {},
        "caller": "+13065550142",
        "called_at": datetime(2026, 5, 3, 18, tzinfo=UTC),
    }
    told = Line(action=str(action), **{**values, **more})  # type: ignore[arg-type]
    return sentence(told, Words(LANGUAGES[language], "CA", ZoneInfo("UTC"), AT))


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_a_sentence_in_every_language(action: Action, language: str) -> None:
    assert action in SENTENCES
    assert action.value.partition(".")[0] in GROUPS
    text = said(action, language)
    assert text.startswith("Anna")
    assert "%(" not in text


@pytest.mark.parametrize(
    ("words", "action", "more"),
    [
        ("Anna heard the recording of the call from (306) 555-0142 on May 3", Action.RECORDING_HEARD, {}),
        (
            "Anna heard the recording of the call from a withheld number on May 3",
            Action.RECORDING_HEARD,
            {"caller": None},
        ),
        ("Anna heard the recording of a call that is no longer here", Action.RECORDING_HEARD, {"called_at": None}),
        ("Anna exported a list of calls (1,234)", Action.CALLS_EXPORTED, {"details": {"calls": 1234}}),
        (
            "Anna made Tom manager (before: agent)",
            Action.ROLE_CHANGED,
            {"details": {"name": "Tom", "role": "manager", "before": "agent"}},
        ),
        (
            "Anna changed the pool Website",
            Action.SETTING_CHANGED,
            {"subject": "pool/3", "details": {"name": "Website"}},
        ),
        (
            "root, by command ran the command numberpool pool set name=Website price=2",
            Action.COMMAND_RUN,
            {
                "who": "root",
                "via": "command",
                "details": {"command": "pool set", "typed": {"name": "Website", "price": "2"}},
            },
        ),
        (
            "Numberpool deleted the recording of a call that is no longer here",
            Action.RECORDING_DELETED,
            {"via": "system", "who": "", "called_at": None},
        ),
        ("Somebody who is no longer a user signed in", Action.SIGNED_IN, {"who": ""}),
        ("Anna: moon.landed (moon/1)", "moon.landed", {"subject": "moon/1"}),
    ],
)
def test_sentences_say_it_plainly(words: str, action: Action | str, more: dict[str, object]) -> None:
    assert said(action, **more) == words


# ----------------------------------------------------------------------------------------------------------------- page


async def test_the_page_tells_and_narrows_down(pages: Pages) -> None:
    owner = await pages.signed_in()
    call_id = await add_call(pages.database, pages.company, recording=make_recording(pages.recordings, "own", 2))
    await owner.get(f"/calls/{call_id}/recording")
    await line(pages, name="Website", changes={"priority": [1, 2], "note": [None, "<b>"]})
    await line(pages, actor=Actor(None, "root", Via.COMMAND), name="Shop")
    page = await (await owner.get("/settings/audit")).text()
    assert "heard the recording of the call from (306) 555-0142" in page
    assert "127.0.0.1" in page
    assert "<s>1</s> → 2" in page
    assert "&lt;b&gt;" in page
    me = await user_id(pages, Role.OWNER)
    for query, there, gone in (
        (f"person={me}", "heard the recording", "added the pool"),
        ("person=command", "Shop", "Website"),
        ("action=recording", "heard the recording", "added the pool"),
        ("action=setting", "Website", "heard the recording"),
        (f"subject=call/{call_id}", "heard the recording", "Website"),
        ("from=2026-01-01", "Website", "Nothing of the kind"),
        ("to=2026-01-01", "Nothing of the kind", "Website"),
    ):
        page = await (await owner.get(f"/settings/audit?{query}")).text()
        lines = page.partition('class="narrow"')[2].partition("</form>")[2]
        assert there in lines, query
        assert gone not in lines, query


@pytest.mark.parametrize("query", ["action=x", "person=x", "person=²", "subject=x", "from=x", "before=x", "company=x"])
async def test_an_address_that_cannot_be_read_is_refused(pages: Pages, query: str) -> None:
    owner = await pages.signed_in()
    assert (await owner.get(f"/settings/audit?{query}")).status in (400, 404)
    assert (await owner.get(f"/settings/audit.csv?{query}")).status in (200, 400, 404)


async def test_older_lines_follow_each_once(pages: Pages) -> None:
    owner = await pages.signed_in()
    async with pages.database.companies(pages.company.id) as connection:
        for number in range(250):
            await note(
                connection, ANNA, pages.company.id, Action.SETTING_ADDED, f"pool/{number}", name=f"P{number:03}."
            )
    address, found = "/settings/audit?action=setting", []
    while address:
        page = await (await owner.get(address)).text()
        found += [number for number in range(250) if f"P{number:03}." in page]
        older = page.partition('class="pager"')[2].partition('href="')[2].partition('"')[0]
        address = older.replace("&amp;", "&")
    assert sorted(found) == list(range(250))


async def test_the_export_is_whole_safe_for_spreadsheets_and_a_line_itself(pages: Pages) -> None:
    owner = await pages.signed_in()
    await line(pages, name='=HYPERLINK("http://evil.example")')
    await line(pages, actor=Actor(None, "=1+1", address="203.0.113.9"), name="Zoë")
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO audit_log (company_id, action, subject, actor) VALUES ($1, 'x', 'y', 'zyx')", pages.stranger.id
        )
    answer = await owner.get("/settings/audit.csv?action=setting")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-2')
    text = (await answer.read()).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 3
    assert rows[0][0] == "time (UTC)"
    assert "zyx" not in text
    assert "Zoë" in text
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert "exported the audit log (2 lines)" in await (await owner.get("/settings/audit")).text()


async def test_who_manages_sees_it_and_nobody_else(pages: Pages) -> None:
    for role, status in ((Role.OWNER, 200), (Role.MANAGER, 200), (Role.ANALYST, 403), (Role.AGENT, 403)):
        client = await pages.signed_in(role)
        assert (await client.get("/settings/audit")).status == status
        assert (await client.get("/settings/audit.csv")).status == status


# ------------------------------------------------------------------------------------------------------------- commands


async def test_a_command_that_changes_something_says_so_and_one_that_reads_does_not(pages: Pages) -> None:
    dsn = pages.database.dsn
    settings = Settings(postgres=PostgresSettings(dsn=SecretStr(dsn)), data_folder=pages.settings.data_folder)

    async def run(*arguments: str) -> int:
        group = click.Group("numberpool", commands=SET_UP)
        result = await asyncio.to_thread(CliRunner().invoke, group, list(arguments), obj=settings)
        return result.exit_code

    assert await run("source", "add", "Radio", "--company", "Acme Roofing") == 0
    assert await run("source", "list", "--company", "Acme Roofing") == 0
    assert await run("source", "add", "Radio", "--company", "Nobody") != 0
    assert await run("company", "add", "Third") == 0
    async with pages.database.everything() as wire:
        rows = await wire.fetch(
            "SELECT c.name, a.actor, a.details ->> 'command' AS command FROM audit_log a "
            "JOIN companies c ON c.id = a.company_id WHERE a.action = 'command.run' ORDER BY a.id"
        )
    assert [(row["name"], row["command"]) for row in rows] == [("Acme Roofing", "source add"), ("Third", "company add")]
    assert all(row["actor"] == audit.by_command().name for row in rows)
    page = await (await (await pages.signed_in()).get("/settings/audit?person=command")).text()
    assert "ran the command numberpool source add" in page
    assert "Radio" in page
