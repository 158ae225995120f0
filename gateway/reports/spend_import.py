"""Imports of what was spent: what a file would become, then all of it in one step, and back again.

The same export imported again replaces what it said before: amounts of an earlier import for the same campaign, within
the days of the file. Anything else that is there for some of its days (typed by hand, of another period) is told, and
the person says which of them counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateway.reports import spend_errors
from gateway.reports.export_columns import ExportKind
from gateway.reports.spend_book import Amount
from gateway.reports.spend_exports import Row
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "spend_book.sql")


class OtherCurrency(spend_errors.SpendError):
    """The file is in another currency than the company."""

    def __init__(self, found: str, ours: str) -> None:
        super().__init__(
            f"This file is in {found}, and the company's money is {ours}: nothing was stored. Export it in {ours}, or"
            " change the company's currency."
        )


class NoSource(spend_errors.SpendError):
    """Nobody said which source some campaigns belong to."""


class Clash(StrEnum):
    """What becomes of days for which there is an amount already."""

    KEEP = "keep"  # the earlier amount stays, those of the file are left out
    REPLACE = "replace"  # the earlier one gives way
    BOTH = "both"  # both count


@dataclass(frozen=True, slots=True)
class Line:
    """An amount of a file with the source that it goes to."""

    row: Row
    source_id: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would become.

    ``lines`` would be stored (without amounts of nothing); ``replaced`` are those of earlier imports that give way to
    them, ``clashes`` what else is there for the same days, and ``clashing`` the lines that it is in the way of.
    """

    lines: tuple[Line, ...]
    nothing: int
    replaced: tuple[Amount, ...]
    clashes: tuple[Amount, ...]
    clashing: frozenset[int]

    @property
    def amount(self) -> Decimal:
        """What the lines come to."""
        return sum((line.row.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class Stored:
    """What an import did; ``id`` is none where nothing of it was to be stored."""

    id: int | None
    number: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Import:
    """An import that is in force, with what of it still counts."""

    id: int
    kind: str
    file_name: str
    imported_at: datetime
    who: str | None
    number: int
    amount: Decimal
    first_day: date | None
    last_day: date | None
    currency: str | None


async def plan(connection: Any, company_id: int, rows: Sequence[Row], source_of: Mapping[str, int]) -> Plan:
    """What rows would become; ``source_of`` says the source of each campaign, by :func:`belongs_to`.

    Raises NoSource where one is missing.
    """
    try:
        lines = [Line(row, source_of[belongs_to(row)]) for row in rows]
    except KeyError:
        raise NoSource(NoSource.__doc__) from None
    if not lines:
        return Plan((), 0, (), (), frozenset())
    first, last = min(row.first_day for row in rows), max(row.last_day for row in rows)
    found = _queries.around(
        connection,
        company_id=company_id,
        source_ids=sorted({line.source_id for line in lines}),
        first_day=first,
        last_day=last,
    )
    there = [Amount(**row) async for row in found]
    named = {(line.source_id, line.row.campaign) for line in lines}
    gives_way = [
        each
        for each in there
        if not each.is_by_hand
        and (each.source_id, each.campaign) in named
        and first <= each.first_day
        and each.last_day <= last
    ]
    ways = {each.id for each in gives_way}
    clashes, clashing = _clashes(lines, [each for each in there if each.id not in ways])
    kept = tuple(line for line in lines if line.row.amount)
    return Plan(kept, len(lines) - len(kept), tuple(gives_way), clashes, clashing)


def belongs_to(row: Row) -> str:
    """By what a row's source is chosen: the source it names, or else its campaign."""
    return f"source:{row.source}" if row.source is not None else f"campaign:{row.campaign}"


async def store(
    connection: Any,
    company_id: int,
    kind: ExportKind,
    file_name: str,
    rows: Sequence[Row],
    source_of: Mapping[str, int],
    *,
    clash: Clash = Clash.KEEP,
    user_id: int | None = None,
) -> Stored:
    """Store an import as :func:`plan` said. Raises NoSource."""
    await _queries.take_turn(connection, company_id=company_id)
    planned = await plan(connection, company_id, rows, source_of)
    lines = planned.lines
    if clash is Clash.KEEP:
        lines = tuple(line for line in lines if line.row.line not in planned.clashing)
    if not lines and not planned.replaced:
        return Stored(None, 0, len(planned.lines))
    import_id: int = await _queries.add_import(
        connection, company_id=company_id, kind=kind.value, file_name=file_name[:200], user_id=user_id
    )
    gone = [each.id for each in planned.replaced]
    if clash is Clash.REPLACE:
        gone += [each.id for each in planned.clashes]
    await _queries.replace_these(connection, company_id=company_id, import_id=import_id, ids=gone)
    await _queries.add_imported(
        connection,
        company_id=company_id,
        import_id=import_id,
        user_id=user_id,
        source_ids=[line.source_id for line in lines],
        campaigns=[line.row.campaign for line in lines],
        first_days=[line.row.first_day for line in lines],
        last_days=[line.row.last_day for line in lines],
        amounts=[line.row.amount for line in lines],
    )
    return Stored(import_id, len(lines), len(planned.lines) - len(lines))


async def imports(connection: Any, company_id: int, *, most: int = 50) -> tuple[Import, ...]:
    """The newest imports."""
    rows = _queries.imports(connection, company_id=company_id, most=most)
    return tuple(
        [
            Import(
                row["id"],
                row["kind"],
                row["file_name"],
                row["imported_at"],
                row["who"],
                row["number"],
                row["amount"],
                row["first_day"],
                row["last_day"],
                row["currency"],
            )
            async for row in rows
        ]
    )


@dataclass(frozen=True, slots=True)
class Removed:
    """An import that was taken out: its amounts, and those that count again because it no longer replaces them."""

    file_name: str
    amounts: tuple[int, ...]
    restored: tuple[int, ...]


async def remove_import(connection: Any, company_id: int, id: int) -> Removed:
    """Take an import out; what it had replaced counts again, where nothing else does. Raises NoSuchAmount."""
    await _queries.take_turn(connection, company_id=company_id)
    name = await _queries.remove_import(connection, company_id=company_id, id=id)
    if name is None:
        raise spend_errors.NoSuchAmount
    amounts = [row["id"] async for row in _queries.remove_of_import(connection, company_id=company_id, id=id)]
    restored = [row["id"] async for row in _queries.restore_replaced(connection, company_id=company_id, id=id)]
    await _queries.pass_on(connection, company_id=company_id, id=id)
    return Removed(name, tuple(amounts), tuple(restored))


async def import_again(connection: Any, company_id: int, id: int, amounts: Sequence[int], gone: Sequence[int]) -> str:
    """Undo that: an import is there again with these amounts, and these give way to it. Raises NoSuchAmount."""
    name = await _queries.import_back(connection, company_id=company_id, id=id)
    if name is None:
        raise spend_errors.NoSuchAmount
    await _queries.replace_again(connection, company_id=company_id, import_id=id, ids=list(gone))
    _ = [row async for row in _queries.bring_back(connection, company_id=company_id, ids=list(amounts))]
    return str(name)


def _clashes(lines: Sequence[Line], there: Sequence[Amount]) -> tuple[tuple[Amount, ...], frozenset[int]]:
    """What is there for days of these lines, and the numbers of the lines that it is in the way of."""
    if not there:
        return (), frozenset()
    by_source: dict[int, list[Amount]] = {}
    for each in there:
        by_source.setdefault(each.source_id, []).append(each)
    found: dict[int, Amount] = {}
    clashing: set[int] = set()
    for line in lines:
        row = line.row
        if not row.amount:
            continue
        for each in by_source.get(line.source_id, ()):
            same = each.campaign == row.campaign or not each.campaign or not row.campaign
            if same and each.first_day <= row.last_day and each.last_day >= row.first_day:
                found[each.id] = each
                clashing.add(row.line)
    return tuple(found.values()), frozenset(clashing)
