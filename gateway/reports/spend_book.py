"""The book of what was spent: amounts for days, of a source or a campaign of it; nothing is counted twice in silence.

Two amounts clash where they are for some of the same days of the same source, and of the same campaign or one of them
of the source as a whole. Whoever enters an amount that clashes is told, and may say that it comes on top, such as a
fee.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.reports import spend_errors
from gateway.reports.money import HIGHEST, digits_of, rounded
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "spend_book.sql")
_money = load_queries(Path(__file__).parent, "spend.sql")

LONGEST_CAMPAIGN = 200
# The table allows as much.
_MOST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Amount:
    """What a source cost from ``first_day`` to ``last_day``, both included. ``campaign`` "": the source as a whole."""

    id: int
    source_id: int
    source_name: str
    source_colour: int
    campaign: str
    first_day: date
    last_day: date
    amount: Decimal
    currency: str
    on_top: bool
    note: str
    import_id: int | None
    import_kind: str | None
    file_name: str | None

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody typed it."""
        return self.import_id is None


@dataclass(frozen=True, slots=True)
class MonthCell:
    """What a source cost in a month. ``own_id``: the amount that is this cell alone, to be changed in place."""

    amount: Decimal
    number: int
    has_imported: bool
    own_id: int | None

    @property
    def is_open(self) -> bool:
        """Whether it can be typed over."""
        return self.number == 0 or (self.number == 1 and self.own_id is not None)


EMPTY = MonthCell(Decimal(0), 0, False, None)


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of an amount: its row (none: it was cleared), and the rows that gave way to it."""

    id: int | None
    removed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Doubled:
    """A source of which some days are counted twice."""

    source_id: int
    source_name: str
    source_colour: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Price:
    """What the numbers of a pool cost a month, static ones by the source they stand for; ``priced`` have a price."""

    pool_id: int
    pool_name: str
    kind: str
    source_id: int | None
    source_name: str | None
    source_colour: int | None
    numbers: int
    priced: int
    monthly_price: Decimal


async def currency_of(connection: Any, company_id: int) -> str:
    """The money of a company, as ISO 4217 writes it."""
    currency: str = await _money.currency(connection, company_id=company_id)
    return currency


async def add_amount(
    connection: Any,
    company_id: int,
    source_id: int,
    first_day: date,
    last_day: date,
    amount: Decimal,
    *,
    campaign: str = "",
    note: str = "",
    on_top: bool = False,
    user_id: int | None = None,
) -> int:
    """Enter what a source cost from a day to another, both included; the id of the amount.

    Raises Overlaps where something is there for some of these days, unless it is ``on_top``; BadAmount, BadDays.
    """
    currency = await currency_of(connection, company_id)
    if not amount.is_finite() or not 0 <= amount <= HIGHEST:
        raise spend_errors.BadAmount
    if not first_day <= last_day < first_day + timedelta(days=_MOST_DAYS):
        raise spend_errors.BadDays
    await _queries.take_turn(connection, company_id=company_id)
    if not on_top:
        found = await clashes(connection, company_id, source_id, campaign, first_day, last_day)
        if found:
            raise spend_errors.Overlaps(found)
    added: int = await _queries.add(
        connection,
        company_id=company_id,
        source_id=source_id,
        campaign=campaign,
        first_day=first_day,
        last_day=last_day,
        amount=rounded(amount, currency),
        on_top=on_top,
        note=note,
        user_id=user_id,
    )
    return added


async def set_month(
    connection: Any, company_id: int, source_id: int, month: date, amount: Decimal | None, *, user_id: int | None = None
) -> Entered:
    """Type what a source cost in a month (its first day) over what was typed there; none clears it.

    Raises Overlaps where something else than this cell is there for some of its days.
    """
    month = month.replace(day=1)
    last_day = month_after(month) - timedelta(days=1)
    await _queries.take_turn(connection, company_id=company_id)
    there = await clashes(connection, company_id, source_id, "", month, last_day)
    others = tuple(
        each
        for each in there
        if not each.is_by_hand or each.campaign or (each.first_day, each.last_day) != (month, last_day)
    )
    if others:
        raise spend_errors.Overlaps(others)
    gone = await remove_amounts(connection, company_id, [each.id for each in there])
    if amount is None:
        return Entered(None, gone)
    added = await add_amount(connection, company_id, source_id, month, last_day, amount, user_id=user_id)
    return Entered(added, gone)


async def clashes(
    connection: Any, company_id: int, source_id: int, campaign: str, first_day: date, last_day: date
) -> tuple[Amount, ...]:
    """What is there for some of these days already."""
    rows = _queries.clashes(
        connection,
        company_id=company_id,
        source_id=source_id,
        campaign=campaign,
        first_day=first_day,
        last_day=last_day,
    )
    return tuple([Amount(**row) async for row in rows])


async def amounts(
    connection: Any,
    company_id: int,
    *,
    source_id: int | None = None,
    since: date | None = None,
    until: date | None = None,
    import_id: int | None = None,
    most: int = 100,
    leave: int = 0,
) -> tuple[Amount, ...]:
    """Amounts in force, those of the newest days first; of one source, of some days (``until`` not included)."""
    rows = _queries.amounts(
        connection,
        company_id=company_id,
        source_id=source_id,
        since=since,
        until=until,
        import_id=import_id,
        most=most,
        leave=leave,
    )
    return tuple([Amount(**row) async for row in rows])


async def counted(
    connection: Any,
    company_id: int,
    *,
    source_id: int | None = None,
    since: date | None = None,
    until: date | None = None,
    import_id: int | None = None,
) -> tuple[int, Decimal]:
    """How many those are, and what they come to as a whole."""
    row = await _queries.count_amounts(
        connection, company_id=company_id, source_id=source_id, since=since, until=until, import_id=import_id
    )
    return row["number"], row["amount"]


async def one_amount(connection: Any, company_id: int, id: int) -> Amount:
    """An amount in force. Raises NoSuchAmount."""
    row = await _queries.one(connection, company_id=company_id, id=id)
    if row is None:
        raise spend_errors.NoSuchAmount
    return Amount(**row)


async def remove_amounts(connection: Any, company_id: int, ids: Sequence[int]) -> tuple[int, ...]:
    """Take amounts out; those that were there."""
    rows = _queries.remove(connection, company_id=company_id, ids=list(ids))
    return tuple([row["id"] async for row in rows])


async def bring_back(connection: Any, company_id: int, ids: Sequence[int]) -> tuple[int, ...]:
    """Undo that; those that are there again."""
    rows = _queries.bring_back(connection, company_id=company_id, ids=list(ids))
    return tuple([row["id"] async for row in rows])


async def months(connection: Any, company_id: int, since: date, until: date) -> dict[tuple[int, date], MonthCell]:
    """What each source cost in each month from ``since`` (its first day) until ``until``, by source and first day."""
    digits = digits_of(await currency_of(connection, company_id))
    rows = _queries.months(connection, company_id=company_id, since=since, until=until, digits=digits)
    return {
        (row["source_id"], row["first_day"]): MonthCell(
            row["amount"] or Decimal(0), row["number"], row["has_imported"], row["own_id"]
        )
        async for row in rows
    }


async def doubled(connection: Any, company_id: int, since: date, until: date) -> tuple[Doubled, ...]:
    """Sources of which days in this stretch are counted twice, though nobody meant it."""
    rows = _queries.doubled(connection, company_id=company_id, since=since, until=until)
    return tuple([Doubled(**row) async for row in rows])


async def in_other_currency(connection: Any, company_id: int) -> tuple[tuple[str, int, Decimal], ...]:
    """Amounts that no figure counts, because the company's currency was another: currency, how many, how much."""
    rows = _queries.other_currency(connection, company_id=company_id)
    return tuple([(row["currency"], row["number"], row["amount"]) async for row in rows])


async def prices(connection: Any, company_id: int) -> tuple[Price, ...]:
    """What numbers cost a month: static ones by their source, the others by pool."""
    return tuple([Price(**row) async for row in _queries.prices(connection, company_id=company_id)])


def month_after(month: date) -> date:
    """The first day of the month after that of a day."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def months_before(month: date, number: int) -> date:
    """The first day of the month so many months earlier (later where it is negative)."""
    year, index = divmod(month.year * 12 + month.month - 1 - number, 12)
    return date(year, index + 1, 1)
