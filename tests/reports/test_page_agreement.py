"""The report page, its exports and the list of calls say the same, for any question: as one who clicks would see it."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from gateway.attribution.credit import Model
from gateway.http.periods import Period
from gateway.http.report_view import Compare, ReportView, Shape
from gateway.http.report_words import SHARED
from gateway.reports.answer import answer
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.measures import Measure, Unit
from gateway.reports.question import Question
from gateway.reports.rollup import count_all, make_all
from tests.http.company import MadeCompany
from tests.http.conftest import Pages, running_pages
from tests.reports import raw
from tests.reports.past import BEGAN, DAYS, Past, make_past
from tests.reports.shown import Shown, csv_rows, table_of, xlsx_rows
from tests.reports.test_agreement import draw

COUNTS = (
    Measure.CALLS,
    Measure.ANSWERED,
    Measure.MISSED,
    Measure.FIRST_TIME,
    Measure.QUALIFIED,
    Measure.LEADS,
    Measure.JOBS,
)
LISTED = {measure.words for measure in COUNTS}
SEEDS = (11, 12)
# So many cells of a page are followed to their calls.
FOLLOWED = 6


@pytest_asyncio.fixture
async def pages(database_dsn: str, tmp_path: Path) -> AsyncIterator[Pages]:
    async with running_pages(database_dsn, tmp_path) as running:
        yield running


def view_of(question: Question, dice: random.Random) -> ReportView:
    """The address that asks it, with everything shown."""
    return ReportView(
        Period.between(question.since, question.until.fromordinal(question.until.toordinal() - 1)),
        question.by,
        (*COUNTS, dice.choice([Measure.TALK_SECONDS, Measure.VALUE, Measure.ANSWER_RATE])),
        question.basis,
        question.model,
        dice.choice([Compare.NONE, Compare.BEFORE]),
        tuple(question.where.items()),
        top=1000,
        shape=Shape.ROWS,
        company=question.company_id,
    )


def number(text: str) -> float:
    return 0.0 if text in ("", "–") else float(text.replace(",", "").replace("%", ""))


async def counted(client: aiohttp.ClientSession, url: str) -> int:
    """How many leads the list behind a figure has, by its export."""
    answered = await client.get(URL(url.replace("/calls?", "/calls/export.csv?"), encoded=True))
    assert answered.status == 200, url
    return len(csv_rows(await answered.read())) - 1


async def follow(client: aiohttp.ClientSession, cell: Shown, *, in_parts: bool) -> None:
    """The list that a figure leads to has as many leads; those with a part in it where they are shared."""
    assert cell.url is not None
    calls = await counted(client, cell.url)
    if in_parts:
        assert calls >= number(cell.text) - 0.05, cell
    else:
        assert calls == number(cell.text), cell


async def agree(client: aiohttp.ClientSession, pages: Pages, question: Question, dice: random.Random) -> None:
    view = view_of(question, dice)
    async with pages.database.companies(question.company_id) as wire:
        found = await answer(wire, question)
        alone = await answer(wire, replace(question, by=question.by[:1]))
    page = await client.get(URL(view.url()))
    text = await page.text()
    assert page.status == 200, view.url()
    exported = await client.get(URL(view.at("/reports/export.csv")))
    rows = csv_rows(await exported.read())
    book = xlsx_rows(await (await client.get(URL(view.at("/reports/export.xlsx")))).read())
    assert [len(row) for row in rows] == [len(rows[0])] * len(rows)
    assert [[str(cell or "") for cell in row[: len(question.by)]] for row in book[1:]] == [
        row[: len(question.by)] for row in rows[1:]
    ]
    has_nothing = not any((found.total.calls, found.total.leads, found.total.jobs, found.total.spend))
    table = table_of(text)
    if not question.by or not table.rows:
        assert not question.by or has_nothing or not found.rows
    else:
        assert len(table.rows) == len(rows) - 2, view.url()
    total = dict(zip(rows[0], rows[-1], strict=True))
    for measure in COUNTS:
        heading = measure.words
        assert float(total[heading] or 0) == pytest.approx(float(measure.of(found.total) or 0), abs=0.01), view.url()
        of_rows = [row for row in alone.rows if any((row.measures.calls, row.measures.leads, row.measures.jobs))]
        heads = [row for row in rows[1:-1] if len(question.by) < 2 or row[1] == "All"]
        if question.by:
            said = sorted(float(dict(zip(rows[0], row, strict=True))[heading] or 0) for row in heads)
            assert [value for value in said if value] == pytest.approx(
                [value for value in sorted(float(measure.of(row.measures) or 0) for row in of_rows) if value], abs=0.01
            )
    in_parts = question.model in SHARED
    for line, row in zip(table.rows, rows[1:-1], strict=False):
        of = dict(zip(rows[0], row, strict=True))
        for heading, cell in zip(table.headings[1:], line[1:], strict=True):
            if heading in LISTED:
                rounded = 0.051 if in_parts else 0.01
                assert number(cell.text) == pytest.approx(float(of[heading] or 0), abs=rounded), (view.url(), heading)
    listed = [
        cell
        for line in [*table.rows, table.total]
        for heading, cell in zip(table.headings[1:], line[1:], strict=False)
        if cell.url and heading in LISTED
    ]
    for cell in dice.sample(listed, min(FOLLOWED, len(listed))):
        await follow(client, cell, in_parts=in_parts)


@pytest.mark.parametrize("seed", SEEDS)
async def test_page_exports_and_list_say_the_same(pages: Pages, seed: int) -> None:
    past: Past = await make_past(pages.database, seed)
    client = await pages.signed_in(company=MadeCompany(past.company_id))
    await count_all(pages.database)
    await make_all(pages.database)
    dice = random.Random(seed)
    async with pages.database.companies(past.company_id) as wire:
        known = await raw.told(wire, past.company_id)
    for _ in range(8):
        await agree(client, pages, draw(past, dice, known), dice)


@pytest.mark.parametrize("by", [(), (Dimension.SOURCE,), (Dimension.CAMPAIGN, Dimension.REGION)])
async def test_the_usual_questions_too(pages: Pages, by: tuple[Dimension, ...]) -> None:
    past = await make_past(pages.database, 13)
    client = await pages.signed_in(company=MadeCompany(past.company_id))
    await count_all(pages.database)
    days: dict[str, Any] = {"since": BEGAN, "until": BEGAN.fromordinal(BEGAN.toordinal() + DAYS)}
    for model in (Model.FIRST, Model.LINEAR):
        for basis in Basis:
            await agree(
                client, pages, Question(past.company_id, **days, basis=basis, model=model, by=by), random.Random(1)
            )


def test_each_count_that_is_followed_is_a_count() -> None:
    assert all(measure.unit is Unit.COUNT for measure in COUNTS)
