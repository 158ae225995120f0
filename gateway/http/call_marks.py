"""Marking a call, or a form, chat or text: from its page, from the list, by key. Every change can be undone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from aiohttp import web

from gateway import audit
from gateway.audit import Action
from gateway.http import call_store, lead_store
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.call_board import board_of
from gateway.http.call_filter import CallFilter, CallView
from gateway.http.call_pages import call_id_of
from gateway.http.call_store import CallRow, subject_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.lead_store import LeadRow
from gateway.http.notices import Notice, changed
from gateway.http.periods import Period
from gateway.http.permissions import Permission
from gateway.http.protection import form_of, local_path
from gateway.http.refusals import CallNotFound, LeadNotFound
from gateway.http.rendering import render, words_for
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.leads import jobs, marks
from gateway.leads.jobs import Job
from gateway.leads.marks import Marked, Status
from gateway.store.database import Connection


@dataclass(frozen=True, slots=True)
class Marking:
    """A lead that is being marked."""

    request: web.Request
    connection: Connection
    company: Company
    row: CallRow | LeadRow
    words: Words
    form: Form
    to: str  # where the form came from

    async def note(self, what: str, value: Any) -> None:
        """A line in the audit log: what was marked, and how it is now."""
        await audit.note(
            self.connection,
            actor_of(self.request),
            self.company.id,
            Action.CALL_MARKED,
            subject_of(self.row.id),
            what=what,
            value=value,
        )

    async def undoable(self, kind: str, **values: Any) -> int:
        """The step that takes the change back."""
        values["call"] = self.row.id if isinstance(self.row, CallRow) else str(self.row.id)
        return await offer_undo(self.connection, self.company.id, self.request[VIEWER], kind, values)

    def done(self, sentence: str, step: int | None) -> web.StreamResponse:
        """The answer to a change that was made."""
        return changed(self.request, self.to, Notice(sentence, undo=step))


async def marks_page(request: web.Request) -> web.StreamResponse:
    """The marks alone: what the list opens over itself, and a page where there is no script."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        row, company = await _lead(connection, request)
        words = words_for(request, company)
        return await _page(request, connection, company, row, Form(None, words))


async def set_status(request: web.Request) -> web.StreamResponse:
    """How far the lead has come."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        marking = await _marking(connection, request, posted)
        status = marking.form.choice("status", Status)
        if status is None:
            return await _refused(marking)
        before = await marks.set_status(connection, marking.company.id, marking.row.id, status)
        words = marking.words
        sentence = words.say("%(who)s: %(status)s.") % {"who": _who(marking), "status": words.status(status)}
        if before is None or before is status:
            return marking.done(sentence, None)
        await marking.note("status", status.value)
        return marking.done(sentence, await marking.undoable("call.status", status=before.value))


async def set_note(request: web.Request) -> web.StreamResponse:
    """What is worth remembering."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        marking = await _marking(connection, request, posted)
        note = marking.form.text("note", longest=marks.LONGEST_NOTE, required=False, lines=True)
        if marking.form.problems:
            return await _refused(marking)
        before = await marks.set_note(connection, marking.company.id, marking.row.id, note)
        say = marking.words.say
        if before is None or before == note:
            return marking.done(say("The note is as it was."), None)
        # The note itself may say what must be forgotten one day: the log keeps only that it was written.
        await marking.note("note", "")
        sentence = say("The note is saved.") if note else say("The note is removed.")
        return marking.done(sentence, await marking.undoable("call.note", note=before))


async def add_tag(request: web.Request) -> web.StreamResponse:
    """Mark a lead with a tag; one that is new to the company is made."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        marking = await _marking(connection, request, posted)
        name = marking.form.text("tag", longest=marks.LONGEST_TAG)
        if marking.form.problems:
            return await _refused(marking)
        tag, is_news = await marks.add_tag(connection, marking.company.id, marking.row.id, name)
        sentence = marking.words.say("Tagged “%(tag)s”.") % {"tag": tag.name}
        if not is_news:
            return marking.done(sentence, None)
        await marking.note("tags", f"+{tag.name}")
        return marking.done(sentence, await marking.undoable("call.tag_added", tag=tag.id))


async def remove_tag(request: web.Request) -> web.StreamResponse:
    """Take a tag off a lead."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        marking = await _marking(connection, request, posted)
        tag = next((tag for tag in marking.row.tags if str(tag.id) == posted.get("tag")), None)
        if tag is None:
            return marking.done(marking.words.say("It does not have this tag."), None)
        await marks.remove_tag(connection, marking.company.id, marking.row.id, tag.id)
        await marking.note("tags", f"-{tag.name}")
        step = await marking.undoable("call.tag_removed", tag=tag.name)
        return marking.done(marking.words.say("No longer tagged “%(tag)s”.") % {"tag": tag.name}, step)


async def set_job(request: web.Request) -> web.StreamResponse:
    """Book a job with its value, correct the value, or say that it is the job of another lead of this person."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        marking = await _marking(connection, request, posted)
        board = await board_of(connection, marking.company.id, marking.row)
        other = next((job for job in board.others if str(job.id) == posted.get("job")), None)
        if other is not None:
            return await _joined(marking, other)
        value = marking.form.decimal("value", most=jobs.HIGHEST_VALUE)
        if value is None:
            return await _refused(marking)
        if board.job is not None:
            return await _corrected(marking, board.job, value)
        return await _booked(marking, value)


async def remove_job(request: web.Request) -> web.StreamResponse:
    """The lead led to no job after all."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        marking = await _marking(connection, request, posted)
        say = marking.words.say
        job = await jobs.leave(connection, marking.company.id, marking.row.id)
        if job is None:
            return marking.done(say("It has no job."), None)
        await marking.note("job", "")
        step = await marking.undoable(
            "call.job_left", job=job.id, value=str(job.value), booked_at=job.booked_at.isoformat()
        )
        return marking.done(say("No job any more."), step)


async def _booked(marking: Marking, value: Decimal) -> web.StreamResponse:
    connection, company, call = marking.connection, marking.company, marking.row
    user = marking.request[VIEWER].user_id
    job_id = await jobs.book(connection, company.id, call.id, value, user, datetime.now(UTC))
    before = await marks.set_status(connection, company.id, call.id, Status.BOOKED)
    job = await jobs.job_of(connection, company.id, call.id)
    amount = marking.words.money(value, job.currency if job else "USD")
    await marking.note("job", amount)
    step = await marking.undoable("call.booked", job=job_id, status=(before or Status.NEW).value)
    return marking.done(marking.words.say("Booked: %(amount)s.") % {"amount": amount}, step)


async def _corrected(marking: Marking, job: Job, value: Decimal) -> web.StreamResponse:
    before = await jobs.set_value(marking.connection, marking.company.id, job.id, value)
    amount = marking.words.money(value, job.currency)
    sentence = marking.words.say("The job is worth %(amount)s.") % {"amount": amount}
    if before is None or before == value:
        return marking.done(sentence, None)
    await marks.touch(marking.connection, marking.company.id, marking.row.id)
    await marking.note("job", amount)
    return marking.done(sentence, await marking.undoable("call.job_value", job=job.id, value=str(before)))


async def _joined(marking: Marking, job: Job) -> web.StreamResponse:
    connection, company, call = marking.connection, marking.company, marking.row
    old = await jobs.leave(connection, company.id, call.id)
    await jobs.join(connection, company.id, job.id, call.id)
    before = await marks.set_status(connection, company.id, call.id, Status.BOOKED)
    amount = marking.words.money(job.value, job.currency)
    await marking.note("job", amount)
    step = None
    if old is None:
        step = await marking.undoable("call.booked", job=job.id, status=(before or Status.NEW).value)
    return marking.done(marking.words.say("Part of the job of %(amount)s.") % {"amount": amount}, step)


async def _lead(connection: Connection, request: web.Request) -> tuple[CallRow | LeadRow, Company]:
    """The call, or other lead, that the path names."""
    row: CallRow | LeadRow | None
    if "lead" in request.match_info:
        row = await lead_store.lead_by_id(connection, UUID(request.match_info["lead"]))
        if row is None:
            raise LeadNotFound()
    else:
        call = await call_store.call_by_id(connection, call_id_of(request))
        row = call.row if call else None
    company = request[VIEWER].company(row.company_id) if row else None
    if row is None or company is None:
        raise CallNotFound()
    return row, company


async def _marking(connection: Connection, request: web.Request, posted: dict[str, str]) -> Marking:
    row, company = await _lead(connection, request)
    words = words_for(request, company)
    to = local_path(posted.get("next"), row.path)
    return Marking(request, connection, company, row, words, Form(posted, words), to)


async def _refused(marking: Marking) -> web.StreamResponse:
    return await _page(
        marking.request, marking.connection, marking.company, marking.row, marking.form, status=422, to=marking.to
    )


async def _page(
    request: web.Request,
    connection: Connection,
    company: Company,
    row: CallRow | LeadRow,
    form: Form,
    status: int = 200,
    to: str | None = None,
) -> web.StreamResponse:
    return render(
        request,
        "call_marks.html",
        company=company,
        status=status,
        row=row,
        board=await board_of(connection, company.id, row),
        form=form,
        to=to or local_path(request.query.get("next"), row.path),
        view=CallView(CallFilter(Period.read(request.query)), company.id if len(request[ALLOWED]) > 1 else None),
    )


def _who(marking: Marking) -> str:
    row, words = marking.row, marking.words
    if isinstance(row, LeadRow) and not row.phone:
        return row.caller_name or row.email or words.lead_kind(row.kind)
    return words.phone(row.caller)


async def _status_back(undoing: Undoing) -> str:
    await marks.set_status(undoing.connection, undoing.company_id, _id(undoing), Status(undoing.values["status"]))
    return subject_of(_id(undoing))


async def _note_back(undoing: Undoing) -> str:
    await marks.set_note(undoing.connection, undoing.company_id, _id(undoing), undoing.values["note"])
    return subject_of(_id(undoing))


async def _tag_off(undoing: Undoing) -> str:
    await marks.remove_tag(undoing.connection, undoing.company_id, _id(undoing), undoing.values["tag"])
    return subject_of(_id(undoing))


async def _tag_on(undoing: Undoing) -> str:
    await marks.add_tag(undoing.connection, undoing.company_id, _id(undoing), undoing.values["tag"])
    return subject_of(_id(undoing))


async def _not_booked(undoing: Undoing) -> str:
    await jobs.leave(undoing.connection, undoing.company_id, _id(undoing))
    return await _status_back(undoing)


async def _value_back(undoing: Undoing) -> str:
    values = undoing.values
    await jobs.set_value(undoing.connection, undoing.company_id, values["job"], Decimal(values["value"]))
    await marks.touch(undoing.connection, undoing.company_id, _id(undoing))
    return subject_of(_id(undoing))


async def _job_back(undoing: Undoing) -> str:
    values = undoing.values
    job = Job(values["job"], Decimal(values["value"]), "", datetime.fromisoformat(values["booked_at"]), ())
    await jobs.bring_back(undoing.connection, undoing.company_id, _id(undoing), job, undoing.viewer.user_id)
    await marks.touch(undoing.connection, undoing.company_id, _id(undoing))
    return subject_of(_id(undoing))


def _id(undoing: Undoing) -> Marked:
    id = undoing.values["call"]
    return UUID(id) if isinstance(id, str) else int(id)


REVERSALS = {
    "call.status": Reversal(Permission.CALLS_MARK, _status_back),
    "call.note": Reversal(Permission.CALLS_MARK, _note_back),
    "call.tag_added": Reversal(Permission.CALLS_MARK, _tag_off),
    "call.tag_removed": Reversal(Permission.CALLS_MARK, _tag_on),
    "call.booked": Reversal(Permission.CALLS_MARK, _not_booked),
    "call.job_value": Reversal(Permission.CALLS_MARK, _value_back),
    "call.job_left": Reversal(Permission.CALLS_MARK, _job_back),
}
