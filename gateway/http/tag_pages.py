"""The tags of a company: how often each is used; another name, one made part of another, removed; all can be undone."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_pages import may_write
from gateway.http.undo import NoWayBack, Reversal, Undoing, offer_undo
from gateway.leads import tags
from gateway.leads.marks import LONGEST_TAG
from gateway.leads.tags import StoredTag
from gateway.store.database import Connection

PATH = "/settings/tags"


async def all_tags(request: web.Request) -> web.StreamResponse:
    """The tags there are."""
    company = company_of(request)
    return await _show_all(request, company, Form(None, words_for(request, company)))


async def add_tag(request: web.Request) -> web.StreamResponse:
    """Make one before any call has it."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    name = " ".join(form.text("name", longest=LONGEST_TAG).split())
    if not form.problems:
        async with request.app[PARTS].database.companies(company.id) as connection:
            made = await tags.make_tag(connection, company.id, name)
            if made is None:
                form.refuse("name", words.say("There is a tag of this name already."))
            else:
                await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, f"tag/{made}", name=name)
    if form.problems:
        return await _show_all(request, company, form)
    return changed(request, to_tags(request, company), Notice(words.say("%(name)s is added.") % {"name": name}))


async def one_tag_page(request: web.Request) -> web.StreamResponse:
    """A tag, and what can be done with it."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        tag = await _tag_of(connection, request, company)
    return await _show(request, company, tag, Form({"name": tag.name}, words_for(request, company)))


async def rename_tag(request: web.Request) -> web.StreamResponse:
    """Give it another name, on every call that has it."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    name, step = " ".join(form.text("name", longest=LONGEST_TAG).split()), None
    async with request.app[PARTS].database.companies(company.id) as connection:
        tag = await _tag_of(connection, request, company, hold=True)
        if not form.problems and name != tag.name:
            if await tags.rename_tag(connection, company.id, tag.id, name):
                values = {"id": tag.id, "name": tag.name}
                step = await offer_undo(connection, company.id, request[VIEWER], "tag.renamed", values)
                changes = {"name": [tag.name, name]}
                await note(
                    connection,
                    actor_of(request),
                    company.id,
                    Action.SETTING_CHANGED,
                    f"tag/{tag.id}",
                    name=name,
                    changes=changes,
                )
            else:
                form.refuse("name", words.say("There is a tag of this name already. Make this one part of it below."))
    if form.problems:
        return await _show(request, company, tag, form)
    said = words.say("The tag is called %(name)s now.") % {"name": name}
    return changed(request, to_tags(request, company), Notice(said, undo=step))


async def remove_tag(request: web.Request) -> web.StreamResponse:
    """Take it off every call, or put another in its place where the form names one."""
    company = company_of(request)
    words, posted = words_for(request, company), await form_of(request)
    chosen = str(posted.get("into", ""))
    async with request.app[PARTS].database.companies(company.id) as connection:
        tag = await _tag_of(connection, request, company, hold=True)
        into = None
        if chosen:
            id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else tag.id
            into = await tags.one_tag(connection, company.id, id, hold=True) if id != tag.id else None
            if into is None:
                raise NotFound()
        values = await tags.remove_tag(connection, company.id, tag, into)
        step = await offer_undo(connection, company.id, request[VIEWER], "tag.removed", values)
        details: dict[str, Any] = {"merged_into": into.name} if into else {"calls": len(values["calls"])}
        subject = f"tag/{tag.id}"
        await note(connection, actor_of(request), company.id, Action.SETTING_REMOVED, subject, name=tag.name, **details)
    if into is not None:
        said = words.say("%(one)s is part of %(other)s now.") % {"one": tag.name, "other": into.name}
    else:
        said = words.say("The tag %(name)s is removed.") % {"name": tag.name}
    return changed(request, to_tags(request, company), Notice(said, undo=step))


async def take_back_name(undoing: Undoing) -> str:
    """It has the name it had."""
    id = int(undoing.values["id"])
    if await tags.one_tag(undoing.connection, undoing.company_id, id) is None:
        raise NoWayBack
    if not await tags.rename_tag(undoing.connection, undoing.company_id, id, undoing.values["name"]):
        raise NoWayBack
    return f"tag/{id}"


async def take_back_removal(undoing: Undoing) -> str:
    """It is there again, on the calls that had it."""
    if not await tags.put_back(undoing.connection, undoing.company_id, undoing.values):
        raise NoWayBack
    return f"tag/{undoing.values['tag']['id']}"


REVERSALS = {
    "tag.renamed": Reversal(Permission.SETTINGS_WRITE, take_back_name),
    "tag.removed": Reversal(Permission.SETTINGS_WRITE, take_back_removal),
}


def to_tags(request: web.Request, company: Company, more: str = "") -> str:
    """The address of the list, or of what lies below it."""
    query = f"?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else ""
    return f"{PATH}{more}{query}"


async def _tag_of(connection: Connection, request: web.Request, company: Company, *, hold: bool = False) -> StoredTag:
    tag = await tags.one_tag(connection, company.id, id_in_path(request), hold=hold)
    if tag is None:
        raise NotFound()
    return tag


async def _show_all(request: web.Request, company: Company, form: Form) -> web.StreamResponse:
    async with request.app[PARTS].database.companies(company.id) as connection:
        known = await tags.tags_used(connection, company.id)
    return render(
        request,
        "tags.html",
        company=company,
        status=422 if form.problems else 200,
        tags=known,
        longest=LONGEST_TAG,
        may_write=may_write(request, company),
        form=form,
    )


async def _show(request: web.Request, company: Company, tag: StoredTag, form: Form) -> web.StreamResponse:
    async with request.app[PARTS].database.companies(company.id) as connection:
        known = await tags.tags_used(connection, company.id)
        views = await tags.views_of(connection, company.id, tag.id)
    return render(
        request,
        "tag.html",
        company=company,
        status=422 if form.problems else 200,
        tag=tag,
        calls=next((each.calls for each in known if each.id == tag.id), 0),
        others=[(each.id, f"{each.name} ({each.calls})") for each in known if each.id != tag.id],
        views=len(views),
        longest=LONGEST_TAG,
        form=form,
    )
