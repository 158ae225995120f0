"""The grid of sources and months on the page Money: what each cost, and whether it can be typed over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from babel import dates, numbers

from gateway.http.report_words import money
from gateway.http.words import Words
from gateway.reports.money import digits_of
from gateway.reports.spend_book import EMPTY, MonthCell, month_after, months_before

MONTHS = 6
# Nobody pays for these; they stand in the grid where something was entered for them all the same.
_FREE = ("organic", "direct", "referral", "ai assistant", "email", "unassigned")


@dataclass(frozen=True, slots=True)
class Source:
    """A source as the templates draw it."""

    id: int
    name: str
    colour: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A month of a source: ``name`` of its field, ``value`` as it is typed, ``url`` of the amounts it is made of."""

    name: str
    label: str
    value: str
    shown: str
    is_open: bool
    has_imported: bool
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """A source and its months."""

    source: Source
    cells: tuple[Cell, ...]
    total: str


@dataclass(frozen=True, slots=True)
class Month:
    """A column."""

    first_day: date
    short: str
    full: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole of it. ``hidden``: so many sources cost nothing and are left out."""

    months: tuple[Month, ...]
    lines: tuple[Line, ...]
    totals: tuple[str, ...]
    total: str
    hidden: int
    older: str
    newer: str | None


def month_in(text: str | None, today: date) -> date:
    """The month that an address names (2026-11), the present one where it names none that could be."""
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return found if 2000 <= found.year <= 2100 else today.replace(day=1)


def field_name(source_id: int, month: date) -> str:
    """What a cell is called in the form: cell-3-2026-11."""
    return f"cell-{source_id}-{month:%Y-%m}"


def cell_named(name: str) -> tuple[int, date] | None:
    """Source and month of a field."""
    kind, _, rest = name.partition("-")
    source, _, month = rest.partition("-")
    if kind != "cell" or not (source.isascii() and source.isdigit()) or len(source) > 18:
        return None
    try:
        return int(source), date.fromisoformat(f"{month}-01")
    except ValueError:
        return None


def typed(words: Words, amount: Decimal, currency: str) -> str:
    """An amount as one types it: 1,000 or 499.50."""
    pattern = "#,##0" if amount == amount.to_integral_value() else "#,##0." + "0" * digits_of(currency)
    return str(numbers.format_decimal(amount, format=pattern, locale=words.locale))


def grid_of(
    words: Words,
    sources: Sequence[Any],
    cells: Mapping[tuple[int, date], MonthCell],
    last: date,
    currency: str,
    *,
    show_all: bool,
    link: Mapping[str, str],
) -> Grid:
    """The months up to ``last``; ``sources`` are rows of the set-up, ``link`` what its addresses carry along."""
    months = [months_before(last, place) for place in reversed(range(MONTHS))]
    shown = [row for row in sources if show_all or _belongs(row, cells)]
    lines = [_line(words, row, months, cells, currency, link) for row in shown]
    sums = [sum((_amount(cells, row, month) for row in sources), Decimal(0)) for month in months]
    present = words.now.date().replace(day=1)
    older, newer = months_before(last, MONTHS), min(present, months_before(last, -MONTHS))
    return Grid(
        tuple(_month(words, month) for month in months),
        tuple(lines),
        tuple(money(words, each, currency) for each in sums),
        money(words, sum(sums, Decimal(0)), currency),
        len(sources) - len(shown),
        f"{older:%Y-%m}",
        f"{newer:%Y-%m}" if newer > last else None,
    )


def _belongs(row: Any, cells: Mapping[tuple[int, date], MonthCell]) -> bool:
    if any(source_id == row["id"] for source_id, _ in cells):
        return True
    return row["hidden_at"] is None and not row["channel"].lower().startswith(_FREE)


def _line(
    words: Words,
    row: Any,
    months: Sequence[date],
    cells: Mapping[tuple[int, date], MonthCell],
    currency: str,
    link: Mapping[str, str],
) -> Line:
    made = []
    for month in months:
        cell = cells.get((row["id"], month), EMPTY)
        last_day = month_after(month) - timedelta(days=1)
        query = {**link, "source": row["id"], "from": month.isoformat(), "to": last_day.isoformat()}
        made.append(
            Cell(
                field_name(row["id"], month),
                f"{row['name']}, {_month(words, month).full}",
                typed(words, cell.amount, currency) if cell.number else "",
                money(words, cell.amount, currency) if cell.number else "–",
                cell.is_open,
                cell.has_imported,
                f"/money/amounts?{urlencode(query)}",
            )
        )
    total = sum((_amount(cells, row, month) for month in months), Decimal(0))
    source = Source(row["id"], row["name"], row["colour"])
    return Line(source, tuple(made), money(words, total, currency) if total else "–")


def _amount(cells: Mapping[tuple[int, date], MonthCell], row: Any, month: date) -> Decimal:
    return cells.get((row["id"], month), EMPTY).amount


def _month(words: Words, month: date) -> Month:
    full = str(dates.format_date(month, "LLLL y", words.locale))
    short = str(dates.format_date(month, "LLL" if month.year == words.now.year else "LLL yy", words.locale))
    return Month(month, short[:1].upper() + short[1:], full[:1].upper() + full[1:])
