"""Which program wrote an export, and which of its columns is what.

The headings are those of Google Ads ("Campaign report", Google Ads Help, "Download your reports"), Meta Ads Manager
(Meta Business Help Centre, "Export a report"), Microsoft Advertising ("Report columns",
learn.microsoft.com/advertising) and Yandex Direct (the Report Wizard, and the Reports service,
yandex.com/dev/direct/doc: "Report content"), as their files have them in English and Russian; days, campaigns and costs
of other languages are known as well.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.reports.export_text import Line


class ExportKind(StrEnum):
    """What wrote a file; the values are those of ``spend_imports.kind``."""

    GOOGLE_ADS = "google_ads"
    META = "meta"
    MICROSOFT = "microsoft"
    YANDEX_DIRECT = "yandex_direct"
    TABLE = "table"  # anybody's own


class Field(StrEnum):
    """What a column may be."""

    DAY = "day"
    LAST_DAY = "last_day"
    CAMPAIGN = "campaign"
    AMOUNT = "amount"
    CURRENCY = "currency"
    SOURCE = "source"


class Span(StrEnum):
    """How long a row's time is where only its first day is told."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("|"))


# What begins a stretch that another column ends, and what ends it.
_BEGINNINGS = _names(
    "reporting starts | дата начала отчетности | начало отчетности | from | first day | start | start date | since"
    " | с | начало | первый день"
)
_ENDS = _names(
    "reporting ends | дата окончания отчетности | окончание отчетности | to | last day | end | end date | until"
    " | по | окончание | последний день"
)
# Of all of these, the first that a file has is taken.
_DAYS: tuple[tuple[str, Span], ...] = (
    *(
        (name, Span.DAY)
        for name in _names("day | date | gregorian date | дата | день | tag | datum | jour | día | fecha")
    ),
    *((name, Span.DAY) for name in _names("dia | data | giorno | time period | timeperiod")),
    *((name, Span.DAY) for name in _BEGINNINGS),
    *((name, Span.WEEK) for name in _names("week | неделя | woche | semaine | semana")),
    *((name, Span.MONTH) for name in _names("month | месяц | monat | mois | mes | mês | mese")),
)
_OTHERS: Mapping[Field, Sequence[str]] = {
    Field.LAST_DAY: _ENDS,
    Field.CAMPAIGN: _names(
        "campaign | campaign name | campaignname | кампания | название кампании | kampagne | kampagnenname | campagne"
        " | nom de la campagne | campaña | nombre de la campaña | campanha | nome da campanha | campagna"
    ),
    Field.AMOUNT: _names(
        "cost | spend | amount spent | amount | cost micros | metrics.cost micros | расход | расход с ндс | расходы"
        " | затраты | потраченная сумма | сумма затрат | сумма | kosten | ausgegebener betrag | coût | montant dépensé"
        " | coste | importe gastado | custo | valor usado | costo"
    ),
    Field.CURRENCY: _names("currency | currency code | currencycode | валюта | код валюты | währung | devise | moneda"),
    Field.SOURCE: _names("source | источник | quelle"),
}
# Headings in which Reports of Yandex's service and of Microsoft's are written by programs.
_CAMEL = re.compile(r"[A-Z][a-z]+[A-Z]\w*")
# Lines in which headings are looked for: Microsoft's preamble has some ten.
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Header:
    """The line with the headings, what stands above it, and what its columns are."""

    kind: ExportKind
    line: Line
    above: tuple[Line, ...]
    columns: Mapping[Field, int]
    span: Span = Span.DAY
    in_micros: bool = False
    by_program: bool = False


def header_of(lines: Sequence[Line]) -> Header:
    """The line of headings: the first with an amount and a day, a campaign or a source; else the fullest one."""
    for place, line in enumerate(lines[:_DEEPEST]):
        columns, span, in_micros = _columns(line)
        if Field.AMOUNT in columns and len(columns) > 1:
            return _header(lines, place, columns, span, in_micros)
    place = max(range(min(len(lines), _DEEPEST)), key=lambda each: (lines[each].filled, -each))
    return _header(lines, place, *_columns(lines[place]))


def name_of(heading: str) -> str:
    """A heading as it is compared: ``Расход, руб.`` is ``расход``, ``Cost_micros`` is ``cost micros``."""
    name = re.sub(r"\s*[(,][^(,]*\)?$", "", heading) if re.search(r"[(,]", heading) else heading
    return name.strip().lower().replace("_", " ").replace("ё", "е")


def _columns(line: Line) -> tuple[dict[Field, int], Span, bool]:
    names: dict[str, int] = {}
    for place, cell in enumerate(line.cells):
        names.setdefault(name_of(cell), place)
        names.setdefault(cell.strip().lower(), place)
    found: dict[Field, int] = {}
    span = Span.DAY
    for name, length in _DAYS:
        if name in names:
            found[Field.DAY], span = names[name], length
            is_beginning = name in _BEGINNINGS
            break
    else:
        is_beginning = False
    for field, known in _OTHERS.items():
        column = next((names[name] for name in known if name in names), None)
        if column is not None and (field is not Field.LAST_DAY or is_beginning):
            found[field] = column
    amount = found.get(Field.AMOUNT)
    return found, span, amount is not None and "micros" in line.cells[amount].lower()


def _header(lines: Sequence[Line], place: int, columns: dict[Field, int], span: Span, in_micros: bool) -> Header:
    above, line = tuple(lines[:place]), lines[place]
    by_program = any(_CAMEL.fullmatch(cell) for cell in line.cells)
    kind = _kind({name_of(cell) for cell in line.cells}, above, lines[-4:], by_program=by_program)
    if kind is not ExportKind.TABLE:
        columns = {field: at for field, at in columns.items() if field is not Field.SOURCE}
    return Header(kind, line, above, columns, span, in_micros, by_program)


def _kind(names: set[str], above: Sequence[Line], below: Sequence[Line], *, by_program: bool) -> ExportKind:
    """What wrote a table with these headings, between these lines."""
    start = above[0].cells[0].lower() if above else ""
    footer = " ".join(cell for line in below for cell in line.cells).lower()
    if names & {"amount spent", "reporting starts", "потраченная сумма"}:
        return ExportKind.META
    if names & {"gregorian date", "timeperiod"} or start.startswith("report name") or "microsoft" in footer:
        return ExportKind.MICROSOFT
    if names & {"расход", "расход с ндс"}:
        return ExportKind.YANDEX_DIRECT
    if by_program and "cost" in names and ("campaignname" in names or "total rows" in footer):
        return ExportKind.YANDEX_DIRECT
    googles = {"currency code", "campaign status", "campaign state", "impr.", "interactions", "avg. cpc"}
    if {"cost", "campaign"} <= names and ("report" in start or names & googles):
        return ExportKind.GOOGLE_ADS
    return ExportKind.TABLE
