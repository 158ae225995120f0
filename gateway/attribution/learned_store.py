"""What was learned of a company's callers, as it is kept: the newest is what decisions are made by."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.attribution.learned import PRIOR, Learned, learned_of
from gateway.store.queries import load_queries

# With fewer calls the prior still weighs about as much as they do, and pages say so.
FEW_CALLS = 50
# Older versions are forgotten; decisions made by them stay.
KEPT = timedelta(days=400)

_queries = load_queries(Path(__file__).parent, "learned.sql")


@dataclass(frozen=True, slots=True)
class StoredLearned:
    """One night's learning: from how many calls, visits and taps of which time. ``id`` is none for the prior alone."""

    learned: Learned
    id: int | None = None
    learned_at: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    calls: int = 0
    visits: int = 0
    taps: int = 0

    @property
    def is_prior(self) -> bool:
        """Whether there was no call to learn from."""
        return self.calls == 0


THE_PRIOR = StoredLearned(PRIOR)


async def newest_learned(connection: Any, company_id: int) -> StoredLearned:
    """What decisions of the company are made by now; the stated prior where nothing was learned."""
    row = await _queries.newest(connection, company_id=company_id)
    return THE_PRIOR if row is None else _stored(row)


async def learned_history(connection: Any, company_id: int, most: int = 60) -> list[StoredLearned]:
    """The last nights' learning, the newest first."""
    return [_stored(row) async for row in _queries.nights(connection, company_id=company_id, most=most)]


async def learned_by_id(connection: Any, company_id: int, id: int | None) -> StoredLearned:
    """What a decision was made by; the prior where it was made by that, or where it is forgotten."""
    row = None if id is None else await _queries.one(connection, company_id=company_id, id=id)
    return THE_PRIOR if row is None else _stored(row)


async def keep_learned(connection: Any, company_id: int, found: StoredLearned, now: datetime) -> int:
    """Keep what was learned; its id. Versions older than ``KEPT`` are forgotten."""
    await _queries.forget_nights(connection, company_id=company_id, before=now - KEPT)
    id: int = await _queries.keep(
        connection,
        company_id=company_id,
        learned_at=now,
        since=found.since,
        until=found.until,
        calls=found.calls,
        visits=found.visits,
        taps=found.taps,
        learned=json.dumps(found.learned.stored()),
    )
    return id


class LearnedInMemory:
    """The newest of each company; whether there is a newer one is asked each time, and that is all that is read."""

    def __init__(self) -> None:
        self._known: dict[int, StoredLearned] = {}

    async def newest(self, connection: Any, company_id: int) -> StoredLearned:
        """As ``newest_learned``."""
        id = await _queries.newest_id(connection, company_id=company_id)
        known = self._known.get(company_id)
        if known is None or known.id != id:
            known = self._known[company_id] = await newest_learned(connection, company_id)
        return known


def _stored(row: Any) -> StoredLearned:
    learned = learned_of(json.loads(row["learned"]))
    if learned is None:  # over other steps than today's: it has to be learned anew
        return StoredLearned(PRIOR, row["id"], row["learned_at"])
    return StoredLearned(
        learned,
        row["id"],
        row["learned_at"],
        row["since"],
        row["until"],
        row["calls"],
        row["visits"],
        row["taps"],
    )
