"""How many numbers a pool needs: tried out by the same lending and the same verdicts that run live."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.attribution.curve import HORIZON_SECONDS, SHOWN_KNOTS, DelayCurve
from gateway.attribution.erlang import erlang_b, load_for, numbers_for
from gateway.attribution.history_lines import PastCall, PastVisit
from gateway.attribution.hourly import Sessions
from gateway.attribution.learned import PRIOR, Learned
from gateway.attribution.trial import Trial
from gateway.pools.leases import Got
from gateway.pools.pool import Pool, WhenFull
from gateway.terminal import table

# So many visits make shares steady to a point or two, and so many at most keep the answer within seconds.
ENOUGH_VISITS = 4_000
MOST_VISITS = 12_000
LONGEST_TRIAL = timedelta(days=90)
# Shares are counted over so many calls at least: where few visitors call, a trial calls more often and says so.
ENOUGH_CALLS = 500
# Of the calls, those that no visit made.
STRANGERS = 0.05
RETURNING = 0.2
# A pool counts as full where more visits than this find all numbers taken.
FULL = 0.05
# Warned is from this much more traffic on.
NEAR = 1.25


@dataclass(frozen=True, slots=True)
class Size:
    """What a pool of ``numbers`` does: the share of calls it leads right, of visits that cost another his number.

    ``refused``: visits that saw the fallback number. ``blocked``: Erlang B at the busiest hour. ``cost`` a month.
    """

    numbers: int
    right: float
    displaced: float
    refused: float
    blocked: float
    cost: float | None


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a pool. ``present`` is how many numbers it has, where it is one that is there."""

    sizes: tuple[Size, ...]
    peak: float
    load: float
    rule_of_thumb: int
    by_erlang: int
    sources: int
    price: float | None
    present: int | None
    full_at: float | None
    visits: int
    calling: float
    shares: bool

    @property
    def enough(self) -> Size:
        """The smallest size from which more numbers lead less than a point more of the calls to the right visit."""
        best = max(each.right for each in self.sizes)
        return next(each for each in self.sizes if each.right >= best - 0.01)

    @property
    def warning(self) -> str | None:
        """What to say before a pool gets full; none while there is room."""
        if self.present is None or self.full_at is None:
            return None
        if self.peak >= self.full_at:
            return (
                f"The pool is full at its busiest: {self.peak:.0f} visits an hour, and {self.present} numbers keep up "
                f"with {self.full_at:.0f}. Add {max(self.by_erlang - self.present, 1)} so that nobody loses a number."
            )
        if self.peak * NEAR >= self.full_at:
            return (
                f"The pool gets full soon: its {self.present} numbers keep up with {self.full_at:.0f} visits an hour, "
                f"and its busiest hour had {self.peak:.0f}. Add {max(self.by_erlang - self.present, 1)} in good time."
            )
        return None


def advise(
    pool: Pool,
    sessions: Sessions,
    *,
    stay: timedelta,
    calling: float,
    sources: int,
    price: float | None = None,
    numbers: int | None = None,
    learned: Learned = PRIOR,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Advice:
    """How pools of several sizes do with such sessions. ``stay``: how long a visit lasts on average.

    ``calling`` is the share of visits that call, ``sources`` how many sources are told apart; ``numbers`` is what the
    pool has now, which is among the sizes then. The traffic is drawn from the sessions and from the delay curve.
    ``progress`` is told how many sizes have been tried of how many.
    """
    tried_calling = min(1.0, max(calling, ENOUGH_CALLS / min(max(sessions.visits, ENOUGH_VISITS), MOST_VISITS)))
    visits, calls = _drawn(sessions, stay, tried_calling, learned.curve, random.Random(seed))
    peak = float(sessions.peak)
    hold = (stay + pool.reserve + pool.quarantine).total_seconds()
    load = peak * hold / 3600
    thumb = max(1, math.ceil(peak / 4))
    by_erlang = max(1, numbers_for(load, at_most=FULL))
    sizes = []
    wanted = _sizes(thumb, by_erlang, numbers)
    for done, size in enumerate(wanted):
        progress(done, len(wanted))
        trial = Trial(pool, [f"n{index}" for index in range(size)], seed=seed, start=learned)
        right = sum(
            answer.verdict is not None and answer.verdict.visitor == answer.call.visitor_truth
            for answer in trial.answers(visits, calls)
        )
        arrivals = max(trial.tally.visits, 1)
        sizes.append(
            Size(
                size,
                right / max(len(calls), 1),
                trial.tally.got[Got.DISPLACED] / arrivals,
                trial.tally.got[Got.REFUSED] / arrivals,
                erlang_b(size, load),
                None if price is None else price * size,
            )
        )
    full_at = None if numbers is None else load_for(numbers, at_most=FULL) * 3600 / hold
    return Advice(
        tuple(sizes),
        peak,
        load,
        thumb,
        by_erlang,
        sources,
        price,
        numbers,
        full_at,
        len(visits),
        tried_calling,
        pool.when_full is WhenFull.SHARE,
    )


def _sizes(thumb: int, by_erlang: int, present: int | None) -> list[int]:
    around = {math.ceil(thumb / 2), thumb, math.ceil(thumb * 1.5), thumb * 2, thumb * 3, by_erlang}
    return sorted(around | ({present} if present else set()))


def _drawn(
    sessions: Sessions, stay: timedelta, calling: float, curve: DelayCurve, chance: random.Random
) -> tuple[list[PastVisit], list[PastCall]]:
    visits: list[PastVisit] = []
    calls: list[PastCall] = []
    delay = _delays(curve)
    known: list[str] = []
    for start, count in _hours(sessions):
        for _ in range(count):
            at = start + timedelta(seconds=chance.uniform(0, 3600))
            if known and chance.random() < RETURNING:
                visitor = chance.choice(known)
            else:
                visitor = f"v{len(visits)}"
                known.append(visitor)
            visits.append(PastVisit(visitor, at, at + stay * chance.expovariate(1)))
            if chance.random() < calling:
                after = timedelta(seconds=delay(chance))
                calls.append(PastCall(f"c{len(calls)}", at + after, f"phone of {visitor}", visitor))
    if visits:
        finish = max(each.start for each in visits)
        begin = min(each.start for each in visits)
        for index in range(round(len(calls) * STRANGERS / (1 - STRANGERS))):
            at = begin + (finish - begin) * chance.random()
            calls.append(PastCall(f"s{index}", at, f"stranger {index}"))
    return sorted(visits, key=lambda each: each.start), sorted(calls, key=lambda each: each.start)


def _hours(sessions: Sessions) -> Iterator[tuple[datetime, int]]:
    """The hours, again and again until there are enough visits; the busiest week where there are too many."""
    hours = [(at.replace(tzinfo=UTC), count) for at, count in sorted(sessions.hours.items())]
    if sessions.visits > MOST_VISITS:
        busiest = max(hours, key=lambda each: each[1])[0]
        near = sorted(hours, key=lambda each: abs(each[0] - busiest))
        kept: list[tuple[datetime, int]] = []
        total = 0
        for at, count in near:
            if total + count > MOST_VISITS and kept:
                break
            kept.append((at, count))
            total += count
        hours = sorted(kept)
    length = hours[-1][0] - hours[0][0] + timedelta(hours=1)
    # Whole days, so that nights stay nights.
    length = timedelta(days=math.ceil(length / timedelta(days=1)))
    total = turn = 0
    while total < ENOUGH_VISITS and (turn == 0 or turn * length < LONGEST_TRIAL):
        for at, count in hours:
            yield at + turn * length, count
            total += count
        turn += 1


def _delays(curve: DelayCurve) -> "_Delay":
    knots = [knot for knot in SHOWN_KNOTS if knot > 0]
    return _Delay([0.0, *knots], [0.0, *(curve.within(knot) for knot in knots)])


@dataclass(frozen=True, slots=True)
class _Delay:
    """Draws how long after a visit began its call comes, by the curve."""

    seconds: list[float]
    shares: list[float]

    def __call__(self, chance: random.Random) -> float:
        wanted = chance.random() * self.shares[-1]
        for index in range(1, len(self.shares)):
            if self.shares[index] >= wanted:
                low, high = self.shares[index - 1], self.shares[index]
                part = (wanted - low) / (high - low) if high > low else 0.0
                return self.seconds[index - 1] + part * (self.seconds[index] - self.seconds[index - 1])
        return HORIZON_SECONDS


def told(advice: Advice) -> str:
    """The advice as it is printed."""
    lost = "TAKEN FROM ANOTHER" if advice.shares else "SAW A FALLBACK"
    rows = [
        (
            f"{each.numbers}{' (now)' if each.numbers == advice.present else ''}",
            f"{each.right:.0%}",
            f"{each.displaced if advice.shares else each.refused:.0%}",
            f"{each.blocked:.0%}",
            "" if each.cost is None else f"{each.cost:.2f}",
            _marks(each, advice),
        )
        for each in advice.sizes
    ]
    enough = advice.enough
    parts = [
        f"The busiest hour had {advice.peak:.0f} visits, which hold {advice.load:.1f} numbers at a time.",
        table(("NUMBERS", "CALLS RIGHT", lost, "ERLANG B", "A MONTH", ""), rows, ""),
        f"{enough.numbers} numbers lead {enough.right:.0%} of the calls to the visit that made them; more add less "
        "than a point.",
        _static(advice, enough),
        f"Tried with {advice.visits} visits, of which {advice.calling:.0%} called.",
    ]
    return "\n\n".join([*parts, *([advice.warning] if advice.warning else [])])


def _marks(size: Size, advice: Advice) -> str:
    marks = ["busiest hour / 4"] * (size.numbers == advice.rule_of_thumb)
    marks += [f"at most {FULL:.0%} find it full, by Erlang"] * (size.numbers == advice.by_erlang)
    marks += ["enough"] * (size is advice.enough)
    return ", ".join(marks)


def _static(advice: Advice, enough: Size) -> str:
    """What static numbers would be beside one dynamic pool."""
    count = advice.sources
    dearer = ""
    if advice.price is not None:
        dearer = f" and cost {count * advice.price:.2f} a month beside {enough.numbers * advice.price:.2f}"
    numbers = "number" if count == 1 else "numbers"
    return (
        f"{count} static {numbers}, one for each source, need no sharing{dearer}; "
        "they tell the source of every call, but no visit, keyword or earlier touch, and new sources need new numbers."
    )
