"""Rules as data: read, checked, written, made a company's own, and run again over history."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Mendable
from gateway.visits.classify import Classifier, classify
from gateway.visits.history import changes, counted
from gateway.visits.rules import Channel, ClickId, Evidence, Kind, Place, Rule, Sites, Then, When
from gateway.visits.ruleset import BadRuleSet, RuleSet, default_rule_set
from gateway.visits.source import Touch

PAGE = "https://roofs.example/"
SMALL = """
version = "1"
[[places]]
name = "google"
kind = "search"
hosts = "google.com"
[[click_ids]]
name = "gclid"
place = "google"
[[rules]]
name = "mine"
when = { place = ["google"], medium = ["cp*"] }
then = { label = "Google Paid", channel = "Paid Search" }
[[rules]]
name = "rest"
then = { label = "Direct" }
[[channels]]
channel = "Paid Search"
medium = ["cpc"]
[[channels]]
channel = "Unassigned"
"""
OWN = """
extends = "default"
version = "acme-3"
own_domains = ["acme-shop.example"]
[[rules]]
name = "magazine"
when = { referrer = ["magazine.example/roofs", "partner.example"] }
then = { label = "Magazine {host}", source = "magazine", medium = "print", channel = "Referral" }
why = "The article of May."
[[rules]]
name = "flyer"
when = { source = ["flyer*"], unless_medium = ["email"] }
then = { label = "Flyer ({tag})" }
[[rules]]
name = "app-click"
when = { click = ["appid"] }
then = { label = "App", source = "app", medium = "app", channel = "Referral" }
[[rules]]
name = "assistant"
when = { kind = ["ai"] }
then = { label = "AI", medium = "ai-assistant", channel = "AI Assistant" }
[[click_ids]]
name = "appid"
place = "roof-app"
ads = false
[[places]]
name = "roof-app"
kind = "site"
label = "Roof app"
apps = "com.example.roofs"
"""


def small(*changed: tuple[str, str]) -> str:
    text = SMALL
    for old, new in changed:
        assert old in text
        text = text.replace(old, new)
    return text


def test_a_small_set_decides() -> None:
    rules = Classifier(RuleSet.from_toml(SMALL))
    assert rules.decide(f"{PAGE}?utm_medium=cpc", "https://www.google.com/").rule == "mine"
    assert rules.decide(PAGE, "https://www.google.com/").rule == "rest"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (('version = "1"', ""), "version is missing; add it."),
        (('version = "1"', 'version = " "'), "version is empty"),
        (('version = "1"', "version = 1"), "version must be a text in quotation marks."),
        (('version = "1"', 'version = "1"\ncolour = "red"'), "colour is no field here; there are version, rules"),
        (('medium = ["cp*"]', 'medum = ["cp*"]'), "rule 'mine': when.medum is no field here; there are place, kind"),
        (('medium = ["cp*"]', 'medium = "cp*"'), "rule 'mine': when.medium must be a list of texts."),
        (('medium = ["cp*"]', 'medium = ["c*p"]'), "rule 'mine': medium: 'c*p' is no pattern: write a word"),
        (('medium = ["cp*"]', 'medium = ["@paid"]'), "rule 'mine': medium: there are no words 'paid'; there are none."),
        (('place = ["google"], ', 'place = ["gogle"], '), "rule 'mine': there is no place 'gogle'; add it"),
        (('place = ["google"], ', 'kind = ["serch"], '), "rule 'mine': when.kind = 'serch' is none of 'search'"),
        (('place = ["google"], ', 'referrer = ["gogle"], '), "rule 'mine': referrer 'gogle' is no place and no host"),
        (('place = ["google"], ', 'referrer = ["https://a.b"], '), "is no host; write it as example.com"),
        (('place = ["google"], ', 'click = ["glcid"], '), "rule 'mine': there is no click id 'glcid'"),
        (('place = ["google"], ', 'without = ["medium"], '), "rule 'mine': medium must be there and must not"),
        (('label = "Google Paid"', 'label = " "'), "rule 'mine': its label is empty"),
        (
            ('label = "Google Paid"', 'label = "{plaice}"'),
            "rule 'mine': {plaice} stands for nothing; there are {channel}",
        ),
        (('label = "Google Paid", ', ""), "rule 'mine': then.label is missing; add it."),
        (('channel = "Paid Search" }', 'channel = "Paid" }'), "rule 'mine': there is no channel 'Paid'; there are"),
        (('name = "rest"', 'name = "mine"'), "rule 'mine' is there 2 times"),
        (('name = "rest"', 'name = "rest"\nwhen = { medium = ["x"] }'), "The last rule has conditions"),
        (('channel = "Unassigned"', 'channel = "Unassigned"\nmedium = ["x"]'), "The last channel has conditions"),
        (('hosts = "google.com"', 'hosts = "google.{all}"'), "place 'google': 'google.{all}' needs one of the endings"),
        (('hosts = "google.com"', 'hosts = "google..com"'), "place 'google': 'google..com' is no host"),
        (('hosts = "google.com"', 'charset = "utf-99"'), "place 'google': charset 'utf-99' is not known"),
        (
            ("[[click_ids]]", '[[places]]\nname = "b"\nkind = "search"\nhosts = "google.com"\n[[click_ids]]'),
            "place 'b': host 'google.com' belongs to place 'google' already",
        ),
        (
            ('name = "gclid"\nplace = "google"', 'name = "gclid"\nplace = "x"'),
            "click id 'gclid': there is no place 'x'",
        ),
        (('name = "mine"', ""), "rule number 1: name is missing; add it."),
        (("[[rules]]", "[[rules"), "It is not TOML"),
    ],
)
def test_faults_name_the_entry_and_the_mend(changed: tuple[str, str], fault: str) -> None:
    with pytest.raises(BadRuleSet) as raised:
        RuleSet.from_toml(small(changed))
    assert isinstance(raised.value, Mendable)
    assert fault in str(raised.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{", '{"version": "1"}', '{"extends": "mine"}', "[" * 100_000, '{"rules": [3]}']
)
def test_any_other_text_is_refused_the_same_way(text: str) -> None:
    with pytest.raises(BadRuleSet):
        RuleSet.from_json(text)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadRuleSet) as raised:
        RuleSet.from_toml(small(('place = ["google"], ', 'place = ["gogle"], '), ('label = "Direct"', 'label = ""')))
    assert len(raised.value.faults) == 2


def test_a_company_puts_its_own_before_the_default_ones() -> None:
    own = RuleSet.from_toml(OWN)
    assert (own.version, own.rules[0].name, own.rules[-1]) == ("acme-3", "magazine", default_rule_set().rules[-1])
    assert [rule.name for rule in own.rules].count("assistant") == 1
    decide = Classifier(own).decide
    assert decide(PAGE, "https://www.magazine.example/roofs/7").source.label == "Magazine magazine.example"
    assert decide(PAGE, "https://magazine.example/other").source.label == "magazine.example"
    assert decide(PAGE, "https://shop.partner.example/").rule == "magazine"
    assert decide(f"{PAGE}?utm_source=Flyer-May", "").source.label == "Flyer (Flyer-May)"
    assert decide(f"{PAGE}?utm_source=Flyer-May&utm_medium=email", "").rule == "tagged"
    assert decide(f"{PAGE}?appid=7", "https://blog.example/").rule == "app-click"
    assert decide(PAGE, "android-app://com.example.roofs").source.label == "Roof app"
    assert decide(PAGE, "https://chatgpt.com/").source.label == "AI"
    assert not decide(PAGE, "https://acme-shop.example/").is_touch
    assert decide(PAGE, "https://www.google.com/").rule == "search"


def test_what_a_visit_says_is_not_read_as_a_text_of_rules() -> None:
    assert classify(f"{PAGE}?utm_source=a{{host}}b", "https://x.example/").source.label == "a{host}b"
    assert classify(f"{PAGE}?utm_source=a{{channel}}", "").source.source == "a{channel}"


NAMES = st.text("abcdefg-", min_size=1, max_size=6).map(lambda text: f"n{text}")
PATTERNS = st.lists(st.sampled_from(["cpc", "paid*", "*push", "*video*", "*", "*|shop*", "@list"]), max_size=3).map(
    tuple
)


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=5))
    places = tuple(
        Place(
            name,
            draw(st.sampled_from(Kind)),
            label=draw(st.text(max_size=5)),
            hosts=(f"{name}.example",),
            tags=(f"{name}x",),
        )
        for name in names
    )
    whens = st.builds(
        When,
        place=st.lists(st.sampled_from(names), max_size=2).map(tuple),
        kind=st.lists(st.sampled_from(Kind), max_size=2).map(tuple),
        by=st.lists(st.sampled_from(Evidence), max_size=2).map(tuple),
        referrer=st.lists(st.sampled_from(["own", "none", "app", "any", "a.example/x", *names]), max_size=2).map(tuple),
        click=st.lists(st.just("gclid"), max_size=1).map(tuple),
        source=PATTERNS,
        medium=PATTERNS,
        unless_medium=PATTERNS,
    )
    thens = st.builds(
        Then, label=st.sampled_from(["A", "{place} B", "{tag}{host}"]), paid=st.booleans(), touch=st.booleans()
    )
    rules = [
        Rule(f"r{number}", draw(thens), draw(whens), draw(st.text(max_size=5)))
        for number in range(draw(st.integers(0, 4)))
    ]
    return RuleSet(
        version=draw(NAMES),
        rules=(*rules, Rule("last", Then("Rest"))),
        channels=(Channel("Some", medium=draw(PATTERNS.filter(bool))), Channel("Unassigned")),
        places=places,
        sites=(Sites(Kind.SOCIAL, hosts=("bulk.test",)),),
        click_ids=(ClickId("gclid", names[0], draw(st.booleans())),),
        words={"list": ("one", "two*")},
        endings={"all": ("com", "de")},
        parameters={"source": ("utm_source", "src")},
    )


@given(rule_set=rule_sets())
@settings(deadline=None)
def test_sets_are_read_back_as_they_were_written(rule_set: RuleSet) -> None:
    again = RuleSet.from_json(rule_set.to_json())
    assert again == rule_set
    assert again == RuleSet.from_data(json.loads(json.dumps(json.loads(rule_set.to_json()), sort_keys=True)))


@given(
    rule_set=rule_sets(),
    query=st.sampled_from(
        ["", "?src=x", "?src=one", "?gclid=g", "?medium=cpc", "?src=nax&medium=paid", "?src=na.example"]
    ),
    referrer=st.sampled_from(
        ["", PAGE, "https://a.example/x", "https://na.example/", "android-app://x.y", "https://bulk.test"]
    ),
)
@settings(deadline=None)
def test_the_first_rule_that_holds_decides(rule_set: RuleSet, query: str, referrer: str) -> None:
    """Each rule left alone with the last one says whether it holds; in the whole set, the first of those decides."""
    last = rule_set.rules[-1]
    decision = Classifier(rule_set).decide(PAGE + query, referrer)
    holding = [
        rule.name
        for rule in rule_set.rules[:-1]
        if Classifier(replace(rule_set, rules=(rule, last))).decide(PAGE + query, referrer).rule == rule.name
    ]
    assert decision.rule == (holding[0] if holding else "last")
    assert decision.source.label


def test_changes_are_listed_before_they_are_made() -> None:
    old, new = default_rule_set(), RuleSet.from_toml(OWN)
    touches = [
        Touch(1, PAGE, "https://www.google.com/"),
        Touch(2, PAGE, "https://magazine.example/roofs"),
        Touch(3, f"{PAGE}?utm_source=flyer", ""),
        Touch(4, PAGE, "https://acme-shop.example/"),
        Touch(5, f"{PAGE}?utm_source=flyer", ""),
    ]
    found = list(changes(old, new, touches))
    assert [(each.touch.key, each.before.source.label, each.after.source.label) for each in found] == [
        (2, "magazine.example", "Magazine magazine.example"),
        (3, "flyer", "Flyer (flyer)"),
        (4, "acme-shop.example", "Direct"),
        (5, "flyer", "Flyer (flyer)"),
    ]
    assert counted(found)["flyer", "Flyer (flyer)"] == 2
    assert list(changes(old, old, touches)) == []
    renamed = replace(old, rules=tuple(replace(rule, name=f"x-{rule.name}") for rule in old.rules))
    assert list(changes(old, renamed, touches)) == []


def test_changes_come_one_by_one() -> None:
    def history() -> Any:
        yield Touch("first", f"{PAGE}?utm_source=flyer")
        raise RuntimeError("read further than it had to")

    assert next(changes(default_rule_set(), RuleSet.from_toml(OWN), history())).touch.key == "first"
