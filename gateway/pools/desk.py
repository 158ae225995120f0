"""Where the visits of one worker come for their numbers: those that come together are served together.

A page waits for one transaction either way. While one is under way the next visits gather, and the busier a worker is
the more of them share the next: Postgres begins, plans and commits once for all of them. What does not go at the first
try (a full pool, another tab of the visitor that was first) is served by itself, as ``showing`` does it.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine, Sequence
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
from gateway.visits.ids import made_at, new_id

# So many visits share a transaction at most: more would make the first wait for the last.
MOST_AT_ONCE = 64
# So many transactions at once. With one, more visits share each (measured: a fifth less work for a visit than with two,
# and answers as quick).
HANDS = 1
# What one visit may meet that the others of its transaction need not.
_ONE_OF_THEM = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.TransactionRollbackError)

_queries = load_queries(Path(__file__).parent, "together.sql")


@dataclass(slots=True)
class _Waiting:
    page: Showing
    answer: "asyncio.Future[tuple[Shown, ...]]"
    wanted: list[tuple[Pool, Holder]] = field(default_factory=list)
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
        self._queue: list[_Waiting] = []
        self._busy_hands = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def show(self, page: Showing) -> tuple[Shown, ...]:
        """What a page shows, with the exposures noted. Raises what the database raises."""
        if not page.is_ours:
            return page.shown({})
        waiting = _Waiting(page, asyncio.get_running_loop().create_future(), page.wanted())
        self._queue.append(waiting)
        if self._busy_hands < HANDS:
            self._busy_hands += 1
            self._start(self._serve())
        return await waiting.answer

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self) -> None:
        try:
            await self._serve_queue()
        finally:
            # At the very moment the queue was found empty: whoever comes next starts a hand again.
            self._busy_hands -= 1

    async def _serve_queue(self) -> None:
        while self._queue:
            batch = self._queue[:MOST_AT_ONCE]
            del self._queue[:MOST_AT_ONCE]
            # Nobody waits any more for those whose time is up.
            batch = [each for each in batch if not each.answer.done()]
            try:
                async with asyncio.timeout(self._patience):
                    await self._serve_together(batch)
            except _ONE_OF_THEM:
                # Whatever one of them met, the others need not: each by itself.
                for each in batch:
                    each.lent, each.shown = {}, ()
                    self._serve_alone(each)
            except Exception as error:
                # Postgres does not answer, so nobody is left to wait for it in turn.
                waiting, self._queue = [*batch, *self._queue], []
                _refuse(waiting, error)

    async def _serve_together(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        companies = sorted({each.page.site.company_id for each in batch})
        async with self._database.companies(*companies, durable=False) as connection:
            await _lend(connection, [each for each in batch if each.wanted])
            await _expose(connection, [each for each in batch if each.is_served])
        for each in batch:
            if each.is_served:
                each.page.count(self._tally, each.lent.values())
                if not each.answer.done():
                    each.answer.set_result(each.shown)
            else:
                self._serve_alone(each)

    def _serve_alone(self, waiting: _Waiting) -> None:
        async def serve() -> None:
            try:
                async with asyncio.timeout(self._patience):
                    shown = await show(self._database, waiting.page, already=waiting.lent, tally=self._tally)
            except Exception as error:
                _refuse([waiting], error)
            else:
                waiting.page.count(self._tally, waiting.lent.values())
                if not waiting.answer.done():
                    waiting.answer.set_result(shown)

        self._start(serve())


def _refuse(batch: Sequence[_Waiting], error: Exception) -> None:
    for each in batch:
        if not each.answer.done():
            each.answer.set_exception(error)


@dataclass(slots=True)
class _Asked:
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
    asked: dict[tuple[int, str], _Asked] = {}
    for each in batch:
        for pool, holder in each.wanted:
            one = asked.setdefault((pool.id, holder.key), _Asked(pool, holder))
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


def _of(holders: Sequence[_Asked]) -> dict[str, Any]:
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
