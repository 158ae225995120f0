"""The promised table, row by row, then what happens where its rows meet."""

import re

import pytest

from gateway.visits.classify import classify
from gateway.visits.source import Source

SITE = "https://roofs.example/repair"

ROWS = [
    ("google.com", "", "Google Organic", "Organic Search", "google"),
    ("google.com", "source=local", "Google Local", "Organic Search", "google"),
    ("google.com", "source=maps", "Google Local", "Organic Search", "google"),
    ("googleadservices.com", "", "Google Paid", "Paid Search", "google"),
    ("maps.google.com", "", "Google Paid", "Paid Search", "google"),
    ("maps.google.com", "source=local", "Google Paid", "Paid Search", "google"),
    ("maps.google.com", "utm_source=flyer&utm_medium=organic", "Google Paid", "Paid Search", "google"),
    ("", "gclid=Cj0K", "Google Paid", "Paid Search", "google"),
    ("google.com", "gclid=Cj0K", "Google Paid", "Paid Search", "google"),
    ("partner.example", "gclid=Cj0K", "Google Paid", "Paid Search", "google"),
    ("", "source=google", "Google Paid", "Paid Search", "google"),
    ("google.com", "source=google", "Google Paid", "Paid Search", "google"),
    ("partner.example", "source=google", "Google Paid", "Paid Search", "google"),
    ("", "source=adwords", "Google Paid", "Paid Search", "google"),
    ("partner.example", "source=adwords", "Google Paid", "Paid Search", "google"),
    ("google.com", "source=google&medium=organic", "Google Organic", "Organic Search", "google"),
    ("google.com", "source=google&medium=referral", "Google Organic", "Organic Search", "google"),
    ("google.com", "source=google&medium=local", "Google Local", "Organic Search", "google"),
    ("", "source=google&medium=organic", "Google Organic", "Organic Search", "google"),
    ("", "source=google&medium=local", "Google Local", "Organic Search", "google"),
    ("bing.com", "", "Bing Organic", "Organic Search", "bing"),
    ("bing.com", "source=local", "Bing Local", "Organic Search", "bing"),
    ("bing.com", "medium=local", "Bing Local", "Organic Search", "bing"),
    ("bing.com/local", "", "Bing Local", "Organic Search", "bing"),
    ("bing.com", "source=bing", "Bing Paid", "Paid Search", "bing"),
    ("bing.com", "medium=cpc", "Bing Paid", "Paid Search", "bing"),
    ("bing.com", "medium=ppc", "Bing Paid", "Paid Search", "bing"),
    ("bing.com", "campaign=spring", "Bing Paid", "Paid Search", "bing"),
    ("bing.com", "medium=maps", "Bing Paid", "Paid Search", "bing"),
    ("facebook.com", "", "Facebook", "Organic Social", "facebook"),
    ("facebook.com", "source=facebook", "Facebook", "Organic Social", "facebook"),
    ("youtube.com", "", "YouTube", "Organic Video", "youtube"),
    ("youtube.com", "source=youtube", "YouTube", "Organic Video", "youtube"),
    ("", "", "Direct", "Direct", "(direct)"),
]


def utm(query: str) -> str:
    """The query with each tag under its utm_ name."""
    return re.sub(r"(?<!_)\b(source|medium|campaign)=", r"utm_\1=", query)


@pytest.mark.parametrize("written", ["{}", "https://{}", "https://www.{}", "http://{}", "https://{}/", "HTTPS://{}."])
@pytest.mark.parametrize(("referrer", "query", "label", "channel", "source"), ROWS)
def test_each_row(written: str, referrer: str, query: str, label: str, channel: str, source: str) -> None:
    if referrer.endswith("/local") and written.endswith("."):
        written = "https://{}"
    came = written.format(referrer) if referrer else ""
    for given in {query, utm(query), query.upper()}:
        found = classify(f"{SITE}?{given}" if given else SITE, came).source
        assert (found.label, found.channel, found.source) == (label, channel, source), (given, came)


@pytest.mark.parametrize(
    ("referrer", "query", "label", "rule"),
    [
        # Who wrote what, against what the browser says.
        ("google.com", "utm_source=newsletter&utm_medium=email", "newsletter", "mail"),
        ("google.com", "utm_source=Partner+Inc", "Partner Inc", "tagged"),
        ("google.com", "utm_campaign=spring", "Google Organic", "search"),
        ("google.com", "utm_medium=cpc", "Google Paid", "paid"),
        ("google.com", "utm_medium=email", "Email", "medium-alone"),
        ("google.com", "source=local&medium=cpc", "Google Paid", "google-local-tag-paid"),
        ("bing.com", "source=local&medium=cpc", "Bing Paid", "bing-local-tag-paid"),
        ("google.com/maps/place/1", "", "Google Local", "google-local"),
        ("google.com/mapsies", "", "Google Organic", "search"),
        ("", "utm_source=gmb&utm_medium=organic", "Google Local", "google-local"),
        ("", "utm_source=google&utm_medium=organic&utm_campaign=GMB-listing", "Google Local", "google-local-campaign"),
        ("", "utm_source=google&utm_medium=organic&utm_campaign=spring", "Google Organic", "google-unpaid-tag"),
        ("", "utm_source=adwords&utm_medium=organic", "Google Paid", "google-tag"),
        # A click on an advertisement, against what somebody wrote.
        ("google.com", "source=local&gclid=Cj0K", "Google Paid", "ad-click"),
        ("", "utm_source=google&utm_medium=cpc&msclkid=ab", "Bing Paid", "ad-click"),
        ("", "utm_source=newsletter&gbraid=0AAA", "Google Paid", "ad-click"),
        ("", "utm_source=newsletter&gclid=", "newsletter", "mail"),
        ("", "utm_source=newsletter&gclid={gclid}", "newsletter", "mail"),
        # fbclid hangs on unpaid links as well: a hint, where nothing else speaks.
        ("", "fbclid=IwAR", "Facebook", "social"),
        ("l.instagram.com", "fbclid=IwAR", "Instagram", "social"),
        ("google.com", "fbclid=IwAR", "Google Organic", "search"),
        ("blog.example", "fbclid=IwAR", "blog.example", "referral"),
        ("", "fbclid=IwAR&utm_medium=paid_social", "Facebook Paid", "paid"),
        ("", "fbclid=IwAR&utm_source=ig&utm_medium=paid", "Instagram Paid", "paid"),
        # Bing
        ("bing.com", "source=bing&medium=local", "Bing Local", "bing-local-medium"),
        ("bing.com", "source=bing&medium=organic", "Bing Organic", "bing-unpaid-tag"),
        ("bing.com", "source=local&campaign=spring", "Bing Local", "bing-local-tag"),
        ("bing.com", "source=newsletter&campaign=spring", "newsletter", "mail"),
        ("bing.com/local", "source=bing", "Bing Paid", "bing-tag"),
        ("bing.com/localities", "", "Bing Organic", "search"),
        ("partner.example", "source=local", "local", "tagged"),
        # Paid or not, elsewhere
        ("facebook.com", "utm_medium=cpc", "Facebook Paid", "paid"),
        ("", "utm_source=facebook_ads", "Facebook Paid", "paid"),
        ("", "utm_source=fb&utm_medium=social", "Facebook", "social"),
        ("", "utm_source=yandex&utm_medium=cpc", "Yandex Paid", "paid"),
        ("", "source=yandex-direct&term=roof", "Yandex Paid", "paid"),
        ("duckduckgo.com", "utm_medium=banner", "DuckDuckGo Paid", "paid"),
        ("", "utm_source=chatgpt.com", "ChatGPT", "assistant"),
        ("", "utm_source=QR", "QR code", "printed-code"),
        ("", "utm_source=flyer&utm_medium=qr", "flyer", "tagged"),
        ("", "utm_medium=affiliate", "Affiliates", "medium-alone"),
        ("", "utm_medium=cpc", "Paid Other", "medium-only"),
        ("", "utm_campaign=spring", "Unassigned", "campaign-only"),
        ("", "utm_source=direct", "Direct", "tagged-direct"),
        ("", "utm_source=(direct)&utm_medium=(none)", "Direct", "tagged-direct"),
        ("", "utm_source=direct&utm_medium=mail", "direct", "tagged"),
    ],
)
def test_where_rows_meet(referrer: str, query: str, label: str, rule: str) -> None:
    decision = classify(f"{SITE}?{query}", referrer)
    assert (decision.source.label, decision.rule) == (label, rule)


@pytest.mark.parametrize(
    ("parameter", "label", "channel", "source"),
    [
        ("gclid", "Google Paid", "Paid Search", "google"),
        ("gbraid", "Google Paid", "Paid Search", "google"),
        ("wbraid", "Google Paid", "Paid Search", "google"),
        ("dclid", "Google Paid", "Display", "google"),
        ("msclkid", "Bing Paid", "Paid Search", "bing"),
        ("yclid", "Yandex Paid", "Paid Search", "yandex"),
        ("ymclid", "Yandex Market Paid", "Paid Shopping", "yandex-market"),
        ("ttclid", "TikTok Paid", "Paid Social", "tiktok"),
        ("twclid", "X (Twitter) Paid", "Paid Social", "twitter"),
        ("li_fat_id", "LinkedIn Paid", "Paid Social", "linkedin"),
        ("rdt_cid", "Reddit Paid", "Paid Social", "reddit"),
        ("epik", "Pinterest Paid", "Paid Social", "pinterest"),
        ("ScCid", "Snapchat Paid", "Paid Social", "snapchat"),
        ("fbclid", "Facebook", "Organic Social", "facebook"),
    ],
)
def test_click_ids(parameter: str, label: str, channel: str, source: str) -> None:
    for written in (parameter, parameter.lower(), parameter.upper()):
        found = classify(f"{SITE}?a=b&{written}=dj0yJnU9+x-_%2B", "").source
        assert (found.label, found.channel, found.source) == (label, channel, source)
        assert (found.click_id, found.click_id_type) == ("dj0yJnU9+x-_+", parameter)


def test_everything_that_was_said_is_kept() -> None:
    query = "utm_source=Google&utm_medium=CPC&utm_campaign=Spring+Sale&utm_content=%C3%9Cber&utm_term=roof+repair"
    assert classify(f"{SITE}?{query}&gclid=Cj0K", "https://www.google.com/").source == Source(
        "Google Paid", "Paid Search", "google", "cpc", "Spring Sale", "Über", "roof repair", "Cj0K", "gclid"
    )


@pytest.mark.parametrize(
    ("url", "referrer"),
    [
        (SITE, "https://roofs.example/"),
        (SITE, "https://www.roofs.example/"),
        (SITE, "https://blog.roofs.example/post"),
        ("https://shop.roofs.example/", "https://roofs.example/"),
        (SITE, "https://www.paypal.com/checkoutnow"),
        (SITE, "https://checkout.stripe.com/c/pay"),
        (SITE, "https://accounts.google.com/"),
        (SITE, "https://www.facebook.com/dialog/oauth?client_id=1"),
        (SITE + "?gclid=&utm_source=", "https://roofs.example/"),
        (SITE + "?term=gutters&content=12", "https://roofs.example/"),
    ],
)
def test_steps_within_and_ways_back_are_no_new_touch(url: str, referrer: str) -> None:
    decision = classify(url, referrer)
    assert not decision.is_touch
    assert decision.source == Source(
        "Direct",
        "Direct",
        "(direct)",
        "(none)",
        content="12" if "content" in url else None,
        keyword="gutters" if "term" in url else None,
    )


@pytest.mark.parametrize(
    ("url", "referrer", "label"),
    [
        (SITE + "?gclid=Cj0K", "https://roofs.example/", "Google Paid"),
        (SITE + "?utm_source=newsletter", "https://www.paypal.com/", "newsletter"),
        (SITE + "?utm_medium=cpc", "https://www.paypal.com/", "Paid Other"),
        (SITE + "?utm_medium=cpc", "https://roofs.example/", "Paid Other"),
        (SITE, "https://notroofs.example/", "notroofs.example"),
        (SITE, "https://roofs.example.evil.example/", "roofs.example.evil.example"),
        ("https://sites.google.com/view/roofs", "https://www.google.com/", "Google Organic"),
        ("https://roofs.blogspot.com/", "https://www.blogspot.com/", "blogspot.com"),
    ],
)
def test_what_is_a_new_touch_all_the_same(url: str, referrer: str, label: str) -> None:
    decision = classify(url, referrer)
    assert decision.is_touch
    assert decision.source.label == label
