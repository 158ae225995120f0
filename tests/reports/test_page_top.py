"""A page of very many rows shows what it would show if all of them had been told one by one."""

import random
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from yarl import URL

from gateway.http import report, report_chart
from gateway.http.periods import Period
from gateway.http.report_view import Compare, ReportView
from gateway.reports.dimension import Dimension
from gateway.reports.measures import Measure
from gateway.reports.question import Top
from gateway.reports.rollup import count_all, make_all
from tests.http.company import MadeCompany
from tests.http.conftest import Pages, running_pages
from tests.reports.past import BEGAN, DAYS, make_past
from tests.reports.shown import table_of

MEASURES = (Measure.CALLS, Measure.ANSWERED, Measure.JOBS, Measure.TALK_SECONDS)


@pytest_asyncio.fixture
async def pages(database_dsn: str, tmp_path: Path) -> AsyncIterator[Pages]:
    async with running_pages(database_dsn, tmp_path) as running:
        yield running


@pytest.mark.parametrize("compare", [Compare.NONE, Compare.BEFORE])
async def test_the_highest_and_the_others_are_as_of_all_rows(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, compare: Compare
) -> None:
    past = await make_past(pages.database, 51)
    client = await pages.signed_in(company=MadeCompany(past.company_id))
    await count_all(pages.database)
    await make_all(pages.database)
    dice = random.Random(51)
    since = BEGAN.fromordinal(BEGAN.toordinal() + DAYS // 2)
    until = BEGAN.fromordinal(BEGAN.toordinal() + DAYS - 1)
    others = 0
    for by in ((Dimension.CITY,), (Dimension.LANDING,), (Dimension.DEVICE, Dimension.CITY)):
        for leading in dice.sample(MEASURES, 2):
            view = ReportView(
                Period.between(since, until),
                by,
                MEASURES,
                compare=compare,
                sort=f"-{leading.value}",
                top=dice.choice((1, 2)),
                company=past.company_id,
            )
            every = table_of(await (await client.get(URL(view.url()))).text())
            with monkeypatch.context() as patched:
                for module in (report, report_chart):
                    patched.setattr(module, "Top", partial(Top, least=0))
                some = table_of(await (await client.get(URL(view.url()))).text())
            place = 1 + MEASURES.index(leading)
            assert [row[place].text for row in some.rows] == [row[place].text for row in every.rows], view.url()
            assert [cell.text for cell in some.total] == [cell.text for cell in every.total]
            others += sum("other" in row[0].text for row in some.rows)
    assert others
