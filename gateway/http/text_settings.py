"""Settings → Texts: accounts with carriers, the address each posts to, and who is told of texts by mail."""

import re
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.invitation_pages import is_address
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of, id_in_path
from gateway.http.text_form import field_name, read_account, values_of
from gateway.http.undo import NoWayBack, Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.store.database import Connection
from gateway.texts import accounts
from gateway.texts.accounts import Standing
from gateway.texts.carriers import CARRIERS
from gateway.texts.carriers.shape import Account, Carrier

PATH = "/settings/texts"
MOST_ADDRESSES = 20
_TRY_SECONDS = 10.0
_APART = re.compile(r"[\s,;]+")


async def all_accounts(request: web.Request) -> web.StreamResponse:
    """The accounts, and who is told."""
    company = company_of(request)
    return await _show_all(request, company, None)


async def set_mail(request: web.Request) -> web.StreamResponse:
    """Who is told of texts by mail."""
    company, words = company_of(request), words_for(request, company_of(request))
    form = Form(await form_of(request), words)
    typed = form.text("addresses", longest=4000, required=False, lines=True)
    addresses = list(dict.fromkeys(each for each in _APART.split(typed) if each))
    if wrong := next((each for each in addresses if not is_address(each)), None):
        form.refuse("addresses", words.say("%(text)s is not an e-mail address.") % {"text": wrong[:100]})
    if len(addresses) > MOST_ADDRESSES:
        form.refuse("addresses", words.say("At most %(count)s addresses, please.") % {"count": MOST_ADDRESSES})
    if form.problems:
        return await _show_all(request, company, form)
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = await accounts.mail_to(connection, company.id)
        await accounts.set_mail_to(connection, company.id, addresses)
        step = await offer_undo(
            connection, company.id, request[VIEWER], "texts-mail.changed", {"addresses": list(before)}
        )
        told = ", ".join(addresses) or words.say("nobody")
        changes = {"addresses": [", ".join(before), ", ".join(addresses)]}
        subject = f"texts-mail/{company.id}"
        await note(
            connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, name=told, changes=changes
        )
    return changed(request, _to(request, company), Notice(words.say("Saved."), undo=step))


async def new_page(request: web.Request) -> web.StreamResponse:
    """Which carrier, and then what it wants to be told."""
    company = company_of(request)
    carrier = _carrier(request.query.get("kind"))
    words = words_for(request, company)
    values = values_of(words, carrier, None) if carrier else {}
    return _show_new(request, company, carrier, Form(values, words))


async def add(request: web.Request) -> web.StreamResponse:
    """Make an account."""
    company, words = company_of(request), words_for(request, company_of(request))
    form = Form(await form_of(request), words)
    carrier = _carrier(form.value("kind"))
    if carrier is None:
        return _show_new(request, company, None, form)
    name, seen, secret = read_account(form, words, carrier, None)
    if not form.problems:
        async with request.app[PARTS].database.companies(company.id) as connection:
            id = await accounts.add(connection, company.id, name, carrier.kind, seen, secret)
            if id is not None:
                await note(
                    connection, actor_of(request), company.id, Action.SETTING_ADDED, f"text-account/{id}", name=name
                )
                said = words.say("Now give the carrier the address below.")
                return changed(request, _to(request, company, id), Notice(said))
        form.refuse("name", words.say("There is an account of this name already."))
    return _show_new(request, company, carrier, form)


async def one_account(request: web.Request) -> web.StreamResponse:
    """An account: its address, and what the carrier was told."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = await _standing(connection, request, company)
        carrier = CARRIERS[found.account.kind]
        words = words_for(request, company)
        form = Form(values_of(words, carrier, found.account), words)
        return await _show_one(request, connection, company, found, form)


async def change(request: web.Request) -> web.StreamResponse:
    """Other values; a secret left empty stays as it is."""
    company, words = company_of(request), words_for(request, company_of(request))
    form = Form(await form_of(request), words)
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = await _standing(connection, request, company)
        account = found.account
        name, seen, secret = read_account(form, words, CARRIERS[account.kind], account)
        if not form.problems and not await accounts.change(connection, account, name, seen, secret):
            form.refuse("name", words.say("There is an account of this name already."))
        if form.problems:
            return await _show_one(request, connection, company, found, form)
        before = {"name": account.name, **account.plain}
        after = {"name": name, **seen}
        changes: dict[str, Any] = {
            each: [before.get(each, ""), after.get(each, "")]
            for each in {**before, **after}
            if before.get(each, "") != after.get(each, "")
        }
        # That a secret was typed anew, and not which.
        changes |= {each: ["", ""] for each in secret}
        values = {"id": account.id, "name": account.name, "plain": dict(account.plain)}
        step = None
        if not secret:  # what was secret before is nowhere but in the account
            step = await offer_undo(connection, company.id, request[VIEWER], "text-account.changed", values)
        await note(
            connection,
            actor_of(request),
            company.id,
            Action.SETTING_CHANGED,
            f"text-account/{account.id}",
            name=name,
            changes=changes,
        )
    return changed(request, _to(request, company, account.id), Notice(words.say("Saved."), undo=step))


async def try_address(request: web.Request) -> web.StreamResponse:
    """Open the account's address from here, as the carrier would, and tell what answers."""
    company, words = company_of(request), words_for(request, company_of(request))
    await form_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        account = (await _standing(connection, request, company)).account
        base = await _base(request, connection, company)
    fault = words.say("no website and no address of the collector is known yet")
    if base is not None:
        fault = await _reached(f"{base}/v1/texts/{account.token}/ready", account, words)
    if fault:
        notice = Notice(words.say("That did not work: %(why)s.") % {"why": fault}, is_problem=True)
    else:
        notice = Notice(words.say("It works: Numberpool answers at this address."))
    return changed(request, _to(request, company, account.id), notice)


async def renew_address(request: web.Request) -> web.StreamResponse:
    """Another address; what is posted to the old one is refused."""
    company, words = company_of(request), words_for(request, company_of(request))
    await form_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        account = (await _standing(connection, request, company)).account
        await accounts.renew_address(connection, account)
        await note(
            connection,
            actor_of(request),
            company.id,
            Action.SETTING_CHANGED,
            f"text-account/{account.id}",
            name=account.name,
            changes={"address": ["", ""]},
        )
    said = words.say("The address is a new one. Give it to the carrier: the old one takes nothing any more.")
    return changed(request, _to(request, company, account.id), Notice(said))


async def remove(request: web.Request) -> web.StreamResponse:
    """Take an account away; its conversations stay."""
    company, words = company_of(request), words_for(request, company_of(request))
    await form_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        name = await accounts.remove(connection, company.id, id_in_path(request))
        if name is None:
            raise NotFound()
        id = id_in_path(request)
        step = await offer_undo(connection, company.id, request[VIEWER], "text-account.removed", {"id": id})
        await note(connection, actor_of(request), company.id, Action.SETTING_REMOVED, f"text-account/{id}", name=name)
    said = words.say("%(name)s is removed. Its conversations stay.") % {"name": name}
    return changed(request, _to(request, company), Notice(said, undo=step))


async def take_back_mail(undoing: Undoing) -> str:
    """Those who were told before are told again."""
    await accounts.set_mail_to(undoing.connection, undoing.company_id, list(undoing.values["addresses"]))
    return f"texts-mail/{undoing.company_id}"


async def take_back_change(undoing: Undoing) -> str:
    """The account is called and set as it was."""
    values = undoing.values
    account = await accounts.account_by_id(undoing.connection, undoing.company_id, int(values["id"]))
    if account is None or not await accounts.change(
        undoing.connection, account, values["name"], dict(values["plain"]), {}
    ):
        raise NoWayBack
    return f"text-account/{account.id}"


async def take_back_removal(undoing: Undoing) -> str:
    """The account is there again, with its address."""
    id = int(undoing.values["id"])
    if await accounts.bring_back(undoing.connection, undoing.company_id, id) is None:
        raise NoWayBack
    return f"text-account/{id}"


REVERSALS = {
    "texts-mail.changed": Reversal(Permission.SETTINGS_WRITE, take_back_mail),
    "text-account.changed": Reversal(Permission.SETTINGS_WRITE, take_back_change),
    "text-account.removed": Reversal(Permission.SETTINGS_WRITE, take_back_removal),
}


async def _show_all(request: web.Request, company: Company, form: Form | None) -> web.StreamResponse:
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = await accounts.standings(connection, company.id)
        addresses = await accounts.mail_to(connection, company.id)
    return render(
        request,
        "text_accounts.html",
        company=company,
        status=422 if form else 200,
        standings=found,
        carriers=CARRIERS,
        addresses=addresses,
        form=form or Form({"addresses": "\n".join(addresses)}, words_for(request, company)),
        has_mail=request.app[PARTS].settings.mail.is_set_up,
        may_write=_may_write(request, company),
    )


def _show_new(request: web.Request, company: Company, carrier: Carrier | None, form: Form) -> web.StreamResponse:
    return render(
        request,
        "text_account_new.html",
        company=company,
        status=422 if form.problems else 200,
        carriers=CARRIERS.values(),
        carrier=carrier,
        form=form,
        field_name=field_name,
        account=None,
    )


async def _show_one(
    request: web.Request, connection: Connection, company: Company, found: Standing, form: Form
) -> web.StreamResponse:
    carrier, account = CARRIERS[found.account.kind], found.account
    base = await _base(request, connection, company)
    return render(
        request,
        "text_account.html",
        company=company,
        status=422 if form.problems else 200,
        standing=found,
        account=account,
        carrier=carrier,
        form=form,
        field_name=field_name,
        address=f"{base or 'https://www.example.com/np'}/v1/texts/{account.token}{carrier.query}",
        has_base=base is not None,
        may_write=_may_write(request, company),
    )


async def _base(request: web.Request, connection: Connection, company: Company) -> str | None:
    """Where the collector is reached: as the settings say, else below the company's first website."""
    public: str | None = request.app[PARTS].settings.collector.public_url
    if public:
        return public.rstrip("/")
    host = await connection.fetchval(
        "SELECT hosts[1] FROM sites WHERE company_id = $1 AND removed_at IS NULL AND hosts <> '{}' ORDER BY id LIMIT 1",
        company.id,
    )
    return f"https://{host}/np" if host else None


async def _reached(address: str, account: Account, words: Words) -> str:
    """What is wrong with an address; empty where it leads to the account."""
    try:
        timeout = aiohttp.ClientTimeout(total=_TRY_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(address, allow_redirects=False) as answer,
        ):
            if answer.status == 200 and answer.content_type == "application/json":
                said = await answer.json()
                if isinstance(said, dict) and said.get("account") == account.id:
                    return ""
            return words.say("something else answers there (%(status)s)") % {"status": answer.status}
    except TimeoutError:
        return words.say("nothing answers there within ten seconds")
    except (aiohttp.ClientError, ValueError, OSError) as error:
        return " ".join(str(error).split())[:160] or type(error).__name__


async def _standing(connection: Connection, request: web.Request, company: Company) -> Standing:
    id = id_in_path(request)
    found = await accounts.standings(connection, company.id)
    standing = next((each for each in found if each.account.id == id), None)
    if standing is None:
        raise NotFound()
    return standing


def _carrier(kind: str | None) -> Carrier | None:
    return next((carrier for each, carrier in CARRIERS.items() if each.value == kind), None)


def _may_write(request: web.Request, company: Company) -> bool:
    return company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER])


def _to(request: web.Request, company: Company, id: int | None = None) -> str:
    path = f"{PATH}/{id}" if id else PATH
    return f"{path}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else path
