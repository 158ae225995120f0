"""What Google Ads knows of clicks: campaign, ad group, keyword and match type, by the gclid that a visit came with.

Rows are those of the Google Ads API's ``click_view`` (developers.google.com/google-ads/api/fields/latest/click_view),
as its REST interface and Google Ads scripts give them: names in camelCase, a query for each day, 90 days back at most.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gateway.assets import asset_folder
from gateway.store.queries import load_queries
from gateway.visits.address import cleaned

_LONGEST = 500
# Letters, digits, - and _ (base64url); Google documents no length, the longest seen have some 120.
_GCLID = re.compile(r"[A-Za-z0-9_.-]{1,300}")
_MATCHES = {"EXACT": "exact", "PHRASE": "phrase", "BROAD": "broad"}
# ValueTrack's {matchtype}: e, p, b; a is an answer of a dynamic search ad or a Performance Max campaign.
_MATCH_LETTERS = {"e": "exact", "p": "phrase", "b": "broad", "a": "automatic"}

# Parameters of ours that ValueTrack fills in.
VALUE_TRACK = frozenset({"np_campaign", "np_adgroup", "np_match", "np_network", "np_device"})

_queries = load_queries(Path(__file__).parent, "google_ads.sql")


@dataclass(frozen=True, slots=True)
class Click:
    """A click on an advertisement; texts are empty where Google has none (Performance Max has no keywords)."""

    gclid: str
    day: date
    campaign: str = ""
    ad_group: str = ""
    keyword: str = ""
    match_type: str = ""


class BadClick(ValueError):
    """What is wrong with a row."""


def click_of(row: object) -> Click:
    """The click of a row of ``click_view``. Raises BadClick, in words."""
    if not isinstance(row, dict):
        raise BadClick("is no object; send rows as AdsApp.search gives them")
    view = _part(row, "clickView")
    gclid = view.get("gclid")
    if not isinstance(gclid, str) or not _GCLID.fullmatch(gclid):
        raise BadClick("has no gclid; select click_view.gclid")
    day = _part(row, "segments").get("date")
    try:
        clicked = date.fromisoformat(day) if isinstance(day, str) and len(day) == 10 else None
    except ValueError:
        clicked = None
    if clicked is None:
        raise BadClick("has no day written as YYYY-MM-DD; select segments.date")
    keyword = _part(view, "keywordInfo")
    match = keyword.get("matchType")
    return Click(
        gclid,
        clicked,
        _text(_part(row, "campaign").get("name")),
        _text(_part(row, "adGroup").get("name")),
        _text(keyword.get("text")),
        _MATCHES.get(match, "") if isinstance(match, str) else "",
    )


async def tell_clicks(connection: Any, company_id: int, clicks: Sequence[Click]) -> tuple[int, int]:
    """Store what is known of clicks, and let visits gain it; how many clicks and how many visits changed.

    Told again, nothing changes; of two rows with one gclid the last counts. Visits that come later gain it then.
    """
    each = {click.gclid: click for click in clicks}
    known = [each[gclid] for gclid in sorted(each)]
    if not known:
        return 0, 0
    stored: int = await _queries.tell(
        connection,
        company_id=company_id,
        gclids=[click.gclid for click in known],
        days=[click.day for click in known],
        campaigns=[click.campaign for click in known],
        ad_groups=[click.ad_group for click in known],
        keywords=[click.keyword for click in known],
        match_types=[click.match_type for click in known],
    )
    gained: int = await _queries.gain(connection, company_id=company_id, gclids=[click.gclid for click in known])
    return stored, gained


def script(address: str, token: str) -> str:
    """The script to paste into a Google Ads account, which sends each day's clicks to ``address``."""
    text = (asset_folder("web") / "google-ads" / "clicks.js").read_text(encoding="utf-8")
    return text.replace("@ADDRESS@", _in_script(address)).replace("@TOKEN@", _in_script(token))


def tagging(campaign: str | None = None) -> str:
    """Parameters for an account's final URL suffix, filled in by Google at each click (ValueTrack).

    They say what a visit without gclid would not (support.google.com/google-ads/answer/6305348). ``campaign`` is a name
    to stand for the campaign's number, which is all that ValueTrack knows.
    """
    values = {
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": _tag(campaign) if campaign else "{campaignid}",
        "utm_term": "{keyword}",
        "utm_content": "{creative}",
        "np_campaign": "{campaignid}",
        "np_adgroup": "{adgroupid}",
        "np_match": "{matchtype}",
        "np_network": "{network}",
        "np_device": "{device}",
    }
    return "&".join(f"{name}={value}" for name, value in values.items())


def tracking_template(campaign: str | None = None) -> str:
    """The same as a tracking template, for accounts whose suffix is taken; {lpurl} is the page of the advertisement."""
    return "{lpurl}?" + tagging(campaign)


def match_of(letter: str) -> str:
    """What ValueTrack's {matchtype} means; empty where it says nothing."""
    return _MATCH_LETTERS.get(letter.strip().lower(), "")


def _part(row: dict[str, Any], name: str) -> dict[str, Any]:
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: object) -> str:
    return cleaned(value)[:_LONGEST].strip() if isinstance(value, str) else ""


def _tag(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.~-]+", "-", name.strip()).strip("-") or "{campaignid}"


def _in_script(text: str) -> str:
    """A text inside a JavaScript string with double quotation marks."""
    return "".join(letter if letter.isalnum() or letter in " :/._-" else f"\\u{ord(letter):04x}" for letter in text)
