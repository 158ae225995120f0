"""Setting up companies and where their numbers lead, on a real Postgres; every refusal says how to mend it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from gateway.pools import errors, setup
from gateway.pools.loops import dials_any_of
from gateway.pools.number_list import numbers_in
from gateway.pools.setup import Company
from gateway.store.database import Database

Attempt = Callable[[Any, Company], Awaitable[Any]]


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(database_dsn)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def connection(database: Database) -> AsyncIterator[Any]:
    async with database.everything() as connection:
        yield connection


@pytest_asyncio.fixture
async def company(connection: Any) -> Company:
    made = await setup.add_company(
        connection, "Prairie Heating", region="ca", time_zone="America/Regina", currency="cad"
    )
    await setup.add_source(connection, made, "Google Ads", channel="Paid search", source="google", medium="cpc")
    await setup.add_destination(connection, made, "Front desk", "PJSIP/reception")
    await setup.add_number(connection, made, "(306) 555-2001", source="Google Ads")
    return made


async def test_the_company_of_the_example(connection: Any, company: Company) -> None:
    await setup.add_destination(
        connection, company, "Mobile", "PJSIP/+13065559876@carrier", ring_seconds=20, next_name="Front desk"
    )
    await setup.add_number(
        connection,
        company,
        "306 555 2002",
        source="Google Ads",
        destination="Mobile",
        record_calls=False,
        whisper="custom/google-ads",
    )
    assert (company.name, company.region) == ("Prairie Heating", "CA")
    (row,) = await setup.companies(connection)
    assert (row["time_zone"], row["currency"], row["is_default"]) == ("America/Regina", "CAD", True)
    assert [
        (each["name"], each["next_name"], each["is_default"]) for each in await setup.destinations(connection, company)
    ] == [
        ("Front desk", None, True),
        ("Mobile", "Front desk", False),
    ]
    found = await setup.numbers(connection, company)
    assert [(each["e164"], each["source"], each["pool"], each["destination"], each["record"]) for each in found] == [
        ("+13065552001", "Google Ads", "Static numbers", None, True),
        ("+13065552002", "Google Ads", "Static numbers", "Mobile", False),
    ]


async def test_the_default_moves_where_it_is_asked_to(connection: Any, company: Company) -> None:
    await setup.add_company(connection, "Second")
    assert [row["is_default"] for row in await setup.companies(connection)] == [True, False]
    await setup.add_company(connection, "Third", is_default=True)
    assert [row["is_default"] for row in await setup.companies(connection)] == [False, False, True]
    await setup.add_destination(connection, company, "Night", "PJSIP/night", is_default=True)
    assert [row["is_default"] for row in await setup.destinations(connection, company)] == [False, True]


async def test_sources_take_colours_in_turn(connection: Any, company: Company) -> None:
    await setup.add_source(connection, company, "Facebook")
    await setup.add_source(connection, company, "Direct mail")
    assert await connection.fetchval("SELECT array_agg(colour ORDER BY id) FROM sources") == [0, 1, 2]


async def test_companies_are_found_by_name_or_by_being_the_only_one(connection: Any) -> None:
    with pytest.raises(errors.NoCompany, match="company add"):
        await setup.the_company(connection)
    only = await setup.add_company(connection, "Prairie Heating")
    assert await setup.the_company(connection) == only
    second = await setup.add_company(connection, "Second")
    assert await setup.the_company(connection, "Second") == second
    with pytest.raises(errors.WhichCompany, match=r"^2 companies are here; say which"):
        await setup.the_company(connection)
    with pytest.raises(errors.NoSuchCompany, match="'Thrid' is not a company here"):
        await setup.the_company(connection, "Thrid")


REFUSALS: list[tuple[Attempt, type[errors.SetupError], str]] = [
    (lambda c, _: setup.add_company(c, "  "), errors.NoName, "give it one"),
    (lambda c, _: setup.add_company(c, "a\0b"), errors.NoName, "give it one"),
    (lambda c, _: setup.add_company(c, "Prairie  Heating "), errors.NameTaken, "choose another"),
    (lambda c, _: setup.add_company(c, "X", time_zone="Regina"), errors.UnknownTimeZone, "America/Regina"),
    (lambda c, _: setup.add_company(c, "X", time_zone="../etc/passwd"), errors.UnknownTimeZone, "Area/City"),
    (lambda c, _: setup.add_company(c, "X", region="Canada"), errors.BadRegion, "two letters"),
    (lambda c, _: setup.add_company(c, "X", currency="dollars"), errors.UnknownCurrency, "three letters"),
    (lambda c, _: setup.add_company(c, "X", announcement="a.wav&b"), errors.BadSound, "without extension"),
    (lambda c, co: setup.add_source(c, co, ""), errors.NoName, "give it one"),
    (lambda c, co: setup.add_source(c, co, " Google Ads"), errors.NameTaken, "'Google Ads' is there already"),
    (lambda c, co: setup.add_destination(c, co, "", "PJSIP/x"), errors.NoName, "give it one"),
    (lambda c, co: setup.add_destination(c, co, "Front desk", "PJSIP/x"), errors.NameTaken, "choose another"),
    (lambda c, co: setup.add_destination(c, co, "X", "reception"), errors.BadDialString, "PJSIP/reception"),
    (lambda c, co: setup.add_destination(c, co, "X", "PJSIP/x,30,tT"), errors.BadDialString, "not a dial string"),
    (lambda c, co: setup.add_destination(c, co, "X", "PJSIP/${EVIL}"), errors.BadDialString, "not a dial string"),
    (lambda c, co: setup.add_destination(c, co, "X", "PJSIP/x", ring_seconds=4), errors.BadRingSeconds, "^4 seconds"),
    (lambda c, co: setup.add_destination(c, co, "X", "PJSIP/x", ring_seconds=601), errors.BadRingSeconds, "5 to 600"),
    (
        lambda c, co: setup.add_destination(c, co, "X", "PJSIP/x", next_name="Nobody"),
        errors.NoSuchDestination,
        "'Nobody' is not a destination",
    ),
    (
        lambda c, co: setup.add_destination(c, co, "X", "PJSIP/x&PJSIP/+13065552001@carrier"),
        errors.CallsItself,
        "line behind that number",
    ),
    (lambda c, co: setup.add_pool(c, co, "Static numbers"), errors.NameTaken, "choose another"),
    (lambda c, co: setup.add_number(c, co, "12", source="Google Ads"), errors.BadNumber, "area code"),
    (lambda c, co: setup.add_number(c, co, "(306) 555-2009"), errors.NeedsSource, "--source"),
    (lambda c, co: setup.add_number(c, co, "(306) 555-2009", source="Radio"), errors.NoSuchSource, "source add"),
    (
        lambda c, co: setup.add_number(c, co, "(306) 555-2009", source="Google Ads", pool="X"),
        errors.NoSuchPool,
        "leave --pool away",
    ),
    (
        lambda c, co: setup.add_number(c, co, "(306) 555-2009", source="Google Ads", destination="X"),
        errors.NoSuchDestination,
        "destination list",
    ),
    (
        lambda c, co: setup.add_number(c, co, "(306) 555-2009", source="Google Ads", whisper="x,y"),
        errors.BadSound,
        "without extension",
    ),
    (
        lambda c, co: setup.add_number(c, co, "(306) 555-2009", source="Google Ads", fax=True, record_calls=True),
        errors.FaxIsLeftAlone,
        "leave --fax away",
    ),
    (
        lambda c, co: setup.add_number(c, co, "(306) 555-2009", source="Google Ads", fax=True, whisper="custom/x"),
        errors.FaxIsLeftAlone,
        "leave --fax away",
    ),
    (lambda c, co: setup.add_number(c, co, "+13065552001", source="Google Ads"), errors.NumberTaken, "already"),
]


@pytest.mark.parametrize(("attempt", "error", "mend"), REFUSALS)
async def test_what_is_refused_says_how_to_mend_it(
    connection: Any, company: Company, attempt: Attempt, error: type[errors.SetupError], mend: str
) -> None:
    with pytest.raises(error, match=mend):
        await attempt(connection, company)


async def test_a_number_that_a_destination_dials_is_no_tracking_number(connection: Any, company: Company) -> None:
    await setup.add_destination(connection, company, "Mobile", "PJSIP/3065559876@carrier")
    with pytest.raises(errors.IsDestination, match="change that destination first"):
        await setup.add_number(connection, company, "306-555-9876", source="Google Ads")


async def test_a_fax_number_is_not_recorded_whatever_its_company_says(connection: Any, company: Company) -> None:
    await setup.add_destination(connection, company, "Fax", "PJSIP/fax")
    await setup.add_number(connection, company, "(306) 555-2009", source="Google Ads", destination="Fax", fax=True)
    voice, fax = await setup.numbers(connection, company)
    assert (voice["fax"], voice["record"]) == (False, True)
    assert (fax["e164"], fax["fax"], fax["record"], fax["destination"]) == ("+13065552009", True, False, "Fax")


async def test_another_companys_number_is_taken_too(connection: Any, company: Company) -> None:
    other = await setup.add_company(connection, "Other", region="CA")
    await setup.add_source(connection, other, "Radio")
    with pytest.raises(errors.NumberTaken):
        await setup.add_number(connection, other, "(306) 555-2001", source="Radio")
    with pytest.raises(errors.CallsItself):
        await setup.add_destination(connection, other, "Loop", "PJSIP/3065552001@carrier")
    with pytest.raises(errors.NoSuchSource):
        await setup.add_number(connection, other, "(306) 555-2003", source="Google Ads")


@pytest.mark.parametrize(
    ("dial", "loops"),
    [
        ("PJSIP/reception", False),
        ("PJSIP/2001", False),
        ("PJSIP/+13065552001@carrier", True),
        ("PJSIP/13065552001@carrier", True),
        ("PJSIP/3065552001@carrier", True),
        ("PJSIP/01113065552001@carrier", True),
        ("PJSIP/913065552001@carrier", True),
        ("PJSIP/93065552001@carrier", True),
        ("PJSIP/9013065552001@carrier", True),
        ("PJSIP/1-306-555-2001@carrier", True),
        ("PJSIP/306.555.2001@carrier", True),
        ("Trunk/+13065552001", True),
        ("Dialplan/13065552001@from-trunk", True),
        ("PJSIP/+993065552001@carrier", False),  # of another country
        ("PJSIP/552001", False),
        ("PJSIP/carrier/sip:13065552001@192.0.2.7:5060", True),
        ("PJSIP/a&PJSIP/+13065552001@b", True),
        ("PJSIP/+13065552002@carrier", False),
        ("PJSIP/130655520010@carrier", False),
    ],
)
def test_a_call_that_would_come_back_is_seen(dial: str, loops: bool) -> None:
    assert dials_any_of(dial, [("+13065552001", "CA")]) is loops


def test_a_list_is_read_whole() -> None:
    text = "(306) 555-2001, 306 555 2002 # radio\n\n# nothing\n+1 306 555 2003;3065552004\r\n"
    assert numbers_in(text, "CA") == [f"+1306555200{n}" for n in range(1, 5)]


def test_every_fault_of_a_list_is_named() -> None:
    with pytest.raises(errors.FaultyList) as raised:
        numbers_in("3065552001\nhello\n12\n+13065552001", "CA")
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == ["line 2", "line 3", "line 4"]
    assert "line 1 already" in str(raised.value)


def test_every_error_ends_with_its_mend() -> None:
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, errors.SetupError) and not issubclass(error, errors._Said):
            assert error is errors.SetupError or ";" in str(error.__doc__) or "," in str(error.__doc__)
