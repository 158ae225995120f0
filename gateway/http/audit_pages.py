"""The audit log as a page: who did what, in sentences; by person, kind of action, subject and days; and as a file."""

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import hdrs, web

from gateway import audit
from gateway.audit import Action, Via
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.audit_words import GROUPS, Line, sentence
from gateway.http.call_filter import Place
from gateway.http.keys import ALLOWED, PARTS
from gateway.http.periods import Period, Span
from gateway.http.refusals import BadRequest
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of
from gateway.http.words import Words
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "audit.sql")

AUDIT = "/settings/audit"
PAGE = 100
_CHUNK = 2000
_ALL = Period(Span.ALL)
_SUBJECT = re.compile(r"[a-z-]{1,30}/[^\s]{1,120}")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the viewer narrowed the log down to; nothing set shows all of it."""

    person: int | None = None
    by_command: bool = False
    group: str | None = None
    subject: str | None = None
    period: Period = _ALL

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "AuditFilter":
        """From the query string; raises BadRequest where a value cannot be one."""
        person, group, subject = query.get("person"), query.get("action"), query.get("subject")
        if group and group not in GROUPS:
            raise BadRequest(part="action")
        if subject and not _SUBJECT.fullmatch(subject):
            raise BadRequest(part="subject")
        by_command = person == "command"
        if person and not by_command and not (person.isascii() and person.isdigit() and len(person) < 19):
            raise BadRequest(part="person")
        return cls(
            int(person) if person and not by_command else None,
            by_command,
            group or None,
            subject or None,
            Period.parse(query, Span.ALL),
        )

    def __bool__(self) -> bool:
        return self != AuditFilter()

    def query(self) -> dict[str, str]:
        """As the query string says it."""
        named = {
            "person": "command" if self.by_command else str(self.person or ""),
            "action": self.group or "",
            "subject": self.subject or "",
        }
        days = {} if self.period == _ALL else self.period.query()
        return {name: value for name, value in named.items() if value} | days

    def parameters(self, company: Company) -> dict[str, Any]:
        """For the queries."""
        since, until = self.period.bounds(company.zone, datetime.now(UTC))
        return {
            "company_id": company.id,
            "user_id": self.person,
            "via": Via.COMMAND.value if self.by_command else None,
            "group": self.group,
            "subject": self.subject,
            "since": since,
            "until": until,
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as the page shows it."""

    line: Line
    says: str
    call_id: int | None  # to be opened
    changes: tuple[tuple[str, str, str], ...]  # field, before, after

    @property
    def place(self) -> Place:
        """Where it stands in the order of lines."""
        return Place(self.line.at, self.line.id)


@dataclass(frozen=True, slots=True)
class DayOfLog:
    """The lines of one day on the company's calendar."""

    day: date
    entries: tuple[Entry, ...]


async def audit_log(request: web.Request) -> web.StreamResponse:
    """The newest lines, or those from a place on, by day."""
    company, chosen = company_of(request), AuditFilter.parse(request.query)
    before = Place.parse(request.query["before"]) if request.query.get("before") else None
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        entries = await _entries(connection, company, chosen, words, before, PAGE + 1)
        people = [(row["id"], row["name"]) async for row in _queries.audit_people(connection, company_id=company.id)]
    kept = {"company": str(company.id)} if len(request[ALLOWED]) > 1 else {}
    older = _address(chosen, kept, before=str(entries[PAGE - 1].place)) if len(entries) > PAGE else None
    return render(
        request,
        "audit.html",
        company=company,
        days=_by_day(entries[:PAGE], words),
        filter=chosen,
        kept=kept,
        people=people,
        groups=[(value, words.say(name)) for value, name in GROUPS.items()],
        older=older,
        is_first=before is None,
        export_url=_address(chosen, kept, path=f"{AUDIT}.csv"),
        narrowed=lambda **changes: _address(replace(chosen, **changes), kept),
        cleared=_address(AuditFilter(), kept),
    )


async def export(request: web.Request) -> web.StreamResponse:
    """The same lines as a file (CSV, RFC 4180), all of them; itself a line of the log."""
    company, chosen = company_of(request), AuditFilter.parse(request.query)
    words = words_for(request, company)
    database = request.app[PARTS].database
    async with database.companies(company.id) as connection:
        lines = await _queries.audit_count(connection, **chosen.parameters(company))
        about = {"lines": lines, "filter": chosen.query()}
        await audit.note(connection, actor_of(request), company.id, Action.AUDIT_EXPORTED, "audit/log", **about)
    name = f"audit-{datetime.now(company.zone):%Y-%m-%d}.csv"
    answer = web.StreamResponse(headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'})
    answer.content_type, answer.charset = "text/csv", "utf-8"
    await answer.prepare(request)
    titles = ("time (UTC)", "who", "way", "address", "action", "subject", "what", "details")
    # The mark by which spreadsheets know UTF-8.
    await answer.write("\ufeff".encode() + _csv([titles]))
    place: Place | None = None
    while True:
        async with database.companies(company.id) as connection:
            entries = await _entries(connection, company, chosen, words, place, _CHUNK)
        await answer.write(_csv([_row(entry) for entry in entries]))
        if len(entries) < _CHUNK:
            break
        place = entries[-1].place
    await answer.write_eof()
    return answer


async def _entries(
    connection: Connection, company: Company, chosen: AuditFilter, words: Words, before: Place | None, most: int
) -> list[Entry]:
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    rows = _queries.audit_lines(
        connection,
        before_at=before.started_at if before else None,
        before_id=before.id if before else None,
        most=most,
        **chosen.parameters(company),
    )
    return [_entry(row, words) async for row in rows]


def _entry(row: Any, words: Words) -> Entry:
    details = json.loads(row["details"])
    line = Line(
        row["id"],
        row["at"].astimezone(UTC),
        row["user_id"],
        row["who"],
        row["via"],
        row["address"],
        row["action"],
        row["subject"],
        details,
        row["caller"],
        row["called_at"],
    )
    changes = details.get("changes")
    return Entry(
        line,
        sentence(line, words),
        row["call_id"],
        tuple((str(field), _said(both[0]), _said(both[1])) for field, both in changes.items() if len(both) == 2)
        if isinstance(changes, dict)
        else (),
    )


def _said(value: Any) -> str:
    if value is None or value == "":
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _by_day(entries: list[Entry], words: Words) -> list[DayOfLog]:
    days: dict[date, list[Entry]] = {}
    for entry in entries:
        days.setdefault(words.local_day(entry.line.at), []).append(entry)
    return [DayOfLog(day, tuple(of_day)) for day, of_day in days.items()]


def _address(chosen: AuditFilter, kept: dict[str, str], *, path: str = AUDIT, **more: str) -> str:
    query = {**kept, **chosen.query(), **more}
    return f"{path}?{urlencode(query)}" if query else path


def _row(entry: Entry) -> tuple[str, ...]:
    line = entry.line
    details = json.dumps(line.details, ensure_ascii=False) if line.details else ""
    return (
        line.at.isoformat(timespec="seconds"),
        line.who,
        line.via,
        line.address,
        line.action,
        line.subject,
        entry.says,
        details,
    )


def _csv(rows: list[tuple[str, ...]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows([tuple(map(_cell, row)) for row in rows])
    return text.getvalue().encode("utf-8", "replace")


def _cell(text: str) -> str:
    """What a spreadsheet would take for a formula is marked as text (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
