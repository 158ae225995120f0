"""A route: what one inbound call does. Decided in memory, and the same for the live answer and for the fallback."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call rings, and for how long: a dial string such as ``PJSIP/reception``, and seconds.

    ``Trunk/+13065551234`` is a number outside, over whatever trunks the node has (gateway.calls.outbound).
    """

    dial: str
    ring_seconds: int


@dataclass(frozen=True, slots=True)
class Route:
    """Destinations in order, and what happens around them.

    ``number_id`` and ``source_id`` name what the call was decided by; none where no pool knows the number.
    ``announcement`` is a sound for the caller, ``whisper`` one for the person who answers. ``did`` and ``main_number``
    are the numbers of ours that a trunk may be shown (E.164). A ``blocked`` call rings nowhere.
    """

    destinations: tuple[Destination, ...]
    record: bool = False
    announcement: str | None = None
    whisper: str | None = None
    number_id: int | None = None
    source_id: int | None = None
    did: str | None = None
    main_number: str | None = None
    blocked: bool = False
