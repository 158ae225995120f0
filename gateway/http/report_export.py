"""A report as a file: what its table shows, with what it is compared with in columns of its own."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from gateway.http import report_words
from gateway.http.keys import PARTS
from gateway.http.rendering import words_for
from gateway.http.report import Report, make_report
from gateway.http.report_months import MonthTable, month_table
from gateway.http.report_pages import view_of
from gateway.http.report_table import Cell as Figure
from gateway.http.report_table import Line, Shown
from gateway.http.report_view import MONTHS_PATH
from gateway.http.routing import Handler
from gateway.http.scope import company_of
from gateway.http.table_export import Cell, Column, Format, Kind, Table, send_table
from gateway.http.words import Words
from gateway.reports.measures import Measure, Unit

_KINDS = {Unit.SHARE: Kind.SHARE, Unit.MONEY: Kind.MONEY, Unit.SECONDS: Kind.SECONDS, Unit.RATIO: Kind.RATIO}


def export(format: Format) -> Handler:
    """The handler that gives a report away."""

    async def export_report(request: web.Request) -> web.StreamResponse:
        company = company_of(request)
        view, words = view_of(request, company), words_for(request, company)
        async with request.app[PARTS].database.companies(company.id) as connection:
            report = await make_report(connection, company, view, words)
        return await send_table(request, company, report_file(report), format)

    return export_report


def export_months(format: Format) -> Handler:
    """The handler that gives the months away."""

    async def export_table(request: web.Request) -> web.StreamResponse:
        company = company_of(request)
        view, words = view_of(request, company, MONTHS_PATH), words_for(request, company)
        async with request.app[PARTS].database.companies(company.id) as connection:
            months = await month_table(connection, company, view, words)
        return await send_table(request, company, months_file(months), format)

    return export_table


def report_file(report: Report) -> Table:
    """The report's table as a file's."""
    shown, laid_out, words = report.shown, report.table, report.shown.words
    compared = report.before is not None
    names = [report_words.dimension_name(words, dimension) for dimension in report.question.by]
    if laid_out.is_across:
        names = names[:1]
    columns = [Column(name) for name in names] or [Column("")]
    for heading in laid_out.headings:
        columns += _columns(shown, heading.name, heading.measure, compared=compared)
    days = f"{words.short_date(report.question.since)} – {words.short_date(report.last_day)}"
    return Table(
        "report",
        f"{report.title} · {days}",
        columns,
        list(_rows(laid_out.lines, len(names), words, compared=compared)),
        [words.say("Total"), *([""] * (len(columns_of(names)) - 1)), *_cells(laid_out.total.cells, compared=compared)],
        shown.currency,
    )


def months_file(months: MonthTable) -> Table:
    """The months as a file's table."""
    shown, words = months.shown, months.shown.words
    columns = [Column(months.dimension)]
    for name in [*(month.full for month in months.months), words.say("Total")]:
        columns += _columns(shown, name, months.measure, compared=months.has_past, past=words.say("the year before"))
    lines = [[line.name, *_cells(line.cells, compared=months.has_past)] for line in months.lines]
    total = [words.say("Total"), *_cells(months.total.cells, compared=months.has_past)]
    return Table("months", months.title, columns, lines, total, shown.currency)


def columns_of(names: Sequence[str]) -> Sequence[str]:
    """The columns that say what a row is about: one at least."""
    return names or [""]


def _columns(shown: Shown, name: str, measure: Measure, *, compared: bool, past: str = "") -> list[Column]:
    words = shown.words
    if measure.unit is Unit.SECONDS:
        name = words.say("%(name)s, seconds") % {"name": name}
    counts = Kind.PART if shown.in_parts or measure is Measure.EXPECTED else Kind.COUNT
    kind = _KINDS.get(measure.unit, counts)
    past = past or report_words.lower(report_words.past_name(words, shown.view.compare))
    return [Column(name, kind), *([Column(f"{name}, {past}", kind)] if compared else [])]


def _rows(lines: Sequence[Line], names: int, words: Words, *, compared: bool) -> Iterable[list[Cell]]:
    """A row a line; under two names the line of the first alone says "All" for the second."""
    head = ""
    for line in lines:
        if line.level == 0:
            head = line.name
        about = [head] if names < 2 else [head, line.name if line.level else words.say("All")]
        yield [*about, *_cells(line.cells, compared=compared)]


def _cells(cells: Sequence[Figure], *, compared: bool) -> list[Cell]:
    found: list[Cell] = []
    for cell in cells:
        found.append(cell.value)
        if compared:
            found.append(cell.before)
    return found
