"""The rules of lending by themselves, and the database held to them: what SQL lends is what the rules would."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.pools.lending import NumberState, Standing, lending_order, standing
from gateway.pools.number_changes import standings
from gateway.pools.pool import Kind, Pool, WhenFull
from gateway.pools.showing import Why
from gateway.store.database import Database
from tests.pools.shop import START, open_shop

POOL = Pool(
    1,
    1,
    "Visitors",
    Kind.DYNAMIC,
    reserve=timedelta(minutes=20),
    quarantine=timedelta(minutes=10),
    dialled_quarantine=timedelta(hours=2),
)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (NumberState(), Standing.FREE),
        (NumberState(START, True), Standing.HELD),
        (NumberState(START - timedelta(minutes=19), True), Standing.HELD),
        (NumberState(START - timedelta(minutes=20), True), Standing.QUARANTINED),
        (NumberState(START - timedelta(minutes=19), False), Standing.QUARANTINED),  # taken back by a person
        (NumberState(START - timedelta(minutes=30), True), Standing.FREE),
        (NumberState(START - timedelta(hours=1), True, START - timedelta(minutes=50)), Standing.QUARANTINED),
        (NumberState(START - timedelta(hours=3), True, START - timedelta(hours=2)), Standing.FREE),
        (NumberState(None, False, START - timedelta(hours=1)), Standing.QUARANTINED),
        (NumberState(resting_until=START + timedelta(seconds=1)), Standing.RESTING),
        (NumberState(resting_until=START), Standing.FREE),
        (NumberState(START, True, retired_at=START), Standing.RETIRED),
    ],
)
def test_what_a_number_is(state: NumberState, expected: Standing) -> None:
    assert standing(state, POOL, START) is expected


states = st.builds(
    NumberState,
    idle_since=st.none() | st.integers(0, 200).map(lambda minutes: START - timedelta(minutes=minutes)),
    is_leased=st.booleans(),
    last_dialled=st.none() | st.integers(0, 300).map(lambda minutes: START - timedelta(minutes=minutes)),
    resting_until=st.none() | st.integers(-60, 60).map(lambda minutes: START + timedelta(minutes=minutes)),
)


@given(numbers=st.dictionaries(st.integers(1, 20), states, max_size=8), full=st.sampled_from(WhenFull))
def test_free_numbers_go_first_and_the_longest_idle_of_them(numbers: dict[int, NumberState], full: WhenFull) -> None:
    pool = Pool(1, 1, "x", Kind.DYNAMIC, when_full=full, quarantine=POOL.quarantine)
    order = lending_order(numbers, pool, START)
    kinds = [standing(numbers[number], pool, START) for number in order]
    assert Standing.RESTING not in kinds
    free = kinds.count(Standing.FREE)
    assert set(kinds[:free]) <= {Standing.FREE}
    assert full is WhenFull.SHARE or len(kinds) == free
    for part in (order[:free], order[free:]):
        seen = [numbers[number].idle_since for number in part]
        known = [each for each in seen if each is not None]
        assert seen == [None] * (len(seen) - len(known)) + sorted(known)


steps = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from([1, 9, 11, 21, 31, 130])),  # who comes, so many minutes later
    min_size=1,
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.integers(0, 4), full=st.sampled_from(["share", "fallback"]), schedule=steps)
async def test_the_database_lends_what_the_rules_would(
    database: Database, numbers: int, full: str, schedule: list[tuple[int, int]]
) -> None:
    shop = await open_shop(database, numbers, when_full=full, quarantine_seconds=600, dialled_quarantine_seconds=7200)
    visitors = [shop.visitor() for _ in range(8)]
    for number, (who, minutes) in enumerate(schedule):
        shop.passes(minutes=minutes)
        async with database.everything() as connection:
            known = {id: state for id, (_, state) in (await standings(connection, shop.company)).items()}
        own = await shop.rows(
            "SELECT number_id FROM leases WHERE closed_as IS NULL AND holder = $1", f"visitor:{visitors[who]}"
        )
        order = lending_order(known, shop.pool, shop.now)
        expected = own[0]["number_id"] if own else order[0] if order else None
        shown = await shop.shown(visitors[who])
        assert shown.number_id == expected
        assert (shown.why is Why.LENT) is (expected is not None)
        if number % 3 == 0 and shown.number_id is not None:
            # Somebody rings it: it rests longer.
            await shop.rows("INSERT INTO nodes (name) VALUES ('pbx') ON CONFLICT DO NOTHING")
            await shop.rows(
                "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, did, number_id, started_at)"
                " SELECT $1, id, $2, 1, 'ringing', $3, $4, $5 FROM nodes LIMIT 1",
                shop.company.id,
                f"{shop.company.id}-{number}",
                shown.e164,
                shown.number_id,
                shop.now,
            )


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()
