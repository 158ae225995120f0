"""Whether a source earns its money, by what its calls and jobs say, and by no more than they say.

How many jobs lie behind a count is told by its exact Poisson interval (Garwood 1936), nine in ten. What they bring is
less sure than their number: values of jobs scatter about as much as their mean (as an exponential distribution's do),
which is worth half of the count. A source is dearer than the others where so few of all jobs would come of its share of
the spend in fewer than one case of twenty (the conditional test of two Poisson rates, Przyborowski and Wilenski,
Biometrika 1940), and a job costs at least twice as much.

Nobody is judged by a handful of calls: below as many as would be remarkable without a job, at the share of calls that
become jobs in this company, it is too early, whatever was spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from math import ceil, floor, fsum, log

from gateway.reports.chances import least, most, so_few

# What is said for sure is wrong in one case of twenty on either side.
DOUBT = 0.05
# Fewer calls than this judge nobody, however good the others are: three calls may all have been wrong numbers.
FEWEST_CALLS = 5
# So much dearer than the others is worth a word; less is how advertisements differ.
DEARER = 2.0
# Where the bounds of what comes back are this near to each other, it is known to be about what it costs.
NEAR = 4.0
# With so many jobs a source's own mean value tells what the next will bring; below, that of all may be it as well.
OWN_JOBS = 5
# Further ahead no month is named.
FURTHEST = timedelta(days=730)


class Kind(StrEnum):
    """What is said of a source."""

    EARNS = "earns"
    MARGINAL = "marginal"
    LOSES = "loses"
    TOO_FEW = "too few"
    NO_JOBS = "no jobs"  # of nobody: jobs are not marked here
    NO_VALUES = "no values"  # jobs are marked, what they brought is not


@dataclass(frozen=True, slots=True)
class Standing:
    """What a source did in a period. Money in any currency, the same for all; ``spend`` 0: it is not judged."""

    calls: float
    jobs: float
    value: float
    spend: float

    def times(self, factor: float) -> "Standing":
        """So many times the same."""
        return Standing(*(factor * each for each in (self.calls, self.jobs, self.value, self.spend)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a source and why.

    ``cost`` are the bounds of what a job costs, the upper one none where there was no job; ``back`` those of how many
    times the money comes back, none where no job has a value. ``others_cost`` is what a job costs of the other sources
    that bring any, ``dearer`` how many times as much one of this source costs, where that is beyond doubt. ``wanted``
    are the calls that it takes to judge, ``month`` the first day of the month before which it cannot be sure (none: not
    within two years).
    """

    kind: Kind
    standing: Standing
    cost: tuple[float, float | None]
    back: tuple[float, float] | None = None
    others_cost: float | None = None
    dearer: float | None = None
    wanted: int = 0
    month: date | None = None


def judge(standings: Sequence[Standing], *, days: int, today: date) -> tuple[Verdict | None, ...]:
    """A verdict for each source, none for those without spend. ``days`` is how much of the period has passed.

    Sources without spend count for how often calls become jobs, and for what jobs bring.
    """
    company = _sum(standings)
    found: list[Verdict | None] = []
    for place, own in enumerate(standings):
        if own.spend <= 0:
            found.append(None)
            continue
        beside = [each for other, each in enumerate(standings) if other != place]
        others = _sum([each for each in beside if each.spend > 0 and each.jobs > 0])
        verdict = _verdict(own, others, company)
        if verdict.kind is Kind.TOO_FEW:
            verdict = replace(verdict, month=_month(own, others, company, max(1, days), today))
        found.append(verdict)
    return tuple(found)


def calls_wanted(calls: float, jobs: float) -> int:
    """How many calls without a job would be remarkable where so many of so many calls become jobs."""
    share = min(0.95, jobs / calls) if calls else 0.0
    return max(FEWEST_CALLS, ceil(log(DOUBT) / log(1 - share))) if share > 0 else FEWEST_CALLS


def _verdict(own: Standing, others: Standing, company: Standing) -> Verdict:
    low, high = least(own.jobs, DOUBT), most(own.jobs, DOUBT)
    found = Verdict(
        Kind.TOO_FEW,
        own,
        (own.spend / high, own.spend / low if low > 0 else None),
        _back(own, company),
        others.spend / others.jobs if others.jobs > 0 else None,
        wanted=calls_wanted(company.calls, company.jobs),
    )
    if company.jobs <= 0:
        return replace(found, kind=Kind.NO_JOBS)
    if own.calls < found.wanted:
        earns = found.back is not None and found.back[0] > 1
        return replace(found, kind=Kind.EARNS) if earns else found
    found = replace(found, dearer=_dearer(own, others))
    return replace(found, kind=_kind(found))


def _kind(found: Verdict) -> Kind:
    if found.back is None:
        if found.dearer is None:
            return Kind.NO_VALUES
        return Kind.MARGINAL if found.standing.jobs > 0 else Kind.LOSES
    low, high = found.back
    if high < 1:
        return Kind.LOSES
    if low > 1:
        return Kind.EARNS
    if found.dearer is not None:
        return Kind.MARGINAL
    return Kind.MARGINAL if low > 0 and high / low <= NEAR else Kind.TOO_FEW


def _back(own: Standing, company: Standing) -> tuple[float, float] | None:
    """Bounds of how many times the money comes back."""
    if company.jobs <= 0 or company.value <= 0:
        return None
    usual = company.value / company.jobs
    mean = own.value / own.jobs if own.jobs > 0 else usual
    small, great = (mean, mean) if own.jobs >= OWN_JOBS else (min(mean, usual), max(mean, usual))
    half = own.jobs / 2
    return 2 * least(half, DOUBT) * small / own.spend, 2 * most(half, DOUBT) * great / own.spend


def _dearer(own: Standing, others: Standing) -> float | None:
    """How many times as much a job costs as one of the others, where that is beyond doubt; of no job, as if of one."""
    if others.jobs <= 0:
        return None
    times = (own.spend / max(own.jobs, 1.0)) / (others.spend / others.jobs)
    # Parts of jobs, of models that share them, count for the one that is judged.
    own_jobs, others_jobs = ceil(own.jobs), floor(others.jobs)
    chance = so_few(own_jobs, own_jobs + others_jobs, own.spend / (own.spend + others.spend))
    return times if times >= DEARER and chance <= DOUBT else None


def _month(own: Standing, others: Standing, company: Standing, days: int, today: date) -> date | None:
    """The month before which more of the same makes nothing sure; at one call in a period where there was none."""
    going = own if own.calls >= 1 else replace(own, calls=1.0)

    def is_sure(ahead: int) -> bool:
        factor = (days + ahead) / days
        verdict = _verdict(going.times(factor), others.times(factor), company.times(factor))
        return verdict.kind is not Kind.TOO_FEW

    low, high = 0, FURTHEST.days
    if not is_sure(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_sure(middle) else (middle, high)
    sure = today + timedelta(days=high)
    return sure if sure.day == 1 else (sure.replace(day=1) + timedelta(days=32)).replace(day=1)


def _sum(standings: Sequence[Standing]) -> Standing:
    return Standing(
        fsum(each.calls for each in standings),
        fsum(each.jobs for each in standings),
        fsum(each.value for each in standings),
        fsum(each.spend for each in standings),
    )
