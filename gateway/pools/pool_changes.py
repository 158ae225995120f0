"""What a page of the settings reads and changes of pools and their numbers, and how a change is taken back."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.pools import errors
from gateway.pools.conditions import Conditions, conditions_of
from gateway.pools.leases import end_leases
from gateway.pools.lending import NumberState, Standing, standing
from gateway.pools.number_changes import FOR_EVER
from gateway.pools.pool import Kind, Pool, WhenFull
from gateway.pools.setup import checked_name
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "pool_changes.sql")

# Columns of a pool that are no settings.
_NOT_SET = ("id", "kind", "currency", "removed_at")


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool with all its settings. ``targets`` are ids of swap targets; ``record``: none is as the company says."""

    pool: Pool
    targets: tuple[int, ...]
    price: Decimal | None
    currency: str
    record: bool | None
    stored: dict[str, Any]  # as its columns are, for an undo and for the audit log
    removed_at: datetime | None = None

    @property
    def conditions(self) -> Conditions:
        """Which visits it is shown to."""
        return self.pool.conditions


@dataclass(frozen=True, slots=True)
class Sum:
    """How many numbers a pool has, of them retired, and what all cost a month."""

    numbers: int
    retired: int
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class PoolNumber:
    """A number of a pool, and what it is at this moment."""

    id: int
    e164: str
    source: str | None
    colour: int | None
    destination: str | None
    whisper: str | None
    fax: bool
    note: str
    price: Decimal | None
    state: NumberState
    standing: Standing

    @property
    def rests_for_ever(self) -> bool:
        """Whether it rests until somebody wakes it."""
        return self.state.resting_until == FOR_EVER


@dataclass(frozen=True, slots=True)
class NumberSettings:
    """What is set of one number; ``record``: none is as the pool says."""

    source_id: int | None
    destination_id: int | None
    record: bool | None
    whisper: str | None
    fax: bool
    price: Decimal | None
    note: str


async def one_pool(connection: Any, company_id: int, pool_id: int) -> PoolRow | None:
    """A pool by its id; none where it is not this company's."""
    row = await _queries.one_pool(connection, company_id=company_id, pool_id=pool_id)
    if row is None:
        return None
    stored = {name: row[name] for name in row.keys() if name not in _NOT_SET}  # noqa: SIM118
    stored["conditions"] = json.loads(row["conditions"])
    stored["monthly_price"] = None if row["monthly_price"] is None else f"{row['monthly_price'].normalize():f}"
    return PoolRow(
        Pool(
            row["id"],
            company_id,
            row["name"],
            Kind(row["kind"]),
            row["priority"],
            conditions_of(stored["conditions"]),
            tuple(row["bound_to"]),
            timedelta(seconds=row["reserve_seconds"]),
            timedelta(seconds=row["quarantine_seconds"]),
            timedelta(seconds=row["dialled_quarantine_seconds"]),
            timedelta(seconds=row["window_seconds"]),
            WhenFull(row["when_full"]),
            row["fallback_number"],
        ),
        tuple(row["targets"]),
        row["monthly_price"],
        row["currency"],
        row["record_calls"],
        stored,
        row["removed_at"],
    )


async def numbers_in_use(connection: Any, company_id: int, pool_id: int) -> list[int]:
    """The ids of a pool's numbers that are not retired."""
    rows = _queries.numbers_in_use(connection, company_id=company_id, pool_id=pool_id)
    return [row["id"] async for row in rows]


async def set_removed(connection: Any, company_id: int, pool_id: int, at: datetime | None) -> None:
    """A pool is removed, or there again (none). Raises asyncpg's UniqueViolationError where its name is another's."""
    await _queries.set_removed(connection, company_id=company_id, pool_id=pool_id, removed_at=at)


async def rename_pool(connection: Any, company_id: int, pool_id: int, name: str) -> str:
    """Give a pool another name; the name. Raises NoName, NameTaken."""
    name = checked_name(name)
    if await _queries.rename_pool(connection, company_id=company_id, pool_id=pool_id, name=name) is None:
        raise errors.NameTaken(name)
    return name


async def serve_targets(connection: Any, company_id: int, pool_id: int, targets: Collection[int]) -> None:
    """Let a pool replace these swap targets and no others; none: all there are."""
    await _queries.drop_targets(connection, company_id=company_id, pool_id=pool_id)
    await _queries.add_targets(connection, company_id=company_id, pool_id=pool_id, targets=list(targets))


async def restore_pool(connection: Any, company_id: int, pool_id: int, stored: dict[str, Any]) -> None:
    """Make a pool what it was. Raises NameTaken where another has its name by now."""
    values = {name: value for name, value in stored.items() if name not in ("name", "targets")}
    values["conditions"] = json.dumps(stored["conditions"], ensure_ascii=False)
    values["monthly_price"] = None if stored["monthly_price"] is None else Decimal(stored["monthly_price"])
    await rename_pool(connection, company_id, pool_id, stored["name"])
    await _queries.restore_pool(connection, company_id=company_id, pool_id=pool_id, **values)
    await serve_targets(connection, company_id, pool_id, stored["targets"])


async def currency(connection: Any, company_id: int) -> str:
    """In what a company pays."""
    found: str = await _queries.currency(connection, company_id=company_id)
    return found


async def all_targets(connection: Any, company_id: int) -> list[Any]:
    """Every number that is printed on a site: id, e164 and the site's name."""
    return [row async for row in _queries.all_targets(connection, company_id=company_id)]


async def sums(connection: Any, company_id: int) -> dict[int, Sum]:
    """What the pools of a company have and cost, by id."""
    return {
        row["pool_id"]: Sum(row["numbers"], row["retired"], row["monthly_price"])
        async for row in _queries.sums(connection, company_id=company_id)
    }


async def numbers_of_pool(
    connection: Any, pool: Pool, *, now: datetime, after: int = 0, digits: str = "", most: int = 100
) -> list[PoolNumber]:
    """Some numbers of a pool, after the one with the id ``after``; ``digits``: those in which these stand."""
    found = []
    async for row in _queries.numbers_of_pool(
        connection, company_id=pool.company_id, pool_id=pool.id, after=after, digits=digits, most=most
    ):
        until = FOR_EVER if row["rests_for_ever"] else row["resting_until"]
        state = NumberState(row["idle_since"], row["is_leased"], row["last_dialled"], until, row["retired_at"])
        found.append(
            PoolNumber(
                row["id"],
                row["e164"],
                row["source"],
                row["colour"],
                row["destination"],
                row["whisper"],
                row["fax"],
                row["note"],
                row["monthly_price"],
                state,
                standing(state, pool, now),
            )
        )
    return found


async def one_number(connection: Any, company_id: int, number_id: int) -> Any:
    """A number with its settings and the name and kind of its pool; none where it is not this company's."""
    return await _queries.one_number(connection, company_id=company_id, number_id=number_id)


async def save_number(connection: Any, company_id: int, number_id: int, settings: NumberSettings) -> None:
    """Set everything of a number but its pool."""
    await _queries.save_number(
        connection,
        company_id=company_id,
        number_id=number_id,
        source_id=settings.source_id,
        destination_id=settings.destination_id,
        record_calls=settings.record,
        whisper=settings.whisper,
        fax=settings.fax,
        monthly_price=settings.price,
        note=settings.note,
    )


async def numbers_as_they_are(connection: Any, company_id: int, number_ids: Collection[int]) -> dict[str, Any]:
    """Numbers by E.164, each as its row is now, for ``restore_numbers`` and ``insert_numbers``."""
    found = _queries.numbers_as_they_are(connection, company_id=company_id, number_ids=list(number_ids))
    return {row["e164"]: json.loads(row["kept"]) async for row in found}


async def restore_numbers(connection: Any, company_id: int, kept: Collection[Any], *, now: datetime) -> list[str]:
    """Make numbers what they were; whoever sees one of them now gets another with the next page."""
    await end_leases(connection, company_id, [each["id"] for each in kept], now=now)
    rows = _queries.restore_numbers(connection, company_id=company_id, kept=json.dumps(list(kept)))
    return [row["e164"] async for row in rows]


async def insert_numbers(connection: Any, company_id: int, kept: Collection[Any]) -> list[str]:
    """Make numbers again that were removed, those that nobody else has by now."""
    rows = _queries.insert_numbers(connection, company_id=company_id, kept=json.dumps(list(kept)))
    return [row["e164"] async for row in rows]


async def unused_numbers(connection: Any, company_id: int, numbers: Collection[str]) -> list[str]:
    """Of some numbers those that were never called, lent or shown."""
    rows = _queries.unused_numbers(connection, company_id=company_id, numbers=list(numbers))
    return [row["e164"] async for row in rows]
