"""Source rules over past visits, with how far they are; and the versions of rules, compared and gone back to."""

from datetime import UTC, datetime, timedelta

from aiohttp import web

from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import PARTS
from gateway.http.notices import Notice, changed
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_pages import may_write
from gateway.http.source_pages import to_sources
from gateway.store.database import Connection
from gateway.visits import rule_runs
from gateway.visits.comparing import differences
from gateway.visits.rule_store import rules_in_force, rules_of_version, store_rules, stored_versions
from gateway.visits.ruleset import RuleSet

# A page that is looked at while a run is under way comes again by itself.
_LOOK_AGAIN = 2
# A run that has not come on for so long waits for a gateway.
_QUIET = timedelta(seconds=30)


async def run_page(request: web.Request) -> web.StreamResponse:
    """How far a run is, and what it found."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        run = await rule_runs.one_run(connection, company.id, id_in_path(request))
    if run is None:
        raise NotFound()
    return render(
        request,
        "source_run.html",
        company=company,
        headers={"Refresh": str(_LOOK_AGAIN)} if run.is_under_way else None,
        run=run,
        waits=run.is_under_way and datetime.now(UTC) - run.told_at > _QUIET,
        may_write=may_write(request, company),
        form=Form({"days": run.days}, words_for(request, company)),
    )


async def stop_run(request: web.Request) -> web.StreamResponse:
    """End it where it is."""
    company = company_of(request)
    id = id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        if await rule_runs.one_run(connection, company.id, id) is None:
            raise NotFound()
        await rule_runs.stop(connection, company.id, id)
    said = words_for(request, company).say("Stopped. Visits that were changed already stay as they are.")
    return changed(request, to_sources(request, company, f"/runs/{id}"), Notice(said))


async def version_page(request: web.Request) -> web.StreamResponse:
    """What one version says otherwise than another (``?with=``), else than the one in force."""
    company = company_of(request)
    version, other = id_in_path(request, "version"), request.query.get("with", "")
    async with request.app[PARTS].database.companies(company.id) as connection:
        in_force = await rules_in_force(connection, company.id)
        known = await stored_versions(connection, company.id)
        rules = await _rules(connection, company, version)
        against = int(other) if other.isascii() and other.isdigit() and len(other) < 9 else in_force.version
        compared = await _rules(connection, company, against)
    return render(
        request,
        "source_version.html",
        company=company,
        version=version,
        against=against,
        in_force=in_force.version,
        versions=[0, *sorted(row["version"] for row in known)],
        stored=next((row for row in known if row["version"] == version), None),
        differences=differences(compared, rules),
        may_write=may_write(request, company),
        form=Form({"with": against}, words_for(request, company)),
    )


async def go_back(request: web.Request) -> web.StreamResponse:
    """Put an earlier version in force again, as the next one; visits of before are changed where that is ticked."""
    company = company_of(request)
    words, version = words_for(request, company), id_in_path(request, "version")
    form = Form(await form_of(request), words)
    run = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        rules = await _rules(connection, company, version)
        in_force = await rules_in_force(connection, company.id)
        if version == in_force.version:
            raise NotFound()
        text = words.say("as version %(version)s") % {"version": version} if version else words.say("as it came")
        made = await store_rules(connection, company.id, rules, text)
        now = datetime.now(UTC)
        if form.flag("apply"):
            since = now - timedelta(days=form.whole("days", least=1, most=800, required=False) or 90)
            run = await rule_runs.begin(
                connection, company.id, rules, since, now, version=made, user_id=actor_of(request).user_id
            )
        await note(
            connection,
            actor_of(request),
            company.id,
            Action.SETTING_CHANGED,
            f"rules/{made}",
            name=str(made),
            changes={"version": [in_force.version, made], "like": [None, version]},
        )
    said = words.say("Version %(version)s is in force.") % {"version": words.number(made)}
    return changed(request, to_sources(request, company, f"/runs/{run}" if run else ""), Notice(said))


async def _rules(connection: Connection, company: Company, version: int) -> RuleSet:
    rules = await rules_of_version(connection, company.id, version) if version < 2**31 else None
    if rules is None:
        raise NotFound()
    return rules
