"""What is recorded, what callers hear first, and how long it stays; one recording deleted by hand."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web
from babel.numbers import format_decimal

from gateway.asterisk.dialstring import checked_sound
from gateway.audit import Action, note
from gateway.calls import retention
from gateway.calls.retention import Kept
from gateway.http import call_store
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.call_pages import call_id_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of
from gateway.http.refusals import CallNotFound, NoRecording, NotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.visits import keeping

PATH = "/settings/recording"
_KEPT = ("record", "announcement", "days")
_UNITS = ("kilobyte", "megabyte", "gigabyte", "terabyte")


async def rules_page(request: web.Request) -> web.StreamResponse:
    """The rules, and what they keep on the disk."""
    return await _show(request, company_of(request), None)


async def change(request: web.Request) -> web.StreamResponse:
    """Set the rules; calls from the next one on, and recordings after a day of grace."""
    company, now = company_of(request), datetime.now(UTC)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    announcement = form.text("announcement", longest=120, required=False) or None
    days = form.whole("days", least=1, most=3650, required=False)
    most_months = request.app[PARTS].settings.visits.keep_months
    months = form.whole("months", least=1, most=most_months, required=False)
    if announcement is not None:
        try:
            checked_sound(announcement)
        except ValueError:
            form.refuse(
                "announcement",
                words.say("Write the name of a sound without its ending, such as custom/may-be-recorded."),
            )
    if form.problems:
        return await _show(request, company, form)
    after, step = Kept(form.flag("record"), announcement, days), None
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = await retention.set_kept(connection, company.id, after, now)
        if before is None:
            raise NotFound()
        visits = await keeping.set_visits_kept(connection, company.id, months, now)
        was, is_now = (
            {**{key: asdict(each)[key] for key in _KEPT}, "months": kept_months}
            for each, kept_months in ((before, visits.months if visits else None), (after, months))
        )
        if was != is_now:
            step = await offer_undo(connection, company.id, request[VIEWER], "recording-rules.changed", was)
            changes = {key: [was[key], is_now[key]] for key in was if was[key] != is_now[key]}
            subject = f"recording-rules/{company.id}"
            await note(connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, changes=changes)
    to = f"{PATH}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else PATH
    return changed(request, to, Notice(words.say("The rules of recording are set."), undo=step))


async def take_back(undoing: Undoing) -> str:
    """The rules are as they were; what was deleted meanwhile stays deleted."""
    values = dict(undoing.values)
    months = values.pop("months", None)
    was = Kept(**values)
    await keeping.set_visits_kept(undoing.connection, undoing.company_id, months, datetime.now(UTC))
    await retention.set_kept(undoing.connection, undoing.company_id, was, datetime.now(UTC))
    return f"recording-rules/{undoing.company_id}"


REVERSALS = {"recording-rules.changed": Reversal(Permission.SETTINGS_WRITE, take_back)}


async def delete_one(request: web.Request) -> web.StreamResponse:
    """Delete the recording of a call for good; the call stays."""
    parts = request.app[PARTS]
    await form_of(request)
    async with parts.database.companies(*request[ALLOWED]) as connection:
        call = await call_store.call_by_id(connection, call_id_of(request))
        if call is None:
            raise CallNotFound()
        company_id = call.row.company_id
        if not await retention.mark_deleted(connection, actor_of(request), company_id, call.row.id):
            raise NoRecording()
    await retention.remove_files(parts.database, parts.settings.data_folder, [company_id])
    said = words_for(request).say("The recording is deleted. The call itself stays in the list.")
    return changed(request, f"/calls/{call.row.id}", Notice(said))


def size_words(size: int, words: Words) -> str:
    """So many bytes as people say it: 1.4 GB."""
    value, unit = size / 1000, 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    number = format_decimal(round(value, 0 if value >= 100 else 1), locale=words.locale)
    say = words.say
    return (say("%(size)s kB"), say("%(size)s MB"), say("%(size)s GB"), say("%(size)s TB"))[unit] % {"size": number}


async def _show(request: web.Request, company: Company, form: Form | None) -> web.StreamResponse:
    words, now = words_for(request, company), datetime.now(UTC)
    async with request.app[PARTS].database.companies(company.id) as connection:
        present = await retention.kept(connection, company.id)
        if present is None:
            raise NotFound()
        disk = await retention.on_disk(connection, company.id)
        visits = await keeping.visits_kept(connection, company.id) or keeping.VisitsKept(None)
        old_visits = 0
        if visits.months is not None:
            old_visits = await keeping.older(connection, company.id, keeping.months_before(now.date(), visits.months))
        soon = 0
        if present.days is not None:
            soon = await retention.older_than(connection, company.id, now - timedelta(days=present.days))
    values = {
        "record": "yes" if present.record else "",
        "announcement": present.announcement,
        "days": present.days,
        "months": visits.months,
    }
    return render(
        request,
        "recording_rules.html",
        company=company,
        status=422 if form is not None else 200,
        form=form or Form(values, words),
        present=present,
        disk=disk,
        size=size_words(disk.bytes, words),
        soon=soon,
        waits=present.counts_from if present.counts_from and present.counts_from > now else None,
        visits=visits,
        old_visits=old_visits,
        visits_wait=visits.counts_from if visits.counts_from and visits.counts_from > now else None,
        keep_months=request.app[PARTS].settings.visits.keep_months,
        may_write=company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER]),
    )
