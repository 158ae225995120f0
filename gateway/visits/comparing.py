"""What differs between two rule sets: rules that are new, gone, changed, or asked in another order."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from gateway.visits.rules import Rule
from gateway.visits.ruleset import RuleSet


class How(StrEnum):
    """How a rule differs."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """One rule that differs; ``facts`` are (what, before, after) of those parts of it that changed."""

    how: How
    name: str
    label: str
    facts: tuple[tuple[str, str, str], ...] = ()


def differences(before: RuleSet, after: RuleSet) -> tuple[Difference, ...]:
    """What one has to know to get from one set to the other: by rule, in the order of ``after``, the gone ones last."""
    old, new = ({rule.name: rule for rule in each.rules} for each in (before, after))
    moved = _moved([name for name in old if name in new], [name for name in new if name in old])
    return tuple(_rules(old, new, moved)) + tuple(_rest(before, after))


def _rules(old: dict[str, Rule], new: dict[str, Rule], moved: set[str]) -> Iterator[Difference]:
    for name, rule in new.items():
        if name not in old:
            yield Difference(How.NEW, name, rule.then.label, tuple(("", "", each) for each in _facts(rule).values()))
            continue
        was, now = _facts(old[name]), _facts(rule)
        facts = tuple(
            (what, was.get(what, ""), now.get(what, ""))
            for what in dict.fromkeys([*was, *now])
            if was.get(what) != now.get(what)
        )
        if facts:
            yield Difference(How.CHANGED, name, rule.then.label, facts)
        elif name in moved:
            yield Difference(How.MOVED, name, rule.then.label)
    for name, rule in old.items():
        if name not in new:
            yield Difference(How.GONE, name, rule.then.label)


def _rest(before: RuleSet, after: RuleSet) -> Iterator[Difference]:
    """What is said besides rules (channels, places, words, parameters): named, not told apart."""
    old, new = (json.loads(each.to_json()) for each in (before, after))
    for part in dict.fromkeys([*old, *new]):
        if part not in ("rules", "version", "name") and old.get(part) != new.get(part):
            yield Difference(How.CHANGED, part, "")


def _facts(rule: Rule) -> dict[str, str]:
    """The parts of a rule as text, those that are given."""
    parts = {**asdict(rule.when), **{f"then {name}": value for name, value in asdict(rule.then).items()}}
    return {
        name: ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
        for name, value in parts.items()
        if value not in ("", (), [])
    }


def _moved(old: list[str], new: list[str]) -> set[str]:
    """The fewest names that must move to get from one order to the other."""
    stays = {
        name
        for block in SequenceMatcher(a=old, b=new, autojunk=False).get_matching_blocks()
        for name in old[block.a : block.a + block.size]
    }
    return set(old) - stays
