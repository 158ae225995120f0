"""What is counted: figures that add up, and those that are made of them."""

from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any


def N_(text: str) -> str:
    """Marks a text for translation."""
    return text


@dataclass(frozen=True, slots=True)
class Measures:
    """The figures of some calls; shares of calls where a model shares a call over several touches. They add up.

    ``leads`` are forms, texts and chats, which are no calls. ``expected`` is how many calls are to be expected here if
    each is split over whoever may have made it, plus or minus ``expected_error`` (one standard error); None where that
    is not known, as are ``callers`` (people who called, each once) and ``spend`` (in the company's currency).
    """

    calls: float = 0.0
    answered: float = 0.0
    missed: float = 0.0
    first_time: float = 0.0
    qualified: float = 0.0
    jobs: float = 0.0
    value: Decimal = Decimal(0)
    talk_seconds: float = 0.0
    ring_seconds: float = 0.0
    leads: float = 0.0
    expected: float | None = None
    expected_error: float | None = None
    callers: int | None = None
    spend: Decimal | None = None

    @property
    def answer_rate(self) -> float | None:
        """The share of calls that a person answered."""
        return self.answered / self.calls if self.calls else None

    @property
    def average_talk(self) -> float | None:
        """Seconds an answered call lasted."""
        return self.talk_seconds / self.answered if self.answered else None

    @property
    def average_ring(self) -> float | None:
        """Seconds a call rang."""
        return self.ring_seconds / self.calls if self.calls else None

    @property
    def cost_per_call(self) -> Decimal | None:
        """Money for one call."""
        return _per(self.spend, self.calls)

    @property
    def cost_per_job(self) -> Decimal | None:
        """Money for one job."""
        return _per(self.spend, self.jobs)

    @property
    def return_ratio(self) -> float | None:
        """How many times the money came back."""
        return float(self.value / self.spend) if self.spend else None

    @property
    def profit(self) -> Decimal | None:
        """What came back, less what was spent."""
        return None if self.spend is None else self.value - self.spend

    def __add__(self, other: "Measures") -> "Measures":
        """Both together: what is known of both, but people, who may be the same."""
        error, more = self.expected_error, other.expected_error
        return Measures(
            **{name: getattr(self, name) + getattr(other, name) for name in ADDED},
            expected=_both(self.expected, other.expected),
            expected_error=None if error is None or more is None else (error**2 + more**2) ** 0.5,
            spend=_both(self.spend, other.spend),
        )


ADDED = tuple(each.name for each in fields(Measures))[:10]


def _both(one: Any, other: Any) -> Any:
    return None if one is None or other is None else one + other


def _per(money: Decimal | None, count: float) -> Decimal | None:
    return None if money is None or count <= 0 else money / Decimal(repr(count))


class Unit(StrEnum):
    """What a measure is told in."""

    COUNT = "count"
    SHARE = "share"  # 0 to 1
    MONEY = "money"
    SECONDS = "seconds"
    RATIO = "ratio"  # times


class Measure(StrEnum):
    """What a report can show, by the names of Measures."""

    CALLERS = "callers"
    CALLS = "calls"
    ANSWERED = "answered"
    MISSED = "missed"
    FIRST_TIME = "first_time"
    QUALIFIED = "qualified"
    LEADS = "leads"
    JOBS = "jobs"
    VALUE = "value"
    SPEND = "spend"
    COST_PER_CALL = "cost_per_call"
    COST_PER_JOB = "cost_per_job"
    RETURN_RATIO = "return_ratio"
    PROFIT = "profit"
    ANSWER_RATE = "answer_rate"
    TALK_SECONDS = "talk_seconds"
    AVERAGE_TALK = "average_talk"
    AVERAGE_RING = "average_ring"
    EXPECTED = "expected"

    def of(self, measures: Measures) -> float | Decimal | int | None:
        """Its figure; none where it cannot be said."""
        figure: float | Decimal | int | None = getattr(measures, self.value)
        return figure

    @property
    def words(self) -> str:
        """Its name for people, to be translated where it is shown."""
        return _WORDS[self]

    @property
    def unit(self) -> Unit:
        """What it is told in."""
        return _UNITS.get(self, Unit.COUNT)

    @property
    def less_is_better(self) -> bool:
        """Whether it is good news when it falls."""
        return self in _LESS

    @property
    def is_money(self) -> bool:
        """Whether only those may see it who may see money."""
        return self in _MONEY


_MONEY = frozenset(
    {
        Measure.VALUE,
        Measure.SPEND,
        Measure.COST_PER_CALL,
        Measure.COST_PER_JOB,
        Measure.RETURN_RATIO,
        Measure.PROFIT,
    }
)
_LESS = frozenset({Measure.MISSED, Measure.COST_PER_CALL, Measure.COST_PER_JOB, Measure.AVERAGE_RING})
_UNITS = {
    Measure.ANSWER_RATE: Unit.SHARE,
    Measure.TALK_SECONDS: Unit.SECONDS,
    Measure.AVERAGE_TALK: Unit.SECONDS,
    Measure.AVERAGE_RING: Unit.SECONDS,
    **dict.fromkeys(_MONEY, Unit.MONEY),
    Measure.RETURN_RATIO: Unit.RATIO,
}
_WORDS = {
    Measure.CALLERS: N_("Callers"),
    Measure.CALLS: N_("Calls"),
    Measure.ANSWERED: N_("Answered"),
    Measure.MISSED: N_("Missed"),
    Measure.FIRST_TIME: N_("First-time"),
    Measure.QUALIFIED: N_("Qualified"),
    Measure.LEADS: N_("Forms and messages"),
    Measure.JOBS: N_("Jobs"),
    Measure.VALUE: N_("Value of jobs"),
    Measure.SPEND: N_("Spend"),
    Measure.COST_PER_CALL: N_("Cost per call"),
    Measure.COST_PER_JOB: N_("Cost per job"),
    Measure.RETURN_RATIO: N_("Return"),
    Measure.PROFIT: N_("Profit"),
    Measure.ANSWER_RATE: N_("Answer rate"),
    Measure.TALK_SECONDS: N_("Talk time"),
    Measure.AVERAGE_TALK: N_("Average talk"),
    Measure.AVERAGE_RING: N_("Average ring"),
    Measure.EXPECTED: N_("Expected calls"),
}
