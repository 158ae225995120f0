"""The leads of a view as a file: CSV or XLSX, exactly what is shown, however many; each export is in the audit log."""

import asyncio
import csv
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web
from xlsxwriter import Workbook

from gateway import audit
from gateway.audit import Action
from gateway.http import lead_list
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.call_filter import CallFilter, Place
from gateway.http.call_store import CallRow
from gateway.http.keys import PARTS
from gateway.http.lead_list import AnyLead
from gateway.http.lead_store import LeadRow
from gateway.http.rendering import words_for
from gateway.http.scope import company_of
from gateway.http.words import Words

# Rows that are read and written at a time.
_PAGE = 1000
# Of an XLSX sheet; further leads go on another.
_SHEET = 1_000_000
_PIECE = 256 * 1024
# What a table program would take for a formula (OWASP, CSV injection).
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_E164 = re.compile(r"^\+[0-9]{3,15}$")

Cell = str | float | int | datetime | Decimal | None


async def as_csv(request: web.Request) -> web.StreamResponse:
    """A line a lead, in UTF-8 with the mark that table programs look for; sent as it is read."""
    company, filter = company_of(request), CallFilter.parse(request.query)
    words = words_for(request, company)
    await _note(request, company, filter, "csv")
    answer = web.StreamResponse(headers=_headers("text/csv; charset=utf-8", company, words, "csv"))
    await answer.prepare(request)
    await answer.write(b"\xef\xbb\xbf" + _lines([headings(words)]))
    async for leads in _pages(request, company, filter):
        await answer.write(_lines([[_plain(cell) for cell in cells(lead, words)] for lead in leads]))
    await answer.write_eof()
    return answer


async def as_xlsx(request: web.Request) -> web.StreamResponse:
    """A row a lead; written to a file on the disk row by row, so that the memory stays as it is."""
    company, filter = company_of(request), CallFilter.parse(request.query)
    words = words_for(request, company)
    await _note(request, company, filter, "xlsx")
    with tempfile.TemporaryDirectory(prefix="numberpool-export-") as folder:
        file = Path(folder) / "calls.xlsx"
        sheets = _Sheets(file, words)
        async for leads in _pages(request, company, filter):
            await asyncio.to_thread(sheets.add, leads)
        await asyncio.to_thread(sheets.close)
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        answer = web.StreamResponse(headers=_headers(kind, company, words, "xlsx"))
        answer.content_length = file.stat().st_size
        await answer.prepare(request)
        with file.open("rb") as written:
            while piece := await asyncio.to_thread(written.read, _PIECE):
                await answer.write(piece)
        await answer.write_eof()
        return answer


def headings(words: Words) -> list[str]:
    """The names of the columns."""
    say = words.say
    return [
        say("Call id"),
        say("Time"),
        say("Result"),
        say("Rang for, seconds"),
        say("Talked for, seconds"),
        say("Caller"),
        say("Name"),
        say("Region"),
        say("First call"),
        say("Number called"),
        say("Pool"),
        say("Source"),
        say("Channel"),
        say("Campaign"),
        say("Keyword"),
        say("How sure, %"),
        say("Answered by"),
        say("Status"),
        say("Tags"),
        say("Note"),
        say("Job"),
        say("Currency"),
        say("Kind"),
        say("Mail"),
        say("What was written"),
    ]


def cells(lead: AnyLead, words: Words) -> list[Cell]:
    """One lead; times on the company's clock, numbers in E.164, as programs read them."""
    return _cells_written(lead, words) if isinstance(lead, LeadRow) else _cells_of_call(lead, words)


def _cells_of_call(call: CallRow, words: Words) -> list[Cell]:
    say = words.say
    return [
        call.id,
        call.started_at.astimezone(words.zone).replace(tzinfo=None, microsecond=0),
        words.outcome(call),
        None if call.ring_seconds is None else round(call.ring_seconds),
        None if call.talk_seconds is None else round(call.talk_seconds),
        call.caller or say("Withheld"),
        call.caller_name,
        call.region,
        say("yes") if call.is_first else say("no"),
        call.did,
        call.pool_name,
        call.source.name if call.source else say("Unknown"),
        call.channel,
        call.campaign,
        call.keyword,
        None if call.confidence is None else round(call.confidence * 100),
        call.person or (call.answered_by or "").partition("/")[2],
        words.status(call.status),
        ", ".join(tag.name for tag in call.tags),
        call.note,
        call.job_value,
        call.job_currency,
        words.lead_kind("call"),
        "",
        "",
    ]


def _cells_written(lead: LeadRow, words: Words) -> list[Cell]:
    say = words.say
    return [
        str(lead.id),
        lead.received_at.astimezone(words.zone).replace(tzinfo=None, microsecond=0),
        "",
        None,
        None,
        lead.phone,
        lead.caller_name,
        lead.region,
        say("yes") if lead.is_first else say("no"),
        lead.number,
        lead.pool_name,
        lead.source.name if lead.source else say("Unknown"),
        lead.channel,
        lead.campaign,
        lead.keyword,
        None if lead.confidence is None else round(lead.confidence * 100),
        "",
        words.status(lead.status),
        ", ".join(tag.name for tag in lead.tags),
        lead.note,
        lead.job_value,
        lead.job_currency,
        words.lead_kind(lead.kind),
        lead.email,
        "\n".join(f"{name}: {value}" for name, value in lead.fields),
    ]


def harmless(text: str) -> str:
    """Text that a table program takes for text: one that looks like a formula gets an apostrophe before it.

    A telephone number in E.164 stays as it is: it is a number to any program, and nothing more.
    """
    return f"'{text}" if _FORMULA.match(text) and not _E164.match(text) else text


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return harmless(cell) if isinstance(cell, str) else cell


def _lines(rows: list[list[Any]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


class _Sheets:
    """An XLSX file that grows; only the row that is being written is held in memory."""

    def __init__(self, file: Path, words: Words) -> None:
        self._book = Workbook(
            str(file),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "tmpdir": str(file.parent),
            },
        )
        self._words = words
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._bold = self._book.add_format({"bold": True})
        self._begin()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        for place, heading in enumerate(headings(self._words)):
            self._sheet.write_string(0, place, heading, self._bold)
        self._sheet.freeze_panes(1, 0)
        self._row = 1

    def add(self, leads: list[AnyLead]) -> None:
        """Write some leads."""
        for lead in leads:
            if self._row > _SHEET:
                self._begin()
            for place, cell in enumerate(cells(lead, self._words)):
                if isinstance(cell, datetime):
                    self._sheet.write_datetime(self._row, place, cell, self._time)
                elif isinstance(cell, str):
                    self._sheet.write_string(self._row, place, cell)
                elif cell is not None:
                    self._sheet.write_number(self._row, place, float(cell))
            self._row += 1

    def close(self) -> None:
        """Finish the file."""
        self._book.close()


async def _pages(request: web.Request, company: Company, filter: CallFilter) -> AsyncIterator[list[AnyLead]]:
    """All leads of the view, newest first; each page in a transaction of its own, so that none stays open for long."""
    before: Place | None = None
    while True:
        async with request.app[PARTS].database.companies(company.id) as connection:
            leads, has_older = await lead_list.page_of_leads(connection, company, filter, before, _PAGE)
        if leads:
            yield leads
        if not has_older:
            return
        before = leads[-1].place


async def _note(request: web.Request, company: Company, filter: CallFilter, kind: str) -> None:
    """What is about to be taken away is in the audit log before the first byte leaves."""
    async with request.app[PARTS].database.companies(company.id) as connection:
        await audit.note(
            connection,
            actor_of(request),
            company.id,
            Action.CALLS_EXPORTED,
            "calls",
            calls=await lead_list.count(connection, company, filter),
            format=kind,
            view=filter.query(),
        )


def attachment(company: Company, words: Words, what: str, ending: str) -> dict[str, str]:
    """That the answer is a file to keep, and its name: what, whose, of which day."""
    tidy = "-".join(_ascii_words(company.name)) or "company"
    return {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{what}-{tidy}-{words.now:%Y-%m-%d}.{ending}"'}


def _headers(kind: str, company: Company, words: Words, ending: str) -> dict[str, str]:
    return {hdrs.CONTENT_TYPE: kind, **attachment(company, words, "calls", ending)}


def _ascii_words(text: str) -> Iterator[str]:
    return (match[0].lower() for match in re.finditer(r"[A-Za-z0-9]+", text))
