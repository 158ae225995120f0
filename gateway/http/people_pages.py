"""People: the list, and all that one of them did."""

from datetime import UTC

from aiohttp import web

from gateway.http import back_words, conversation_store, people_list, person_story
from gateway.http.accounts import Company
from gateway.http.call_filter import Place
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.people_list import PeopleView, PersonDetails
from gateway.http.permissions import Permission
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of
from gateway.leads import people
from gateway.leads.gathering import how_many_due
from gateway.store.database import Connection

PAGE = 50


async def all_people(request: web.Request) -> web.StreamResponse:
    """The people of a company by their last contact, searched and paged by the address."""
    company = company_of(request)
    view = PeopleView.parse(request.query, company.id if len(request[ALLOWED]) > 1 else None)
    if "" in request.query.values():
        raise web.HTTPSeeOther(view.url())  # a form sends also what was not filled in
    async with request.app[PARTS].database.companies(company.id) as connection:
        source = None
        if isinstance(view.source, int):
            source = await people_list.source_named(connection, company, view.source)
            if source is None:
                raise NotFound()
        found = await people_list.page_of_people(connection, company, view, PAGE)
        counted = await people_list.how_many(connection, company)
        due = await how_many_due(connection, company.id)
    return render(
        request,
        "people.html",
        company=company,
        view=view,
        source=source,
        people=found.people,
        is_cut=found.is_cut,
        older=view.older(found.people[-1].place) if found.has_older else None,
        counted=counted,
        most_counted=people_list.MOST_COUNTED,
        due=due,
    )


async def one_person(request: web.Request) -> web.StreamResponse:
    """Everything about one person that the viewer may know."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        person, company = await person_of(connection, request)
        return await person_page(request, connection, company, person)


async def person_page(
    request: web.Request,
    connection: Connection,
    company: Company,
    person: PersonDetails,
    form: Form | None = None,
) -> web.StreamResponse:
    """The page of a person, or the same with what is wrong in ``form``."""
    viewer, words = request[VIEWER], words_for(request, company)
    sees_visits = company.id in companies_with(Permission.VISITORS_READ, viewer)
    sees_texts = company.id in companies_with(Permission.TEXTS_READ, viewer)
    before = request.query.get("before")
    story = await person_story.story_of(
        connection,
        company.id,
        person.id,
        Place.parse(before).started_at if before else None,
        words,
        visits=sees_visits,
    )
    return render(
        request,
        "person.html",
        company=company,
        status=422 if form is not None and form.problems else 200,
        person=person,
        keys=await people.keys_of(connection, company.id, person.id),
        browsers=await person_story.browsers_of(connection, company.id, person.id) if sees_visits else [],
        parted=await people_list.parted_from(connection, company.id, person.id),
        story=story,
        talks=await conversation_store.talks_of_person(connection, company.id, person.id) if sees_texts else [],
        last_calls=await person_story.last_calls(connection, company.id, person.id),
        back_in_short=lambda row: back_words.in_short(row, words),
        can_call_back=company.id in companies_with(Permission.CALLS_BACK, viewer),
        older=str(Place(story.older.astimezone(UTC), 0)) if story.older else None,
        is_first_page=before is None,
        form=form
        or Form({"name": person.name if person.name_from == people.BY_HAND else "", "note": person.note}, words),
        may_change=company.id in companies_with(Permission.PEOPLE_CHANGE, viewer),
        may_read_calls=company.id in companies_with(Permission.CALLS_READ, viewer),
    )


async def person_of(connection: Connection, request: web.Request) -> tuple[PersonDetails, Company]:
    """The person that the path names, and the company; NotFound for any that the viewer may not see."""
    id = int(request.match_info["id"][:20])
    person = await people_list.person_by_id(connection, id) if id < 2**63 else None
    company = request[VIEWER].company(person.company_id) if person else None
    if person is None or company is None:
        raise NotFound()
    return person, company
