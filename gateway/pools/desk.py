"""Where the visits of one worker come for their numbers: those that come together are served together.

What does not go at the first try (a full pool, another tab of the visitor that was first) is served by itself, as
``showing`` does it.
"""

import asyncio
import json
from collections import Counter
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
from gateway.store.database import Connection, Database
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
            async with self._database.companies(*companies, durable=False) as connection:
                await _lend(connection, [each for each in batch if each.wanted])
                await _expose(connection, [each for each in batch if each.is_served])
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
    """A holder of a pool, and the pages that show what it is lent, with the exposure of each."""

    pool: Pool
    holder: Holder
    pages: list[tuple[_Waiting, UUID]] = field(default_factory=list)

    def lend(self, got: Got, row: Any) -> None:
        """Tell its pages what it was lent."""
        for each, exposure in self.pages:
            each.lent[self.pool.id] = Lent(self.pool, got, row["number_id"], row["e164"], row["lease_id"], exposure)


async def _lend(connection: Connection, batch: Sequence[_Waiting]) -> None:
    """Lend to each what can be lent at once: to those who have a number that one, to the others what is free."""
    asked: dict[tuple[int, str], _Holding] = {}
    for each in batch:
        for pool, holder in each.wanted:
            one = asked.setdefault((pool.id, holder.key), _Holding(pool, holder))
            one.pages.append((each, new_id(each.page.now)))
    if not asked:
        return
    now = max(each.page.now for each in batch)
    # In one order, as leases are made in it: two workers at one instant wait for each other at most in turn.
    holders = [asked[key] for key in sorted(asked)]
    served = set()
    async for row in _queries.keep_together(connection, **_of(holders), now=now):
        holders[row["place"] - 1].lend(Got.OWN, row)
        served.add(row["place"] - 1)
    missing = [one for place, one in enumerate(holders) if place not in served]
    if not missing:
        return
    turns: Counter[int] = Counter()
    of_turn = []
    for one in missing:
        turns[one.pool.id] += 1
        of_turn.append(turns[one.pool.id])
    pools = {one.pool.id: one.pool for one in missing}
    rows = _queries.lend_together(
        connection,
        **_of(missing),
        turns=of_turn,
        combinations=[
            None if one.holder.combination is None else json.dumps(one.holder.combination, ensure_ascii=False)
            for one in missing
        ],
        pool_companies=[pool.company_id for pool in pools.values()],
        pool_ids=list(pools),
        many=[turns[id] for id in pools],
        idle_before=[now - pool.reserve - pool.quarantine for pool in pools.values()],
        silent_since=[now - pool.dialled_quarantine for pool in pools.values()],
        now=now,
    )
    async for row in rows:
        missing[row["place"] - 1].lend(Got.FREE, row)


def _of(holders: Sequence[_Holding]) -> dict[str, Any]:
    pages = [(place, each, exposure) for place, one in enumerate(holders, 1) for each, exposure in one.pages]
    return {
        "companies": [one.pool.company_id for one in holders],
        "pools": [one.pool.id for one in holders],
        "holders": [one.holder.key for one in holders],
        "exposures": [exposure for _, _, exposure in pages],
        "visits": [each.page.visit_id for _, each, _ in pages],
        "shown": [made_at(exposure) for _, _, exposure in pages],
        "shown_to": [place for place, _, _ in pages],
    }


async def _expose(connection: Connection, batch: Sequence[_Waiting]) -> None:
    """Note which of them were shown numbers that nobody holds."""
    companies, ids, visits, numbers = [], [], [], []
    for each in batch:
        page = each.page
        shown = page.shown(each.lent)
        exposures: dict[int, UUID] = {}
        for number in unheld(shown):
            exposures[number] = new_id(page.now)
            companies.append(page.site.company_id)
            ids.append(exposures[number])
            visits.append(page.visit_id)
            numbers.append(number)
        each.shown = exposed(shown, exposures) if exposures else shown
    if ids:
        await _queries.expose_together(
            connection,
            companies=companies,
            exposures=ids,
            visits=visits,
            numbers=numbers,
            shown=[made_at(id) for id in ids],
        )
