"""Who answers: everybody whose telephone rang in a period, compared with the one before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from gateway.http.accounts import Company
from gateway.http.keys import PARTS, VIEWER
from gateway.http.permissions import Permission
from gateway.http.refusals import BadRequest
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import bounds_of, company_of, period_of
from gateway.http.table_export import Cell, Column, Format, Kind, Table, send_table
from gateway.reports.answering import Answered, Answering, Person, answering
from gateway.store.database import Connection

# What the rows are sorted by: most first, but the time it rang.
_ORDERS: dict[str, Callable[[Person], float]] = {
    "calls": lambda person: -person.answered.calls,
    "share": lambda person: -(-1 if person.answered.share is None else person.answered.share),
    "missed": lambda person: -person.answered.rang_out,
    "ring": lambda person: 1e9 if person.answered.ring_seconds is None else person.answered.ring_seconds,
    "talk": lambda person: -person.answered.talk_seconds,
    "qualified": lambda person: -person.answered.qualified,
    "jobs": lambda person: -person.answered.jobs,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the page: a person, what the same did in the period before, and the hours from nought to full."""

    person: Person
    before: Answered | None
    most: int  # answered calls in the busiest hour of anybody

    def height(self, calls: int) -> float:
        """How high an hour's bar is, of 20."""
        return round(20 * calls / self.most, 1) if self.most else 0


async def who_answers(request: web.Request) -> web.StreamResponse:
    """The page."""
    company, viewer = company_of(request), request[VIEWER]
    order = request.query.get("sort") or "calls"
    if order not in _ORDERS:
        raise BadRequest(part="sort")
    async with request.app[PARTS].database.companies(company.id) as connection:
        found, before = await _found(connection, request, company)
    most = max((max(person.hours) for person in found.people), default=0)
    known = {person.key: person.answered for person in before.people} if before else {}
    return render(
        request,
        "answering.html",
        company=company,
        rows=[Row(person, known.get(person.key), most) for person in sorted(found.people, key=_ORDERS[order])],
        found=found,
        before=before,
        earlier=period_of(request).before(datetime.now(UTC).astimezone(company.zone).date()),
        order=order,
        name_of=name_of,
        can_export=company.id in companies_with(Permission.CALLS_EXPORT, viewer),
    )


async def as_csv(request: web.Request) -> web.StreamResponse:
    """The same as CSV."""
    return await _export(request, Format.CSV)


async def as_xlsx(request: web.Request) -> web.StreamResponse:
    """The same as XLSX."""
    return await _export(request, Format.XLSX)


def name_of(person: Person) -> str:
    """Who it is: the user, the destination, else the telephone as it is called in Asterisk."""
    return person.name or short(person.telephones[0])


def short(telephone: str) -> str:
    """``reception`` of ``PJSIP/reception``."""
    return telephone.partition("/")[2] or telephone


async def _found(connection: Connection, request: web.Request, company: Company) -> tuple[Answering, Answering | None]:
    """Of the period, and of the one before; none where there is none, or nobody called then."""
    now, zone = datetime.now(UTC), company.zone
    found = await answering(connection, company.id, *bounds_of(request, company), zone.key)
    earlier = period_of(request).before(now.astimezone(zone).date())
    if earlier is None:
        return found, None
    before = await answering(connection, company.id, *earlier.bounds(zone, now), zone.key)
    return found, before if before.calls else None


async def _export(request: web.Request, format: Format) -> web.StreamResponse:
    company = company_of(request)
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = await answering(connection, company.id, *bounds_of(request, company), company.zone.key)
        currency = await connection.fetchval("SELECT currency FROM companies WHERE id = $1", company.id)
    say = words.say
    table = Table(
        key="who-answers",
        title=f"{say('Who answers')} · {company.name} · {words.period(period_of(request))}",
        columns=[
            Column(say("Person")),
            Column(say("Telephones")),
            Column(say("Calls answered"), Kind.COUNT),
            Column(say("Taken over"), Kind.COUNT),
            Column(say("Rang"), Kind.COUNT),
            Column(say("Share answered"), Kind.SHARE),
            Column(say("Not taken"), Kind.COUNT),
            Column(say("Busy or off"), Kind.COUNT),
            Column(say("Rang for, seconds"), Kind.SECONDS),
            Column(say("Talked for, seconds"), Kind.SECONDS),
            Column(say("Qualified"), Kind.COUNT),
            Column(say("Jobs"), Kind.COUNT),
            Column(say("Value of jobs"), Kind.MONEY),
        ],
        rows=[[name_of(person), ", ".join(person.telephones), *_cells(person.answered)] for person in found.people],
        total=[say("All"), None, *_cells(found.total)],
        currency=currency,
    )
    return await send_table(request, company, table, format)


def _cells(each: Answered) -> list[Cell]:
    return [
        each.calls,
        each.taken_over,
        each.rang,
        each.share,
        each.rang_out,
        each.unreachable,
        None if each.ring_seconds is None else round(each.ring_seconds, 1),
        round(each.talk_seconds),
        each.qualified,
        each.jobs,
        each.job_value,
    ]
