"""Where the visits of one worker come for their numbers: those that come together are served together.

What does not go at the first try (a full pool, another tab of the visitor that was first) is served by itself, as
``showing`` does it.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from gateway.pools.choose import Holder
from gateway.pools.leases import Got, Lent
from gateway.pools.pool import Pool
from gateway.pools.showing import Showing, Shown, exposed, show, unheld
from gateway.pools.tally import Tally
from gateway.store.database import Connection, Database, scope_of
from gateway.store.queries import load_queries
from gateway.store.together import Asked, Together
from gateway.visits.ids import made_at, new_id

# What one visit may meet that the others of its transaction need not.
_ONE_OF_THEM = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.TransactionRollbackError)

_queries = load_queries(Path(__file__).parent, "together.sql")


@dataclass(slots=True)
class _Waiting:
    asked: Asked[Showing, tuple[Shown, ...]]
    page: Showing
    wanted: list[tuple[Pool, Holder]]
    lent: dict[int, Lent] = field(default_factory=dict)
    shown: tuple[Shown, ...] = ()

    @property
    def is_served(self) -> bool:
        """Whether all of its pools lent it a number."""
        return len(self.lent) == len(self.wanted)


class LendingDesk:
    """That of one worker."""

    def __init__(self, database: Database, tally: Tally, *, patience: float = 1.0) -> None:
        """``patience``: after so many seconds a Postgres that does not answer is given up for these visits."""
        self._database, self._tally, self._patience = database, tally, patience
        self._pages = Together(self._serve, patience=patience)

    async def show(self, page: Showing) -> tuple[Shown, ...]:
        """What a page shows, with the exposures noted. Raises what the database raises."""
        return await self._pages.ask(page) if page.is_ours else page.shown({})

    async def _serve(self, asked: Sequence[Asked[Showing, tuple[Shown, ...]]]) -> None:
        batch = [_Waiting(each, each.question, each.question.wanted()) for each in asked]
        try:
            companies = sorted({each.page.site.company_id for each in batch})
            async with self._database.calling() as connection:
                await _lend(connection, scope_of(companies), batch)
        except _ONE_OF_THEM:
            # Whatever one of them met, the others need not: each by itself.
            for each in batch:
                each.lent, each.shown = {}, ()
                self._pages.start(self._serve_alone(each))
            return
        for each in batch:
            if each.is_served:
                each.page.count(self._tally, each.lent.values())
                each.asked.tell(each.shown)
            else:
                self._pages.start(self._serve_alone(each))

    async def _serve_alone(self, waiting: _Waiting) -> None:
        try:
            async with asyncio.timeout(self._patience):
                shown = await show(self._database, waiting.page, already=waiting.lent, tally=self._tally)
        except Exception as error:
            waiting.asked.refuse(error)
        else:
            waiting.page.count(self._tally, waiting.lent.values())
            waiting.asked.tell(shown)


@dataclass(slots=True)
class _Holding:
    """A holder of a pool, and the pages that show what it is lent, each with its place and exposure."""

    pool: Pool
    holder: Holder
    pages: list[tuple[int, _Waiting, UUID]] = field(default_factory=list)

    def lend(self, row: Any) -> None:
        """Tell its pages what it was lent."""
        got = Got.OWN if row["is_own"] else Got.FREE
        for _, each, exposure in self.pages:
            each.lent[self.pool.id] = Lent(self.pool, got, row["number_id"], row["e164"], row["lease_id"], exposure)

    @property
    def combination(self) -> str | None:
        """The values that hold it, as they are stored."""
        values = self.holder.combination
        return None if values is None else json.dumps(values, ensure_ascii=False)


async def _lend(connection: Connection, scope: str, batch: Sequence[_Waiting]) -> None:
    """Lend to each what can be lent at once: to those who have a number that one, to the others what is free.

    Those who are all served have what they show, with the exposures of numbers that nobody holds.
    """
    asked: dict[tuple[int, str], _Holding] = {}
    bare: list[tuple[int, _Waiting, int, UUID]] = []
    for page, each in enumerate(batch):
        for pool, holder in each.wanted:
            one = asked.setdefault((pool.id, holder.key), _Holding(pool, holder))
            one.pages.append((page, each, new_id(each.page.now)))
        bare += [(page, each, number, new_id(each.page.now)) for number in unheld(each.page.shown_unlent())]
    now = max(each.page.now for each in batch)
    # In one order, as leases are made in it: two workers at one instant wait for each other at most in turn.
    holders = [asked[key] for key in sorted(asked)]
    pools = {one.pool.id: one.pool for one in holders}.values()
    lent = [(place, *page) for place, one in enumerate(holders, 1) for page in one.pages]
    rows = _queries.lend_together(
        connection,
        scope=scope,
        now=now,
        companies=[one.pool.company_id for one in holders],
        pools=[one.pool.id for one in holders],
        holders=[one.holder.key for one in holders],
        combinations=[one.combination for one in holders],
        pool_companies=[pool.company_id for pool in pools],
        pool_ids=[pool.id for pool in pools],
        idle_before=[now - pool.reserve - pool.quarantine for pool in pools],
        silent_since=[now - pool.dialled_quarantine for pool in pools],
        exposures=[exposure for _, _, _, exposure in lent],
        visits=[each.page.visit_id for _, _, each, _ in lent],
        shown=[made_at(exposure) for _, _, _, exposure in lent],
        shown_to=[place for place, _, _, _ in lent],
        pages=[page for _, page, _, _ in lent],
        bare_companies=[each.page.site.company_id for _, each, _, _ in bare],
        bare_exposures=[exposure for _, _, _, exposure in bare],
        bare_visits=[each.page.visit_id for _, each, _, _ in bare],
        bare_shown=[made_at(exposure) for _, _, _, exposure in bare],
        bare_numbers=[number for _, _, number, _ in bare],
        bare_pages=[page for page, _, _, _ in bare],
    )
    async for row in rows:
        holders[row["place"] - 1].lend(row)
    exposures: dict[int, dict[int, UUID]] = {}
    for page, _, number, exposure in bare:
        exposures.setdefault(page, {})[number] = exposure
    for page, each in enumerate(batch):
        if each.is_served:
            shown = each.page.shown(each.lent)
            each.shown = exposed(shown, exposures[page]) if page in exposures else shown
