"""How long a company keeps its visits: as long as the server does, or shorter, as its own settings say."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import structlog

from gateway.attribution.forgetting import forget_old_visits_of
from gateway.store.database import Database
from gateway.store.queries import load_queries

# A shorter time counts only after this: whoever set it by mistake finds it out by then.
GRACE = timedelta(days=1)

_queries = load_queries(Path(__file__).parent, "keeping.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class VisitsKept:
    """``months`` none: as the server says; else counting from ``counts_from`` on. ``since``: older visits are gone."""

    months: int | None
    counts_from: datetime | None = None
    since: date | None = None


async def visits_kept(connection: Any, company_id: int) -> VisitsKept | None:
    """How long visits are kept; none where the transaction does not see the company."""
    row = await _queries.kept(connection, company_id=company_id)
    return VisitsKept(**row) if row is not None else None


async def set_visits_kept(connection: Any, company_id: int, months: int | None, now: datetime) -> VisitsKept | None:
    """Set how long, a shorter time counting after ``GRACE``; what was before, none where the company is not seen."""
    row = await _queries.hold_kept(connection, company_id=company_id)
    if row is None:
        return None
    before = VisitsKept(**row)
    is_shorter = months is not None and (before.months is None or months < before.months)
    counts_from = now + GRACE if is_shorter else before.counts_from
    await _queries.save_kept(connection, company_id=company_id, months=months, counts_from=counts_from)
    return before


async def older(connection: Any, company_id: int, before: date) -> int:
    """How many visits are of days before one."""
    found: int = await _queries.older(connection, company_id=company_id, before=_midnight(before))
    return found


async def forget_by_company(database: Database, today: date, now: datetime, most: int) -> None:
    """Let go of the visits that companies keep for a shorter time than ``most`` months, each company by itself."""
    async with database.everything() as connection:
        rows = [row async for row in _queries.companies_that_forget(connection, most=most, now=now)]
    for row in rows:
        since = months_before(today, row["months"])
        async with database.companies(row["id"]) as connection:
            await _queries.forget_before(connection, company_id=row["id"], before=_midnight(since))
            await forget_old_visits_of(connection, row["id"], _midnight(since))
            await _queries.note_since(connection, company_id=row["id"], since=since)
        _log.info("visits are kept as the company says", company=row["id"], since=f"{since:%Y-%m-%d}")


def months_before(day: date, months: int) -> date:
    """The first day of the month ``months`` before that of ``day``."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
