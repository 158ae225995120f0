"""Tells somebody that calls were turned away by a limit: a line in the log, and a letter, once an hour at most."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from gateway.audit import SYSTEM, Action, note
from gateway.delivery.letters import Letter, post
from gateway.settings import MailSettings
from gateway.store.database import AWAY, Database
from gateway.store.queries import load_queries

LOOK_SECONDS = 20.0
APART = timedelta(hours=1)

_queries = load_queries(Path(__file__).parent, "limits.sql")
_log = structlog.get_logger(__name__)


async def keep_telling(database: Database, settings: MailSettings) -> None:
    """Look again and again, until cancelled."""
    while True:
        try:
            await tell(database, datetime.now(UTC), by_mail=settings.is_set_up)
        except AWAY as error:
            _log.warning("who is to be told of limits cannot be read", fault=str(error))
        await asyncio.sleep(LOOK_SECONDS)


async def tell(database: Database, now: datetime, *, by_mail: bool) -> int:
    """Tell of what limits did since it was last told of; of how many companies.

    Owners and managers get a letter where mail is set up. The line in the audit log is written in any case.
    """
    async with database.everything() as connection:
        waiting = [row["company_id"] async for row in _queries.turned_away_lately(connection, since=now - APART)]
    told = 0
    for company_id in waiting:
        async with database.companies(company_id) as connection:
            # Two gateways see the same; the one that writes this tells.
            if await _queries.take_hour(connection, company_id=company_id, now=now, before=now - APART) is None:
                continue
            row = await _queries.turned_away(connection, company_id=company_id, since=now - APART)
            subject = f"call/{row['newest']}"
            await note(connection, SYSTEM, company_id, Action.LIMIT_REACHED, subject, calls=row["calls"])
            if by_mail:
                async for user in _queries.who_is_told(connection, company_id=company_id):
                    about = {"company": company_id, "user": user["id"], "calls": row["calls"], "call": row["newest"]}
                    await post(connection, Letter.LIMIT, **about)
            told += 1
    return told
