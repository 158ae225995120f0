"""The call log, and one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from aiohttp import web

from gateway.http import call_list, call_store
from gateway.http.call_filter import CallFilter, CallView, Place
from gateway.http.call_store import CallRow
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.periods import Period
from gateway.http.permissions import Permission
from gateway.http.refusals import BadRequest, CallNotFound, NotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of
from gateway.http.timeline import timeline
from gateway.http.words import Words

PAGE = 50
# Bars of the large waveform: at its widest one stands on every three pixels.
BARS = 320


@dataclass(frozen=True, slots=True)
class Day:
    """The calls of one day on the company's calendar."""

    day: date
    calls: tuple[CallRow, ...]


async def home(request: web.Request) -> web.StreamResponse:
    """To the calls."""
    raise web.HTTPSeeOther(f"/calls?{request.query_string}" if request.query_string else "/calls")


async def call_log(request: web.Request) -> web.StreamResponse:
    """Calls of one company: ringing ones on top, then by day, filtered and paged by the address."""
    company = company_of(request)
    filter = CallFilter.parse(request.query)
    before = Place.parse(request.query["before"]) if request.query.get("before") else None
    view = CallView(filter, company.id if len(request[ALLOWED]) > 1 else None, before)
    async with request.app[PARTS].database.companies(company.id) as connection:
        calls, has_older = await call_list.page_of_calls(connection, company, filter, before, PAGE)
        now = [] if before else await call_list.calls_now(connection, company, filter)
        summary = await call_list.summary(connection, company, filter, datetime.now(UTC))
        source = None
        if isinstance(filter.source, int):
            source = await call_store.source_by_id(connection, company, filter.source)
            if source is None:
                raise NotFound()
        empty = not calls and not now
        is_new = empty and not await call_list.has_calls(connection, company)
        numbers = await call_list.numbers_of(connection, company) if is_new else []
    words = words_for(request, company)
    return render(
        request,
        "calls.html",
        company=company,
        view=view,
        filter=filter,
        filtered_source=source,
        now=now,
        days=by_day(calls, words),
        summary=summary,
        older=view.older(calls[-1].place) if has_older else None,
        is_new=is_new,
        numbers=numbers,
        can_hear=_can_hear(request, company.id),
    )


async def one_call(request: web.Request) -> web.StreamResponse:
    """Everything about one call, with its recording."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        call = await call_store.call_by_id(connection, call_id_of(request))
    company = request[VIEWER].company(call.row.company_id) if call else None
    if call is None or company is None:
        raise CallNotFound()
    return render(
        request,
        "call.html",
        company=company,
        view=CallView(CallFilter(Period.read(request.query)), company.id if len(request[ALLOWED]) > 1 else None),
        call=call,
        row=call.row,
        timeline=timeline(call, words_for(request, company)),
        bars=BARS,
        can_hear=_can_hear(request, company.id),
    )


def call_id_of(request: web.Request) -> int:
    """The call that the path names; CallNotFound where no call can have that number."""
    id = int(request.match_info["id"][:20])
    if id >= 2**63:
        raise CallNotFound()
    return id


def by_day(calls: Sequence[CallRow], words: Words) -> list[Day]:
    """The calls under the days they belong to; newest first, as they come."""
    return [
        Day(day, tuple(of_day)) for day, of_day in groupby(calls, key=lambda call: words.local_day(call.started_at))
    ]


def place_of(request: web.Request) -> Place | None:
    """Where the API's page begins."""
    text = request.query.get("before")
    if text == "":
        raise BadRequest(part="before")
    return Place.parse(text) if text else None


def _can_hear(request: web.Request, company_id: int) -> bool:
    return company_id in companies_with(Permission.RECORDINGS_HEAR, request[VIEWER])
