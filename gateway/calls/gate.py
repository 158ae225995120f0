"""What a route becomes by the rules of its company: announced, asked at the gate, or turned away. Plain functions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.calls.consent import caller_must_know, place_of
from gateway.calls.policy import Announce, Phrase, Policy
from gateway.calls.route import AskKey, EndCall, PlaySound, Route, Step
from gateway.calls.screening import AT_GATE, TURNED_AWAY, UNTOLD, Course, Screening

# Long enough to find the keys of a mobile telephone.
GATE_SECONDS = 6
GATE_TRIES = 2


@dataclass(frozen=True, slots=True)
class Door:
    """What stands at the door of a company: its rules, where it is, and the sounds that are there.

    ``rings`` is what follows a 1 at the gate where nobody can be asked any more.
    """

    company_id: int
    policy: Policy
    place: str = ""
    sounds: Mapping[Phrase, str] = field(default_factory=dict)
    rings: tuple[Step, ...] = ()
    lead_seconds: float = 60.0

    @property
    def longest_seconds(self) -> int | None:
        """How long a call may last; none: as long as people talk."""
        return self.policy.longest_minutes and self.policy.longest_minutes * 60

    @property
    def gate(self) -> str:
        """The place of the gate, as a menu's: no flow has the number 0."""
        return f"0-{self.company_id}-"


def announced(route: Route, door: Door, own_sound: str | None, caller: str | None, *, is_known: bool) -> Route:
    """``route`` with the announcement that it needs; not recorded where one is needed and none is there.

    ``caller`` is E.164 where that could be read; where it is not even known yet (``is_known`` false), nothing is said
    of him, so the stricter holds. A company that has never decided goes on as before.
    """
    if not route.record:
        return route if door.policy.announce is None else replace(route, announcement=None)
    match door.policy.announce:
        case None:
            return route
        case Announce.NEVER:
            return replace(route, announcement=None)
        case Announce.BY_REGION if not caller_must_know(door.place, place_of(caller) if is_known else ""):
            return replace(route, announcement=None)
    sound = own_sound or door.sounds.get(Phrase.RECORDED)
    if sound is None:
        return replace(route, record=False, announcement=None, untold=True, marks=(*route.marks, UNTOLD))
    return replace(route, announcement=sound)


def screened(route: Route, screening: Screening, door: Door) -> Route:
    """``route`` on its course. What cannot be said yet lets a call ring, and turns away none without a word but those
    of the list, of a caller who calls too often, and where there is no line left.
    """
    marks = (*route.marks, *([screening.by.value] if screening.by else []))
    ask = door.sounds.get(Phrase.PRESS_ONE)
    match screening.course:
        case Course.ASKED if ask is not None:
            return replace(route, steps=(_question(door, ask), *(route.steps or route.destinations)), marks=marks)
        case Course.GATED if ask is not None:
            return replace(route, steps=(_question(door, ask), EndCall()), marks=(*marks, AT_GATE))
        case Course.TOLD if (number_wanted := door.sounds.get(Phrase.SHOW_NUMBER)) is not None:
            return turned_away(route, marks, number_wanted)
        case Course.BUSY:
            return replace(turned_away(route, marks, door.sounds.get(Phrase.ALL_BUSY)), busy=True)
        case Course.BLOCKED:
            return turned_away(route, marks)
        case Course.RINGS:
            return replace(route, marks=marks)
    return route


def turned_away(route: Route, marks: tuple[str, ...], sound: str | None = None) -> Route:
    """``route`` for a call that rings nowhere: nothing but ``sound`` is played, and nothing is recorded."""
    return replace(
        straight(route),
        destinations=(),
        steps=() if sound is None else (PlaySound(sound),),
        blocked=True,
        marks=(*(mark for mark in marks if mark != UNTOLD), TURNED_AWAY),
    )


def straight(route: Route) -> Route:
    """``route`` for a fax machine, which answers tones: nothing is played to either side, and nothing is recorded."""
    marks = tuple(mark for mark in route.marks if mark != UNTOLD)
    return replace(route, record=False, announcement=None, whisper=None, untold=False, marks=marks)


def _question(door: Door, sound: str) -> AskKey:
    return AskKey(door.gate, "1", GATE_TRIES, sound, GATE_SECONDS)
