"""What stands around one call, form, chat or text: the way its visitor came, and what else this person did."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from gateway.attribution.why import Why
from gateway.http.call_store import CallRow, Source, source_of
from gateway.http.lead_store import LeadRow
from gateway.leads.marks import Marked
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "call_story.sql")

# So far back the visitor's way is told; an older arrival may still be a touch of the call.
LOOKBACK = timedelta(days=400)
MOST_VISITS = 12
MOST_STEPS = 40
MOST_OTHERS = 8
# A form may have many fields; the first ones tell who wrote and what for.
MOST_FIELDS = 6
_LONGEST_VALUE = 200
_LONGEST_VISIT = timedelta(days=2)
# Of a value in an address so much is read; a click id is ten times as long.
_LONG_VALUE = re.compile(r"(=[^&#]{8})[^&#]{5,}")


@dataclass(frozen=True, slots=True)
class Step:
    """A page that was opened, or a tap on a number (``kind`` tap: ``title`` is the number)."""

    at: datetime
    kind: str
    title: str
    url: str

    @property
    def path(self) -> str:
        """Where on the site."""
        return path_of(self.url)


@dataclass(frozen=True, slots=True)
class Visit:
    """One arrival and what was looked at, up to the call."""

    id: UUID
    started_at: datetime
    is_touch: bool
    label: str
    channel: str
    campaign: str
    keyword: str
    url: str
    referrer: str
    country: str
    region: str
    city: str
    device: str
    steps: tuple[Step, ...]
    is_answer: bool

    @property
    def path(self) -> str:
        """The page it began on."""
        return path_of(self.url)

    @property
    def came_from(self) -> str:
        """The host of the page before; empty where none was told."""
        return urlsplit(self.referrer).hostname or "" if self.referrer else ""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the call belongs to, with what is known of them in short."""

    id: int
    name: str
    calls: int
    forms: int
    jobs: int


@dataclass(frozen=True, slots=True)
class OtherCall:
    """Another call from the same number, or of the same person."""

    id: int
    state: str
    outcome: str | None
    did: str
    caller: str | None
    started_at: datetime
    talk_seconds: float | None
    status: str
    source: Source | None
    screened: str | None  # which rule acted on it (gateway.calls.screening)


@dataclass(frozen=True, slots=True)
class Letter:
    """A form, a chat, a text: what was written, field by field."""

    id: UUID
    kind: str
    at: datetime
    fields: tuple[tuple[str, str], ...]
    url: str

    @property
    def path(self) -> str:
        """The page it was written on."""
        return path_of(self.url)


@dataclass(frozen=True, slots=True)
class Story:
    """Newest first. ``is_cut``: there are more calls than are listed."""

    visits: tuple[Visit, ...] = ()
    calls: tuple[OtherCall, ...] = ()
    letters: tuple[Letter, ...] = ()
    person: Person | None = None
    is_cut: bool = False


async def story_of(connection: Connection, row: CallRow, why: Why | None, *, visits: bool, people: bool) -> Story:
    """The story of a call, as far as the viewer may know it: without ``people``, of the number's calls alone."""
    answer = why.answer if why is not None else None
    visitor = answer.visitor_id if answer is not None else None
    way: tuple[Visit, ...] = ()
    if visits and why is not None and answer is not None:
        way = await _visits(connection, row.company_id, why.at, answer.visit_id, visitor)
    return await _story(connection, row.company_id, row.id, row.caller, visitor, way, people=people)


async def story_of_lead(connection: Connection, lead: LeadRow, *, visits: bool, people: bool) -> Story:
    """The same of a form, a chat or a text: its visitor is known by the visit in which it was sent."""
    way: tuple[Visit, ...] = ()
    if visits:
        way = await _visits(connection, lead.company_id, lead.received_at, lead.visit_id, lead.visitor_id)
    return await _story(connection, lead.company_id, lead.id, lead.caller, lead.visitor_id, way, people=people)


async def _story(
    connection: Connection,
    company_id: int,
    id: Marked,
    caller: str | None,
    visitor: UUID | None,
    visits: tuple[Visit, ...],
    *,
    people: bool,
) -> Story:
    which = {"call_id": None, "lead_id": id} if isinstance(id, UUID) else {"call_id": id, "lead_id": None}
    person = await _person(connection, company_id, which) if people else None
    theirs = {
        "company_id": company_id,
        "caller": caller or None,
        "person_id": person.id if person else None,
    }
    calls = await _other_calls(connection, theirs, which["call_id"]) if caller or person else []
    letters: tuple[Letter, ...] = ()
    if people and (caller or visitor is not None or person is not None):
        letters = await _letters(connection, theirs, visitor, which["lead_id"])
    return Story(
        visits=visits, calls=tuple(calls[:MOST_OTHERS]), letters=letters, person=person, is_cut=len(calls) > MOST_OTHERS
    )


async def sources_by_id(connection: Connection, company_id: int, ids: Iterable[int | None]) -> dict[int, Source]:
    """Sources by id."""
    wanted = sorted({id for id in ids if id is not None})
    rows = [row async for row in _queries.sources(connection, company_id=company_id, ids=wanted)] if wanted else []
    return {row["source_id"]: source for row in rows if (source := source_of(row)) is not None}


def short_address(path: str) -> str:
    """A path as people read it: click ids and the like, which say nothing to them, are cut."""
    return _LONG_VALUE.sub(r"\1…", path)


def path_of(url: str) -> str:
    """Where on its site an address leads."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"


async def _visits(
    connection: Connection, company_id: int, until: datetime, visit_id: UUID | None, visitor_id: UUID | None
) -> tuple[Visit, ...]:
    if visit_id is None:
        return ()
    place: dict[str, Any] = {"company_id": company_id, "since": until - LOOKBACK, "until": until}
    if visitor_id is not None:
        found = _queries.visits(connection, **place, visitor_id=visitor_id, most=MOST_VISITS)
    else:
        found = _queries.one_visit(connection, **place, visit_id=visit_id)
    rows = [each async for each in found]
    if not rows:
        return ()
    steps: Mapping[UUID, list[Step]] = defaultdict(list)
    place["since"] = rows[-1]["started_at"] - _LONGEST_VISIT
    ids = [each["id"] for each in rows]
    async for step in _queries.steps(connection, **place, visits=ids, most=MOST_STEPS):
        steps[step["visit_id"]].append(Step(step["at"].astimezone(UTC), step["kind"], step["title"], step["url"]))
    return tuple(
        Visit(
            **{name: each[name] for name in Visit.__dataclass_fields__ if name not in ("steps", "is_answer")},
            steps=tuple(steps[each["id"]]),
            is_answer=each["id"] == visit_id,
        )
        for each in rows
    )


async def _person(connection: Connection, company_id: int, which: Mapping[str, Any]) -> Person | None:
    found = await _queries.person(connection, company_id=company_id, **which)
    return Person(**found) if found is not None else None


async def _other_calls(connection: Connection, theirs: Mapping[str, Any], but: Any) -> list[OtherCall]:
    # The call itself may be among them.
    found = _queries.other_calls(connection, **theirs, call_id=but, most=MOST_OTHERS + 2)
    return [
        OtherCall(
            **{name: each[name] for name in OtherCall.__dataclass_fields__ if name != "source"}, source=source_of(each)
        )
        async for each in found
    ]


async def _letters(
    connection: Connection, theirs: Mapping[str, Any], visitor: UUID | None, but: Any
) -> tuple[Letter, ...]:
    found = _queries.letters(connection, **theirs, visitor_id=visitor, lead_id=but, most=MOST_OTHERS)
    return tuple(
        [
            Letter(each["id"], each["kind"], each["received_at"], _fields(json.loads(each["data"])), each["url"])
            async for each in found
        ]
    )


def _fields(data: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(data, dict):
        return ()
    told = [(str(name), str(value)[:_LONGEST_VALUE]) for name, value in data.items() if value not in (None, "", [])]
    return tuple(told[:MOST_FIELDS])
