"""Flows: what a company's calls do, as plain data. Read from a document, checked, found again by its places.

A flow is a tree. Opening hours and a menu choose a branch, a ring tries telephones, and what nobody answers goes on
with ``then``. Every way through it ends at somebody's telephone, at a mailbox, or where the company says goodbye.
``gateway.calls.steps`` makes of it what one call does now.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from gateway.asterisk.dialstring import checked_sound
from gateway.errors import Mendable

VERSION = 1
# A caller who was led through more than this is gone; and a route must fit into one line.
DEEPEST = 8
MOST_LINES = 20
Key = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]
KEYS: tuple[str, ...] = get_args(Key)
# How a place in a flow is written: one letter a branch, from the start on; a key of a menu is itself.
OPEN, CLOSED, THEN, OTHERWISE = "octe"
_STRICT = ConfigDict(extra="forbid")


class FlowRefused(Mendable):
    """No flow can be made of what was given; the message says where, what is wrong, and how to mend it."""


class Strategy(StrEnum):
    """In which order the telephones of a ring are tried."""

    TOGETHER = "together"  # all at once
    IN_ORDER = "in_order"  # as they stand
    ROUND_ROBIN = "round_robin"  # as they stand, each call beginning with the next one
    LONGEST_IDLE = "longest_idle"  # whoever has talked least lately first; whoever talks now last
    WEIGHTED = "weighted"  # by chance, a weight of 2 twice as often first as a weight of 1


class Day(StrEnum):
    """A day of the week, in the order of ``date.weekday()``."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


WEEK = tuple(Day)


@dataclass(frozen=True, slots=True)
class Shift:
    """From when to when somebody is there, by the company's clock.

    One that closes when it opens or earlier goes on into the next day: 22:00 to 06:00; 00:00 to 00:00 is a whole day.
    """

    __pydantic_config__ = _STRICT
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Weekly(Shift):
    """A shift that begins on these days of every week."""

    days: tuple[Day, ...] = WEEK


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day, or the days to ``until``, on which other shifts begin than in other weeks: those given here, or none.

    A shift of the evening before goes on to its end. ``yearly``: in every year.
    """

    __pydantic_config__ = _STRICT
    on: date
    until: date | None = None
    name: str = ""
    yearly: bool = False
    shifts: tuple[Shift, ...] = ()

    def covers(self, day: date) -> bool:
        """Whether ``day`` is one of its days."""
        last = self.until or self.on
        if not self.yearly:
            return self.on <= day <= last
        first, end, here = ((each.month, each.day) for each in (self.on, last, day))
        return first <= here <= end if first <= end else here >= first or here <= end


@dataclass(frozen=True, slots=True)
class Line:
    """A destination of the company that a ring tries."""

    __pydantic_config__ = _STRICT
    destination: int
    weight: Annotated[int, Field(ge=1, le=100)] = 1


@dataclass(frozen=True, slots=True)
class Ring:
    """Rings ``lines``, each for ``seconds`` (none: as long as the destination says); nobody there: ``then``.

    ``last_spoken_first``: whom this caller talked with last is tried before anybody else, if they are among the lines.
    """

    __pydantic_config__ = _STRICT
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=MOST_LINES)]
    strategy: Strategy = Strategy.IN_ORDER
    seconds: Annotated[int, Field(ge=5, le=600)] | None = None
    last_spoken_first: bool = False
    then: "Node | None" = None
    kind: Literal["ring"] = "ring"


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours, in the company's time zone."""

    __pydantic_config__ = _STRICT
    open: "Node"
    closed: "Node"
    week: tuple[Weekly, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    kind: Literal["hours"] = "hours"


@dataclass(frozen=True, slots=True)
class Menu:
    """Plays ``prompt`` (a sound), waits ``seconds`` for a key, ``tries`` times; none of its keys: ``otherwise``."""

    __pydantic_config__ = _STRICT
    prompt: str
    keys: Annotated[Mapping[Key, "Node"], Field(min_length=1)]
    otherwise: "Node"
    seconds: Annotated[int, Field(ge=1, le=60)] = 5
    tries: Annotated[int, Field(ge=1, le=9)] = 2
    kind: Literal["menu"] = "menu"


@dataclass(frozen=True, slots=True)
class Voicemail:
    """Plays ``greeting`` (a sound; none: only a tone), then takes a message of at most ``seconds``."""

    __pydantic_config__ = _STRICT
    greeting: str | None = None
    seconds: Annotated[int, Field(ge=10, le=600)] = 120
    kind: Literal["voicemail"] = "voicemail"


@dataclass(frozen=True, slots=True)
class Sound:
    """Plays a sound to the caller, then goes on."""

    __pydantic_config__ = _STRICT
    sound: str
    then: "Node"
    kind: Literal["sound"] = "sound"


@dataclass(frozen=True, slots=True)
class HangUp:
    """Ends the call; only after a sound that says so."""

    __pydantic_config__ = _STRICT
    kind: Literal["hang_up"] = "hang_up"


Node = Annotated[Ring | Hours | Menu | Voicemail | Sound | HangUp, Field(discriminator="kind")]
_NODE: TypeAdapter[Any] = TypeAdapter(Node)


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow of a company. ``revision`` grows with each change, so that nobody lands in another's branch."""

    id: int
    company_id: int
    name: str
    revision: int
    start: Any = field(hash=False)  # a Node

    def at(self, path: str) -> Any:
        """The node at a place, as ``branches`` names it; none where there is none."""
        node = self.start
        for letter in path:
            node = dict(branches(node)).get(letter)
            if node is None:
                return None
        return node


def branches(node: Any) -> Iterator[tuple[str, Any]]:
    """What can follow ``node``: the letter of the place, and the node there."""
    match node:
        case Ring(then=then) if then is not None:
            yield THEN, then
        case Sound(then=then):
            yield THEN, then
        case Hours(open=opened, closed=closed):
            yield OPEN, opened
            yield CLOSED, closed
        case Menu(keys=keys, otherwise=otherwise):
            yield from keys.items()
            yield OTHERWISE, otherwise


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All nodes from ``node`` on, each with its place."""
    yield path, node
    for letter, following in branches(node):
        yield from nodes(following, path + letter)


def read_flow(document: object) -> Any:
    """The first node of a document ``{"version": 1, "start": {...}}``, checked.

    Raises FlowRefused that names the place. Whether its destinations are there is not looked at here.
    """
    if not isinstance(document, Mapping) or set(document) != {"version", "start"}:
        raise FlowRefused('A flow is written as {"version": 1, "start": {"kind": ..., ...}}; write those two fields.')
    if document["version"] != VERSION:
        raise FlowRefused(
            f"This flow is of version {document['version']!r}; this Numberpool reads version {VERSION}. "
            "Update Numberpool, or write the flow anew."
        )
    try:
        start = _NODE.validate_python(document["start"])
    except ValidationError as error:
        raise FlowRefused(_said(error)) from None
    except RecursionError:
        raise FlowRefused(_too_deep("")) from None
    _check(start, "", after_sound=False)
    return start


def write_flow(start: Any) -> dict[str, Any]:
    """The document of a flow, for JSON."""
    return {"version": VERSION, "start": json.loads(_NODE.dump_json(start))}


def _said(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if len(first["loc"]) > 4 * DEEPEST:
        return _too_deep("")
    place = " → ".join(str(part) for part in first["loc"] if part not in ("ring", "hours", "menu", "sound"))
    return f"The flow cannot be read at {place or 'its start'}: {first['msg']}. Mend that place and try again."


def _too_deep(path: str) -> str:
    return f"The flow is deeper than {DEEPEST} steps{_at(path)}; shorten it: callers will not wait so long."


def _check(node: Any, path: str, *, after_sound: bool) -> None:
    """What the shape alone does not say. Raises FlowRefused."""
    if len(path) >= DEEPEST:
        raise FlowRefused(_too_deep(path))
    match node:
        case HangUp() if not after_sound:
            raise FlowRefused(
                f"The call would be dropped without a word{_at(path)}; let a sound come first, or a voicemail instead."
            )
        case Ring(lines=lines) if len({line.destination for line in lines}) < len(lines):
            raise FlowRefused(f"A destination stands twice in one ring{_at(path)}; name each once.")
        case Hours(week=week, holidays=holidays):
            if not week and not any(each.shifts for each in holidays):
                raise FlowRefused(f"The hours are never open{_at(path)}; name at least one day and its times.")
            shifts: list[Shift] = [*week, *(shift for each in holidays for shift in each.shifts)]
            if any(each.opens.tzinfo or each.closes.tzinfo for each in shifts):
                raise FlowRefused(f"Hours are by the company's own clock{_at(path)}; write 09:00, without a time zone.")
            if any(not each.days for each in week):
                raise FlowRefused(f"A shift is on no day{_at(path)}; name its days, or take it out.")
            if any(each.until is not None and each.until < each.on and not each.yearly for each in holidays):
                raise FlowRefused(f"A holiday ends before it begins{_at(path)}; put the earlier day first.")
        case Menu(prompt=sound) | Voicemail(greeting=str(sound)) | Sound(sound=sound):
            try:
                checked_sound(sound)
            except ValueError as error:
                raise FlowRefused(f"{error}{_at(path)}.") from None
    for letter, following in branches(node):
        _check(following, path + letter, after_sound=isinstance(node, Sound))


_SPOKEN = {OPEN: "when open", CLOSED: "when closed", THEN: "then", OTHERWISE: "otherwise"}


def _at(path: str) -> str:
    """A place in words, such as `` (at: when open, key 2, then)``."""
    return f" (at: {', '.join(_SPOKEN.get(letter, f'key {letter}') for letter in path)})" if path else ""
