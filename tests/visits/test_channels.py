"""The channels against Google's own definitions, written down a second time as the regular expressions of its page."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.visits.classify import classify
from gateway.visits.words import BadPattern, Words

PAID = re.compile(r"^(.*cp.*|ppc|retargeting|paid.*)$")
SHOP = re.compile(r"^(.*(([^a-df-z]|^)shop|shopping).*)$")
KINDS = {
    "duckduckgo": "search", "baidu": "search", "yahoo": "search", "facebook": "social", "linkedin": "social",
    "reddit": "social", "vimeo": "video", "netflix": "video", "etsy": "shopping", "walmart": "shopping",
    "partner": "", "email": "", "sms": "", "firebase": "", "brochure": "",
}  # fmt: skip
MEDIA = [
    "cpc", "ppc", "cpm", "cpa", "cpv", "ecpc", "paid", "paid-social", "paidsearch", "retargeting", "display", "banner",
    "expandable", "interstitial", "social", "social-network", "social-media", "sm", "social network", "social media",
    "video", "webvideo", "organic", "ai-assistant", "referral", "app", "link", "email", "e-mail", "e_mail", "e mail",
    "affiliate", "audio", "sms", "push", "webpush", "mobile-app", "my-notification", "unpaid", "xdisplay", "organics",
]  # fmt: skip
CAMPAIGNS = [
    "",
    "spring",
    "x-cross-network-y",
    "shop",
    "eshop",
    "my-shop now",
    "workshop",
    "bishop",
    "xshopping",
    "e shops",
]
SOCIAL = ("social", "social-network", "social-media", "sm", "social network", "social media")
EMAIL = ("email", "e-mail", "e_mail", "e mail")


def google(source: str, medium: str, campaign: str) -> str:
    """The page's definitions for manual traffic, from the top. A tag names what it is, so the lists are KINDS."""
    kind, paid = KINDS[source], bool(PAID.match(medium))
    shops = kind == "shopping" or bool(SHOP.match(campaign))
    table = [
        ("Cross-network", "cross-network" in campaign),
        ("Paid Shopping", shops and paid),
        ("Paid Search", kind == "search" and paid),
        ("Paid Social", kind == "social" and paid),
        ("Paid Video", kind == "video" and paid),
        ("Display", medium in ("display", "banner", "expandable", "interstitial", "cpm")),
        ("Paid Other", paid),
        ("Organic Shopping", shops),
        ("Organic Social", kind == "social" or medium in SOCIAL),
        ("Organic Video", kind == "video" or "video" in medium),
        ("Organic Search", kind == "search" or medium == "organic"),
        ("AI Assistant", medium == "ai-assistant"),
        ("Referral", medium in ("referral", "app", "link")),
        ("Email", source in EMAIL or medium in EMAIL),
        ("Affiliates", medium == "affiliate"),
        ("Audio", medium == "audio"),
        ("SMS", source == "sms" or medium == "sms"),
        ("Mobile Push Notifications", medium.endswith("push") or "mobile" in medium),
        ("Mobile Push Notifications", "notification" in medium or source == "firebase"),
    ]  # fmt: skip
    return next((channel for channel, holds in table if holds), "Unassigned")


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("medium", MEDIA)
def test_channels_are_those_of_google(source: str, medium: str) -> None:
    for campaign in CAMPAIGNS:
        query = f"utm_source={source}&utm_medium={medium.replace(' ', '+')}&utm_campaign={campaign.replace(' ', '+')}"
        found = classify(f"https://roofs.example/?{query}", "").source
        assert found.channel == google(source, medium, campaign), query
        assert (found.source, found.medium) == (source, medium)


def test_every_channel_of_google_is_met() -> None:
    met = {google(source, medium, campaign) for source in KINDS for medium in MEDIA for campaign in CAMPAIGNS}
    assert met | {"Direct"} == {
        "Direct", "Cross-network", "Paid Shopping", "Paid Search", "Paid Social", "Paid Video", "Display", "Paid Other",
        "Organic Shopping", "Organic Social", "Organic Video", "Organic Search", "AI Assistant", "Referral", "Email",
        "Affiliates", "Audio", "SMS", "Mobile Push Notifications", "Unassigned",
    }  # fmt: skip


@given(campaign=st.text("abeshopping -_1S", max_size=12))
@settings(deadline=None)
def test_shop_is_found_as_google_finds_it(campaign: str) -> None:
    words = Words(["*|shop*", "*eshop*", "*shopping*"])
    assert words.hold(campaign.lower()) == bool(SHOP.match(campaign.lower()))


@given(medium=st.text("acpidrtgen-_ ", max_size=12))
@settings(deadline=None)
def test_paid_is_found_as_google_finds_it(medium: str) -> None:
    assert Words(["*cp*", "ppc", "retargeting", "paid*"]).hold(medium) == bool(PAID.match(medium))


@pytest.mark.parametrize("pattern", ["", " ", "a*b", "**", "*a*b*", "a|b", "|a", "*|"])
def test_patterns_of_no_form_are_refused(pattern: str) -> None:
    with pytest.raises(BadPattern, match="is no pattern"):
        Words([pattern])


@given(text=st.text(max_size=30), word=st.text("abc.+(", min_size=1, max_size=4))
@settings(deadline=None)
def test_each_form_of_pattern(text: str, word: str) -> None:
    assert Words([word]).hold(text) == (text == word)
    assert Words([f"{word}*"]).hold(text) == text.startswith(word)
    assert Words([f"*{word}"]).hold(text) == text.endswith(word)
    assert Words([f"*{word}*"]).hold(text) == (word in text)
    assert Words(["*"]).hold(text) == bool(text)
    assert not Words([]).hold(text)
