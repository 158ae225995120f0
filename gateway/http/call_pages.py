"""The list of leads: calls, and forms, chats and texts between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from aiohttp import web

from gateway.http import call_choices, call_list, lead_list, saved_views
from gateway.http.accounts import Company
from gateway.http.call_filter import CallFilter, CallView, Place
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.lead_list import AnyLead
from gateway.http.permissions import OWN_CALLS_ONLY, Permission
from gateway.http.refusals import BadRequest, CallNotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of
from gateway.http.words import Words
from gateway.visits import source_changes

PAGE = 50


@dataclass(frozen=True, slots=True)
class Day:
    """The leads of one day on the company's calendar."""

    day: date
    leads: tuple[AnyLead, ...]


async def call_log(request: web.Request) -> web.StreamResponse:
    """Leads of one company: ringing calls on top, then by day, filtered and paged by the address."""
    company = company_of(request)
    view = view_of(request, company, CallFilter.parse(request.query))
    if "" in request.query.values():
        raise web.HTTPSeeOther(view.url())  # a form sends also what was not chosen
    filter, before, words = view.filter, view.before, words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        if isinstance(filter.source, int):
            # An address that was kept may name a source that is part of another by now.
            merged = await source_changes.merged_into(connection, company.id, filter.source)
            if merged is not None:
                raise web.HTTPSeeOther(view.url(source=merged))
        chips = await call_choices.chips(connection, company, view, words)
        has_written = await lead_list.has_leads(connection, company)
        leads, has_older = await lead_list.page_of_leads(
            connection, company, filter, before, PAGE, has_written=has_written
        )
        now = [] if before else await call_list.calls_now(connection, company, filter)
        summary = await lead_list.summary(connection, company, filter, datetime.now(UTC), has_written=has_written)
        empty = not leads and not now
        is_new = empty and not has_written and not await call_list.has_calls(connection, company)
        has_suspects = not filter.has_calls and await lead_list.has_suspects(connection, company)
        numbers = await call_list.numbers_of(connection, company) if is_new else []
        views = await saved_views.views_of(connection, company, request[VIEWER].user_id, view)
    return render(
        request,
        "calls.html",
        company=company,
        view=view,
        filter=filter,
        chips=chips,
        now=now,
        days=by_day(leads, words),
        summary=summary,
        older=view.older(leads[-1].place) if has_older else None,
        has_written=has_written,
        has_suspects=has_suspects,
        is_new=is_new,
        numbers=numbers,
        views=views,
        may_share=saved_views.may_share(request, company),
        **may(request, company.id),
    )


async def filters(request: web.Request) -> web.StreamResponse:
    """All that the list can be filtered by, with the values there are; the list opens it over itself."""
    company = company_of(request)
    view, words = view_of(request, company, CallFilter.parse(request.query)), words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        choices = await call_choices.choices(connection, company, view.filter, words)
    kept = {name: value for name, value in view.query.items() if name not in {choice.name for choice in choices}}
    return render(request, "call_filters.html", company=company, view=view, choices=choices, kept=kept)


def call_id_of(request: web.Request) -> int:
    """The call that the path names; CallNotFound where no call can have that number."""
    id = int(request.match_info["id"][:20])
    if id >= 2**63:
        raise CallNotFound()
    return id


def by_day(leads: Sequence[AnyLead], words: Words) -> list[Day]:
    """The leads under the days they belong to; newest first, as they come."""
    return [
        Day(day, tuple(of_day)) for day, of_day in groupby(leads, key=lambda lead: words.local_day(lead.started_at))
    ]


def place_of(request: web.Request) -> Place | None:
    """Where the API's page begins."""
    text = request.query.get("before")
    if text == "":
        raise BadRequest(part="before")
    return Place.parse(text) if text else None


def view_of(request: web.Request, company: Company, filter: CallFilter) -> CallView:
    """The view that an address asks for, with whatever its page may lead on to."""
    before = request.query.get("before")
    several = len(request[ALLOWED]) > 1
    return CallView(filter, company.id if several else None, Place.parse(before) if before else None)


def may(request: web.Request, company_id: int) -> dict[str, Any]:
    """What the viewer may do with the calls of a company."""
    viewer = request[VIEWER]
    return {
        "can_hear": company_id in companies_with(Permission.RECORDINGS_HEAR, viewer),
        "can_delete_recordings": company_id in companies_with(Permission.RECORDINGS_DELETE, viewer),
        "can_mark": company_id in companies_with(Permission.CALLS_MARK, viewer),
        "can_export": company_id in companies_with(Permission.CALLS_EXPORT, viewer),
        "can_call_back": company_id in companies_with(Permission.CALLS_BACK, viewer),
        "own_only": any(m.company.id == company_id and m.role in OWN_CALLS_ONLY for m in viewer.memberships),
    }
