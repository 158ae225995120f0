"""From a call and all that is known around it to what brought it: plain functions over plain values, no I/O.

Made when the phone rings, when the call is settled, and when a period is computed again: the same function each time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from gateway.attribution.credit import CreditTouch, Model, shares
from gateway.attribution.evidence import (
    LIVE,
    Call,
    Candidate,
    Evidence,
    Exposure,
    KnownCaller,
    Tap,
    Verdict,
    after_call,
)
from gateway.attribution.learned import Learned
from gateway.attribution.match import match_call
from gateway.visits.source import Source


class Basis(StrEnum):
    """What a call's source is known by."""

    STATIC = "static number"
    VISITS = "visits"
    NO_NUMBER = "no number"


class How(StrEnum):
    """How a touch belongs to the person who called."""

    VISIT = "visit"  # the visit that made the call
    BROWSER = "browser"  # another visit of the same browser
    CALLER = "caller"  # of a visitor who has called from the same number
    FORM = "form"  # of a visitor who left the same phone number in a form
    NUMBER = "number"  # the static number that was called


@dataclass(frozen=True, slots=True)
class Page:
    """One page that showed a visit the number that was called, or another of its pool.

    ``visitor`` is none where the visit may not be known again.
    """

    exposure_id: UUID
    visit_id: UUID
    visitor: UUID | None
    shown_at: datetime
    last_seen: datetime
    left_at: datetime | None = None

    @property
    def who(self) -> str:
        """Its visitor; a visit that may not be known again is its own."""
        return str(self.visitor or self.visit_id)


@dataclass(frozen=True, slots=True)
class Seen:
    """One visit that may call the number, with however many pages, as far as that was so at the call."""

    exposure: Exposure
    exposure_id: UUID  # of the page that was seen last


@dataclass(frozen=True, slots=True)
class PersonsTouch:
    """An arrival of the person, or of somebody who may be the person, and what brought it."""

    visit_id: UUID
    visitor: str
    at: datetime
    source: Source
    is_touch: bool = True
    how: How = How.BROWSER


@dataclass(frozen=True, slots=True)
class Credited:
    """A touch that the credit for a call is shared over."""

    at: datetime
    how: How
    source: Source
    visit_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """A call to be decided. ``number`` is E.164, ``model`` and ``lookback`` are its company's.

    ``static_source``: what its number stands for, where that is one source.
    """

    company_id: int
    call_id: int
    number: str
    at: datetime
    caller: str
    basis: Basis
    window: timedelta
    model: Model = Model.FIRST
    lookback: timedelta = timedelta(days=90)
    static_source: Source | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that is known around a call. ``elsewhere``: pages that showed its visitors another number of the pool.

    ``earlier``: when visitors may have called a number of the pool in the days before, and with which chance.
    """

    pages: tuple[Page, ...] = ()
    elsewhere: Mapping[str, Sequence[Page]] = field(default_factory=dict)
    taps: tuple[Tap, ...] = ()
    known: tuple[KnownCaller, ...] = ()
    called: Mapping[str, float] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[tuple[datetime, float]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A verdict, with the exposures and taps that it was made from."""

    verdict: Verdict
    seen: Mapping[str, Seen]  # by visit
    taps: tuple[Tap, ...] = ()
    known: tuple[KnownCaller, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What brought a call. ``suspicion`` is none where the number itself says it.

    ``credit`` is the touch that the call's own source is, by the company's model; none: Unknown. ``credits`` are
    those of the candidates, by visitor. ``source_confidence`` is the chance that the source is right, whichever of its
    visits made the call.
    """

    basis: Basis
    confidence: float
    source_confidence: float
    because: tuple[Evidence, ...]
    suspicion: Suspicion | None = None
    touches: tuple[Credited, ...] = ()
    credit: Credited | None = None
    credits: Mapping[str, Source] = field(default_factory=dict)
    learned_id: int | None = None


def seen_by(pages: Iterable[Page], elsewhere: Mapping[str, Sequence[Page]], at: datetime) -> dict[str, Seen]:
    """Visits by what they had on their screens up to ``at``, whatever became of it later.

    ``elsewhere`` are the pages that showed the same visitors another number of the pool. The pages of a visit count as
    one exposure: open as long as any of them is, left when the last one was. All visits of a visitor are on the number
    that he was shown last: those that had another one before as well, with their own age.
    """
    found: dict[str, Seen] = {}
    ordered = sorted((page for page in pages if page.shown_at <= at), key=lambda page: (page.who, page.shown_at))
    for who, each in groupby(ordered, key=lambda page: page.who):
        others = sorted(
            (page for page in elsewhere.get(who, ()) if page.shown_at <= at), key=lambda page: page.shown_at
        )
        found |= _on_number(list(each), others, at)
    return found


def _on_number(own: Sequence[Page], others: Sequence[Page], at: datetime) -> dict[str, Seen]:
    """The visits of one visitor on the number of the pages ``own``; all pages in the order of time."""
    replaced = next((page.shown_at for page in others if page.shown_at > own[-1].shown_at), None)
    visits: dict[UUID, list[Page]] = {}
    for page in sorted((*own, *others), key=lambda page: page.shown_at):
        if replaced is None or page.shown_at < replaced:
            visits.setdefault(page.visit_id, []).append(page)
    found = {}
    for visit, seen in visits.items():
        shown = next(page.shown_at for page in own if page.shown_at >= seen[0].shown_at)
        found[str(visit)] = seen_on(seen, shown, replaced, at)
    return found


def seen_on(pages: Sequence[Page], shown_at: datetime, replaced_at: datetime | None, at: datetime) -> Seen:
    """One visit on a number, by all of its pages in the order of time; see ``Exposure`` for the moments."""
    latest = max(pages, key=lambda page: (page.last_seen, page.shown_at))
    left_at = None if any(_is_open(page, at) for page in pages) else _by(latest.left_at, at)
    last_seen = min(at, max(max(page.last_seen, page.shown_at) for page in pages))
    came_at = pages[0].shown_at
    return Seen(
        Exposure(str(latest.visit_id), latest.who, shown_at, last_seen, left_at, replaced_at, came_at=came_at),
        latest.exposure_id,
    )


def suspect(rung: Rung, gathered: Gathered, learned: Learned, *, taps: bool = True) -> Suspicion:
    """Who made a call to a number that is lent; without ``taps``, as if nobody had tapped."""
    seen = seen_by(gathered.pages, gathered.elsewhere, rung.at)
    used = gathered.taps if taps else ()
    verdict = match_call(
        Call(rung.number, rung.at, rung.caller),
        [_having_called(each.exposure, gathered.earlier.get(each.exposure.visitor, ())) for each in seen.values()],
        taps=used,
        known=gathered.known,
        called=gathered.called,
        learned=learned,
        window=rung.window,
    )
    return Suspicion(verdict, seen, used, gathered.known)


def _having_called(exposure: Exposure, calls: Iterable[tuple[datetime, float]]) -> Exposure:
    called = 0.0
    for at, chance in calls:
        if at >= exposure.counts_from:
            called = after_call(called, chance)
    return replace(exposure, called=called) if called else exposure


def decide(
    rung: Rung, suspicion: Suspicion | None, touches: Sequence[PersonsTouch], learned_id: int | None = None
) -> Decision:
    """What brought a call; ``touches`` are those of all candidates, and of whoever is the same person as the answer."""
    if rung.basis is not Basis.VISITS or suspicion is None:
        return _by_number(rung)
    verdict = suspicion.verdict
    credits = {
        each.visitor: credit.source
        for each in verdict.candidates
        if (credit := _credit(rung, _touches_of(each, touches, person=False))) is not None
    }
    answer = verdict.candidate
    if answer is None:
        return Decision(
            Basis.VISITS,
            verdict.confidence,
            verdict.confidence,
            verdict.evidence,
            suspicion,
            credits=credits,
            learned_id=learned_id,
        )
    own = _touches_of(answer, touches, person=True)
    credit = _credit(rung, own)
    if credit is not None:
        credits[answer.visitor] = credit.source
        same = sum(
            each.chance
            for each in verdict.candidates
            if each.visitor in credits and credits[each.visitor].label == credit.source.label
        )
    else:
        same = 0.0
    return Decision(
        Basis.VISITS,
        verdict.confidence,
        min(max(same, answer.chance), 1.0),
        verdict.evidence,
        suspicion,
        own,
        credit,
        credits,
        learned_id,
    )


def wanted_touches(suspicion: Suspicion) -> tuple[list[UUID], list[UUID]]:
    """The visitors and visits whose touches a decision needs."""
    visitors = [UUID(each.visitor) for each in suspicion.verdict.candidates]
    visits = [UUID(each.visit) for each in suspicion.verdict.candidates if each.visit is not None]
    return visitors, visits


def _by_number(rung: Rung) -> Decision:
    because = (Evidence.STATIC_NUMBER if rung.basis is Basis.STATIC else Evidence.NO_NUMBER,)
    if rung.static_source is None:
        return Decision(rung.basis, 1.0, 1.0, because)
    touch = Credited(rung.at, How.NUMBER, rung.static_source)
    return Decision(rung.basis, 1.0, 1.0, because, None, (touch,), touch)


def _touches_of(candidate: Candidate, touches: Sequence[PersonsTouch], *, person: bool) -> tuple[Credited, ...]:
    """The touches of a candidate, oldest first; where none is a new touch, the visit itself."""
    own = [
        each
        for each in touches
        if each.visitor == candidate.visitor
        or str(each.visit_id) == candidate.visit
        or (person and each.how is not How.BROWSER)
    ]
    found = [each for each in own if each.is_touch] or [each for each in own if str(each.visit_id) == candidate.visit]
    return tuple(
        Credited(
            each.at,
            How.VISIT if str(each.visit_id) == candidate.visit else each.how,
            each.source,
            each.visit_id,
        )
        for each in sorted(found, key=lambda each: (each.at, str(each.visit_id)))
    )


def _credit(rung: Rung, touches: Sequence[Credited]) -> Credited | None:
    """The one touch that a model names which names one."""
    keyed = {str(place): each for place, each in enumerate(touches)}
    given = shares([CreditTouch(key, each.at, each.source) for key, each in keyed.items()], rung.model, at=rung.at)
    return keyed[max(given, key=lambda key: given[key])] if given else None


def _is_open(page: Page, at: datetime) -> bool:
    return (page.left_at is None or page.left_at > at) and at - page.last_seen <= LIVE


def _by(moment: datetime | None, at: datetime) -> datetime | None:
    return moment if moment is not None and moment <= at else None
