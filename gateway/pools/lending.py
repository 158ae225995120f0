"""When a number may be lent: the rules by themselves, over plain values.

``leases.sql`` asks the same of the database under its locks; tests hold the two together.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.pools.pool import Pool


class Standing(StrEnum):
    """What a number of a pool that lends is at a moment."""

    FREE = "free"
    HELD = "held"  # its holder may be looking at it, or come back to it
    QUARANTINED = "in quarantine"  # lent to nobody for a while, because people may still have the number
    RESTING = "resting"  # a person took it out for a time
    RETIRED = "retired"  # never shown again; its calls ring through


@dataclass(frozen=True, slots=True)
class NumberState:
    """What is known of one number. ``idle_since``: when it was last on somebody's page; none: never."""

    idle_since: datetime | None = None
    is_leased: bool = False
    last_dialled: datetime | None = None
    resting_until: datetime | None = None
    retired_at: datetime | None = None


def standing(number: NumberState, pool: Pool, now: datetime) -> Standing:
    """What ``number`` is at ``now``."""
    if number.retired_at is not None:
        return Standing.RETIRED
    if number.resting_until is not None and number.resting_until > now:
        return Standing.RESTING
    seen = number.idle_since
    if number.is_leased and seen is not None and seen > now - pool.reserve:
        return Standing.HELD
    if seen is not None and seen > now - pool.reserve - pool.quarantine:
        return Standing.QUARANTINED
    if number.last_dialled is not None and number.last_dialled > now - pool.dialled_quarantine:
        return Standing.QUARANTINED
    return Standing.FREE


def lending_order(numbers: dict[int, NumberState], pool: Pool, now: datetime) -> list[int]:
    """The numbers that would be lent to new holders one after the other, by id: the free ones, longest idle first.

    Where the pool shares, those in quarantine and those held by others follow, again longest idle first.
    """

    def idle(number: int) -> tuple[bool, datetime, int]:
        seen = numbers[number].idle_since
        return (seen is not None, seen or now, number)

    stands = {number: standing(state, pool, now) for number, state in numbers.items()}
    free = [number for number, each in stands.items() if each is Standing.FREE]
    taken = [number for number, each in stands.items() if each in (Standing.HELD, Standing.QUARANTINED)]
    return sorted(free, key=idle) + (sorted(taken, key=idle) if pool.when_full == "share" else [])
