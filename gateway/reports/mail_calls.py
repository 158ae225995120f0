"""Missed calls of which alerts tell: noted when they end, and read with what is known of their callers."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "mail.sql")


@dataclass(frozen=True, slots=True)
class ToldCall:
    """A missed call. ``times``: of this caller that day, this one included; ``earlier``: all calls before it.

    ``caller_name`` is that of the person, where one is known. ``talked_at``: when this caller was last answered before;
    ``colour`` is the source's, none where it is not known.
    """

    id: int
    caller: str | None
    caller_name: str
    did: str
    started_at: datetime
    outcome: str
    ring_seconds: float | None
    source: str | None
    colour: int | None
    campaign: str
    keyword: str
    message_seconds: float | None  # of what was recorded
    times: int
    talked_at: datetime | None
    earlier: int


async def expect_alerts(connection: Connection, company_id: int, call_id: int) -> None:
    """Note, in the transaction that ends a missed call, whom to tell of it. Said twice, it is noted once."""
    await _queries.note_missed(connection, company_id=company_id, call_id=call_id)


async def expect_message(connection: Connection, company_id: int, call_id: int) -> None:
    """Note, in the transaction that has made its sound, whom to tell of a message that a caller left."""
    await _queries.note_message(connection, company_id=company_id, call_id=call_id)


async def newest_messages(connection: Connection, company_id: int, zone: str, most: int) -> list[ToldCall]:
    """The last messages there were, the oldest of them first."""
    rows = _queries.newest_messages(connection, company_id=company_id, most=most)
    return await _known(connection, company_id, zone, [row["call_id"] async for row in rows])


async def told(connection: Connection, company_id: int, zone: str, mail_id: int) -> list[ToldCall]:
    """Those of one mail, the oldest first."""
    rows = _queries.calls_of_mail(connection, company_id=company_id, mail_id=mail_id)
    return await _known(connection, company_id, zone, [row["call_id"] async for row in rows])


async def newest(connection: Connection, company_id: int, zone: str, most: int) -> list[ToldCall]:
    """The last missed calls there were, the oldest of them first: to show what an alert looks like."""
    rows = _queries.newest_missed(connection, company_id=company_id, most=most)
    return await _known(connection, company_id, zone, [row["call_id"] async for row in rows])


async def _known(connection: Connection, company_id: int, zone: str, ids: list[int]) -> list[ToldCall]:
    rows = _queries.told_calls(connection, company_id=company_id, zone=zone, ids=ids)
    return [ToldCall(**dict(row)) async for row in rows]
