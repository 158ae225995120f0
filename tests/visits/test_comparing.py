"""What differs between two versions of rules is all that is needed to get from one to the other."""

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.visits.comparing import Difference, How, differences
from gateway.visits.rules import Rule, Then, When
from gateway.visits.ruleset import RuleSet, default_rule_set

RULES = default_rule_set()


def one(name: str, label: str = "Flyer", campaign: str = "may") -> Rule:
    return Rule(name, Then(label), When(campaign=(campaign,)))


def of(*rules: Rule) -> RuleSet:
    return replace(RULES, rules=(*rules, RULES.rules[-1]))


def test_what_is_new_gone_changed_and_moved_is_told_apart() -> None:
    before = of(one("a"), one("b"), one("c"), one("d"))
    after = of(one("d"), one("a"), one("b", campaign="june"), one("e", label="Radio"))
    found = {each.name: each for each in differences(before, after)}
    assert {name: each.how for name, each in found.items()} == {
        "d": How.MOVED,
        "b": How.CHANGED,
        "e": How.NEW,
        "c": How.GONE,
    }
    assert found["b"].facts == (("campaign", "may", "june"),)
    assert found["e"].label == "Radio"


def test_what_is_no_rule_is_named() -> None:
    other = replace(RULES, own_domains=("example.com",))
    assert differences(RULES, other) == (Difference(How.CHANGED, "own_domains", ""),)


names = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@settings(deadline=None, max_examples=60)
@given(names, names, st.sampled_from(["may", "june"]))
def test_the_same_says_nothing_and_every_difference_is_named(one_way: list[str], other: list[str], month: str) -> None:
    before = of(*(one(name) for name in one_way))
    after = of(*(one(name, campaign=month) for name in other))
    found = differences(before, after)
    assert not differences(before, before)
    assert {each.name for each in found if each.how is How.NEW} == set(other) - set(one_way)
    assert {each.name for each in found if each.how is How.GONE} == set(one_way) - set(other)
    changed = {each.name for each in found if each.how is How.CHANGED}
    assert changed == (set() if month == "may" else set(one_way) & set(other))
    # Without those that moved, the others stand in one order.
    moved = {each.name for each in found if each.how is How.MOVED} | changed
    stays = [name for name in one_way if name in other and name not in moved]
    assert stays == [name for name in other if name in stays]
    assert json.loads(before.to_json())
