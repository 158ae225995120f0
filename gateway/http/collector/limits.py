"""So many requests of an address and of a site, and no more: token buckets, kept in each worker's memory."""

from collections.abc import Callable
from enum import Enum
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic
from typing import Generic, TypeVar

# Beyond so many the least recent are forgotten, so that a flood of addresses cannot fill the memory.
MOST_KEYS = 100_000
# So many times a whole bucket beyond what is allowed is no busy office any more.
ABUSE = 5.0

Key = TypeVar("Key")


class Verdict(Enum):
    """What a bucket says of one more request."""

    WITHIN = "within"
    OVER = "over"  # answered, but with nothing that costs
    ABUSE = "abuse"  # refused


class Buckets(Generic[Key]):
    """A bucket for each key: ``burst`` requests at once, ``rate`` more each second."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._floor = -ABUSE * burst
        self._buckets: dict[Key, tuple[float, float]] = {}

    def take(self, key: Key) -> Verdict:
        """One more request of ``key``."""
        now = self._clock()
        tokens, before = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - before) * self._rate) - 1
        # Who goes on asking while refused waits no longer for that.
        self._buckets[key] = max(tokens, self._floor), now
        if len(self._buckets) > MOST_KEYS:
            del self._buckets[next(iter(self._buckets))]
        if tokens >= 0:
            return Verdict.WITHIN
        return Verdict.OVER if tokens >= self._floor else Verdict.ABUSE

    @property
    def seconds_to_wait(self) -> int:
        """After how long somebody who was refused may ask again."""
        return max(1, round(1 / self._rate))


def of_one(address: str) -> str:
    """Whom an address stands for: itself, or for IPv6 the 64 bits that one household has."""
    if ":" not in address:
        return address
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((ip, 64), strict=False))
