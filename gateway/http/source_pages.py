"""Sources and the rules that name them: those in force, a box to try them, versions, and editing them as text."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.attribution.recompute import recompute_calls_of
from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS
from gateway.http.notices import Notice, changed
from gateway.http.pool_pages import of_setup
from gateway.http.posted_file import posted_with_file
from gateway.http.protection import form_of
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of
from gateway.http.site_pages import may_write
from gateway.pools import errors, setup
from gateway.store.database import Connection
from gateway.visits import rule_runs
from gateway.visits.classify import Classifier
from gateway.visits.explain import Explained, explained
from gateway.visits.rule_store import Relabelled, relabel, rules_in_force, run_again, store_rules, stored_versions
from gateway.visits.ruleset import BadRuleSet, RuleSet

SOURCES = "/settings/sources"
LONGEST_RULES = 1_000_000
_LONGEST_ADDRESS = 4000
_MOST_DAYS = 800
_SHOWN = 50
# More visits than this are tried beside (gateway.visits.rule_runs): a page would keep its reader waiting.
MOST_VISITS = 5_000
# A company's own set begins like this: what it does not say is said by the rules that come with Numberpool.
_BEGINNING = {"version": "1", "extends": "default", "rules": []}


@dataclass(frozen=True, slots=True)
class DryRun:
    """What rules would change in the visits of the last ``days``."""

    days: int
    seen: int
    changed: tuple[Relabelled, ...]

    @property
    def totals(self) -> list[tuple[str, str, int]]:
        """How many visits go from which source to which, the most frequent first."""
        counted = Counter((each.before.source.label, each.after.source.label) for each in self.changed)
        return [(now, then, count) for (now, then), count in counted.most_common(30)]

    @property
    def shown(self) -> tuple[Relabelled, ...]:
        """The first of them."""
        return self.changed[:_SHOWN]


async def sources_page(request: web.Request) -> web.StreamResponse:
    """The sources, and the rules in their order."""
    company = company_of(request)
    return await _show(request, company, Form(None, words_for(request, company)))


async def add_source(request: web.Request) -> web.StreamResponse:
    """Make a source, such as a flyer, for static numbers."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    name = form.text("name", longest=80)
    others = {
        field: form.text(field, longest=200, required=False) for field in ("channel", "source", "medium", "campaign")
    }
    if not form.problems:
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                made = await setup.add_source(connection, of_setup(company), name, **others)
                await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, f"source/{made}", name=name)
        except errors.NameTaken:
            form.refuse("name", words.say("Another source has this name already."))
    if form.problems:
        return await _show(request, company, form, status=422)
    return changed(request, to_sources(request, company), Notice(words.say("%(name)s is added.") % {"name": name}))


async def edit_rules(request: web.Request) -> web.StreamResponse:
    """The rules as text: what is in force, or what is tried."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        rules = await rules_in_force(connection, company.id)
    text = rules.rule_set.to_json() if rules.version else json.dumps(_BEGINNING, indent=1)
    return _show_text(request, company, Form({"rules": text, "days": "30"}, words_for(request, company)), ())


async def change_rules(request: web.Request) -> web.StreamResponse:
    """Check rules, try them over a period, or put them in force, and over past visits where that is ticked."""
    company = company_of(request)
    words = words_for(request, company)
    values, _ = await posted_with_file(request, LONGEST_RULES)
    form = Form(values, words)
    days = form.whole("days", least=1, most=_MOST_DAYS) or 30
    text = form.value("rules")
    try:
        rule_set = RuleSet.from_json(text) if text.lstrip().startswith("{") else RuleSet.from_toml(text)
    except BadRuleSet as error:
        form.refuse("rules", words.say("These rules cannot be used:"))
        faults = tuple(fault.in_words(words.say) for fault in error.faults)
        return _show_text(request, company, form, faults, status=422)
    if form.problems:
        return _show_text(request, company, form, (), status=422)
    now = datetime.now(UTC)
    async with request.app[PARTS].database.companies(company.id) as connection:
        since = now - timedelta(days=days)
        if await rule_runs.how_many(connection, company.id, since, now) > MOST_VISITS:
            return await _beside(request, connection, company, form, rule_set, (since, now))
        run = await _tried(connection, company, rule_set, now, days)
        if form.value("do") != "store":
            return _show_text(request, company, form, (), run=run)
        version = await store_rules(connection, company.id, rule_set, form.value("note")[:200])
        applied = form.flag("apply")
        if applied and run.changed:
            await relabel(connection, company.id, version, list(run.changed))
            # The calls that these visits made, or may have made, go by the new sources with them.
            await recompute_calls_of(connection, company.id, [each.id for each in run.changed], now=now)
        await note(
            connection,
            actor_of(request),
            company.id,
            Action.SETTING_CHANGED,
            f"rules/{version}",
            name=str(version),
            changes={"version": [version - 1, version], "visits": [0, len(run.changed) if applied else 0]},
        )
    said = words.say("Version %(version)s is in force.") % {"version": words.number(version)}
    if applied:
        said += " " + words.ngettext(
            "%(num)s visit has another source now.", "%(num)s visits have another source now.", len(run.changed)
        )
    return changed(request, to_sources(request, company), Notice(said))


def to_sources(request: web.Request, company: Company, more: str = "") -> str:
    """The address of the page, or of what lies below it."""
    query = f"?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else ""
    return f"{SOURCES}{more}{query}"


async def _beside(
    request: web.Request,
    connection: Connection,
    company: Company,
    form: Form,
    rule_set: RuleSet,
    time: tuple[datetime, datetime],
) -> web.StreamResponse:
    """Try rules, or put them in force, and let the gateway go over so many visits; on to the page that says how far."""
    words, stores = words_for(request, company), form.value("do") == "store"
    version, run = None, None
    if stores:
        version = await store_rules(connection, company.id, rule_set, form.value("note")[:200])
        changes = {"version": [version - 1, version]}
        subject = f"rules/{version}"
        await note(
            connection,
            actor_of(request),
            company.id,
            Action.SETTING_CHANGED,
            subject,
            name=str(version),
            changes=changes,
        )
    if not stores or form.flag("apply"):
        user_id = actor_of(request).user_id
        run = await rule_runs.begin(connection, company.id, rule_set, *time, version=version, user_id=user_id)
    said = words.say("The rules can be used. They are tried with past visits now.")
    if version is not None:
        said = words.say("Version %(version)s is in force.") % {"version": words.number(version)}
    return changed(request, to_sources(request, company, f"/runs/{run}" if run else ""), Notice(said))


async def _tried(connection: Any, company: Company, rule_set: RuleSet, now: datetime, days: int) -> DryRun:
    seen = 0
    found: list[Relabelled] = []
    async for each in run_again(connection, company.id, rule_set, now - timedelta(days=days), now):
        seen += 1
        if each.differs:
            found.append(each)
    return DryRun(days, seen, tuple(found))


async def _show(request: web.Request, company: Company, form: Form, *, status: int = 200) -> web.StreamResponse:
    url, referrer = (request.query.get(name, "")[:_LONGEST_ADDRESS].strip() for name in ("url", "referrer"))
    async with request.app[PARTS].database.companies(company.id) as connection:
        rules = await rules_in_force(connection, company.id)
        versions = await stored_versions(connection, company.id)
        rows = await setup.sources(connection, of_setup(company))
        runs = await rule_runs.newest_runs(connection, company.id)
    found: Explained | None = None
    if url or referrer:
        found = explained(Classifier(rules.rule_set), url, referrer)
    return render(
        request,
        "sources.html",
        company=company,
        status=status,
        sources=rows,
        rules=rules,
        versions=versions,
        runs=runs,
        conditions=_conditions,
        url=url,
        referrer=referrer,
        found=found,
        may_write=may_write(request, company),
        form=form,
    )


def _conditions(rule: Any) -> list[tuple[str, str]]:
    """The conditions of a rule that are given, by name."""
    names = ("place", "kind", "by", "referrer", "click", "source", "medium", "campaign", "term", "content")
    given = [(name, getattr(rule.when, name)) for name in (*names, "unless_medium", "without")]
    return [(name, ", ".join(map(str, values))) for name, values in given if values]


def _show_text(
    request: web.Request,
    company: Company,
    form: Form,
    faults: tuple[str, ...],
    *,
    run: DryRun | None = None,
    status: int = 200,
) -> web.StreamResponse:
    return render(request, "source_rules.html", company=company, status=status, form=form, faults=faults, run=run)
