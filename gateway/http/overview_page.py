"""The overview: what came back, when people call, what rings now, and what needs somebody."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.attention.facts import needs_of
from gateway.attribution.credit import Model
from gateway.http import call_list
from gateway.http.accounts import Company
from gateway.http.call_filter import CallFilter
from gateway.http.came_back import CameBack, came_back
from gateway.http.heat import heat
from gateway.http.keys import PARTS, VIEWER
from gateway.http.needs_view import told
from gateway.http.overview_figures import BY_SOURCE, course, figures, grain_of
from gateway.http.periods import Period
from gateway.http.permissions import Permission
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of, period_of
from gateway.http.words import Words
from gateway.reports.answer import Sitting, answer, by_hour, over_time, periods
from gateway.reports.drill import drill
from gateway.reports.question import Question
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "overview.sql")

# More are on the page of reports.
_MOST_SOURCES = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """How a company counts and how far it is set up; ``first_day`` is that of its first call."""

    model: Model
    currency: str
    first_call: datetime | None
    first_day: date | None
    numbers: int
    has_site: bool
    has_visit: bool
    rings: bool


async def home(request: web.Request) -> web.StreamResponse:
    """To the overview; to the calls for who may see no figures of the company that is named, or of any."""
    seen = companies_with(Permission.REPORTS_READ, request[VIEWER])
    named = request.query.get("company")
    path = "/overview" if (int(named) in seen if named and named.isdecimal() else seen) else "/calls"
    raise web.HTTPSeeOther(f"{path}?{request.query_string}" if request.query_string else path)


async def overview(request: web.Request) -> web.StreamResponse:
    """One company in a period: figures, their course, their hours, its sources, and what needs somebody."""
    company = company_of(request)
    period, words = period_of(request), words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        standing = await standing_of(connection, company)
        now = await call_list.calls_now(connection, company, CallFilter())
        if standing.first_call is None and not now:
            numbers = await call_list.numbers_of(connection, company)
            return render(request, "overview_new.html", company=company, standing=standing, numbers=numbers)
        shown = await _shown(connection, words, company, period, standing)
        needs = await needs_of(connection, company.id, company.zone, words.now)
    may_write = company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER])
    return render(
        request,
        "overview.html",
        company=company,
        period=period,
        now=now,
        needs=[told(words, need, may_write=may_write) for need in needs],
        may_write=may_write,
        **shown,
    )


def _main_sources(all: CameBack) -> dict[str, Any]:
    """The largest sources, and all that were paid for; how many more there are."""
    kept = tuple(line for place, line in enumerate(all.lines) if place < _MOST_SOURCES or line.kind is not None)
    return {"sources": replace(all, lines=kept), "more_sources": len(all.lines) - len(kept)}


async def standing_of(connection: Connection, company: Company) -> Standing:
    """How a company counts, and how far it is set up. Raises NotFound where it has been removed."""
    row = await _queries.standing(connection, company_id=company.id)
    if row is None:
        raise NotFound()
    first = row["first_call"]
    return Standing(
        Model(row["credit_model"]),
        row["currency"],
        first,
        first.astimezone(company.zone).date() if first else None,
        row["numbers"],
        row["has_site"],
        row["has_visit"],
        row["rings"],
    )


def question_of(company_id: int, period: Period, standing: Standing, today: date) -> Question:
    """What the page asks of a period: all time begins with the first call, and no day is asked that is yet to come."""
    first, last = period.days(today)
    until = min(last or today, today) + timedelta(days=1)
    since = first or standing.first_day or today
    return Question(company_id, min(since, until - timedelta(days=1)), until, model=standing.model)


def question_before(question: Question, period: Period, standing: Standing, today: date) -> Question | None:
    """What it is compared with: only a period that Numberpool saw whole."""
    before = period.before(today)
    since, last = before.days(today) if before else (None, None)
    if since is None or last is None or standing.first_day is None or standing.first_day >= since:
        return None
    return replace(question, since=since, until=last + timedelta(days=1))


async def _shown(
    connection: Connection, words: Words, company: Company, period: Period, standing: Standing
) -> dict[str, Any]:
    today = words.now.date()
    question = question_of(company.id, period, standing, today)
    earlier = question_before(question, period, standing, today)
    sitting = Sitting(connection, company.id)
    all = await answer(connection, question, sitting=sitting)
    before = await answer(connection, earlier, sitting=sitting) if earlier else None
    by_source = replace(question, by=BY_SOURCE)
    grain = grain_of(question)
    large, others = figures(words, question, all.total, before.total if before else None, standing.currency)
    return {
        "large": large,
        "others": others,
        "has_calls": bool(all.total.calls),
        "has_spend": all.total.spend is not None,
        "compared": bool(before),
        "since": standing.first_day,
        "left_out": all.left_out,
        "stale_days": all.stale_days,
        "course": course(
            words, by_source, await over_time(connection, by_source, grain, sitting=sitting), periods(question, grain)
        ),
        **_main_sources(
            await came_back(
                connection, words, by_source, await answer(connection, by_source, sitting=sitting), standing.currency
            )
        ),
        "heat": heat(await by_hour(connection, question, sitting), words, drill(question)),
    }
