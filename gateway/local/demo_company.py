"""The company of the demonstration: its line, its numbers, its pools and its site.

Made when it is missing, part by part, so that a demonstration of an earlier version gains what is new. What is there
stays as it is: people change it to try things.
"""

from pathlib import Path
from typing import Any

from gateway.pools import pool_setup, setup, sites
from gateway.pools.pool_setup import PoolSettings
from gateway.pools.setup import Company
from gateway.store.database import Database
from gateway.store.queries import load_queries

COMPANY = "Acme Roofing"
TIME_ZONE = "America/Regina"

# The number on the vans and on every page of the site: one of ours too, so that calls on it are in the log.
MAIN_NUMBER = "+13065551234"

GOOGLE, FACEBOOK, MAIL, DIRECT = "Google Ads", "Facebook", "Direct mail", "Direct"
# What each static number stands for: channel, source and medium.
_FACTS = {
    GOOGLE: ("Paid search", "google", "cpc"),
    FACEBOOK: ("Paid social", "facebook", "paid"),
    MAIL: ("Print", "direct-mail", "letter"),
    DIRECT: ("Direct", "(direct)", "(none)"),
}
NUMBERS = {
    GOOGLE: "+13065552001",
    FACEBOOK: "+13065552002",
    MAIL: "+13065552003",
    DIRECT: MAIN_NUMBER,
}

SITE, SITE_KEY = "acme-roofing.example", "demo"
# Whatever a page of this machine calls itself: the shop's own pages, and those that people try.
_HOSTS = ("localhost", "127.0.0.1", "[::1]")

# The pool that lends to visitors: whoever came by an advertisement, a search or a social network.
WEBSITE = "Website"
LENT = tuple(f"+1306555{number}" for number in range(2011, 2021))
# Its numbers rest a minute after a call instead of an hour: somebody who tries it out rings ten of them in ten minutes.
_WEBSITE = PoolSettings(priority=10, when=("channel=paid*,organic*,display,cross-network",), dialled_quarantine="1m")

_LINE = "Main line"

_queries = load_queries(Path(__file__).parent, "demo.sql")


async def set_up_company(database: Database, main_line: str, ring_seconds: int) -> None:
    """Make what is missing of the company, which rings ``main_line`` for so long. Raises SetupError."""
    async with database.everything() as connection:
        names = {row["name"] for row in await setup.companies(connection)}
        if COMPANY in names:
            company = await setup.the_company(connection, COMPANY)
        else:
            company = await setup.add_company(
                connection, COMPANY, time_zone=TIME_ZONE, region="CA", currency="CAD", main_number=MAIN_NUMBER
            )
        await _set_up_line(connection, company, main_line, ring_seconds)
        await _set_up_numbers(connection, company)
        await _set_up_site(connection, company)


async def numbers_of_company(database: Database) -> set[str]:
    """Every tracking number of the company, also those that people added."""
    async with database.everything() as connection:
        company = await setup.the_company(connection, COMPANY)
        return {row["e164"] for row in await setup.numbers(connection, company)}


async def _set_up_line(connection: Any, company: Company, main_line: str, ring_seconds: int) -> None:
    if not await setup.destinations(connection, company):
        await setup.add_destination(connection, company, _LINE, main_line, ring_seconds=ring_seconds, is_default=True)
    await _queries.move_destination(
        connection, company_id=company.id, name=_LINE, dial=main_line, former=f"PJSIP/{MAIN_NUMBER}@carrier"
    )


async def _set_up_numbers(connection: Any, company: Company) -> None:
    sources = {row["name"] for row in await setup.sources(connection, company)}
    numbers = {row["e164"] for row in await setup.numbers(connection, company)}
    pools = {row["name"] for row in await setup.pools(connection, company)}
    for source, number in NUMBERS.items():
        if source not in sources:
            channel, name, medium = _FACTS[source]
            await setup.add_source(connection, company, source, channel=channel, source=name, medium=medium)
        if number not in numbers:
            await setup.add_number(connection, company, number, source=source)
    if WEBSITE in pools:
        return
    await pool_setup.make_pool(connection, company, WEBSITE, "dynamic", _WEBSITE)
    for number in LENT:
        if number not in numbers:
            await setup.add_number(connection, company, number, pool=WEBSITE)


async def _set_up_site(connection: Any, company: Company) -> None:
    if any(row["public_key"] == SITE_KEY for row in await sites.sites(connection, company)):
        return
    made = await sites.add_site(connection, company, SITE, hosts=_HOSTS)
    await _queries.give_key(connection, company_id=company.id, site_id=made.id, public_key=SITE_KEY)
    await sites.add_target(connection, company, SITE, MAIN_NUMBER)
