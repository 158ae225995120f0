"""Which visits a pool is shown to: written by people as JSON or ``name=value,value``, read into values, matched here.

A condition names a fact of the visit and the values that will do. All conditions of a pool must hold; of the values of
one condition any. ``*`` stands for any letters, ``!`` before a value shuts it out, an empty value is a fact that is
missing. Capital and small letters are the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from gateway.errors import Mendable
from gateway.visits.address import split
from gateway.visits.source import Source

_LONGEST = 300
_MOST = 200
_PARAMETER = re.compile(r"[a-z0-9_.-]{1,60}")


class ConditionError(Mendable):
    """The conditions of a pool cannot be read; the message says which, and how to mend it."""


class Device(StrEnum):
    """What a visitor looks at the page with."""

    DESKTOP = "desktop"
    MOBILE = "mobile"
    TABLET = "tablet"


@dataclass(frozen=True, slots=True)
class Arrival:
    """The facts of a visit that pools are chosen by.

    ``source`` is what counts (see ``choose.what_counts``), ``parameters`` are those of the address as they were given
    (``utm_term`` and the like, names in small letters), ``region`` is ISO 3166-2 (``CA-SK``), ``language`` as browsers
    say it (``fr-CA``). What is not known is empty.
    """

    source: Source
    landing_page: str = ""
    referrer: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    device: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One fact, and the values of it that will do."""

    fact: str
    values: tuple[str, ...]

    def holds(self, arrival: Arrival) -> bool:
        """Whether the visit has one of the values, and none that is shut out."""
        wanted = [value for value in self.values if not value.startswith("!")]
        shut_out = [value[1:] for value in self.values if value.startswith("!")]
        if any(_fits(self.fact, value, arrival) for value in shut_out):
            return False
        return not wanted or any(_fits(self.fact, value, arrival) for value in wanted)


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that a pool asks of a visit; without any, every visit will do."""

    each: tuple[Condition, ...] = ()

    def hold(self, arrival: Arrival) -> bool:
        """Whether all of them hold."""
        return all(condition.holds(arrival) for condition in self.each)

    @property
    def names_direct(self) -> bool:
        """Whether direct visits are named outright: a pool that matches everybody leaves them the page's own number."""
        named = {value for each in self.each if each.fact in ("source", "channel") for value in each.values}
        return not named.isdisjoint({"direct", "(direct)"})

    @property
    def values(self) -> int:
        """How many values will do, over all conditions."""
        return sum(len(each.values) for each in self.each)


def _texts(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


def _checked(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("names no value; leave it away where anything will do")
    if len(values) > _MOST or any(len(value) > _LONGEST for value in values):
        raise ValueError(f"is too long: at most {_MOST} values of {_LONGEST} letters")
    return tuple(value.strip().casefold() for value in values)


def _devices(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value.removeprefix("!") not in set(Device):
            raise ValueError(f"knows no {value!r}; write {', '.join(Device)}")
    return values


def _parameters(given: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for name in given:
        if not _PARAMETER.fullmatch(name):
            raise ValueError(f"{name!r} is no parameter of an address; write it in small letters, such as utm_term")
    return given


_Values = Annotated[tuple[str, ...], BeforeValidator(_texts), AfterValidator(_checked)]
_NONE: tuple[str, ...] = ()


class ConditionsForm(BaseModel):
    """Conditions as they are stored and sent: a value or a list of values for each fact that counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: _Values | None = None
    source: _Values | None = None
    medium: _Values | None = None
    campaign: _Values | None = None
    content: _Values | None = None
    keyword: _Values | None = None
    parameters: Annotated[dict[str, _Values], AfterValidator(_parameters)] | None = None
    landing_page: _Values | None = None
    referrer: _Values | None = None
    region: _Values | None = None
    device: Annotated[_Values, AfterValidator(_devices)] | None = None
    language: _Values | None = None


FACTS = tuple(name for name in ConditionsForm.model_fields if name != "parameters")


def conditions_of(stored: Mapping[str, Any]) -> Conditions:
    """Conditions from their stored form. Raises ConditionError, one line a fault."""
    try:
        form = ConditionsForm.model_validate(stored)
    except ValidationError as error:
        raise ConditionError("\n".join(_fault(item) for item in error.errors())) from None
    found = [Condition(name, values) for name in FACTS if (values := getattr(form, name)) is not None]
    found += [Condition(name, values) for name, values in sorted((form.parameters or {}).items())]
    return Conditions(tuple(found))


def stored(conditions: Conditions) -> dict[str, Any]:
    """The form in which conditions are kept: what ``conditions_of`` reads."""
    form: dict[str, Any] = {each.fact: list(each.values) for each in conditions.each if each.fact in FACTS}
    parameters = {each.fact: list(each.values) for each in conditions.each if each.fact not in FACTS}
    return form | ({"parameters": parameters} if parameters else {})


def typed(words: tuple[str, ...]) -> Conditions:
    """Conditions as typed: ``medium=cpc,ppc``, ``utm_term=roof*``, ``source=!bing``. Raises ConditionError."""
    form: dict[str, Any] = {}
    for word in words:
        name, equals, values = word.partition("=")
        name = name.strip().lower().replace("-", "_")
        if not equals or not name:
            raise ConditionError(f"{word!r} is no condition; write name=value, such as medium=cpc,ppc")
        if name not in FACTS and not name.startswith("utm_"):
            raise ConditionError(f"{name!r} is nothing known of a visit; name one of {', '.join(FACTS)}, or utm_…")
        place = form if name in FACTS else form.setdefault("parameters", {})
        place[name] = [*place.get(name, ()), *values.split(",")]
    return conditions_of(form)


def written(conditions: Conditions) -> str:
    """Conditions as they are typed, for people to read."""
    return " ".join(f"{each.fact}={','.join(each.values)}" for each in conditions.each)


def _fault(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"]) or "conditions"
    if item["type"] == "extra_forbidden":
        return f"{name}: nothing of that name is known of a visit; name one of {', '.join(FACTS)}, or parameters"
    if item["type"] in ("tuple_type", "string_type"):
        return f'{name}: write a value or a list of values, such as ["google", "bing"]'
    if item["type"] in ("dict_type", "model_type"):
        return f'{name}: write names with their values, such as {{"utm_term": ["roof*"]}}'
    return f"{name}: {item['msg'].removeprefix('Value error, ')}"


def _fits(fact: str, value: str, arrival: Arrival) -> bool:
    match fact:
        case "channel" | "source" | "medium" | "campaign" | "content" | "keyword":
            return _same(value, getattr(arrival.source, fact) or "")
        case "landing_page":
            return _is_page(value, arrival.landing_page)
        case "referrer":
            return _is_page(value, arrival.referrer)
        case "region" | "language":
            value, given = value.replace("_", "-"), getattr(arrival, fact).casefold().replace("_", "-")
            return _same(value, given) or (value != "" and given.startswith(f"{value}-"))
        case "device":
            return _same(value, arrival.device)
        case _:
            return _same(value, arrival.parameters.get(fact, ""))


def _same(value: str, given: str) -> bool:
    if not given or not value:
        return not given and not value
    if "*" not in value:
        return value == given.casefold()
    return _pattern(value).fullmatch(given.casefold()) is not None


@lru_cache(maxsize=4096)
def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, re.split(r"\*+", value))), re.DOTALL)


def _is_page(value: str, given: str) -> bool:
    """A path (``/roofing/*``), or a host with what lies under it: by suffix on label borders, then by path."""
    if not value:
        return not given
    here = split(given)
    if value.startswith("/"):
        return _same(value, here.path or ("/" if given else ""))
    there = split(value)
    host = here.host.casefold()
    if not there.host or not (host == there.host or host.endswith(f".{there.host}")):
        return False
    path = there.path.rstrip("/")
    if not path:
        return True
    return _same(path, here.path) or _same(f"{path}/*", here.path)
