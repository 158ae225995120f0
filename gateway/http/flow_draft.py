"""A flow while it is edited: cards in order, as its form posts them, until they make a flow again.

Nothing is stored before all of it makes a flow: the form carries the whole draft, and each button that adds, moves or
removes something posts it and gets it back changed. A card is named by its place: ``0`` is the first, ``0.open.1`` the
second of what the first does when it is open, ``1.b0.0`` the first below the first key of the second. Its fields are
``place:field``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.calls.flow import (
    DEEPEST,
    KEYS,
    MOST_LINES,
    WEEK,
    Day,
    HangUp,
    Hours,
    Menu,
    Ring,
    Sound,
    Strategy,
    Voicemail,
)

OPEN, CLOSED, OTHERWISE = "open", "closed", "else"
# What a select of sounds says where a name is typed beside it.
OTHER_SOUND = "other"
MOST_CARDS = 60
MOST_HOLIDAYS = 60
_FIELD = re.compile(
    r"((?:[0-9]{1,2}\.(?:open|closed|else|b[0-9]{1,2})\.)*[0-9]{1,2}):([a-z]+[0-9]{0,2}(?:-[a-z]+[0-9]?)?)"
)


class Kind(StrEnum):
    """What a card does."""

    RING = "ring"
    SOUND = "sound"
    MENU = "menu"
    HOURS = "hours"
    VOICEMAIL = "voicemail"

    @property
    def ends(self) -> bool:
        """Whether nothing can stand below it."""
        return self in (Kind.MENU, Kind.HOURS, Kind.VOICEMAIL)


Times = list[tuple[str, str]]


@dataclass
class DraftLine:
    """A telephone of a ring; ``destination`` is an id, empty where none is chosen yet."""

    destination: str = ""
    weight: str = "1"


@dataclass
class DraftHoliday:
    """A holiday as it is typed."""

    on: str = ""
    until: str = ""
    name: str = ""
    yearly: bool = False
    times: Times = field(default_factory=lambda: [("", "")])

    @property
    def is_blank(self) -> bool:
        """Whether nothing is typed."""
        return not (self.on or self.until or self.name.strip() or any(map(any, self.times)))


@dataclass
class Card:
    """One step. ``values`` are its plain fields, as they were typed."""

    kind: Kind
    values: dict[str, str] = field(default_factory=dict)
    lines: list[DraftLine] = field(default_factory=list)
    week: dict[Day, Times] = field(default_factory=dict)
    holidays: list[DraftHoliday] = field(default_factory=list)
    branches: dict[str, "Chain"] = field(default_factory=dict)

    @property
    def columns(self) -> int:
        """How many times of a day the week has room for."""
        return max((len(times) for times in self.week.values()), default=1)

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Of a menu: each branch and its key."""
        return [(name, self.values.get(f"key{name[1:]}", "")) for name in self.branches if name != OTHERWISE]


Chain = list[Card]


@dataclass
class Draft:
    """A whole flow. ``revision`` is the one that it was made of; 0 for a flow that is not there yet."""

    name: str
    cards: Chain
    revision: int = 0


# ------------------------------------------------------------------------------------------------- from a flow, and new


def cards_of(node: Any) -> Chain:
    """The cards of a flow. A sound with nothing behind it ends the call."""
    cards: Chain = []
    while node is not None and not isinstance(node, HangUp):
        cards.append(_card(node))
        node = node.then if isinstance(node, Ring | Sound) else None
    return cards


def _card(node: Any) -> Card:
    match node:
        case Ring(lines=lines, strategy=strategy, seconds=seconds, last_spoken_first=known):
            values = {"strategy": strategy.value, "seconds": str(seconds or ""), "known": "yes" if known else ""}
            drafted = [DraftLine(str(line.destination), str(line.weight)) for line in lines]
            return Card(Kind.RING, values, lines=drafted)
        case Sound(sound=sound):
            return Card(Kind.SOUND, {"sound": sound})
        case Voicemail(greeting=greeting, seconds=seconds):
            return Card(Kind.VOICEMAIL, {"sound": greeting or "", "seconds": str(seconds)})
        case Hours(open=opened, closed=closed, week=week, holidays=holidays):
            by_day = {
                day: list(
                    dict.fromkeys(
                        (_clock(each.opens), _clock(each.closes))
                        for each in sorted(week, key=lambda each: (each.opens, each.closes))
                        if day in each.days
                    )
                )
                for day in WEEK
            }
            days = [
                DraftHoliday(
                    each.on.isoformat(),
                    each.until.isoformat() if each.until else "",
                    each.name,
                    each.yearly,
                    [(_clock(shift.opens), _clock(shift.closes)) for shift in each.shifts] or [("", "")],
                )
                for each in holidays
            ]
            branches = {OPEN: cards_of(opened), CLOSED: cards_of(closed)}
            return Card(Kind.HOURS, week=even(by_day), holidays=days, branches=branches)
        case Menu(prompt=prompt, keys=keys, otherwise=otherwise, seconds=seconds, tries=tries):
            values = {"sound": prompt, "seconds": str(seconds), "tries": str(tries)}
            below: dict[str, Chain] = {}
            for number, (key, following) in enumerate(sorted(keys.items(), key=_on_the_keypad)):
                values[f"key{number}"] = key
                below[f"b{number}"] = cards_of(following)
            return Card(Kind.MENU, values, branches={**below, OTHERWISE: cards_of(otherwise)})
    raise TypeError(f"{type(node).__name__} has no card")


def _on_the_keypad(pressed: tuple[str, Any]) -> int:
    """1 to 9, then 0, * and #: the database keeps them in no order."""
    return "1234567890*#".index(pressed[0])


def _clock(at: Any) -> str:
    return f"{at:%H:%M}"


def even(week: dict[Day, Times], columns: int = 1) -> dict[Day, Times]:
    """Every day with room for as many times."""
    most = max([columns, *(len(times) for times in week.values())])
    return {day: [*week.get(day, []), *[("", "")] * (most - len(week.get(day, [])))] for day in WEEK}


def new_card(kind: Kind, destination: str = "") -> Card:
    """A card as it is when it is added."""
    match kind:
        case Kind.RING:
            return Card(
                kind, {"strategy": Strategy.IN_ORDER.value, "seconds": "", "known": ""}, [DraftLine(destination)]
            )
        case Kind.SOUND:
            return Card(kind, {"sound": ""})
        case Kind.VOICEMAIL:
            return Card(kind, {"sound": "", "seconds": "120"})
        case Kind.HOURS:
            usual: dict[Day, Times] = {day: [("09:00", "17:00")] for day in WEEK[:5]}
            closed = [new_card(Kind.VOICEMAIL)]
            return Card(kind, week=even(usual), branches={OPEN: [], CLOSED: closed})
        case Kind.MENU:
            below = {"b0": [new_card(Kind.RING, destination)], OTHERWISE: []}
            return Card(kind, {"sound": "", "seconds": "5", "tries": "2", "key0": "1"}, branches=below)


# ------------------------------------------------------------------------------------------------------- from its form


def read_draft(posted: Mapping[str, str]) -> Draft:
    """The draft that a form carries; fields that are no place of a flow are passed over."""
    fields: dict[str, dict[str, str]] = {}
    for name, value in posted.items():
        if (found := _FIELD.fullmatch(name)) is not None:
            fields.setdefault(found.group(1), {})[found.group(2)] = value[:200]
    revision = posted.get("revision", "")
    left = [MOST_CARDS]
    return Draft(
        posted.get("name", "")[:200],
        _read_chain(fields, "", left),
        int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 10 else 0,
    )


def _read_chain(fields: Mapping[str, dict[str, str]], before: str, left: list[int]) -> Chain:
    cards: Chain = []
    for number in range(MOST_CARDS):
        place = f"{before}{number}"
        try:
            kind = Kind(fields.get(place, {}).get("kind", ""))
        except ValueError:
            break
        left[0] -= 1
        if left[0] < 0 or place.count(".") > 4 * DEEPEST:
            break
        cards.append(_read_card(fields, place, kind, left))
    return cards


def _read_card(fields: Mapping[str, dict[str, str]], place: str, kind: Kind, left: list[int]) -> Card:
    own = fields[place]

    def chain(branch: str) -> Chain:
        return _read_chain(fields, f"{place}.{branch}.", left)

    def times(name: str) -> Times:
        found: Times = []
        while f"{name}-from{len(found)}" in own and len(found) < 9:
            found.append((own[f"{name}-from{len(found)}"], own.get(f"{name}-to{len(found)}", "")))
        return found

    match kind:
        case Kind.RING:
            values = {name: own.get(name, "") for name in ("strategy", "seconds", "known")}
            lines = [
                DraftLine(own[f"line{number}"], own.get(f"weight{number}", "1"))
                for number in range(MOST_LINES + 1)
                if f"line{number}" in own
            ]
            return Card(kind, values, lines)
        case Kind.SOUND:
            return Card(kind, {"sound": _sound(own)})
        case Kind.VOICEMAIL:
            return Card(kind, {"sound": _sound(own), "seconds": own.get("seconds", "")})
        case Kind.HOURS:
            holidays = [
                DraftHoliday(
                    own[f"h{number}-on"],
                    own.get(f"h{number}-until", ""),
                    own.get(f"h{number}-name", ""),
                    bool(own.get(f"h{number}-yearly")),
                    times(f"h{number}") or [("", "")],
                )
                for number in range(MOST_HOLIDAYS)
                if f"h{number}-on" in own
            ]
            week = even({day: times(day.value) for day in WEEK})
            return Card(kind, {}, [], week, holidays, {OPEN: chain(OPEN), CLOSED: chain(CLOSED)})
        case Kind.MENU:
            values = {"sound": _sound(own), "seconds": own.get("seconds", ""), "tries": own.get("tries", "")}
            below: dict[str, Chain] = {}
            for number in range(len(KEYS)):
                if f"key{number}" in own:
                    at = len(below)
                    values[f"key{at}"] = own[f"key{number}"]
                    below[f"b{at}"] = chain(f"b{number}")
            return Card(kind, values, branches={**below, OTHERWISE: chain(OTHERWISE)})


def _sound(own: Mapping[str, str]) -> str:
    chosen = own.get("sound", "")
    return own.get("othersound", "").strip() if chosen == OTHER_SOUND else chosen


def every_card(cards: Chain, before: str = "") -> Iterator[tuple[str, Card]]:
    """All cards, each with its place."""
    for number, card in enumerate(cards):
        place = f"{before}{number}"
        yield place, card
        for branch, chain in card.branches.items():
            yield from every_card(chain, f"{place}.{branch}.")
