"""Pages as they go wrong in the world, opened in a real Chromium: each is told apart from the others, with its mend."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from gateway.pools import setup, sites
from gateway.site_check.findings import Finding, Level, Report
from gateway.site_check.words import told
from tests.site_check.conftest import Town, add_company
from tests.site_check.website import MAIN, Checked, Website

NUMBER = "<p>Call (306) 555-1234</p>"
# What a page that is as it should be is told.
WELL = {"page.opened", "script.found", "key.right", "host.own", "collector.answered", "target.swapped", "direct.own"}


def kinds(report: Report) -> set[str]:
    """What was found."""
    return {each.kind for each in report.findings}


def one(report: Report, kind: str) -> Finding:
    """The finding of that kind; the mend of what is wrong must be said."""
    found = [each for each in report.findings if each.kind == kind]
    assert found, f"{kind} is not among {sorted(kinds(report))}"
    said = told(found[0])
    assert said.what
    assert "%(" not in said.what + said.mend
    if found[0].level in (Level.PROBLEM, Level.WARNING):
        assert said.mend
    return found[0]


@dataclass(frozen=True)
class Case:
    """A page, and what is found besides what is well. ``gone``: of what is well, what is not said."""

    name: str
    found: tuple[str, ...]
    body: str = NUMBER
    head: str | None = None
    gone: tuple[str, ...] = ()
    prepare: Callable[[Website], None] | None = None


NOT_RUN = ("script.found", "collector.answered", "target.swapped", "direct.own")
NO_SNIPPET = (*NOT_RUN, "key.right", "host.own")
UNANSWERED = ("collector.answered", "target.swapped", "direct.own")


def policy(text: str) -> Callable[[Website], None]:
    """A page with a Content-Security-Policy."""

    def prepare(site: Website) -> None:
        site.headers["Content-Security-Policy"] = text

    return prepare


def np(answer: Callable[[Website, web.Request], Awaitable[web.StreamResponse]]) -> Callable[[Website], None]:
    """A web server that does something else with /np/."""

    def prepare(site: Website) -> None:
        site.np = lambda request: answer(site, request)

    return prepare


async def not_passed_on(_site: Website, _request: web.Request) -> web.StreamResponse:
    return web.Response(status=404, text="<h1>Not here</h1>", content_type="text/html")


async def own_page(_site: Website, _request: web.Request) -> web.StreamResponse:
    return web.Response(text="<!doctype html><h1>Roofs</h1>", content_type="text/html")


async def bad_gateway(_site: Website, _request: web.Request) -> web.StreamResponse:
    return web.Response(status=502, text="Bad Gateway", content_type="text/html")


async def prefix_kept(site: Website, request: web.Request) -> web.StreamResponse:
    return await site.pass_on(request, cut=False)


async def only_get(site: Website, request: web.Request) -> web.StreamResponse:
    if request.method == "POST":
        return web.Response(status=405, text="no")
    return await site.pass_on(request)


async def post_gateway(site: Website, request: web.Request) -> web.StreamResponse:
    if request.method == "POST":
        return web.Response(status=504, text="no")
    return await site.pass_on(request)


async def hangs_up(site: Website, request: web.Request) -> web.StreamResponse:
    if request.method == "POST":
        assert request.transport is not None
        request.transport.close()
    return await site.pass_on(request)


async def slow(site: Website, request: web.Request) -> web.StreamResponse:
    if request.method == "POST":
        await asyncio.sleep(1.3)
    return await site.pass_on(request)


async def kept_long(site: Website, request: web.Request) -> web.StreamResponse:
    return await site.pass_on(request, more={"Cache-Control": "public, max-age=31536000"})


def manager(site: Website) -> None:
    """A tag manager, which puts the tag in when it is loaded."""
    site.files["/gtm.js"] = (
        "text/javascript",
        "const s = document.createElement('script'); s.async = true;"
        f" s.src = '/np/np.js?site={site.key}'; document.head.append(s)",
    )


def theme(site: Website) -> None:
    """A script of the site that puts the tag in."""
    manager(site)
    site.files["/theme.js"] = site.files.pop("/gtm.js")


def worker(body: str) -> Callable[[Website], None]:
    """A site with a service worker."""

    def prepare(site: Website) -> None:
        site.files["/sw.js"] = (
            "text/javascript",
            "addEventListener('install', () => skipWaiting());"
            f" addEventListener('activate', (event) => event.waitUntil(clients.claim())); {body}",
        )

    return prepare


AUTOPTIMIZED = "/wp-content/cache/autoptimize/js/autoptimize_0f.js"
PASSES_BY = """addEventListener('fetch', (event) => {
  if (/^.np./.test(new URL(event.request.url).pathname)) return; event.respondWith(fetch(event.request)) })"""
REGISTER = "<script>navigator.serviceWorker.register('/sw.js')</script>"
DELAYED = """<script type="rocketlazyloadscript" data-rocket-src="/np/np.js" data-site="{key}" async></script>
<script>addEventListener("mousemove", () => { for (const old of document.querySelectorAll("[data-rocket-src]")) {
  const now = document.createElement("script"); now.src = old.dataset.rocketSrc; now.dataset.site = old.dataset.site;
  old.replaceWith(now) } }, { once: true })</script>"""
LOADER = """<script type="0123456789abcdef-text/javascript" src="/np/np.js" data-site="{key}"></script>
<script>addEventListener("load", () => { const old = document.querySelector("[type$=-text\\\\/javascript]");
  const now = document.createElement("script"); now.src = old.src; now.dataset.site = old.dataset.site;
  document.head.append(now) })</script>"""
FIGHT = """<p id=a>(306) 555-1234</p><script>
new MutationObserver(() => { const a = document.getElementById("a"); if (!/1234/.test(a.textContent))
  a.textContent = "(306) 555-1234" }).observe(document.body, { subtree: true, childList: true, characterData: true })
</script>"""

PAGES = [
    Case("as it should be", ()),
    Case("the inline variant", ("script.inline_found",), head="{inline}"),
    # -- the tag -------------------------------------------------------------------------------------------------------
    Case("no tag", ("script.missing",), head="", gone=NO_SNIPPET),
    Case("twice", ("script.twice",), head="{tag}{tag}"),
    Case(
        # The first is waited for: of two that load at once, either may be the one that asks.
        "two keys",
        ("script.two_keys",),
        head='<script src="/np/np.js" data-site="{key}"></script><script async src="/np/np.js?site=another"></script>',
    ),
    Case("no key", ("script.no_key",), head='<script async src="/np/np.js"></script>', gone=NO_SNIPPET),
    Case(
        "another's key",
        ("key.unknown",),
        head='<script async src="/np/np.js" data-site="nobodys"></script>',
        gone=("key.right", "host.own", *UNANSWERED),
    ),
    Case("tag manager", ("script.by_tag_manager",), head='<script async src="/gtm.js"></script>', prepare=manager),
    Case(
        "a script of the page",
        ("script.by_script",),
        head='<script src="/theme.js"></script>',
        prepare=theme,
    ),
    # -- policies ------------------------------------------------------------------------------------------------------
    Case("script forbidden", ("script.policy",), prepare=policy("script-src 'none'"), gone=NOT_RUN),
    Case("asking forbidden", ("collector.policy",), prepare=policy("connect-src 'none'"), gone=UNANSWERED),
    Case(
        "inline forbidden",
        ("script.inline_policy",),
        head="{inline}",
        prepare=policy("script-src 'self'"),
        gone=NOT_RUN,
    ),
    # -- optimisers ----------------------------------------------------------------------------------------------------
    Case("WP Rocket", ("optimiser.wp_rocket",), head=DELAYED),
    Case("Rocket Loader", ("optimiser.rocket_loader",), head=LOADER),
    Case(
        "LiteSpeed",
        ("optimiser.litespeed",),
        head='<script type="litespeed/javascript" data-src="/np/np.js" data-site="{key}"></script>',
        gone=NOT_RUN,
    ),
    Case(
        "Flying Scripts",
        ("optimiser.flying_scripts",),
        head='<script data-type="lazy" data-src="/np/np.js" data-site="{key}"></script>',
        gone=NOT_RUN,
    ),
    Case(
        "NitroPack",
        ("optimiser.nitropack",),
        head='<script type="nitropack/script" nitro-src="/np/np.js" data-site="{key}"></script>',
        gone=NOT_RUN,
    ),
    Case(
        "Perfmatters",
        ("optimiser.perfmatters",),
        head='<script type="pmdelayedscript" src="/np/np.js" data-site="{key}"></script>',
        gone=NOT_RUN,
    ),
    Case(
        "Autoptimize",
        ("optimiser.autoptimize",),
        head='<!-- np.js --><script src="' + AUTOPTIMIZED + '"></script>',
        prepare=lambda site: site.files.update({AUTOPTIMIZED: ("text/javascript", "")}),
        gone=NO_SNIPPET,
    ),
    Case(
        "held back for consent",
        ("script.held_for_consent",),
        head='<script type="text/plain" data-cookieconsent="statistics" src="/np/np.js" data-site="{key}"></script>',
        gone=NOT_RUN,
    ),
    # -- the way to the collector --------------------------------------------------------------------------------------
    Case("not passed on", ("script.not_passed_on",), prepare=np(not_passed_on), gone=NOT_RUN),
    Case("its own pages", ("script.not_a_script",), prepare=np(own_page), gone=NOT_RUN),
    Case("prefix kept", ("script.prefix_kept",), prepare=np(prefix_kept), gone=NOT_RUN),
    Case("bad gateway", ("script.gateway", "collector.up"), prepare=np(bad_gateway), gone=NOT_RUN),
    Case("only GET", ("collector.status",), prepare=np(only_get), gone=UNANSWERED),
    Case("gateway of POST", ("collector.gateway", "collector.up"), prepare=np(post_gateway), gone=UNANSWERED),
    Case("hangs up", ("collector.failed", "collector.up"), prepare=np(hangs_up), gone=UNANSWERED),
    Case("slow", ("collector.slow",), prepare=np(slow), gone=("collector.answered",)),
    Case("kept for a year", ("script.kept_long",), prepare=np(kept_long)),
    Case(
        "refused",
        ("script.connection_refused", "collector.up"),
        head='<script async src="http://localhost:{unused}/np.js" data-site="{key}"></script>',
        gone=NOT_RUN,
    ),
    Case(
        "unknown name",
        ("script.unknown_name", "collector.up"),
        head='<script async src="http://np.nowhere.invalid/np.js" data-site="{key}"></script>',
        gone=NOT_RUN,
    ),
    Case(
        "a worker that answers",
        ("worker.answers",),
        body=NUMBER + REGISTER,
        prepare=worker("addEventListener('fetch', (event) => event.respondWith(fetch(event.request)))"),
    ),
    Case(
        "a worker that does not",
        ("worker.there",),
        body=NUMBER + REGISTER,
        prepare=worker(PASSES_BY),
    ),
    # -- the numbers ---------------------------------------------------------------------------------------------------
    Case("not on this page", ("target.absent",), body="<p>Hello</p>", gone=("target.swapped",)),
    Case("another number", ("number.other",), body=NUMBER + "<p>Fax (306) 244-7700</p>"),
    Case("excepted", ("target.kept_out",), body=NUMBER + "<p data-np-skip>(306) 555-1234</p>"),
    Case(
        "in a frame",
        ("number.in_frame",),
        body='<iframe src="/frame"></iframe>',
        prepare=lambda site: site.files.update({"/frame": ("text/html", "<p>(306) 555-1234</p>")}),
        gone=("target.swapped",),
    ),
    Case(
        "in a picture",
        ("number.in_image",),
        body='<img src="/call-306-555-1234.png" alt="" width=9 height=9>',
        prepare=lambda site: site.files.update({"/call-306-555-1234.png": ("image/png", "")}),
        gone=("target.swapped",),
    ),
    Case("saved for another", ("number.saved",), body=NUMBER + "<p>(306) 555-2002</p>"),
    Case("puts its own back", ("target.fought",), body=FIGHT, gone=("target.swapped",)),
    Case(
        "in pieces",
        ("target.left",),
        body=NUMBER + "<p>ref 9/306-555-1234</p>",
    ),
    # -- consent -------------------------------------------------------------------------------------------------------
    Case(
        "consent",
        ("consent.waits", "consent.works", "consent.no_banner"),
        head='<script async src="/np/np.js" data-site="{key}" data-consent="required"></script>',
    ),
    Case(
        "consent with a banner",
        ("consent.waits", "consent.works", "consent.banner"),
        head="<script>window.Cookiebot = {}</script>"
        '<script async src="/np/np.js" data-site="{key}" data-consent="required"></script>',
    ),
]


@pytest.mark.parametrize("case", PAGES, ids=lambda case: case.name)
async def test_a_page(town: Town, case: Case) -> None:
    shop = await town.website()
    if case.prepare is not None:
        case.prepare(shop.site)
    inline = (await inline_of(shop)) if case.head and "{inline}" in case.head else ""
    head = shop.site.tag if case.head is None else case.head
    head = head.replace("{key}", shop.site.key).replace("{tag}", shop.site.tag).replace("{inline}", inline)
    head = head.replace("{unused}", str(unused_port()))
    shop.site.page(case.body, head)
    report = await shop.check()
    for kind in case.found:
        one(report, kind)
    assert kinds(report) - {"setup.same_host", *case.found} == WELL - set(case.gone)
    assert {"setup.same_host"} <= kinds(report) or "collector.answered" in case.gone


async def inline_of(shop: Checked) -> str:
    """The inline variant for the site."""
    from gateway.visits.snippet import inline_snippet

    return inline_snippet(shop.site.key, "/np/").html


# -- pages that do not open --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, "page.not_found"),
        (410, "page.not_found"),
        (401, "page.refused"),
        (403, "page.refused"),
        (500, "page.broken"),
    ],
)
async def test_a_page_that_is_refused(town: Town, status: int, kind: str) -> None:
    shop = await town.website(status=status)
    shop.site.page(NUMBER)
    report = await shop.check()
    assert kinds(report) == {kind}
    assert one(report, kind).facts["status"] == status
    assert not report.is_well


async def test_a_challenge(town: Town) -> None:
    shop = await town.website(status=403, headers={"cf-mitigated": "challenge"})
    shop.site.page("<p>Just a moment</p>")
    assert kinds(await shop.check()) == {"page.challenge"}


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://nowhere.invalid/", "page.unknown_name"),
        ("http://localhost:1/", "page.no_answer"),  # a port that browsers themselves refuse
    ],
)
async def test_a_page_that_is_not_there(town: Town, url: str, kind: str) -> None:
    shop = await town.website()
    assert kinds(await shop.check(url)) == {kind}


async def test_nobody_listens(town: Town) -> None:
    shop = await town.website()
    assert kinds(await shop.check(f"http://localhost:{unused_port()}/")) == {"page.connection_refused"}


def unused_port() -> int:
    """A port on which nobody listens."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_a_private_page_is_not_opened_for_a_stranger(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    report = await shop.check(private=False)
    assert kinds(report) == {"page.private"}
    assert shop.site.agents == set()


async def test_redirects(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    report = await shop.check(shop.site.url + "moved")
    # The redirect forgets what stood behind the address.
    assert {"page.redirected", "page.query_lost"} <= kinds(report)
    assert one(report, "page.query_lost").level is Level.PROBLEM
    # So the visit counts as a direct one, and the page keeps its number.
    assert "target.no_pool" in kinds(report)


async def test_it_can_be_told_from_visitors(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    await shop.check()
    assert shop.site.agents
    assert all("NumberpoolCheck/1 (" in agent for agent in shop.site.agents)
    assert not any("Headless" in agent for agent in shop.site.agents)


# -- sites, keys and hosts ---------------------------------------------------------------------------------------------


async def test_a_host_that_is_not_the_sites(town: Town) -> None:
    shop = await town.website()
    await town.change(
        lambda connection: sites.change_site(connection, town.company, town.site_name, hosts=["acme.example"])
    )
    # Passed on by the site itself it works, and is told of all the same.
    shop.site.page(NUMBER)
    report = await shop.check()
    assert one(report, "host.unlisted").level is Level.WARNING
    assert "target.swapped" in kinds(report)
    # From elsewhere the collector refuses it.
    shop.site.page(NUMBER, f'<script async src="{town.worker.url}/np.js" data-site="{town.key}"></script>')
    report = await shop.check()
    assert one(report, "host.refused").facts == {"host": "localhost", "site": town.site_name}
    assert "target.swapped" not in kinds(report)


async def test_a_foreign_host_remembers_worse(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER, f'<script async src="{town.worker.url}/np.js" data-site="{town.key}"></script>')
    report = await shop.check()
    assert one(report, "setup.foreign").facts == {"host": "127.0.0.1", "safari": 7}
    assert "target.swapped" in kinds(report)


async def test_another_sites_key(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    await town.change(lambda connection: sites.add_site(connection, town.company, "Second", hosts=["second.example"]))
    async with town.database.everything() as connection:
        second = next(each for each in await sites.sites(connection, town.company) if each["name"] == "Second")
    report = await shop.check(key=second["public_key"])
    found = one(report, "key.of_another")
    assert (found.facts["site"], found.facts["wanted"]) == (town.site_name, "Second")


async def test_a_site_without_targets(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    await town.change(lambda connection: sites.remove_target(connection, town.company, town.site_name, MAIN))
    assert one(await shop.check(), "target.none").level is Level.PROBLEM


async def test_no_pool_for_advertisements(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    await town.change(lambda connection: connection.execute("DELETE FROM tracking_numbers"))
    await town.change(lambda connection: connection.execute("DELETE FROM pools"))
    found = one(await shop.check(), "target.no_pool")
    assert found.facts["source"] == "Google Paid"


async def test_a_collector_that_is_down(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    shop.site.collector = f"http://127.0.0.1:{unused_port()}"
    shop.settings = shop.settings.model_copy(
        update={
            "collector": shop.settings.collector.model_copy(
                update={"port": int(shop.site.collector.rpartition(":")[2])}
            )
        }
    )

    async def fails(request: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text="Bad Gateway")

    shop.site.np = fails
    report = await shop.check()
    assert {"script.gateway", "collector.down"} <= kinds(report)


# -- what the company has set -----------------------------------------------------------------------------------------


async def test_a_page_with_a_password(town: Town) -> None:
    shop = await town.website()
    shop.site.page('<form><label>Password <input type="password"></label></form>', head="")
    assert {"page.sign_in", "script.missing"} <= kinds(await shop.check())


async def test_consent_that_the_site_requires(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    await town.change(lambda connection: sites.require_consent(connection, town.company, town.site_name, True))
    report = await shop.check()
    assert {"consent.waits", "consent.works", "target.swapped"} <= kinds(report)


async def test_consent_that_brings_no_number(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER, shop.site.tag.replace("data-site", 'data-consent="required" data-site'))
    await town.change(lambda connection: connection.execute("DELETE FROM tracking_numbers"))
    await town.change(lambda connection: connection.execute("DELETE FROM pools"))
    assert one(await shop.check(), "consent.fails").level is Level.PROBLEM


async def test_a_pool_without_a_free_number_falls_back(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    await town.change(
        lambda connection: connection.execute(
            "UPDATE pools SET when_full = 'fallback', fallback_number = '+13065557777'; "
        )
    )
    await town.change(lambda connection: connection.execute("UPDATE tracking_numbers SET resting_until = 'infinity'"))
    report = await shop.check()
    assert one(report, "target.full").facts["number"] == "(306) 555-7777"


async def test_a_static_number(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER + "<p>As in the newspaper: (306) 244-5001</p>")

    async def add(connection: Any) -> None:
        await connection.execute("DELETE FROM tracking_numbers")
        await connection.execute("DELETE FROM pools")
        await setup.add_source(connection, town.company, "Google Ads", source="google")
        await setup.add_source(connection, town.company, "Newspaper")
        await setup.add_number(connection, town.company, "+13062445000", source="Google Ads")
        await setup.add_number(connection, town.company, "+13062445001", source="Newspaper")

    await town.change(add)
    report = await shop.check()
    assert one(report, "target.static").facts["number"] == "(306) 244-5000"
    assert one(report, "number.printed_static").facts["number"] == "(306) 244-5001"


async def test_a_pool_for_direct_visits(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    conditions = '{"source": ["(direct)", "google"]}'
    await town.change(lambda connection: connection.execute("UPDATE pools SET conditions = $1", conditions))
    found = one(await shop.check(), "direct.swapped")
    assert found.facts["target"] == "(306) 555-1234"


async def test_it_is_known_by_its_key_where_the_host_is_not(town: Town) -> None:
    """Whose page it is, is seen only on it; from then on it is shown numbers."""
    shop = await town.website()
    shop.site.page(NUMBER)
    await town.change(
        lambda connection: sites.change_site(connection, town.company, town.site_name, hosts=["acme.example"])
    )
    report = await shop.check()
    assert report.key == town.key
    assert {"key.right", "target.swapped"} <= kinds(report)


async def test_a_stranger_of_another_company_is_told_nothing(town: Town) -> None:
    """As a page asks for it: keys of other companies are nobody's."""
    shop = await town.website()
    async with town.database.everything() as connection:
        other = await add_company(connection, "Borealis", 3001)
        theirs = await sites.add_site(connection, other, "Theirs", hosts=["borealis.example"])
    await town.worker.parts.catalog.load(town.worker.database)
    shop.site.page(NUMBER, f'<script async src="/np/np.js" data-site="{theirs.public_key}"></script>')
    report = await shop.check(company_id=town.company.id, key=town.key)
    assert one(report, "key.unknown").facts["key"] == theirs.public_key
    assert "Borealis" not in str(report.as_json())
    assert "Theirs" not in str(report.as_json())
    report = await shop.check(key=town.key)
    assert one(report, "key.of_another").facts["company"] == "Borealis"
