"""What the pages of a site show a visit: the one function that a request for numbers calls."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from gateway.pools.choose import Choice, Holder, choose_pool, holder_of, static_number
from gateway.pools.conditions import Arrival
from gateway.pools.leases import Got, Lent, expose, lease_numbers
from gateway.pools.pool import Offer, Pool, Site, SwapTarget
from gateway.pools.tally import Tally
from gateway.store.database import Database

# Another tab of the visitor was first, or an admin moved numbers at this moment: the next try finds what that one did.
TRIES = 8
PAUSE_SECONDS = 0.01
_AGAIN = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.ExclusionViolationError)


class Why(StrEnum):
    """Why a number is shown."""

    LENT = "lent"  # of a pool that lends
    STATIC = "static"  # stands for the visit's source
    FALLBACK = "fallback"  # the pool was full, or has no number
    PAGE = "page"  # the page's own: nothing matched


@dataclass(frozen=True, slots=True)
class Shown:
    """The number that a page shows in place of ``target``, as E.164.

    ``number_id`` and ``exposure_id`` are none where the number is not one of ours; ``lease_id`` where nobody holds it.
    """

    target: SwapTarget
    e164: str
    why: Why
    number_id: int | None = None
    pool_id: int | None = None
    lease_id: int | None = None
    exposure_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Showing:
    """One page that is to be shown its numbers: the visit, and the pool that was chosen for each target."""

    offer: Offer
    site: Site
    arrival: Arrival
    visitor: UUID
    visit_id: UUID
    now: datetime
    choices: Mapping[SwapTarget, Choice | None]

    @property
    def is_ours(self) -> bool:
        """Whether any of its numbers is, so that there is something to note."""
        return any(choice is not None or target.number_id is not None for target, choice in self.choices.items())

    def wanted(self) -> list[tuple[Pool, Holder]]:
        """The pools that lend it a number, and to whom.

        A pool gives a visit one number, however many numbers of the page it replaces.
        """
        lending = {choice.pool.id: choice.pool for choice in self.choices.values() if choice and choice.number is None}
        return [(pool, holder_of(pool, self.visitor, self.arrival)) for pool in lending.values()]

    def shown(self, lent: Mapping[int, Lent]) -> tuple[Shown, ...]:
        """What it shows, by what its pools lent; numbers that nobody holds have no exposure yet."""
        return tuple(self._shown(target, choice, lent) for target, choice in self.choices.items())

    def shown_unlent(self) -> list[Shown]:
        """What it shows wherever no pool has to lend it a number."""
        return [
            self._shown(target, choice, {})
            for target, choice in self.choices.items()
            if choice is None or choice.number is not None
        ]

    def count(self, tally: Tally | None, lent: Iterable[Lent]) -> None:
        """Count what became of its pools."""
        if tally is not None:
            for each in lent:
                tally.count(each.pool, each.got, self.arrival.source.label, self.now)

    def _shown(self, target: SwapTarget, choice: Choice | None, lent: Mapping[int, Lent]) -> Shown:
        if choice is not None and choice.number is None:
            given = lent[choice.pool.id]
            if given.got is not Got.REFUSED:
                assert given.e164 is not None
                return Shown(
                    target, given.e164, Why.LENT, given.number_id, given.pool.id, given.lease_id, given.exposure_id
                )
            static = static_number(self.arrival, self.offer.pools.get(self.site.company_id, ()), target)
            e164 = static.e164 if static else choice.pool.fallback or target.e164
            why = Why.FALLBACK
        elif choice is not None and choice.number is not None:
            e164, why = choice.number.e164, Why.STATIC
        else:
            e164, why = target.e164, Why.PAGE
        here = self.site.company_id, e164
        number_id = target.number_id if e164 == target.e164 else self.offer.numbers.get(here)
        return Shown(target, e164, why, number_id, choice.pool.id if choice else None)


def showing_of(
    offer: Offer,
    site: Site,
    arrival: Arrival,
    *,
    visitor: UUID,
    visit_id: UUID,
    now: datetime,
    targets: Iterable[SwapTarget] | None = None,
) -> Showing:
    """Choose the pools for a page."""
    pools = offer.pools.get(site.company_id, ())
    choices = {target: choose_pool(arrival, pools, target) for target in (site.targets if targets is None else targets)}
    return Showing(offer, site, arrival, visitor, visit_id, now, choices)


def unheld(shown: Iterable[Shown]) -> list[int]:
    """The tracking numbers among what is shown that nobody holds: their exposures are still to be noted."""
    return list(dict.fromkeys(each.number_id for each in shown if each.number_id is not None and not each.exposure_id))


def exposed(shown: Iterable[Shown], exposures: Mapping[int, UUID]) -> tuple[Shown, ...]:
    """What is shown, with the exposures of numbers that nobody holds, by number."""
    return tuple(
        replace(each, exposure_id=exposures.get(each.number_id))
        if each.number_id is not None and each.exposure_id is None
        else each
        for each in shown
    )


async def show_numbers(
    database: Database,
    offer: Offer,
    site: Site,
    arrival: Arrival,
    *,
    visitor: UUID,
    visit_id: UUID,
    now: datetime,
    targets: Iterable[SwapTarget] | None = None,
    tally: Tally | None = None,
) -> tuple[Shown, ...]:
    """What to show a visit in place of each of ``targets`` (all of the site's), with the exposures noted.

    One transaction of the site's company, done again where another tab of the visitor was at it. It does not wait for
    the disk: a crash of Postgres itself may cost the last half second of leases. Raises what the database raises.
    """
    page = showing_of(offer, site, arrival, visitor=visitor, visit_id=visit_id, now=now, targets=targets)
    return await show(database, page, tally=tally)


async def show(
    database: Database, page: Showing, *, already: Mapping[int, Lent] | None = None, tally: Tally | None = None
) -> tuple[Shown, ...]:
    """As ``show_numbers``, for a page whose pools are chosen; ``already``: what some of them have lent it."""
    if not page.is_ours:
        return page.shown({})
    lent_before = already or {}
    wanted = [(pool, holder) for pool, holder in page.wanted() if pool.id not in lent_before]
    for attempt in range(TRIES):
        try:
            async with database.companies(page.site.company_id, durable=False) as connection:
                lent = await lease_numbers(connection, wanted, visit_id=page.visit_id, now=page.now)
                shown = page.shown({**lent_before, **lent})
                exposures = {
                    number: await expose(connection, page.site.company_id, number, visit_id=page.visit_id, now=page.now)
                    for number in unheld(shown)
                }
            break
        except _AGAIN:
            if attempt == TRIES - 1:
                raise
            await asyncio.sleep(PAUSE_SECONDS * random.random())
    page.count(tally, lent.values())
    return exposed(shown, exposures)


async def trial(database: Database, page: Showing) -> tuple[Shown, ...]:
    """What a page would be shown if a visitor opened it now. All is done as for one, and undone: nothing is lent, noted
    or counted. Raises what the database raises.
    """
    shown: tuple[Shown, ...] = ()
    with suppress(_Undone):
        async with database.companies(page.site.company_id, durable=False) as connection:
            lent = await lease_numbers(connection, page.wanted(), visit_id=page.visit_id, now=page.now)
            shown = page.shown(lent)
            raise _Undone
    return tuple(replace(each, lease_id=None, exposure_id=None) for each in shown)


class _Undone(Exception):
    """Has a transaction rolled back."""
