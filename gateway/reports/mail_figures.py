"""What a report by mail tells, read from the reports: the figures of its days, and who still waits."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.attention.facts import needs_of
from gateway.attention.needs import Kind as NeedKind
from gateway.attention.needs import Need
from gateway.attribution.credited_touches import credit_settings
from gateway.reports import missed
from gateway.reports.answer import answer, over_time
from gateway.reports.dimension import Dimension, Grain
from gateway.reports.figures import Answer, Series
from gateway.reports.mail_due import Days, Kind
from gateway.reports.measures import Measures
from gateway.reports.missed import MissedCall, Wait
from gateway.reports.question import Question
from gateway.store.database import Connection
from gateway.store.queries import load_queries

# Who waits longest is not in a mail; the page has them all.
MOST_WAITING = 5
# A day's report has a week of columns: one day alone says nothing.
_DAYS_BESIDE = 7

_queries = load_queries(Path(__file__).parent, "mail.sql")


@dataclass(frozen=True, slots=True)
class Firm:
    """A company as its mails need it."""

    id: int
    name: str
    zone: ZoneInfo
    region: str
    currency: str


@dataclass(frozen=True, slots=True)
class Told:
    """The figures of some days. ``before`` is none where Numberpool did not see the days before whole.

    ``answer`` is by source; ``series`` are the calls of ``drawn`` by day and source; ``waiting`` were missed in these
    days and not reached since, the newest first, with what is known of their last calls.
    """

    days: Days
    drawn: Days
    compared: Days
    question: Question
    answer: Answer
    before: Measures | None
    series: tuple[Series, ...]
    waiting: tuple[Wait, ...]
    known: dict[int, MissedCall]
    last_call: date | None
    needs: tuple[Need, ...] = ()


async def firm_of(connection: Connection, company_id: int) -> Firm | None:
    """A company; none where there is none that the transaction sees."""
    row = await _queries.company_by_id(connection, id=company_id)
    return None if row is None else _firm(row)


def compared_with(kind: Kind, days: Days) -> Days:
    """The days that a report compares its own with: a day with the same weekday before, others with those before."""
    week = timedelta(days=7)
    return Days(days.since - week, days.until - week) if kind is Kind.DAILY else days.before


async def told(connection: Connection, firm: Firm, kind: Kind, days: Days, now: datetime) -> Told:
    """Read the figures of a company's ``days``, and what needs somebody at ``now``."""
    credit = await credit_settings(connection, firm.id)
    question = Question(firm.id, days.since, days.until, model=credit.model, by=(Dimension.SOURCE,))
    compared = compared_with(kind, days)
    seen = await _queries.calls_seen(connection, company_id=firm.id)
    before = None
    if seen["first"] is not None and seen["first"] < _midnight(compared.since, firm.zone):
        asked = Question(firm.id, compared.since, compared.until, model=credit.model)
        before = (await answer(connection, asked)).total
    drawn = Days(days.until - timedelta(days=_DAYS_BESIDE), days.until) if kind is Kind.DAILY else days
    over = Question(firm.id, drawn.since, drawn.until, model=credit.model, by=(Dimension.SOURCE,))
    since, until = _midnight(days.since, firm.zone), _midnight(days.until, firm.zone)
    waiting = await missed.not_called_back(connection, firm.id, since, until)
    known = await missed.details(connection, firm.id, [wait.last.call_id for wait in waiting[:MOST_WAITING]])
    return Told(
        days,
        drawn,
        compared,
        question,
        await answer(connection, question),
        before,
        await over_time(connection, over, Grain.DAY),
        tuple(waiting),
        known,
        seen["last"].astimezone(firm.zone).date() if seen["last"] else None,
        # Missed calls are told by name.
        tuple(need for need in await needs_of(connection, firm.id, firm.zone, now) if need.kind is not NeedKind.MISSED),
    )


def _firm(row: Any) -> Firm:
    return Firm(row["id"], row["name"], ZoneInfo(row["time_zone"]), row["region"], row["currency"])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
