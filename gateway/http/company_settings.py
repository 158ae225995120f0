"""What a company is: its name, country, clock and money, which visit gets the credit; and another one, for agencies."""

from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from zoneinfo import available_timezones

import phonenumbers
from aiohttp import web
from babel import Locale
from babel.numbers import get_currency_name, get_territory_currencies

from gateway.audit import Action, note
from gateway.calls.emergency import is_emergency
from gateway.http.accounts import Company, Viewer
from gateway.http.actor import actor_of
from gateway.http.example_pages import what_goes
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission, Role
from gateway.http.protection import form_of
from gateway.http.refusals import NotAllowed, NotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import company_changes, errors, setup
from gateway.pools.company_changes import CompanySettings, company_settings, save_company
from gateway.pools.numbers import NumberError, to_e164

PATH = "/settings/company"
# As the commands: shorter, every touch but the last is nothing.
_SHORTEST_HALF_LIFE = Decimal("0.04")


async def company_page(request: web.Request) -> web.StreamResponse:
    """What is set, and the viewer's other companies."""
    return await _show(request, company_of(request))


async def change_company(request: web.Request) -> web.StreamResponse:
    """Set all of it."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    after = await _read(request, form, words, company)
    if after is None:
        return await _show(request, company, form)
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = await save_company(connection, company.id, after)
        if before is None:
            raise NotFound()
        if before != after:
            values = {"before": before.stored}
            step = await offer_undo(connection, company.id, request[VIEWER], "company.changed", values)
            await note(
                connection,
                actor_of(request),
                company.id,
                Action.SETTING_CHANGED,
                f"company/{company.id}",
                name=after.name,
                changes={
                    key: [was, after.stored[key]] for key, was in before.stored.items() if was != after.stored[key]
                },
            )
    said = words.say("%(name)s is changed.") % {"name": after.name}
    return changed(request, to_settings(request, company.id), Notice(said, undo=step))


async def take_default(request: web.Request) -> web.StreamResponse:
    """Let the calls to numbers that nobody owns go to this company, which another of the viewer's had until now."""
    company = company_of(request)
    words, owned = words_for(request, company), owned_by(request[VIEWER])
    if company.id not in owned:
        raise NotAllowed(permission=Permission.COMPANY_MANAGE.value)
    step = None
    async with request.app[PARTS].database.companies(*owned) as connection:
        giver = await company_changes.default_among(connection, owned)
        if giver is None:  # somebody else's company has them, if any
            raise NotFound()
        if giver != company.id:
            await company_changes.move_default(connection, giver, company.id)
            values = {"from": giver}
            step = await offer_undo(connection, company.id, request[VIEWER], "company.default_moved", values)
            for id, before in ((giver, True), (company.id, False)):
                named = request[VIEWER].company(id)
                await note(
                    connection,
                    actor_of(request),
                    id,
                    Action.SETTING_CHANGED,
                    f"company/{id}",
                    name=named.name if named else "",
                    changes={"is_default": [before, not before]},
                )
    said = words.say("Calls to numbers that nobody owns go to %(name)s now.") % {"name": company.name}
    return changed(request, to_settings(request, company.id), Notice(said, undo=step))


async def new_company_page(request: web.Request) -> web.StreamResponse:
    """The form for another company; for whoever owns several."""
    company = company_of(request)
    _only_agencies(request[VIEWER])
    async with request.app[PARTS].database.companies(company.id) as connection:
        like = await company_settings(connection, company.id)
    # A new one is most often in the same country.
    form = Form(
        {"time_zone": like.time_zone, "region": like.region, "currency": like.currency} if like else None,
        words_for(request, company),
    )
    return _new(request, company, form)


async def add_company(request: web.Request) -> web.StreamResponse:
    """Make a company, owned by whoever made it."""
    company, viewer = company_of(request), request[VIEWER]
    _only_agencies(viewer)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    name = _name(form)
    time_zone, region, currency = _place(form, words)
    main_number = _main_number(form, words, region)
    made = None
    if not form.problems:
        try:
            # Row-level security lets a row in only where its company is seen, and this one has no id yet.
            async with request.app[PARTS].database.everything() as connection:
                made = await setup.add_company(
                    connection,
                    name,
                    time_zone=time_zone,
                    region=region,
                    currency=currency,
                    main_number=main_number,
                    is_default=False,
                )
                await company_changes.make_owner(connection, made.id, viewer.user_id)
                subject = f"company/{made.id}"
                await note(connection, actor_of(request), made.id, Action.SETTING_ADDED, subject, name=name)
        except errors.NameTaken:
            form.refuse("name", _taken(words))
    if made is None:
        return _new(request, company, form, status=422)
    said = words.say("%(name)s is added. Now say where its calls ring.") % {"name": name}
    return changed(request, f"/settings/destinations?{urlencode({'company': made.id})}", Notice(said))


async def take_back_change(undoing: Undoing) -> str:
    """A company is as it was before."""
    await save_company(undoing.connection, undoing.company_id, CompanySettings.from_stored(undoing.values["before"]))
    return f"company/{undoing.company_id}"


async def take_back_default(undoing: Undoing) -> str:
    """The calls that nobody owns go where they went before."""
    giver = int(undoing.values["from"])
    owned = owned_by(undoing.viewer)
    if giver not in owned:
        raise NotAllowed(permission=Permission.COMPANY_MANAGE.value)
    if await company_changes.default_among(undoing.connection, owned) == undoing.company_id:
        await company_changes.move_default(undoing.connection, undoing.company_id, giver)
    return f"company/{undoing.company_id}"


REVERSALS = {
    "company.changed": Reversal(Permission.SETTINGS_WRITE, take_back_change),
    "company.default_moved": Reversal(Permission.COMPANY_MANAGE, take_back_default),
}


def to_settings(request: web.Request, company_id: int) -> str:
    """The address of a company's page."""
    return f"{PATH}?{urlencode({'company': company_id})}" if len(request[ALLOWED]) > 1 else PATH


def owned_by(viewer: Viewer) -> tuple[int, ...]:
    """The companies that the viewer owns."""
    return companies_with(Permission.COMPANY_MANAGE, viewer)


async def _show(request: web.Request, company: Company, form: Form | None = None) -> web.StreamResponse:
    words, viewer = words_for(request, company), request[VIEWER]
    owned = owned_by(viewer)
    async with request.app[PARTS].database.companies(company.id, *owned) as connection:
        present = await company_settings(connection, company.id)
        holder = await company_changes.default_among(connection, {company.id, *owned})
        example = await what_goes(connection, company) if company.id in owned else None
    if present is None:
        raise NotFound()
    return render(
        request,
        "company.html",
        company=company,
        status=200 if form is None else 422,
        present=present,
        form=form or Form(_values(present, words), words),
        holder=holder,
        example=example,
        holder_company=viewer.company(holder) if holder is not None else None,
        owned=[viewer.company(id) for id in owned],
        may_write=viewer.role(company.id) in (Role.OWNER, Role.MANAGER),
        models=_models(words),
        **_choices(words),
    )


def _new(request: web.Request, company: Company, form: Form, status: int = 200) -> web.StreamResponse:
    choices = _choices(words_for(request, company))
    return render(request, "company_new.html", company=company, form=form, status=status, **choices)


def _only_agencies(viewer: Viewer) -> None:
    """Whoever owns one company has been given it; the machine's admin makes the second by command.

    Raises NotFound: his role would do, the page is not for him.
    """
    if len(owned_by(viewer)) < 2:
        raise NotFound()


async def _read(request: web.Request, form: Form, words: Words, company: Company) -> CompanySettings | None:
    """The whole form; none where something is wrong with it."""
    name = _name(form)
    time_zone, region, currency = _place(form, words)
    main_number = _main_number(form, words, region)
    model = form.value("credit_model")
    if model not in dict(_models(words)):
        form.refuse("credit_model", words.say("Choose one of these."))
    days = form.whole("credit_days", least=1, most=730)
    half_life = form.decimal("half_life", least=_SHORTEST_HALF_LIFE, most=Decimal(730))
    if not form.problems:
        async with request.app[PARTS].database.everything() as connection:
            if await company_changes.is_name_taken(connection, name, company.id):
                form.refuse("name", _taken(words))
    if form.problems or days is None or half_life is None:
        return None
    length = timedelta(hours=round(float(half_life) * 24))
    return CompanySettings(name, time_zone, region, currency, main_number, model, days, length)


def _name(form: Form) -> str:
    return " ".join(form.text("name", longest=80).split())


def _place(form: Form, words: Words) -> tuple[str, str, str]:
    """Time zone, country and currency, each one of those that are offered."""
    found = (form.value("time_zone"), form.value("region"), form.value("currency"))
    choices = _choices(words)
    for name, value, offered in zip(("time_zone", "region", "currency"), found, choices.values(), strict=True):
        if value not in dict(offered):
            form.refuse(name, words.say("Choose one of these."))
    return found


def _main_number(form: Form, words: Words, region: str) -> str | None:
    text = form.text("main_number", longest=60, required=False)
    if not text or "region" in form.problems:
        return None
    if is_emergency(text, region):
        form.refuse("main_number", words.say("This is an emergency number, or may reach one; choose another."))
        return None
    try:
        return to_e164(text, region)
    except NumberError:
        form.refuse("main_number", words.say("This is not a telephone number; write it with its area code."))
        return None


def _taken(words: Words) -> str:
    return words.say("This name is taken; add the town or the branch.")


def _values(present: CompanySettings, words: Words) -> dict[str, str | int | None]:
    days = round(present.half_life / timedelta(days=1), 2)
    return {
        "name": present.name,
        "time_zone": present.time_zone,
        "region": present.region,
        "currency": present.currency,
        "main_number": words.phone(present.main_number) if present.main_number else "",
        "credit_model": present.credit_model,
        "credit_days": present.credit_days,
        "half_life": words.number(days),
    }


def _models(words: Words) -> list[tuple[str, str]]:
    say = words.say
    return [
        ("first", say("The first visit that brought the person here")),
        ("last", say("The last visit before the call")),
        ("last non-direct", say("The last visit before the call that did not come directly")),
        ("last paid", say("The last visit before the call that was paid for")),
    ]


def _choices(words: Words) -> dict[str, Any]:
    return {
        "zones": [(zone, zone.replace("_", " ")) for zone in _zones()],
        "regions": list(_regions(str(words.locale))),
        "currencies": list(_currencies(str(words.locale))),
    }


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    """Those with a place in their names, and UTC: what people choose."""
    return tuple(
        sorted(zone for zone in available_timezones() if ("/" in zone and "Etc/" not in zone) or zone == "UTC")
    )


@lru_cache(maxsize=32)
def _regions(locale: str) -> tuple[tuple[str, str], ...]:
    """Every country with telephone numbers, by its name."""
    names = Locale.parse(locale).territories
    found = [(code, names.get(code, code)) for code in phonenumbers.SUPPORTED_REGIONS]
    return tuple(sorted(found, key=lambda each: each[1].casefold()))


@lru_cache(maxsize=32)
def _currencies(locale: str) -> tuple[tuple[str, str], ...]:
    """Every currency that some country pays with now."""
    codes = {code for region in phonenumbers.SUPPORTED_REGIONS for code in get_territory_currencies(region)}
    return tuple((code, f"{code} · {get_currency_name(code, locale=locale)}") for code in sorted(codes))
