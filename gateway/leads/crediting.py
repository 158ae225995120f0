"""What brought a form, a chat or a text: decided once, as calls are, by the company's own model of credit.

Who sent a form is known by the visit in which it was sent, so that nothing is guessed. A text came to a number, and is
asked about as a call to that number would be. Without visit and number it is *Unknown*.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from gateway.attribution.credit import CreditTouch, Model, shares
from gateway.attribution.decision import Basis, Rung
from gateway.attribution.gather import Asked, decided, source_of
from gateway.attribution.keeping import Sources
from gateway.attribution.learned_store import newest_learned
from gateway.attribution.settling import SETTLE_AFTER
from gateway.calls.region import region_of
from gateway.leads import marks
from gateway.pools.pool import Kind
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries
from gateway.visits.source import Source

LOOK_SECONDS = 5.0
BATCH = 200
# Other work goes on between two of a long history.
PAUSE_SECONDS = 0.002
# A call to a number whose pool says nothing else is asked about so far back.
_WINDOW = timedelta(hours=1)
# In the order of calls, a text comes after those of its own moment.
_AFTER_ALL_CALLS = 2**62

_queries = load_queries(Path(__file__).parent, "crediting.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LeadCredit:
    """The source of a lead, and the chance that it is right; no source: *Unknown*."""

    source: Source | None
    confidence: float | None


_UNKNOWN = LeadCredit(None, None)


async def keep_crediting(database: Database) -> None:
    """Credit what is not credited for good, until cancelled: texts, a history from before, what a process left."""
    failed: set[UUID] = set()
    while True:
        try:
            while await credit_some(database, failed):
                pass
        except AWAY as error:
            _log.warning("forms are given their sources later", fault=str(error))
        await asyncio.sleep(LOOK_SECONDS)


async def credit_some(database: Database, failed: set[UUID]) -> int:
    """Credit at most a batch; how many that were. ``failed``: those that cannot be, which are left alone."""
    async with database.everything() as connection:
        before = datetime.now(UTC) - SETTLE_AFTER
        rows = _queries.to_credit(connection, before=before, not_these=list(failed), most=BATCH)
        waiting = [(row["company_id"], row["id"]) async for row in rows]
    for company_id, lead_id in waiting:
        try:
            async with database.companies(company_id) as connection:
                await credit_lead(connection, company_id, lead_id)
        except AWAY:
            raise
        except Exception:
            failed.add(lead_id)
            _log.exception("a lead cannot be given a source", company=company_id, lead=str(lead_id))
        await asyncio.sleep(PAUSE_SECONDS)
    return len(waiting)


async def credit_lead(connection: Connection, company_id: int, lead_id: UUID) -> LeadCredit | None:
    """Decide what brought a lead and keep it, with where its number belongs and the words it is found by.

    What came to a number that is lent is decided at once, and for good a minute later, as a call is: by then everything
    about its visitors has come. None where that is done, or being done by another.
    """
    row = await _queries.take(connection, company_id=company_id, lead_id=lead_id)
    if row is None:
        return None
    # A visit is known, where a number is only likely.
    is_by_number = row["number"] and row["visit_id"] is None
    credit = await (_of_number if is_by_number else _of_visits)(connection, company_id, row)
    source, now = credit.source, datetime.now(UTC)
    is_settled = not is_by_number or row["pool_kind"] != Kind.DYNAMIC or row["received_at"] <= now - SETTLE_AFTER
    await _queries.credit(
        connection,
        company_id=company_id,
        lead_id=lead_id,
        source_id=None if source is None else await Sources(connection, company_id).id_of(source),
        channel=source.channel if source else "",
        campaign=(source.campaign or "") if source else "",
        keyword=(source.keyword or "") if source else "",
        confidence=credit.confidence,
        region=region_of(row["phone"]),
        credited_at=now if is_settled else None,
    )
    await marks.index(connection, company_id, lead_id)
    return credit


async def _of_visits(connection: Connection, company_id: int, row: Any) -> LeadCredit:
    at: datetime = row["received_at"]
    arrivals = {
        str(each["id"]): (each["started_at"], source_of(each))
        async for each in _queries.arrivals(
            connection,
            company_id=company_id,
            visitor_id=row["visitor_id"],
            visit_id=row["visit_id"],
            at=at,
            since=at - timedelta(days=row["credit_days"]),
        )
    }
    given = shares(
        [CreditTouch(key, came_at, source) for key, (came_at, source) in arrivals.items()],
        Model(row["credit_model"]),
        at=at,
        half_life=row["credit_half_life"],
    )
    if not given:
        return _UNKNOWN
    source = arrivals[max(given, key=lambda key: given[key])][1]
    # The browser that sent it is the one that came: there is nobody else it could have been.
    return LeadCredit(source, 1.0) if source.label else _UNKNOWN


async def _of_number(connection: Connection, company_id: int, row: Any) -> LeadCredit:
    """As of a call from the same number at that moment."""
    basis = Basis.NO_NUMBER if row["pool_kind"] is None else Basis.STATIC
    if row["pool_kind"] == Kind.DYNAMIC:
        basis = Basis.VISITS
    static = None
    if basis is not Basis.VISITS and row["name"] is not None:
        static = Source(row["name"], row["channel"], row["source"], row["medium"], row["campaign"] or None)
    window = row["window_seconds"]
    rung = Rung(
        company_id,
        _AFTER_ALL_CALLS,
        row["number"],
        row["received_at"],
        row["phone"],
        basis,
        _WINDOW if window is None else timedelta(seconds=window),
        Model(row["credit_model"]),
        timedelta(days=row["credit_days"]),
        static,
    )
    asked = Asked(rung, row["number_id"], row["pool_id"], is_settled=False, is_forgotten=False)
    decision = await decided(connection, asked, await newest_learned(connection, company_id))
    credit = decision.credit
    return LeadCredit(credit.source if credit else None, decision.source_confidence)


def data_of(row: Any) -> dict[str, Any]:
    """What was typed, of a row with ``data``."""
    found: dict[str, Any] = json.loads(row["data"])
    return found
