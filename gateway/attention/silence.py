"""Whether something that used to be heard of is silent for longer than its own habit explains. No I/O here.

Time is counted in *busy hours*: an hour in which half as much happens as on average counts half, so that a night or a
weekend is no silence. On that clock, calls of an office come about evenly. If ``n`` of them came in a time ``T``, at an
unknown but steady pace, the chance that the next one keeps us waiting longer than ``s`` is (T / (T + s)) ** n: the
exponential waiting time averaged over all paces that fit (a Lomax distribution; see Gelman et al., Bayesian Data
Analysis, 3rd edition, 2.6). Calls that come in bunches say less than their number: ``n`` is divided by how much the
days differ beyond chance (the variance-to-mean ratio of quasi-Poisson models).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# Of all that is looked at, at one time, so much may be called silent by chance.
FALSE_ALARMS = 0.001
# Less is no habit: a number that was tried out on the day it was bought has none.
LEAST_DAYS = 5
LEAST_SPAN = timedelta(days=14)
# A wait of several days in busy hours is needed however busy: a broken line, not a quiet hour.
LEAST_SILENCE = 8.0
# As if each hour of the week had been seen so often: hours in which nothing ever came are not quite impossible.
_SMOOTHING = 0.5

HOURS_OF_WEEK = 168


@dataclass(frozen=True, slots=True)
class Habit:
    """How something is usually heard of.

    ``events`` so many times on ``days`` different days, within ``span``, which is ``busy_hours`` long on its own clock;
    ``bunching``: how much more its days differ than chance makes them (1: not at all).
    """

    events: int
    days: int
    span: timedelta
    busy_hours: float
    bunching: float = 1.0

    @property
    def is_known(self) -> bool:
        """Whether it has been seen long enough to be a habit."""
        return self.days >= LEAST_DAYS and self.span >= LEAST_SPAN and self.busy_hours > 0

    @property
    def a_day(self) -> float:
        """How often it is heard of, on average."""
        days = self.span / timedelta(days=1)
        return self.events / days if days else 0.0


@dataclass(frozen=True, slots=True)
class Silence:
    """Something that is silent since ``since`` though it used to be heard of ``a_day`` times a day."""

    id: int
    since: datetime
    a_day: float


def chance(habit: Habit, busy_hours: float) -> float:
    """The chance that nothing happens for so many busy hours though all is as it was; 1 where no habit is known."""
    if not habit.is_known or busy_hours <= 0:
        return 1.0
    steady = habit.events / max(1.0, habit.bunching)
    return float((habit.busy_hours / (habit.busy_hours + busy_hours)) ** steady)


def is_silent(habit: Habit, busy_hours: float, among: int = 1) -> bool:
    """Whether that silence means something, looked at together with so many others."""
    return busy_hours >= LEAST_SILENCE and chance(habit, busy_hours) < FALSE_ALARMS / max(1, among)


@dataclass(frozen=True, slots=True)
class Week:
    """How busy each hour of the week is: 168 weights, Monday's first hour first, 1 on average."""

    weights: tuple[float, ...]

    @classmethod
    def of(cls, hours: Mapping[datetime, int]) -> "Week":
        """From what happened by local hour."""
        counts = [_SMOOTHING] * HOURS_OF_WEEK
        for hour, events in hours.items():
            counts[hour.weekday() * 24 + hour.hour] += events
        total = sum(counts)
        return cls(tuple(count * HOURS_OF_WEEK / total for count in counts))

    def between(self, start: datetime, end: datetime) -> float:
        """The busy hours of whole local hours from ``start`` on and before ``end``."""
        hours = int((end - start) / timedelta(hours=1))
        if hours <= 0:
            return 0.0
        weeks, rest = divmod(hours, HOURS_OF_WEEK)
        first = start.weekday() * 24 + start.hour
        return weeks * HOURS_OF_WEEK + sum(self.weights[(first + place) % HOURS_OF_WEEK] for place in range(rest))


def habit_of(hours: Mapping[datetime, int], week: Week) -> Habit:
    """The habit of what happened by local hour (not empty), up to its last hour."""
    first, last = min(hours), max(hours) + timedelta(hours=1)
    by_day: Counter[datetime] = Counter()
    for hour, events in hours.items():
        by_day[hour.replace(hour=0)] += events
    busy = week.between(first, last)
    return Habit(sum(hours.values()), len(by_day), last - first, busy, _bunching(by_day, week, first, last))


def _bunching(by_day: Mapping[datetime, int], week: Week, first: datetime, last: datetime) -> float:
    """The variance-to-mean ratio of its days, each against what its busy hours let expect; at least 1."""
    days = (last.replace(hour=0) - first.replace(hour=0)) // timedelta(days=1) + 1
    starts = [first.replace(hour=0) + timedelta(days=place) for place in range(days)]
    long = [week.between(start, start + timedelta(days=1)) for start in starts]
    total, busy = sum(by_day.values()), sum(long)
    if days < 2 or not busy:
        return 1.0
    off = [
        (by_day.get(start, 0) - total * own / busy) ** 2 / (total * own / busy)
        for start, own in zip(starts, long, strict=True)
        if own
    ]
    return max(1.0, sum(off) / (len(off) - 1)) if len(off) > 1 else 1.0


def silences(
    hours: Mapping[int, Mapping[datetime, int]], now: datetime, week: Week | None = None
) -> tuple[Silence, ...]:
    """Which of several, by their ids, are silent at ``now``, whole hours without an offset, as local clocks say them.

    ``week`` is the clock of all of them; none: each has its own.
    """
    looked_at: Sequence[int] = [id for id, own in hours.items() if own]
    found = []
    for id in looked_at:
        own = hours[id]
        clock = week or Week.of(own)
        habit = habit_of(own, clock)
        last = max(own) + timedelta(hours=1)
        if is_silent(habit, clock.between(last, now), len(looked_at)):
            found.append(Silence(id, max(own), habit.a_day))
    return tuple(found)
