"""The story of a person: calls, forms, visits and jobs in one line of time, the newest first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from gateway.http.call_store import Source, source_of
from gateway.http.call_story import MOST_FIELDS, path_of
from gateway.http.words import Words
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "person_story.sql")

__all__ = ["Browser", "Day", "Event", "Story", "browsers_of", "fields_of", "path_of", "story_of"]

PAGE = 60
_LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: ``kind`` is call, back, letter, visit or job; ``row`` holds what is told of it."""

    kind: str
    at: datetime
    row: Any
    source: Source | None = None
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """The page of a form or of a visit's beginning."""
        return path_of(self.row["url"])

    @property
    def is_missed(self) -> bool:
        """A call that reached nobody."""
        return self.kind == "call" and self.row["outcome"] in ("busy", "no_answer", "abandoned", "failed")


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day of the company's calendar."""

    day: date
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that is somebody's."""

    id: str
    is_shared: bool
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """``older``: the moment to go on from; none where this is all."""

    days: tuple[Day, ...]
    older: datetime | None


async def story_of(
    connection: Connection, company_id: int, person: int, before: datetime | None, words: Words, *, visits: bool
) -> Story:
    """A page of the story, from ``before`` backwards; ``visits`` is asked for or not."""
    place = {"company_id": company_id, "person": person, "before": before, "most": PAGE + 1}
    events = [Event("call", row["at"], row, source_of(row)) async for row in _queries.calls(connection, **place)]
    events += [
        Event("letter", row["at"], row, fields=fields_of(row["data"]))
        async for row in _queries.letters(connection, **place)
    ]
    events += [Event("back", row["at"], row) async for row in _queries.backs(connection, **place)]
    if visits:
        events += [Event("visit", row["at"], row, source_of(row)) async for row in _queries.visits(connection, **place)]
    events += [Event("job", row["at"], row) async for row in _queries.jobs(connection, **place)]
    events.sort(key=lambda event: event.at, reverse=True)
    shown = events[:PAGE]
    return Story(tuple(_by_day(shown, words)), shown[-1].at if len(events) > PAGE else None)


async def last_calls(connection: Connection, company_id: int, person: int) -> dict[str, int]:
    """The newest call from each of a person's numbers: whoever calls back answers that one."""
    found = _queries.last_calls(connection, company_id=company_id, person=person)
    return {row["caller"]: row["id"] async for row in found}


async def browsers_of(connection: Connection, company_id: int, person: int) -> list[Browser]:
    """The browsers that are a person's, the last one used first."""
    found = _queries.browsers(connection, company_id=company_id, person=person)
    return [Browser(row["id"], row["is_shared"], row["last_seen"]) async for row in found]


def _by_day(events: Sequence[Event], words: Words) -> list[Day]:
    return [Day(day, tuple(of_day)) for day, of_day in groupby(events, key=lambda event: words.local_day(event.at))]


def fields_of(text: str) -> tuple[tuple[str, str], ...]:
    """What was typed into a form, field by field, at most the first few."""
    data = json.loads(text)
    if not isinstance(data, dict):
        return ()
    told = [(str(name), str(value)[:_LONGEST_VALUE]) for name, value in data.items() if value not in (None, "", [])]
    return tuple(told[:MOST_FIELDS])
