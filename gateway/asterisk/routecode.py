"""A route as one line of text: the value of a channel variable, and of an AstDB entry.

``1|<number>.<source>|<record>|<announcement>|<whisper>|<dial>^<seconds>~<dial>!<dial>^<seconds>|<did>|<main>|block or
busy|<longest>|<press one>``, taken apart by the dialplan with ``CUT()`` (np-ring in asterisk_conf/numberpool-dialplan.
conf.j2). Dial strings joined by ``!`` are one destination over several trunks. What is empty at the end is left out.
Behind number and source stand marks (``12.3.often.gate``), which the call's record brings back as they are. ``longest``
seconds a call may last; ``press one`` is what whoever picks up hears who is asked to press 1.

Among the destinations stand the steps of a flow (np-step): ``Sound/<sound>^0``, ``Menu/<place>:<keys>:<tries>:<sound>^
<seconds>``, ``Voicemail/<greeting or ->^<seconds>``, ``Hangup/^0``. A dialplan rendered before there were any cannot
dial them, and goes on to the next at once; in the end its default line rings. So they needed no new version.
"""

import re
from collections.abc import Collection, Sequence
from itertools import zip_longest
from urllib.parse import quote, unquote

from gateway.asterisk.dialstring import checked_dial_string, checked_sound
from gateway.calls.outbound import Trunk, attempts
from gateway.calls.route import AskKey, Destination, EndCall, PlaySound, Route, Step, TakeMessage, Together

VERSION = 1
# Beyond 1,015 bytes Asterisk drops an AMI message and names no action in its error; "Value: " and room to spare.
MAX_BYTES = 900
# Fields that are always there.
_LEAST = 6
_DESTINATIONS = 5
_PLACE = re.compile(r"[0-9]+-[0-9]+-[0-9*#octe]{0,16}")
_KEYS = re.compile(r"[0-9*#]{1,12}")
# A mark that says how many seconds a call may last.
LONGEST = "m"
_MARK = re.compile(r"[a-z0-9-]{1,20}")
_E164 = re.compile(r"\+[0-9]{4,15}")
# Where telephones are rung that ask whoever picks up to press 1 (numberpool-accept in numberpool-extensions.conf).
ACCEPT = "numberpool-accept"
_ACCEPTED = re.compile(rf"Local/[0-9]+-[01]-([^@&]+)@{ACCEPT}(?:/n)?")
# Beyond this Asterisk cuts an extension off.
MAX_EXTENSION = 79
# So long at most somebody listens to the whisper and is asked, twice; longer than the dialplan takes for it.
ACCEPT_SECONDS = 45


class RouteTooLong(ValueError):
    """A number has too many destinations, or their dial strings are too long; shorten the chain."""


def encode_destinations(steps: Sequence[Step], trunks: Sequence[Trunk] = ()) -> str:
    """``dial^seconds`` joined by ``~``, a number outside over each of ``trunks``.

    Raises ValueError for a dial string that is not one, NoTrunk where a trunk is wanted and none is there.
    """
    return "~".join(_encoded(step, trunks) for step in steps)


def encode_fitting(steps: Sequence[Step], trunks: Sequence[Trunk] = (), most: int = MAX_BYTES) -> str:
    """The same of a flow's steps, in at most ``most`` bytes.

    What does not fit is left out, last of all whoever is rung first and what ends the call; so is a step that cannot be
    written (its trunk is gone). Empty where nothing is left that rings, takes a message or ends the call.
    """
    rings: list[tuple[bool, str]] = []
    ends = ""
    for step in steps:
        try:
            text = _encoded(step, trunks, most)
        except ValueError:
            continue
        if isinstance(step, TakeMessage | EndCall):
            ends = text
            break
        rings.append((isinstance(step, Destination | Together), text))
    while len(text := "~".join([*(each for _, each in rings), *filter(None, [ends])])) > most:
        telephones = [at for at, (is_telephone, _) in enumerate(rings) if is_telephone]
        others = [at for at, (is_telephone, _) in enumerate(rings) if not is_telephone]
        if not rings:
            return ""
        del rings[telephones[-1] if len(telephones) > 1 or not others else others[-1]]
    return text if ends or any(is_telephone for is_telephone, _ in rings) else ""


def _encoded(step: Step, trunks: Sequence[Trunk], most: int = MAX_BYTES) -> str:
    match step:
        case Destination(dial=dial, ring_seconds=seconds, press_one=True) if can_ask(dial):
            return _together([dial], trunks, most - 5, int(seconds), {dial}) + f"^{int(seconds) + ACCEPT_SECONDS}"
        case Destination(dial=dial, ring_seconds=seconds):
            return "!".join(attempts(checked_dial_string(dial), trunks)) + f"^{int(seconds)}"
        case Together(dials=dials, ring_seconds=seconds, press_one=asked) if asked:
            return _together(dials, trunks, most - 5, int(seconds), asked) + f"^{int(seconds) + ACCEPT_SECONDS}"
        case Together(dials=dials, ring_seconds=seconds):
            return _together(dials, trunks, most - 5) + f"^{int(seconds)}"
        case PlaySound(sound=sound):
            return f"Sound/{checked_sound(sound)}^0"
        case AskKey(place=place, keys=keys, tries=tries, prompt=prompt, seconds=seconds):
            if not _PLACE.fullmatch(place) or not _KEYS.fullmatch(keys):
                raise ValueError(f"{place!r} is no place in a flow, or {keys!r} are no keys")
            return f"Menu/{place}:{keys}:{int(tries)}:{checked_sound(prompt)}^{int(seconds)}"
        case TakeMessage(greeting=greeting, seconds=seconds):
            return f"Voicemail/{checked_sound(greeting) if greeting else '-'}^{int(seconds)}"
        case EndCall():
            return "Hangup/^0"


def _together(
    dials: Sequence[str],
    trunks: Sequence[Trunk],
    most: int,
    seconds: int = 0,
    asked: Collection[str] = (),
) -> str:
    """All at once, as many as ``most`` bytes hold; numbers outside over the first trunk, and over the next if nobody at
    all could be reached. Raises ValueError where none can be dialled.

    Where some are ``asked`` to press 1, each rings ``seconds`` by a clock of its own: the call waits longer for whoever
    has picked up and is being asked.
    """
    each: list[tuple[str, ...]] = []
    text, fault = "", ValueError("nobody is to be rung")
    for dial in dials:
        try:
            tries = attempts(checked_dial_string(dial), trunks)
            if asked:
                tries = tuple(_asking(each, seconds, asked=dial in asked) for each in tries)
        except ValueError as error:
            fault = error
            continue
        wider = "!".join("&".join(filter(None, turn)) for turn in zip_longest(*each, tries))
        if dial.startswith("Dialplan/") or len(wider) > most:  # the first takes the call over: not beside others
            continue
        each.append(tries)
        text = wider
    if not text:
        raise fault
    return text


def encode_route(route: Route, trunks: Sequence[Trunk] = ()) -> str:
    """The line for ``route`` on a node with these ``trunks``; of its flow, where it has one, what fits.

    Raises ValueError where a dial string or a sound is not one, NoTrunk, and RouteTooLong where it would not fit.
    """
    fields = [
        str(VERSION),
        ".".join((str(route.number_id or ""), str(route.source_id or ""), *filter(_MARK.fullmatch, _marks(route)))),
        "1" if route.record else "0",
        checked_sound(route.announcement) if route.announcement else "",
        checked_sound(route.whisper) if route.whisper else "",
        "",
        _number(route.did),
        _number(route.main_number),
        ("busy" if route.busy else "block") if route.blocked else "",
        str(int(route.longest_seconds)) if route.longest_seconds else "",
        checked_sound(route.prompts.press_one) if route.prompts.press_one else "",
    ]
    room = MAX_BYTES - len("|".join(fields))
    flow = encode_fitting(route.steps, trunks, room) if route.steps else ""
    if route.blocked:  # what is said to the caller, if anything; a sound alone ends no other route
        flow = encode_destinations(route.steps)
    fields[_DESTINATIONS] = flow or encode_destinations(route.destinations, trunks)
    while len(fields) > _LEAST and not fields[-1]:
        fields.pop()
    text = "|".join(fields)
    if len(text) > MAX_BYTES:
        raise RouteTooLong(RouteTooLong.__doc__)
    return text


def _asking(dial: str, seconds: int, *, asked: bool) -> str:
    """Each telephone of ``dial`` as np-accept rings it; one that cannot ask rings as ever."""
    if not can_ask(dial):
        return dial
    return "&".join(f"Local/{seconds}-{int(asked)}-{quote(part, safe='')}@{ACCEPT}/n" for part in dial.split("&"))


def can_ask(dial: str) -> bool:
    """Whether whoever picks up there can be asked to press 1: not in a context of the admin's own, which takes the call
    over, nor where the name is longer than Asterisk reads."""
    return not dial.startswith("Dialplan/") and all(
        len(f"600-1-{quote(part, safe='')}") <= MAX_EXTENSION for part in dial.split("&")
    )


def decode_dial(text: str) -> str:
    """The dial string, or the name of the channel, behind those that np-accept stands in front of."""
    return _ACCEPTED.sub(lambda found: unquote(found[1]), text)


def decode_reference(text: str) -> tuple[int | None, int | None]:
    """Number and source of ``<number>.<source>``, as a call carries it back."""
    number, source, *_ = [*text.split("."), ""]
    return (int(number) if number.isdecimal() else None, int(source) if source.isdecimal() else None)


def decode_marks(text: str) -> tuple[str, ...]:
    """The marks behind number and source."""
    return tuple(mark for mark in text.split(".")[2:] if _MARK.fullmatch(mark))


def _marks(route: Route) -> tuple[str, ...]:
    return (*route.marks, f"{LONGEST}{int(route.longest_seconds)}") if route.longest_seconds else route.marks


def _number(e164: str | None) -> str:
    """A number of ours, where it is one; a route without it still rings."""
    return e164 if e164 and _E164.fullmatch(e164) else ""
