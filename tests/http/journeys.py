"""Visitors who came, looked, tapped, called and wrote: rows as the collector and attribution write them."""

import json
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from gateway.store.database import Database
from gateway.visits.ids import new_id
from tests.http.company import MadeCompany, add_call


class Journeys:
    """The website of a company, and who comes."""

    def __init__(self, database: Database, company: MadeCompany, site: int, number: tuple[int, str]) -> None:
        self.database, self.company, self.site, self.number = database, company, site, number

    @classmethod
    async def open(cls, database: Database, company: MadeCompany) -> "Journeys":
        """A site with a pool of one number."""
        e164 = f"+1306555{9000 + company.id}"
        async with database.companies(company.id) as wire:
            site = await wire.fetchval(
                "INSERT INTO sites (company_id, name, public_key) VALUES ($1, 'Home', $2) RETURNING id",
                *(company.id, f"abcdefghijklmnop{company.id}"),
            )
            pool = await wire.fetchval(
                "INSERT INTO pools (company_id, name, kind) VALUES ($1, 'Website', 'dynamic') RETURNING id", company.id
            )
            number = await wire.fetchval(
                "INSERT INTO tracking_numbers (company_id, pool_id, e164) VALUES ($1, $2, $3) RETURNING id",
                *(company.id, pool, e164),
            )
        return cls(database, company, site, (number, e164))

    async def visit(
        self,
        at: datetime,
        *,
        visitor: UUID | None = None,
        label: str = "Google Ads",
        channel: str = "Paid Search",
        campaign: str = "",
        keyword: str = "",
        path: str = "/",
        device: str = "mobile",
        region: str = "CA-SK",
    ) -> UUID:
        """One arrival with two pages, the number on them, and a tap."""
        id, exposure = new_id(at), new_id(at)
        async with self.database.companies(self.company.id) as wire:
            if visitor is not None:
                await wire.execute(
                    "INSERT INTO visitors (company_id, site_id, id, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4) "
                    "ON CONFLICT (company_id, id) DO UPDATE SET last_seen = excluded.last_seen",
                    *(self.company.id, self.site, visitor, at),
                )
            await wire.execute(
                "INSERT INTO visits (company_id, site_id, id, visitor_id, started_at, label, channel, source, "
                "campaign, keyword, url, country, region, device, click_id, user_agent) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, 'google', $8, $9, $10, 'CA', $11, $12, 'secret-click', 'Some')",
                *(self.company.id, self.site, id, visitor, at, label, channel, campaign, keyword),
                *(f"https://home.example{path}?mail=secret@example.com", region, device),
            )
            for seconds, page in ((0, path), (30, "/contact")):
                await wire.execute(
                    "INSERT INTO page_views (company_id, site_id, visit_id, at, url, title) "
                    "VALUES ($1, $2, $3, $4, $5, $6)",
                    *(self.company.id, self.site, id, at + timedelta(seconds=seconds), f"https://home.example{page}"),
                    f"Page {page}",
                )
            await wire.execute(
                "INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen, left_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $6)",
                *(self.company.id, exposure, id, self.number[0], at, at + timedelta(seconds=95)),
            )
            await wire.execute(
                "INSERT INTO taps (company_id, visit_id, exposure_id, number_id, e164, at) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                *(self.company.id, id, exposure, *self.number, at + timedelta(seconds=90)),
            )
        return id

    async def call(self, visit: UUID, visitor: UUID, at: datetime, caller: str, chance: float = 0.97) -> int:
        """A call that a visit made."""
        call = await add_call(self.database, self.company, caller=caller, started_at=at)
        async with self.database.companies(self.company.id) as wire:
            await wire.execute(
                "INSERT INTO attributions (company_id, call_id, basis, visit_id, visitor_id, confidence, "
                "source_confidence, because, label, channel, decided_at, settled_at) "
                "VALUES ($1, $2, 'visits', $3, $4, $5, $5, '{tap}', 'Google Ads', 'Paid Search', now(), now())",
                *(self.company.id, call, visit, visitor, chance),
            )
            await wire.execute(
                "INSERT INTO call_candidates (company_id, call_id, position, is_answer, chance, because, visit_id, "
                "visitor_id) VALUES ($1, $2, 0, true, $3, '{tap}', $4, $5)",
                *(self.company.id, call, chance, visit, visitor),
            )
        return call

    async def form(
        self,
        at: datetime,
        *,
        phone: str = "",
        email: str = "",
        name: str = "",
        visit: UUID | None = None,
        visitor: UUID | None = None,
    ) -> UUID:
        """What somebody handed in."""
        id = uuid4()
        async with self.database.companies(self.company.id) as wire:
            await wire.execute(
                "INSERT INTO leads (company_id, site_id, id, kind, data, phone, email, visit_id, visitor_id, url, "
                "received_at) VALUES ($1, $2, $3, 'form', $4, $5, $6, $7, $8, 'https://home.example/contact', $9)",
                *(self.company.id, self.site, id, json.dumps({"name": name, "message": "Shingles are missing"})),
                *(phone, email, visit, visitor, at),
            )
        return id
