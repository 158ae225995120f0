"""Forms, chats and texts in the company of the pages' tests."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.leads.crediting import credit_lead
from gateway.store.database import Connection
from tests.http.conftest import Pages

PAID = ("Google Paid", "Paid Search", "google", "cpc", "spring maintenance", "roof repair")
DIRECT = ("Direct", "Direct", "(direct)", "(none)", "", "")


async def add_visit(
    wire: Connection, company_id: int, source: tuple[str, ...], began: datetime, visitor: UUID | None = None
) -> tuple[UUID, UUID]:
    """An arrival by a source; its visitor and itself."""
    site = await wire.fetchval("SELECT min(id) FROM sites WHERE company_id = $1", company_id)
    if site is None:
        site = await wire.fetchval(
            "INSERT INTO sites (company_id, name, public_key) VALUES ($1, 'acme.example', $2) RETURNING id",
            company_id,
            f"acme{company_id:012}",
        )
    visit = uuid.uuid4()
    if visitor is None:
        visitor = uuid.uuid4()
        await wire.execute(
            "INSERT INTO visitors (company_id, site_id, id, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4)",
            company_id,
            site,
            visitor,
            began,
        )
    await wire.execute(
        "INSERT INTO visits (company_id, site_id, id, visitor_id, started_at, is_touch, label, channel, source, medium,"
        " campaign, keyword, url) VALUES ($1, $2, $3, $4, $5, true, $6, $7, $8, $9, $10, $11, 'https://acme.example/a')",
        company_id,
        site,
        visit,
        visitor,
        began,
        *source,
    )
    return visitor, visit


async def add_lead(
    wire: Connection,
    company_id: int,
    data: dict[str, Any],
    *,
    kind: str = "form",
    phone: str = "",
    email: str = "",
    at: datetime | None = None,
    of: tuple[UUID, UUID] | None = None,
    suspect: str = "",
) -> UUID:
    """A lead with its source decided; ``of``: visitor and visit."""
    id = uuid.uuid4()
    visitor, visit = of or (None, None)
    await wire.execute(
        "INSERT INTO leads (company_id, id, kind, data, phone, email, visit_id, visitor_id, suspect, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        company_id,
        id,
        kind,
        json.dumps(data),
        phone,
        email,
        visit,
        visitor,
        suspect,
        at or datetime.now(UTC),
    )
    await credit_lead(wire, company_id, id)
    return id


async def a_form(pages: Pages, hours: float = 1, **facts: Any) -> UUID:
    """A form of somebody who came by an advertisement."""
    at = datetime.now(UTC) - timedelta(hours=hours)
    async with pages.database.companies(pages.company.id) as wire:
        of = await add_visit(wire, pages.company.id, PAID, at - timedelta(minutes=10))
        data = {"name": "Harriet Boone", "message": "Hail took half of the shingles of the garage"}
        about: dict[str, Any] = {"phone": "+13065550190", "email": "harriet@example.com", **facts}
        return await add_lead(wire, pages.company.id, data, at=at, of=of, **about)
