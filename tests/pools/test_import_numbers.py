"""Lists of numbers as people have them: what is read, what is refused by line, and ten thousand at once."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.pools import errors, pool_errors, setup
from gateway.pools.import_numbers import import_numbers
from gateway.pools.number_table import Entry, decoded, entries_of
from gateway.pools.setup import Company
from gateway.store.database import Database

TWO = [(1, "306 555 2001"), (2, "306 555 2002")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("306 555 2001\n306 555 2002\n", TWO),
        ("306 555 2001\r\n\r\n\t\n306 555 2002", [(1, "306 555 2001"), (4, "306 555 2002")]),
        ("306 555 2001, 306 555 2002", [(1, "306 555 2001"), (1, "306 555 2002")]),
        ("306 555 2001;306 555 2002 # radio, later\n# nothing", [(1, "306 555 2001"), (1, "306 555 2002")]),
        ("\ufeffNumber\n306 555 2001\n306 555 2002", [(2, "306 555 2001"), (3, "306 555 2002")]),
        ('"306 555 2001"\n"306 555 2002"', TWO),
        ('="306 555 2001"\n\'306 555 2002', TWO),
        ("City,Number\nRegina,306 555 2001\nSaskatoon,306 555 2002", [(2, "306 555 2001"), (3, "306 555 2002")]),
        ("DID;Carrier\n306 555 2001;a\n306 555 2002;b", [(2, "306 555 2001"), (3, "306 555 2002")]),
        ("Phone_Number\tCost\n306 555 2001\t1.15", [(2, "306 555 2001")]),
        # Without a header the columns that hold numbers are told by what is in them.
        ("Regina,306 555 2001,1.15\nSaskatoon,306 555 2002,1.15", TWO),
        (
            "Regina,306 555 2001\nSaskatoon,nonsense\nMoose Jaw,306 555 2002",
            [(1, "306 555 2001"), (2, "nonsense"), (3, "306 555 2002")],
        ),
        (
            "306 555 2001,306 555 2002\n306 555 2003,oops",
            [*[(1, "306 555 2001"), (1, "306 555 2002")], (2, "306 555 2003"), (2, "oops")],
        ),
        ("nonsense", [(1, "nonsense")]),
        ("", []),
        ("# only a remark\n", []),
        ('number\n"306 555\n2001"\n306 555 2002', [(2, "306 555\n2001"), (4, "306 555 2002")]),
    ],
)
def test_what_a_list_holds(text: str, expected: list[tuple[int, str]]) -> None:
    found = entries_of(decoded(text.encode()), "CA")
    assert [(entry.line, entry.text) for entry in found] == expected


def test_a_header_says_more_of_each_number() -> None:
    text = "number,pool,source,forward to,price,carrier,city\n"
    text += "306 555 2001,Print,Flyer,Desk,1.15,Acme,Regina\n306 555 2002,,,,,,\n,Print"
    assert entries_of(text, "CA") == [
        Entry(
            2,
            "306 555 2001",
            {"pool": "Print", "source": "Flyer", "destination": "Desk", "price": "1.15", "note": "Acme"},
        ),
        Entry(3, "306 555 2002"),
        Entry(4, "", {"pool": "Print"}),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_files_of_all_kinds_of_spreadsheets(encoding: str) -> None:
    given = "number,note\n306 555 2001,Café".encode(encoding)
    assert entries_of(decoded(given), "CA") == [Entry(2, "306 555 2001", {"note": "Café"})]


@given(text=st.text(max_size=200), given=st.binary(max_size=200))
def test_any_text_is_a_list_of_something(text: str, given: bytes) -> None:
    lines = max(len(text.splitlines()), text.count("\n") + text.count("\r") + 1)
    for entry in entries_of(text, "CA"):
        assert 1 <= entry.line <= lines
    entries_of(decoded(given), "CA")


@pytest_asyncio.fixture
async def connection(database_dsn: str) -> AsyncIterator[Any]:
    database = await Database.open(database_dsn)
    async with database.everything() as connection:
        yield connection
    await database.close()


@pytest_asyncio.fixture
async def company(connection: Any) -> Company:
    made = await setup.add_company(connection, "Prairie Heating", region="CA")
    await setup.add_source(connection, made, "Flyer")
    await setup.add_pool(connection, made, "Visitors", "dynamic")
    await setup.add_destination(connection, made, "Mobile", "PJSIP/13065559876@carrier")
    return made


async def numbers(connection: Any, company: Company) -> list[str]:
    return [row["e164"] for row in await setup.numbers(connection, company)]


async def test_a_list_is_made_as_it_says(connection: Any, company: Company) -> None:
    text = "number,pool,source,destination,price,note\n"
    text += "306 555 2001,Static numbers,Flyer,Mobile,1.15,Acme\n306 555 2002,,,,,\n"
    done = await import_numbers(connection, company, entries_of(text, "CA"), pool="Visitors")
    assert (done.made, done.faults) == (("+13065552001", "+13065552002"), ())
    one, other = await setup.numbers(connection, company)
    assert (one["pool"], one["source"], one["destination"]) == ("Static numbers", "Flyer", "Mobile")
    assert (other["pool"], other["source"], other["destination"]) == ("Visitors", None, None)
    row = await connection.fetchrow("SELECT monthly_price, note FROM tracking_numbers WHERE e164 = '+13065552001'")
    assert (str(row["monthly_price"]), row["note"]) == ("1.1500", "Acme")


FAULTY = """number,pool,source,destination,price,whisper
306 555 2001,Visitors,,,,
nonsense,Visitors,,,,
306 555,Visitors,,,,
+1 306-555-2001,Visitors,,,,
306 555 2003,Nowhere,,,,
306 555 2004,Static numbers,,,,
306 555 2005,Static numbers,Radio,,,
306 555 2006,Visitors,,Attic,,
306 555 2007,Visitors,,,cheap,
306 555 2008,Visitors,,,,a.wav
306 555 9876,Visitors,,,,
911,Visitors,,,,
1.3065552E+10,Visitors,,,,
,Visitors,,,,
306 555 2100,Visitors,,,,
306 555 2200,Visitors,,,,
306 555 2010,Visitors,,,,
"""
MENDS = {
    3: "'nonsense' is not a telephone number; write it as",
    4: "'306 555' has too many or too few digits",
    5: r"'\+1 306-555-2001' stands in line 2 already; remove one of them",
    6: "'Nowhere' is not a pool of this company",
    7: "'306 555 2004' is to be a static number",
    8: "'Radio' is not a source of this company",
    9: "'Attic' is not a destination of this company",
    10: "'cheap' is not a price; write a number",
    11: "'a.wav' does not name a sound",
    12: "'306 555 9876' is what a destination dials",
    13: "911.*",
    14: "was rounded by a spreadsheet, .* format that column as text",
    15: "stands without a number",
    16: r"\+13065552100 is a tracking number of Visitors already; remove the line, or move",
    17: r"\+13065552200 is a tracking number of another company already",
}


async def taken(connection: Any, company: Company) -> None:
    other = await setup.add_company(connection, "Other", region="CA")
    await setup.add_pool(connection, other, "Theirs", "dynamic")
    await setup.add_number(connection, other, "306 555 2200", pool="Theirs")
    await setup.add_number(connection, company, "306 555 2100", pool="Visitors")


async def test_every_faulty_line_is_named_and_nothing_is_made(connection: Any, company: Company) -> None:
    await taken(connection, company)
    with pytest.raises(pool_errors.FaultyImport) as raised:
        await import_numbers(connection, company, entries_of(FAULTY, "CA"))
    lines = str(raised.value).splitlines()
    assert [int(re.match(r"line (\d+): ", line)[1]) for line in lines] == list(MENDS)  # type: ignore[index]
    for line, mend in zip(lines, MENDS.values(), strict=True):
        assert re.search(mend, line), line
    assert await numbers(connection, company) == ["+13065552100"]


async def test_the_good_ones_alone(connection: Any, company: Company) -> None:
    await taken(connection, company)
    done = await import_numbers(connection, company, entries_of(FAULTY, "CA"), only_good=True)
    assert done.made == ("+13065552001", "+13065552010")
    assert [fault.line for fault in done.faults] == list(MENDS)
    assert await numbers(connection, company) == ["+13065552100", "+13065552001", "+13065552010"]


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ({"pool": "Nowhere"}, errors.NoSuchPool),
        ({"source": "Radio"}, errors.NoSuchSource),
        ({"destination": "Attic"}, errors.NoSuchDestination),
    ],
)
async def test_what_all_lines_share_is_refused_once(
    connection: Any, company: Company, what: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await import_numbers(connection, company, [Entry(1, "306 555 2001")], **what)  # type: ignore[arg-type]


async def test_ten_thousand_with_word_of_how_far_it_is(connection: Any, company: Company) -> None:
    text = "\n".join(f"+1306{2000000 + n}" for n in range(10_000))
    said: list[tuple[int, int]] = []
    done = await import_numbers(
        connection,
        company,
        entries_of(text, "CA"),
        pool="Visitors",
        progress=lambda so_far, of: said.append((so_far, of)),
    )
    assert len(done.made) == 10_000
    assert len(said) > 15
    assert said == sorted(said)
    assert said[-1] == (10_000, 10_000)
    assert await connection.fetchval("SELECT count(*) FROM lendable_numbers") == 10_000
