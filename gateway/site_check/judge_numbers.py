"""Judges which numbers the page showed a visitor, and which it did not swap."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.pools.numbers import printed
from gateway.site_check.facts import SiteFacts
from gateway.site_check.findings import Finding, good, note, problem, warning
from gateway.site_check.judge_script import key_on
from gateway.site_check.places import Places, frames_with, images_with, numbers_in_html, numbers_on, places_of
from gateway.site_check.seen import PageState, Seen

_MOST_OTHERS = 8


def number_findings(facts: SiteFacts, advertised: Seen, direct: Seen) -> Iterator[Finding]:
    """What there is to say of the numbers on the page."""
    site = facts.of_key(key_on(advertised)) or facts.wanted
    if not facts.targets:
        if site is not None:
            yield problem("target.none", site=site.name)
        return
    answer = advertised.answers[-1] if advertised.answers else {}
    shown = _shown(answer)
    first = _shown(advertised.answers[0]) if advertised.answers else {}
    waits = bool(advertised.answers) and advertised.answers[0].get("why") == "consent"
    page = advertised.consented if waits and advertised.consented is not None else advertised.state
    own = _places_before(facts, direct)
    for target in facts.targets:
        yield from _target(facts, advertised, page, target, shown.get(target), answer, own.get(target))
    if waits:
        yield from _consent(facts, advertised, first, shown)
    elif advertised.state.ready and facts.wanted is not None and facts.wanted.consent_required:
        yield note("consent.waits")
    yield from _printed(facts, advertised, shown)
    yield from _direct(facts, direct)


def _shown(answer: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The number and the reason for each target, by the collector's answer."""
    found = {}
    for each in answer.get("numbers", ()):
        found[each["target"]["e164"]] = (each["number"]["e164"], each["why"])
    return found


def _places_before(facts: SiteFacts, direct: Seen) -> dict[str, Places]:
    """Where the targets stand for a visitor who is shown the page's own numbers; empty where he is shown others."""
    if not direct.answers or any(number != target for target, (number, _) in _shown(direct.answers[-1]).items()):
        return {}
    return {target: places_of(target, direct.state) for target in facts.targets}


def _target(
    facts: SiteFacts,
    seen: Seen,
    page: PageState,
    target: str,
    shown: tuple[str, str] | None,
    answer: Mapping[str, Any],
    before: Places | None,
) -> Iterator[Finding]:
    say = printed(target, facts.region)
    left = places_of(target, page)
    number, why = shown or (target, "page")
    there = places_of(number, page) if number != target else Places()
    if before is not None and before != there and there.count:
        # One number may stand in place of several targets: what this one's page had of it is its own.
        there = before.without(left)
    for address in frames_with(target, page)[:3]:
        yield warning("number.in_frame", target=say, address=address)
    for address in images_with(target, page)[:3]:
        yield warning("number.in_image", target=say, address=address)
    if left.kept:
        yield note("target.kept_out", target=say, count=left.kept)
    if number == target:
        if not left.count:
            if not left.kept and not frames_with(target, page) and not images_with(target, page):
                yield warning("target.absent", target=say)
        elif why == "page" and answer.get("why") == "visitor":
            label = answer.get("source", {}).get("label", "")
            yield warning("target.no_pool", target=say, source=label)
        return
    with_number = {"target": say, "number": printed(number, facts.region)}
    if why == "fallback":
        yield warning("target.full", **with_number)
    if seen.fights:
        yield problem("target.fought", target=say)
    elif left.count and not there.count:
        yield problem("target.not_written", **with_number)
    elif there.count:
        counts = {
            "texts": there.texts,
            "links": there.links,
            "attributes": there.attributes,
            "shadows": there.shadows,
        }
        yield good("target.static" if why == "static" else "target.swapped", **with_number, **counts)
        if left.count:
            yield problem("target.left", target=say, count=left.count, example=left.example)
    elif not frames_with(target, page) and not images_with(target, page) and not left.kept:
        yield warning("target.absent", target=say)


def _consent(
    facts: SiteFacts, seen: Seen, before: dict[str, tuple[str, str]], after: dict[str, tuple[str, str]]
) -> Iterator[Finding]:
    yield note("consent.waits")
    lent = {target: number for target, (number, why) in after.items() if number != target and why != "page"}
    given = {target: number for target, number in lent.items() if before.get(target, (target, ""))[0] != number}
    if given:
        target, number = next(iter(given.items()))
        yield good("consent.works", target=printed(target, facts.region), number=printed(number, facts.region))
    elif not lent:
        yield problem("consent.fails")
    banners = seen.state.banners
    if banners:
        yield note("consent.banner", banner=banners[0])
    else:
        yield warning("consent.no_banner")


def _printed(facts: SiteFacts, seen: Seen, shown: Mapping[str, tuple[str, str]]) -> Iterator[Finding]:
    """Numbers that the page itself prints and that are no targets."""
    saved = numbers_in_html(seen.html, sorted(facts.lent - set(facts.targets)))
    for number in saved[:_MOST_OTHERS]:
        yield problem("number.saved", number=printed(number, facts.region))
    known = {*facts.targets, *saved, *(number for number, _ in shown.values()), *facts.lent}
    others = sorted(numbers_on(seen.state, facts.region) - known)
    for number in others[:_MOST_OTHERS]:
        kind = "number.printed_static" if number in facts.printed else "number.other"
        yield note(kind, number=printed(number, facts.region))


def _direct(facts: SiteFacts, direct: Seen) -> Iterator[Finding]:
    if not direct.answers or direct.answers[-1].get("why") not in ("visitor", "consent"):
        return
    swapped = {target: number for target, (number, _) in _shown(direct.answers[-1]).items() if number != target}
    for target, number in swapped.items():
        yield note("direct.swapped", target=printed(target, facts.region), number=printed(number, facts.region))
    if not swapped:
        yield good("direct.own")
