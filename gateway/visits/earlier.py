"""What brought visitors before, as it was stored: for those whose page does not remember it."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from gateway.store.database import Database, scope_of
from gateway.store.queries import load_queries
from gateway.store.together import Asked, Together
from gateway.visits.source import Source

_queries = load_queries(Path(__file__).parent, "earlier.sql")

# A company and a visitor of it.
_Known = tuple[int, UUID]


class EarlierTouches:
    """Where the visits of one worker ask; each page of a visitor who came directly does."""

    def __init__(self, database: Database, *, patience: float) -> None:
        """``patience``: after so many seconds a Postgres that does not answer is given up for these visits."""
        self._database = database
        self._visitors: Together[_Known, Source | None] = Together(self._look_up, patience=patience)

    def of(self, company_id: int, visitor: UUID) -> "asyncio.Future[Source | None]":
        """A visitor's last touch that was not direct, to be awaited. It raises what the database raises."""
        return self._visitors.ask((company_id, visitor))

    async def _look_up(self, batch: Sequence[Asked[_Known, Source | None]]) -> None:
        async with self._database.calling() as connection:
            rows = _queries.touches_of(
                connection,
                scope=scope_of({each.question[0] for each in batch}),
                companies=[each.question[0] for each in batch],
                visitors=[each.question[1] for each in batch],
            )
            found = {row["place"]: row["touch"] async for row in rows}
        for place, each in enumerate(batch, 1):
            each.tell(_source(found.get(place)))


def _source(stored: str | None) -> Source | None:
    try:
        return Source(**json.loads(stored)) if stored else None
    except TypeError:
        return None  # written by another version
