"""Visitors, tabs, keep-alives and an admin at the same instant, over several workers' connections to a real Postgres.

Schedules are drawn at random. A schedule is a row of moments; what happens in one moment happens at once, each with a
clock that is a little off. Between moments the database is asked what must always hold, and each answer is compared
with what was known before.
"""

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.pools import number_changes
from gateway.pools.conditions import Arrival
from gateway.pools.desk import LendingDesk
from gateway.pools.keep_alive import Held, KeepAlives
from gateway.pools.showing import Shown, Why, showing_of
from gateway.store.database import Database
from gateway.visits.ids import new_id
from tests.pools.shop import ADS, Shop, all_is_well, open_shop
from tests.stack import PROJECT

WORKERS = 3
RESERVE = timedelta(minutes=20)


@pytest_asyncio.fixture(scope="module")
async def workers(module_database_dsn: str) -> AsyncIterator[list[Database]]:
    opened = [await Database.open(module_database_dsn, 4) for _ in range(WORKERS)]
    yield opened
    for database in opened:
        await database.close()


@dataclass(frozen=True)
class Act:
    """What one page, or an admin, does: ``visit``, ``keep``, ``release`` or ``rest``; by which worker, how late.

    ``at_desk``: a visit comes to the worker's desk, where it is served together with others.
    """

    what: str
    who: int
    worker: int
    late: timedelta
    at_desk: bool


@dataclass(frozen=True)
class Moment:
    """What happens at once, ``after`` the moment before."""

    after: timedelta
    acts: Sequence[Act]


acts = st.builds(
    Act,
    what=st.sampled_from(["visit", "visit", "visit", "keep", "keep", "release", "rest"]),
    who=st.integers(0, 5),
    worker=st.integers(0, WORKERS - 1),
    late=st.integers(0, 3000).map(lambda milliseconds: timedelta(milliseconds=milliseconds)),
    at_desk=st.booleans(),
)
moments = st.builds(
    Moment,
    after=st.sampled_from([timedelta(seconds=5), timedelta(minutes=7), timedelta(minutes=19), timedelta(hours=3)]),
    acts=st.lists(acts, min_size=1, max_size=8),
)


@dataclass(frozen=True)
class Kept:
    """What a page was told that said it is still here."""

    lease_id: int
    held: Held


@dataclass
class Crowd:
    """Visitors of one shop, and what they have been told so far."""

    shop: Shop
    workers: Sequence[Database]
    visitors: list[UUID]
    keep_alives: list[KeepAlives]
    desks: list[LendingDesk]
    seen: dict[int, Shown] = field(default_factory=dict)  # what each visitor's page shows
    told: dict[int, datetime] = field(default_factory=dict)  # lease -> when we were last told that it is alive

    async def live(self, moment: Moment) -> None:
        """One moment, and everything that must be true of it."""
        shop = self.shop
        shop.now += moment.after
        before = await self._state()
        answers = await asyncio.gather(*(self._do(act) for act in moment.acts))
        await all_is_well(shop)
        after = await self._state()
        visits = [(act, answer) for act, answer in zip(moment.acts, answers, strict=True) if isinstance(answer, Shown)]
        changed = any(act.what in ("release", "rest") for act in moment.acts)
        self._nobody_starves(moment, visits, before, changed)
        self._tabs_agree(visits, after, changed)
        self._own_numbers_come_back(visits, before, after)
        for act, shown in visits:
            self.seen[act.who] = shown
            if shown.lease_id is not None:
                self._heard(shown.lease_id, shop.now + act.late)
        for act, answer in zip(moment.acts, answers, strict=True):
            if isinstance(answer, Kept) and answer.held is Held.HELD:
                self._heard(answer.lease_id, shop.now + act.late)
        self._no_keep_alive_was_lost(after)

    async def _do(self, act: Act) -> Any:
        shop, at = self.shop, self.shop.now + act.late
        match act.what:
            case "visit":
                visitor = self.visitors[act.who]
                if act.at_desk:
                    page = showing_of(
                        shop.offer, shop.site, Arrival(ADS), visitor=visitor, visit_id=new_id(shop.now), now=at
                    )
                    return (await self.desks[act.worker].show(page))[0]
                return (await shop.visit(visitor, after=act.late, worker=self.workers[act.worker]))[0]
            case "keep":
                shown = self.seen.get(act.who)
                if shown is None or shown.exposure_id is None:
                    return None
                keep_alives = self.keep_alives[act.worker]
                noted = keep_alives.note(shown.exposure_id, shop.company.id, at=at)
                while not noted.done():
                    await keep_alives.write()
                return None if shown.lease_id is None else Kept(shown.lease_id, noted.result())
        (number,) = await shop.rows("SELECT e164 FROM tracking_numbers ORDER BY e164 LIMIT 1")
        async with self.workers[act.worker].everything() as connection:
            if act.what == "release":
                await number_changes.release(connection, shop.company, [number["e164"]], now=at)
            else:
                until = at + timedelta(minutes=10)
                await number_changes.rest(connection, shop.company, [number["e164"]], until=until, now=at)
        return None

    async def _state(self) -> dict[str, Any]:
        leases = await self.shop.rows(
            "SELECT l.id, l.holder, l.number_id, l.closed_as, upper(l.period) AS ended, n.idle_since"
            " FROM leases l LEFT JOIN lendable_numbers n ON n.lease_id = l.id"
        )
        numbers = await self.shop.rows(
            "SELECT number_id, CASE WHEN isfinite(idle_since) THEN idle_since END AS idle_since, resting_until"
            " FROM lendable_numbers"
        )
        return {"leases": {row["id"]: row for row in leases}, "numbers": numbers}

    def _heard(self, lease: int, at: datetime) -> None:
        self.told[lease] = max(at, self.told.get(lease, at))

    def _free(self, state: dict[str, Any]) -> int:
        """How many numbers were free."""
        now = self.shop.now
        return sum(
            1
            for row in state["numbers"]
            if (row["idle_since"] is None or row["idle_since"] + RESERVE <= now)
            and (row["resting_until"] is None or row["resting_until"] <= now)
        )

    def _nobody_starves(
        self, moment: Moment, visits: list[tuple[Act, Shown]], before: dict[str, Any], changed: bool
    ) -> None:
        """A pool that shares refuses nobody; one that does not refuses only when its free numbers are gone.

        To those who come anew, or to those who come back to a number that was free and had been theirs.
        """
        wanting = {act.who for act in moment.acts}
        refused = [act for act, shown in visits if shown.why is not Why.LENT]
        if changed:
            return
        if self.shop.pool.when_full == "share":
            awake = any(
                row["resting_until"] is None or row["resting_until"] <= self.shop.now for row in before["numbers"]
            )
            assert not (refused and awake)
        elif refused:
            assert len(wanting) > self._free(before)

    def _tabs_agree(self, visits: list[tuple[Act, Shown]], after: dict[str, Any], changed: bool) -> None:
        """Two tabs of a visitor at one instant show one number, unless he was displaced between them."""
        by_visitor = defaultdict(set)
        for act, shown in visits:
            if shown.lease_id is not None:
                by_visitor[act.who].add(shown.lease_id)
        for leases in by_visitor.values():
            closed = {lease for lease in leases if after["leases"][lease]["closed_as"] is not None}
            assert len(leases - closed) <= 1
            assert len(leases) == 1 or closed, "two tabs got two numbers, and nobody displaced the visitor"
            assert not closed or changed or self.shop.pool.when_full == "share"

    def _own_numbers_come_back(
        self, visits: list[tuple[Act, Shown]], before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        """Who had a lease that nobody took has it still."""
        for act, shown in visits:
            holder = f"visitor:{self.visitors[act.who]}"
            for lease, row in before["leases"].items():
                if row["holder"] == holder and row["closed_as"] is None:
                    assert shown.lease_id == lease or after["leases"][lease]["closed_as"] is not None

    def _no_keep_alive_was_lost(self, after: dict[str, Any]) -> None:
        """What was answered is in the database: no lease expires within the reserve of it."""
        for lease, at in self.told.items():
            row = after["leases"][lease]
            if row["closed_as"] is None:
                assert row["idle_since"] >= at
            elif row["closed_as"] == "expired":
                assert row["ended"] >= at + RESERVE


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.integers(1, 6),
    when_full=st.sampled_from(["share", "fallback"]),
    schedule=st.lists(moments, min_size=2, max_size=10),
)
async def test_whatever_happens_at_once(
    workers: list[Database], numbers: int, when_full: str, schedule: list[Moment]
) -> None:
    shop = await open_shop(workers[0], numbers, when_full=when_full, dialled_quarantine_seconds=0)
    crowd = Crowd(
        shop,
        workers,
        [shop.visitor() for _ in range(6)],
        [KeepAlives(each) for each in workers],
        [LendingDesk(each, shop.tally, patience=60) for each in workers],
    )
    for moment in schedule:
        await crowd.live(moment)


async def test_two_tabs_at_one_instant_get_one_number(workers: list[Database]) -> None:
    shop = await open_shop(workers[0], 30)
    for _ in range(10):
        visitor = shop.visitor()
        shown = await asyncio.gather(*(shop.visit(visitor, worker=workers[tab % WORKERS]) for tab in range(12)))
        assert len({each[0].lease_id for each in shown}) == 1
        shop.passes(seconds=1)
    assert len(await shop.rows("SELECT FROM leases")) == 10
    await all_is_well(shop)


async def test_two_tabs_at_the_last_number_get_it_both(workers: list[Database]) -> None:
    shop = await open_shop(workers[0], 1, when_full="fallback")
    for _ in range(40):
        visitor = shop.visitor()
        shown = await asyncio.gather(*(shop.visit(visitor, worker=workers[tab % WORKERS]) for tab in range(4)))
        assert {each[0].why for each in shown} == {Why.LENT}
        shop.passes(hours=1)


async def test_as_many_visitors_as_numbers_all_get_one(workers: list[Database]) -> None:
    """None is passed over because another was looking at it, and none is lent twice."""
    shop = await open_shop(workers[0], 24, when_full="fallback")
    for _ in range(5):
        visitors = [shop.visitor() for _ in range(24)]
        shown = await asyncio.gather(
            *(shop.visit(visitor, worker=workers[place % WORKERS]) for place, visitor in enumerate(visitors))
        )
        assert len({each[0].number_id for each in shown}) == 24
        assert {each[0].why for each in shown} == {Why.LENT}
        shop.passes(hours=1)
    await all_is_well(shop)


async def test_a_crowd_shares_the_only_number(workers: list[Database]) -> None:
    shop = await open_shop(workers[0], 1)
    shown = await asyncio.gather(*(shop.visit(shop.visitor(), worker=workers[each % WORKERS]) for each in range(30)))
    assert {each[0].why for each in shown} == {Why.LENT}
    closed = await shop.rows("SELECT closed_as FROM leases")
    assert sorted(row["closed_as"] or "" for row in closed) == ["", *["displaced"] * 29]
    await all_is_well(shop)


async def test_crowds_of_several_processes(workers: list[Database], module_database_dsn: str) -> None:
    """Real workers: three processes at one pool of five numbers, whose visitors come, stay and come back."""
    shop = await open_shop(workers[0], 5)
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.pools.crowd",
            module_database_dsn,
            shop.site.public_key,
            str(seed),
            cwd=PROJECT,
            stdout=asyncio.subprocess.PIPE,
        )
        for seed in range(3)
    ]
    said = [json.loads((await process.communicate())[0]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(each["visits"] for each in said) == 360
    assert sum(each["refused"] for each in said) == 0
    await all_is_well(shop)
    exposures = await shop.rows("SELECT id, last_seen FROM exposures")
    assert len(exposures) == 360
    kept = {UUID(id): datetime.fromisoformat(at) for each in said for id, at in each["kept"].items()}
    assert len(kept) == 360
    seen = {row["id"]: row["last_seen"] for row in exposures}
    assert [id for id, at in kept.items() if seen[id] < at] == []
