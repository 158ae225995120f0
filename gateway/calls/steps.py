"""What a flow makes one call do now: a plain function from the flow and the moment to the steps of its route.

Whatever needs a clock or a memory is decided here; the dialplan walks the steps. A flow of which nothing can be rung
(its destinations were removed, or may not be dialled any more) gives none, and the caller's number rings as if it had
no flow.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateway.calls.flow import (
    CLOSED,
    OPEN,
    OTHERWISE,
    THEN,
    Flow,
    HangUp,
    Hours,
    Menu,
    Ring,
    Sound,
    Strategy,
    Voicemail,
    nodes,
)
from gateway.calls.hours import is_open
from gateway.calls.outbound import Trunk, attempts
from gateway.calls.route import AskKey, Destination, EndCall, PlaySound, Step, TakeMessage, Together
from gateway.calls.talked import Talked
from gateway.calls.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Moment:
    """When and by whom, for one call: what a flow looks at. ``caller`` as the log has it, none where withheld.

    ``trunk`` it came over, ``call`` is its key; ``traffic``: what goes on besides.
    """

    now: datetime
    caller: str | None = None
    trunks: Sequence[Trunk] = ()
    talked: Talked = field(default_factory=Talked)
    chance: Callable[[], float] = random.random
    trunk: str = ""
    call: str = ""
    traffic: Traffic = field(default_factory=Traffic)


@dataclass(frozen=True, slots=True)
class House:
    """What a company's flows stand on. ``lines``: its destinations that may be rung, by id."""

    lines: Mapping[int, Destination]
    zone: ZoneInfo
    closed_now: bool = False


def steps_of(flow: Flow, house: House, moment: Moment, path: str = "") -> tuple[Step, ...]:
    """What a call does from ``path`` on; nothing where the flow leads nowhere that is left."""
    return _ended(tuple(_steps(flow, flow.at(path), path, house, moment)))


def steps_as_if_open(flow: Flow, house: House, path: str = "") -> tuple[Step, ...]:
    """The same without a clock and a memory, for when nobody can be asked: open, and everybody in order."""
    return _ended(tuple(_steps(flow, flow.at(path), path, house, None)))


def menus(flow: Flow) -> Mapping[str, tuple[str, ...]]:
    """Every menu of the flow: its place, and the places that its keys lead to."""
    return {path: tuple(path + key for key in node.keys) for path, node in nodes(flow.start) if isinstance(node, Menu)}


def place_of(flow: Flow, path: str) -> str:
    """A menu's place as the dialplan says it."""
    return f"{flow.id}-{flow.revision}-{path}"


def read_choice(text: str) -> tuple[int, int, str] | None:
    """Flow, revision and place of ``Menu/<place>-<key>``, as the dialplan asks; none where it is no such text."""
    flow, _, rest = text.removeprefix("Menu/").partition("-")
    revision, _, rest = rest.partition("-")
    path, _, key = rest.rpartition("-")
    if not flow.isdecimal() or not revision.isdecimal() or len(key) != 1:
        return None
    return int(flow), int(revision), path + key


def _steps(flow: Flow, node: Any, path: str, house: House, moment: Moment | None) -> list[Step]:
    match node:
        case Hours(open=opened, closed=closed):
            opens = moment is None or (not house.closed_now and is_open(node, moment.now, house.zone))
            branch = (opened, OPEN) if opens else (closed, CLOSED)
            return _steps(flow, branch[0], path + branch[1], house, moment)
        case Ring(then=then):
            return [*_ring(flow, node, path, house, moment), *_steps(flow, then, path + THEN, house, moment)]
        case Sound(sound=sound, then=then):
            return [PlaySound(sound), *_steps(flow, then, path + THEN, house, moment)]
        case Menu(prompt=prompt, keys=keys, otherwise=otherwise, seconds=seconds, tries=tries):
            asks = AskKey(place_of(flow, path), "".join(keys), tries, prompt, seconds)
            return [asks, *_steps(flow, otherwise, path + OTHERWISE, house, moment)]
        case Voicemail(greeting=greeting, seconds=seconds):
            return [TakeMessage(greeting, seconds)]
        case HangUp():
            return [EndCall()]
    return []


def _ended(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """``steps``, or none where nothing in them rings, takes a message or says goodbye."""
    lasting = (Destination, Together, TakeMessage, EndCall)
    return steps if any(isinstance(step, lasting) for step in steps) else ()


def _ring(flow: Flow, ring: Ring, path: str, house: House, moment: Moment | None) -> list[Step]:
    weights = {house.lines[line.destination]: line.weight for line in ring.lines if line.destination in house.lines}
    lines = list(weights)
    first: list[Destination] = []
    if moment is not None and lines:
        partner = moment.talked.partner(flow.company_id, moment.caller) if ring.last_spoken_first else frozenset()
        first = [line for line in lines if partner & _names(line, moment.trunks)][:1]
        match ring.strategy:
            case Strategy.ROUND_ROBIN:
                turn = moment.talked.turn(f"{flow.id}/{path}") % len(lines)
                lines = lines[turn:] + lines[:turn]
            case Strategy.LONGEST_IDLE:
                lines.sort(key=lambda line: moment.talked.idle_since(_names(line, moment.trunks)))
            case Strategy.WEIGHTED:
                # Efraimidis and Spirakis (2006): the order of u^(1/weight) draws by weight, without replacement.
                lines.sort(key=lambda line: moment.chance() ** (1 / weights[line]), reverse=True)
    lines = [line for line in lines if line not in first]
    rung: list[Step] = [_for(line, ring) for line in first]
    if ring.strategy is Strategy.TOGETHER and len(lines) > 1 and not any(_alone(line) for line in lines):
        seconds = ring.seconds or max(line.ring_seconds for line in lines)
        asked = frozenset(line.dial for line in lines if line.press_one)
        return [*rung, Together(tuple(line.dial for line in lines), seconds, asked)]
    return [*rung, *(_for(line, ring) for line in lines)]


def _for(line: Destination, ring: Ring) -> Destination:
    return line if ring.seconds is None else replace(line, ring_seconds=ring.seconds)


def _alone(line: Destination) -> bool:
    """Whether it cannot ring beside others: a place in the admin's own dialplan, which takes the call over."""
    return line.dial.startswith("Dialplan/")


def _names(line: Destination, trunks: Sequence[Trunk]) -> frozenset[str]:
    """The names under which calls know a telephone."""
    try:
        dials = attempts(line.dial, trunks)
    except ValueError:
        dials = ()
    return frozenset((line.dial, *dials, *(part for dial in dials for part in dial.split("&"))))
