"""The commands of pools, sites and many numbers as a person types them, on a real Postgres."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import numberpool
from gateway.store.database import Database


class Person:
    """Types commands; each is to succeed unless it is said otherwise."""

    def __init__(self) -> None:
        self._terminal = CliRunner()

    async def types(self, *words: str, given: str | bytes = "", fails: bool = False) -> Result:
        # A command has an event loop of its own.
        done = await asyncio.to_thread(self._terminal.invoke, numberpool, words, input=given)
        assert (done.exit_code != 0) is fails, done.output
        return done


@pytest.fixture
async def person(database_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NUMBERPOOL_POSTGRES__DSN", database_dsn)
    typing = Person()
    await typing.types("company", "add", "Prairie Heating", "--region", "CA", "--currency", "CAD")
    await typing.types("destination", "add", "Front desk", "PJSIP/reception")
    await typing.types("source", "add", "Flyer")
    return typing


async def test_from_nothing_to_a_pool_with_numbers(person: Person) -> None:
    assert "pool add Visitors" in (await person.types("pool", "list")).output
    assert "site add" in (await person.types("site", "list")).output
    made = await person.types("site", "add", "Home", "--host", "www.example.com", "--number", "(306) 555-0100")
    assert "Its key, for its pages:  " in made.output
    made = await person.types(
        "pool", "add", "Visitors", "--when", "medium=cpc,ppc", "--when", "source=!bing", "--price", "1.15",
        "--reserve", "30m", "--target", "306 555 0100",
    )  # fmt: skip
    assert 'numberpool number import FILE --pool "Visitors"' in made.output
    lines = "number;carrier\n306 555 2001;Acme\n306 555 2002;Acme\n"
    done = await person.types("number", "import", "-", "--pool", "Visitors", given=lines)
    assert done.output == "2 numbers made.\n"

    (title, row) = (await person.types("pool", "list")).output.splitlines()
    assert title.split("  ")[0] == "NAME"
    for told in ("Visitors", "dynamic", "medium=cpc,ppc", "source=!bing", "visitor", "30m", "share", "1.15 CAD"):
        assert told in row
    assert "(306) 555-0100" in (await person.types("site", "list")).output
    await person.types("pool", "set", "Visitors", "--when", "", "--price", "none", "--when-full", "fallback")
    (_, row) = (await person.types("pool", "list")).output.splitlines()
    assert "always" in row
    assert "fallback" in row
    assert "CAD" not in row


async def test_whether_a_pool_records(person: Person) -> None:
    await person.types("pool", "add", "Visitors", "--no-record")
    await person.types("number", "import", "-", "--pool", "Visitors", given="306 555 2001")

    async def records() -> str:
        (_, row) = (await person.types("number", "list")).output.splitlines()
        return row.split()[-2]

    assert await records() == "no"
    for said, heard in (("on", "yes"), ("off", "no"), ("company", "yes")):
        await person.types("pool", "set", "Visitors", "--record", said)
        assert await records() == heard
    await person.types("pool", "set", "Visitors", "--record", "off")
    await person.types("pool", "set", "Visitors", "--reserve", "30m")
    assert await records() == "no"


async def test_faulty_lines_are_named(person: Person, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_bytes("number,source\n306 555 2001,Flyer\nnonsense,Flyer\n306 555 2002,Radio\n".encode("utf-16"))
    refused = await person.types("number", "import", str(file), fails=True)
    assert "line 3: 'nonsense' is not a telephone number" in refused.output
    assert "line 4: 'Radio' is not a source" in refused.output
    assert "No number yet" in (await person.types("number", "list")).output
    done = await person.types("number", "import", str(file), "--only-good")
    assert "left out: line 3" in done.stderr
    assert done.stdout == "1 number made, 2 left out.\n"
    assert "holds no number" in (await person.types("number", "import", "-")).output


async def test_numbers_are_moved_rested_retired_and_removed(person: Person) -> None:
    await person.types("pool", "add", "Visitors")
    await person.types("number", "import", "-", "--source", "Flyer", given="306 555 2001\n306 555 2002\n306 555 2003")
    moved = await person.types("number", "move", "306 555 2001", "306 555 2002", "--to", "Visitors")
    assert moved.output.splitlines()[0] == "(306) 555-2001 (+13065552001) belongs to Visitors now."
    back = await person.types("number", "move", "306 555 2001", "--to", "Static numbers", fails=True)
    assert "name it with --source" in back.output
    await person.types("number", "rest", "306 555 2001", "--for", "30d")
    await person.types("number", "rest", "306 555 2002")
    await person.types("number", "retire", "306 555 2003")
    states = [line.split("  ")[-1].strip() for line in (await person.types("number", "list")).output.splitlines()[1:]]
    assert states[0].startswith("rests until 20")
    assert states[1:] == ["rests", "retired"]
    await person.types("number", "wake", "306 555 2002")
    assert "Nobody held them." in (await person.types("number", "release", "306 555 2002")).output
    assert "is removed." in (await person.types("number", "remove", "306 555 2002")).output
    assert "numberpool number list" in (await person.types("number", "retire", "306 555 2002", fails=True)).output
    assert "20m" in (await person.types("number", "rest", "306 555 2001", "--for", "ages", fails=True)).output


async def test_a_destination_never_leads_back(person: Person) -> None:
    await person.types("number", "import", "-", "--source", "Flyer", given="306 555 2001")
    for dial in ("PJSIP/3065552001@carrier", "PJSIP/9-1-306-555-2001@carrier", "Local/13065552001@from-trunk/n"):
        refused = await person.types("destination", "add", "Loop", dial, fails=True)
        assert "come back for ever" in refused.output
    await person.types("destination", "add", "Mobile", "PJSIP/13065559876@carrier", "--then", "Front desk")
    refused = await person.types("number", "import", "-", "--source", "Flyer", given="(306) 555-9876", fails=True)
    assert "is what a destination dials" in refused.output


async def test_how_pools_are_doing(person: Person, database_dsn: str) -> None:
    assert "No pool lends numbers yet" in (await person.types("pool", "health")).output
    await person.types("pool", "add", "Visitors")
    told = (await person.types("pool", "health")).output
    assert "Visitors has no number to lend" in told
    await person.types("number", "import", "-", "--pool", "Visitors", given="306 555 2001\n306 555 2002")
    database = await Database.open(database_dsn)
    async with database.everything() as connection:
        await connection.execute(
            "INSERT INTO pool_hours (company_id, pool_id, hour, leased, displaced, samples, occupied_sum,"
            " occupied_most) SELECT company_id, id, date_trunc('hour', now()), 31, 4, 2, 3, 2 FROM pools"
            " WHERE name = 'Visitors'"
        )
        await connection.execute(
            "INSERT INTO pool_misses (company_id, pool_id, hour, source, displaced)"
            " SELECT company_id, id, date_trunc('hour', now()), 'Google Paid', 4 FROM pools WHERE name = 'Visitors'"
        )
    await database.close()
    told = (await person.types("pool", "health", "--by-hour")).output
    row = next(line for line in told.splitlines() if line.startswith("Visitors "))
    assert row.split() == ["Visitors", "2", "0", "0", "1.5", "2", "31", "4", "0"]
    assert "Visitors  Google Paid    4               0" in told
    assert "4 visits took another visitor's number" in told
