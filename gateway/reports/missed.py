"""Missed calls, and how long it took until whoever had called was reached.

What counts is the person, which is the caller's number: three missed calls of one caller in ten minutes are one thing
to do. A wait begins with his first missed call and is over once he is reached: he calls again and is answered, he is
called back, or somebody says that it is done. A call that is missed after that begins another wait.

A missed call has ended, nobody answered it, and it is neither blocked nor marked as spam; a message on the voicemail
is a missed call too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from math import ceil
from pathlib import Path
from statistics import median

from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "missed.sql")

# Fewer than so many say nothing about nine in ten.
FEW = 10


class Reach(StrEnum):
    """How a caller was reached after all."""

    CALLED_AGAIN = "called_again"  # and was answered
    CALLED_BACK = "called_back"  # by Numberpool, and he answered
    MARKED = "marked"  # somebody says so


@dataclass(frozen=True, slots=True)
class Missed:
    """A missed call; ``at`` is when it began to ring (UTC)."""

    at: datetime
    call_id: int


@dataclass(frozen=True, slots=True)
class Reached:
    """A moment at which a caller was reached; ``by`` names who said so, where somebody did."""

    at: datetime
    how: Reach
    call_id: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """One caller, from the first of his missed calls until he was reached; none: he still waits."""

    caller: str
    missed: tuple[Missed, ...]  # the oldest first, at least one
    reached: Reached | None = None

    @property
    def since(self) -> datetime:
        """Since when he waits."""
        return self.missed[0].at

    @property
    def last(self) -> Missed:
        """The newest of his missed calls."""
        return self.missed[-1]

    @property
    def tries(self) -> int:
        """How many times he tried."""
        return len(self.missed)

    @property
    def seconds(self) -> float | None:
        """How long he waited; none while he does."""
        return None if self.reached is None else (self.reached.at - self.since).total_seconds()


def waits_of(caller: str, missed: Iterable[Missed], reached: Iterable[Reached]) -> tuple[Wait, ...]:
    """The waits of one caller, the oldest first; in whatever order calls and moments are given.

    A moment at which he was reached ends what was missed up to then, that very moment included. What is reached while
    nobody waits is nothing.
    """
    moments: list[Missed | Reached] = [*missed, *reached]
    waits: list[Wait] = []
    open: list[Missed] = []
    for event in sorted(moments, key=lambda event: (event.at, isinstance(event, Reached))):
        if isinstance(event, Missed):
            open.append(event)
        elif open:
            waits.append(Wait(caller, tuple(open), event))
            open = []
    return (*waits, Wait(caller, tuple(open))) if open else tuple(waits)


@dataclass(frozen=True, slots=True)
class TimeToCallBack:
    """How long people waited: of those who were reached the median, and within what nine in ten were; in seconds.

    Both are plain, of whoever was reached: how many still wait is said beside them. ``ninety`` is none of few.
    """

    people: int
    reached: int
    median: float | None
    ninety: float | None

    @property
    def waiting(self) -> int:
        """Who still waits."""
        return self.people - self.reached


def time_to_call_back(waits: Iterable[Wait]) -> TimeToCallBack:
    """That of some waits."""
    every = list(waits)
    took = sorted(wait.seconds for wait in every if wait.seconds is not None)
    return TimeToCallBack(
        people=len(every),
        reached=len(took),
        median=median(took) if took else None,
        ninety=took[ceil(0.9 * len(took)) - 1] if len(took) >= FEW else None,
    )


async def waits(connection: Connection, company_id: int, since: datetime | None, until: datetime | None) -> list[Wait]:
    """Everybody whose calls were missed from ``since`` on and before ``until`` (UTC; none: open), newest call first.

    Callers who withheld their number cannot be called back, and nobody wants to call one who is blocked by now: neither
    is here. Being reached counts whenever it was.
    """
    rows = [
        row async for row in _queries.missed_and_reached(connection, company_id=company_id, since=since, until=until)
    ]
    found: list[Wait] = []
    for caller, events in groupby(rows, key=lambda row: row["caller"]):
        missed: list[Missed] = []
        reached: list[Reached] = []
        for row in events:
            if row["how"] is None:
                missed.append(Missed(row["at"], row["call_id"]))
            else:
                reached.append(Reached(row["at"], Reach(row["how"]), row["call_id"], row["by"]))
        found += waits_of(caller, missed, reached)
    return sorted(found, key=lambda wait: (wait.last.at, wait.last.call_id), reverse=True)


async def not_called_back(
    connection: Connection, company_id: int, since: datetime | None, until: datetime | None
) -> list[Wait]:
    """Who of those still waits, newest call first."""
    return [wait for wait in await waits(connection, company_id, since, until) if wait.reached is None]


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some calls were missed. ``id`` of the source or destination; ``colour`` of a source."""

    calls: int
    missed: int
    id: int | None = None
    name: str = ""
    colour: int = 0

    @property
    def share(self) -> float | None:
        """Of all of them; none where there are none."""
        return self.missed / self.calls if self.calls else None


@dataclass(frozen=True, slots=True)
class Misses:
    """The missed calls of a period: all, by withheld callers, by source, by line, and by weekday and hour.

    ``hours`` is 7 x 24, Monday first, by the clock of the company's time zone.
    """

    total: Share
    withheld: int
    sources: tuple[Share, ...]
    lines: tuple[Share, ...]
    hours: tuple[tuple[Share, ...], ...]


async def misses(
    connection: Connection, company_id: int, since: datetime | None, until: datetime | None, zone: str
) -> Misses:
    """How many calls were missed, and which; sources and lines with the most missed calls first."""
    rows = [
        row
        async for row in _queries.missed_told_apart(
            connection, company_id=company_id, since=since, until=until, zone=zone
        )
    ]

    def told(what: str) -> tuple[Share, ...]:
        return tuple(
            Share(row["calls"], row["missed"], row["id"], row["name"], row["colour"])
            for row in rows
            if row["told"] == what
        )

    hours = {(row["weekday"], row["hour"]): Share(row["calls"], row["missed"]) for row in rows if row["told"] == "hour"}
    sources = told("source")
    return Misses(
        total=Share(sum(each.calls for each in sources), sum(each.missed for each in sources)),
        withheld=sum(row["withheld"] for row in rows if row["told"] == "source"),
        sources=sources,
        lines=told("line"),
        hours=tuple(tuple(hours.get((day, hour), Share(0, 0)) for hour in range(24)) for day in range(7)),
    )


async def total(connection: Connection, company_id: int, since: datetime | None, until: datetime | None) -> Share:
    """The calls of a period and how many of them were missed."""
    row = await _queries.missed_of_all(connection, company_id=company_id, since=since, until=until)
    return Share(row["calls"], row["missed"])


async def mark(connection: Connection, company_id: int, call_id: int, user_id: int, at: datetime) -> bool:
    """Say that the caller of a missed call was called back; whether it was news."""
    marked = await _queries.mark(connection, company_id=company_id, call_id=call_id, user_id=user_id, at=at)
    return marked is not None


async def unmark(connection: Connection, company_id: int, call_id: int) -> None:
    """He was not, after all."""
    await _queries.unmark(connection, company_id=company_id, call_id=call_id)


@dataclass(frozen=True, slots=True)
class MissedCall:
    """What is known of a missed call, for whoever calls back."""

    id: int
    outcome: str
    caller_name: str
    region: str
    did: str
    note: str
    source_id: int | None
    source: str
    colour: int
    campaign: str
    person_id: int | None
    person: str
    has_message: bool


async def details(connection: Connection, company_id: int, call_ids: Sequence[int]) -> dict[int, MissedCall]:
    """Some missed calls, by their ids."""
    return {
        row["id"]: MissedCall(**dict(row))
        async for row in _queries.missed_calls(connection, company_id=company_id, ids=list(call_ids))
    }
