"""Where calls ring: the destinations of a company, and the callers who are let through or blocked."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.attention.endpoint_states import reach_of
from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.destination_form import Rings, Wanted, dial_words, form_values, read_form, refuse
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
from gateway.pools import destinations, errors, setup
from gateway.store.database import Connection
from gateway.store.queries import load_queries

PATH = "/settings/destinations"
MOST_RULES = 200

_queries = load_queries(Path(__file__).parent, "destination_pages.sql")


async def all_destinations(request: web.Request) -> web.StreamResponse:
    """The destinations, and below them the rules about callers."""
    return await show(request, company_of(request))


async def show(request: web.Request, company: Company, caller_form: Form | None = None) -> web.StreamResponse:
    """The page; ``caller_form`` is that of a rule with problems."""
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        rows = [row async for row in _queries.destinations_shown(connection, company_id=company.id)]
        reach = await reach_of(connection, {row["dial"] for row in rows}, datetime.now(UTC))
        rules = [row async for row in _queries.caller_rules_shown(connection, company_id=company.id, most=MOST_RULES)]
    return render(
        request,
        "destinations.html",
        company=company,
        status=422 if caller_form is not None else 200,
        destinations=rows,
        reach=reach,
        rules=rules,
        most_rules=MOST_RULES,
        dial_words=lambda dial: dial_words(dial, words),
        form=caller_form or Form({"verdict": "block"}, words),
        may_write=company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER]),
    )


async def new_page(request: web.Request) -> web.StreamResponse:
    """The form for another one."""
    company = company_of(request)
    form = Form({"rings": Rings.TELEPHONE, "ring_seconds": 30}, words_for(request, company))
    return await _edit(request, company, None, form)


async def add(request: web.Request) -> web.StreamResponse:
    """Make a destination."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    # Whether a call would come back concerns the numbers of all companies; nothing of them is said.
    async with request.app[PARTS].database.everything() as connection:
        held = await _held(connection, company.id)
        wanted = read_form(form, words, {row["id"]: row["name"] for row in held.values()})
        made, step = None, None
        if wanted is not None:
            try:
                made = await setup.add_destination(
                    connection,
                    _of_setup(company),
                    wanted.name,
                    wanted.dial,
                    ring_seconds=wanted.ring_seconds,
                    next_name=held[wanted.next_id]["name"] if wanted.next_id else None,
                    is_default=wanted.is_default or None,
                    **_allowed(request),
                )
            except errors.SetupError as error:
                refuse(form, error, words)
        if made is not None and wanted is not None:
            step = await _offer(connection, request, company.id, held, [], "destination.added")
            subject = f"destination/{made}"
            await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, subject, name=wanted.name)
    if made is None or wanted is None:
        return await _edit(request, company, None, form)
    said = words.say("Calls can ring at %(name)s now.") % {"name": wanted.name}
    return changed(request, to_destinations(request, company), Notice(said, undo=step))


async def one_page(request: web.Request) -> web.StreamResponse:
    """The form of one."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        row = _of_address(request, await _held(connection, company.id))
    values = {
        **form_values(row["dial"]),
        "name": row["name"],
        "ring_seconds": row["ring_seconds"],
        "next": row["next_id"] or "",
        "is_default": "yes" if row["is_default"] else "",
    }
    return await _edit(request, company, row["id"], Form(values, words_for(request, company)))


async def change(request: web.Request) -> web.StreamResponse:
    """Set everything of one; calls that ring go on as they began."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    async with request.app[PARTS].database.everything() as connection:
        held = await _held(connection, company.id)
        row = _of_address(request, held)
        others = {id: each["name"] for id, each in held.items() if id != row["id"]}
        wanted, done, step = read_form(form, words, others), False, None
        if wanted is not None:
            try:
                await _change(connection, request, company, row, wanted, others)
                done = True
            except errors.SetupError as error:
                refuse(form, error, words)
        if done and wanted is not None:
            after = await _held(connection, company.id)
            if after != held:
                step = await _offer(connection, request, company.id, held, [], "destination.changed")
                now = after[row["id"]]
                changes = {key: [row[key], now[key]] for key in row if row[key] != now[key]}
                subject = f"destination/{row['id']}"
                await note(
                    connection,
                    actor_of(request),
                    company.id,
                    Action.SETTING_CHANGED,
                    subject,
                    name=wanted.name,
                    changes=changes,
                )
    if wanted is None or not done:
        return await _edit(request, company, row["id"], form)
    said = words.say("%(name)s is changed.") % {"name": wanted.name}
    return changed(request, to_destinations(request, company), Notice(said, undo=step))


async def remove(request: web.Request) -> web.StreamResponse:
    """Remove one; what led there leads to another from then on, where one is named."""
    company = company_of(request)
    words, posted = words_for(request, company), await form_of(request)
    try:
        async with request.app[PARTS].database.companies(company.id) as connection:
            held = await _held(connection, company.id)
            row = _of_address(request, held)
            chosen = str(posted.get("instead", ""))
            others = {str(id): each["name"] for id, each in held.items() if id != row["id"]}
            leading = _queries.numbers_leading_to(connection, company_id=company.id, id=row["id"])
            numbers = [each["id"] async for each in leading]
            await destinations.remove_destination(
                connection, _of_setup(company), row["name"], instead=others.get(chosen)
            )
            step = await _offer(connection, request, company.id, held, numbers, "destination.removed", row["id"])
            subject = f"destination/{row['id']}"
            await note(connection, actor_of(request), company.id, Action.SETTING_REMOVED, subject, name=row["name"])
    except errors.StillLeadsThere:
        said = words.say("Calls still ring at %(name)s. Say first where they shall ring instead.")
        to = to_destinations(request, company, f"/{row['id']}")
        return changed(request, to, Notice(said % {"name": row["name"]}, is_problem=True))
    said = words.say("%(name)s is removed.") % {"name": row["name"]}
    return changed(request, to_destinations(request, company), Notice(said, undo=step))


async def take_back(undoing: Undoing) -> str:
    """The destinations that a change touched are as they were; NotFound where later changes leave no way back."""
    connection, company_id, values = undoing.connection, undoing.company_id, undoing.values
    present = await _held(connection, company_id)
    before = {int(row["id"]): row for row in values["before"]}
    gone_then = [id for id in values["added"] if id in present]
    after = {id: row for id, row in (present | before).items() if id not in gone_then}
    _must_hold(after)
    await _queries.no_default(connection, company_id=company_id)
    for id in before.keys() - present.keys():
        kept = {key: before[id][key] for key in _KEPT}
        press_one = bool(before[id].get("press_one"))  # none in a step that an earlier Numberpool offered
        await _queries.put_back(connection, company_id=company_id, press_one=press_one, **kept)
    ordered = sorted(after.values(), key=lambda row: row["is_default"])
    for row in ordered:
        await destinations.write(connection, company_id, row)
    owner = setup.Company(company_id, "", "US")
    for id in gone_then:
        try:
            await destinations.remove_destination(connection, owner, present[id]["name"])
        except errors.SetupError:
            raise NotFound() from None
    if values["numbers"]:
        await _queries.lead_numbers_back(connection, company_id=company_id, id=values["of"], numbers=values["numbers"])
    return f"destination/{values['of'] or next(iter(before), 0)}"


REVERSALS = {
    kind: Reversal(Permission.SETTINGS_WRITE, take_back)
    for kind in ("destination.added", "destination.changed", "destination.removed")
}

_KEPT = ("id", "name", "dial", "ring_seconds")


def to_destinations(request: web.Request, company: Company, more: str = "") -> str:
    """The address of the list, or of what lies below it."""
    query = f"?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else ""
    return f"{PATH}{more}{query}"


def _must_hold(rows: dict[int, dict[str, Any]]) -> None:
    """Refuse what would leave two of a name, two main lines, or a circle: something else was changed meanwhile."""
    names = [row["name"] for row in rows.values()]
    if len(set(names)) < len(names) or sum(row["is_default"] for row in rows.values()) > 1:
        raise NotFound()
    for start in rows:
        seen, at = {start}, rows[start]["next_id"]
        while at is not None:
            if at in seen or at not in rows:
                raise NotFound()
            seen.add(at)
            at = rows[at]["next_id"]


async def _edit(request: web.Request, company: Company, id: int | None, form: Form) -> web.StreamResponse:
    async with request.app[PARTS].database.companies(company.id) as connection:
        rows = [row async for row in _queries.destinations_shown(connection, company_id=company.id)]
    this = next((row for row in rows if row["id"] == id), None)
    leads = this is not None and bool(
        this["numbers"] or this["is_default"] or any(row["next_id"] == this["id"] for row in rows)
    )
    return render(
        request,
        "destination.html",
        company=company,
        status=422 if form.problems else 200,
        destination=this,
        others=[(row["id"], row["name"]) for row in rows if row["id"] != id],
        leads=leads,
        has_trunks=_allowed(request)["trunks"],
        form=form,
    )


async def _change(
    connection: Connection,
    request: web.Request,
    company: Company,
    row: dict[str, Any],
    wanted: Wanted,
    others: dict[int, str],
) -> None:
    await destinations.change_destination(
        connection,
        _of_setup(company),
        row["name"],
        new_name=wanted.name,
        # What stands there may have been allowed by other settings: it is looked at when it changes.
        dial=wanted.dial if wanted.dial != row["dial"] else None,
        ring_seconds=wanted.ring_seconds,
        next_name=others[wanted.next_id] if wanted.next_id else destinations.NONE,
        is_default=wanted.is_default,
        **_allowed(request),
    )


async def _offer(
    connection: Connection,
    request: web.Request,
    company_id: int,
    held: dict[int, dict[str, Any]],
    numbers: list[int],
    kind: str,
    of: int | None = None,
) -> int:
    """An undo of whatever differs now from ``held``; ``numbers`` led to the destination ``of``."""
    present = await _held(connection, company_id)
    before = [row for id, row in held.items() if present.get(id) != row]
    values = {"before": before, "added": [id for id in present if id not in held], "numbers": numbers, "of": of}
    return await offer_undo(connection, company_id, request[VIEWER], kind, values)


async def _held(connection: Connection, company_id: int) -> dict[int, dict[str, Any]]:
    """Every destination of a company by its id, until the end of the transaction."""
    return {row["id"]: dict(row) async for row in _queries.hold_destinations(connection, company_id=company_id)}


def _of_address(request: web.Request, held: dict[int, dict[str, Any]]) -> dict[str, Any]:
    row = held.get(int(request.match_info["id"]))
    if row is None:
        raise NotFound()
    return row


def _allowed(request: web.Request) -> dict[str, Any]:
    """What the server's settings let destinations dial."""
    settings = request.app[PARTS].settings
    return {
        "contexts": settings.calls.dialplan_contexts,
        "trunks": any(node.trunks for node in settings.nodes),
    }


def _of_setup(company: Company) -> setup.Company:
    return setup.Company(company.id, company.name, company.region)
