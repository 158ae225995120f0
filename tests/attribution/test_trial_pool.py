"""The pool in memory lends what the rules say, and what the database lends."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.attribution.trial_pool import TrialPool
from gateway.pools.keep_alive import KeepAlives
from gateway.pools.leases import Got
from gateway.pools.lending import lending_order
from gateway.pools.pool import Kind, Pool, WhenFull
from gateway.pools.showing import Why
from gateway.store.database import Database
from tests.pools.shop import START, open_shop

# Who does what, so many minutes later.
steps = st.lists(
    st.tuples(
        st.integers(0, 7), st.sampled_from(["come", "come", "come", "stay", "ring"]), st.sampled_from([0, 1, 9, 21, 70])
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(
    numbers=st.integers(1, 5),
    full=st.sampled_from(WhenFull),
    quarantine=st.sampled_from([0, 10]),
    dialled=st.sampled_from([0, 60]),
    schedule=steps,
)
def test_it_lends_by_the_rules(
    numbers: int, full: WhenFull, quarantine: int, dialled: int, schedule: list[tuple[int, str, int]]
) -> None:
    rules = Pool(
        1,
        1,
        "x",
        Kind.DYNAMIC,
        quarantine=timedelta(minutes=quarantine),
        dialled_quarantine=timedelta(minutes=dialled),
        when_full=full,
    )
    names = [f"n{index}" for index in range(numbers)]
    pool = TrialPool(rules, names)
    now = START
    for who, what, minutes in schedule:
        now += timedelta(minutes=minutes)
        holder = f"v{who}"
        own = pool.number_of(holder)
        if what == "stay":
            assert pool.keep_alive(holder, now) is (own is not None)
        elif what == "ring":
            pool.ring(names[who % numbers], now)
        else:
            order = lending_order(pool.states(), rules, now)
            given_ = pool.lend(holder, now)
            assert given_.number == (own or (names[order[0]] if order else None))
            assert (given_.got is Got.OWN) is (own is not None)
            assert (given_.got is Got.REFUSED) is (given_.number is None)
            assert pool.number_of(holder) == given_.number


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.integers(1, 4), full=st.sampled_from(["share", "fallback"]), schedule=steps)
async def test_the_database_lends_the_same(
    database: Database, numbers: int, full: str, schedule: list[tuple[int, str, int]]
) -> None:
    shop = await open_shop(database, numbers, when_full=full, quarantine_seconds=600, dialled_quarantine_seconds=3600)
    keep_alives = KeepAlives(database)
    rows = await shop.rows("SELECT e164 FROM tracking_numbers ORDER BY id")
    names = [row["e164"] for row in rows]
    pool = TrialPool(shop.pool, names)
    visitors = [shop.visitor() for _ in range(8)]
    shown: dict[int, UUID] = {}
    for turn, (who, what, minutes) in enumerate(schedule):
        shop.passes(minutes=minutes, seconds=1)  # never two at one instant: the order of those is the database's own
        holder = f"v{who}"
        if what == "stay" and who in shown:
            held = keep_alives.note(shown[who], shop.company.id, at=shop.now)
            await keep_alives.write()
            assert pool.keep_alive(holder, shop.now) is ((await held).value == "held")
        elif what == "ring":
            pool.ring(names[who % numbers], shop.now)
            await shop.rows("INSERT INTO nodes (name) VALUES ('pbx') ON CONFLICT DO NOTHING")
            await shop.rows(
                "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, did, started_at)"
                " SELECT $1, id, $2, 1, 'ringing', $3, $4 FROM nodes LIMIT 1",
                shop.company.id,
                f"{shop.company.id}-{turn}",
                names[who % numbers],
                shop.now,
            )
        elif what == "come":
            page = await shop.shown(visitors[who])
            lent = pool.lend(holder, shop.now)
            assert (page.e164 if page.why is Why.LENT else None) == lent.number
            if page.why is Why.LENT:
                assert page.exposure_id is not None
                shown[who] = page.exposure_id
            else:
                shown.pop(who, None)


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()
