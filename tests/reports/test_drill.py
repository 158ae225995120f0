"""From a figure to the calls and other leads it counts: the list and its export show exactly those."""

import csv
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio

from gateway.attribution.credit import Model
from gateway.http import lead_list
from gateway.http.accounts import Company
from gateway.http.call_filter import CallFilter
from gateway.reports.answer import answer
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.drill import drill
from gateway.reports.figures import Row
from gateway.reports.measures import Measure
from gateway.reports.question import Question
from gateway.reports.rollup import count_all, make_all
from gateway.store.database import Connection, Database
from tests.http.company import MadeCompany
from tests.http.conftest import running_pages
from tests.reports import raw
from tests.reports.past import BEGAN, ZONE, Past, make_past
from tests.reports.test_agreement import draw

WHOLE = (Model.FIRST, Model.LAST, Model.LAST_NON_DIRECT, Model.LAST_PAID)
DRILLED = (
    Measure.CALLS,
    Measure.ANSWERED,
    Measure.MISSED,
    Measure.FIRST_TIME,
    Measure.QUALIFIED,
    Measure.LEADS,
    Measure.JOBS,
)


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn)
    yield opened
    await opened.close()


def filter_of(address: str) -> CallFilter:
    return CallFilter.parse(dict(parse_qsl(urlsplit(address).query)))


async def listed(wire: Connection, past: Past, address: str) -> int:
    """How many leads the list shows at an address."""
    company = Company(past.company_id, "Seed", ZONE, "CA")
    return await lead_list.count(wire, company, filter_of(address))


def with_share(known: list[raw.Told], question: Question, row: Row | None, measure: Measure) -> int:
    """How many leads have a share in a figure."""
    by = {} if row is None else {name: key.value for name, key in zip(question.by, row.keys, strict=True)}
    narrowed = replace(question, by=(), where={**question.where, **by})
    return len(
        {
            id(each)
            for each, _, _, _ in raw.fitting(known, narrowed)
            if each.kind in ("call", "lead") and getattr(each.measures, measure.value)
        }
    )


@pytest.mark.parametrize("seed", [11, 12])
async def test_the_list_shows_the_calls_that_a_figure_counts(database: Database, seed: int) -> None:
    past, dice = await make_past(database, seed), random.Random(seed)
    await count_all(database)
    await make_all(database)
    async with database.companies(past.company_id) as wire:
        known = await raw.told(wire, past.company_id)
        for _ in range(15):
            question = draw(past, dice, known)
            found = await answer(wire, question)
            for row in (None, *dice.sample(found.rows, min(3, len(found.rows)))):
                measures = found.total if row is None else row.measures
                for measure in DRILLED:
                    calls = await listed(wire, past, drill(question, row, measure))
                    assert calls == with_share(known, question, row, measure), (question, row, measure)
                    if question.model in WHOLE:
                        assert calls == measure.of(measures), (question, row, measure)


async def test_the_list_is_of_the_moment(database: Database) -> None:
    """What somebody has just changed is in the figure and in its list, though nobody counted in between."""
    past = await make_past(database, 13)
    await count_all(database)
    question = Question(past.company_id, BEGAN, BEGAN.replace(year=2027), by=(Dimension.SOURCE,))
    async with database.companies(past.company_id) as wire:
        before = await answer(wire, question)
        first = before.rows[0]
        among = await wire.fetchval(
            "UPDATE calls SET status = 'spam' WHERE id = (SELECT min(c.id) FROM calls c JOIN report_facts f"
            " ON f.call_id = c.id AND f.kind = 'call' AND f.source = $1 AND f.shares IS NULL) RETURNING id",
            first.keys[0].value,
        )
        assert among is not None
        assert await listed(wire, past, drill(question, first)) == first.measures.calls - 1
        after = await answer(wire, question)
        assert next(row for row in after.rows if row.keys == first.keys).measures.calls == first.measures.calls - 1
        assert after.left_out.spam == before.left_out.spam + 1


async def test_the_export_of_a_drilled_list_has_as_many_lines(database_dsn: str, tmp_path: Path) -> None:
    async with running_pages(database_dsn, tmp_path) as pages:
        past, dice = await make_past(pages.database, 14), random.Random(14)
        client = await pages.signed_in(company=MadeCompany(past.company_id))
        async with pages.database.companies(past.company_id) as wire:
            known = await raw.told(wire, past.company_id)
        drilled = 0
        while drilled < 12:
            question = replace(draw(past, dice, known), model=dice.choice(WHOLE))
            async with pages.database.companies(past.company_id) as wire:
                found = await answer(wire, question)
            for row in found.rows[:2]:
                address = drill(question, row)
                async with client.get(address.replace("/calls?", "/calls/export.csv?")) as exported:
                    assert exported.status == 200
                    lines = list(csv.reader(StringIO(await exported.text())))
                assert len(lines) - 1 == row.measures.calls, (question, row)
                async with client.get(address) as page:
                    assert page.status == 200, address
                drilled += 1


def test_an_address_says_what_is_asked() -> None:
    question = Question(
        3, BEGAN, BEGAN.replace(month=3), Basis.CLICK, Model.LAST_PAID, (Dimension.PERSON,), {Dimension.CAMPAIGN: ""}
    )
    filter = filter_of(drill(question, measure=Measure.MISSED))
    assert filter.credit is Model.LAST_PAID
    assert str(filter.clicked) == "2026-02-20..2026-03-19"
    assert filter.campaign == "(not set)"
    assert (filter.counted, filter.reached) == ("yes", "no")
    assert filter_of(f"/calls?{'&'.join(f'{name}={value}' for name, value in filter.query().items())}") == filter
