"""Taking the example data out again, by whoever owns the company: what goes is said first, and is gone for good."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.audit import Action, note
from gateway.example.chance import MARKED
from gateway.example.filling import NODE, ExampleRefused
from gateway.example.removing import remove
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.refusals import NotFound
from gateway.http.rendering import words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "example_pages.sql")


async def what_goes(connection: Connection, company: Company) -> Any:
    """How much example data there is: calls, recordings, visits, forms, jobs; and whether the company goes with it."""
    if not company.is_example:
        return None
    return await _queries.what_goes(connection, company_id=company.id, node=NODE, marked=MARKED)


async def remove_example(request: web.Request) -> web.StreamResponse:
    """Take it out, as ``numberpool demo remove`` does; a company that was made for it goes with it."""
    company, viewer, parts = company_of(request), request[VIEWER], request.app[PARTS]
    words = words_for(request, company)
    others = [id for id in companies_with(Permission.SIGNED_IN, viewer) if id != company.id]
    async with parts.database.companies(company.id) as connection:
        found = await what_goes(connection, company)
    if found is None:
        raise NotFound()
    if found["company_goes"] and not others:
        said = words.say("This is the only company you can open, and it would be gone. Let another one be made first.")
        return changed(request, "/settings/company", Notice(said, is_problem=True))
    try:
        removed = await remove(parts.database, parts.settings.data_folder, company.id)
    except ExampleRefused:
        raise NotFound() from None
    is_gone = removed[0].company_is_gone
    stays = others[0] if is_gone else company.id
    if not is_gone:
        async with parts.database.companies(company.id) as connection:
            subject, calls = f"example/{company.id}", found["calls"]
            await note(
                connection,
                actor_of(request),
                company.id,
                Action.SETTING_REMOVED,
                subject,
                name=company.name,
                calls=calls,
            )
        said = words.say("The example data of %(name)s is gone. What is its own has stayed.")
    else:
        said = words.say("%(name)s is gone, with all of its example data.")
    to = f"/calls?{urlencode({'company': stays})}" if len(others) > int(is_gone) else "/calls"
    return changed(request, to, Notice(said % {"name": company.name}))
