"""Programs of a company's own that hand in chats and the like: each has a token, shown once, kept as a hash."""

from urllib.parse import urlencode

from aiohttp import web

from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.collector.tokens import TokenKind, bring_program_back, make_token, programs_of, remove_program
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_pages import may_write
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.store.database import Connection

PATH = "/settings/programs"
LONGEST_NAME = 60
_ADDRESS = "https://…"


async def all_programs(request: web.Request) -> web.StreamResponse:
    """The programs there are, and how one hands something in."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        return await _show(request, connection, company, Form(None, words_for(request, company)))


async def add_program(request: web.Request) -> web.StreamResponse:
    """A new token. It stands on this one answer and nowhere else, so there is no way back to it."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    name = " ".join(form.text("name", longest=LONGEST_NAME).split())
    async with request.app[PARTS].database.companies(company.id) as connection:
        taken = {each.name.lower() for each in await programs_of(connection, company.id)}
        if not form.problems and name.lower() in taken:
            form.refuse("name", words.say("There is a program of this name already."))
        if form.problems:
            return await _show(request, connection, company, form, status=422)
        token = await make_token(connection, company.id, TokenKind.LEADS, name=name)
        await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, "program/new", name=name)
        return await _show(request, connection, company, Form(None, words), made=(name, token))


async def remove(request: web.Request) -> web.StreamResponse:
    """The program's token is good no longer."""
    company = company_of(request)
    id = id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        was = await remove_program(connection, company.id, id)
        if was is None:
            raise NotFound()
        step = await offer_undo(connection, company.id, request[VIEWER], "program.removed", was)
        subject = f"program/{id}"
        await note(connection, actor_of(request), company.id, Action.SETTING_REMOVED, subject, name=was["name"])
    said = words_for(request, company).say("%(name)s can hand in nothing more.") % {"name": was["name"]}
    to = f"{PATH}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else PATH
    return changed(request, to, Notice(said, undo=step))


async def _show(
    request: web.Request,
    connection: Connection,
    company: Company,
    form: Form,
    made: tuple[str, str] | None = None,
    status: int = 200,
) -> web.StreamResponse:
    return render(
        request,
        "programs.html",
        status=status,
        company=company,
        programs=await programs_of(connection, company.id),
        form=form,
        made=made,
        longest=LONGEST_NAME,
        may_write=may_write(request, company),
        address=(request.app[PARTS].settings.collector.public_url or _ADDRESS).rstrip("/"),
    )


async def _bring_back(undoing: Undoing) -> str:
    return f"program/{await bring_program_back(undoing.connection, undoing.company_id, undoing.values)}"


REVERSALS = {"program.removed": Reversal(Permission.SETTINGS_WRITE, _bring_back)}
