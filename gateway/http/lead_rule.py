"""When a call counts as a lead: after how much talk, with what that would have made of the last thirty days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
from gateway.http.routing import companies_with
from gateway.http.scope import company_of
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.store.queries import load_queries

PATH = "/settings/leads"
LOOKED_AT = timedelta(days=30)
LONGEST = 7200
# What most companies choose among.
_USUAL = (0, 15, 30, 60, 90, 120, 180, 300)

_queries = load_queries(Path(__file__).parent, "lead_rule.sql")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a rule makes of the calls looked at; ``seconds`` of talk make a lead."""

    seconds: int
    qualified: int
    calls: int

    @property
    def share(self) -> float:
        """Of the calls, from 0 to 1."""
        return self.qualified / self.calls if self.calls else 0.0


def outlook(talks: Sequence[Any], seconds: int) -> Outlook:
    """``talks`` are rows of marked (lead, spam, unmarked), seconds (none: not answered) and calls."""
    return Outlook(
        seconds,
        sum(
            row["calls"]
            for row in talks
            if row["marked"] == "lead"
            or (row["marked"] == "unmarked" and row["seconds"] is not None and row["seconds"] >= seconds)
        ),
        sum(row["calls"] for row in talks),
    )


async def rule_page(request: web.Request) -> web.StreamResponse:
    """The rule in force, or with ``?seconds=`` one that is tried out."""
    return await _show(request, company_of(request), None)


async def change(request: web.Request) -> web.StreamResponse:
    """Set the rule; every call, also those of before, is looked at by it from then on."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    seconds = form.whole("seconds", most=LONGEST)
    if seconds is None:
        return await _show(request, company, form)
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = await _queries.hold_qualified_seconds(connection, company_id=company.id)
        if before is None:
            raise NotFound()
        if before != seconds:
            await _queries.save_qualified_seconds(connection, company_id=company.id, seconds=seconds)
            step = await offer_undo(connection, company.id, request[VIEWER], "lead-rule.changed", {"seconds": before})
            changes = {"seconds": [before, seconds]}
            subject = f"lead-rule/{company.id}"
            await note(connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, changes=changes)
    to = f"{PATH}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else PATH
    said = words.say("The rule is set. It holds for every call, also for those of before.")
    return changed(request, to, Notice(said, undo=step))


async def take_back(undoing: Undoing) -> str:
    """The rule is as it was."""
    seconds = int(undoing.values["seconds"])
    await _queries.save_qualified_seconds(undoing.connection, company_id=undoing.company_id, seconds=seconds)
    return f"lead-rule/{undoing.company_id}"


REVERSALS = {"lead-rule.changed": Reversal(Permission.SETTINGS_WRITE, take_back)}


async def _show(request: web.Request, company: Company, form: Form | None) -> web.StreamResponse:
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        present = await _queries.qualified_seconds(connection, company_id=company.id)
        since = datetime.now(UTC) - LOOKED_AT
        talks = [row async for row in _queries.talks(connection, company_id=company.id, since=since)]
    if present is None:
        raise NotFound()
    tried = None
    if form is None and "seconds" in request.query:
        form = Form({"seconds": request.query["seconds"][:10]}, words)
        tried = form.whole("seconds", most=LONGEST)
    shown = {*_USUAL, present} | ({tried} if tried is not None else set())
    return render(
        request,
        "lead_rule.html",
        company=company,
        status=422 if form is not None and form.problems else 200,
        form=form or Form({"seconds": present}, words),
        now=outlook(talks, present),
        tried=None if tried is None or tried == present else outlook(talks, tried),
        outlooks=[outlook(talks, seconds) for seconds in sorted(shown)],
        may_write=company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER]),
    )
