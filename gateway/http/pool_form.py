"""The settings of a pool as a form that people understand, read and filled."""

import csv
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from gateway.http.forms import Form
from gateway.http.words import Words
from gateway.pools.conditions import FACTS, ConditionError, Conditions, conditions_of
from gateway.pools.durations import said
from gateway.pools.pool import WhenFull
from gateway.pools.pool_changes import PoolRow
from gateway.pools.pool_setup import NONE, PoolSettings

MOST_PRIORITY = 1000
_LONGEST_CONDITION = 2000
_UNITS = {"minutes": 60, "hours": 3600, "days": 86400}
_YEAR = 365 * 86400


class Records(StrEnum):
    """Whether a pool's calls are recorded."""

    COMPANY = "company"
    ON = "on"
    OFF = "off"


class HeldBy(StrEnum):
    """Who holds a number of the pool."""

    VISITOR = "visitor"
    PARAMETERS = "parameters"


def pool_values(row: PoolRow, words: Words) -> dict[str, Any]:
    """What stands in the form of a pool."""
    pool = row.pool
    values: dict[str, Any] = {
        "name": pool.name,
        "priority": pool.priority,
        "when_full": pool.when_full.value,
        "fallback": words.phone(pool.fallback) if pool.fallback else "",
        "price": "" if row.price is None else f"{row.price.normalize():f}",
        "record": "company" if row.record is None else ("on" if row.record else "off"),
        "held_by": HeldBy.PARAMETERS if pool.bound_to else HeldBy.VISITOR,
        "bound_to": ", ".join(pool.bound_to),
        **_length("reserve", pool.reserve),
        **_length("quarantine", pool.quarantine),
        **_length("dialled_quarantine", pool.dialled_quarantine),
        **_length("window", pool.window),
        **{f"target-{id}": "yes" for id in row.targets},
    }
    others = []
    for each in pool.conditions.each:
        if each.fact in FACTS:
            values[each.fact] = listed(each.values)
        else:
            others.append(f"{each.fact} = {listed(each.values)}")
    return values | {"parameters": "\n".join(others)}


def listed(values: tuple[str, ...]) -> str:
    """Values on one line, split by commas; one with a comma in it stands in quotation marks."""
    return ", ".join(f'"{value}"' if "," in value or not value else value for value in values)


def read_settings(form: Form, words: Words, *, lends: bool) -> PoolSettings:
    """What is asked of a pool; problems stand in the form. Name, conditions and targets are read by themselves."""
    priority = form.whole("priority", most=MOST_PRIORITY)
    record = form.choice("record", Records, Records.COMPANY) or Records.COMPANY
    price = form.decimal("price", required=False, places=4)
    priced = NONE if price is None else f"{price:f}"
    if not lends:
        return PoolSettings(priority=priority, price=priced, record=record.value)
    when_full = form.choice("when_full", WhenFull)
    fallback = form.phone("fallback", required=False)
    reserve = _seconds(form, "reserve", words, least=60)
    quarantine = _seconds(form, "quarantine", words)
    dialled = _seconds(form, "dialled_quarantine", words)
    window = _seconds(form, "window", words, least=60)
    if dialled < quarantine:
        form.refuse("dialled_quarantine", words.say("Make it at least as long as the rest of a number nobody rang."))
    asked: Literal["share", "fallback"] = "fallback" if when_full is WhenFull.FALLBACK else "share"
    return PoolSettings(
        priority=priority,
        bound_to=_bound_to(form, words),
        reserve=said(reserve),
        quarantine=said(quarantine),
        dialled_quarantine=said(dialled),
        window=said(window),
        when_full=asked,
        fallback=fallback or NONE,
        price=priced,
        record=record.value,
    )


def read_conditions(form: Form, words: Words) -> Conditions:
    """Which visits see the pool; problems stand in the form, beside the condition they are about."""
    found: dict[str, Any] = {}
    for fact in FACTS:
        text = form.text(fact, longest=_LONGEST_CONDITION, required=False)
        if text:
            found[fact] = _values(text)
            _checked(form, fact, {fact: found[fact]}, words)
    others: dict[str, list[str]] = {}
    for line in form.text("parameters", longest=_LONGEST_CONDITION, required=False, lines=True).splitlines():
        name, equals, values = line.partition("=")
        if not line.strip():
            continue
        if not equals or not values.strip():
            form.refuse("parameters", words.say("Write each on a line of its own, such as utm_term = roof*."))
            continue
        others[name.strip().lower()] = _values(values)
    if others:
        found["parameters"] = others
        _checked(form, "parameters", {"parameters": others}, words)
    return Conditions() if form.problems else conditions_of(found)


def targets_of(form: Form, known: list[Any]) -> list[int]:
    """The swap targets that are ticked."""
    return [row["id"] for row in known if form.flag(f"target-{row['id']}")]


def _values(text: str) -> list[str]:
    row = next(csv.reader([text], skipinitialspace=True), [])
    return [value.strip() for value in row]


def _checked(form: Form, name: str, given: dict[str, Any], words: Words) -> None:
    try:
        conditions_of(given)
    except ConditionError:
        form.refuse(
            name,
            words.say("Only desktop, mobile and tablet are known.")
            if name == "device"
            else words.say("This cannot be read: values with commas between them, each of at most 300 letters."),
        )


def _bound_to(form: Form, words: Words) -> tuple[str, ...]:
    held_by = form.choice("held_by", HeldBy, HeldBy.VISITOR)
    if held_by is not HeldBy.PARAMETERS:
        return ()
    names = tuple(name.strip().lower() for name in form.text("bound_to", longest=300).split(",") if name.strip())
    if any(
        not name.isascii() or not name.replace("_", "").replace("-", "").replace(".", "").isalnum() for name in names
    ):
        form.refuse(
            "bound_to", words.say("Names of parameters with commas between them, such as utm_source, utm_campaign.")
        )
    return names


def _length(name: str, length: timedelta) -> dict[str, Any]:
    seconds = round(length.total_seconds())
    unit = next((unit for unit in ("days", "hours") if seconds and seconds % _UNITS[unit] == 0), "minutes")
    value = seconds / _UNITS[unit]
    return {name: f"{value:g}", f"{name}_unit": unit}


def _seconds(form: Form, name: str, words: Words, *, least: int = 0) -> int:
    number = form.decimal(name)
    size = _UNITS.get(form.value(f"{name}_unit"), 60)
    seconds = round(float(number or 0) * size)
    if number is not None and seconds < least:
        form.refuse(name, words.say("A minute at least."))
    if seconds > _YEAR:
        form.refuse(name, words.say("A year at most."))
    return seconds
