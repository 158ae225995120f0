"""A route as one line of text: the value of a channel variable, and of an AstDB entry.

``1|<number>.<source>|<record>|<announcement>|<whisper>|<dial>^<seconds>~<dial>!<dial>^<seconds>|<did>|<main>|block``,
taken apart by the dialplan with ``CUT()`` (np-ring in asterisk_conf/numberpool-dialplan.conf.j2). Dial strings joined
by ``!`` are one destination over several trunks. What is empty at the end is left out.
"""

import re
from collections.abc import Sequence

from gateway.asterisk.dialstring import checked_dial_string, checked_sound
from gateway.calls.outbound import Trunk, attempts
from gateway.calls.route import Destination, Route

VERSION = 1
# Beyond 1,015 bytes Asterisk drops an AMI message and names no action in its error; "Value: " and room to spare.
MAX_BYTES = 900
# Fields that are always there.
_LEAST = 6
_E164 = re.compile(r"\+[0-9]{4,15}")


class RouteTooLong(ValueError):
    """A number has too many destinations, or their dial strings are too long; shorten the chain."""


def encode_destinations(destinations: tuple[Destination, ...], trunks: Sequence[Trunk] = ()) -> str:
    """``dial^seconds`` joined by ``~``, a number outside over each of ``trunks``.

    Raises ValueError for a dial string that is not one, NoTrunk where a trunk is wanted and none is there.
    """
    return "~".join(
        "!".join(attempts(checked_dial_string(each.dial), trunks)) + f"^{int(each.ring_seconds)}"
        for each in destinations
    )


def encode_route(route: Route, trunks: Sequence[Trunk] = ()) -> str:
    """The line for ``route`` on a node with these ``trunks``.

    Raises ValueError where a dial string or a sound is not one, NoTrunk, and RouteTooLong where it would not fit.
    """
    fields = [
        str(VERSION),
        f"{route.number_id or ''}.{route.source_id or ''}",
        "1" if route.record else "0",
        checked_sound(route.announcement) if route.announcement else "",
        checked_sound(route.whisper) if route.whisper else "",
        encode_destinations(route.destinations, trunks),
        _number(route.did),
        _number(route.main_number),
        "block" if route.blocked else "",
    ]
    while len(fields) > _LEAST and not fields[-1]:
        fields.pop()
    text = "|".join(fields)
    if len(text) > MAX_BYTES:
        raise RouteTooLong(RouteTooLong.__doc__)
    return text


def decode_reference(text: str) -> tuple[int | None, int | None]:
    """Number and source of ``<number>.<source>``, as a call carries it back."""
    number, _, source = text.partition(".")
    return (int(number) if number.isdecimal() else None, int(source) if source.isdecimal() else None)


def _number(e164: str | None) -> str:
    """A number of ours, where it is one; a route without it still rings."""
    return e164 if e164 and _E164.fullmatch(e164) else ""
