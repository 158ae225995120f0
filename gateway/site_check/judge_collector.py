"""Judges how the collector answered the page, and on whose side a fault lies."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.site_check.facts import SiteFacts
from gateway.site_check.findings import Finding, good, note, problem, warning
from gateway.site_check.look import is_script, is_visit, refusal_of
from gateway.site_check.seen import Blocked, Request, Seen

# The snippet waits five seconds; what takes longer than one is seen to change.
_SLOW_SECONDS = 1.0
_GATEWAY = (502, 503, 504)
# What another finding says already.
_TOLD = ("unknown_site", "wrong_origin")


def collector_findings(facts: SiteFacts, seen: Seen) -> Iterator[Finding]:
    """What there is to say of the collector's answers."""
    asked = [each for each in seen.requests if is_visit(each)]
    if not asked:
        unreached = [each for each in seen.requests if is_script(each) and _is_unreached(each)]
        if unreached:
            yield from _whose_side(facts)
        elif seen.state.ready:
            yield from _not_asked(seen)
        return
    last = asked[-1]
    if refusal_of(last) in _TOLD:
        return
    if last.error or last.status is None:
        yield from _unanswered(facts, seen, last)
    elif last.status != 200:
        yield from _refused(facts, last)
    else:
        yield from _answered(seen, last)


def _not_asked(seen: Seen) -> Iterator[Finding]:
    forbidden = next((each for each in seen.policy if each.directive == "connect-src"), None)
    if forbidden is not None:
        yield problem("collector.policy", directive=forbidden.directive, origin=_origin(forbidden.blocked))
    else:
        yield problem("collector.not_asked")


def _unanswered(facts: SiteFacts, seen: Seen, request: Request) -> Iterator[Finding]:
    fault = request.error.removeprefix("net::") or "ERR_TIMED_OUT"
    if request.blocked is Blocked.POLICY:
        directive = next(
            (each.directive for each in seen.policy if each.blocked.startswith(request.url)), "connect-src"
        )
        yield problem("collector.policy", directive=directive, origin=_origin(request.url))
    elif request.blocked is Blocked.MIXED:
        yield problem("collector.mixed")
    elif request.blocked is Blocked.CLIENT or "ERR_BLOCKED_BY" in request.error:
        yield problem("collector.refused_here", address=request.url, fault=fault)
    elif request.blocked is Blocked.CORS:
        yield problem("collector.cors")
    else:
        yield problem("collector.failed", address=request.url, fault=fault)
        yield from _whose_side(facts)


def _refused(facts: SiteFacts, request: Request) -> Iterator[Finding]:
    if request.status in _GATEWAY:
        yield problem("collector.gateway", address=request.url, status=request.status)
        yield from _whose_side(facts)
    elif request.status == 429:
        yield problem("collector.limited")
    else:
        yield problem("collector.status", address=request.url, status=request.status or 0)


def _answered(seen: Seen, request: Request) -> Iterator[Finding]:
    why = seen.answers[-1].get("why", "") if seen.answers else ""
    if not seen.answers:
        yield problem("collector.status", address=request.url, status=request.status or 0)
    elif why == "away":
        yield problem("collector.away")
    elif why == "limited":
        yield warning("collector.limited")
    elif why == "bot":
        yield warning("collector.unproven")
    else:
        milliseconds = round((request.seconds or 0.0) * 1000)
        slow = (request.seconds or 0.0) > _SLOW_SECONDS
        yield (warning if slow else good)("collector.slow" if slow else "collector.answered", milliseconds=milliseconds)


def _whose_side(facts: SiteFacts) -> Iterator[Finding]:
    if facts.is_up is True:
        yield note("collector.up", address=facts.collector)
    elif facts.is_up is False:
        yield problem("collector.down", address=facts.collector)


def _is_unreached(request: Request) -> bool:
    return request.blocked is Blocked.NOBODY and (request.status is None or request.status in _GATEWAY)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
