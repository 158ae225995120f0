"""All companies of a viewer at one glance, and the settings' front page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from aiohttp import web

from gateway.http import call_list
from gateway.http.accounts import Company
from gateway.http.call_list import Totals
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.periods import Period
from gateway.http.refusals import NotAllowed
from gateway.http.rendering import render, words_for
from gateway.http.scope import period_of
from gateway.http.shell import shell_of


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """One company in a period, on its own calendar."""

    company: Company
    totals: Totals
    url: str
    missed_url: str


async def overview(request: web.Request) -> web.StreamResponse:
    """What each company's numbers brought in the period."""
    viewer, period, now = request[VIEWER], period_of(request), datetime.now(UTC)
    companies = [company for id in request[ALLOWED] if (company := viewer.company(id))]
    rows = []
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        for company in companies:
            totals = await call_list.totals(connection, company, period, now)
            rows.append(CompanyRow(company, totals, _calls(company, period), _calls(company, period, "missed")))
    return render(request, "companies.html", rows=rows, total=_sum(row.totals for row in rows))


async def settings(request: web.Request) -> web.StreamResponse:
    """The places of the settings, each with a sentence; on a wide page as well as on a phone."""
    viewer = request[VIEWER]
    if not shell_of(request, viewer, None, words_for(request)).position.settings:
        raise NotAllowed()
    return render(request, "settings.html")


def _calls(company: Company, period: Period, outcome: str | None = None) -> str:
    query = {"company": str(company.id), **period.query()}
    return f"/calls?{urlencode(query | ({'outcome': outcome} if outcome else {}))}"


def _sum(all: Iterable[Totals]) -> Totals:
    totals = list(all)
    return Totals(
        calls=sum(each.calls for each in totals),
        calls_before=sum(each.calls_before for each in totals),
        answered=sum(each.answered for each in totals),
        missed=sum(each.missed for each in totals),
        talk_seconds=sum(each.talk_seconds for each in totals),
    )
