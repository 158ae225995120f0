"""A table of a page as a file, CSV or XLSX: what is shown and nothing else; each export is in the audit log.

For tables that fit in memory; the list of calls, which need not, is written row by row by ``call_export``.
"""

import asyncio
import csv
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from pathlib import Path

from aiohttp import hdrs, web
from babel.numbers import get_currency_precision
from xlsxwriter import Workbook

from gateway import audit
from gateway.audit import Action
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.call_export import attachment, harmless
from gateway.http.keys import PARTS
from gateway.http.rendering import words_for

Cell = str | float | int | Decimal | date | datetime | None

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Format(StrEnum):
    """The kinds of files."""

    CSV = "csv"
    XLSX = "xlsx"


class Kind(StrEnum):
    """What the cells of a column hold."""

    TEXT = "text"
    COUNT = "count"  # whole
    PART = "part"  # of a count that a model shares: one decimal
    SHARE = "share"  # 0.25 is 25%
    RATIO = "ratio"  # 8.3 times
    SECONDS = "seconds"  # say so in the column's name
    MONEY = "money"  # in the table's currency
    TIME = "time"  # a moment with its zone; written on the company's clock
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading in the reader's language, and what its cells hold."""

    name: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """What goes into the file.

    ``key`` is a short name of ASCII letters and hyphens for the file and the audit log (``missed-calls``); ``title``
    the sentence that says what the table is about, in the reader's language: it stands above an XLSX sheet. A CSV file
    has headings and rows alone, for programs. ``total`` is a last row.
    """

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell] | None = None
    currency: str = ""


async def send_table(request: web.Request, company: Company, table: Table, format: Format) -> web.StreamResponse:
    """The answer that gives the table away, once the audit log knows of it."""
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        await audit.note(
            connection,
            actor_of(request),
            company.id,
            Action.REPORT_EXPORTED,
            f"report/{table.key}",
            name=table.title,
            rows=len(table.rows),
            format=format.value,
            view=dict(request.query),
        )
    headers = attachment(company, words, table.key, format.value)
    if format is Format.CSV:
        return web.Response(
            body=csv_of(table, company), headers={**headers, hdrs.CONTENT_TYPE: "text/csv; charset=utf-8"}
        )
    body = await asyncio.to_thread(xlsx_of, table, company)
    return web.Response(body=body, headers={**headers, hdrs.CONTENT_TYPE: _XLSX})


def csv_of(table: Table, company: Company) -> bytes:
    """A line a row, in UTF-8 with the mark that table programs look for."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([_plain(cell, company) for cell in row] for row in _all_rows(table))
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def xlsx_of(table: Table, company: Company) -> bytes:
    """One sheet: the title, the headings (they stay in sight), the rows; numbers are numbers."""
    with tempfile.TemporaryDirectory(prefix="numberpool-export-") as folder:
        file = Path(folder) / "table.xlsx"
        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        with Workbook(str(file), {**options, "tmpdir": folder}) as book:
            sheet = book.add_worksheet()
            heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
            formats = [
                {
                    **(
                        {"num_format": _number_format(column.kind, table.currency)}
                        if column.kind is not Kind.TEXT
                        else {}
                    )
                }
                for column in table.columns
            ]
            plain = [book.add_format(each) for each in formats]
            bold = [book.add_format({**each, "bold": True, "top": 1}) for each in formats]
            sheet.write_string(0, 0, table.title, book.add_format({"bold": True, "font_size": 13}))
            for place, column in enumerate(table.columns):
                sheet.write_string(2, place, column.name, heading)
                sheet.set_column(place, place, _width(table, place))
            sheet.freeze_panes(3, 1)
            for line, row in enumerate(_all_rows(table), start=3):
                is_total = table.total is not None and line == 3 + len(table.rows)
                for place, cell in enumerate(row):
                    form = (bold if is_total else plain)[place]
                    if cell is None:
                        sheet.write_blank(line, place, None, form)
                    elif isinstance(cell, str):
                        sheet.write_string(line, place, cell, form)
                    elif isinstance(cell, datetime):
                        sheet.write_datetime(line, place, _local(cell, company), form)
                    elif isinstance(cell, date):
                        sheet.write_datetime(line, place, datetime(cell.year, cell.month, cell.day), form)
                    else:
                        sheet.write_number(line, place, float(cell), form)
        return file.read_bytes()


def _all_rows(table: Table) -> list[Sequence[Cell]]:
    return [*table.rows, *([table.total] if table.total is not None else [])]


def _local(moment: datetime, company: Company) -> datetime:
    return moment.astimezone(company.zone).replace(tzinfo=None, microsecond=0)


def _plain(cell: Cell, company: Company) -> Cell:
    if isinstance(cell, datetime):
        return _local(cell, company).isoformat(sep=" ")
    if isinstance(cell, float):
        return round(cell, 6)
    return harmless(cell) if isinstance(cell, str) else cell


def _number_format(kind: Kind, currency: str) -> str:
    if kind is Kind.MONEY:
        digits = get_currency_precision(currency) if currency else 2
        return f"#,##0{'.' + '0' * digits if digits else ''}" + (f' "{currency}"' if currency else "")
    return {
        Kind.COUNT: "#,##0",
        Kind.PART: "#,##0.0",
        Kind.SHARE: "0%",
        Kind.RATIO: '0.0"×"',
        Kind.SECONDS: "#,##0",
        Kind.TIME: "yyyy-mm-dd hh:mm:ss",
        Kind.DAY: "yyyy-mm-dd",
    }[kind]


def _width(table: Table, place: int) -> float:
    """Wide enough for most of what stands in a column."""
    if table.columns[place].kind is not Kind.TEXT:
        return 20 if table.columns[place].kind is Kind.TIME else 13
    longest = max((len(str(row[place] or "")) for row in table.rows[:1000]), default=0)
    return min(48, max(14, longest + 2))
