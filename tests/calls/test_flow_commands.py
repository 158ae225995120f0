"""The commands about flows as a person types them, on a real Postgres."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import numberpool

OFFICE: dict[str, Any] = {
    "kind": "hours",
    "week": [{"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:00"}],
    "holidays": [{"on": "2026-12-25", "name": "Christmas", "yearly": True}],
    "open": {
        "kind": "menu",
        "prompt": "custom/menu",
        "keys": {"1": {"kind": "ring", "lines": ["Front desk"]}},
        "otherwise": {
            "kind": "ring",
            "strategy": "together",
            "seconds": 20,
            "lines": ["Front desk", {"destination": "Mobile", "weight": 2}],
            "then": {"kind": "voicemail"},
        },
    },
    "closed": {"kind": "voicemail", "greeting": "custom/closed"},
}


class Person:
    """Types commands in a folder; each is to succeed unless it is said otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._terminal = CliRunner()

    async def types(self, *words: str, fails: bool = False) -> str:
        # A command has an event loop of its own.
        done = await asyncio.to_thread(self._terminal.invoke, numberpool, words)
        assert (done.exit_code != 0) is fails, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.output

    async def sets(self, start: object, fails: bool = False) -> str:
        file = self.folder / "flow.json"
        file.write_text(start if isinstance(start, str) else json.dumps({"version": 1, "start": start}))
        return await self.types("flow", "set", "Office", str(file), fails=fails)


@pytest.fixture
async def person(database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NUMBERPOOL_POSTGRES__DSN", database_dsn)
    typing = Person(tmp_path)
    await typing.types("company", "add", "Prairie Heating", "--region", "CA", "--time-zone", "America/Regina")
    await typing.types("destination", "add", "Front desk", "PJSIP/reception")
    await typing.types("destination", "add", "Mobile", "PJSIP/mobile")
    await typing.types("source", "add", "Flyer")
    await typing.types("number", "add", "306 555 2001", "--source", "Flyer")
    return typing


async def test_from_nothing_to_a_route(person: Person) -> None:
    assert "flow set NAME FILE" in await person.types("flow", "list")
    said = await person.sets(OFFICE)
    assert "Office, revision 1:" in said
    assert "ring Front desk, Mobile, all at once, 20 s" in said
    assert 'flow assign "Office" --all' in said
    await person.types("flow", "assign", "Office", "--all")
    assert (await person.types("flow", "list")).splitlines()[1].split() == ["Office", "1", "the", "company"]

    shown = await person.types("route", "show", "306 555 2001", "--at", "2026-03-02 12:00")
    assert "(306) 555-2001 at Monday, 02 March 2026, 12:00 (America/Regina)" in shown
    assert "open mon-fri 09:00-17:00 (now):" in shown
    opened = "Menu/1-1-o:1:2:custom/menu^5~PJSIP/reception&PJSIP/mobile^20~Voicemail/-^120|+13065552001"
    assert shown.count(opened) == 2  # of the gateway, and of AstDB
    assert any(line.split() == ["Menu/1-1-o-1", "PJSIP/reception^30"] for line in shown.splitlines())

    for at in ("2026-03-02 17:00", "2026-12-25 12:00", "2026-03-02T23:00:00+00:00"):
        shown = await person.types("route", "show", "306 555 2001", "--at", at)
        assert "Voicemail/custom/closed^120|" in shown
        assert shown.count(opened) == 1


async def test_a_change_is_the_next_revision_and_what_is_the_same_is_none(person: Person) -> None:
    await person.sets(OFFICE)
    assert "revision 1" in await person.sets(OFFICE)
    assert "revision 2" in await person.sets(OFFICE["closed"])
    written = json.loads(await person.types("flow", "show", "Office", "--json"))
    assert written["start"]["greeting"] == "custom/closed"


async def test_what_is_shown_can_be_set_again(person: Person) -> None:
    await person.sets(OFFICE)
    document = await person.types("flow", "show", "Office", "--json")
    assert '"Mobile"' in document
    assert "revision 1" in await person.sets(document)


async def test_the_nearest_flow_holds(person: Person) -> None:
    """A number's own goes before its source's, its pool's and its company's; its own destination before these three."""
    for name in ("company", "pool", "source", "number"):
        start = {"kind": "voicemail", "greeting": f"custom/{name}"}
        (person.folder / "flow.json").write_text(json.dumps({"version": 1, "start": start}))
        await person.types("flow", "set", name, str(person.folder / "flow.json"))

    async def greeting() -> str:
        shown = await person.types("route", "show", "306 555 2001")
        return shown.partition("Voicemail/custom/")[2].partition("^")[0]

    assert await greeting() == ""
    await person.types("flow", "assign", "company", "--all")
    assert await greeting() == "company"
    await person.types("flow", "assign", "pool", "--pool", "Static numbers")
    assert await greeting() == "pool"
    await person.types("flow", "assign", "source", "--source", "Flyer")
    assert await greeting() == "source"
    await person.types("flow", "assign", "number", "--number", "306 555 2001")
    assert await greeting() == "number"
    assert "1 number" in await person.types("flow", "remove", "number", fails=True)
    await person.types("flow", "unassign", "--number", "306 555 2001")
    await person.types("flow", "remove", "number")
    assert await greeting() == "source"
    await person.types("flow", "unassign", "--source", "Flyer")
    assert await greeting() == "pool"

    await person.types("number", "add", "306 555 2002", "--source", "Flyer", "--destination", "Mobile")
    shown = await person.types("route", "show", "306 555 2002")
    assert "no flow: its destinations in order" in shown
    assert "PJSIP/mobile^30" in shown


async def test_who_is_told_of_messages(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no mail server" in await person.types("flow", "messages-to", "office@example.com", fails=True)
    monkeypatch.setenv("NUMBERPOOL_PAGES__PUBLIC_URL", "https://calls.example.com")
    monkeypatch.setenv("NUMBERPOOL_MAIL__HOST", "127.0.0.1")
    monkeypatch.setenv("NUMBERPOOL_MAIL__FROM", "calls@example.com")
    assert "was asked by mail" in await person.types("flow", "messages-to", "office@example.com")
    for wrong in ("office", "a b@example.com", "a@b@c"):
        assert "is no address" in await person.types("flow", "messages-to", wrong, fails=True)
    assert "Nobody is told" in await person.types("flow", "messages-to", "none")


async def test_the_switch(person: Person) -> None:
    await person.sets(OFFICE)
    await person.types("flow", "assign", "Office", "--all")
    assert "numberpool flow open" in await person.types("flow", "close")
    shown = await person.types("route", "show", "306 555 2001", "--at", "2026-03-02 12:00")
    assert "the switch says closed" in shown
    assert "Voicemail/custom/closed^120|" in shown
    await person.types("flow", "open")
    shown = await person.types("route", "show", "306 555 2001", "--at", "2026-03-02 12:00")
    assert "Voicemail/custom/closed^120|" not in shown


async def test_what_is_wrong_is_said_with_its_mend(person: Person) -> None:
    assert "'Back office' is no destination of Prairie Heating" in await person.sets(
        {"kind": "ring", "lines": ["Back office"]}, fails=True
    )
    assert "is no JSON" in await person.sets("{", fails=True)
    assert "without a word" in await person.sets({"kind": "hang_up"}, fails=True)
    assert "numberpool flow list" in await person.types("flow", "assign", "Office", "--all", fails=True)
    await person.sets(OFFICE)
    assert "one of --number" in await person.types("flow", "assign", "Office", fails=True)
    assert "is no pool" in await person.types("flow", "assign", "Office", "--pool", "Visitors", fails=True)
    assert "is no number" in await person.types("flow", "assign", "Office", "--number", "306 555 2999", fails=True)
    assert "is no time" in await person.types("route", "show", "306 555 2001", "--at", "noon", fails=True)


async def test_a_destination_that_a_flow_rings_is_not_lost_to_it(person: Person) -> None:
    await person.sets(OFFICE)
    assert "the flow Office" in await person.types("destination", "remove", "Mobile", fails=True)
    await person.types("destination", "remove", "Mobile", "--instead", "Front desk")
    said = await person.types("flow", "show", "Office")
    assert "ring Front desk, 20 s" in said
    assert "Mobile" not in said


async def test_a_number_that_nobody_owns_goes_by_the_company_that_takes_it(person: Person) -> None:
    await person.sets(OFFICE["closed"])
    await person.types("flow", "assign", "Office", "--all")
    shown = await person.types("route", "show", "306 555 2999")
    assert "no tracking number" in shown
    assert "Voicemail/custom/closed^120" in shown
