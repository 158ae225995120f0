"""A route as one line of text: the value of a channel variable, and of an AstDB entry.

``1|<number>.<source>|<record>|<announcement>|<whisper>|<dial>^<seconds>~<dial>^<seconds>``, taken apart by the
dialplan with ``CUT()`` (np-ring in asterisk_conf/numberpool-extensions.conf.j2).
"""

from gateway.asterisk.dialstring import checked_dial_string, checked_sound
from gateway.calls.route import Destination, Route

VERSION = 1
# Beyond 1,015 bytes Asterisk drops an AMI message and names no action in its error; "Value: " and room to spare.
MAX_BYTES = 900


class RouteTooLong(ValueError):
    """A number has too many destinations, or their dial strings are too long; shorten the chain."""


def encode_destinations(destinations: tuple[Destination, ...]) -> str:
    """``dial^seconds`` joined by ``~``. Raises ValueError for a dial string that is not one."""
    return "~".join(f"{checked_dial_string(d.dial)}^{int(d.ring_seconds)}" for d in destinations)


def encode_route(route: Route) -> str:
    """The line for ``route``.

    Raises ValueError where a dial string or a sound is not one, RouteTooLong where it would not fit.
    """
    text = "|".join(
        (
            str(VERSION),
            f"{route.number_id or ''}.{route.source_id or ''}",
            "1" if route.record else "0",
            checked_sound(route.announcement) if route.announcement else "",
            checked_sound(route.whisper) if route.whisper else "",
            encode_destinations(route.destinations),
        )
    )
    if len(text) > MAX_BYTES:
        raise RouteTooLong(RouteTooLong.__doc__)
    return text


def decode_reference(text: str) -> tuple[int | None, int | None]:
    """Number and source of ``<number>.<source>``, as a call carries it back."""
    number, _, source = text.partition(".")
    return (int(number) if number.isdecimal() else None, int(source) if source.isdecimal() else None)
