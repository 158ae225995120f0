"""Takes away what leads from calls to visitors, and leaves what the calls are credited to."""

from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "forgetting.sql")


async def forget_visits(connection: Any, company_id: int, visit_ids: Collection[UUID], visitor_id: UUID | None) -> None:
    """Forget who made calls, and who may have: a visitor said no. Their calls are never decided again."""
    await _queries.forget_visits(connection, company_id=company_id, visit_ids=list(visit_ids), visitor_id=visitor_id)


async def forget_old_visits(connection: Any, since: date, midnight: datetime) -> None:
    """Visits are kept from ``since`` on (``midnight`` of it): calls before lead to none, and are decided for good.

    Over a connection that sees every company.
    """
    await _queries.evidence_ends(connection, since=since)
    await _queries.forget_old(connection, before=midnight, company_id=None)


async def forget_old_visits_of(connection: Any, company_id: int, midnight: datetime) -> None:
    """The same for one company that keeps its visits for a shorter time."""
    await _queries.forget_old(connection, before=midnight, company_id=company_id)
