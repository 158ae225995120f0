"""The sites of a company: what goes into their pages, which numbers are swapped there, and whether that works."""

from typing import TypedDict
from urllib.parse import urlencode
from zoneinfo import available_timezones

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
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_snippet import snippet_of
from gateway.http.undo import Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import errors, pool_errors, setup, sites
from gateway.pools.site_changes import (
    SiteSettings,
    TargetTaken,
    give_target,
    one_site,
    save_site,
    take_target,
    targets_of,
)
from gateway.site_check.findings import Level, report_of
from gateway.site_check.stored import Check, newest_checks
from gateway.store.database import Connection
from gateway.visits.ways import setup_in_force

SITES = "/settings/sites"
_MOST_HOSTS = 30


class CheckSummary:
    """How the newest check of a site ended."""

    def __init__(self, check: Check) -> None:
        self.check = check
        report = report_of(check.report or {})
        self.fault = check.is_lost or bool(check.report is not None and not report.findings)
        self.problems = sum(each.level is Level.PROBLEM for each in report.findings)
        self.warnings = sum(each.level is Level.WARNING for each in report.findings)

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended yet."""
        return self.check.ended_at is None and not self.check.is_lost


async def all_sites(request: web.Request) -> web.StreamResponse:
    """The sites, each with what works and when a visit last came."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        rows = [
            (row, await setup_in_force(connection, company.id, row["id"]))
            for row in await sites.sites(connection, _of_setup(company))
        ]
        checks = {id: CheckSummary(each) for id, each in (await newest_checks(connection, company.id)).items()}
    return render(
        request, "sites.html", company=company, sites=rows, checks=checks, may_write=may_write(request, company)
    )


async def new_site_page(request: web.Request) -> web.StreamResponse:
    """The form for another site."""
    company = company_of(request)
    return render(request, "site_new.html", company=company, form=Form(None, words_for(request, company)))


async def add_site(request: web.Request) -> web.StreamResponse:
    """Make a site, with the number printed on it."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    name, hosts, number = (
        form.text("name", longest=80),
        _hosts(form, "hosts", words, required=True),
        form.phone("number"),
    )
    made = None
    if not form.problems:
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                owner = _of_setup(company)
                made = await sites.add_site(connection, owner, name, hosts=hosts)
                await sites.add_target(connection, owner, " ".join(name.split()), number or "")
                subject = f"site/{made.id}"
                await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, subject, name=name)
        except errors.NameTaken:
            form.refuse("name", words.say("Another website has this name already."))
    if form.problems or made is None:
        return render(request, "site_new.html", company=company, form=form, status=422)
    said = words.say("%(name)s is added. Now put the snippet into its pages.") % {"name": name}
    return changed(request, to_sites(request, company, made.id), Notice(said))


async def one_site_page(request: web.Request) -> web.StreamResponse:
    """One site: its snippet, numbers, hosts, and how visitors are remembered."""
    company = company_of(request)
    site = await site_of(request, company)
    return await show_site(request, company, site)


async def show_site(
    request: web.Request, company: Company, site: SiteSettings, *, status: int = 200, **forms: Form
) -> web.StreamResponse:
    """The page of a site; ``forms`` are those with problems: number_form, form, check_form."""
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        targets = await targets_of(connection, company.id, site.id)
        set_up = await setup_in_force(connection, company.id, site.id)
        newest = (await newest_checks(connection, company.id)).get(site.id)
    return render(
        request,
        "site.html",
        company=company,
        status=status,
        site=site,
        targets=targets,
        set_up=set_up,
        check=CheckSummary(newest) if newest else None,
        snippet=snippet_of(request.app[PARTS].settings.collector, site, targets),
        zones=[(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())],
        may_write=may_write(request, company),
        form=forms.get("form") or _form_of(site, words),
        number_form=forms.get("number_form") or Form(None, words),
        check_form=forms.get("check_form") or Form({"url": _first_address(site, newest)}, words),
    )


async def change_site(request: web.Request) -> web.StreamResponse:
    """Set name, hosts, time zone and consent."""
    company = company_of(request)
    site, words = await site_of(request, company), words_for(request, company)
    form = Form(await form_of(request), words)
    name = " ".join(form.text("name", longest=80).split())
    hosts, payment_hosts = _hosts(form, "hosts", words), _hosts(form, "payment_hosts", words)
    time_zone = form.value("time_zone") or None
    if time_zone is not None and time_zone not in available_timezones():
        form.refuse("time_zone", words.say("Choose one of these."))
    step = None
    if not form.problems:
        after: _Saved = {
            "name": name,
            "hosts": hosts,
            "payment_hosts": payment_hosts,
            "time_zone": time_zone,
            "consent_required": form.flag("consent_required"),
        }
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                before = await _save(connection, company.id, site, after)
                if before != after:
                    values = {"site": site.id, "before": before}
                    step = await offer_undo(connection, company.id, request[VIEWER], "site.changed", values)
                    changes = {
                        key: [was, now]
                        for (key, was), now in zip(before.items(), after.values(), strict=True)
                        if was != now
                    }
                    await note(
                        connection,
                        actor_of(request),
                        company.id,
                        Action.SETTING_CHANGED,
                        f"site/{site.id}",
                        name=name,
                        changes=changes,
                    )
        except errors.NameTaken:
            form.refuse("name", words.say("Another website has this name already."))
    if form.problems:
        return await show_site(request, company, site, status=422, form=form)
    said = words.say("%(name)s is changed.") % {"name": name}
    return changed(request, to_sites(request, company, site.id), Notice(said, undo=step))


async def add_number(request: web.Request) -> web.StreamResponse:
    """Say that a number is printed on the site."""
    company = company_of(request)
    site, words = await site_of(request, company), words_for(request, company)
    form = Form(await form_of(request), words)
    number = form.phone("number")
    if number is not None:
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                await sites.add_target(connection, _of_setup(company), site.name, number)
                await _note_numbers(connection, request, company, site, [], [number])
        except pool_errors.TargetTaken:
            form.refuse("number", words.say("This number stands here already."))
        except errors.BadNumber:
            form.refuse("number", words.say("This is not a telephone number; write it with its area code."))
    if form.problems:
        return await show_site(request, company, site, status=422, number_form=form)
    said = words.say("%(number)s is swapped from now on.") % {"number": words.phone(number)}
    return changed(request, to_sites(request, company, site.id), Notice(said))


async def remove_number(request: web.Request) -> web.StreamResponse:
    """Say that a number is printed on the site no more."""
    company = company_of(request)
    site, words = await site_of(request, company), words_for(request, company)
    target_id = id_in_path(request, "number")
    async with request.app[PARTS].database.companies(company.id) as connection:
        taken = await take_target(connection, company.id, site.id, target_id)
        if taken is None:
            raise NotFound()
        values = {"site": site.id, "e164": taken.e164, "pools": list(taken.pools)}
        step = await offer_undo(connection, company.id, request[VIEWER], "site.number_removed", values)
        await _note_numbers(connection, request, company, site, [taken.e164], [])
    said = words.say("%(number)s is not swapped any more.") % {"number": words.phone(taken.e164)}
    return changed(request, to_sites(request, company, site.id), Notice(said, undo=step))


async def take_back_change(undoing: Undoing) -> str:
    """A site is as it was before."""
    site = await one_site(undoing.connection, undoing.company_id, int(undoing.values["site"]))
    if site is None:
        raise NotFound()
    await _save(undoing.connection, undoing.company_id, site, undoing.values["before"])
    return f"site/{site.id}"


async def take_back_removal(undoing: Undoing) -> str:
    """A number is swapped on its site again, by the pools that named it."""
    taken = TargetTaken(undoing.values["e164"], tuple(undoing.values["pools"]))
    await give_target(undoing.connection, undoing.company_id, int(undoing.values["site"]), taken)
    return f"site/{undoing.values['site']}"


async def site_of(request: web.Request, company: Company) -> SiteSettings:
    """The site that the address names. Raises NotFound for one that is not this company's."""
    site_id = id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        site = await one_site(connection, company.id, site_id)
    if site is None:
        raise NotFound()
    return site


def to_sites(request: web.Request, company: Company, site_id: int | None = None, more: str = "") -> str:
    """The address of the list, or of one site."""
    query = f"?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else ""
    return f"{SITES}{'' if site_id is None else f'/{site_id}'}{more}{query}"


def may_write(request: web.Request, company: Company) -> bool:
    """Whether the viewer may change settings in this company."""
    return company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER])


class _Saved(TypedDict):
    """Everything that is set of a site, as an undo keeps it."""

    name: str
    hosts: list[str]
    payment_hosts: list[str]
    time_zone: str | None
    consent_required: bool


async def _save(connection: Connection, company_id: int, site: SiteSettings, after: _Saved) -> _Saved:
    """Set everything of a site; what was there before."""
    name = after["name"]
    await save_site(
        connection,
        company_id,
        site.id,
        name,
        hosts=after["hosts"],
        payment_hosts=after["payment_hosts"],
        time_zone=after["time_zone"],
        consent_required=after["consent_required"],
    )
    return {
        "name": site.name,
        "hosts": list(site.hosts),
        "payment_hosts": list(site.payment_hosts),
        "time_zone": site.time_zone,
        "consent_required": site.consent_required,
    }


async def _note_numbers(
    connection: Connection,
    request: web.Request,
    company: Company,
    site: SiteSettings,
    before: list[str],
    after: list[str],
) -> None:
    await note(
        connection,
        actor_of(request),
        company.id,
        Action.SETTING_CHANGED,
        f"site/{site.id}",
        name=site.name,
        changes={"numbers": [before, after]},
    )


def _hosts(form: Form, name: str, words: Words, *, required: bool = False) -> list[str]:
    """Names of web servers, one a line or with commas; an address as a browser shows it is taken for its name."""
    text = form.text(name, longest=3000, required=required, lines=True)
    found = []
    for line in text.replace(",", "\n").split():
        host = (line.partition("://")[2] or line).partition("/")[0]
        try:
            found += sites.checked_hosts([host])
        except pool_errors.BadHost:
            form.refuse(name, words.say("%(name)s is not the name of a web server.") % {"name": line[:60]})
    if len(found) > _MOST_HOSTS:
        form.refuse(name, words.say("That is more than a website has."))
    return list(dict.fromkeys(found))


def _form_of(site: SiteSettings, words: Words) -> Form:
    return Form(
        {
            "name": site.name,
            "hosts": "\n".join(site.hosts),
            "payment_hosts": "\n".join(site.payment_hosts),
            "time_zone": site.time_zone,
            "consent_required": "yes" if site.consent_required else "",
        },
        words,
    )


def _first_address(site: SiteSettings, newest: Check | None) -> str:
    if newest is not None:
        return newest.url
    return f"https://{site.hosts[0]}/" if site.hosts else ""


def _of_setup(company: Company) -> setup.Company:
    return setup.Company(company.id, company.name, company.region)
