"""What a file says was spent: its rows as days, campaigns and amounts, and what is wrong with the others.

Lines that sum others up are no amounts, nor are remarks above and below the table. Amounts of one campaign for the same
days (of its devices, its groups of ads) are one amount. Nothing is guessed in silence: how days and amounts were read
stands in the answer, and can be said otherwise.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from gateway.reports.export_cells import (
    Unreadable,
    amount_of,
    currency_in,
    day_of,
    days_in,
    end_of_month,
    is_comma_decimal,
    is_day_first,
)
from gateway.reports.export_columns import ExportKind, Field, Header, Span, header_of
from gateway.reports.export_text import Line, lines_of
from gateway.reports.money import HIGHEST, rounded
from gateway.reports.spend_book import LONGEST_CAMPAIGN
from gateway.reports.spend_errors import SpendError

# Of a year of a large account by day; more is split in two.
MOST_LINES = 100_000
_SUM = re.compile(r"(total|итого|всего|gesamt|summe|totale?s?)\b\s*($|[:\-–—(]|rows|строк).*", re.IGNORECASE)
_MILLION = Decimal(1_000_000)
# The smallest coin in millionths.
_COIN = Decimal(10_000)


class UnreadableExport(SpendError):
    """This file holds no table with amounts."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the person says of a file, where it differs from what was found; columns by their places, from 0."""

    columns: Mapping[Field, int | None] = field(default_factory=dict)
    day_first: bool | None = None
    in_micros: bool | None = None
    period: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be used: ``kind`` is day, days, amount, negative, high or twice; ``text`` stands there."""

    line: int
    kind: str
    text: str
    other: int | None = None  # the line that it is in the way of


@dataclass(frozen=True, slots=True)
class Row:
    """What was spent on a campaign of a source (by the name in the file; none: as the file as a whole)."""

    line: int
    first_day: date
    last_day: date
    campaign: str
    source: str | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Export:
    """What a file says.

    ``missing`` are the columns without which nothing can be read; ``rows`` are as they would be stored, amounts of
    nothing among them. ``currencies`` are those that the file names.
    """

    header: Header
    columns: Mapping[Field, int]
    sample: tuple[Line, ...]
    missing: tuple[Field, ...]
    rows: tuple[Row, ...] = ()
    faults: tuple[Fault, ...] = ()
    currencies: frozenset[str] = frozenset()
    lines: int = 0
    sums: int = 0
    day_first: bool = True
    comma_decimal: bool = False
    in_micros: bool = False
    period: tuple[date, date] | None = None

    @property
    def kind(self) -> ExportKind:
        """What wrote it."""
        return self.header.kind

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day that it tells of."""
        if not self.rows:
            return None
        return min(row.first_day for row in self.rows), max(row.last_day for row in self.rows)


def read_export(text: str, *, region: str, currency: str, said: Said = Said()) -> Export:
    """What a file says, for a company of this country and currency. Raises UnreadableExport where there is no table."""
    lines, delimiter = lines_of(text)
    if len(lines) < 2:
        raise UnreadableExport(UnreadableExport.__doc__)
    header = header_of(lines)
    columns = {**header.columns}
    for name, place in said.columns.items():
        columns.pop(name, None)
        if place is not None:
            columns[name] = place
    rows, sums = _split(header, lines[len(header.above) + 1 :], columns)
    day_first = said.day_first
    if day_first is None:
        day_first = is_day_first(_column(rows, columns, Field.DAY), _region(header, region))
    usual = delimiter == ";" or (header.kind is ExportKind.YANDEX_DIRECT and not header.by_program)
    comma = is_comma_decimal(_column(rows, columns, Field.AMOUNT), usual)
    period = said.period or _period(header, day_first)
    missing = tuple(
        name
        for name, lacks in (
            (Field.AMOUNT, Field.AMOUNT not in columns),
            (Field.DAY, Field.DAY not in columns and period is None),
        )
        if lacks
    )
    reading = _Reading(header, columns, rows, day_first, comma, period)
    in_micros = (header.in_micros or reading.is_in_micros()) if said.in_micros is None else said.in_micros
    found, faults = ((), ()) if missing else reading.rows(currency, in_micros)
    return Export(
        header,
        columns,
        tuple(rows[:5]),
        missing,
        tuple(found),
        tuple(faults),
        reading.currencies(),
        len(rows),
        sums,
        day_first,
        comma,
        in_micros,
        None if Field.DAY in columns else period,
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    header: Header
    columns: Mapping[Field, int]
    lines: Sequence[Line]
    day_first: bool
    comma: bool
    period: tuple[date, date] | None

    def rows(self, currency: str, in_micros: bool) -> tuple[list[Row], list[Fault]]:
        """Each campaign's days with their amount, and the lines that cannot be used."""
        summed: dict[tuple[str | None, str, date, date], Row] = {}
        faults: list[Fault] = []
        for line in self.lines:
            try:
                row = self._row(line, in_micros)
            except _Faulty as faulty:
                faults.append(faulty.fault)
                continue
            key = (row.source, row.campaign, row.first_day, row.last_day)
            there = summed.get(key)
            if there is not None:
                row = Row(there.line, *key[2:], row.campaign, row.source, there.amount + row.amount)
            summed[key] = row
        found = [
            Row(row.line, row.first_day, row.last_day, row.campaign, row.source, rounded(row.amount, currency))
            for row in summed.values()
        ]
        kept, doubled = _without_doubled(found)
        return kept, sorted([*faults, *doubled], key=lambda fault: fault.line)

    def currencies(self) -> frozenset[str]:
        """Those that a heading, a column or the amounts themselves name."""
        place = self.columns.get(Field.AMOUNT)
        if Field.CURRENCY in self.columns:
            named = {cell.upper() for cell in _column(self.lines, self.columns, Field.CURRENCY)}
            return frozenset(currency_in(each) or each for each in named if each.strip("-– "))
        if place is None:
            return frozenset()
        heading = currency_in(self.header.line.cell(place))
        found = {heading} if heading else {currency_in(cell) for cell in {line.cell(place) for line in self.lines}}
        return frozenset(each for each in found if each)

    def is_in_micros(self) -> bool:
        """Whether whole coins stand there as millionths, as the Reports service of Yandex has it unless told not to."""
        if not self.header.by_program or self.header.kind is not ExportKind.YANDEX_DIRECT:
            return False
        cells = [cell for cell in _column(self.lines, self.columns, Field.AMOUNT) if cell.strip("-– 0")]
        return bool(cells) and all(cell.isdigit() and Decimal(cell) % _COIN == 0 for cell in cells)

    def _row(self, line: Line, in_micros: bool) -> Row:
        first, last = self._days(line)
        text = line.cell(self.columns[Field.AMOUNT])
        try:
            amount = amount_of(text, comma_decimal=self.comma)
        except Unreadable:
            raise _Faulty(Fault(line.number, "amount", text)) from None
        if in_micros:
            amount /= _MILLION
        if amount < 0:
            raise _Faulty(Fault(line.number, "negative", text))
        if amount > HIGHEST:
            raise _Faulty(Fault(line.number, "high", text))
        campaign = line.cell(self.columns.get(Field.CAMPAIGN)).strip()
        source = line.cell(self.columns.get(Field.SOURCE)).strip()
        return Row(line.number, first, last, _printable(campaign)[:LONGEST_CAMPAIGN], source or None, amount)

    def _days(self, line: Line) -> tuple[date, date]:
        if Field.DAY not in self.columns:
            assert self.period is not None
            return self.period
        text = line.cell(self.columns[Field.DAY])
        try:
            first = day_of(text, day_first=self.day_first)
            if Field.LAST_DAY in self.columns:
                text = line.cell(self.columns[Field.LAST_DAY])
                last = day_of(text, day_first=self.day_first)
            elif self.header.span is Span.MONTH or not re.search(r"\d.*\d{4}|\d{4}.*\d", text):
                last = end_of_month(first)
            else:
                last = first + timedelta(days=6 if self.header.span is Span.WEEK else 0)
        except Unreadable:
            raise _Faulty(Fault(line.number, "day", text)) from None
        if not 1990 <= first.year <= last.year <= 2199:
            raise _Faulty(Fault(line.number, "day", text))
        if not first <= last < first + timedelta(days=3660):
            raise _Faulty(Fault(line.number, "days", text))
        return first, last


class _Faulty(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.kind)
        self.fault = fault


def _split(header: Header, lines: Sequence[Line], columns: Mapping[Field, int]) -> tuple[list[Line], int]:
    """The lines with amounts, and how many sum others up; remarks below the table are neither."""
    found: list[Line] = []
    sums = 0
    campaign, amount = columns.get(Field.CAMPAIGN), columns.get(Field.AMOUNT)
    for line in lines:
        day = line.cell(columns.get(Field.DAY)).strip("-– ")
        is_sum = any(_SUM.fullmatch(cell) for cell in (line.cells[:1] if day else line.cells))
        if header.kind is ExportKind.META and campaign is not None and not line.cell(campaign):
            is_sum = True
        if is_sum:
            sums += 1
        elif line.filled > 1 or len(header.line.cells) == 1 or (amount is not None and line.cell(amount)):
            found.append(line)
    return found[:MOST_LINES], sums


def _without_doubled(rows: Sequence[Row]) -> tuple[list[Row], list[Fault]]:
    """Rows of one campaign whose days do not overlap; of those that do, the later one is a fault."""
    kept: list[Row] = []
    faults: list[Fault] = []
    until: dict[tuple[str | None, str], Row] = {}
    for row in sorted(rows, key=lambda each: (each.first_day, each.last_day, each.line)):
        before = until.get((row.source, row.campaign))
        if before is not None and row.first_day <= before.last_day:
            faults.append(Fault(row.line, "twice", row.campaign, before.line))
            continue
        until[row.source, row.campaign] = row
        kept.append(row)
    return kept, faults


def _period(header: Header, day_first: bool) -> tuple[date, date] | None:
    """The days that the lines above the table name."""
    days = [day for line in header.above for day in days_in(" ".join(line.cells), day_first=day_first)]
    return (min(days[:2]), max(days[:2])) if days else None


def _region(header: Header, region: str) -> str:
    # Microsoft writes days as in the United States, wherever one is.
    return "US" if header.kind is ExportKind.MICROSOFT else region


def _column(lines: Sequence[Line], columns: Mapping[Field, int], name: Field) -> list[str]:
    place = columns.get(name)
    return [] if place is None else [line.cell(place) for line in lines]


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
