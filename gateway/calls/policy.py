"""What a company says of the calls it takes: its announcement, its rules against spam, its limits; as plain data.

Kept as a document (``call_policies``), read and checked here, used by ``gateway.calls.screening`` and the directory.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from gateway.errors import Mendable

_STRICT = ConfigDict(extra="forbid")


class Announce(StrEnum):
    """When callers are told that they may be recorded. It is said of calls that are recorded, and of no others."""

    ALWAYS = "always"
    BY_REGION = "by_region"  # where the law of either end asks for it (gateway.calls.consent)
    NEVER = "never"


class Withheld(StrEnum):
    """What callers meet who hide their number. They are never turned away without a word."""

    RING = "ring"
    PRESS = "press"  # asked to press 1; who presses nothing rings all the same
    ASK = "ask"  # told that this number takes calls with a number only, and then ended


class Act(StrEnum):
    """What suspicious callers meet."""

    PRESS = "press"  # the press-1 gate: who does not press it is turned away
    BLOCK = "block"


class Phrase(StrEnum):
    """What is said to callers; spoken ahead in the company's language, or a sound of its own."""

    RECORDED = "recorded"
    PRESS_ONE = "press_one"
    SHOW_NUMBER = "show_number"
    ALL_BUSY = "all_busy"


class PolicyRefused(Mendable):
    """No rules can be made of what was given; the message says what is wrong, and how to mend it."""


_Calls = Annotated[int, Field(ge=1, le=10_000)]


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one company; as it stands here, nothing is in force beyond its list of callers.

    ``announce`` none: never decided; then a sound of the company's own is played, as ever. ``place`` is where the
    business is (gateway.calls.consent; none: what its main number says). ``often_calls`` calls within ``often_minutes``
    are many; ``trap_days``: a number on loan that nobody was shown for so long is a trap. ``most_calls`` at once, of
    the company and by trunk. ``countries`` (ISO, none: all) are those that calls may be forwarded to.
    """

    __pydantic_config__ = _STRICT
    announce: Announce | None = None
    place: Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z]{2})?$")] | None = None
    withheld: Withheld = Withheld.RING
    often_calls: Annotated[int, Field(ge=2, le=1000)] | None = None
    often_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    often: Act = Act.PRESS
    traps: bool = False
    trap_days: Annotated[int, Field(ge=7, le=365)] | None = None
    most_calls: _Calls | None = None
    most_by_trunk: Mapping[Annotated[str, Field(min_length=1, max_length=80)], _Calls] = field(default_factory=dict)
    longest_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    countries: tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...] | None = None
    premium: bool = False

    @property
    def screens(self) -> bool:
        """Whether callers are looked at by what they did before."""
        return self.often_calls is not None or self.traps

    @property
    def phrases(self) -> frozenset[Phrase]:
        """What callers may have to be told."""
        said = set()
        if self.announce in (Announce.ALWAYS, Announce.BY_REGION):
            said.add(Phrase.RECORDED)
        if self.withheld is Withheld.ASK:
            said.add(Phrase.SHOW_NUMBER)
        if self.withheld is Withheld.PRESS or self.screens:
            said.add(Phrase.PRESS_ONE)
        if self.most_calls is not None or self.most_by_trunk:
            said.add(Phrase.ALL_BUSY)
        return frozenset(said)


NOTHING = Policy()
_POLICY: TypeAdapter[Policy] = TypeAdapter(Policy)


def read_policy(document: object) -> Policy:
    """The rules in a document, checked. Raises PolicyRefused that names the field."""
    try:
        return _POLICY.validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise PolicyRefused(f"{place}: {first['msg']}. Mend that and try again.") from None


def write_policy(policy: Policy) -> dict[str, Any]:
    """The document of the rules, for JSON; what is as at the beginning is left out."""
    written: dict[str, Any] = json.loads(_POLICY.dump_json(policy))
    untouched = json.loads(_POLICY.dump_json(NOTHING))
    return {key: value for key, value in written.items() if value != untouched[key]}
