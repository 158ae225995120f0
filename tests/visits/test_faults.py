"""Faults of source rules can be said in another language, whole."""

import pytest

from gateway.assets import asset_folder
from gateway.http.language import load_languages
from gateway.visits.faults import say
from gateway.visits.ruleset import BadRuleSet, RuleSet

RULES = """
version = ""
extends = "nothing"
"""
BROKEN = """
version = ""
[[places]]
name = "Acme"
hosts = ["https://acme"]
[[rules]]
name = "one"
when = { place = ["Nowhere"], click = ["xclid"], medium = ["a*b*c"] }
then = { label = "", source = "{moon}" }
[[channels]]
channel = "Paid Search"
kind = ["search"]
"""


def test_a_fault_within_a_fault_is_translated_too() -> None:
    fault = say("%(where)s: broken", where=say("rule %(name)s", name="'x'"))
    assert fault == "rule 'x': broken"
    assert fault.in_words(
        {"%(where)s: broken": "сломано: %(where)s", "rule %(name)s": "правило %(name)s"}.__getitem__
    ) == ("сломано: правило 'x'")


@pytest.mark.parametrize("text", [RULES, BROKEN, "version = ", "places = 3", "[[rules]]\nname = 4\nmoon = 1"])
def test_every_fault_of_rules_is_said_in_russian(text: str) -> None:
    with pytest.raises(BadRuleSet) as raised:
        RuleSet.from_toml(text)
    russian = load_languages(asset_folder("web") / "translations")["ru"].translations
    assert raised.value.faults
    for fault in raised.value.faults:
        told = fault.in_words(russian.gettext)
        assert told != fault
        assert any("а" <= letter.lower() <= "я" for letter in told), told
        assert "%(" not in told
