"""Leads on their way into Postgres: how each is written once, and forgotten where it must be (gateway.store.inbox)."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.leads.crediting import credit_lead
from gateway.leads.lead import Lead
from gateway.store.database import Connection
from gateway.store.queries import load_queries
from gateway.visits.ids import made_at

# A browser that repeats does so within this time.
_REPEATS = timedelta(minutes=1)

_queries = load_queries(Path(__file__).parent, "leads.sql")


async def store(connection: Connection, lead: Lead) -> UUID:
    """Write a lead and decide what brought it, over a connection that sees its company.

    Its id, or that of the same one sent before: by the sender's own id where it has one, else within a minute.
    """
    alike = {"company_id": lead.company_id, "likeness": lead.likeness}
    await _queries.wait_for_alike(connection, likeness=lead.likeness)
    if lead.sent_as:
        before = await _queries.sent_as(connection, company_id=lead.company_id, sent_as=lead.sent_as)
    else:
        before = await _queries.alike(connection, **alike, received_at=lead.received_at)
    if before is not None:
        return UUID(str(before))
    await _queries.add_lead(
        connection,
        **alike,
        site_id=lead.site_id,
        id=lead.id,
        kind=lead.kind,
        data=json.dumps(dict(lead.data), ensure_ascii=False),
        phone=lead.contact.phone,
        email=lead.contact.email,
        visit_id=lead.visit_id,
        visit_began=made_at(lead.visit_id) if lead.visit_id else None,
        exposure_id=lead.exposure_id,
        url=lead.url,
        title=lead.title,
        suspect=lead.suspect,
        received_at=lead.received_at,
        sent_as=lead.sent_as,
        number=lead.number,
        visitor_id=lead.visitor_id,
    )
    await credit_lead(connection, lead.company_id, lead.id)
    await forget_likeness(connection, lead.received_at)
    return lead.id


async def forget_likeness(connection: Any, now: datetime) -> None:
    """Forget what tells repeated leads, over a connection that sees every company."""
    await _queries.forget_likeness(connection, before=now - _REPEATS)


async def unlink(connection: Any, company_id: int, visits: Collection[UUID], visitor_id: UUID | None) -> None:
    """Let nothing lead from leads to these visits or this visitor, who said no; what was typed and sent stays."""
    await _queries.unlink(connection, company_id=company_id, visits=list(visits), visitor_id=visitor_id)
