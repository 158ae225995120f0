"""A shop whose visits, pages, taps and calls a test writes as it likes, at moments of its own choosing."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.attribution.settling import Settling
from gateway.health import Health
from gateway.store.database import Database
from gateway.visits.ids import new_id
from gateway.visits.source import Source
from tests.pools.shop import ADS, Shop, open_shop

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
_calls = itertools.count(1)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@dataclass
class Front:
    """The shop at ``noon``; times are minutes before (or after, where negative) it."""

    shop: Shop
    numbers: dict[str, int] = field(default_factory=dict)
    noon: datetime = NOON

    @property
    def company_id(self) -> int:
        return self.shop.company.id

    @property
    def database(self) -> Database:
        return self.shop.database

    @property
    def number(self) -> str:
        """The first number of the pool."""
        return next(iter(self.numbers))

    def ago(self, count: float) -> datetime:
        return self.noon - minutes(count)

    async def rows(self, query: str, *values: Any) -> list[Any]:
        return await self.shop.rows(query, *values)

    async def row(self, query: str, *values: Any) -> Any:
        (row,) = await self.rows(query, *values)
        return row

    def someone(self, since: float = 60 * 24) -> UUID:
        """A visitor's id."""
        return new_id(self.ago(since))

    async def visit(
        self, visitor: UUID | None, came: float, source: Source = ADS, *, is_touch: bool = True, url: str = ""
    ) -> UUID:
        """A visit that began; its id."""
        visit = new_id(self.ago(came))
        await self.rows(
            "INSERT INTO visits (company_id, site_id, id, visitor_id, started_at, is_touch, label, channel, source,"
            " medium, campaign, url) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            self.company_id,
            self.shop.site.id,
            visit,
            visitor,
            self.ago(came),
            is_touch,
            source.label,
            source.channel,
            source.source,
            source.medium,
            source.campaign or "",
            url or "https://shop.example/",
        )
        return visit

    async def page(
        self, visit: UUID, shown: float, seen: float | None = None, *, left: bool = True, number: str | None = None
    ) -> UUID:
        """A page that showed a number; the exposure's id."""
        seen = shown if seen is None else seen
        exposure = new_id(self.ago(shown))
        await self.rows(
            "INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen, left_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            self.company_id,
            exposure,
            visit,
            self.numbers[number or self.number],
            self.ago(shown),
            self.ago(seen),
            self.ago(seen) if left else None,
        )
        return exposure

    async def came(
        self, visitor: UUID | None, shown: float, seen: float | None = None, source: Source = ADS, **facts: Any
    ) -> UUID:
        """A visit of one page; its id."""
        visit = await self.visit(visitor, shown, source)
        await self.page(visit, shown, seen, **facts)
        return visit

    async def tap(self, visit: UUID, ago: float, number: str | None = None) -> None:
        number = number or self.number
        await self.rows(
            "INSERT INTO taps (company_id, visit_id, number_id, e164, at) VALUES ($1, $2, $3, $4, $5)",
            self.company_id,
            visit,
            self.numbers[number],
            number,
            self.ago(ago),
        )

    async def call(
        self,
        ago: float = 0,
        caller: str | None = "+13065550199",
        number: str | None = None,
        *,
        state: str = "ended",
        seconds: float = 60,
    ) -> int:
        """A call that came, and is over; its id."""
        number = number or self.number
        outcome = "answered" if state == "ended" else None
        row = await self.row(
            "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, source_id,"
            " caller, started_at, ended_at) SELECT $1, 1, $2, $3, $4, $5, $6, $7,"
            " (SELECT source_id FROM tracking_numbers WHERE id = $7), $8, $9, $10 RETURNING id",
            self.company_id,
            f"front-{next(_calls)}",
            3 if state == "ended" else 1,
            state,
            outcome,
            number,
            self.numbers.get(number),
            caller,
            self.ago(ago),
            self.ago(ago) + timedelta(seconds=seconds) if state == "ended" else None,
        )
        return int(row["id"])

    async def settle(self, *, later: timedelta = timedelta(hours=1)) -> int:
        """Settle what is over; how many calls that were."""
        settling = Settling(self.database, Health())
        settled = 0
        while some := await settling.settle_some(self.noon + later):
            settled += some
        return settled

    async def said(self, call: int) -> Any:
        """The row of ``attributions``."""
        return await self.row("SELECT * FROM attributions WHERE call_id = $1", call)

    async def source(self, call: int) -> str | None:
        """The name of the source on the call itself."""
        row = await self.row(
            "SELECT s.name FROM calls c LEFT JOIN sources s ON s.id = c.source_id WHERE c.id = $1", call
        )
        name: str | None = row["name"]
        return name

    async def candidates(self, call: int) -> Sequence[Any]:
        return await self.rows("SELECT * FROM call_candidates WHERE call_id = $1 ORDER BY position", call)


async def open_front(database: Database, numbers: int = 3, **settings: Any) -> Front:
    """A company with a pool, a static number ``+13069990001`` for a flyer, and a node."""
    shop = await open_shop(database, numbers, **settings)
    async with database.everything() as connection:
        await connection.execute("INSERT INTO nodes (name) VALUES ('pbx') ON CONFLICT DO NOTHING")
        rows = await connection.fetch(
            "SELECT e164, id FROM tracking_numbers WHERE company_id = $1 ORDER BY id", shop.company.id
        )
        flyer = await connection.fetchval(
            "INSERT INTO sources (company_id, name) VALUES ($1, 'Flyer') RETURNING id", shop.company.id
        )
        printed = await connection.fetchval(
            "INSERT INTO pools (company_id, name, kind) VALUES ($1, 'Print', 'static') RETURNING id", shop.company.id
        )
        static = await connection.fetchrow(
            "INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id) VALUES ($1, $2, $3, $4)"
            " RETURNING e164, id",
            shop.company.id,
            printed,
            f"+1306999{shop.company.id:04}",
            flyer,
        )
    assert static is not None
    return Front(shop, {row["e164"]: row["id"] for row in [*rows, static]})
