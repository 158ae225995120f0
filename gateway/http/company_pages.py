"""All companies of a viewer at one glance, and the settings' front page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import web

from gateway.http.accounts import Company
from gateway.http.call_list import Totals
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.periods import Period, Span, midnight
from gateway.http.refusals import NotAllowed
from gateway.http.rendering import render, words_for
from gateway.http.scope import period_of
from gateway.http.shell import shell_of
from gateway.reports.money import digits_of
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "companies.sql")


@dataclass(frozen=True, slots=True)
class Today:
    """What a company's day has brought so far, and what goes on now."""

    calls: int
    missed: int
    ringing: int
    talking: int


@dataclass(frozen=True, slots=True)
class Money:
    """What a company's period brought and cost, in its own currency; ``spent`` is none where nothing was entered."""

    jobs: float
    spent: Decimal | None
    currency: str

    @property
    def per_job(self) -> Decimal | None:
        """What a job cost; none without jobs or spend."""
        return self.spent / Decimal(repr(self.jobs)) if self.spent is not None and self.jobs else None


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """One company in a period, and today, on its own calendar."""

    company: Company
    today: Today
    totals: Totals
    money: Money
    url: str
    missed_url: str
    today_url: str
    missed_today_url: str


async def overview(request: web.Request) -> web.StreamResponse:
    """What each company's numbers bring today and brought in the period, and what rings now."""
    viewer, period, now = request[VIEWER], period_of(request), datetime.now(UTC)
    companies = [company for id in request[ALLOWED] if (company := viewer.company(id))]
    rows, day = [], Period(Span.TODAY)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        today, totals = await _today(connection, companies, now), await _totals(connection, companies, period, now)
        money = await _money(connection, companies, period, now)
        for company in companies:
            rows.append(
                CompanyRow(
                    company,
                    today[company.id],
                    totals[company.id],
                    money[company.id],
                    f"/overview?{urlencode({'company': company.id, **period.query()})}",
                    _calls(company, period, reached="no"),
                    _calls(company, day),
                    _calls(company, day, reached="no"),
                )
            )
    currencies = {row.money.currency for row in rows}
    return render(
        request,
        "companies.html",
        rows=rows,
        money=_all_money(row.money for row in rows) if len(currencies) == 1 else None,
        jobs=sum(row.money.jobs for row in rows),
        total=_sum(row.totals for row in rows),
        ringing=sum(row.today.ringing for row in rows),
        talking=sum(row.today.talking for row in rows),
    )


async def settings(request: web.Request) -> web.StreamResponse:
    """The places of the settings, each with a sentence; on a wide page as well as on a phone."""
    viewer = request[VIEWER]
    if not shell_of(request, viewer, None, words_for(request)).position.settings:
        raise NotAllowed()
    return render(request, "settings.html")


async def _today(connection: Connection, companies: list[Company], now: datetime) -> dict[int, Today]:
    midnights = [midnight(now.astimezone(company.zone).date(), company.zone) for company in companies]
    rows = _queries.companies_today(connection, ids=[company.id for company in companies], midnights=midnights)
    return {row["company_id"]: Today(row["calls"], row["missed"], row["ringing"], row["talking"]) async for row in rows}


async def _totals(connection: Connection, companies: list[Company], period: Period, now: datetime) -> dict[int, Totals]:
    """All of them by one question: an agency has many."""
    bounds = [period.bounds(company.zone, now) for company in companies]
    compared = []
    for company in companies:
        before = period.before(now.astimezone(company.zone).date())
        compared.append(before.bounds(company.zone, now) if before else (None, None))
    rows = _queries.companies_period(
        connection,
        ids=[company.id for company in companies],
        since=[since for since, _ in bounds],
        until=[until for _, until in bounds],
        compared_since=[since for since, _ in compared],
        compared_until=[until for _, until in compared],
    )
    return {
        row["company_id"]: Totals(**{name: value for name, value in row.items() if name != "company_id"})
        async for row in rows
    }


async def _money(connection: Connection, companies: list[Company], period: Period, now: datetime) -> dict[int, Money]:
    """By one question as well; a period without an end is over with the present day."""
    currencies = {
        row["id"]: row["currency"] async for row in _queries.currencies(connection, ids=[c.id for c in companies])
    }
    spans = [period.days(now.astimezone(company.zone).date()) for company in companies]
    today = [now.astimezone(company.zone).date() for company in companies]
    rows = _queries.companies_money(
        connection,
        ids=[company.id for company in companies],
        since=[since for since, _ in spans],
        until=[min(last or day, day) + timedelta(days=1) for (_, last), day in zip(spans, today, strict=True)],
        digits=[digits_of(currencies[company.id]) for company in companies],
    )
    return {
        row["company_id"]: Money(row["jobs"], _together(row["spent"], row["numbers"]), row["currency"])
        async for row in rows
    }


def _together(*amounts: Decimal | None) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def _all_money(each: Iterable[Money]) -> Money:
    """Of companies that count in one currency."""
    every = list(each)
    return Money(sum(one.jobs for one in every), _together(*(one.spent for one in every)), every[0].currency)


def _calls(company: Company, period: Period, **narrowed: str) -> str:
    """The calls of a period as reports count them."""
    return f"/calls?{urlencode({'company': str(company.id), **period.query(), 'counted': 'yes', **narrowed})}"


def _sum(all: Iterable[Totals]) -> Totals:
    totals = list(all)
    return Totals(
        calls=sum(each.calls for each in totals),
        calls_before=sum(each.calls_before for each in totals),
        answered=sum(each.answered for each in totals),
        missed=sum(each.missed for each in totals),
        talk_seconds=sum(each.talk_seconds for each in totals),
    )
