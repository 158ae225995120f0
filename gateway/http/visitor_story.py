"""All that one visitor did: visits, pages and how long, numbers shown, taps, calls and forms, in the order of time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from gateway.http.call_store import Source, source_of
from gateway.http.person_story import fields_of, path_of
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "visitor_story.sql")

PAGE = 20
MOST_STEPS = 2_000
# A tab may stay open over night; what comes later belongs to another visit.
_LONGEST_VISIT = timedelta(days=2)
# A visit's first rows may carry the browser's idea of the time.
_EARLY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Step:
    """``kind`` is page, shown, tap, call or letter; ``seconds``: how long it lasted, where that is known."""

    kind: str
    at: datetime
    row: Any
    seconds: float | None = None
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The page, or the page of a form."""
        return path_of(self.row["url"])


@dataclass(frozen=True, slots=True)
class StoredVisit:
    """One visit with its steps; ``row`` is what the database tells of it."""

    row: Any
    source: Source | None
    steps: tuple[Step, ...]

    @property
    def path(self) -> str:
        """The page it began on."""
        return path_of(self.row["url"])

    @property
    def came_from(self) -> str:
        """The host of the page before; empty where none was told."""
        try:
            return urlsplit(self.row["referrer"]).hostname or ""
        except ValueError:
            return ""


@dataclass(frozen=True, slots=True)
class VisitorStory:
    """Newest first; ``older``: the moment to go on from, none where this is all."""

    visits: tuple[StoredVisit, ...]
    older: datetime | None


async def visit_by_id(connection: Connection, id: UUID) -> Any:
    """Company, visitor and time of a visit; none where the connection sees no such visit."""
    return await _queries.visit(connection, id=id)


async def visitor_by_id(connection: Connection, id: UUID) -> Any:
    """Somebody known again; none where the connection sees no such visitor."""
    return await _queries.visitor(connection, id=id)


async def how_many_visits(connection: Connection, company_id: int, visitor_id: UUID) -> int:
    """How often somebody came."""
    return int(await _queries.how_many_visits(connection, company_id=company_id, visitor_id=visitor_id))


async def story_of(
    connection: Connection, company_id: int, visitor_id: UUID | None, visit_id: UUID | None, before: datetime | None
) -> VisitorStory:
    """A page of a visitor's story, or of the one visit of somebody who is not known again (``visitor_id`` none)."""
    found = _queries.visits(
        connection, company_id=company_id, visitor_id=visitor_id, visit_id=visit_id, before=before, most=PAGE + 1
    )
    rows = [row async for row in found]
    shown = rows[:PAGE]
    if not shown:
        return VisitorStory((), None)
    steps = await _steps(connection, company_id, shown)
    return VisitorStory(
        tuple(StoredVisit(row, source_of(row), tuple(steps[row["id"]])) for row in shown),
        shown[-1]["started_at"] if len(rows) > PAGE else None,
    )


async def _steps(connection: Connection, company_id: int, visits: Sequence[Any]) -> Mapping[UUID, list[Step]]:
    place: dict[str, Any] = {
        "company_id": company_id,
        "visits": [row["id"] for row in visits],
        "most": MOST_STEPS,
    }
    lasted = {
        **place,
        "since": visits[-1]["started_at"] - _EARLY,
        "until": visits[0]["started_at"] + _LONGEST_VISIT,
    }
    steps: dict[UUID, list[Step]] = defaultdict(list)
    ends: dict[UUID, datetime] = {}
    async for row in _queries.exposures(connection, **lasted):
        end = row["left_at"] or row["last_seen"]
        ends[row["visit_id"]] = max(end, ends.get(row["visit_id"], end))
        steps[row["visit_id"]].append(Step("shown", row["shown_at"], row, _seconds(row["shown_at"], end)))
    pages: dict[UUID, list[Any]] = defaultdict(list)
    async for row in _queries.pages(connection, **lasted):
        pages[row["visit_id"]].append(row)
    for visit, looked_at in pages.items():
        nexts = [row["at"] for row in looked_at[1:]] + [ends.get(visit)]
        steps[visit] += [
            Step("page", row["at"], row, _seconds(row["at"], until))
            for row, until in zip(looked_at, nexts, strict=True)
        ]
    async for row in _queries.taps(connection, **lasted):
        steps[row["visit_id"]].append(Step("tap", row["at"], row))
    async for row in _queries.calls(connection, **place):
        steps[row["visit_id"]].append(Step("call", row["at"], row))
    async for row in _queries.letters(connection, **place):
        steps[row["visit_id"]].append(Step("letter", row["at"], row, fields=fields_of(row["data"])))
    for each in steps.values():
        each.sort(key=lambda step: (step.at, step.kind != "page"))
    return steps


def _seconds(since: datetime, until: datetime | None) -> float | None:
    """How long; none where nobody knows, or the clocks disagree."""
    if until is None or until <= since:
        return None
    return (until - since).total_seconds()
