"""Views of a page kept under a name: everybody's own, and those shared with the company."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from aiohttp import web

from gateway import audit
from gateway.audit import Action
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.call_filter import CallFilter, CallView
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of, local_path
from gateway.http.refusals import BadRequest, NotFound
from gateway.http.rendering import words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of, id_in_path
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "saved_views.sql")

LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view under a name."""

    id: int
    name: str
    url: str
    is_shared: bool
    is_own: bool
    owner: str
    is_shown: bool  # just now


class Kept(Protocol):
    """What can be kept: a view that its page reads from an address."""

    @property
    def company(self) -> int | None:
        """The company that the address names; none where the viewer has but one."""

    @property
    def kept(self) -> str:
        """The query that is stored: without company and place."""

    def url(self) -> str:
        """Its address."""


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page whose views can be kept: its path, the name it has in the database, and how an address is read.

    ``read`` takes a query and the company to be named; raises BadRequest.
    """

    path: str
    name: str
    read: Callable[[Mapping[str, str], int | None], Kept]

    def of(self, query: str, company: int | None) -> Kept:
        """A stored view."""
        return self.read(dict(parse_qsl(query[:4000])), company)


CALLS = KeptPage("/calls", "calls", lambda query, company: CallView(CallFilter.parse(query), company))


async def views_of(
    connection: Connection, company: Company, user_id: int, view: Kept, page: KeptPage = CALLS
) -> list[SavedView]:
    """What the viewer has kept of a page, and what others share."""
    found = []
    async for row in _queries.views_of(connection, company_id=company.id, user_id=user_id, page=page.name):
        try:
            kept = page.of(row["query"], view.company)
        except BadRequest:
            continue  # of a time when other things could be asked for
        found.append(
            SavedView(
                row["id"],
                row["name"],
                kept.url(),
                row["is_shared"],
                row["is_own"],
                row["owner"],
                kept.kept == view.kept,
            )
        )
    return found


def may_share(request: web.Request, company: Company) -> bool:
    """Whether the viewer may give a view to the whole company."""
    return company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER])


def keep(page: KeptPage) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler that keeps what a page shows under a name."""

    async def keep_view(request: web.Request) -> web.StreamResponse:
        viewer, company, posted = request[VIEWER], company_of(request), await form_of(request)
        words = words_for(request, company)
        form = Form(posted, words)
        name = form.text("name", longest=LONGEST_NAME)
        view = page.of(posted.get("query", ""), company.id if len(request[ALLOWED]) > 1 else None)
        to = local_path(posted.get("next"), view.url())
        if form.problems:
            return changed(
                request, to, Notice(words.say("A view needs a name, of up to 60 characters."), is_problem=True)
            )
        is_shared = form.flag("share") and may_share(request, company)
        async with request.app[PARTS].database.companies(company.id) as connection:
            row = await _queries.keep_view(
                connection,
                company_id=company.id,
                user_id=viewer.user_id,
                page=page.name,
                name=name,
                query=view.kept,
                is_shared=is_shared,
            )
            step = await offer_undo(
                connection,
                company.id,
                viewer,
                "view.kept",
                {
                    "id": row["id"],
                    "page": page.name,
                    "name": name,
                    "query": row["old_query"],
                    "is_shared": row["old_shared"],
                },
            )
            if is_shared:
                actor, subject = actor_of(request), f"view/{row['id']}"
                await audit.note(connection, actor, company.id, Action.SETTING_ADDED, subject, name=name)
        return changed(request, to, Notice(words.say("The view “%(name)s” is kept.") % {"name": name}, undo=step))

    return keep_view


async def remove(request: web.Request) -> web.StreamResponse:
    """Forget a kept view."""
    viewer, company, posted = request[VIEWER], company_of(request), await form_of(request)
    words, id = words_for(request, company), id_in_path(request, "view")
    async with request.app[PARTS].database.companies(company.id) as connection:
        row = await _queries.remove_view(
            connection,
            company_id=company.id,
            id=id,
            user_id=viewer.user_id,
            may_share=may_share(request, company),
        )
        if row is None:
            raise NotFound()
        step = await offer_undo(connection, company.id, viewer, "view.removed", dict(row))
        if row["is_shared"]:
            actor, subject = actor_of(request), f"view/{id}"
            await audit.note(connection, actor, company.id, Action.SETTING_REMOVED, subject, name=row["name"])
    sentence = words.say("The view “%(name)s” is removed.") % {"name": row["name"]}
    return changed(request, local_path(posted.get("next"), f"/{row['page']}"), Notice(sentence, undo=step))


async def _not_kept(undoing: Undoing) -> str:
    values, company_id, user_id = undoing.values, undoing.company_id, undoing.viewer.user_id
    await _queries.remove_view(
        undoing.connection, company_id=company_id, id=values["id"], user_id=user_id, may_share=False
    )
    if values["query"] is not None:
        await _queries.bring_back(
            undoing.connection,
            company_id=company_id,
            user_id=user_id,
            page=values.get("page", CALLS.name),
            name=values["name"],
            query=values["query"],
            is_shared=values["is_shared"],
        )
    return f"view/{values['id']}"


async def _brought_back(undoing: Undoing) -> str:
    values = undoing.values
    await _queries.bring_back(
        undoing.connection,
        company_id=undoing.company_id,
        user_id=values["user_id"],
        page=values.get("page", CALLS.name),
        name=values["name"],
        query=values["query"],
        is_shared=values["is_shared"],
    )
    return f"view/{values['id']}"


REVERSALS = {
    "view.kept": Reversal(Permission.CALLS_READ, _not_kept),
    "view.removed": Reversal(Permission.CALLS_READ, _brought_back),
}
