"""How pools are doing: now, and hour by hour, as values for pages, reports and the command line."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "health.sql")


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of a pool. ``occupied`` is the mean of what the samples saw, none where nobody looked."""

    hour: datetime
    leased: int
    displaced: int
    hurried: int
    refused: int
    occupied: float | None
    occupied_most: int
    numbers: int


@dataclass(frozen=True, slots=True)
class Miss:
    """How many visits that a source brought found the pool full."""

    source: str
    displaced: int
    refused: int


@dataclass(frozen=True, slots=True)
class PoolHealth:
    """A pool that lends: at this moment, by the hour, and whom it failed (the most frequent source first)."""

    pool_id: int
    name: str
    shares: bool
    numbers: int
    resting: int
    held: int
    hours: tuple[Hour, ...]
    misses: tuple[Miss, ...]

    @property
    def leased(self) -> int:
        """New leases."""
        return sum(each.leased for each in self.hours)

    @property
    def displaced(self) -> int:
        """Leases that were ended early for another visitor."""
        return sum(each.displaced for each in self.hours)

    @property
    def refused(self) -> int:
        """Visits that saw a fallback number."""
        return sum(each.refused for each in self.hours)

    @property
    def occupied_most(self) -> int:
        """The most numbers that were held at once."""
        return max((each.occupied_most for each in self.hours), default=0)

    @property
    def occupied(self) -> float | None:
        """How many numbers were held on average; none where nobody looked."""
        seen = [each.occupied for each in self.hours if each.occupied is not None]
        return sum(seen) / len(seen) if seen else None

    @property
    def advice(self) -> str | None:
        """What to do about it, for people; none where all is well."""
        visits = self.displaced + self.refused
        if self.numbers - self.resting == 0:
            return f"{self.name} has no number to lend; add some: numberpool number import FILE --pool {self.name!r}"
        if not visits:
            return None
        did = "took another visitor's number" if self.shares else "saw a fallback number"
        return (
            f"{self.name} was full: {visits} visit{'s' * (visits != 1)} {did}. More numbers, or a shorter reserve, "
            "make its calls lead to their visits more surely."
        )


async def pool_health(
    connection: Any, company_id: int, *, start: datetime, finish: datetime, now: datetime
) -> tuple[PoolHealth, ...]:
    """The pools of a company that lend: at ``now``, and their hours from ``start`` (included) to ``finish``."""
    hours = defaultdict(list)
    async for row in _queries.hours(connection, company_id=company_id, start=start, finish=finish):
        hours[row["pool_id"]].append(
            Hour(
                row["hour"],
                row["leased"],
                row["displaced"],
                row["hurried"],
                row["refused"],
                row["occupied_sum"] / row["samples"] if row["samples"] else None,
                row["occupied_most"],
                row["numbers"],
            )
        )
    misses = defaultdict(list)
    async for row in _queries.misses(connection, company_id=company_id, start=start, finish=finish):
        misses[row["pool_id"]].append(Miss(row["source"], row["displaced"], row["refused"]))
    return tuple(
        [
            PoolHealth(
                row["id"],
                row["name"],
                row["when_full"] == "share",
                row["numbers"],
                row["resting"],
                row["held"],
                tuple(hours[row["id"]]),
                tuple(misses[row["id"]]),
            )
            async for row in _queries.pools_now(connection, company_id=company_id, now=now)
        ]
    )
