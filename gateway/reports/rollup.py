"""Makes the sums of days that have changed, and of the blocks of days that these are in; keeps doing so."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog

from gateway.health import Condition, Health
from gateway.reports import recount
from gateway.reports.blocks import HIGHEST, number_of, whole_above
from gateway.reports.cube import KeyBook, days_of, queries
from gateway.reports.packed import pack, together, unpack
from gateway.reports.summing import sums_of_day
from gateway.store.database import AWAY, Database

PART = "reports"
LOOK_SECONDS = 1.0
# Until then a day that changed is added up from its calls, which takes little longer.
MAKE_SECONDS = 30.0
PAUSE_SECONDS = 0.02
# What is done in one transaction: pages that were just changed wait for it.
BATCH = 250
DAYS_AT_ONCE = 4
BLOCKS_AT_ONCE = 4

# A company whose calls cannot be counted is tried again after so long.
TRY_AGAIN_SECONDS = 600.0

# What Postgres will not take of one company, and takes of the others.
_ITS_OWN_FAULT = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.SyntaxOrAccessError)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """How many blocks were made, and how many of them were days."""

    blocks: int
    days: int

    def __bool__(self) -> bool:
        return self.blocks > 0


async def keep_counting(database: Database, health: Health) -> None:
    """Count what changes, and make sums, until cancelled."""
    made_at = -MAKE_SECONDS
    passed_over: dict[int, float] = {}
    while True:
        now = asyncio.get_running_loop().time()
        passed_over = {company: since for company, since in passed_over.items() if now - since < TRY_AGAIN_SECONDS}
        done = 0
        try:
            company_id = await _next_due(database, passed_over)
            if company_id is not None:
                done = await _count_or_pass_over(database, company_id, passed_over)
            elif now - made_at >= MAKE_SECONDS:
                await make_all(database)
                made_at = now
        except AWAY as error:
            _log.warning("reports are brought up to date later", fault=str(error))
            health.tell(PART, Condition.TROUBLED, "The database is away. Reports are brought up to date later.")
        else:
            _tell(health, len(passed_over), done)
        await asyncio.sleep(PAUSE_SECONDS if done else LOOK_SECONDS)


def _tell(health: Health, passed_over: int, done: int) -> None:
    if passed_over:
        health.tell(
            PART,
            Condition.NEEDS_PERSON,
            f"Reports of {passed_over} companies cannot be brought up to date; it is tried again every ten minutes. "
            "The log says what is wrong with them.",
        )
    else:
        health.tell(PART, Condition.OK, "Reports are brought up to date." if done else "Reports are up to date.")


async def _count_or_pass_over(database: Database, company_id: int, passed_over: dict[int, float]) -> int:
    """What Postgres will not take of one company holds up no other."""
    try:
        return await count_some_of(database, company_id)
    except _ITS_OWN_FAULT:
        passed_over[company_id] = asyncio.get_running_loop().time()
        _log.exception("the reports of a company cannot be brought up to date", company=company_id)
        return 1


async def _next_due(database: Database, passed_over: Collection[int] = ()) -> int | None:
    async with database.everything() as connection:
        return await recount.oldest_due(connection, passed_over)


async def count_some(database: Database, most: int = BATCH) -> int:
    """Count some of what has changed, of the company that waits longest; how many changes that was."""
    company_id = await _next_due(database)
    return 0 if company_id is None else await count_some_of(database, company_id, most)


async def count_some_of(database: Database, company_id: int, most: int = BATCH) -> int:
    """The same of one company."""
    async with database.companies(company_id) as connection:
        await recount.lock_reports(connection, company_id)
        return await recount.recount_some(connection, company_id, most)


async def count_all(database: Database) -> int:
    """Count all that has changed by now; how many changes that was."""
    total = 0
    while done := await count_some(database):
        total += done
    return total


async def make_all(database: Database) -> None:
    """Make all sums that are missing, of every company."""
    async with database.everything() as connection:
        companies = [row["id"] async for row in queries().companies(connection)]
    for company_id in companies:
        try:
            while await make_some(database, company_id):  # noqa: ASYNC110 - other work goes on meanwhile
                await asyncio.sleep(PAUSE_SECONDS)
        except _ITS_OWN_FAULT:
            _log.exception("the reports of a company cannot be summed", company=company_id)


async def make_some(database: Database, company_id: int) -> Made:
    """Make some of a company's sums that are missing, the newest first.

    The present day is not among them: it changes with each call.
    """
    async with database.companies(company_id) as connection:
        await recount.lock_reports(connection, company_id)
        await recount.plan_with_values(connection)
        row = await queries().today(connection, company_id=company_id)
        if row is None or row["first"] is None:
            return Made(0, 0)
        first, today = number_of(row["first"]), number_of(row["today"])
        held: list[set[int]] = [set() for _ in range(HIGHEST + 1)]
        async for block in queries().blocks_between(
            connection, company_id=company_id, highest=HIGHEST, since=first, until=today
        ):
            held[block["level"]].add(block["block"])
        missing = sorted(set(range(first, today)) - held[0], reverse=True)[:DAYS_AT_ONCE]
        if missing:
            await _make_days(connection, company_id, missing)
            return Made(len(missing), len(missing))
        for level in range(1, HIGHEST + 1):
            places = whole_above(held[level - 1], held[level - 1], held[level])[-BLOCKS_AT_ONCE:]
            if places:
                await _make_blocks(connection, company_id, level, places)
                return Made(len(places), 0)
        return Made(0, 0)


async def _make_days(connection: Any, company_id: int, numbers: Collection[int]) -> None:
    days = days_of(numbers)
    await queries().remove_sums(connection, company_id=company_id, level=0, blocks=list(numbers))
    await queries().remove_returns(connection, company_id=company_id, days=days)
    book = KeyBook(connection, company_id)
    for number, day in zip(numbers, days, strict=True):
        await _add_sums(connection, company_id, 0, number, await sums_of_day(connection, company_id, day, book))
    await queries().make_returns(connection, company_id=company_id, days=days)
    await queries().hold_blocks(connection, company_id=company_id, level=0, blocks=list(numbers))


async def _make_blocks(connection: Any, company_id: int, level: int, places: Collection[int]) -> None:
    await queries().remove_sums(connection, company_id=company_id, level=level, blocks=list(places))
    for place in places:
        below = [4 * place + part for part in range(4)]
        made = {
            row["told_by"]: await asyncio.to_thread(_added, row["sums"])
            async for row in queries().sums_below(connection, company_id=company_id, level=level - 1, blocks=below)
        }
        await _add_sums(connection, company_id, level, place, made)
    await queries().hold_blocks(connection, company_id=company_id, level=level, blocks=list(places))


async def _add_sums(connection: Any, company_id: int, level: int, block: int, made: Mapping[int, bytes]) -> None:
    await queries().add_sums(
        connection, company_id=company_id, level=level, block=block, told_bys=list(made), sums=list(made.values())
    )


def _added(below: Collection[bytes]) -> bytes:
    return pack(together([unpack(each) for each in below]).added())
