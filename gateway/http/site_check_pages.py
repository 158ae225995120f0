"""A check of a site's page, asked for by a button: how far it is, and then its report."""

from aiohttp import web

from gateway.http.accounts import Company
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_pages import CheckSummary, may_write, show_site, site_of, to_sites
from gateway.http.words import Words
from gateway.pools.site_changes import SiteSettings
from gateway.site_check.check import checked_address
from gateway.site_check.errors import BadAddress
from gateway.site_check.findings import Report, report_of
from gateway.site_check.job import ask_for_check
from gateway.site_check.look import host_in
from gateway.site_check.stored import Check, newest_checks, one_check
from gateway.site_check.words import STEPS, told_by_area


async def begin(request: web.Request) -> web.StreamResponse:
    """Put a check of one of the site's pages into the queue."""
    company = company_of(request)
    site, words = await site_of(request, company), words_for(request, company)
    form = Form(await form_of(request), words)
    url = _address(form, site, words)
    if form.problems:
        return await show_site(request, company, site, status=422, check_form=form)
    async with request.app[PARTS].database.companies(company.id) as connection:
        newest = (await newest_checks(connection, company.id)).get(site.id)
        if newest is not None and CheckSummary(newest).is_under_way:
            check_id = newest.id
        else:
            viewer = request[VIEWER].user_id
            check_id = await ask_for_check(connection, company.id, site.id, site.public_key, url, viewer)
    said = words.say("The page is being looked at; that takes about half a minute.")
    return changed(request, to_sites(request, company, site.id, f"/checks/{check_id}"), Notice(said))


async def report(request: web.Request) -> web.StreamResponse:
    """What a check found, or how far it is."""
    company = company_of(request)
    site = await site_of(request, company)
    check = await _check(request, company, site)
    words = words_for(request, company)
    found = report_of(check.report or {})
    return render(
        request,
        "site_check.html",
        company=company,
        site=site,
        check=check,
        summary=CheckSummary(check),
        areas=told_by_area(found, words.say),
        counts=_counts(found),
        fault=str((check.report or {}).get("fault", "")),
        step=words.say(STEPS.get(check.step, STEPS["waits"])),
        may_write=may_write(request, company),
    )


async def progress(request: web.Request) -> web.StreamResponse:
    """How far a check is, for the page that waits for it."""
    company = company_of(request)
    check = await _check(request, company, await site_of(request, company))
    words = words_for(request, company)
    return web.json_response(
        {
            "step": words.say(STEPS.get(check.step, STEPS["waits"])),
            "place": list(STEPS).index(check.step) if check.step in STEPS else 0,
            "ended": not CheckSummary(check).is_under_way,
        },
        headers={"Cache-Control": "no-store"},
    )


async def _check(request: web.Request, company: Company, site: SiteSettings) -> Check:
    check_id = id_in_path(request, "check")
    async with request.app[PARTS].database.companies(company.id) as connection:
        check = await one_check(connection, company.id, check_id)
    if check is None or check.site_id != site.id:
        raise NotFound()
    return check


def _address(form: Form, site: SiteSettings, words: Words) -> str:
    """The page that is to be looked at: of the site's own hosts alone, so that nobody looks around from here."""
    text = form.text("url", longest=1900)
    try:
        url = checked_address(text) if text else ""
    except BadAddress:
        form.refuse("url", words.say("This is not the address of a page; copy it from your browser."))
        return ""
    if url and not site.is_own(host_in(url)):
        said = words.say("%(host)s is not one of this website's hosts; add it to them first.")
        form.refuse("url", said % {"host": host_in(url)})
    return url


def _counts(found: Report) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in found.findings:
        counts[each.level.value] = counts.get(each.level.value, 0) + 1
    return counts
