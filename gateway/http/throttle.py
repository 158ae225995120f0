"""Slows guessing of passwords down: so many wrong ones in a while, then nothing but waiting helps.

Kept in memory: a restart forgets, which nobody outside can bring about.
"""

import math
from collections import deque
from collections.abc import Callable
from time import monotonic

from aiohttp import web

WINDOW_SECONDS = 15 * 60.0
# A person who has forgotten tries a handful. The same account from everywhere, or one address against many accounts,
# is allowed more, so that a stranger cannot easily lock an owner out or one office all of its people.
TRIES_PER_PERSON = 5
TRIES_PER_ACCOUNT = 30
TRIES_PER_ADDRESS = 30
# Beyond this many keys the oldest are forgotten, so that a flood of invented accounts cannot fill the memory.
MOST_KEYS = 20_000

Key = tuple[str, ...]


class Throttle:
    """Counts attempts in a sliding window."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._tries: dict[Key, deque[float]] = {}

    def seconds_to_wait(self, address: str, account: str) -> int:
        """How long until this address may try this account again; 0 for at once."""
        now = self._clock()
        waits = []
        for key, limit in _limits(address, account):
            tries = self._recent(key, now)
            if len(tries) >= limit:
                waits.append(tries[-limit] + WINDOW_SECONDS - now)
        return math.ceil(max(waits, default=0))

    def attempt(self, address: str, account: str) -> None:
        """Count an attempt; before the password is checked, so that many at once count as many."""
        now = self._clock()
        for key, _ in _limits(address, account):
            tries = self._recent(key, now)
            tries.append(now)
            self._tries.pop(key, None)
            self._tries[key] = tries
        while len(self._tries) > MOST_KEYS:
            del self._tries[next(iter(self._tries))]

    def succeeded(self, address: str, account: str) -> None:
        """The password was right: this person starts afresh."""
        for key, _ in _limits(address, account):
            if len(key) == 3:
                self._tries.pop(key, None)
            elif self._tries.get(key):
                self._tries[key].pop()

    def _recent(self, key: Key, now: float) -> deque[float]:
        tries = self._tries.get(key, deque())
        while tries and tries[0] <= now - WINDOW_SECONDS:
            tries.popleft()
        return tries


THROTTLE = web.AppKey("THROTTLE", Throttle)


def _limits(address: str, account: str) -> tuple[tuple[Key, int], ...]:
    return (
        (("person", address, account), TRIES_PER_PERSON),
        (("account", account), TRIES_PER_ACCOUNT),
        (("address", address), TRIES_PER_ADDRESS),
    )
