"""One check from beginning to end: a browser, two visits, and what comes of them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp

from gateway.settings import CollectorSettings, SiteCheckSettings
from gateway.site_check import stored
from gateway.site_check.chromium import BrowserChoice, running_chromium
from gateway.site_check.devtools import ProtocolError
from gateway.site_check.errors import BadAddress, BrowserFailed, SiteCheckError
from gateway.site_check.facts import SiteFacts
from gateway.site_check.findings import Report
from gateway.site_check.judge import judge, opened
from gateway.site_check.judge_script import key_on
from gateway.site_check.look import host_in, look
from gateway.site_check.proxy import ANY_HOST, Outward, is_public
from gateway.site_check.seen import Seen
from gateway.site_check.stored import SiteNamed
from gateway.store.database import Database

# Two visits with all their patience take less.
LONGEST_SECONDS = 120.0
# What an advertisement writes behind the address of its page; nobody's click.
TEST_CLICK = ("gclid", "test-numberpool-check")
_HEALTH_SECONDS = 3.0

Tell = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be checked, and for whom.

    ``company_id``: only sites of this company are told of; none: an admin asks, who sees all. ``key``: the site that
    the page should be of. ``private``: whether its host may stand on a private address. ``check_id`` and ``mark``: of
    the check, where it is stored already.
    """

    url: str
    key: str = ""
    company_id: int | None = None
    private: bool = False
    check_id: int | None = None
    mark: str = ""


def checked_address(url: str) -> str:
    """The address of a page; a name alone is taken for https. Raises BadAddress."""
    given = url.strip()
    if "://" not in given:
        given = f"https://{given}"
    try:
        parts = urlsplit(given)
        valid = parts.scheme in ("http", "https") and parts.hostname and not parts.username and len(given) <= 1900
        _ = parts.port
    except ValueError:
        raise BadAddress(url) from None
    if not valid or any(letter.isspace() or not letter.isprintable() for letter in given):
        raise BadAddress(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))


def advertised(url: str) -> str:
    """The same page as an advertisement leads to it."""
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != TEST_CLICK[0]]
    return urlunsplit(parts._replace(query=urlencode([*query, TEST_CLICK])))


async def check(
    database: Database, settings: SiteCheckSettings, collector: CollectorSettings, wish: Wish, tell: Tell
) -> Report:
    """Look at a page. ``tell`` is told each step, by its name in ``words.STEPS``. Raises SiteCheckError.

    A check of a site that is known is stored, and with it what was found.
    """
    url = checked_address(wish.url)
    sites = await _sites(database, wish.company_id)
    wanted = _wanted(sites, wish.key, host_in(url))
    under_way = _UnderWay(database, url, wish.mark or stored.new_mark())
    if wanted is not None:
        if wish.check_id is None:
            await under_way.begin(wanted)
        else:
            under_way.checks.append((wanted.company_id, wish.check_id))
    private = await _private(host_in(url)) if wish.private else frozenset[str]()
    found: dict[str, Any] = {}
    try:
        report = await _bounded(settings, collector, SiteFacts(url, wanted, tuple(sites)), under_way, private, tell)
        found = report.as_json()
    except SiteCheckError as error:
        found = {"fault": str(error)}
        raise
    finally:
        await under_way.end(found)
    return report


async def _bounded(
    settings: SiteCheckSettings,
    collector: CollectorSettings,
    facts: SiteFacts,
    under_way: "_UnderWay",
    private: Collection[str],
    tell: Tell,
) -> Report:
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await _look(settings, collector, facts, under_way, private, tell)
    except ProtocolError as error:
        raise BrowserFailed(str(error)) from None
    except TimeoutError:
        raise BrowserFailed(f"it took more than {LONGEST_SECONDS:.0f} seconds") from None


@dataclass(slots=True)
class _UnderWay:
    """A check as it is stored, for every company whose collector is to answer it."""

    database: Database
    url: str
    mark: str
    checks: list[tuple[int, int]] = field(default_factory=list)  # company and check

    async def begin(self, site: SiteNamed) -> None:
        async with self.database.companies(site.company_id) as connection:
            check = await stored.add_check(connection, site.company_id, site.id, self.url, self.mark)
        self.checks.append((site.company_id, check))

    async def step(self, name: str) -> None:
        for company, check in self.checks:
            async with self.database.companies(company) as connection:
                await stored.note_step(connection, company, check, name)

    async def end(self, found: dict[str, Any]) -> None:
        for company, check in self.checks:
            async with self.database.companies(company) as connection:
                await stored.note_end(connection, company, check, found)


async def _look(
    settings: SiteCheckSettings,
    collector: CollectorSettings,
    facts: SiteFacts,
    under_way: _UnderWay,
    private: Collection[str],
    tell: Tell,
) -> Report:
    async def step(name: str) -> None:
        await under_way.step(name)
        await tell(name)

    choice = BrowserChoice(settings.chromium, settings.sandbox)
    await step("browser")
    async with (
        Outward(private).open() as outward,
        running_chromium(choice, calls_itself=stored.calls_itself(under_way.mark), proxy=outward.url) as browser,
    ):
        await step("advertised")
        first = _with_faults(await look(browser, advertised(facts.url), consent=True), outward)
        if not opened(first):
            return judge(facts, first, None, outward.addresses)
        site = facts.of_key(key_on(first)) or facts.wanted
        if site is not None and site.company_id not in {company for company, _ in under_way.checks}:
            # Only now it is known whose key the page carries: from now on its visits are shown numbers.
            await under_way.begin(site)
            first = _with_faults(await look(browser, advertised(facts.url), consent=True), outward)
        await step("direct")
        direct = _with_faults(await look(browser, facts.url, again=True), outward)
        await step("judging")
        facts = await _known(under_way.database, collector, facts, site)
        return judge(facts, first, direct, outward.addresses)


def _with_faults(seen: Seen, outward: Outward) -> Seen:
    seen.faults = dict(outward.faults)
    return seen


async def _private(host: str) -> frozenset[str]:
    """Which hosts may stand on private addresses: where the page's own does, it is no stranger, and may reach all."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except OSError:
        return frozenset()
    return frozenset() if any(is_public(str(info[4][0])) for info in found) else ANY_HOST


async def _sites(database: Database, company_id: int | None) -> list[SiteNamed]:
    if company_id is not None:
        async with database.companies(company_id) as connection:
            return await stored.all_sites(connection)
    async with database.everything() as connection:
        return await stored.all_sites(connection)


def _wanted(sites: list[SiteNamed], key: str, host: str) -> SiteNamed | None:
    if key:
        return next((each for each in sites if each.key == key), None)
    return next((each for each in sites if each.is_own(host)), None)


async def _known(
    database: Database, collector: CollectorSettings, facts: SiteFacts, site: SiteNamed | None
) -> SiteFacts:
    """The facts with what is known of the site whose key the page carries."""
    address, is_up = await _collector_here(collector)
    facts = replace(facts, is_up=is_up, collector=address)
    if site is None:
        return facts
    async with database.companies(site.company_id) as connection:
        numbers = await stored.numbers_of(connection, site.company_id, site.id)
    return replace(facts, region=site.region, targets=numbers.targets, lent=numbers.lent, printed=numbers.printed)


async def _collector_here(collector: CollectorSettings) -> tuple[str, bool | None]:
    """Whether the collector that the settings name answers; none where they name no port."""
    if not collector.port:
        return "", None
    host = "127.0.0.1" if collector.host in ("", "0.0.0.0", "::") else collector.host
    address = f"http://{f'[{host}]' if ':' in host else host}:{collector.port}"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_HEALTH_SECONDS)) as session,
            session.get(f"{address}/healthz") as answer,
        ):
            return address, answer.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return address, False
