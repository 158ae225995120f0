"""A history of visits and calls run through a pool under trial, decision by decision as they would have been live."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from gateway.attribution.callers import Callers
from gateway.attribution.evidence import Call, Exposure, Verdict, after_call
from gateway.attribution.history_lines import PastCall, PastVisit
from gateway.attribution.learned import PRIOR, Learned
from gateway.attribution.learning import Examples, learn
from gateway.attribution.match import judge
from gateway.attribution.risk import HORIZON, Stretch, TimeAtRisk
from gateway.attribution.trial_pool import TrialPool
from gateway.attribution.weighing import weigh
from gateway.pools.leases import Got
from gateway.pools.pool import Pool

# As the collector tells the pages.
KEEP_ALIVE = timedelta(seconds=30)
# Pages are asleep by then, and say nothing more.
LONGEST_VISIT = timedelta(hours=12)
# Learning anew from all calls takes long where there are many, and a tenth more of them changes little.
WORTH_LEARNING = 1.1
_DAY = timedelta(days=1)

MayHaveNumber = Callable[[PastVisit], bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call: the number it came to, and who made it. Without number it went past the pool."""

    call: PastCall
    number: str | None
    verdict: Verdict | None


@dataclass(slots=True)
class Tally:
    """How the pool did: visits by how they got their number, and pages that lost theirs and asked anew."""

    visits: int = 0
    got: dict[Got, int] = field(default_factory=lambda: dict.fromkeys(Got, 0))
    asked_anew: int = 0


@dataclass(slots=True, eq=False)
class _Showing:
    """An exposure as it goes on, of the visit's own pages or carried over from the number that its visitor had before.

    ``risk_from`` and the chances after it are what ``Stretch`` wants.
    """

    visit: str
    visitor: str
    number: str
    shown_at: datetime
    end: datetime
    last_seen: datetime
    risk_from: datetime
    came_at: datetime
    left_at: datetime | None = None
    replaced_at: datetime | None = None
    known: float = 0.0
    called: float = 0.0
    _frozen: Exposure | None = None

    def exposure(self) -> Exposure:
        if self._frozen is None:
            self._frozen = Exposure(
                self.visit,
                self.visitor,
                self.shown_at,
                self.last_seen,
                self.left_at,
                self.replaced_at,
                self.called,
                self.came_at,
            )
        return self._frozen

    def seen(self, at: datetime, *, left: bool = False) -> None:
        self.last_seen, self.left_at, self._frozen = at, at if left else None, None

    def replaced(self, at: datetime) -> None:
        self.replaced_at, self._frozen = at, None

    def shown_again(self, latest: "_Showing", at: datetime) -> None:
        """Its visitor, who had another number, has this one again; ``latest`` is the same visit on the other."""
        self.end, self.last_seen, self.left_at = latest.end, latest.last_seen, latest.left_at
        self.replaced_at, self.risk_from, self.called, self._frozen = None, at, latest.called, None

    def risks(self, at: datetime, known: float, called: float) -> None:
        self.risk_from, self.known, self.called, self._frozen = at, known, called, None


class Trial:
    """One run. ``answers`` goes through the history once; what it learns by night it knows the next day."""

    def __init__(
        self,
        pool: Pool,
        numbers: list[str],
        *,
        seed: int = 0,
        start: Learned = PRIOR,
        may_have_number: MayHaveNumber | None = None,
    ) -> None:
        self.pool = pool
        self.tally = Tally()
        self.learned = start
        self._numbers = numbers
        self._lending = TrialPool(pool, numbers)
        self._chance = random.Random(seed)
        self._may_have_number = may_have_number
        self._callers = Callers()
        self._shown: dict[str, list[_Showing]] = defaultdict(list)  # by number
        self._of: dict[str, list[_Showing]] = {}  # the same by visitor
        self._last_shown: dict[str, str | None] = {}
        self._examples, self._risk = Examples(), TimeAtRisk()
        self._stretches: list[tuple[_Showing, datetime, datetime, float, float]] = []
        self._learned_from = 0.0
        self._events: list[tuple[datetime, int, int, _Showing]] = []
        self._order = count()

    def answers(self, visits: Sequence[PastVisit], calls: Sequence[PastCall]) -> Iterator[Answer]:
        """An answer for each call, in the order of their times; both sequences are in that order."""
        moments = [each[0].start for each in (visits, calls) if each]
        if not moments:
            return
        night = day = min(moments)
        night = night.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        coming = iter([*visits, None])
        visit = next(coming)
        number = 0
        for call in [*calls, None]:
            while visit is not None and (call is None or visit.start <= call.start):
                while visit.start >= night:
                    self._night(day, night)
                    day, night = night, night + _DAY
                self._until(visit.start)
                number += 1
                self._visit(str(number), visit)
                visit = next(coming)
            if call is None:
                break
            while call.start >= night:
                self._night(day, night)
                day, night = night, night + _DAY
            self._until(call.start)
            yield self._call(call)

    def _until(self, now: datetime) -> None:
        """Pages that say they are there, or left, up to ``now``."""
        while self._events and self._events[0][0] <= now:
            at, _, _, showing = heappop(self._events)
            if showing.replaced_at is not None:
                continue
            if at >= showing.end:
                self._lending.keep_alive(showing.visitor, at)
                showing.seen(showing.end, left=True)
            elif self._lending.keep_alive(showing.visitor, at):
                showing.seen(at)
                self._expect(showing, at)
            else:
                # Its number is another's now: the page asks anew.
                self.tally.asked_anew += 1
                self._show(showing.visit, showing.visitor, at, showing.end)

    def _expect(self, showing: _Showing, now: datetime) -> None:
        heappush(self._events, (min(showing.end, now + KEEP_ALIVE), 0, next(self._order), showing))

    def _visit(self, key: str, visit: PastVisit) -> None:
        self.tally.visits += 1
        if self._may_have_number is not None and not self._may_have_number(visit):
            self._leave(visit.visitor, visit.start)
            self._last_shown[visit.visitor] = None
            return
        got = self._show(key, visit.visitor, visit.start, min(visit.end, visit.start + LONGEST_VISIT))
        self.tally.got[got] += 1

    def _show(self, key: str, visitor: str, now: datetime, end: datetime) -> Got:
        given = self._lending.lend(visitor, now)
        if given.number != self._last_shown.get(visitor):
            self._leave(visitor, now)
        self._last_shown[visitor] = given.number
        if given.number is None:
            return given.got
        self._callers.shown(visitor, given.number)
        showing = self._carried(visitor, given.number, now).get(key)
        if showing is None:
            showing = self._showing(_Showing(key, visitor, given.number, now, end, now, now, now))
        else:
            showing.seen(now)
        self._expect(showing, now)
        return given.got

    def _leave(self, visitor: str, now: datetime) -> None:
        for showing in self._of.get(visitor, ()):
            if showing.replaced_at is None:
                showing.replaced(now)

    def _carried(self, visitor: str, number: str, now: datetime) -> dict[str, _Showing]:
        """The visits of a visitor who is shown ``number``, all on that number from now on: calls of theirs go there."""
        newest: dict[str, _Showing] = {}
        here: dict[str, _Showing] = {}
        for each in self._of.get(visitor, ()):
            newest[each.visit] = max(newest.get(each.visit, each), each, key=lambda showing: showing.replaced_at or now)
            if each.number == number:
                here[each.visit] = each
        for visit, latest in newest.items():
            showing = here.get(visit)
            if showing is None:
                showing = here[visit] = self._showing(
                    replace(latest, number=number, shown_at=now, risk_from=now, replaced_at=None, _frozen=None)
                )
            elif showing.replaced_at is not None:
                self._risked(showing, now)
                showing.shown_again(latest, now)
            if showing is not latest and showing.left_at is None:
                self._expect(showing, now)  # its page is still open, and asks anew
        return here

    def _showing(self, showing: _Showing) -> _Showing:
        showing.known = self._known(showing.visitor)
        self._shown[showing.number].append(showing)
        self._of.setdefault(showing.visitor, []).append(showing)
        return showing

    def _known(self, visitor: str) -> float:
        return min(self._callers.called.get(visitor, 0.0), 1.0)

    def _call(self, past: PastCall) -> Answer:
        truth = past.visitor_truth
        number = past.did
        if number is None and truth is not None and truth in self._last_shown:
            number = self._last_shown[truth]
            if number is None:
                return Answer(past, None, None)
        elif number is None:
            number = self._chance.choice(self._numbers)
        call = Call(number, past.start, past.caller)
        exposures = [each.exposure() for each in self._shown.get(number, ())]
        known = self._callers.known(call)
        weighed = weigh(call, exposures, known=known, called=self._callers.called)
        verdict = judge(weighed, known, self.learned, self.pool.window)
        self._examples.add(weighed)
        self._lending.ring(number, past.start)
        self._callers.note(call, verdict)
        self._note_risk(call, verdict)
        return Answer(past, number, verdict)

    def _note_risk(self, call: Call, verdict: Verdict) -> None:
        """Visits that may have called are at risk in another way from now on."""
        for candidate in verdict.candidates:
            known = self._known(candidate.visitor)
            for showing in self._of.get(candidate.visitor, ()):
                self._risked(showing, call.at)
                showing.risks(call.at, known, after_call(showing.called, candidate.chance))

    def _risked(self, showing: _Showing, until: datetime) -> None:
        """Until then it was at risk as it is. A replaced one stays so for that time, even if it is shown again."""
        as_it_is = showing if showing.replaced_at is None else replace(showing)
        self._stretches.append((as_it_is, showing.risk_from, until, showing.known, showing.called))

    def _night(self, day: datetime, night: datetime) -> None:
        """What a night's job does: add the day, and learn anew where that is worth it."""
        self._until(night)
        for showings in self._shown.values():
            for showing in showings:
                self._risked(showing, night)
                showing.risk_from = night
        self._risk.add(
            Stretch(showing.exposure(), start, finish, known, called)
            for showing, start, finish, known, called in self._stretches
            if finish > start
        )
        self._stretches.clear()
        self._risk.watch(self._numbers, day, night)
        self._risk.known_callers += len(self._callers) * (night - day).total_seconds()
        self._of.clear()
        for number, showings in self._shown.items():
            self._shown[number] = [each for each in showings if each.came_at > night - HORIZON]
            for showing in self._shown[number]:
                self._of.setdefault(showing.visitor, []).append(showing)
        if len(self._examples) >= WORTH_LEARNING * self._learned_from and len(self._examples) > self._learned_from:
            self.learned = learn(self._examples, self._risk, self.learned)
            self._learned_from = len(self._examples)
