"""Who still waits for a call back, and how long the others waited."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.reports import missed
from gateway.reports.missed import FEW, Missed, Reach, Reached, Wait, time_to_call_back, waits_of
from gateway.store.database import Database
from tests.http.company import MadeCompany, add_call, make_company

DAY = datetime(2026, 11, 18, 16, tzinfo=UTC)  # a Wednesday, 10:00 in Regina
CALLER = "+13065550142"


def at(minutes: float) -> datetime:
    return DAY + timedelta(minutes=minutes)


def said(waits: tuple[Wait, ...]) -> list[tuple[int, float | None]]:
    """Of each wait the attempts, and the minutes until he was reached."""
    return [(wait.tries, None if wait.seconds is None else wait.seconds / 60) for wait in waits]


@pytest.mark.parametrize(
    ("missed_at", "reached_at", "waits"),
    [
        ([], [], []),
        ([0], [], [(1, None)]),
        ([0, 4, 9], [], [(3, None)]),
        ([0], [12], [(1, 12)]),
        ([0, 4, 9], [12], [(3, 12)]),
        ([0, 20], [12], [(1, 12), (1, None)]),
        ([0, 20], [12, 45], [(1, 12), (1, 25)]),
        ([0], [12, 45, 60], [(1, 12)]),
        ([10], [5], [(1, None)]),
        ([10], [10], [(1, 0)]),
        ([20, 0], [45, 12], [(1, 12), (1, 25)]),
    ],
)
def test_a_wait_begins_with_a_missed_call_and_ends_when_he_is_reached(
    missed_at: list[float], reached_at: list[float], waits: list[tuple[int, float | None]]
) -> None:
    found = waits_of(
        CALLER,
        [Missed(at(minutes), place) for place, minutes in enumerate(missed_at)],
        [Reached(at(minutes), Reach.CALLED_AGAIN) for minutes in reached_at],
    )
    assert said(found) == waits


@pytest.mark.parametrize("how", list(Reach))
def test_however_he_is_reached_the_wait_is_over(how: Reach) -> None:
    (wait,) = waits_of(CALLER, [Missed(at(0), 1)], [Reached(at(7), how, 2, "Anna")])
    assert (wait.reached, wait.seconds) == (Reached(at(7), how, 2, "Anna"), 420)


_moments = st.integers(0, 500).map(at)


@given(st.lists(_moments, max_size=20), st.lists(_moments, max_size=10), st.randoms(use_true_random=False))
def test_every_missed_call_is_in_one_wait_whatever_the_order(
    missed_at: list[datetime], reached_at: list[datetime], random: object
) -> None:
    calls = [Missed(moment, place) for place, moment in enumerate(missed_at)]
    reached = [Reached(moment, Reach.CALLED_AGAIN) for moment in reached_at]
    waits = waits_of(CALLER, calls, reached)
    shuffled = list(calls)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = waits_of(CALLER, shuffled, reached[::-1])
    assert [(each.since, each.tries, each.reached) for each in again] == [
        (each.since, each.tries, each.reached) for each in waits
    ]
    assert sorted(call.call_id for wait in waits for call in wait.missed) == list(range(len(calls)))
    # Waits follow each other, and only the last one may be open.
    for before, after in pairwise(waits):
        assert before.reached is not None
        assert before.last.at <= before.reached.at <= after.since
    still = [call for call in calls if not any(moment >= call.at for moment in reached_at)]
    assert sum(wait.tries for wait in waits if wait.reached is None) == len(still)


def test_times_are_of_those_who_were_reached_and_the_others_are_counted() -> None:
    reached = [Wait(CALLER, (Missed(at(0), n),), Reached(at(n), Reach.MARKED)) for n in range(1, 21)]
    waiting = [Wait(CALLER, (Missed(at(0), 99),))] * 5
    times = time_to_call_back([*reached, *waiting])
    assert (times.people, times.reached, times.waiting) == (25, 20, 5)
    assert times.median == 10.5 * 60
    assert times.ninety == 18 * 60
    assert time_to_call_back(waiting).median is None
    assert time_to_call_back(reached[: FEW - 1]).ninety is None


# ------------------------------------------------------------------------------------------------------- from the store


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn, 4)
    yield opened
    await opened.close()


async def _waits(database: Database, company: MadeCompany) -> list[Wait]:
    async with database.companies(company.id) as connection:
        return await missed.waits(connection, company.id, at(-60), at(600))


async def test_what_is_missed_and_who_is_reached(database: Database) -> None:
    company = await make_company(database)
    other = await make_company(database, "Borealis Dental", ("3001", "3002", "3003"))

    async def call(
        minutes: float, outcome: str, caller: str | None = CALLER, of: MadeCompany = company, ring: float = 7
    ) -> int:
        return await add_call(database, of, caller=caller, outcome=outcome, started_at=at(minutes), ring=ring)

    for minutes, outcome in ((0, "no_answer"), (3, "busy"), (5, "voicemail"), (-90, "no_answer")):
        await call(minutes, outcome)  # the last of them was before these days
    spam, blocked = "+13065550001", "+13065550002"
    unwanted = await call(10, "no_answer", spam)
    await call(10, "blocked", blocked)
    await call(10, "abandoned", None)
    banned = "+13065550003"
    await call(10, "no_answer", banned)
    await call(6, "answered", of=other)  # the same caller, at another company
    async with database.companies(company.id) as wire:
        await wire.execute("UPDATE calls SET status = 'spam' WHERE id = $1", unwanted)
        await wire.execute(
            "INSERT INTO caller_rules (company_id, caller, verdict) VALUES ($1, $2, 'block')", company.id, banned
        )
    assert [(wait.caller, wait.tries, wait.seconds) for wait in await _waits(database, company)] == [(CALLER, 3, None)]

    again = await call(12, "answered", ring=30)
    (wait,) = await _waits(database, company)
    assert wait.reached == Reached(at(12.5), Reach.CALLED_AGAIN, again)
    late = await call(40, "failed")
    assert [(each.tries, each.reached is None) for each in await _waits(database, company)] == [(1, True), (3, False)]

    async with database.companies(company.id) as wire:
        found = await missed.misses(wire, company.id, at(-60), at(600), "America/Regina")
        user = await wire.fetchval("INSERT INTO users (email, name) VALUES ('anna@example.com', 'Anna') RETURNING id")
        assert await missed.mark(wire, company.id, late, user, at(50))
        assert not await missed.mark(wire, company.id, late, user, at(55))
        assert not await missed.mark(wire, company.id, again, user, at(55))
    # Neither spam nor blocked; by withheld and banned callers too.
    assert (found.total.calls, found.total.missed, found.withheld) == (7, 6, 1)
    assert [(each.name, each.calls, each.missed) for each in found.lines] == [("Reception", 7, 6)]
    assert [(each.name, each.calls, each.missed) for each in found.sources] == [("Google Ads", 7, 6)]
    assert found.hours[2][10].missed == 6
    assert sum(cell.calls for day in found.hours for cell in day) == 7

    newest, _ = await _waits(database, company)
    assert newest.reached == Reached(at(50), Reach.MARKED, late, "Anna")
    async with database.companies(company.id) as wire:
        await missed.unmark(wire, company.id, late)
        assert [wait.last.call_id for wait in await missed.not_called_back(wire, company.id, at(-60), at(600))] == [
            late
        ]
    assert await _waits(database, other) == []


async def test_a_call_that_was_cut_off_while_they_talked_was_no_missed_one(database: Database) -> None:
    company = await make_company(database)
    ringing = await add_call(database, company, outcome="cut_off", caller="+13065550005", started_at=at(0))
    talking = await add_call(database, company, outcome="cut_off", caller="+13065550006", started_at=at(0))
    async with database.companies(company.id) as wire:
        await wire.execute("UPDATE calls SET answered_at = started_at + interval '5 seconds' WHERE id = $1", talking)
        assert [wait.last.call_id for wait in await missed.waits(wire, company.id, None, None)] == [ringing]
        assert (await missed.total(wire, company.id, None, None)).missed == 1
