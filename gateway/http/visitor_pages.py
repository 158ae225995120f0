"""Visitors: the list of visits, all that one visitor did, and forgetting whoever asks for it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from gateway import audit
from gateway.audit import Action
from gateway.http import people_list, visit_list, visitor_story
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.call_filter import Place
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of
from gateway.http.visit_list import VisitView
from gateway.store.database import Connection
from gateway.visits.consent import Consent, Said
from gateway.visits.journal import erase_visitor

PAGE = 50
ASKED = "asked the company to be forgotten"


async def all_visits(request: web.Request) -> web.StreamResponse:
    """The visits of a company's sites, newest first, filtered and paged by the address."""
    company = company_of(request)
    view = VisitView.parse(request.query, company.id if len(request[ALLOWED]) > 1 else None)
    async with request.app[PARTS].database.companies(company.id) as connection:
        visits, has_older = await visit_list.page_of_visits(connection, company, view, PAGE)
        counts = await visit_list.counts(connection, company, view.filter)
        is_new = not visits and not await visit_list.has_visits(connection, company)
    return render(
        request,
        "visitors.html",
        company=company,
        view=view,
        filter=view.filter,
        visits=visits,
        counts=counts,
        older=view.older(visits[-1].place) if has_older else None,
        is_new=is_new,
        may_set_up=company.id in companies_with(Permission.SETTINGS_READ, request[VIEWER]),
    )


async def by_visit(request: web.Request) -> web.StreamResponse:
    """The visitor who made a visit; of somebody who is not known again, that visit alone."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        visit = await visitor_story.visit_by_id(connection, _uuid(request, "visit"))
        company = request[VIEWER].company(visit["company_id"]) if visit else None
        if visit is None or company is None:
            raise NotFound()
        visitor = await visitor_story.visitor_by_id(connection, visit["visitor_id"]) if visit["visitor_id"] else None
        return await _page(request, connection, company, visitor, visit)


async def by_visitor(request: web.Request) -> web.StreamResponse:
    """Somebody who is known again."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        visitor = await visitor_story.visitor_by_id(connection, _uuid(request, "visitor"))
        company = request[VIEWER].company(visitor["company_id"]) if visitor else None
        if visitor is None or company is None:
            raise NotFound()
        return await _page(request, connection, company, visitor, None)


async def forget(request: web.Request) -> web.StreamResponse:
    """Take away what identifies a visitor; what calls are credited to stays. It cannot be undone."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        visit = await visitor_story.visit_by_id(connection, _uuid(request, "visit"))
        company = request[VIEWER].company(visit["company_id"]) if visit else None
        if visit is None or company is None:
            raise NotFound()
        consent = Consent(Said.DENIED, ASKED, datetime.now(UTC))
        visits = await erase_visitor(connection, company.id, visit["id"], visit["visitor_id"], consent)
        # The line stays for ever, so it does not say who it was.
        await audit.note(
            connection, actor_of(request), company.id, Action.PERSON_ERASED, "visitor/forgotten", visits=visits
        )
    say = words_for(request, company).say
    notice = Notice(say("Forgotten. What calls are credited to stays, without leading to anybody."))
    several = f"?company={company.id}" if len(request[ALLOWED]) > 1 else ""
    return changed(request, f"/visitors{several}", notice)


async def _page(
    request: web.Request, connection: Connection, company: Company, visitor: Any, visit: Any
) -> web.StreamResponse:
    viewer, before = request[VIEWER], request.query.get("before")
    at = Place.parse(before).started_at if before else None
    visitor_id = visitor["id"] if visitor else None
    # Somebody whose visitor is gone is shown by the visit alone.
    story = await visitor_story.story_of(connection, company.id, visitor_id, visit["id"] if visit else None, at)
    person = None
    if visitor and visitor["person_id"] and company.id in companies_with(Permission.PEOPLE_READ, viewer):
        person = await people_list.person_by_id(connection, visitor["person_id"])
    return render(
        request,
        "visitor.html",
        company=company,
        visitor=visitor,
        asked=visit["id"] if visit else None,
        story=story,
        how_many=await visitor_story.how_many_visits(connection, company.id, visitor_id) if visitor_id else 1,
        person=person,
        older=str(Place(story.older.astimezone(UTC), 0)) if story.older else None,
        is_first_page=before is None,
        may_read_calls=company.id in companies_with(Permission.CALLS_READ, viewer),
        may_read_letters=company.id in companies_with(Permission.PEOPLE_READ, viewer),
        may_forget=company.id in companies_with(Permission.RECORDINGS_DELETE, viewer),
    )


def _uuid(request: web.Request, name: str) -> UUID:
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise NotFound() from None
