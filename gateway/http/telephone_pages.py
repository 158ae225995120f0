"""On the telephone: what whoever picks up is asked before a call is connected."""

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.asterisk.routecode import can_ask
from gateway.audit import Action, note
from gateway.calls import telephone_setup
from gateway.errors import Mendable
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.destination_form import dial_words
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.pool_pages import of_setup
from gateway.http.protection import form_of
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of
from gateway.http.site_pages import may_write
from gateway.http.undo import NoWayBack, Reversal, Undoing, offer_undo
from gateway.pools import setup

PATH = "/settings/telephone"


async def telephone_page(request: web.Request) -> web.StreamResponse:
    """Each destination, and whether 1 is to be pressed there."""
    company = company_of(request)
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        destinations = await setup.destinations(connection, of_setup(company))
    return render(
        request,
        "on_the_telephone.html",
        company=company,
        destinations=[(row, dial_words(row["dial"], words), can_ask(row["dial"])) for row in destinations],
        may_write=may_write(request, company),
    )


async def change(request: web.Request) -> web.StreamResponse:
    """At which destinations an answer counts once 1 was pressed."""
    company = company_of(request)
    words, posted = words_for(request, company), await form_of(request)
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        rows = await setup.destinations(connection, of_setup(company))
        before = {str(row["id"]): bool(row["press_one"]) for row in rows}
        wanted = {str(row["id"]): bool(posted.get(f"press-{row['id']}")) and can_ask(row["dial"]) for row in rows}
        different = {id: before[id] for id in before if before[id] != wanted[id]}
        if different:
            await _set(connection, company.id, {id: wanted[id] for id in different})
            step = await offer_undo(connection, company.id, request[VIEWER], "telephone.changed", {"before": different})
            names = {str(row["id"]): row["name"] for row in rows}
            changes = {names[id]: [was, wanted[id]] for id, was in different.items()}
            subject = f"telephone/{company.id}"
            await note(connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, changes=changes)
    said = words.say("What whoever picks up is asked is set.")
    return changed(request, _to(request, company), Notice(said, undo=step))


async def take_back(undoing: Undoing) -> str:
    """It is asked where it was asked before."""
    try:
        await _set(undoing.connection, undoing.company_id, undoing.values["before"])
    except Mendable:
        raise NoWayBack from None
    return f"telephone/{undoing.company_id}"


REVERSALS = {"telephone.changed": Reversal(Permission.SETTINGS_WRITE, take_back)}


async def _set(connection: Any, company_id: int, wanted: dict[str, bool]) -> None:
    owner = setup.Company(company_id, "", "US")
    for row in await setup.destinations(connection, owner):
        if str(row["id"]) in wanted:
            await telephone_setup.ask_to_press_one(connection, owner, row["name"], wanted[str(row["id"])])


def _to(request: web.Request, company: Company) -> str:
    return f"{PATH}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else PATH
