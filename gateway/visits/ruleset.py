"""A whole set of source rules: read from JSON or TOML, checked, written, and the set that Numberpool comes with.

A set that says ``extends = "default"`` holds a company's own entries alone: they go before the default ones, and one
with the name of a default entry takes its place. It is joined when it is read, so that a stored set decides the same
way under every later version of Numberpool.
"""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib import resources
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from gateway.errors import Mendable
from gateway.visits.checks import problems
from gateway.visits.faults import Fault, say
from gateway.visits.rules import Channel, ClickId, Listed, Place, Rule, Sites, Then, When

_PARTS = ("places.toml", "sites.toml", "rules.toml")
_ENTRIES: dict[str, tuple[Fault, type]] = {
    "places": (say("place"), Place),
    "sites": (say("group of sites"), Sites),
    "click_ids": (say("click id"), ClickId),
    "rules": (say("rule"), Rule),
    "channels": (say("channel"), Channel),
}
_MENDS = {
    "missing": say("is missing; add it"),
    "string_type": say("must be a text in quotation marks"),
    "tuple_type": say("must be a list of texts"),
    "bool_type": say("must be true or false"),
    "bool_parsing": say("must be true or false"),
    "dict_type": say("must be a table of names and values"),
    "dataclass_type": say("must be a table of names and values"),
}


class BadRuleSet(Mendable):
    """A set of source rules cannot be used: every fault with the entry it is in, and the mend."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("These source rules cannot be used:\n" + "\n".join(f"  - {fault}" for fault in faults))


@dataclass(frozen=True)
class RuleSet:
    """Source rules, in order, with everything they speak of. ``version`` is whatever tells it from other ones."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    version: str
    rules: tuple[Rule, ...]
    channels: tuple[Channel, ...]
    name: str = ""
    places: tuple[Place, ...] = ()
    sites: tuple[Sites, ...] = ()
    click_ids: tuple[ClickId, ...] = ()
    own_domains: Listed = ()
    blank: tuple[str, ...] = ()
    parameters: dict[str, Listed] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    endings: dict[str, Listed] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str | bytes) -> "RuleSet":
        """The set that a JSON text holds. Raises BadRuleSet."""
        try:
            return cls.from_data(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise BadRuleSet([say("It is not JSON: %(fault)s. Mend it there.", fault=str(error))]) from None

    @classmethod
    def from_toml(cls, text: str) -> "RuleSet":
        """The set that a TOML text holds. Raises BadRuleSet."""
        try:
            return cls.from_data(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise BadRuleSet([say("It is not TOML: %(fault)s. Mend it there.", fault=str(error))]) from None

    @classmethod
    def from_data(cls, data: object) -> "RuleSet":
        """The set that a parsed text holds. Raises BadRuleSet."""
        if not isinstance(data, dict):
            raise BadRuleSet([say("It must be a table with version, rules and channels.")])
        base = None
        if "extends" in data:
            if data["extends"] != "default":
                raise BadRuleSet(
                    [say('extends = %(name)s: the only set to extend is "default".', name=repr(data["extends"]))]
                )
            base = default_rule_set()
            data = {"rules": [], "channels": []} | {key: value for key, value in data.items() if key != "extends"}
        try:
            read = _ADAPTER.validate_python(data)
        except ValidationError as error:
            raise BadRuleSet([_fault(each, data) for each in error.errors()]) from None
        rule_set = read if base is None else _joined(read, base)
        faults = problems(rule_set)
        if faults:
            raise BadRuleSet(faults)
        return rule_set

    def to_json(self) -> str:
        """As JSON that ``from_json`` reads back into an equal set."""
        data = _ADAPTER.dump_python(self, mode="json", exclude_defaults=True)
        return json.dumps(data, ensure_ascii=False, indent=1)

    def with_own_domains(self, *domains: str) -> "RuleSet":
        """The same rules for a company whose sites live on ``domains``."""
        return replace(self, own_domains=tuple(dict.fromkeys((*self.own_domains, *domains))))


_ADAPTER = TypeAdapter(RuleSet)


@cache
def default_rule_set() -> RuleSet:
    """The set that Numberpool comes with; its facts and their sources stand in the files of ``defaults``."""
    folder = resources.files("gateway.visits") / "defaults"
    joined: dict[str, Any] = {}
    for part in _PARTS:
        joined |= tomllib.loads((folder / part).read_text(encoding="utf-8"))
    return RuleSet.from_data(joined)


def _joined(own: RuleSet, base: RuleSet) -> RuleSet:
    """``own`` before ``base``: named entries take the place of their namesakes, tables are merged word by word."""
    merged: dict[str, Any] = {}
    for each in fields(RuleSet):
        mine, theirs = getattr(own, each.name), getattr(base, each.name)
        if isinstance(mine, dict):
            merged[each.name] = theirs | mine
        elif each.name in ("places", "click_ids", "rules"):
            names = {entry.name for entry in mine}
            merged[each.name] = (*mine, *(entry for entry in theirs if entry.name not in names))
        elif isinstance(mine, tuple):
            merged[each.name] = (*mine, *(entry for entry in theirs if entry not in mine))
        else:
            merged[each.name] = mine or theirs
    return RuleSet(**merged)


def _fault(error: ErrorDetails, data: dict[str, Any]) -> Fault:
    """One fault of form: in which entry, in which field, and how to mend it."""
    where = list(error["loc"])
    start: Fault | str = ""
    known = tuple(each.name for each in fields(RuleSet))
    if where and where[0] in _ENTRIES and len(where) > 1 and isinstance(where[1], int):
        noun, kind = _ENTRIES[str(where[0])]
        entry = data[str(where[0])][where[1]]
        name = (entry.get("name") or entry.get("channel")) if isinstance(entry, dict) else None
        start = (
            say("%(noun)s %(name)s: ", noun=noun, name=repr(name))
            if isinstance(name, str)
            else say("%(noun)s number %(number)s: ", noun=noun, number=where[1] + 1)
        )
        known = tuple(each.name for each in fields(kind))
        where = where[2:]
        if where and where[0] in ("when", "then"):
            known = tuple(each.name for each in fields(When if where[0] == "when" else Then))
    given = ".".join(str(part) for part in where if isinstance(part, str)) or say("it")
    match error["type"]:
        case "unexpected_keyword_argument" | "extra_forbidden":
            return say(
                "%(start)s%(given)s is no field here; there are %(fields)s.",
                start=start,
                given=given,
                fields=", ".join(known),
            )
        case "enum" | "literal_error":
            return say(
                "%(start)s%(given)s = %(value)s is none of %(expected)s.",
                start=start,
                given=given,
                value=repr(error["input"]),
                expected=error["ctx"]["expected"],
            )
        case kind_of_error:
            mend = _MENDS.get(kind_of_error, error["msg"])
            return say("%(start)s%(given)s %(mend)s.", start=start, given=given, mend=mend)
