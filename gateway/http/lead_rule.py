"""What counts as a lead: the company's rule, with what it would have made of the last ninety days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
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
from gateway.leads.marks import Status
from gateway.leads.qualified import MARKED, LeadRule
from gateway.store.queries import load_queries

PATH = "/settings/leads"
LOOKED_AT = timedelta(days=90)
LONGEST = 7200
# What most companies choose among.
_USUAL = (0, 15, 30, 60, 90, 120, 180, 300)

_queries = load_queries(Path(__file__).parent, "lead_rule.sql")


class Callers(StrEnum):
    """Whose unmarked calls may count."""

    ALL = "all"
    FIRST = "first"


class Says(StrEnum):
    """What a mark says of a call."""

    YES = "yes"
    NO = "no"
    TALK = "talk"  # nothing: the talk decides


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a rule makes of the calls looked at."""

    rule: LeadRule
    qualified: int
    calls: int

    @property
    def seconds(self) -> int:
        """How long they must have talked."""
        return self.rule.seconds

    @property
    def share(self) -> float:
        """Of the calls, from 0 to 1."""
        return self.qualified / self.calls if self.calls else 0.0


def outlook(talks: Sequence[Any], rule: LeadRule) -> Outlook:
    """``talks`` are rows of status, outcome, is_first, whole seconds of talk (none: not answered) and calls."""
    return Outlook(
        rule,
        sum(
            row["calls"] for row in talks if rule.counts(row["status"], row["outcome"], row["seconds"], row["is_first"])
        ),
        sum(row["calls"] for row in talks),
    )


def read_rule(form: Form) -> LeadRule | None:
    """The rule that a form says; none where it has problems."""
    seconds = form.whole("seconds", most=LONGEST)
    callers = form.choice("callers", Callers, Callers.ALL)
    said = {status: form.choice(f"status-{status}", Says, _usually(status)) for status in MARKED}
    if form.problems or seconds is None:
        return None
    return LeadRule(
        seconds,
        callers is Callers.FIRST,
        form.flag("voicemail"),
        frozenset(status for status, says in said.items() if says is Says.YES),
        frozenset(status for status, says in said.items() if says is Says.NO),
        form.flag("leads"),
    )


def form_values(rule: LeadRule) -> dict[str, str]:
    """A rule as the fields of its form hold it."""
    marks = {
        status: Says.YES if status in rule.always else Says.NO if status in rule.never else Says.TALK
        for status in MARKED
    }
    return {
        "seconds": str(rule.seconds),
        "callers": Callers.FIRST if rule.first_only else Callers.ALL,
        "voicemail": "yes" if rule.voicemail else "",
        "leads": "yes" if rule.leads else "",
        **{f"status-{status}": says for status, says in marks.items()},
    }


async def rule_page(request: web.Request) -> web.StreamResponse:
    """The rule in force, or with ``?seconds=`` and the others one that is tried out."""
    return await _show(request, company_of(request), None)


async def change(request: web.Request) -> web.StreamResponse:
    """Set the rule; every call, also those of before, is looked at by it from then on."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    rule = read_rule(form)
    if rule is None:
        return await _show(request, company, form)
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        row = await _queries.hold_rule(connection, company_id=company.id)
        if row is None:
            raise NotFound()
        before = LeadRule.of(row)
        if before != rule:
            await _queries.save_rule(connection, company_id=company.id, **rule.columns)
            step = await offer_undo(connection, company.id, request[VIEWER], "lead-rule.changed", before.columns)
            old, new = before.columns, rule.columns
            changes = {
                name.removeprefix("qualified_"): [old[name], new[name]] for name in old if old[name] != new[name]
            }
            subject = f"lead-rule/{company.id}"
            await note(connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, changes=changes)
    to = f"{PATH}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else PATH
    said = words.say("The rule is set. It holds for every call, also for those of before.")
    return changed(request, to, Notice(said, undo=step))


async def take_back(undoing: Undoing) -> str:
    """The rule is as it was."""
    rule = LeadRule.of(undoing.values)
    await _queries.save_rule(undoing.connection, company_id=undoing.company_id, **rule.columns)
    return f"lead-rule/{undoing.company_id}"


REVERSALS = {"lead-rule.changed": Reversal(Permission.SETTINGS_WRITE, take_back)}


def _usually(status: Status) -> Says:
    return Says.YES if status in LeadRule().always else Says.NO


async def _show(request: web.Request, company: Company, form: Form | None) -> web.StreamResponse:
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        row = await _queries.rule(connection, company_id=company.id)
        since = datetime.now(UTC) - LOOKED_AT
        talks = [each async for each in _queries.talks(connection, company_id=company.id, since=since)]
        other_leads = await _queries.other_leads(connection, company_id=company.id, since=since)
    if row is None:
        raise NotFound()
    present, tried = LeadRule.of(row), None
    if form is None and "seconds" in request.query:
        form = Form({name: value[:20] for name, value in request.query.items()}, words)
        tried = read_rule(form)
        if tried is not None:
            form = Form(form_values(tried), words)
    shown = tried or present
    return render(
        request,
        "lead_rule.html",
        company=company,
        status=422 if form is not None and form.problems else 200,
        form=form or Form(form_values(present), words),
        rule=present,
        marked=MARKED,
        now=outlook(talks, present),
        tried=None if tried is None or tried == present else outlook(talks, tried),
        outlooks=[
            outlook(talks, replace(shown, seconds=seconds))
            for seconds in sorted({*_USUAL, present.seconds, shown.seconds})
        ],
        other_leads=other_leads,
        days=LOOKED_AT.days,
        may_write=company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER]),
    )
