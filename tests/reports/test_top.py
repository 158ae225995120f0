"""A report of very many rows tells the highest one by one and the others together: the same figures as of all rows."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from gateway.reports.answer import answer, over_time
from gateway.reports.dimension import Dimension, Grain
from gateway.reports.measures import ADDED, Measure, Measures
from gateway.reports.question import TOLD_BY, Question, Top
from gateway.reports.rollup import count_all, make_all
from gateway.store.database import Database
from tests.reports.past import BEGAN, DAYS, make_past
from tests.reports.test_agreement import alike


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn)
    yield opened
    await opened.close()


def height(measures: Measures, measure: Measure) -> float:
    value = measure.of(measures)
    return float("-inf") if value is None else float(value)


@pytest.mark.parametrize("is_made", [True, False], ids=["of sums", "of calls"])
async def test_the_highest_rows_and_the_others_are_all_of_them(database: Database, is_made: bool) -> None:
    past = await make_past(database, 41)
    await count_all(database)
    if is_made:
        await make_all(database)
    dice = random.Random(41)
    whole = Question(past.company_id, BEGAN - timedelta(days=1), BEGAN + timedelta(days=DAYS))
    async with database.companies(past.company_id) as wire:
        for _ in range(24):
            by = tuple(dice.sample([each for each in Dimension if each is not Dimension.SOURCE], dice.choice((1, 2))))
            top = Top(dice.choice((1, 2, 5)), dice.choice(sorted(TOLD_BY)), dice.choice((True, False)), least=0)
            question = replace(whole, by=by)
            every, some = await answer(wire, question), await answer(wire, question, top)
            if {*by} <= {Dimension.CHANNEL, Dimension.CAMPAIGN} and every.total.spend:
                continue
            alike(some.total, every.total, question)
            known = {tuple(key.value for key in row.keys): row.measures for row in every.rows}
            of_heads: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
            for keys in known:
                of_heads.setdefault(keys[:-1], []).append(keys)
            shown = {tuple(key.value for key in row.keys): row.measures for row in some.rows}
            for keys, measures in shown.items():
                alike(measures, known[keys], (question, keys))
            for head, inside in of_heads.items():
                left = [keys for keys in inside if keys not in shown]
                others = some.others.get(head)
                assert (others.count if others else 0) == len(left), question
                for name in ADDED:
                    said = float(getattr(others.measures, name)) if others else 0.0
                    assert said == pytest.approx(sum(float(getattr(known[keys], name)) for keys in left), abs=0.011)
                high = [height(known[keys], top.measure) for keys in inside if keys in shown]
                low = [height(known[keys], top.measure) for keys in left]
                said_low = [each for each in low if each != float("-inf")]
                if said_low and top.is_down:
                    assert min(high) >= max(said_low) - 1e-6, (question, top)
                elif said_low:
                    assert max(high) <= min(said_low) + 1e-6, (question, top)


async def test_the_same_rows_are_told_of_the_period_before(database: Database) -> None:
    past = await make_past(database, 42)
    await count_all(database)
    await make_all(database)
    middle = BEGAN + timedelta(days=DAYS // 2)
    now = Question(past.company_id, middle, BEGAN + timedelta(days=DAYS), by=(Dimension.CITY, Dimension.DEVICE))
    before = replace(now, since=BEGAN, until=middle)
    async with database.companies(past.company_id) as wire:
        some = await answer(wire, now, Top(1, least=0))
        only = {tuple(key.value for key in row.keys) for row in some.rows}
        every, told = await answer(wire, before), await answer(wire, before, Top(1, least=0), only)
    assert {tuple(key.value for key in row.keys) for row in told.rows} <= only
    assert told.rows
    whole = Measures()
    for each in [*(row.measures for row in told.rows), *(others.measures for others in told.others.values())]:
        whole = whole + each
    alike(whole, every.total)


async def test_lines_beyond_the_highest_are_one(database: Database) -> None:
    past = await make_past(database, 43)
    await count_all(database)
    question = Question(past.company_id, BEGAN, BEGAN + timedelta(days=DAYS), by=(Dimension.LANDING,))
    async with database.companies(past.company_id) as wire:
        every = await over_time(wire, question, Grain.WEEK)
        some = await over_time(wire, question, Grain.WEEK, Top(2, least=0))
    assert len(every) > 3
    assert [line.key for line in some[:2]] == [line.key for line in every[:2]]
    assert [line.others for line in some] == [0, 0, len(every) - 2]
    for place, (start, measures) in enumerate(some[2].points):
        rest = Measures()
        for line in every[2:]:
            rest = rest + line.points[place][1]
        assert start == every[0].points[place][0]
        alike(measures, rest, start)
