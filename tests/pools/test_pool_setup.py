"""Sites and the settings of pools, on a real Postgres; every refusal says how to mend it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from gateway.errors import Mendable
from gateway.pools import errors, pool_errors, pool_setup, setup, sites
from gateway.pools.choose import choose_pool
from gateway.pools.conditions import Arrival, ConditionError
from gateway.pools.durations import duration, said
from gateway.pools.offer import load_offer
from gateway.pools.pool import Kind, WhenFull
from gateway.pools.pool_setup import PoolSettings
from gateway.pools.setup import Company
from gateway.store.database import Database
from tests.pools.shop import ADS, DIRECT

Attempt = Callable[[Any, Company], Awaitable[Any]]


@pytest_asyncio.fixture
async def connection(database_dsn: str) -> AsyncIterator[Any]:
    database = await Database.open(database_dsn)
    async with database.everything() as connection:
        yield connection
    await database.close()


@pytest_asyncio.fixture
async def company(connection: Any) -> Company:
    made = await setup.add_company(connection, "Prairie Heating", region="CA", time_zone="America/Regina")
    await sites.add_site(connection, made, "Home", hosts=["www.example.com"], payment_hosts=["Pay.Example.NET"])
    await sites.add_target(connection, made, "Home", "(306) 555-0100")
    await setup.add_pool(connection, made, "Print", "static")
    await pool_setup.make_pool(connection, made, "Visitors", "dynamic", PoolSettings())
    return made


async def test_what_is_set_up_is_what_is_offered(connection: Any, company: Company) -> None:
    await pool_setup.change_pool(
        connection,
        company,
        "Visitors",
        PoolSettings(
            priority=7,
            when=("medium=cpc,ppc", "utm_term=roof*"),
            bound_to=("utm_source", "utm_campaign"),
            reserve="45m",
            quarantine="1h",
            dialled_quarantine="2d",
            window="2h",
            when_full="fallback",
            fallback="(306) 555-0199",
            price="1.15",
            targets=("306-555-0100",),
        ),
    )
    offer = await load_offer(connection)
    (site,) = offer.sites.values()
    assert (site.name, site.hosts, site.payment_hosts) == ("Home", ("www.example.com",), ("pay.example.net",))
    assert (site.time_zone, site.region) == ("America/Regina", "CA")
    (target,) = site.targets
    assert (target.e164, target.number_id) == ("+13065550100", None)
    printed, visitors = offer.pools[company.id]
    assert (printed.kind, printed.priority) == (Kind.STATIC, 0)
    assert (visitors.kind, visitors.priority, visitors.when_full) == (Kind.DYNAMIC, 7, WhenFull.FALLBACK)
    assert [(each.fact, each.values) for each in visitors.conditions.each] == [
        ("medium", ("cpc", "ppc")),
        ("utm_term", ("roof*",)),
    ]
    assert visitors.bound_to == ("utm_campaign", "utm_source")
    assert (visitors.reserve, visitors.quarantine) == (timedelta(minutes=45), timedelta(hours=1))
    assert (visitors.dialled_quarantine, visitors.window) == (timedelta(days=2), timedelta(hours=2))
    assert (visitors.fallback, visitors.serves) == ("+13065550199", frozenset({target.id}))
    (_, row) = await pool_setup.pools(connection, company)
    assert (str(row["monthly_price"]), row["targets"]) == ("1.1500", ["+13065550100"])


async def test_what_is_not_named_stays_and_empty_clears(connection: Any, company: Company) -> None:
    asked = PoolSettings(when=("medium=cpc",), bound_to=("utm_term",), price="2", fallback="306 555 0199")
    await pool_setup.change_pool(connection, company, "Visitors", asked)
    await pool_setup.change_pool(connection, company, "Visitors", PoolSettings(targets=("306 555 0100",)))
    await pool_setup.change_pool(connection, company, "Visitors", PoolSettings(priority=3))
    (_, row) = await pool_setup.pools(connection, company)
    assert (row["priority"], json.loads(row["conditions"]), row["bound_to"]) == (3, {"medium": ["cpc"]}, ["utm_term"])
    assert (row["targets"], row["fallback_number"]) == (["+13065550100"], "+13065550199")
    cleared = PoolSettings(when=(), bound_to=(), price="none", fallback="none", targets=())
    await pool_setup.change_pool(connection, company, "Visitors", cleared)
    (_, row) = await pool_setup.pools(connection, company)
    assert (json.loads(row["conditions"]), row["bound_to"], row["targets"]) == ({}, [], [])
    assert (row["monthly_price"], row["fallback_number"]) == (None, None)


async def test_pools_that_lend_go_before_static_numbers(connection: Any, company: Company) -> None:
    await pool_setup.make_pool(connection, company, "Second", "dynamic", PoolSettings(priority=0))
    rows = await pool_setup.pools(connection, company)
    assert [(row["name"], row["priority"]) for row in rows] == [("Print", 0), ("Visitors", 10), ("Second", 0)]


async def test_a_longer_quarantine_takes_the_other_along(connection: Any, company: Company) -> None:
    await pool_setup.change_pool(connection, company, "Visitors", PoolSettings(quarantine="3h"))
    (_, row) = await pool_setup.pools(connection, company)
    assert (row["quarantine_seconds"], row["dialled_quarantine_seconds"]) == (10800, 10800)


def change(**asked: Any) -> Attempt:
    return lambda connection, company: pool_setup.change_pool(connection, company, "Visitors", PoolSettings(**asked))


@pytest.mark.parametrize(
    ("attempt", "error", "mend"),
    [
        (change(when=("colour=red",)), ConditionError, "name one of channel"),
        (change(bound_to=("UTM Source",)), pool_errors.BadParameter, "small letters"),
        (change(reserve="soon"), pool_errors.BadDuration, "20m"),
        (change(reserve="59s"), pool_errors.BadDuration, "20m"),
        (change(window="0"), pool_errors.BadDuration, "20m"),
        (change(quarantine="366d"), pool_errors.BadDuration, "20m"),
        (change(quarantine="2h", dialled_quarantine="1h"), pool_errors.QuarantineTooShort, "at least as long"),
        (change(fallback="nonsense"), errors.BadNumber, "not a telephone number"),
        (change(price="free"), pool_errors.BadPrice, "such as 1.15"),
        (change(price="-1"), pool_errors.BadPrice, "such as 1.15"),
        (change(targets=("306 555 7777",)), pool_errors.NoSuchTarget, "site target"),
        (
            lambda c, co: pool_setup.change_pool(c, co, "Print", PoolSettings(reserve="20m")),
            pool_errors.OnlyForLending,
            "leave such settings away",
        ),
        (lambda c, co: pool_setup.change_pool(c, co, "Nowhere", PoolSettings()), errors.NoSuchPool, "pool"),
        (lambda c, co: sites.add_site(c, co, "Home"), errors.NameTaken, "another name"),
        (lambda c, co: sites.add_site(c, co, " "), errors.NoName, "give it one"),
        (lambda c, co: sites.add_site(c, co, "A", hosts=["https://a.example/x"]), pool_errors.BadHost, "without"),
        (lambda c, co: sites.add_site(c, co, "A", hosts=["a b"]), pool_errors.BadHost, "without"),
        (lambda c, co: sites.add_site(c, co, "A", time_zone="Mars"), errors.UnknownTimeZone, "Area/City"),
        (lambda c, co: sites.add_target(c, co, "Away", "306 555 0100"), pool_errors.NoSuchSite, "site add"),
        (lambda c, co: sites.add_target(c, co, "Home", "306 555 0100"), pool_errors.TargetTaken, "already"),
        (lambda c, co: sites.add_target(c, co, "Home", "x"), errors.BadNumber, "not a telephone number"),
        (lambda c, co: sites.remove_target(c, co, "Home", "306 555 0101"), pool_errors.NoSuchTarget, "site target"),
    ],
)
async def test_what_is_refused_says_how_to_mend_it(
    connection: Any, company: Company, attempt: Attempt, error: type[Mendable], mend: str
) -> None:
    with pytest.raises(error, match=mend):
        await attempt(connection, company)


async def test_a_pool_whose_conditions_cannot_be_read_is_shown_to_nobody(connection: Any, company: Company) -> None:
    await connection.execute("""UPDATE pools SET conditions = '{"planet": ["mars"]}' WHERE name = 'Visitors'""")
    offer = await load_offer(connection)
    for source in (ADS, DIRECT):
        assert choose_pool(Arrival(source), offer.pools[company.id]) is None


async def test_each_site_has_a_key_of_its_own(connection: Any, company: Company) -> None:
    keys = {(await sites.add_site(connection, company, f"Site {n}")).public_key for n in range(20)}
    assert len(keys) == 20
    await sites.change_site(connection, company, "Site 1", hosts=["b.example"], time_zone="Europe/Berlin")
    found = {row["name"]: row for row in await sites.sites(connection, company)}
    assert (found["Site 1"]["hosts"], found["Site 1"]["time_zone"]) == (["b.example"], "Europe/Berlin")
    await sites.remove_target(connection, company, "Home", "306 555 0100")
    assert (await sites.sites(connection, company))[0]["targets"] == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20m", 1200), ("1h", 3600), ("30d", 2592000), (" 5 M ", 300), ("0", 0)]
)
def test_lengths_of_time(text: str, seconds: int) -> None:
    assert duration(text).total_seconds() == seconds
    assert duration(said(seconds)).total_seconds() == seconds
