"""Reports say what the calls say: sums of days against every call counted one by one, whatever befalls them."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from gateway.attribution.credit import Model
from gateway.attribution.forgetting import forget_visits
from gateway.reports.answer import answer, by_hour, over_time, periods
from gateway.reports.dimension import Basis, Dimension, Grain
from gateway.reports.figures import Row
from gateway.reports.measures import ADDED, Measures
from gateway.reports.question import Question
from gateway.reports.rollup import count_all, make_all
from gateway.store.database import Connection, Database
from tests.reports import raw
from tests.reports.past import BEGAN, DAYS, Past, add_call, add_job, add_lead, decide, make_past

SEEDS = (1, 2, 3)


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn)
    yield opened
    await opened.close()


def draw(past: Past, dice: random.Random, known: list[raw.Told]) -> Question:
    """Any question that reports may be asked."""
    by = tuple(dice.sample(list(Dimension), dice.choice((0, 1, 1, 1, 2, 2))))
    where: dict[Dimension, str] = {}
    for name in dice.sample(list(Dimension), dice.choice((0, 0, 0, 1, 2))):
        one = dice.choice(known)
        where[name] = {**one.own, **dice.choice(one.touches)[1]}[name]
    since = BEGAN + timedelta(days=dice.randrange(-40, DAYS))
    return Question(
        past.company_id,
        since,
        since + timedelta(days=dice.choice((1, 3, 7, 30, 90))),
        dice.choice(list(Basis)),
        dice.choice(list(Model)),
        by,
        where,
    )


def alike(one: Measures, other: Measures, of: Any = None) -> None:
    """The figures that add up are the same."""
    for name in ADDED:
        assert float(getattr(one, name)) == pytest.approx(float(getattr(other, name)), abs=0.011), (name, of)


async def agree(wire: Connection, past: Past, dice: random.Random, times: int = 12) -> None:
    """Reports and calls say the same, for questions drawn by ``dice``."""
    known = await raw.told(wire, past.company_id)
    for _ in range(times):
        question = draw(past, dice, known)
        found = await answer(wire, question)
        rows, total, left_out = raw.counted(known, question)
        assert found.stale_days == 0
        said = {tuple(key.value for key in row.keys): row.measures for row in found.rows}
        for keys in said.keys() | rows.keys():
            alike(said.get(keys, Measures()), rows.get(keys, Measures()), (question, keys))
        alike(found.total, total, question)
        assert found.left_out == left_out, question
        if not question.by:
            assert found.total.callers == total.callers, question
        assert [row.measures.calls for row in found.rows] == sorted(
            (row.measures.calls for row in found.rows), reverse=True
        )
        await _hours_agree(wire, question, known)
        if len(question.by) < 2:
            await _lines_agree(wire, question, known, dice.choice(list(Grain)))


async def _hours_agree(wire: Connection, question: Question, known: list[raw.Told]) -> None:
    hours = [0.0] * 168
    for each, _, _, share in raw.fitting(known, question):
        hours[each.hour] += share if each.kind == "call" else 0
    assert [calls for day in await by_hour(wire, question) for calls in day] == [
        pytest.approx(calls, abs=0.51) for calls in hours
    ]


async def _lines_agree(wire: Connection, question: Question, known: list[raw.Told], grain: Grain) -> None:
    lines = await over_time(wire, question, grain)
    starts = periods(question, grain)
    for line in lines:
        assert [start for start, _ in line.points] == starts
    ends = [*starts[1:], question.until]
    for place, (since, until) in enumerate(zip(starts, ends, strict=True)):
        rows, _, _ = raw.counted(known, replace(question, since=since, until=until))
        said: dict[tuple[str, ...], Measures] = {
            (line.key.value,) if question.by else (): line.points[place][1] for line in lines
        }
        for keys in said.keys() | rows.keys():
            alike(said.get(keys, Measures()), rows.get(keys, Measures()), (question, grain, since, keys))


Befall = Callable[[Connection, Past], Awaitable[None]]


async def late(wire: Connection, past: Past) -> None:
    """Calls and forms that come in late, out of an outbox."""
    for _ in range(5):
        await add_call(wire, past)
    await add_lead(wire, past)
    await add_job(wire, past)


async def changed(wire: Connection, past: Past) -> None:
    """Calls that turn out to be something else, and jobs that are worth more or fall away."""
    for status in ("spam", "new", "booked", "lost"):
        await wire.execute("UPDATE calls SET status = $1 WHERE id = ANY ($2)", status, past.dice.sample(past.calls, 6))
    await wire.execute("UPDATE calls SET caller = '+17095550100' WHERE id = $1", past.dice.choice(past.calls))
    await wire.execute(
        "UPDATE calls SET state = 'ended', outcome = 'answered', answered_at = now(), talk_seconds = 99 "
        "WHERE state = 'ringing'"
    )
    await wire.execute("UPDATE jobs SET value = 777 WHERE id = ANY ($1)", past.dice.sample(past.jobs, 3))
    await wire.execute("DELETE FROM jobs WHERE id = $1", past.jobs.pop())
    await wire.execute(
        "DELETE FROM job_leads WHERE id = (SELECT min(id) FROM job_leads WHERE company_id = $1)", past.company_id
    )
    await wire.execute("UPDATE leads SET suspect = 'robot' WHERE id = $1", past.dice.choice(past.leads))


async def recomputed(wire: Connection, past: Past) -> None:
    """Calls whose source is decided anew."""
    for call in past.dice.sample(past.calls, 12):
        at = await wire.fetchval("SELECT started_at FROM calls WHERE id = $1", call)
        if at is not None:
            await decide(wire, past, call, at)


async def erased(wire: Connection, past: Past) -> None:
    """Calls and forms that are deleted."""
    for call in past.dice.sample(past.calls, 8):
        past.calls.remove(call)
        await wire.execute("DELETE FROM calls WHERE id = $1", call)
    await wire.execute("DELETE FROM leads WHERE id = $1", past.leads.pop())


async def moved(wire: Connection, past: Past) -> None:
    """The company keeps another calendar, counts leads and credits otherwise."""
    await wire.execute(
        "UPDATE companies SET time_zone = 'Asia/Tokyo', qualified_seconds = 120, credit_half_life = '2 days', "
        "currency = 'USD', qualified_first_only = true, qualified_voicemail = true, qualified_leads = true, "
        "qualified_always = '{booked}', qualified_never = '{spam,lost}' WHERE id = $1",
        past.company_id,
    )


async def merged(wire: Connection, past: Past) -> None:
    """Two sources become one."""
    one, other = past.sources.pop("Google Organic"), past.sources["Google Paid"]
    await wire.execute("SELECT numberpool_merge_source($1, $2, $3)", past.company_id, one, other)
    past.sources["Google Organic"] = other


@pytest.mark.parametrize("seed", SEEDS)
async def test_reports_say_what_the_calls_say_whatever_befalls_them(database: Database, seed: int) -> None:
    past = await make_past(database, seed)
    other = await make_past(database, 1000 + seed, visitors=5, calls=20)
    dice = random.Random(seed)
    await count_all(database)
    async with database.companies(past.company_id) as wire:
        await agree(wire, past, dice)
    await make_all(database)
    befalls: list[Befall] = [late, changed, recomputed, erased, merged, moved]
    dice.shuffle(befalls)
    for befall in befalls:
        async with database.companies(past.company_id) as wire:
            await befall(wire, past)
        if befall is moved:  # more than a page does by itself
            await count_all(database)
        async with database.companies(past.company_id) as wire:
            await agree(wire, past, dice, 4)
        if dice.random() < 0.7:
            await make_all(database)
        async with database.companies(past.company_id) as wire:
            await agree(wire, past, dice, 4)
    async with database.companies(other.company_id) as wire:
        await agree(wire, other, dice, 4)


async def figures(wire: Connection, past: Past) -> Mapping[Any, Any]:
    """Every figure by every dimension, both ways of counting days, all models."""
    found = {}
    for by in Dimension:
        for basis in Basis:
            for model in Model:
                question = Question(
                    past.company_id, BEGAN - timedelta(days=40), BEGAN + timedelta(days=DAYS + 40), basis, model, (by,)
                )
                for row in (await answer(wire, question)).rows:
                    found[by, basis, model, row.keys[0].value] = [
                        round(float(getattr(row.measures, name)), 6) for name in ADDED
                    ]
    return found


async def test_what_is_known_of_visits_stays_when_they_are_gone(database: Database) -> None:
    past = await make_past(database, 7)
    await count_all(database)
    async with database.companies(past.company_id) as wire:
        before = await figures(wire, past)
    assert any(key[0] is Dimension.LANDING and key[3] for key in before)
    async with database.companies(past.company_id) as wire:
        for visitor, visits in past.visits.items():
            ids = [visit for visit, _, _ in visits]
            await forget_visits(wire, past.company_id, ids, visitor)
            await wire.execute("DELETE FROM visits WHERE id = ANY ($1)", ids)
            await wire.execute("DELETE FROM visitors WHERE id = $1", visitor)
    # What has changed of a call for another reason takes nothing of it away either.
    async with database.companies(past.company_id) as wire:
        await wire.execute("UPDATE calls SET ring_seconds = ring_seconds + 1")
        await wire.execute("UPDATE leads SET suspect = 'x' WHERE suspect = ''")
    await count_all(database)
    async with database.companies(past.company_id) as wire:
        await wire.execute("UPDATE calls SET ring_seconds = ring_seconds - 1")
    await count_all(database)
    async with database.companies(past.company_id) as wire:
        after = await figures(wire, past)
    # Forms count as leads as well, so what is qualified is not of calls alone.
    calls = [name in ("calls", "answered", "missed", "first_time") for name in ADDED]
    for key, row in before.items():
        if row[0]:
            assert [value for value, is_call in zip(after[key], calls, strict=True) if is_call] == [
                value for value, is_call in zip(row, calls, strict=True) if is_call
            ], key


async def test_forms_keep_their_source_when_visits_are_gone(database: Database) -> None:
    past = await make_past(database, 8)
    await count_all(database)
    async with database.companies(past.company_id) as wire:
        before = await figures(wire, past)
        await wire.execute("DELETE FROM visits")
        await wire.execute("UPDATE leads SET visit_id = NULL, visitor_id = NULL")
        await wire.execute("UPDATE jobs SET value = value")
    await count_all(database)
    async with database.companies(past.company_id) as wire:
        assert await figures(wire, past) == before


def row_of(rows: tuple[Row, ...], value: str) -> Measures:
    return next(row.measures for row in rows if row.keys[0].value == value)


async def test_expected_calls_are_those_of_each_source(database: Database) -> None:
    """By source as gateway.attribution.expected counts them, of the calls that count."""
    past = await make_past(database, 5)
    await count_all(database)
    await make_all(database)
    question = Question(past.company_id, BEGAN, BEGAN + timedelta(days=DAYS), by=(Dimension.SOURCE,))
    async with database.companies(past.company_id) as wire:
        found = await answer(wire, question)
        expected = await wire.fetch(
            """WITH asked AS (
                 SELECT c.id, c.source_id, a.basis, a.nobody + a.others AS none FROM calls c
                 LEFT JOIN attributions a ON a.call_id = c.id
                 WHERE c.company_id = $1 AND c.state = 'ended' AND c.outcome <> 'blocked' AND c.status <> 'spam'
               ), parts AS (
                 SELECT id, source_id, 1.0::float8 AS chance FROM asked WHERE basis IS DISTINCT FROM 'visits'
                 UNION ALL SELECT a.id, m.source_id, m.chance FROM asked a JOIN call_candidates m ON m.call_id = a.id
                 WHERE a.basis = 'visits'
                 UNION ALL SELECT id, NULL, none FROM asked WHERE basis = 'visits'
               ), each AS (SELECT id, source_id, least(sum(chance), 1.0) AS chance FROM parts GROUP BY 1, 2)
               SELECT source_id, sum(chance) AS expected, sqrt(sum(chance * (1 - chance))) AS error
               FROM each GROUP BY 1""",
            past.company_id,
        )
    assert len(expected) > 3
    for row in expected:
        measures = row_of(found.rows, str(row["source_id"] or ""))
        assert measures.expected == pytest.approx(row["expected"])
        assert measures.expected_error == pytest.approx(row["error"])
    assert found.total.expected == found.total.calls
    assert sum(row.measures.expected or 0 for row in found.rows) == pytest.approx(found.total.calls, rel=0.05)


async def test_of_what_a_call_has_itself_as_many_are_expected_as_came(database: Database) -> None:
    past = await make_past(database, 9)
    await count_all(database)
    question = Question(past.company_id, BEGAN, BEGAN + timedelta(days=DAYS))
    async with database.companies(past.company_id) as wire:
        for by in ((Dimension.NUMBER,), (Dimension.POOL, Dimension.PERSON)):
            found = await answer(wire, replace(question, by=by))
            assert found.rows
            for row in found.rows:
                assert (row.measures.expected, row.measures.expected_error) == (row.measures.calls, 0)
        number = found.rows[0].keys[0].value
        narrowed = await answer(wire, replace(question, where={Dimension.POOL: number}))
        assert narrowed.total.expected == narrowed.total.calls
        for unknown in ((Dimension.KEYWORD,), (Dimension.SOURCE, Dimension.POOL)):
            assert {row.measures.expected for row in (await answer(wire, replace(question, by=unknown))).rows} == {None}


async def test_money_is_exact_to_the_cent(database: Database) -> None:
    past = await make_past(database, 6)
    await count_all(database)
    question = Question(past.company_id, BEGAN - timedelta(days=9), BEGAN + timedelta(days=DAYS + 9))
    async with database.companies(past.company_id) as wire:
        found = await answer(wire, question)
        known = await raw.told(wire, past.company_id)
    exactly = sum((each.measures.value for each in known if each.kind in ("call", "lead")), Decimal(0))
    assert found.total.value == exactly
