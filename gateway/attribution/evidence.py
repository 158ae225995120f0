"""What is known of a call and of those who may have made it, and what is concluded from it: frozen values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Pages tell every 30 seconds that they are still there: one that said so this long ago is on a screen.
LIVE = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it rings. ``caller`` is the caller's number, empty where it is withheld."""

    number: str
    at: datetime
    caller: str = ""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A visit and the number that was called: its visitor's from ``shown_at``; its own pages last seen ``last_seen``.

    ``came_at`` is when the visit was first shown a number, which its delay counts from; none: this one, at
    ``shown_at``. It is another where the visit had another number, before its visitor was shown this one (by this
    visit or a later one): people call the number that they were shown last. ``left_at``: the visit's page said goodbye
    then. ``replaced_at``: its visitor was shown another number instead, so that a call would go there. ``called``: the
    chance that the visit has called already. A visit that may not be known again is its own visitor.
    """

    visit: str
    visitor: str
    shown_at: datetime
    last_seen: datetime
    left_at: datetime | None = None
    replaced_at: datetime | None = None
    called: float = 0.0
    came_at: datetime | None = None

    @property
    def counts_from(self) -> datetime:
        """When the visit was first shown a number."""
        return self.came_at or self.shown_at

    def is_live(self, at: datetime) -> bool:
        """Whether it is on a screen at ``at``."""
        return self.left_at is None and self.replaced_at is None and at - self.last_seen <= LIVE


def after_call(called: float, chance: float) -> float:
    """The chance that a visit has called, once there was another call which it made with ``chance``."""
    return 1 - (1 - called) * (1 - min(chance, 1.0))


@dataclass(frozen=True, slots=True)
class Tap:
    """A visit's tap on the link of the number that was called."""

    visit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """Whose caller's number it is, as earlier calls from it say: a visitor, or nobody known (``visitor`` none).

    ``chance`` is how sure that is; ``called_at`` when it last rang. ``has_number``: he has been shown the number that
    is called now, or has dialled it, so that it may be in his contacts.
    """

    visitor: str | None
    chance: float
    called_at: datetime
    has_number: bool = True


class Evidence(StrEnum):
    """Why a visit may have made a call, or why none of them did."""

    TAP = "tap"  # it tapped on the number just before
    KNOWN_CALLER = "known caller"  # earlier calls from the same number were its visitor's
    LIVE = "live"  # the number was on its screen when the phone rang
    SEEN = "seen"  # the number had been on its screen
    NOBODY = "nobody"  # more likely a call of none of the visits
    TOO_LONG_AGO = "too long ago"  # nobody had the number on a screen within the window
    NEVER_SHOWN = "never shown"  # nobody was shown the number for days
    STATIC_NUMBER = "static number"  # the number stands for one source
    NO_NUMBER = "no number"  # the call came to none of the tracking numbers


@dataclass(frozen=True, slots=True)
class Candidate:
    """A visitor who may have made the call, with the chance that he did.

    ``visit`` is the one that speaks most for it, and ``shown_at`` and ``last_seen`` are its exposure's, or of the later
    visit that was shown this number instead of another; none for a known caller who was not shown the number of late.
    """

    visitor: str
    chance: float
    evidence: tuple[Evidence, ...]
    visit: str | None = None
    shown_at: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who made a call, most likely: ``candidate``, or none (Unknown).

    ``confidence`` is the chance that this answer is right; for Unknown, that no visit made the call. ``candidates``
    are all that count, the likeliest first, the answer among them; their chances, those of the many unlikely ones
    (``others``) and ``nobody`` add up to one.
    """

    candidate: Candidate | None
    confidence: float
    evidence: tuple[Evidence, ...]
    candidates: tuple[Candidate, ...]
    nobody: float
    others: float
    window: timedelta

    @property
    def visitor(self) -> str | None:
        """The answer's visitor; none: Unknown."""
        return self.candidate.visitor if self.candidate else None

    @property
    def rivals(self) -> tuple[Candidate, ...]:
        """Who else may have made it."""
        return tuple(each for each in self.candidates if each is not self.candidate)
