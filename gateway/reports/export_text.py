"""The text of an exported file, and its lines as cells: whatever wrote it, and however it separates and encodes."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

_DELIMITERS = (",", ";", "\t", "|")
# Lines by which the separator is told; some exports begin with a few that have none.
_LOOKS = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty, by its number in the file, as people count."""

    number: int
    cells: tuple[str, ...]

    def cell(self, place: int | None) -> str:
        """What stands in a column; nothing where the line is shorter."""
        return self.cells[place] if place is not None and place < len(self.cells) else ""

    @property
    def filled(self) -> int:
        """How many cells have something in them."""
        return sum(1 for cell in self.cells if cell)


def decoded(given: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with or without a mark ("Excel CSV"), else Windows-1251 or Windows-1252."""
    if given.startswith((b"\xff\xfe", b"\xfe\xff")):
        return given.decode("utf-16", "replace")
    if given[1:200:2].count(0) * 4 > len(given[1:200:2]):
        return given.decode("utf-16-le", "replace")
    try:
        return given.decode("utf-8-sig")
    except UnicodeDecodeError:
        return given.decode("cp1251" if _is_cyrillic(given) else "cp1252", "replace")


def lines_of(text: str) -> tuple[list[Line], str]:
    """The lines that hold something, and what separates their cells."""
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter)
    found: list[Line] = []
    before = 0
    try:
        for row in reader:
            number, before = before + 1, reader.line_num
            cells = tuple(_tidy(cell) for cell in row)
            if any(cells):
                found.append(Line(number, cells))
    except csv.Error:  # a lone quotation mark, an endless cell: no more quotes, then
        found = [
            Line(number, tuple(_tidy(cell.strip('"')) for cell in line.split(delimiter)))
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip()
        ]
    return found, delimiter


def _is_cyrillic(given: bytes) -> bool:
    """Whether bytes beyond ASCII mostly stand side by side, as they do where the letters of whole words are there."""
    high = [byte >= 0x80 for byte in given[:20_000]]
    side_by_side = sum(1 for one, other in pairwise(high) if one and other)
    return side_by_side * 2 > sum(high)


def _delimiter(text: str) -> str:
    """The separator that most lines agree on."""
    lines = [line for line in text[:100_000].splitlines() if line.strip()][:_LOOKS]
    best, most = ",", 0
    for each in _DELIMITERS:
        counts = Counter(_outside_quotes(line, each) for line in lines)
        counts.pop(0, None)
        if counts:
            number, agreeing = counts.most_common(1)[0]
            # Many columns tell more than many lines: amounts have commas in them, too.
            if agreeing * number > most:
                best, most = each, agreeing * number
    return best


def _outside_quotes(line: str, delimiter: str) -> int:
    return sum(part.count(delimiter) for part in line.split('"')[::2])


def _tidy(cell: str) -> str:
    cell = " ".join(cell.replace("\ufeff", "").replace("\u200e", "").replace("\u200f", "").split())
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
