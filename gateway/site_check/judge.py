"""What was seen of a page, put into findings: plain functions over plain values."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from gateway.site_check.facts import SiteFacts
from gateway.site_check.findings import Finding, Report, good, note, problem, warning
from gateway.site_check.judge_collector import collector_findings
from gateway.site_check.judge_numbers import number_findings
from gateway.site_check.judge_script import key_on, script_findings, worker_findings
from gateway.site_check.look import LOAD_SECONDS, host_in, is_visit, refusal_of
from gateway.site_check.proxy import Fault
from gateway.site_check.seen import Seen
from gateway.visits.ways import LONGEST, SAFARI, Way, way_of

_CHALLENGES = ("just a moment", "attention required", "checking your browser", "verify you are human")


def judge(facts: SiteFacts, advertised: Seen, direct: Seen | None, addresses: dict[str, str]) -> Report:
    """Everything there is to say. ``addresses``: where the hosts stand, as they were reached."""
    found = list(page_findings(facts, advertised))
    if direct is not None:
        found += script_findings(facts, advertised)
        found += _key(facts, advertised)
        found += worker_findings(direct)
        found += collector_findings(facts, advertised)
        found += number_findings(facts, advertised, direct)
        found += _setup(advertised, addresses)
    key = key_on(advertised) or (facts.wanted.key if facts.wanted else "")
    return Report(facts.url, key, tuple(found))


def opened(seen: Seen) -> bool:
    """Whether there is a page to look at."""
    return not seen.error and seen.status is not None and seen.status < 400 and not _is_challenge(seen)


def page_findings(facts: SiteFacts, seen: Seen) -> Iterator[Finding]:
    """Whether the page opens, and where that leads."""
    if seen.error:
        yield _not_opened(facts, seen)
        return
    status = seen.status or 0
    if _is_challenge(seen):
        yield problem("page.challenge")
    elif status in (401, 403, 407, 429):
        yield problem("page.refused", status=status)
    elif 400 <= status < 500:
        yield problem("page.not_found", status=status)
    elif status >= 500:
        yield problem("page.broken", status=status)
    elif not seen.html and "html" not in seen.headers.get("content-type", "html"):
        yield problem("page.no_page", mime=seen.headers.get("content-type", ""))
    else:
        yield from _opened(facts, seen)


def _opened(facts: SiteFacts, seen: Seen) -> Iterator[Finding]:
    came, final = host_in(facts.url), host_in(seen.final_url)
    asked, there = urlsplit(seen.url), urlsplit(seen.final_url)
    if came != final and facts.wanted is not None and not facts.wanted.is_own(final):
        yield warning("page.redirected_away", url=facts.url, final=_short(seen.final_url))
    elif (asked.netloc, asked.path.rstrip("/")) != (there.netloc, there.path.rstrip("/")):
        yield note("page.redirected", url=facts.url, final=_short(seen.final_url))
    else:
        yield good("page.opened", url=facts.url)
    if "gclid=" in asked.query and "gclid=" not in _landed(seen):
        yield problem("page.query_lost", final=_short(seen.final_url))
    if seen.state.password and not seen.state.scripts:
        yield warning("page.sign_in")
    if seen.timed_out:
        yield warning("page.slow", seconds=int(LOAD_SECONDS))


def _landed(seen: Seen) -> str:
    """The address with which the page was loaded; a page may tidy it up afterwards, when the snippet has read it."""
    document = next((each for each in seen.requests if each.kind == "Document"), None)
    return urlsplit(document.url if document else seen.final_url).query


def _not_opened(facts: SiteFacts, seen: Seen) -> Finding:
    parts = urlsplit(facts.url)
    host = parts.hostname or ""
    fault = seen.faults.get(f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}")
    word = seen.error.removeprefix("net::")
    match fault:
        case Fault.UNKNOWN_NAME:
            return problem("page.unknown_name", host=host)
        case Fault.REFUSED:
            return problem("page.connection_refused", host=host)
        case Fault.SILENT:
            return problem("page.silent", host=host)
        case Fault.PRIVATE:
            return problem("page.private", host=host, url=facts.url)
    if "ERR_CERT" in word or "ERR_SSL" in word:
        return problem("page.bad_certificate", fault=word)
    if "ERR_TIMED_OUT" in word:
        return problem("page.silent", host=host)
    if "ERR_ABORTED" in word:
        return problem("page.no_page", mime=seen.headers.get("content-type", "–"))
    return problem("page.no_answer", fault=word)


def _is_challenge(seen: Seen) -> bool:
    title = seen.state.title.lower()
    return seen.headers.get("cf-mitigated") == "challenge" or (
        (seen.status or 0) in (403, 429, 503) and any(words in title for words in _CHALLENGES)
    )


def _key(facts: SiteFacts, seen: Seen) -> Iterator[Finding]:
    key = key_on(seen)
    if not key:
        return
    site = facts.of_key(key)
    if site is None:
        yield problem("key.unknown", key=key)
        return
    if facts.wanted is not None and site.key != facts.wanted.key:
        yield problem("key.of_another", key=key, site=site.name, company=site.company, wanted=facts.wanted.name)
    else:
        yield good("key.right", site=site.name, company=site.company)
    host = host_in(seen.final_url)
    if any(refusal_of(each) == "wrong_origin" for each in seen.requests):
        yield problem("host.refused", host=host, site=site.name)
    elif site.is_own(host):
        yield good("host.own", host=host)
    else:
        yield warning("host.unlisted", host=host)


def _setup(seen: Seen, addresses: dict[str, str]) -> Iterator[Finding]:
    """Where the collector stands, and for how long that lets visitors be remembered."""
    asked = next((each for each in seen.requests if is_visit(each) and each.status == 200), None)
    if asked is None:
        return
    host = host_in(asked.url)
    page = urlsplit(seen.final_url)
    origin = f"{page.scheme}://{page.netloc}"
    way = way_of(asked.origin or origin, urlsplit(asked.url).netloc, asked.fetch_site)
    if page.netloc == urlsplit(asked.url).netloc:
        way = Way.SAME_HOST
    days, safari = _days(LONGEST), _days(SAFARI)
    match way:
        case Way.SAME_HOST:
            yield good("setup.same_host", days=days)
        case Way.SUB_DOMAIN if _near(addresses.get(host, ""), addresses.get(host_in(seen.final_url), "")):
            yield good("setup.sub_domain", host=host, days=days)
        case Way.SUB_DOMAIN:
            yield note("setup.sub_domain_far", host=host, days=days, safari=safari)
        case Way.FOREIGN_HOST:
            yield warning("setup.foreign", host=host, safari=safari)


def _near(one: str, other: str) -> bool:
    """Whether two addresses share the half by which Safari tells whether a sub-domain is the site's own."""
    if not one or not other or (":" in one) != (":" in other):
        return False
    if ":" in one:
        return one.split(":")[:4] == other.split(":")[:4]
    return one.split(".")[:2] == other.split(".")[:2]


def _days(length: timedelta) -> int:
    return length.days


def _short(url: str) -> str:
    return url.partition("?")[0]
