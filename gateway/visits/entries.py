"""What is written of a visit, as rows for the journal: with what identifies its visitor, or without. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from gateway.visits.address import cleaned, readable
from gateway.visits.consent import WITHHELD, Standing, shortened, without_identity
from gateway.visits.google_ads import VALUE_TRACK, match_of
from gateway.visits.ids import made_at
from gateway.visits.parameters import Said
from gateway.visits.places import NOWHERE, Place
from gateway.visits.ruleset import default_rule_set
from gateway.visits.source import Decision, Source

# The longest address and user agent that are stored; longer ones are cut, because browsers do send them.
LONGEST_URL = 2000
_LONGEST_AGENT = 500
_SOURCE = tuple(each.name for each in fields(Source))


@dataclass(slots=True)
class Arrived:
    """All that is known of a visit that began; ``visitor`` is none where it may not be known again."""

    company_id: int
    site_id: int
    visit_id: UUID
    visitor_id: UUID | None
    url: str
    referrer: str
    said: Said
    decision: Decision
    rule_set_version: int
    standing: Standing
    address: str = ""
    place: Place = NOWHERE
    user_agent: str = ""
    device: str = ""
    language: str = ""
    client_ids: Mapping[str, str] = field(default_factory=dict)


def visit_row(arrived: Arrived) -> dict[str, Any]:
    """A row of ``visits``: without consent nothing in it names the visitor."""
    said = arrived.said
    may = arrived.standing.may_identify
    consent = arrived.standing.consent
    columns = source_columns(arrived.decision)
    if not may:
        columns["click_id"] = ""
    valued = value_track(arrived.url)
    tags = {
        "utm_source": said.source,
        "utm_medium": said.medium,
        "utm_campaign": said.campaign,
        "utm_term": said.term,
        "utm_content": said.content,
    }
    return {
        **columns,
        "company_id": arrived.company_id,
        "site_id": arrived.site_id,
        "id": arrived.visit_id,
        "visitor_id": arrived.visitor_id if may else None,
        "started_at": made_at(arrived.visit_id).isoformat(),
        "ad_group": valued.get("np_adgroup", ""),
        "match_type": match_of(valued.get("np_match", "")),
        "click_ids": {click_id.name: value for click_id, value in said.clicks} if may else {},
        "parameters": {name: value for name, value in tags.items() if value} | valued,
        "rule_set_version": arrived.rule_set_version,
        "url": stored_url(arrived.url, may_identify=may),
        "referrer": stored_url(arrived.referrer, may_identify=True)
        if may
        else referrer_without_identity(arrived.referrer, columns["keyword"])[:LONGEST_URL],
        "network": shortened(arrived.address) if may else None,
        "country": arrived.place.country,
        "region": arrived.place.region,
        "city": arrived.place.city if may else "",
        "user_agent": cleaned(arrived.user_agent)[:_LONGEST_AGENT] if may else "",
        "device": arrived.device,
        "language": arrived.language,
        "consent": consent.said.value,
        "consent_at": consent.at.isoformat() if consent.at else None,
        "consent_signal": cleaned(consent.signal),
        "client_ids": dict(arrived.client_ids) if may else {},
    }


def value_track(url: str) -> dict[str, str]:
    """What Google Ads filled into an address by ``google_ads.tagging``; what it left unfilled is not there."""
    _, _, query = url.partition("#")[0].partition("?")
    if "np_" not in query:
        return {}
    found = {}
    for part in query.split("&"):
        name, _, raw = part.partition("=")
        if name in VALUE_TRACK and name not in found:
            value = readable(raw)
            if value and not value.startswith("{"):
                found[name] = value
    return found


def visitor_row(arrived: Arrived, touch: Source | None, now: datetime) -> dict[str, Any] | None:
    """A row of ``visitors``; none where the visitor may not be known again. ``touch``: the last that was not direct."""
    if not arrived.standing.may_identify or arrived.visitor_id is None:
        return None
    consent = arrived.standing.consent
    return {
        "company_id": arrived.company_id,
        "site_id": arrived.site_id,
        "id": arrived.visitor_id,
        "first_seen": now.isoformat(),
        "last_seen": now.isoformat(),
        "touch": None if touch is None else {name: getattr(touch, name) for name in _SOURCE},
        "consent": consent.said.value,
        "consent_at": consent.at.isoformat() if consent.at else None,
        "consent_signal": cleaned(consent.signal),
        "client_ids": dict(arrived.client_ids),
    }


def view_row(
    company_id: int, site_id: int, visit_id: UUID, url: str, title: str, now: datetime, *, may_identify: bool
) -> dict[str, Any]:
    """A row of ``page_views``."""
    return {
        "company_id": company_id,
        "site_id": site_id,
        "visit_id": visit_id,
        "at": now.isoformat(),
        "url": stored_url(url, may_identify=may_identify),
        "title": title,
    }


def stored_url(url: str, *, may_identify: bool) -> str:
    """The address of a page as it may be stored."""
    return (cleaned(url) if may_identify else page_without_identity(cleaned(url)))[:LONGEST_URL]


def page_without_identity(url: str) -> str:
    """The address of a page with its tags, and nothing of its query that names a visitor."""
    tags, click_ids, _ = _known_parameters()
    return without_identity(url, tags, click_ids)


def referrer_without_identity(referrer: str, keyword: str) -> str:
    """A referrer with nothing of its query but what was searched for, where that told the keyword."""
    _, _, searched = _known_parameters()
    return without_identity(cleaned(referrer), searched if keyword else ())


def source_columns(decision: Decision) -> dict[str, Any]:
    """What a decision says, as columns of ``visits``: what is missing is an empty text."""
    source = decision.source
    return {
        "is_touch": decision.is_touch,
        "label": source.label,
        "channel": source.channel,
        "source": source.source,
        "medium": source.medium,
        "campaign": source.campaign or "",
        "content": source.content or "",
        "keyword": source.keyword or "",
        "click_id": "" if source.click_id in (None, WITHHELD) else source.click_id,
        "click_id_type": source.click_id_type or "",
        "rule": decision.rule,
    }


@cache
def _known_parameters() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Names of tags, of click ids, and of what search engines call a search, in small letters."""
    rules = default_rule_set()
    tags = {name.lower() for names in rules.parameters.values() for name in names}
    click_ids = {click_id.name.lower() for click_id in rules.click_ids}
    searched = {name.lower() for place in rules.places for name in place.keyword}
    return frozenset(tags | VALUE_TRACK | {"utm_id"}), frozenset(click_ids), frozenset(searched)
