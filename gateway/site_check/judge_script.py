"""Judges what became of the snippet's script on a page: found, run, or kept from it by whom."""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qs, urljoin, urlsplit

from gateway.site_check.facts import SiteFacts
from gateway.site_check.findings import Finding, good, note, problem, warning
from gateway.site_check.look import is_script, is_visit, refusal_of
from gateway.site_check.optimisers import consent_mark, optimiser_of, runs
from gateway.site_check.proxy import Fault
from gateway.site_check.seen import Blocked, PageState, Request, ScriptTag, Seen
from gateway.visits.snippet import tag as tag_of

_MANAGERS = {
    "www.googletagmanager.com": "Google Tag Manager",
    "tags.tiqcdn.com": "Tealium",
    "assets.adobedtm.com": "Adobe Experience Platform Tags",
    "cdn.matomo.cloud": "Matomo Tag Manager",
    "js.hs-scripts.com": "HubSpot",
    "cdn.segment.com": "Segment",
}
_MANAGER_PATHS = {"/gtm.js": "Google Tag Manager", "/js/container_": "Matomo Tag Manager"}
_ADDRESSES = (
    "src",
    "data-src",
    "data-rocket-src",
    "data-rocketlazyloadscript",
    "data-litespeed-src",
    "nitro-src",
    "data-cmp-src",
)
_FAULT_KINDS = {
    Fault.UNKNOWN_NAME: "unknown_name",
    Fault.REFUSED: "connection_refused",
    Fault.SILENT: "silent",
}
_DAY = 86400
_LONG_KEPT = 2 * _DAY
_GATEWAY = (502, 503, 504)


def script_findings(facts: SiteFacts, seen: Seen) -> Iterator[Finding]:
    """What there is to say of the script."""
    state = seen.state
    fetched = [each for each in seen.requests if is_script(each)]
    tags = _unlike((seen.before or state).scripts + state.scripts)
    if not tags and not fetched and not state.ready:
        autoptimised = optimiser_of({}, seen.html) if "np.js" in seen.html else ""
        yield from [problem("optimiser.autoptimize")] if autoptimised else _absent(facts, seen)
        return
    if state.ready:
        yield from _running(facts, seen, tags, fetched)
    else:
        yield from _not_running(seen, tags, fetched)
    yield from _several(state, seen)


def _absent(facts: SiteFacts, seen: Seen) -> Iterator[Finding]:
    if any(fault.blocked == "inline" and fault.directive.startswith("script-src") for fault in seen.policy) and (
        "numberpool" in seen.html
    ):
        yield problem("script.inline_policy", directive=seen.policy[0].directive)
        return
    key = facts.wanted.key if facts.wanted else "KEY"
    yield problem("script.missing", tag=tag_of(key, "/np/"))


def _running(facts: SiteFacts, seen: Seen, tags: list[ScriptTag], fetched: list[Request]) -> Iterator[Finding]:
    address = next((each.url for each in fetched if each.status), _address(tags, seen))
    yield good("script.found", address=address or "–")
    if any(each.inline for each in tags):
        yield good("script.inline_found")
    yield from _bringer(seen, fetched)
    optimiser = next((found for each in tags if (found := optimiser_of(each.attributes, seen.html))), "")
    if seen.moved_first:
        yield warning(f"optimiser.{optimiser or 'late'}")
    elif optimiser == "rocket_loader":
        yield note("optimiser.rocket_loader")
    for each in fetched:
        age = re.search(r"max-age=(\d+)", each.headers.get("cache-control", ""))
        if age and int(age[1]) > _LONG_KEPT:
            yield warning("script.kept_long", days=int(age[1]) // _DAY)
            break


def _bringer(seen: Seen, fetched: list[Request]) -> Iterator[Finding]:
    """Who put the tag into the page, where it was another script."""
    if not fetched or "np.js" in seen.html:
        return
    own = urlsplit(fetched[0].url).path
    for caller in fetched[0].callers:
        parts = urlsplit(caller)
        if parts.path == own or not parts.netloc:
            continue
        manager = _MANAGERS.get(parts.netloc) or next(
            (name for path, name in _MANAGER_PATHS.items() if path in parts.path), ""
        )
        if manager:
            yield note("script.by_tag_manager", manager=manager)
            return
    other = next((url for url in fetched[0].callers if url != seen.final_url and not url.endswith(own)), "")
    if other:
        yield note("script.by_script", address=other[:200])


def _not_running(seen: Seen, tags: list[ScriptTag], fetched: list[Request]) -> Iterator[Finding]:
    blocked_inline = [each for each in seen.policy if each.blocked == "inline" and each.directive.startswith("script")]
    for each in fetched:
        if each.error or (each.status or 0) >= 400 or not _is_javascript(each):
            yield from failed_script(seen, each)
            return
    for tag in tags:
        if mark := consent_mark(tag.attributes):
            yield problem("script.held_for_consent", mark=mark)
            return
        if optimiser := optimiser_of(tag.attributes, seen.html):
            yield problem(f"optimiser.{optimiser}")
            return
        if tag.inline and blocked_inline:
            yield problem("script.inline_policy", directive=blocked_inline[0].directive)
            return
        if not runs(tag.attributes.get("type", "")):
            yield problem("script.held_back", mark=f'type="{tag.attributes["type"]}"')
            return
    address = _address(tags, seen)
    forbidden = [each for each in seen.policy if address and each.blocked.startswith(address.partition("?")[0])]
    if forbidden:
        yield problem("script.policy", directive=forbidden[0].directive, origin=_origin(address))
    elif tags and not any(map(_carries_key, tags)):
        yield problem("script.no_key")
    elif not fetched:
        yield problem("script.held_back", mark=_as_written(tags[0]) if tags else "np.js")
    else:
        yield problem("script.not_started")


def failed_script(seen: Seen, request: Request) -> Iterator[Finding]:
    """Why np.js did not come."""
    url, status = request.url, request.status
    place = _place(url)
    host = urlsplit(url).hostname or ""
    fault = seen.faults.get(place)
    if request.blocked is Blocked.POLICY:
        directive = next((each.directive for each in seen.policy if each.blocked.startswith(url)), "script-src")
        yield problem("script.policy", directive=directive, origin=_origin(url))
    elif request.blocked is Blocked.MIXED:
        yield problem("script.mixed", address=url.replace("http://", "https://", 1))
    elif request.blocked is Blocked.CLIENT or "ERR_BLOCKED_BY" in request.error:
        yield problem("script.refused_here", address=url, fault=_word(request.error))
    elif fault in _FAULT_KINDS and (request.error or status is None):
        yield problem(f"script.{_FAULT_KINDS[fault]}", host=host)
    elif "ERR_CERT" in request.error or "ERR_SSL" in request.error:
        yield problem("script.bad_certificate", host=host, fault=_word(request.error))
    elif status in _GATEWAY:
        yield problem("script.gateway", address=url, status=status or 0)
    elif refusal_of(request) == "not_found":
        yield problem("script.prefix_kept", address=url)
    elif status is not None and status >= 400:
        yield problem("script.not_passed_on", address=url, status=status)
    elif status is not None and not _is_javascript(request):
        yield problem("script.not_a_script", address=url)
    else:
        yield problem("script.failed", address=url, fault=_word(request.error))


def _several(state: PageState, seen: Seen) -> Iterator[Finding]:
    tags = [each for each in state.scripts if not each.inline and runs(each.attributes.get("type", ""))]
    # The inline variant puts one of its own.
    extra = len(tags) - max(1, sum(each.inline for each in state.scripts))
    keys = Counter(key for each in state.scripts if (key := key_of(each)))
    if len(keys) > 1:
        yield problem("script.two_keys", keys=", ".join(keys))
    elif extra > 0:
        yield warning("script.twice", count=extra + 1)


def key_of(tag: ScriptTag) -> str:
    """The key that a tag carries; empty where it carries none."""
    if tag.inline:
        return tag.key
    given = tag.attributes.get("data-site", "")
    if given:
        return given
    for name in _ADDRESSES:
        if found := parse_qs(urlsplit(tag.attributes.get(name, "")).query).get("site"):
            return found[0]
    return ""


def key_on(seen: Seen) -> str:
    """The key that a page's snippet works with, or would."""
    return seen.state.site or next((key for each in seen.state.scripts if (key := key_of(each))), "")


def worker_findings(seen: Seen) -> Iterator[Finding]:
    """What there is to say of a service worker."""
    if not seen.state.workers:
        return
    script = seen.state.workers[0].script
    answers = [each for each in seen.requests if each.from_worker and (is_script(each) or is_visit(each))]
    yield warning("worker.answers", script=script) if answers else note("worker.there", script=script)


def _unlike(tags: tuple[ScriptTag, ...]) -> list[ScriptTag]:
    return list({repr(each): each for each in tags}.values())


def _carries_key(tag: ScriptTag) -> bool:
    return bool(key_of(tag))


def _address(tags: list[ScriptTag], seen: Seen) -> str:
    for each in tags:
        for name in _ADDRESSES:
            if each.attributes.get(name):
                return urljoin(seen.final_url, each.attributes[name])
    return ""


def _as_written(tag: ScriptTag) -> str:
    return "<script " + " ".join(f'{name}="{value}"' for name, value in tag.attributes.items())[:150] + ">"


def _is_javascript(request: Request) -> bool:
    return "script" in request.mime or not request.mime


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _word(error: str) -> str:
    return error.removeprefix("net::")
