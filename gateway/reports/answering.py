"""Who answers: of each person how often his telephone rang, how often and how soon he took it, and what came of it.

A person is a user with his telephones, where they are his alone; else the telephone, by the name of its destination. Of
several telephones that ring at once, one that somebody else was quicker to take is nobody's miss. The first person to
answer has the call, its lead and its job; whoever took it over from him has his part of the talk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import asyncpg

from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "answering.sql")


@dataclass(frozen=True, slots=True)
class Answered:
    """What one person (or all) did with the calls of a period.

    ``calls`` he was the first to answer, ``taken_over`` from somebody else. Of the times his telephone rang by name he
    answered ``answered_here`` and let ``rang_out`` go; ``unreachable``: it was busy or not connected. ``ring_seconds``
    is the median until he answered, none where he never did.
    """

    calls: int = 0
    taken_over: int = 0
    answered_here: int = 0
    rang_out: int = 0
    unreachable: int = 0
    ring_seconds: float | None = None
    talk_seconds: float = 0.0
    qualified: int = 0
    jobs: int = 0
    job_value: Decimal = Decimal(0)

    @property
    def rang(self) -> int:
        """How often his telephone rang by name, and nobody else was quicker."""
        return self.answered_here + self.rang_out

    @property
    def share(self) -> float | None:
        """How much of that he answered; none where it never rang."""
        return self.answered_here / self.rang if self.rang else None

    @property
    def conversations(self) -> int:
        """How many callers he talked with."""
        return self.calls + self.taken_over

    @property
    def average_talk(self) -> float | None:
        """Seconds he talked with each of them."""
        return self.talk_seconds / self.conversations if self.conversations else None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who answers. ``name`` is empty where nobody has named the telephone."""

    key: str
    name: str
    telephones: tuple[str, ...]
    user_id: int | None
    answered: Answered
    hours: tuple[int, ...] = (0,) * 24  # answered calls by the hour in which they began

    @property
    def busiest(self) -> int:
        """The hour in which he answers most."""
        return max(range(24), key=lambda hour: self.hours[hour])


@dataclass(frozen=True, slots=True)
class Answering:
    """Everybody, those who answered most first; ``calls`` of the company, and how many of them anybody answered."""

    people: tuple[Person, ...]
    total: Answered
    calls: int
    answered: int

    @property
    def share(self) -> float | None:
        """How much of all calls was answered."""
        return self.answered / self.calls if self.calls else None


async def answering(
    connection: Connection, company_id: int, since: datetime | None, until: datetime | None, zone: str
) -> Answering:
    """Who answered the calls from ``since`` on and before ``until`` (UTC; none: open); hours by the clock of ``zone``.

    Blocked calls and spam do not count.
    """
    rows = [
        row
        async for row in _queries.people_who_answer(
            connection, company_id=company_id, since=since, until=until, zone=zone
        )
    ]
    all_of_them = next(row for row in rows if row["is_all"])
    return Answering(
        people=tuple(_person(row, rows) for row in rows if not row["is_all"] and row["hour"] is None),
        total=_answered(all_of_them),
        calls=all_of_them["all_calls"],
        answered=all_of_them["all_answered"],
    )


def _person(row: asyncpg.Record, rows: Sequence[asyncpg.Record]) -> Person:
    hours = {
        each["hour"]: each["calls"] + each["taken_over"]
        for each in rows
        if each["person"] == row["person"] and each["hour"] is not None
    }
    return Person(
        key=row["person"],
        name=row["name"],
        telephones=tuple(row["telephones"]),
        user_id=row["user_id"],
        answered=_answered(row),
        hours=tuple(hours.get(hour, 0) for hour in range(24)),
    )


def _answered(row: asyncpg.Record) -> Answered:
    return Answered(**{name: row[name] for name in Answered.__dataclass_fields__})
