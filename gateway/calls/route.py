"""A route: what one inbound call does. Decided in memory, and the same for the live answer and for the fallback."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call rings, and for how long: a dial string such as ``PJSIP/reception``, and seconds.

    ``Trunk/+13065551234`` is a number outside, over whatever trunks the node has (gateway.calls.outbound).
    ``press_one``: an answer there counts once somebody has pressed 1.
    """

    dial: str
    ring_seconds: int
    press_one: bool = False


@dataclass(frozen=True, slots=True)
class Together:
    """Several destinations that ring at once, each a dial string as ``Destination`` has it; some with ``press_one``."""

    dials: tuple[str, ...]
    ring_seconds: int
    press_one: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PlaySound:
    """A sound for the caller; then the next step."""

    sound: str


@dataclass(frozen=True, slots=True)
class AskKey:
    """Plays ``prompt`` and waits ``seconds`` for one of ``keys``, ``tries`` times; none of them: the next step.

    ``place`` is what the dialplan says with the key, when it asks what follows (gateway.calls.steps).
    """

    place: str
    keys: str
    tries: int
    prompt: str
    seconds: int


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """Voicemail: ``greeting`` (none: only a tone), then a message of at most ``seconds``. The call ends there."""

    greeting: str | None
    seconds: int


@dataclass(frozen=True, slots=True)
class EndCall:
    """The call ends."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """The sounds for whoever answers: what is said before a key is waited for (gateway.calls.prompting)."""

    press_one: str | None = None


Step = Destination | Together | PlaySound | AskKey | TakeMessage | EndCall


@dataclass(frozen=True, slots=True)
class Route:
    """Destinations in order, and what happens around them.

    ``steps``, where there are any, take the place of the destinations: what a flow says (gateway.calls.steps).

    ``number_id`` and ``source_id`` name what the call was decided by; none where no pool knows the number.
    ``announcement`` is a sound for the caller, ``whisper`` one for the person who answers. ``did`` and ``main_number``
    are the numbers of ours that a trunk may be shown (E.164). A ``blocked`` call rings nowhere; its steps are what the
    caller is told. ``marks`` come back with its record (gateway.calls.screening). ``untold``: it would be recorded, but
    the caller would have to be told, and nothing is there to say it with. ``longest_seconds`` it may last; none: as
    long as people talk. ``prompts`` are for whoever answers.
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
    steps: tuple[Step, ...] = ()
    busy: bool = False  # blocked, because there is no line left
    marks: tuple[str, ...] = ()
    untold: bool = False
    longest_seconds: int | None = None
    prompts: Prompts = Prompts()
