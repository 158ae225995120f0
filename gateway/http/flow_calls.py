"""Whose calls go by which flow, the switch that closes a company now, removing a flow; and all of that taken back."""

import re
from typing import Any

from aiohttp import web

from gateway.audit import Action, note
from gateway.calls import flow_changes, flow_setup
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.flow_pages import show_flow, the_flow, to_flows
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.pool_pages import of_setup
from gateway.http.protection import form_of, local_path
from gateway.http.refusals import NotFound
from gateway.http.rendering import words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.undo import NoWayBack, Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import setup
from gateway.pools.numbers import NumberError, to_e164

WHOSE = ("pool", "source", "number")
_TICK = re.compile(r"(pool|source|number)-([0-9]{1,18})")
_MOST_TYPED = 50


async def switch(request: web.Request) -> web.StreamResponse:
    """Closed now, whatever the hours say, or open by them again."""
    company = company_of(request)
    words = words_for(request, company)
    closed = (await form_of(request)).get("closed") == "yes"
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = (await flow_changes.assigned(connection, company.id)).closed_now
        step = None
        if before != closed:
            await flow_setup.close_now(connection, of_setup(company), closed)
            step = await offer_undo(connection, company.id, request[VIEWER], "flow.switched", {"closed": before})
            changes = {"closed now": [before, closed]}
            subject = f"switch/{company.id}"
            await note(connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, changes=changes)
    said = (
        words.say("Closed now: calls do what they do when you are closed, until you open again.")
        if closed
        else words.say("The hours hold again.")
    )
    return changed(request, to_flows(request, company), Notice(said, undo=step))


async def remove(request: web.Request) -> web.StreamResponse:
    """Remove a flow that no calls go by."""
    company = company_of(request)
    words = words_for(request, company)
    await form_of(request)
    id = id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        kept = await flow_changes.one_flow(connection, company.id, id, hold=True)
        if kept is None:
            raise NotFound()
        stored = next(each for each in await flow_setup.flows(connection, of_setup(company)) if each.id == id)
        step = None
        if not stored.by:
            await flow_changes.drop_flow(connection, company.id, id)
            step = await offer_undo(connection, company.id, request[VIEWER], "flow.removed", kept.as_values)
            subject = f"flow/{id}"
            await note(connection, actor_of(request), company.id, Action.SETTING_REMOVED, subject, name=kept.name)
    if stored.by:
        said = words.say("Calls still go by %(name)s. Let them go by another flow first.") % {"name": kept.name}
        return changed(request, to_flows(request, company, f"/{id}"), Notice(said, is_problem=True))
    said = words.say("%(name)s is removed.") % {"name": kept.name}
    return changed(request, to_flows(request, company), Notice(said, undo=step))


async def assign(request: web.Request) -> web.StreamResponse:
    """Whose calls go by this flow: the company's, of pools, sources and numbers, all at once."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    id, step, name = id_in_path(request), None, ""
    async with request.app[PARTS].database.companies(company.id) as connection:
        name = (await the_flow(request, connection, company)).name
        typed = await _typed_numbers(connection, company, form, words)
        if not form.problems:
            step = await _assign(connection, request, company, id, form, typed, name)
    if form.problems:
        return await show_flow(request, company, form)
    said = words.say("Whose calls go by %(name)s is set.") % {"name": name}
    return changed(request, to_flows(request, company, f"/{id}"), Notice(said, undo=step))


async def _assign(
    connection: Any, request: web.Request, company: Company, id: int, form: Form, typed: set[int], name: str
) -> int | None:
    ticked: dict[str, set[int]] = {whose: set() for whose in WHOSE}
    for field in form.values:
        if found := _TICK.fullmatch(field):
            ticked[found.group(1)].add(int(found.group(2)))
    present = await flow_changes.assigned(connection, company.id)
    numbers = await flow_changes.numbers_of(connection, company.id, id)
    known: dict[str, dict[int, int | None]] = {
        "pool": {each.id: each.flow_id for each in present.pools},
        "source": {each.id: each.flow_id for each in present.sources},
        "number": dict.fromkeys(numbers, id),
    }
    for number in typed:
        known["number"][number] = await flow_changes.flow_of_one(connection, company.id, "number", number)
    ticked["number"] |= typed
    before: dict[str, Any] = {}
    for whose in WHOSE:
        wanted = ticked[whose] & known[whose].keys()
        new = {each for each in wanted if known[whose][each] != id}
        gone = {each for each, flow in known[whose].items() if flow == id and each not in wanted}
        await flow_changes.let_go_by(connection, company.id, id, whose, new)
        await flow_changes.let_go_by(connection, company.id, None, whose, gone)
        if new or gone:
            before[whose] = {str(each): known[whose][each] for each in new | gone}
    everything = form.flag("company")
    if everything != (present.company_flow == id):
        await flow_changes.let_go_by(connection, company.id, id if everything else None, "company")
        before["company"] = present.company_flow
    if not before:
        return None
    after = {
        whose: id
        if everything
        else None
        if whose == "company"
        else {each: id if int(each) in ticked[whose] else None for each in kept}
        for whose, kept in before.items()
    }
    changes = {f"calls of {whose}": [kept, after[whose]] for whose, kept in before.items()}
    subject = f"flow/{id}"
    await note(connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, name=name, changes=changes)
    return await offer_undo(connection, company.id, request[VIEWER], "flow.assigned", {"flow": id, "before": before})


async def _typed_numbers(connection: Any, company: Company, form: Form, words: Words) -> set[int]:
    """The ids of the numbers that were typed."""
    found: set[int] = set()
    typed = [each.strip() for each in re.split(r"[,;\n]", form.value("add")) if each.strip()]
    if len(typed) > _MOST_TYPED:
        form.refuse("add", words.say("At most %(count)s at once, please.") % {"count": words.number(_MOST_TYPED)})
    for text in typed[:_MOST_TYPED]:
        try:
            row = await flow_changes.number_by_e164(connection, company.id, to_e164(text, company.region))
        except NumberError:
            form.refuse("add", words.say("This is not a telephone number; write it with its area code."))
            continue
        if row is None:
            form.refuse("add", words.say("%(number)s is no number of yours.") % {"number": text})
        elif row["fax"]:
            form.refuse("add", words.say("A fax is behind %(number)s; it hears no menu.") % {"number": text})
        else:
            found.add(row["id"])
    return found


async def assign_one(request: web.Request) -> web.StreamResponse:
    """The same of one pool, source or number, from its own page."""
    company = company_of(request)
    words, posted = words_for(request, company), await form_of(request)
    whose, of, chosen = posted.get("whose", ""), posted.get("of", ""), posted.get("flow", "")
    to = local_path(posted.get("next"), to_flows(request, company))
    if whose not in WHOSE or not of.isdigit() or len(of) > 18 or not (chosen == "" or chosen.isdigit()):
        raise NotFound()
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        stored = {each.id: each.name for each in await flow_setup.flows(connection, of_setup(company))}
        flow = int(chosen[:19]) if chosen else None
        if flow is not None and flow not in stored:
            raise NotFound()
        before = await flow_changes.flow_of_one(connection, company.id, whose, int(of))
        if before != flow:
            await flow_changes.let_go_by(connection, company.id, flow, whose, [int(of)])
            values = {"flow": flow or before, "before": {whose: {of: before}}}
            step = await offer_undo(connection, company.id, request[VIEWER], "flow.assigned", values)
            changes = {"flow": [stored.get(before or 0), stored.get(flow or 0)]}
            subject = f"{whose}/{of}"
            await note(connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, changes=changes)
    said = (
        words.say("Its calls go by %(name)s.") % {"name": stored[flow]}
        if flow is not None
        else words.say("Its calls go by no routing of their own.")
    )
    return changed(request, to, Notice(said, undo=step))


async def take_back_switch(undoing: Undoing) -> str:
    """The switch is as it was."""
    owner = setup.Company(undoing.company_id, "", "US")
    await flow_setup.close_now(undoing.connection, owner, bool(undoing.values["closed"]))
    return f"switch/{undoing.company_id}"


async def take_back_removal(undoing: Undoing) -> str:
    """A flow that was removed is there again."""
    if not await flow_changes.put_flow_back(undoing.connection, undoing.company_id, undoing.values):
        raise NoWayBack
    return f"flow/{undoing.values['id']}"


async def take_back_assignment(undoing: Undoing) -> str:
    """Calls go by what they went by before."""
    before = undoing.values["before"]
    for whose in WHOSE:
        for each, flow in before.get(whose, {}).items():
            await flow_changes.let_go_by(undoing.connection, undoing.company_id, flow, whose, [int(each)])
    if "company" in before:
        await flow_changes.let_go_by(undoing.connection, undoing.company_id, before["company"], "company")
    return f"flow/{undoing.values['flow']}"


REVERSALS = {
    "flow.switched": Reversal(Permission.SETTINGS_WRITE, take_back_switch),
    "flow.removed": Reversal(Permission.SETTINGS_WRITE, take_back_removal),
    "flow.assigned": Reversal(Permission.SETTINGS_WRITE, take_back_assignment),
}
