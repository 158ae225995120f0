"""Lists of numbers as people have them: pasted lines, a spreadsheet's CSV with or without a header, any separator.

Reads cells, and says which is the number; what the numbers are worth is the matter of ``import_numbers``.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.pools.numbers import NumberError, to_e164

_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {
    "number": "number",
    "numbers": "number",
    "phone": "number",
    "phone number": "number",
    "phonenumber": "number",
    "tracking number": "number",
    "telephone": "number",
    "telephone number": "number",
    "tel": "number",
    "tn": "number",
    "did": "number",
    "dids": "number",
    "did number": "number",
    "e164": "number",
    "e.164": "number",
    "pool": "pool",
    "source": "source",
    "destination": "destination",
    "rings": "destination",
    "forward to": "destination",
    "whisper": "whisper",
    "price": "price",
    "monthly price": "price",
    "cost": "price",
    "monthly cost": "price",
    "note": "note",
    "notes": "note",
    "comment": "note",
    "carrier": "note",
    "provider": "note",
    "description": "note",
}
_FORMULA = re.compile(r'="?(.*?)"?$')
_LOOKS = 50  # lines by which columns are told apart


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of a list as it stands there; ``said`` is what the line says besides, by the names of ``FIELDS``."""

    line: int
    text: str
    said: dict[str, str] = field(default_factory=dict)


FIELDS = ("pool", "source", "destination", "whisper", "price", "note")


def decoded(given: bytes) -> str:
    """The text of a file as spreadsheets of all kinds write it."""
    if given.startswith((b"\xff\xfe", b"\xfe\xff")):
        return given.decode("utf-16", "replace")
    try:
        return given.decode("utf-8-sig")
    except UnicodeDecodeError:
        return given.decode("cp1252", "replace")


def entries_of(text: str, region: str) -> list[Entry]:
    """All numbers of a list, right and wrong, in order.

    A header names its columns (``number, pool, source, …``); those it does not know are passed over. Without one, the
    columns in which most cells read as numbers are it, or every cell where there is no other column. What follows ``#``
    is a remark.
    """
    rows = _rows(text)
    if not rows:
        return []
    header = _header(rows[0][1])
    if header is not None:
        return [entry for line, cells in rows[1:] for entry in _named(line, cells, header)]
    columns = _number_columns(rows, region)
    return [
        Entry(line, cell)
        for line, cells in rows
        for place, cell in enumerate(cells)
        if cell and (columns is None or place in columns)
    ]


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """(line, cells) of every line with anything in it."""
    lines = [line for line in text.splitlines() if line.partition("#")[0].strip()][:_LOOKS]
    counted = {each: [line.partition("#")[0].count(each) for line in lines] for each in _DELIMITERS}
    # The separator that most lines have most evenly; an address list in a number column has fewer.
    delimiter = max(_DELIMITERS, key=lambda each: (sum(1 for count in counted[each] if count), sum(counted[each])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    found: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for row in reader:
            line, before = before + 1, reader.line_num
            cells = [_cell(cell) for cell in _without_remark(row)]
            if any(cells):
                found.append((line, cells))
    except csv.Error:
        # No table after all (a lone quotation mark, an endless cell): lines of numbers.
        pieces = [
            (place, [_cell(part) for part in re.split(r"[,;\t|]", line.partition("#")[0])])
            for place, line in enumerate(text.splitlines(), 1)
        ]
        return [(place, cells) for place, cells in pieces if any(cells)]
    return found


def _without_remark(row: Sequence[str]) -> list[str]:
    kept = []
    for cell in row:
        before, remark, _ = cell.partition("#")
        kept.append(before)
        if remark:
            break
    return kept


def _cell(text: str) -> str:
    """A cell without what spreadsheets put around numbers to keep them whole: ``="+1306…"``, ``'+1306…``."""
    text = text.strip().strip("\u200e\u200f\u202a\u202c\ufeff\u00a0")
    formula = _FORMULA.fullmatch(text) if text.startswith("=") else None
    return (formula[1] if formula else text).removeprefix("'").strip()


def _header(cells: Sequence[str]) -> dict[int, str] | None:
    names = {place: _NAMES.get(cell.lower().replace("_", " ")) for place, cell in enumerate(cells)}
    known = {place: name for place, name in names.items() if name is not None}
    return known if "number" in known.values() else None


def _named(line: int, cells: Sequence[str], header: dict[int, str]) -> list[Entry]:
    values = {name: cells[place] for place, name in header.items() if place < len(cells) and cells[place]}
    said = {name: values[name] for name in FIELDS if name in values}
    # A line without its number is a fault, not nothing: the cell may have slipped.
    return [Entry(line, values.get("number", ""), said)]


def _number_columns(rows: Sequence[tuple[int, list[str]]], region: str) -> set[int] | None:
    """The columns that hold numbers; none: all of them do."""
    filled: Counter[int] = Counter()
    numbers: Counter[int] = Counter()
    for _, cells in rows[:_LOOKS]:
        for place, cell in enumerate(cells):
            if cell:
                filled[place] += 1
                numbers[place] += _reads(cell, region)
    if len(filled) <= 1:
        return None
    columns = {place for place in filled if 2 * numbers[place] >= filled[place]}
    return columns or None


def _reads(text: str, region: str) -> bool:
    try:
        to_e164(text, region)
    except NumberError:
        return False
    return True
