"""Rules about callers: who is always let through, and who is blocked."""

from pathlib import Path

from aiohttp import web

from gateway.audit import Action, note
from gateway.calls import rules
from gateway.calls.admission import Verdict
from gateway.http.actor import actor_of
from gateway.http.destination_pages import show, to_destinations
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.pools import setup
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "destination_pages.sql")


async def set_rule(request: web.Request) -> web.StreamResponse:
    """Make a rule, or change the one that is there."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    text, verdict = form.text("caller", longest=60), form.choice("verdict", Verdict)
    why = form.text("note", longest=200, required=False)
    caller, step = None, None
    if not form.problems and verdict is not None:
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                caller = rules.callers_number(text, company.region)
                before = await _queries.caller_rule(connection, company_id=company.id, caller=caller)
                owner = setup.Company(company.id, company.name, company.region)
                await rules.set_rule(connection, owner, text, verdict, why)
                kept = None if before is None else {"verdict": before["verdict"], "note": before["note"]}
                values = {"caller": caller, "before": kept}
                step = await offer_undo(connection, company.id, request[VIEWER], "caller.set", values)
                action = Action.SETTING_ADDED if before is None else Action.SETTING_CHANGED
                changes = {"verdict": [kept and kept["verdict"], verdict.value]}
                subject = f"caller/{caller}"
                await note(connection, actor_of(request), company.id, action, subject, name=caller, changes=changes)
        except rules.NoCallersNumber:
            form.refuse("caller", words.say("This is not a telephone number; write it with its area code."))
        except rules.NeverBlocked:
            form.refuse("caller", words.say("Emergency services call back from this number; it is never blocked."))
    if form.problems or caller is None:
        return await show(request, company, form)
    said = (
        words.say("Calls from %(number)s always ring.")
        if verdict is Verdict.ALLOW
        else words.say("Calls from %(number)s are refused from now on.")
    )
    return changed(
        request, to_destinations(request, company), Notice(said % {"number": words.phone(caller)}, undo=step)
    )


async def forget(request: web.Request) -> web.StreamResponse:
    """Take a rule away."""
    company = company_of(request)
    words, id = words_for(request, company), id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        row = await _queries.caller_rule_by_id(connection, company_id=company.id, id=id)
        if row is None:
            raise NotFound()
        await _queries.remove_caller_rule(connection, company_id=company.id, caller=row["caller"])
        values = {"caller": row["caller"], "before": {"verdict": row["verdict"], "note": row["note"]}}
        step = await offer_undo(connection, company.id, request[VIEWER], "caller.removed", values)
        subject = f"caller/{row['caller']}"
        await note(connection, actor_of(request), company.id, Action.SETTING_REMOVED, subject, name=row["caller"])
    said = words.say("Nothing is said of %(number)s any more; its calls ring.") % {"number": words.phone(row["caller"])}
    return changed(request, to_destinations(request, company), Notice(said, undo=step))


async def take_back(undoing: Undoing) -> str:
    """What is said of a caller is what was said before."""
    caller, before = str(undoing.values["caller"]), undoing.values["before"]
    if before is None:
        await _queries.remove_caller_rule(undoing.connection, company_id=undoing.company_id, caller=caller)
    else:
        owner = setup.Company(undoing.company_id, "", "US")
        await rules.set_rule(undoing.connection, owner, caller, Verdict(before["verdict"]), before["note"])
    return f"caller/{caller}"


REVERSALS = {kind: Reversal(Permission.SETTINGS_WRITE, take_back) for kind in ("caller.set", "caller.removed")}
