"""Generated traffic with a known truth: visits, and calls with delays of more than one shape, unlike the prior."""

import math
import random
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.attribution.history_lines import PastCall, PastVisit

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)

# Seconds from a visit's start (or end) to its call.
Delay = Callable[[random.Random], float]


def _lognormal(median: float, spread: float) -> Delay:
    return lambda chance: median * math.exp(chance.gauss(0, spread))


def _pareto(scale: float, steepness: float) -> Delay:
    # Lomax: much sooner than the prior, with a tail that goes on for days.
    return lambda chance: scale * (chance.random() ** (-1 / steepness) - 1)


def _weibull(scale: float, steepness: float) -> Delay:
    return lambda chance: chance.weibullvariate(scale, steepness)


def _exponential(mean: float) -> Delay:
    return lambda chance: chance.expovariate(1 / mean)


def _either(share: float, one: Delay, other: Delay) -> Delay:
    return lambda chance: one(chance) if chance.random() < share else other(chance)


@dataclass(frozen=True)
class Shape:
    """When visitors call, counted from the start of the visit or from its end.

    ``next_day`` of them put it off instead, to any moment between nine and five o'clock of the next day.
    """

    delay: Delay
    from_end: bool = False
    next_day: float = 0.0

    def call_at(self, chance: random.Random, start: datetime, end: datetime) -> datetime:
        """When the visitor of a visit calls."""
        if self.next_day and chance.random() < self.next_day:
            midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight + timedelta(days=1, hours=chance.uniform(9, 17))
        begun = end if self.from_end else start
        return begun + timedelta(seconds=min(self.delay(chance), 40 * 86400.0))


SHAPES: dict[str, Shape] = {
    "lognormal": Shape(_lognormal(150, 1.6)),
    "pareto": Shape(_pareto(180, 0.9)),
    "weibull": Shape(_weibull(600, 0.45)),
    "two kinds": Shape(_either(0.6, _lognormal(70, 0.6), _lognormal(3600, 1.3))),
    "after leaving": Shape(_pareto(120, 0.8), from_end=True),
    "exponential": Shape(_exponential(900)),
    "next day": Shape(_lognormal(240, 1.2), next_day=0.15),
}


# Where many put a call off until the next day's opening hours, confidences say too much of those who came just now: the
# curve knows how long ago a visit was, not what time of day it is.
PUT_OFF = frozenset({"next day"})


@dataclass(frozen=True)
class Traffic:
    """A history in the order of time. ``truth`` is in the calls, as the replay reads them."""

    visits: list[PastVisit]
    calls: list[PastCall]


def traffic(
    shape: Shape | str = "lognormal",
    *,
    visits: int = 80_000,
    seed: int = 1,
    peak: float = 40.0,
    calling: float = 0.32,
    returning: float = 0.2,
    background: float = 0.05,
    daily: bool = True,
) -> Traffic:
    """``visits`` visits with a busiest hour of ``peak`` a day, a fifth of them by visitors who come back.

    ``calling`` visits call once; ``background`` is the share of calls that no visit made, of which half come at the
    hours of the visits. A visitor has one phone; one of 25 calls comes from another, one of 30 is withheld.
    """
    chance = random.Random(f"{seed}")
    kind = SHAPES[shape] if isinstance(shape, str) else shape
    past: list[PastVisit] = []
    coming: list[tuple[datetime, int]] = []
    visitors = 0
    now = BEGIN
    while len(past) < visits:
        rate = peak * (_busy(now) if daily else 1.0) * (1 - returning) / 3600
        arrives = now + timedelta(seconds=chance.expovariate(peak / 3600))
        while coming and coming[0][0] <= arrives:
            at, who = coming.pop(0)
            _stay(chance, past, coming, at, who, returning)
        now = arrives
        if chance.random() * peak / 3600 < rate:
            visitors += 1
            _stay(chance, past, coming, now, visitors, returning)
    past = sorted(past[:visits], key=lambda each: each.start)
    calls = []
    for visit in past:
        if chance.random() < calling:
            at = kind.call_at(chance, visit.start, visit.end)
            calls.append(PastCall("", at, _caller(chance, visit.visitor), visit.visitor))
    finish = past[-1].start
    calls = [each for each in calls if each.start <= finish]
    strangers = round(len(calls) * background / (1 - background))
    for index in range(strangers):
        at = BEGIN + (finish - BEGIN) * chance.random()
        if index % 2:
            at = chance.choice(past).start + timedelta(seconds=chance.uniform(0, 3600))
        calls.append(PastCall("", at, f"+1999{chance.randrange(10**7):07}"))
    calls.sort(key=lambda each: each.start)
    return Traffic(
        past,
        [PastCall(f"c{number}", each.start, each.caller, each.visitor_truth) for number, each in enumerate(calls, 1)],
    )


def _busy(at: datetime) -> float:
    hour = at.hour + at.minute / 60
    return 0.08 + 0.92 * math.exp(-(((hour - 14) / 4.2) ** 2))


def _stay(
    chance: random.Random,
    past: list[PastVisit],
    coming: list[tuple[datetime, int]],
    at: datetime,
    who: int,
    returning: float,
) -> None:
    length = min(120 * math.exp(chance.gauss(0, 1.0)), 5400.0)
    past.append(PastVisit(f"v{who}", at, at + timedelta(seconds=length)))
    if chance.random() < returning:
        insort(coming, (at + timedelta(seconds=length + 6 * 3600 * math.exp(chance.gauss(0, 1.8))), who))


def _caller(chance: random.Random, visitor: str) -> str:
    draw = chance.random()
    if draw < 1 / 30:
        return ""
    if draw < 1 / 30 + 1 / 25:
        return f"+1888{chance.randrange(10**7):07}"
    return f"+1306{int(visitor[1:]):07}"


def baseline(history: Traffic, numbers: int, window: timedelta = timedelta(hours=1)) -> dict[str, str | None]:
    """By call: the last visitor who saw the number within an hour, else the visitor whose caller it was before.

    Numbers go to whoever comes, the one idle longest first, shared when all are taken. The number of a call is the one
    that its true visitor was last shown; calls of nobody go to a number by chance.
    """
    chance = random.Random(0)
    holder: dict[str, int] = {}
    seen: list[datetime] = [datetime.min.replace(tzinfo=UTC)] * numbers
    owner: list[str | None] = [None] * numbers
    last: dict[str, int] = {}
    saw: list[list[tuple[datetime, datetime, str]]] = [[] for _ in range(numbers)]
    callers: dict[str, str] = {}
    found: dict[str, str | None] = {}
    visits = iter([*history.visits, None])
    visit = next(visits)
    for call in history.calls:
        while visit is not None and visit.start <= call.start:
            number = holder.get(visit.visitor)
            if number is None:
                number = min(range(numbers), key=lambda each: seen[each])
                before = owner[number]
                if before is not None:
                    del holder[before]
                owner[number], holder[visit.visitor] = visit.visitor, number
            seen[number] = max(seen[number], visit.end)
            last[visit.visitor] = number
            saw[number].append((visit.start, visit.end, visit.visitor))
            visit = next(visits)
        truth = call.visitor_truth
        number = last[truth] if truth in last else chance.randrange(numbers)
        answer = next(
            (who for _, end, who in reversed(saw[number][-20:]) if call.start - min(end, call.start) <= window), None
        )
        known = callers.get(call.caller) if call.caller else None
        found[call.call] = known or answer
        if call.caller and answer and not known:
            callers[call.caller] = answer
    return found


# Of so few answers a standard error says little: two of two are right more often than it allows. Beyond three of them
# on one side lies this chance.
FEW = 30
THREE_ERRORS = 0.00135


@dataclass(frozen=True)
class Tenth:
    """Answers of one tenth of confidence: how many, what they said, and how many were right."""

    answers: int
    said: float
    right: float

    @property
    def is_honest(self) -> bool:
        """Within three points, or three standard errors of what was said; of a few answers, as likely as those."""
        error = math.sqrt(max(self.said * (1 - self.said), 1e-9) / self.answers)
        if abs(self.said - self.right) <= max(0.03, 3 * error):
            return True
        return self.answers < FEW and min(self._chance(above=True), self._chance(above=False)) >= THREE_ERRORS

    def _chance(self, *, above: bool) -> float:
        """That at least (at most) so many answers are right, each with the chance that it said."""
        right = round(self.right * self.answers)
        counts = range(right, self.answers + 1) if above else range(right + 1)
        return sum(
            math.comb(self.answers, count) * self.said**count * (1 - self.said) ** (self.answers - count)
            for count in counts
        )


def tenths(answers: Iterable[tuple[float, bool]]) -> dict[int, Tenth]:
    """By tenth of confidence, from pairs of it and whether the answer was right."""
    parts: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in answers:
        parts[min(int(confidence * 10), 9)].append((confidence, right))
    return {
        part: Tenth(
            len(found), sum(each for each, _ in found) / len(found), sum(right for _, right in found) / len(found)
        )
        for part, found in sorted(parts.items())
    }
