"""Learning from a company's own past: by generated pasts without a database, and over a real one, by night."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.attribution.decision import Page
from gateway.attribution.evidence import Call, Tap
from gateway.attribution.learned import PRIOR, learned_of
from gateway.attribution.learned_store import LearnedInMemory, learned_history, newest_learned
from gateway.attribution.learner import learn_apart, learn_company, learned_from
from gateway.attribution.nightly import HOUR, JOB, order_lessons
from gateway.attribution.past import LentNumber, Past, lessons
from gateway.cli import numberpool
from gateway.store.database import Database
from tests.attribution.front import Front, open_front
from tests.pools.shop import SEARCH

BEGIN = datetime(2026, 5, 4, tzinfo=UTC)
NUMBERS = [f"+1306555000{digit}" for digit in range(8)]


def past_with(
    *, visits: int = 3000, calling: float = 0.3, delay: float = 240.0, background: float = 0.05, seed: int = 1
) -> Past:
    """Visits that come every few minutes and get the numbers in turn; some call after a while, and strangers do too."""
    chance = random.Random(seed)
    pages: dict[str, list[Page]] = {number: [] for number in NUMBERS}
    calls: list[Call] = []
    now = BEGIN
    for index in range(visits):
        now += timedelta(seconds=chance.expovariate(1 / 300))
        number = NUMBERS[index % len(NUMBERS)]
        left = now + timedelta(seconds=chance.expovariate(1 / 180))
        pages[number].append(
            Page(UUID(int=3 * index + 1), UUID(int=3 * index + 2), UUID(int=3 * index + 3), now, left, left)
        )
        if chance.random() < calling:
            calls.append(Call(number, now + timedelta(seconds=chance.expovariate(1 / delay)), f"+1306{index:07}"))
    until = now + timedelta(hours=1)
    for index in range(round(background * len(calls))):
        at = BEGIN + (until - BEGIN) * chance.random()
        calls.append(Call(chance.choice(NUMBERS), at, f"+1999{index:07}"))
    calls = sorted((each for each in calls if each.at < until), key=lambda each: each.at)
    numbers = {number: LentNumber(number, 1, BEGIN, until) for number in NUMBERS}
    return Past(BEGIN, until, numbers, pages, {}, calls)


def test_a_delay_curve_is_learned_from_calls_whose_visitors_nobody_names() -> None:
    found = learned_from(past_with(visits=6000))
    assert found.calls == pytest.approx(1890, rel=0.1)
    assert found.visits == 6000
    # 30% call; exponential with a mean of four minutes: 71% of these within five, all but all within an hour.
    curve = found.learned.curve
    assert curve.within(300) == pytest.approx(0.3 * 0.713, rel=0.12)
    assert curve.within(3600) == pytest.approx(0.3, rel=0.1)
    strangers = found.learned.background
    watched = (found.until - found.since).total_seconds() * len(NUMBERS)  # type: ignore[operator]
    assert strangers.usual * watched == pytest.approx(0.05 * 1800, rel=0.5)


def test_nothing_to_learn_from_is_the_prior_and_says_so() -> None:
    empty = Past(BEGIN, BEGIN + timedelta(days=30))
    assert learned_from(empty).learned is PRIOR
    assert learned_from(empty).is_prior
    quiet = past_with(visits=300, calling=0)
    assert learned_from(quiet).is_prior


def test_a_few_calls_move_the_prior_a_little() -> None:
    few = learned_from(past_with(visits=40))
    assert 0 < few.calls < 30
    hour = few.learned.curve.within(3600)
    assert PRIOR.curve.within(3600) < hour < 0.5


def test_a_silence_of_months_is_no_time_in_which_nobody_called() -> None:
    whole = past_with(visits=1500, background=0.3)
    middle = whole.calls[len(whole.calls) // 2].at
    gap = timedelta(days=100)

    def later(at: datetime) -> datetime:
        return at if at < middle else at + gap

    split = Past(
        whole.since,
        later(whole.until),
        {name: LentNumber(name, 1, BEGIN, later(whole.until)) for name in NUMBERS},
        {
            name: [
                Page(p.exposure_id, p.visit_id, p.visitor, later(p.shown_at), later(p.last_seen), later(p.last_seen))
                for p in pages
            ]
            for name, pages in whole.pages.items()
        },
        {},
        [Call(each.number, later(each.at), each.caller) for each in whole.calls],
    )
    one, other = learned_from(whole).learned.background.usual, learned_from(split).learned.background.usual
    # A hundred days of silence beside five of traffic would make it a twentieth.
    assert 0.6 < other / one < 1.6


def test_each_call_is_a_lesson_and_time_is_not_counted_twice() -> None:
    past = past_with(visits=500)
    examples, risk = lessons(past, PRIOR)
    assert len(examples) == len(past.calls)
    # Each visit is at risk for three days, or until the end.
    expected = sum(
        min((past.until - page.shown_at).total_seconds(), 3 * 86400.0)
        for pages in past.pages.values()
        for page in pages
    )
    assert float(risk.cells[[0, 2]].sum()) == pytest.approx(expected, rel=1e-6)


moments = st.integers(-5 * 86400, 40 * 86400).map(lambda seconds: BEGIN + timedelta(seconds=seconds))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    shown=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), moments, moments, st.booleans()), max_size=12),
    rung=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), moments), max_size=8),
    tapped=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 11), moments), max_size=5),
)
def test_whatever_clocks_did_something_is_learned(
    shown: list[tuple[int, int, datetime, datetime, bool]],
    rung: list[tuple[int, int, datetime]],
    tapped: list[tuple[int, int, datetime]],
) -> None:
    """Pages seen before they were shown, calls in the future, taps of nobody, times in any order."""
    until = BEGIN + timedelta(days=30)
    pages: dict[str, list[Page]] = {number: [] for number in NUMBERS[:4]}
    for place, (number, visitor, at, seen, left) in enumerate(shown):
        pages[NUMBERS[number]].append(
            Page(UUID(int=place + 100), UUID(int=place + 1), UUID(int=visitor + 1), at, seen, seen if left else None)
        )
    for each in pages.values():
        each.sort(key=lambda page: page.shown_at)
    taps: dict[str, list[Tap]] = {number: [] for number in NUMBERS[:4]}
    for number, visit, at in tapped:
        taps[NUMBERS[number]].append(Tap(str(UUID(int=visit + 1)), at))
    for known in taps.values():
        known.sort(key=lambda tap: tap.at)
    past = Past(
        BEGIN,
        until,
        {number: LentNumber(number, 1, BEGIN, until) for number in NUMBERS[:4]},
        pages,
        taps,
        sorted((Call(NUMBERS[n], at, f"+1{c}" if c else "") for n, c, at in rung), key=lambda call: call.at),
    )
    found = learned_from(past).learned
    assert (found.curve.rates > 0).all()
    assert found.background.usual > 0
    assert learned_of(json.loads(json.dumps(found.stored()))) is not None


# -- over a database -----------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def front(database_dsn: str) -> AsyncIterator[Front]:
    database = await Database.open(database_dsn)
    yield await open_front(database)
    await database.close()


async def test_a_company_learns_from_its_own_past_alone(front: Front) -> None:
    for index in range(30):
        ago = 60.0 * (index + 1)
        visit = await front.came(front.someone(), ago, ago - 3, SEARCH)
        await front.tap(visit, ago - 2)
        await front.call(ago - 2 - 5 / 60, caller=f"+130655501{index:02}")
    await front.settle()
    neighbour = await open_front(front.database)
    now = front.noon + timedelta(hours=2)
    found = await learn_company(front.database, front.company_id, now)
    assert (found.calls, found.visits, found.taps) == (30, 30, 30)
    none = await learn_company(front.database, neighbour.company_id, now)
    assert none.is_prior
    async with front.database.companies(front.company_id) as connection:
        newest = await newest_learned(connection, front.company_id)
        assert newest == found
        assert newest.learned.curve.taps[1] > 0
        memory = LearnedInMemory()
        assert await memory.newest(connection, front.company_id) == newest
    # The next call is decided by it.
    visit = await front.came(front.someone(), 2, 0, left=False)
    call = await front.call()
    await front.settle()
    assert (await front.said(call))["learned_id"] == found.id
    later = await learn_company(front.database, front.company_id, now + timedelta(days=1))
    async with front.database.companies(front.company_id) as connection:
        assert await memory.newest(connection, front.company_id) == later
        assert [each.id for each in await learned_history(connection, front.company_id)] == [later.id, found.id]
    assert visit is not None


async def test_each_night_has_one_job_for_each_company_that_lends(front: Front) -> None:
    night = front.noon.replace(hour=HOUR) + timedelta(minutes=1)
    assert await order_lessons(front.database, night) == 1
    assert await order_lessons(front.database, night + timedelta(minutes=15)) == 1  # not yet done: still one job
    async with front.database.everything() as connection:
        jobs = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = $1", JOB)
        dsn = front.database.dsn
    assert [json.loads(row["payload"]) for row in jobs] == [{"company_id": front.company_id}]
    assert (await learn_apart(dsn, front.company_id))["calls"] == 0
    assert await order_lessons(front.database, datetime.now(UTC)) == 0


def test_the_command_says_what_was_learned(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fill() -> None:
        database = await Database.open(database_dsn)
        front = await open_front(database)
        front.noon = datetime.now(UTC) - timedelta(hours=1)
        await front.came(front.someone(), 5, 2)
        await front.call(3)
        await database.close()

    asyncio.run(fill())
    monkeypatch.setenv("NUMBERPOOL_POSTGRES__DSN", database_dsn)
    said = CliRunner().invoke(numberpool, ["attribution", "learn"], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    assert "learned from 1 calls (few:" in said.output
    assert "of nobody's visit" in said.output
