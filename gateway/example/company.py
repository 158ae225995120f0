"""Sets up an example company as its owner would: its line, its numbers, its pool and its site. What is there stays."""

from collections.abc import Collection
from typing import Any

from gateway.example.trades import Trade
from gateway.pools import pool_setup, setup, sites
from gateway.pools.pool_setup import PoolSettings
from gateway.pools.setup import Company

LINE = "Main line"
_LENDS = PoolSettings(priority=10, when=("channel=paid*,organic*,display,cross-network,email,referral,ai-assistant",))


async def set_up(
    connection: Any, trade: Trade, dial: str, *, ring_seconds: int = 30, hosts: Collection[str] = ()
) -> tuple[Company, str]:
    """Make what is missing of the company, over a connection that sees all; the company, and its site's public key.

    ``dial`` is what its main line rings. Raises SetupError, such as where another company has one of its numbers.
    """
    names = {row["name"] for row in await setup.companies(connection)}
    if trade.company in names:
        company = await setup.the_company(connection, trade.company)
    else:
        company = await setup.add_company(
            connection,
            trade.company,
            time_zone=trade.time_zone,
            region=trade.region,
            currency=trade.currency,
            main_number=trade.main_number,
        )
    if not await setup.destinations(connection, company):
        await setup.add_destination(connection, company, LINE, dial, ring_seconds=ring_seconds, is_default=True)
    sources = {row["name"] for row in await setup.sources(connection, company)}
    numbers = {row["e164"] for row in await setup.numbers(connection, company)}
    for line in trade.lines:
        if line.source not in sources:
            await setup.add_source(
                connection, company, line.source, channel=line.channel, source=line.name, medium=line.medium
            )
        if line.e164 not in numbers:
            await setup.add_number(connection, company, line.e164, source=line.source)
    if trade.pool not in {row["name"] for row in await setup.pools(connection, company)}:
        await pool_setup.make_pool(connection, company, trade.pool, "dynamic", _LENDS)
    for number in trade.lent:
        if number not in numbers:
            await setup.add_number(connection, company, number, pool=trade.pool)
    for row in await sites.sites(connection, company):
        if row["name"] == trade.site:
            return company, str(row["public_key"])
    own = trade.host.partition("://")[2]
    made = await sites.add_site(connection, company, trade.site, hosts=[own, *hosts])
    await sites.add_target(connection, company, trade.site, trade.main_number)
    return company, made.public_key
