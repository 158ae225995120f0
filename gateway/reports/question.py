"""What is asked of the reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from gateway.attribution.credit import Model
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.measures import Measure


@dataclass(frozen=True, slots=True)
class Question:
    """The figures of a company from the day ``since`` on and before the day ``until``, of its own calendar.

    ``by`` tells them apart by none, one or two dimensions; ``where`` leaves those that have these values (as
    ``Key.value`` of an answer names them; "" for unknown). Raises ValueError where it cannot be asked.
    """

    company_id: int
    since: date
    until: date
    basis: Basis = Basis.CALL
    model: Model = Model.FIRST
    by: tuple[Dimension, ...] = ()
    where: Mapping[Dimension, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise ValueError("a period needs a day at least")
        if len(self.by) > 2 or len(set(self.by)) < len(self.by):
            raise ValueError("figures are told by two different dimensions at most")

    @property
    def days(self) -> int:
        """How long the period is."""
        return (self.until - self.since).days


# What the highest rows can be found by without telling them all.
TOLD_BY = frozenset(
    {
        Measure.CALLS,
        Measure.ANSWERED,
        Measure.MISSED,
        Measure.FIRST_TIME,
        Measure.QUALIFIED,
        Measure.LEADS,
        Measure.JOBS,
        Measure.VALUE,
        Measure.ANSWER_RATE,
        Measure.TALK_SECONDS,
        Measure.AVERAGE_TALK,
        Measure.AVERAGE_RING,
        Measure.EXPECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Top:
    """How many rows are told one by one: the ``most`` highest by a measure (of TOLD_BY), of more than ``least``."""

    most: int
    measure: Measure = Measure.CALLS
    is_down: bool = True
    least: int = 300


def before(question: Question) -> Question:
    """The same of the period before, as long; of as many whole months where it is whole months."""
    since, until = question.since, question.until
    if since.day == until.day == 1:
        months = (until.year - since.year) * 12 + until.month - since.month
        return replace(question, since=_months_before(since, months), until=since)
    return replace(question, since=since - timedelta(days=question.days), until=since)


def year_before(question: Question) -> Question:
    """The same of the same days a year ago; the 29th of February has the 28th before it."""
    since, until = _months_before(question.since, 12), _months_before(question.until, 12)
    return replace(question, since=since, until=max(until, since + timedelta(days=1)))


def _months_before(day: date, months: int) -> date:
    whole = day.year * 12 + day.month - 1 - months
    year, month = divmod(whole, 12)
    for last in (day.day, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
