"""A company with a site, a pool of numbers and a clock of its own, for tests of lending."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.pools import setup
from gateway.pools.conditions import Arrival
from gateway.pools.offer import load_offer
from gateway.pools.pool import Offer, Pool, Site
from gateway.pools.setup import Company
from gateway.pools.showing import Shown, show_numbers
from gateway.pools.sites import add_site, add_target
from gateway.pools.tally import Tally
from gateway.store.database import Database
from gateway.visits.ids import new_id
from gateway.visits.source import Source

ADS = Source("Google Paid", "Paid Search", "google", "cpc", "spring")
SEARCH = Source("Google Organic", "Organic Search", "google", "organic")
DIRECT = Source("Direct", "Direct", "(direct)", "(none)")

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
PRINTED = "+13065550100"

_counter = itertools.count(1)


@dataclass
class Shop:
    """One company; ``now`` is its time, which only the test moves."""

    database: Database
    company: Company
    offer: Offer
    site: Site
    now: datetime = START
    tally: Tally = field(default_factory=Tally)

    @property
    def pool(self) -> Pool:
        return next(pool for pool in self.offer.pools[self.company.id] if pool.name == "Visitors")

    async def visit(
        self,
        visitor: UUID,
        source: Source = ADS,
        *,
        after: timedelta = timedelta(0),
        worker: Database | None = None,
        **facts: Any,
    ) -> tuple[Shown, ...]:
        """A page view of ``visitor``, ``after`` the shop's present time."""
        return await show_numbers(
            worker or self.database,
            self.offer,
            self.site,
            Arrival(source, **facts),
            visitor=visitor,
            visit_id=new_id(self.now),
            now=self.now + after,
            tally=self.tally,
        )

    async def shown(self, visitor: UUID, source: Source = ADS, **facts: Any) -> Shown:
        """What a page view shows in place of its first number."""
        return (await self.visit(visitor, source, **facts))[0]

    def visitor(self) -> UUID:
        return new_id(self.now)

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)

    async def rows(self, query: str, *values: Any) -> list[Any]:
        """What a query over this company finds."""
        async with self.database.companies(self.company.id) as connection:
            return list(await connection.fetch(query, *values))

    async def reload(self) -> None:
        async with self.database.everything() as connection:
            self.offer = await load_offer(connection)
        self.site = self.offer.sites[self.site.public_key]


async def open_shop(
    database: Database, numbers: int = 3, *, printed: Sequence[str] = (PRINTED,), **settings: Any
) -> Shop:
    """A new company whose pool ``Visitors`` lends ``numbers`` numbers; ``settings`` are columns of the pool."""
    each = next(_counter)
    async with database.everything() as connection:
        company = await setup.add_company(connection, f"Shop {each}", region="CA")
        pool_id = await setup.add_pool(connection, company, "Visitors", "dynamic")
        for name, value in {"priority": 10, **settings}.items():
            await connection.execute(f"UPDATE pools SET {name} = $2 WHERE id = $1", pool_id, value)
        await connection.execute(
            "INSERT INTO tracking_numbers (company_id, pool_id, e164)"
            " SELECT $1, $2, '+1306' || (2000000 + $3 * 1000 + n) FROM generate_series(1, $4) AS n",
            company.id,
            pool_id,
            each,
            numbers,
        )
        site = await add_site(connection, company, "Home", hosts=["shop.example"])
        for number in printed:
            await add_target(connection, company, "Home", number)
        offer = await load_offer(connection)
    return Shop(database, company, offer, offer.sites[site.public_key])


OVERLAPPING = """
    SELECT one.id, other.id FROM leases one JOIN leases other
    ON one.number_id = other.number_id AND one.id < other.id AND one.period && other.period
"""
# What holds at every moment between transactions: each a query that finds what is wrong.
WRONG = {
    "two leases of a number overlap": OVERLAPPING,
    "a holder has two open leases of a pool": """
        SELECT holder FROM leases WHERE closed_as IS NULL GROUP BY pool_id, holder HAVING count(*) > 1""",
    "a number has two open leases": """
        SELECT number_id FROM leases WHERE closed_as IS NULL GROUP BY number_id HAVING count(*) > 1""",
    "an open lease that its number does not know": """
        SELECT l.id FROM leases l LEFT JOIN lendable_numbers n ON n.number_id = l.number_id AND n.lease_id = l.id
        WHERE l.closed_as IS NULL AND n.number_id IS NULL""",
    "a number that knows a lease which is closed, or of another pool": """
        SELECT n.number_id FROM lendable_numbers n LEFT JOIN leases l
        ON l.id = n.lease_id AND l.number_id = n.number_id AND l.pool_id = n.pool_id AND l.closed_as IS NULL
        WHERE n.lease_id IS NOT NULL AND l.id IS NULL""",
    "an exposure of a lease to another number": """
        SELECT e.id FROM exposures e JOIN leases l ON l.id = e.lease_id WHERE l.number_id <> e.number_id""",
    "a number without its row, or a row without its number": """
        SELECT n.id FROM tracking_numbers n FULL JOIN lendable_numbers l ON l.number_id = n.id
        WHERE (n.retired_at IS NULL) <> (l.number_id IS NOT NULL) OR l.pool_id <> n.pool_id
           OR l.resting_until IS DISTINCT FROM n.resting_until AND n.retired_at IS NULL""",
}


async def all_is_well(shop: Shop) -> None:
    """Nothing that must always hold is broken."""
    for fault, query in WRONG.items():
        assert await shop.rows(query) == [], fault
