"""Reads what a report page shows: the cells of its table, with what they lead to."""

import csv
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser

import openpyxl


@dataclass
class Shown:
    """A cell: its text without the small comparison, the comparison, and the link."""

    text: str = ""
    change: str = ""
    url: str | None = None
    is_number: bool = False


@dataclass
class Table:
    """Headings, rows (with the levels of two dimensions), the total."""

    headings: list[str] = field(default_factory=list)
    rows: list[list[Shown]] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    total: list[Shown] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.table = Table()
        self.part = ""  # thead, tbody, tfoot
        self.inside = False
        self.cell: Shown | None = None
        self.row: list[Shown] = []
        self.level = 0
        self.small = False
        self.quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        classes = (said.get("class") or "").split()
        if tag == "table":
            self.inside = "report-table" in classes
        if not self.inside:
            return
        if tag in ("thead", "tbody", "tfoot"):
            self.part = tag
        elif tag == "tr":
            self.row, self.level = [], 1 if "is-under" in classes else 0
        elif tag in ("td", "th"):
            self.cell = Shown(is_number="is-number" in classes)
        elif tag == "small":
            self.small = True
        elif tag == "a" and self.cell is not None:
            self.cell.url = said.get("href")

    def handle_endtag(self, tag: str) -> None:
        if not self.inside:
            return
        if tag == "table":
            self.inside = False
        elif tag == "small":
            self.small = False
        elif tag in ("td", "th") and self.cell is not None:
            self.row.append(self.cell)
            self.cell = None
        elif tag == "tr":
            if self.part == "thead":
                self.table.headings = [cell.text for cell in self.row]
            elif self.part == "tfoot":
                self.table.total = self.row
            else:
                self.table.rows.append(self.row)
                self.table.levels.append(self.level)

    def handle_data(self, data: str) -> None:
        if self.inside and self.cell is not None:
            if self.small:
                self.cell.change = " ".join(f"{self.cell.change} {data}".split())
            else:
                self.cell.text = " ".join(f"{self.cell.text} {data}".split())


def table_of(page: str) -> Table:
    """The report's table on a page."""
    reader = _Reader()
    reader.feed(page)
    return reader.table


def csv_rows(body: bytes) -> list[list[str]]:
    """The lines of an export, headings first."""
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


def xlsx_rows(body: bytes) -> list[list[object]]:
    """The rows of an export under its title, headings first."""
    sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
    return [list(row) for row in sheet.iter_rows(min_row=3, values_only=True)]
