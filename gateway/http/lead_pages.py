"""The page of one form, chat or text: what was written, what brought it, how the visitor came, what else they did."""

from uuid import UUID

from aiohttp import web

from gateway import audit
from gateway.audit import Action
from gateway.calls.number_facts import facts_of
from gateway.http import call_board, call_story, lead_store
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.call_filter import CallFilter
from gateway.http.call_pages import may, view_of
from gateway.http.call_store import subject_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.lead_store import LeadRow
from gateway.http.notices import Notice, changed
from gateway.http.periods import Period, Span
from gateway.http.permissions import Permission
from gateway.http.protection import form_of, local_path
from gateway.http.refusals import LeadNotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.store.database import Connection

# In a path: the UUID of a lead.
LEAD_ID = "{lead:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}}"
# What a person says who takes a lead for a program's work.
_BY_HAND = "by hand"


async def one_lead(request: web.Request) -> web.StreamResponse:
    """Everything about one lead that the viewer may know."""
    viewer = request[VIEWER]
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        row, company = await _lead(connection, request)
        words = words_for(request, company)
        sees_visitors = company.id in companies_with(Permission.VISITORS_READ, viewer)
        story = await call_story.story_of_lead(
            connection,
            row,
            visits=sees_visitors,
            people=company.id in companies_with(Permission.PEOPLE_READ, viewer),
        )
        board = await call_board.board_of(connection, company.id, row)
        reads_texts = company.id in companies_with(Permission.TEXTS_READ, viewer)
        has_talk = reads_texts and await lead_store.has_conversation(connection, company.id, row.id)
    view = view_of(request, company, CallFilter(Period.read(request.query)))
    return render(
        request,
        "lead.html",
        company=company,
        view=view,
        all_of_caller=view.url(period=Period(Span.ALL), caller=row.caller),
        row=row,
        board=board,
        form=Form(None, words),
        story=story,
        sees_visitors=sees_visitors,
        has_talk=has_talk,
        facts=facts_of(row.caller, words.language.tag, words.now),
        **may(request, company.id),
    )


async def judge(request: web.Request) -> web.StreamResponse:
    """A person wrote this after all, whatever it looked like; or a program did."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        row, company = await _lead(connection, request)
        words, to = words_for(request, company), local_path(posted.get("next"), row.path)
        suspect = "" if posted.get("by") == "person" else _BY_HAND
        before = await lead_store.set_suspect(connection, company.id, row.id, suspect)
        sentence = words.say("It counts as written by a person.") if not suspect else words.say("It no longer counts.")
        if before is None or bool(before) == bool(suspect):
            return changed(request, to, Notice(sentence))
        await audit.note(
            connection,
            actor_of(request),
            company.id,
            Action.CALL_MARKED,
            subject_of(row.id),
            what="suspect",
            value="",
        )
        values = {"lead": str(row.id), "suspect": before}
        step = await offer_undo(connection, company.id, request[VIEWER], "lead.suspect", values)
        return changed(request, to, Notice(sentence, undo=step))


async def _lead(connection: Connection, request: web.Request) -> tuple[LeadRow, Company]:
    row = await lead_store.lead_by_id(connection, UUID(request.match_info["lead"]))
    company = request[VIEWER].company(row.company_id) if row else None
    if row is None or company is None:
        raise LeadNotFound()
    return row, company


async def _judged_back(undoing: Undoing) -> str:
    lead = UUID(undoing.values["lead"])
    await lead_store.set_suspect(undoing.connection, undoing.company_id, lead, undoing.values["suspect"])
    return subject_of(lead)


REVERSALS = {"lead.suspect": Reversal(Permission.CALLS_MARK, _judged_back)}
