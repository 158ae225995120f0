"""Addresses and what they say: as a browser reads them, and never failing, by table and by property."""

import json
import string
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.visits.address import LONGEST, NOWHERE, split, without_www
from gateway.visits.classify import Classifier, classify, default_classifier
from gateway.visits.known import Hosts
from gateway.visits.ruleset import default_rule_set

PAGE = "https://roofs.example/"
LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=3)
HOSTS = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "local"]), max_size=3).map(
    lambda parts: "".join(f"/{p}" for p in parts)
)
AGAIN = Classifier(default_rule_set())
CHANNELS = {line.channel for line in default_rule_set().channels}
RULES = {rule.name for rule in default_rule_set().rules}
FRAGMENTS = st.sampled_from(
    ["https://", "http:", "//", "/", "\\", "?", "#", "&", ";", "=", "@", ":", "[", "]", ".", "%", "%zz", "%00", "+",
     " ", "\n", "\x00", "\ud800", "é", "ｇ", "。", "google.com", "www.", "maps.google.de", "bing.com/local", "android-app://",
     "utm_source", "source", "utm_medium", "campaign", "gclid", "fbclid", "google", "cpc", "{keyword}", "#!/x?", "xn--",
     "roofs.example"]
)  # fmt: skip
MESSES = st.lists(FRAGMENTS | st.text(max_size=3), max_size=14).map("".join)


@given(url=MESSES, referrer=MESSES)
@settings(max_examples=600, deadline=None)
def test_anything_gets_one_whole_answer(url: str, referrer: str) -> None:
    decision = classify(url, referrer)
    source = decision.source
    assert source.label.strip()
    assert source.channel in CHANNELS
    assert source.source
    assert source.medium
    assert decision.rule in RULES
    assert (source.click_id is None) == (source.click_id_type is None)
    for text in (
        source.label,
        source.source,
        source.medium,
        source.campaign,
        source.content,
        source.keyword,
        source.click_id,
    ):
        if text is not None:
            assert text == text.strip() != ""
            text.encode()
            assert "\x00" not in text
            assert len(text) <= LONGEST
    assert AGAIN.decide(url, referrer) == decision


@given(host=HOSTS, path=PATHS, query=st.text("ab=&%+;?/", max_size=8), port=st.sampled_from(["", ":8080"]))
@settings(deadline=None)
def test_plain_addresses_are_split_as_the_library_splits_them(host: str, path: str, query: str, port: str) -> None:
    text = f"https://{host}{port}{path}?{query}#x"
    ours, theirs = split(text), urlsplit(text)
    assert (ours.host, ours.path, ours.query, ours.fragment) == (
        theirs.hostname,
        theirs.path,
        theirs.query,
        theirs.fragment,
    )
    assert split(f"{host}{port}{path}") == split(f"https://{host}{port}{path}") == split(f"//{host}{port}{path}")
    assert split(f"https://user:pass@{host}{port}{path}") == split(f"https://{host}{port}{path}")
    assert split(f" HTTPS://{host.upper()}.{port}{path}\n") == split(f"https://{host}{port}{path}")


@given(
    patterns=st.lists(st.tuples(HOSTS | LABELS, PATHS), min_size=1, max_size=8, unique=True),
    host=HOSTS,
    path=PATHS,
    chosen=st.integers(0, 7),
    below=st.booleans(),
)
@settings(deadline=None)
def test_hosts_match_by_labels_then_by_path(
    patterns: list[tuple[str, str]], host: str, path: str, chosen: int, below: bool
) -> None:
    """Against the plainest way to say it: compare the lists of labels and of path segments."""
    if chosen < len(patterns):
        host = ("www." if below else "") + patterns[chosen][0]
        path = patterns[chosen][1] + path
    hosts: Hosts[tuple[str, str]] = Hosts()
    for pattern in patterns:
        hosts.add("".join(pattern), pattern)

    def fits(pattern: tuple[str, str]) -> bool:
        labels, segments = pattern[0].split("."), pattern[1].split("/")
        return host.split(".")[-len(labels) :] == labels and path.split("/")[: len(segments)] == segments

    fitting = sorted(filter(fits, patterns), key=lambda each: (-len(each[0]), -len(each[1])))
    assert hosts.closest(host, path) == (fitting[0] if fitting else None)
    assert list(hosts.all(host, path)) == fitting


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("https://a.example", "a.example", ""),
        ("https://a.example:443/x", "a.example", "/x"),
        ("a.example:443/x", "a.example", "/x"),
        ("localhost:8080/x", "localhost", "/x"),
        ("https://a.example..", "a.example", ""),
        ("https://[2001:db8::1]:443/x", "2001:db8::1", "/x"),
        ("https://a_b.example/", "a_b.example", "/"),
        ("https:a.example/x", "a.example", "/x"),
        ("https:////a.example/x", "a.example", "/x"),
        ("https://bücher.example/", "xn--bcher-kva.example", "/"),
        ("android-app://Com.Example.App/https/x", "com.example.app", "/https/x"),
        ("ANDROID-APP://com.example.app", "com.example.app", ""),
        ("/only/path", "", "/only/path"),
        ("ftp://a.example/", "", ""),
        ("https://-a.example/", "", "/"),
    ],
)
def test_addresses_of_every_form(text: str, host: str, path: str) -> None:
    assert split(text)[:2] == (host, path)


def test_nothing_is_nowhere() -> None:
    assert split("") == NOWHERE
    assert without_www("www.a.example") == "a.example"
    assert without_www("www.com") == "www.com"


@pytest.mark.parametrize(
    ("url", "campaign"),
    [
        ("?utm_campaign=a", "a"),
        ("?campaign=a", "a"),
        ("?UTM_Campaign=a", "a"),
        ("?utm%5Fcampaign=a", "a"),
        ("?x=1;utm_campaign=a;y=2", "a;y=2"),
        ("?utm_campaign=spring;sale", "spring;sale"),
        ("?utm_source=x;utm_campaign=a;utm_medium=y", "a"),
        ("?utm_source=x&amp;utm_campaign=a", "a"),
        ("?utm_source=x?utm_campaign=a", "a"),
        ("?utm_campaign=a&utm_campaign=b", "a"),
        ("?utm_campaign=&utm_campaign=b", "b"),
        ("?campaign=a&utm_campaign=b", "b"),
        ("?utm_campaign=a+b%20c", "a b c"),
        ("?utm_campaign=100%", "100%"),
        ("?utm_campaign=%zz%4", "%zz%4"),
        ("?utm_campaign=%ff", "\ufffd"),
        ("?utm_campaign=a%00b%0Ac", "ab c"),
        ("?utm_campaign=\ud83d\ude00", "😀"),
        ("?utm_campaign=a\ud83d", "a\ufffd"),
        ("?utm_campaign=%C3%BCber", "über"),
        ("?utm_campaign=a=b", "a=b"),
        ("#utm_campaign=a", "a"),
        ("#!utm_campaign=a", "a"),
        ("#!/page?utm_campaign=a&x=1", "a"),
        ("#/page?utm_campaign=a", "a"),
        ("?utm_campaign=a#utm_campaign=b", "a"),
        ("?utm_campaign", None),
        ("?utm_campaign=", None),
        ("?utm_campaign=+%20", None),
        ("?utm_campaign={campaignid}", None),
        ("?utm_campaign=(not%20set)", None),
        ("?utm_campaign=undefined", None),
        ("?my_utm_campaign=a", None),
        ("?utm_campaigns=a", None),
        ("?x=utm_campaign=a", None),
        ("/utm_campaign=a", None),
    ],
)
def test_parameters_of_every_form(url: str, campaign: str | None) -> None:
    assert classify(PAGE + url, "").source.campaign == campaign
    if not url.startswith("/"):
        assert classify(url, "").source.campaign == campaign


@given(value=st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable() and text == text.strip()))
@settings(deadline=None)
def test_a_value_comes_back_as_it_was_sent(value: str) -> None:
    blank = value.lower() in default_rule_set().blank or (value.startswith("{") and value.endswith("}"))
    assert classify(f"{PAGE}?utm_campaign={quote(value, safe='')}", "").source.campaign == (None if blank else value)


@pytest.mark.parametrize(
    ("url", "referrer"),
    [
        ("https://" + "a." * 500_000, "https://" + "a." * 500_000),
        (PAGE + "?" + "a&" * 500_000, "https://www.google.com/?" + "q&" * 500_000),
        (PAGE + "?utm_source=" + "%25" * 300_000, "https://www.google.com/?q=" + "%D0" * 300_000),
        (PAGE + "?" + "utm_campaign=a;" * 60_000, "@" * 1_000_000),
        (PAGE + "?gclid=" + "a" * 1_000_000, "https://" + "é" * 400_000 + ".example/"),
        (PAGE + "#" + "?" * 1_000_000 + "=", "https:" + "/" * 1_000_000),
        ("\\" * 1_000_000, "%" * 1_000_000),
    ],
    ids=["dots", "parameters", "percents", "semicolons", "click id", "fragment", "slashes"],
)
def test_a_megabyte_is_no_trouble(url: str, referrer: str) -> None:
    source = classify(url, referrer).source
    assert len(json.dumps([source.label, source.source, source.campaign, source.keyword, source.click_id])) < 40_000


def test_an_id_too_long_to_be_one_is_none() -> None:
    source = classify(f"{PAGE}?gclid={'a' * LONGEST}", "").source
    assert (source.label, source.click_id) == ("Direct", None)


def test_all_that_an_address_says_can_be_asked_for() -> None:
    said = default_classifier().said(f"{PAGE}?utm_source=x&fbclid=F&gclid=G")
    assert said.source == "x"
    assert [(click_id.name, value) for click_id, value in said.clicks] == [("gclid", "G"), ("fbclid", "F")]
