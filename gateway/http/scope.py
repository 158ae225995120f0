"""What every page is about: one of the viewer's companies, and a period; both stand in the address."""

from datetime import UTC, datetime

from aiohttp import web

from gateway.http.accounts import Company
from gateway.http.keys import ALLOWED, VIEWER
from gateway.http.periods import Period
from gateway.http.refusals import NotFound


def company_of(request: web.Request) -> Company:
    """The company that the address names, else the viewer's first; NotFound for one that is not his.

    Only companies in which the viewer holds the route's permission can be named.
    """
    allowed = request[ALLOWED]
    named = request.query.get("company")
    if named is None:
        if not allowed:
            raise NotFound()
        chosen = allowed[0]
    elif named.isascii() and named.isdigit() and int(named[:20]) in allowed:
        chosen = int(named[:20])
    else:
        raise NotFound()
    company = request[VIEWER].company(chosen)
    if company is None:
        raise NotFound()
    return company


def id_in_path(request: web.Request, name: str = "id") -> int:
    """The id that stands in the path; NotFound for one that no row can have (beyond Postgres's bigint)."""
    id = int(request.match_info[name])
    if id >= 2**63:
        raise NotFound()
    return id


def period_of(request: web.Request) -> Period:
    """The period that the address names, else the last thirty days; raises BadRequest."""
    return Period.parse(request.query)


def bounds_of(request: web.Request, company: Company) -> tuple[datetime | None, datetime | None]:
    """When that period begins and is over (not included) for this company, in UTC; none where it is open."""
    return period_of(request).bounds(company.zone, datetime.now(UTC))
