"""Where the collector stands, as browsers see it: the decision by headers, and the set-up by what came."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.database import Database
from gateway.visits.ways import (
    LONGEST,
    SAFARI,
    Way,
    WayHour,
    Ways,
    common_domain,
    forget_ways,
    setup_in_force,
    setup_of,
    way_of,
)
from tests.pools.shop import open_shop

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SAME, SUB, FOREIGN = Way.SAME_HOST, Way.SUB_DOMAIN, Way.FOREIGN_HOST


@pytest.mark.parametrize(
    ("origin", "host", "fetch_site", "way"),
    [
        # The browser says it.
        ("https://www.example.com", "www.example.com", "same-origin", SAME),
        ("https://www.example.com", "127.0.0.1:8081", "same-origin", SAME),  # a proxy that changes Host
        ("https://www.example.com", "np.example.com", "same-site", SUB),
        ("https://example.co.uk", "np.example.co.uk", "same-site", SUB),
        ("https://localhost:8080", "localhost:8081", "same-site", SAME),
        ("https://a.co.uk", "b.co.uk", "cross-site", FOREIGN),
        (
            "http://www.example.com",
            "www.example.com",
            "cross-site",
            FOREIGN,
        ),  # a page without TLS: its cookie is not kept
        # It says nothing: an old browser, or plain HTTP.
        ("http://www.example.com", "www.example.com", "", SAME),
        ("http://WWW.example.com:8080", "www.example.com", "", SAME),
        ("http://www.example.com", "np.example.com", "", SUB),
        ("http://example.com", "np.example.com", "", SUB),
        ("http://shop.example.com", "example.com", "", SUB),
        ("http://www.example.com", "np.agency.example", "", FOREIGN),
        ("http://www.com", "np.com", "", FOREIGN),
        ("http://[::1]:8080", "[::1]:8081", "", SAME),
        ("http://10.0.0.1", "10.0.0.2", "", FOREIGN),
        # No page.
        ("", "www.example.com", "", None),
        ("null", "www.example.com", "", None),
        ("https://[", "www.example.com", "none", None),
    ],
)
def test_the_way_of_a_request(origin: str, host: str, fetch_site: str, way: Way | None) -> None:
    assert way_of(origin, host, fetch_site) is way


@given(st.text(), st.text(), st.sampled_from(["", "same-site", "none", "x"]))
def test_no_header_is_too_odd(origin: str, host: str, fetch_site: str) -> None:
    way_of(origin, host, fetch_site)
    common_domain(origin, host)


@pytest.mark.parametrize(
    ("origin", "host", "domain"),
    [
        ("https://www.example.com", "np.example.com", "example.com"),
        ("https://example.com", "np.example.com:444", "example.com"),
        ("https://a.b.example.com", "np.b.example.com", "b.example.com"),
        ("https://www.example.com", "np.example.org", ""),
        ("https://one.com", "two.com", ""),
        ("http://10.0.0.1", "127.0.0.1", ""),
        ("http://10.1.0.1", "10.2.0.1", ""),
        ("https://localhost", "localhost", ""),
        ("https://[", "x", ""),
    ],
)
def test_the_domain_that_two_hosts_share(origin: str, host: str, domain: str) -> None:
    assert common_domain(origin, host) == domain


def hour(way: Way, visits: int, ago: int, known: int = 0, by_cookie: int = 0) -> WayHour:
    at = NOON - timedelta(hours=ago)
    return WayHour(way, at, visits, known, by_cookie, at + timedelta(minutes=5))


def test_no_visit_no_set_up() -> None:
    setup = setup_of([])
    assert (setup.way, setup.used, setup.remembered, setup.safari) == (None, (), timedelta(0), timedelta(0))


@pytest.mark.parametrize(
    ("hours", "way", "comes_back", "safari", "at_best"),
    [
        ([hour(SAME, 50, 0, 20, 19)], SAME, True, LONGEST, LONGEST),
        ([hour(SAME, 50, 0, 20, 0)], SAME, False, SAFARI, SAFARI),  # something takes the cookie out
        ([hour(SAME, 3, 0, 2, 0)], SAME, None, LONGEST, LONGEST),  # too few to say so
        ([hour(SUB, 50, 0, 20, 19)], SUB, True, SAFARI, LONGEST),
        ([hour(FOREIGN, 50, 0, 20, 0)], FOREIGN, None, SAFARI, SAFARI),
        # Set up anew in the last hour.
        ([hour(FOREIGN, 500, 2), hour(FOREIGN, 500, 1), hour(SAME, 30, 0)], SAME, None, LONGEST, LONGEST),
        ([hour(FOREIGN, 500, 24), hour(SAME, 4, 0)], FOREIGN, None, SAFARI, SAFARI),
        # A stray visit decides nothing.
        ([hour(SAME, 500, 1, 400, 380), hour(FOREIGN, 1, 0)], SAME, True, LONGEST, LONGEST),
    ],
)
def test_the_set_up_in_force(
    hours: list[WayHour], way: Way, comes_back: bool | None, safari: timedelta, at_best: timedelta
) -> None:
    for order in (hours, hours[::-1]):
        setup = setup_of(order)
        assert (setup.way, setup.cookies_come_back, setup.remembered) == (way, comes_back, LONGEST)
        assert (setup.safari, setup.safari_at_best) == (safari, at_best)
    assert {used.way: used.visits for used in setup.used} == {
        each: sum(one.visits for one in hours if one.way is each) for each in {one.way for one in hours}
    }


async def test_what_workers_counted_comes_together(database_dsn: str) -> None:
    database = await Database.open(database_dsn)
    shop, other = await open_shop(database), await open_shop(database)
    company, site = shop.company.id, shop.site.id
    workers = [Ways(), Ways()]
    for minute in range(30):
        for worker in workers:
            worker.count(company, site, SAME, NOON + timedelta(minutes=minute), is_known=True, by_cookie=minute > 0)
    workers[0].count(company, site, FOREIGN, NOON - timedelta(days=2), is_known=False, by_cookie=False)
    workers[1].count(company, site + 1000, SAME, NOON, is_known=False, by_cookie=False)  # a site that is gone
    await asyncio.gather(*(worker.write(database) for worker in workers))
    async with database.companies(company) as connection:
        setup = await setup_in_force(connection, company, site, NOON)
        assert (setup.way, setup.cookies_come_back) == (SAME, True)
        assert [(used.way, used.visits) for used in setup.used] == [(SAME, 60), (FOREIGN, 1)]
        assert setup.used[0].last_at == NOON + timedelta(minutes=29)
        assert (await setup_in_force(connection, other.company.id, other.site.id, NOON)).way is None
    async with database.everything() as connection:
        await forget_ways(connection, NOON + timedelta(days=29))
        assert [row["way"] for row in await connection.fetch("SELECT way FROM visit_ways")] == ["same_host"]
    await database.close()


async def test_counts_wait_while_the_database_is_away(database_dsn: str) -> None:
    database = await Database.open(database_dsn)
    shop = await open_shop(database)
    ways = Ways()
    ways.count(shop.company.id, shop.site.id, SUB, NOON, is_known=False, by_cookie=False)
    await database.close()
    with pytest.raises(Exception, match="clos"):
        await ways.write(database)
    ways.count(shop.company.id, shop.site.id, SUB, NOON + timedelta(minutes=1), is_known=False, by_cookie=False)
    again = await Database.open(database_dsn)
    async with ways.running(again):
        pass
    async with again.companies(shop.company.id) as connection:
        (used,) = (await setup_in_force(connection, shop.company.id, shop.site.id, NOON)).used
    assert (used.visits, used.last_at) == (2, NOON + timedelta(minutes=1))
    await again.close()
