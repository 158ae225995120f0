"""Numbers moved between pools, rested, retired and removed.

Calls ring through whatever is done here, save to a number that is removed. Whoever holds a number that is taken away is
told at the next keep-alive.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.pools import errors, pool_errors, setup
from gateway.pools.leases import end_leases
from gateway.pools.lending import NumberState
from gateway.pools.numbers import NumberError, to_e164
from gateway.pools.setup import Company
from gateway.store.queries import load_queries

# The end of a rest that lasts until ``wake``.
FOR_EVER = datetime.max.replace(tzinfo=UTC)

_queries = load_queries(Path(__file__).parent, "number_changes.sql")


async def move(
    connection: Any, company: Company, numbers: Collection[str], pool: str, *, source: str | None = None, now: datetime
) -> list[str]:
    """Move numbers into another pool, where each counts as seen when it last was; the numbers as E.164.

    Into a static pool all for one ``source``. Raises BadNumber, NoSuchNumber, NoSuchPool, NoSuchSource,
    StaticNeedsSource.
    """
    chosen = next((row for row in await setup.pools(connection, company) if row["name"] == pool.strip()), None)
    if chosen is None:
        raise errors.NoSuchPool(pool)
    source_id = None
    if source is not None:
        known = {row["name"]: row["id"] for row in await setup.sources(connection, company)}
        if source.strip() not in known:
            raise errors.NoSuchSource(source)
        source_id = known[source.strip()]
    held = await _hold(connection, company, numbers)
    if chosen["kind"] == "static" and source is None:
        raise pool_errors.StaticNeedsSource(pool)
    ids = await _take_back(connection, company, held, now)
    await _queries.count_as_seen(connection, company_id=company.id, number_ids=ids, now=now)
    await _queries.move(connection, company_id=company.id, number_ids=ids, pool_id=chosen["id"], source_id=source_id)
    return [row["e164"] for row in held]


async def rest(
    connection: Any, company: Company, numbers: Collection[str], *, until: datetime | None, now: datetime
) -> list[str]:
    """Lend numbers to nobody until a time (none: until ``wake``). Raises BadNumber, NoSuchNumber."""
    held = await _hold(connection, company, numbers)
    ids = await _take_back(connection, company, held, now)
    if until is None:
        await _queries.rest_for_ever(connection, company_id=company.id, number_ids=ids)
    else:
        await _queries.rest(connection, company_id=company.id, number_ids=ids, until=until)
    return [row["e164"] for row in held]


async def wake(connection: Any, company: Company, numbers: Collection[str], *, now: datetime) -> list[str]:
    """End the rest of numbers, or take them back from being retired. Raises BadNumber, NoSuchNumber."""
    held = await _hold(connection, company, numbers)
    ids = await _take_back(connection, company, held, now)
    await _queries.rest(connection, company_id=company.id, number_ids=ids, until=None)
    await _queries.retire(connection, company_id=company.id, number_ids=ids, at=None)
    return [row["e164"] for row in held]


async def retire(connection: Any, company: Company, numbers: Collection[str], *, now: datetime) -> list[str]:
    """Show numbers to nobody any more; their calls ring through. Raises BadNumber, NoSuchNumber."""
    held = await _hold(connection, company, numbers)
    ids = await _take_back(connection, company, held, now)
    await _queries.retire(connection, company_id=company.id, number_ids=ids, at=now)
    return [row["e164"] for row in held]


async def release(connection: Any, company: Company, numbers: Collection[str], *, now: datetime) -> list[str]:
    """Take numbers back from their holders; those that were lent. Raises BadNumber, NoSuchNumber."""
    held = await _hold(connection, company, numbers)
    ended = await end_leases(connection, company.id, [row["id"] for row in held], now=now)
    return [row["e164"] for row in held if row["id"] in ended]


async def remove(connection: Any, company: Company, numbers: Collection[str]) -> list[str]:
    """Remove numbers that were never called, lent or shown, such as those of a mistaken import.

    Raises BadNumber, NoSuchNumber, HasHistory.
    """
    held = await _hold(connection, company, numbers)
    ids = [row["id"] for row in held]
    history = _queries.with_history(connection, company_id=company.id, number_ids=ids)
    async for row in history:
        raise pool_errors.HasHistory(row["e164"])
    await _queries.remove(connection, company_id=company.id, number_ids=ids)
    return [row["e164"] for row in held]


async def standings(connection: Any, company: Company) -> dict[int, tuple[Any, NumberState]]:
    """Each number of a company by id, with the state its standing follows from (``lending.standing``)."""
    found = {}
    async for row in _queries.standings(connection, company_id=company.id):
        until = FOR_EVER if row["rests_for_ever"] else row["resting_until"]
        state = NumberState(row["idle_since"], row["is_leased"], row["last_dialled"], until, row["retired_at"])
        found[row["id"]] = (row, state)
    return found


async def _take_back(connection: Any, company: Company, held: Collection[Any], now: datetime) -> list[int]:
    ids = [row["id"] for row in held]
    await end_leases(connection, company.id, ids, now=now)
    return ids


async def _hold(connection: Any, company: Company, numbers: Collection[str]) -> list[Any]:
    wanted = {}
    for text in numbers:
        try:
            wanted[to_e164(text, company.region)] = text
        except NumberError as error:
            raise errors.BadNumber(str(error)) from None
    held = [row async for row in _queries.hold_numbers(connection, company_id=company.id, numbers=list(wanted))]
    missing = set(wanted) - {row["e164"] for row in held}
    if missing:
        raise pool_errors.NoSuchNumber(wanted[min(missing)])
    return held
