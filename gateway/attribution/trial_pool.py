"""A pool of numbers in memory, for a history that is run through it: lends as ``leases.sql`` does.

What a number is at a moment, ``gateway.pools.lending.standing`` says, as it does for the database; here its order of
idleness is kept in a heap, so that a year of visits takes seconds. Tests hold it to the database.
"""

from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush

from gateway.pools.leases import Got
from gateway.pools.lending import NumberState, Standing, standing
from gateway.pools.pool import Pool, WhenFull

_NEVER = datetime.min


@dataclass(frozen=True, slots=True)
class Given:
    """What a holder got; ``taken_from`` is who held the number before and holds none now."""

    got: Got
    number: str | None = None
    taken_from: str | None = None


class TrialPool:
    """Numbers that are lent to visitors. Times only go forward."""

    def __init__(self, pool: Pool, numbers: list[str]) -> None:
        self.pool = pool
        self._idle_since: list[datetime | None] = [None] * len(numbers)
        self._dialled: list[datetime | None] = [None] * len(numbers)
        self._holder: list[str | None] = [None] * len(numbers)
        self._numbers = numbers
        self._place = {number: index for index, number in enumerate(numbers)}
        self._held: dict[str, int] = {}
        # By when they were last seen, as far as was known when they were put here: later only, never earlier.
        self._waiting: list[tuple[datetime, int]] = [(_NEVER, index) for index in range(len(numbers))]

    def number_of(self, holder: str) -> str | None:
        """The number that is the holder's, if any."""
        index = self._held.get(holder)
        return None if index is None else self._numbers[index]

    def lend(self, holder: str, now: datetime) -> Given:
        """The holder's own number, else the free one that has been idle longest, else as the pool is set."""
        own = self._held.get(holder)
        if own is not None:
            self._see(own, now)
            return Given(Got.OWN, self._numbers[own])
        index, got = self._next(now)
        if index is None:
            return Given(Got.REFUSED)
        before = self._holder[index]
        if before is not None:
            del self._held[before]
        self._holder[index] = holder
        self._held[holder] = index
        self._see(index, now)
        return Given(got, self._numbers[index], before)

    def keep_alive(self, holder: str, now: datetime) -> bool:
        """A page of the holder is still there; false: the number is another's now, ask anew."""
        own = self._held.get(holder)
        if own is not None:
            self._see(own, now)
        return own is not None

    def ring(self, number: str, now: datetime) -> None:
        """Somebody rang a number."""
        index = self._place.get(number)
        if index is not None:
            self._dialled[index] = now

    def states(self) -> dict[int, NumberState]:
        """All numbers as ``gateway.pools.lending`` knows them, in the order they were given, from 0."""
        return {index: self._state(index) for index in range(len(self._numbers))}

    def _see(self, index: int, now: datetime) -> None:
        seen = self._idle_since[index]
        if seen is None or seen < now:
            self._idle_since[index] = now

    def _state(self, index: int) -> NumberState:
        return NumberState(self._idle_since[index], self._holder[index] is not None, self._dialled[index])

    def _next(self, now: datetime) -> tuple[int | None, Got]:
        passed: list[tuple[datetime, int]] = []
        found: int | None = None
        seen_since = now.replace(tzinfo=None) - self.pool.reserve - self.pool.quarantine
        while self._waiting:
            known, index = heappop(self._waiting)
            seen = self._idle_since[index]
            key = (_NEVER if seen is None else seen.replace(tzinfo=None), index)
            if key[0] > known:
                heappush(self._waiting, key)
                continue
            passed.append(key)
            if standing(self._state(index), self.pool, now) is Standing.FREE:
                found = index
                break
            if key[0] > seen_since:
                break  # those that follow were seen later still: none of them is free
        for key in passed:
            heappush(self._waiting, key)
        if found is not None:
            return found, Got.FREE
        if self.pool.when_full is not WhenFull.SHARE or not passed:
            return None, Got.REFUSED
        index = passed[0][1]
        held = standing(self._state(index), self.pool, now) is Standing.HELD
        return index, Got.DISPLACED if held else Got.HURRIED
