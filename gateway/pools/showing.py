"""What the pages of a site show a visit: the one function that a request for numbers calls."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg

from gateway.pools.choose import Choice, choose_pool, holder_of, static_number
from gateway.pools.conditions import Arrival
from gateway.pools.leases import Got, Lent, expose, lease_numbers
from gateway.pools.pool import Offer, Site, SwapTarget
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
    pools = offer.pools.get(site.company_id, ())
    choices = {target: choose_pool(arrival, pools, target) for target in (site.targets if targets is None else targets)}
    if not _ours(choices):
        return tuple(Shown(target, target.e164, Why.PAGE) for target in choices)
    for attempt in range(TRIES):
        try:
            async with database.companies(site.company_id, durable=False) as connection:
                lent = await _lend(connection, choices, arrival, visitor, visit_id, now)
                shown = await _answer(connection, offer, site, arrival, choices, lent, visit_id, now)
            break
        except _AGAIN:
            if attempt == TRIES - 1:
                raise
            await asyncio.sleep(PAUSE_SECONDS * random.random())
    if tally is not None:
        for each in lent.values():
            tally.count(each.pool, each.got, arrival.source.label, now)
    return shown


def _ours(choices: Mapping[SwapTarget, Choice | None]) -> bool:
    return any(choice is not None or target.number_id is not None for target, choice in choices.items())


async def _lend(
    connection: Any,
    choices: Mapping[SwapTarget, Choice | None],
    arrival: Arrival,
    visitor: UUID,
    visit_id: UUID,
    now: datetime,
) -> dict[int, Lent]:
    # A pool gives a visit one number, however many numbers of the page it replaces.
    lending = {choice.pool.id: choice.pool for choice in choices.values() if choice and choice.number is None}
    wanted = [(pool, holder_of(pool, visitor, arrival)) for pool in lending.values()]
    return await lease_numbers(connection, wanted, visit_id=visit_id, now=now)


async def _answer(
    connection: Any,
    offer: Offer,
    site: Site,
    arrival: Arrival,
    choices: Mapping[SwapTarget, Choice | None],
    lent: Mapping[int, Lent],
    visit_id: UUID,
    now: datetime,
) -> tuple[Shown, ...]:
    exposures: dict[int, UUID] = {}
    pools = offer.pools.get(site.company_id, ())

    async def shown(target: SwapTarget, choice: Choice | None) -> Shown:
        if choice is not None and choice.number is None:
            given = lent[choice.pool.id]
            if given.got is not Got.REFUSED:
                assert given.e164 is not None
                return Shown(
                    target, given.e164, Why.LENT, given.number_id, given.pool.id, given.lease_id, given.exposure_id
                )
            static = static_number(arrival, pools, target)
            e164 = static.e164 if static else choice.pool.fallback or target.e164
            why = Why.FALLBACK
        elif choice is not None and choice.number is not None:
            e164, why = choice.number.e164, Why.STATIC
        else:
            e164, why = target.e164, Why.PAGE
        number_id = target.number_id if e164 == target.e164 else offer.numbers.get((site.company_id, e164))
        if number_id is not None and number_id not in exposures:
            exposures[number_id] = await expose(connection, site.company_id, number_id, visit_id=visit_id, now=now)
        return Shown(
            target,
            e164,
            why,
            number_id,
            choice.pool.id if choice else None,
            exposure_id=None if number_id is None else exposures[number_id],
        )

    return tuple([await shown(target, choice) for target, choice in choices.items()])
