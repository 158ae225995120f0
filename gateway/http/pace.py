"""Slows guessing down: so many tries at once, then one more each time a while has passed.

Kept in the database, so that several processes count together and a restart forgets nothing. Each thing that is
counted has one row with the moment at which all its tries are paid off (the generic cell rate algorithm, as ATM
networks police cells: ITU-T I.371). A try that would move it beyond the window is refused and costs nothing.
"""

import hashlib
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path

from gateway.store.database import Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "pace.sql")

# One try in so many also clears away what says nothing any more.
_TIDY_EVERY = 50
# The prefix that one customer has of an IPv6 network (RFC 6177): who has one address there has all of them.
_IPV6_CUSTOMER = 64


@dataclass(frozen=True, slots=True)
class Pace:
    """So many tries within a while, at once or spread over it; then one each time a share of the while has passed."""

    tries: int
    within: timedelta

    @property
    def step(self) -> timedelta:
        """What one try costs."""
        return self.within / self.tries


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted, under a name of its own, and how fast it may go."""

    name: tuple[str, ...]
    pace: Pace

    @property
    def key(self) -> bytes:
        """As the database knows it: no address or e-mail stands there."""
        return hashlib.sha256("\x1f".join(self.name).encode("utf-8", "surrogatepass")).digest()


_QUARTER = timedelta(minutes=15)

# A person who has forgotten tries a handful.
PERSON = Pace(5, _QUARTER)
# The same account from everywhere, or one address against many accounts: more, so that one office does not lock out all
# of its people. A browser in which this account has signed in before counts by itself alone: a stranger who keeps an
# account at its limit makes its owner wait nowhere but in a new browser, and there a one-time link still opens.
ACCOUNT = Pace(30, _QUARTER)
ADDRESS = Pace(30, _QUARTER)
DEVICE = Pace(10, _QUARTER)
# Six digits, of which three codes are good at a time: at this pace a year of guessing has a chance of 1 in 8.
CODE = Pace(5, timedelta(hours=1))
# Mails that anybody can have sent to somebody else.
MAIL_TO_ACCOUNT = Pace(3, timedelta(hours=1))
MAIL_FROM_ADDRESS = Pace(10, timedelta(hours=1))
INVITATIONS_OF_USER = Pace(50, timedelta(hours=1))


def of_sign_in(address: str, account: str, device: bytes | None) -> list[Counted]:
    """What a try at a password counts for; ``device`` is what a known browser shows, for this account."""
    if device is not None:
        return [Counted(("device", device.hex(), account), DEVICE)]
    place = customer(address)
    return [
        Counted(("person", place, account), PERSON),
        Counted(("account", account), ACCOUNT),
        Counted(("address", place), ADDRESS),
    ]


def of_code(user_id: int) -> list[Counted]:
    """What a try at a second step counts for: whoever gets so far knows the password."""
    return [Counted(("code", str(user_id)), CODE)]


def customer(address: str) -> str:
    """What stands for the one who has an address: itself, or its network for IPv6."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, _IPV6_CUSTOMER), strict=False).network_address)


class _TooFast(Exception):
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


async def seconds_to_wait(database: Database, counted: Sequence[Counted]) -> int:
    """Count a try, before it is looked at, so that many at once count as many: 0, or how long to wait instead."""
    try:
        async with database.everything() as connection:
            # In one order everywhere: two who try at once never wait for each other in a circle.
            for each in sorted(counted, key=lambda each: each.key):
                step, window = each.pace.step, each.pace.within
                if not await _queries.take(connection, key=each.key, step=step, window=window):
                    raise _TooFast(
                        await _queries.seconds_to_wait(connection, key=each.key, step=step, window=window) or 1.0
                    )
            if random.randrange(_TIDY_EVERY) == 0:
                await _queries.forget_old(connection)
    except _TooFast as refused:
        return max(1, math.ceil(refused.seconds))
    return 0


async def was_right(database: Database, counted: Sequence[Counted]) -> None:
    """The try was right: who made it starts afresh, and what he shares with others is as before."""
    async with database.everything() as connection:
        for each in sorted(counted, key=lambda each: each.key):
            if each.pace in (ACCOUNT, ADDRESS):
                await _queries.give_back(connection, key=each.key, step=each.pace.step)
            else:
                await _queries.forget(connection, key=each.key)
