"""Reports by mail, changed: added, moved to another hour, paused, tried, removed."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.audit import Action, note
from gateway.delivery.letters import Letter, post
from gateway.http import pace
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.mail_form import read_who, read_wish, values_of
from gateway.http.mail_pages import found_of, languages_of, latest, manages, people_of, show_new, show_one
from gateway.http.notices import Notice, changed
from gateway.http.pace import Counted, Pace
from gateway.http.permissions import GRANTS, Permission
from gateway.http.protection import form_of
from gateway.http.rendering import words_for
from gateway.http.report_letters import mail_words, may_have, needed
from gateway.http.scope import company_of
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.reports import mail_clerk, mail_subscriptions
from gateway.reports.mail_alerts import Quiet
from gateway.reports.mail_subscriptions import Pause, Subscription, Wish

PATH = "/settings/mail"
# By hand, of one subscription: enough to try it, too few to be a nuisance.
_BY_HAND = Pace(6, timedelta(hours=1))


async def add(request: web.Request) -> web.StreamResponse:
    """Make one; an address outside is asked first."""
    company, viewer, database = company_of(request), request[VIEWER], request.app[PARTS].database
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    async with database.companies(company.id) as connection:
        people = await people_of(request, connection, company)
    wish = read_wish(form, words, None, languages_of(request))
    user_id, address = read_who(form, words, people, outside=manages(request, company))
    if not request.app[PARTS].settings.mail.is_set_up:
        form.refuse("kind", words.say("No mail server is named yet"))
    role = next((each.role for each in people if each.user_id == user_id), None)
    if wish is not None and role is not None and needed(wish.kind) not in GRANTS[role]:
        form.refuse("kind", words.say("An agent sees his own calls only, so he gets alerts and no reports."))
    if not form.problems and address is not None:
        paced = Counted(("reports offered by", str(viewer.user_id)), pace.INVITATIONS_OF_USER)
        if await pace.seconds_to_wait(database, [paced]):
            form.refuse("address", words.say("Too many new addresses in an hour. Try again later."))
    if not form.problems and wish is not None:
        async with database.companies(company.id) as connection:
            id = await mail_subscriptions.add(
                connection, company.id, wish, viewer.user_id, user_id=user_id, address=address
            )
            if id is not None:
                called = address or next(each.called for each in people if each.user_id == user_id)
                named = {"name": _named(wish, called)}
                await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, f"mail/{id}", **named)
                if address is not None:
                    await _ask(request, connection, id)
                return changed(request, _to(request, company), Notice(_added(words, address)))
        form.refuse("kind", words.say("This is sent there already."))
    return await show_new(request, company, form, status=422)


async def change(request: web.Request) -> web.StreamResponse:
    """Another hour, day, language, other quiet hours."""
    company, found = await found_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    wish = read_wish(form, words, found.wish.kind, languages_of(request))
    if form.problems or wish is None:
        return await show_one(request, company, found, form, status=422)
    async with request.app[PARTS].database.companies(company.id) as connection:
        await mail_subscriptions.change(connection, found, wish)
        values = {"id": found.id, **values_of(found.wish)}
        step = await offer_undo(connection, company.id, request[VIEWER], "mail.changed", values)
        before, after = values_of(found.wish), values_of(wish)
        changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
        await _note(request, connection, company, Action.SETTING_CHANGED, found, changes=changes)
    return changed(request, _to(request, company), Notice(words.say("Saved."), undo=step))


async def pause(request: web.Request) -> web.StreamResponse:
    """Send nothing until it is resumed."""
    company, found = await found_of(request)
    await form_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        await mail_subscriptions.pause(connection, found, Pause.PERSON)
        await _note(request, connection, company, Action.SETTING_CHANGED, found, changes={"paused": ["", "yes"]})
    said = words_for(request, company).say("Nothing is sent until you let it go on.")
    return changed(request, _to(request, company, found), Notice(said))


async def resume(request: web.Request) -> web.StreamResponse:
    """Go on. Whoever unsubscribed by the link in a mail is asked first."""
    company, found = await found_of(request)
    await form_of(request)
    words = words_for(request, company)
    if not request.app[PARTS].settings.mail.is_set_up:
        said = words.say("It cannot be sent now; this page says why.")
        return changed(request, _to(request, company, found), Notice(said, is_problem=True))
    async with request.app[PARTS].database.companies(company.id) as connection:
        asks = await mail_subscriptions.resume(connection, found, is_reader=found.user_id == request[VIEWER].user_id)
        await _note(request, connection, company, Action.SETTING_CHANGED, found, changes={"paused": ["yes", ""]})
        if asks:
            await _ask(request, connection, found.id)
    return changed(request, _to(request, company, found), Notice(_added(words, found.address if asks else None)))


async def send_now(request: web.Request) -> web.StreamResponse:
    """Send one at once, to see whether it arrives."""
    company, found = await found_of(request)
    await form_of(request)
    words, now, database = words_for(request, company), datetime.now(UTC), request.app[PARTS].database
    to = _to(request, company, found)
    if (
        not request.app[PARTS].settings.mail.is_set_up
        or found.confirmed_at is None
        or not may_have(found.wish.kind, found)
    ):
        said = words.say("It cannot be sent now; this page says why.")
        return changed(request, to, Notice(said, is_problem=True))
    if await pace.seconds_to_wait(database, [Counted(("mail by hand", str(found.id)), _BY_HAND)]):
        said = words.say("That was asked for several times just now. Try again later.")
        return changed(request, to, Notice(said, is_problem=True))
    async with database.companies(company.id) as connection:
        await mail_clerk.send_now(connection, found, latest(found.wish, company), now)
    return changed(request, to, Notice(words.say("It is on its way to %(address)s.") % {"address": found.address}))


async def remove(request: web.Request) -> web.StreamResponse:
    """Take it away; the way back is offered."""
    company, found = await found_of(request)
    await form_of(request)
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        await mail_subscriptions.remove(connection, found)
        step = await offer_undo(connection, company.id, request[VIEWER], "mail.removed", {"id": found.id})
        await _note(request, connection, company, Action.SETTING_REMOVED, found)
    said = words.say("%(name)s no longer gets %(what)s.") % {
        "name": found.called,
        "what": mail_words(words, found.wish.kind),
    }
    return changed(request, _to(request, company), Notice(said, undo=step))


async def take_back_change(undoing: Undoing) -> str:
    """The times are as they were."""
    found = await mail_subscriptions.subscription(undoing.connection, int(undoing.values["id"]))
    if found is not None:
        values = undoing.values
        quiet = Quiet(int(values["quiet_from"]), int(values["quiet_until"])) if values["quiet_from"] != "" else None
        wish = Wish(found.wish.kind, int(values["hour"]), int(values["weekday"]), quiet, values["language"])
        await mail_subscriptions.change(undoing.connection, found, wish)
    return f"mail/{undoing.values['id']}"


async def take_back_removal(undoing: Undoing) -> str:
    """It is sent again, from the next time on; unless the same was added meanwhile."""
    id = int(undoing.values["id"])
    await mail_subscriptions.restore(undoing.connection, undoing.company_id, id)
    return f"mail/{id}"


REVERSALS = {
    "mail.changed": Reversal(Permission.CALLS_READ, take_back_change),
    "mail.removed": Reversal(Permission.CALLS_READ, take_back_removal),
}


def _named(wish: Wish, called: str) -> str:
    return f"{called}: {wish.kind.value}"


def _added(words: Words, asked: str | None) -> str:
    if asked is None:
        return words.say("It is sent from the next time on.")
    return words.say("%(address)s was asked by mail. Nothing is sent before the answer is yes.") % {"address": asked}


async def _ask(request: web.Request, connection: Any, id: int) -> None:
    viewer = request[VIEWER]
    await post(connection, Letter.SUBSCRIPTION, subscription=id, asked_by=viewer.name or viewer.email)


async def _note(
    request: web.Request, connection: Any, company: Company, action: Action, of: Subscription, **details: Any
) -> None:
    name = _named(of.wish, of.called)
    await note(connection, actor_of(request), company.id, action, f"mail/{of.id}", name=name, **details)


def _to(request: web.Request, company: Company, found: Subscription | None = None) -> str:
    path = f"{PATH}/{found.id}" if found else PATH
    return f"{path}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else path
