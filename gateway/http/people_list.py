"""Reads people for the pages: the list, searched and paged; quick with half a million of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import asyncpg

from gateway.http.accounts import Company
from gateway.http.call_filter import LONGEST_TEXT, Place
from gateway.http.call_store import Source, source_of
from gateway.http.refusals import BadRequest
from gateway.leads.search import Stretch, sought
from gateway.store.database import Connection
from gateway.store.queries import load_queries

# So many are counted for the figure above the list.
MOST_COUNTED = 10_000
# Among so many that a word or number fits the newest are looked for.
MOST_FOUND = 3_000
_MOST_ID = 2**62
_LONGEST_LABEL = 300

_queries = load_queries(Path(__file__).parent, "people_list.sql")


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One line of the list. ``value`` is what the jobs brought; ``source`` of the first contact."""

    id: int
    name: str
    phone: str
    email: str
    calls: int
    forms: int
    first_at: datetime
    last_at: datetime
    jobs: int
    value: Decimal
    currency: str
    source: Source | None
    source_text: str  # its name, also where no call was ever credited to it
    is_shared: bool

    @property
    def place(self) -> Place:
        """Where it stands in the order."""
        return Place(self.last_at, self.id)


@dataclass(frozen=True, slots=True)
class PersonDetails(PersonRow):
    """One person."""

    company_id: int
    name_from: int
    note: str


@dataclass(frozen=True, slots=True)
class PeopleView:
    """What the address asks for."""

    q: str = ""
    source: int | Literal["none"] | None = None
    label: str | None = None  # a source that no call was ever credited to
    jobs: bool = False
    before: Place | None = None
    company: int | None = None  # only where the viewer has several

    @classmethod
    def parse(cls, query: Mapping[str, str], company: int | None) -> "PeopleView":
        """Raises BadRequest where a value cannot be one."""
        q, source, label = query.get("q", "").strip(), query.get("source"), query.get("label")
        before = query.get("before")
        if len(q) > LONGEST_TEXT or not q.isprintable():
            raise BadRequest(part="q")
        if source and source != "none" and not (source.isascii() and source.isdigit() and int(source[:20]) < _MOST_ID):
            raise BadRequest(part="source")
        if label and (len(label) > _LONGEST_LABEL or "\0" in label):
            raise BadRequest(part="label")
        return cls(
            q,
            "none" if source == "none" else int(source) if source else None,
            label or None,
            bool(query.get("jobs")),
            Place.parse(before) if before else None,
            company,
        )

    def url(self, **changes: Any) -> str:
        """The view with some parts changed, from its newest on."""
        return replace(self, before=None, **changes)._address()

    def older(self, place: Place) -> str:
        """Further down."""
        return replace(self, before=place)._address()

    @property
    def is_narrowed(self) -> bool:
        """Whether it shows less than all."""
        return bool(self.q or self.source is not None or self.label or self.jobs)

    @property
    def query(self) -> dict[str, str]:
        """As the address says it, without the place."""
        parts = {"company": self.company, "q": self.q, "source": self.source, "label": self.label}
        found = {name: str(value) for name, value in parts.items() if value not in (None, "")}
        return {**found, "jobs": "yes"} if self.jobs else found

    def without(self, name: str) -> dict[str, str]:
        """The same but one part, for forms that set it."""
        return {part: value for part, value in self.query.items() if part != name}

    def _address(self) -> str:
        query = {**self.query, **({"before": str(self.before)} if self.before else {})}
        return f"/people?{urlencode(query)}" if query else "/people"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the list. ``is_cut``: so many fit that not all of them were looked at."""

    people: tuple[PersonRow, ...]
    has_older: bool
    is_cut: bool


async def page_of_people(
    connection: Connection, company: Company, view: PeopleView, most: int, but: int | None = None
) -> Found:
    """People by their last contact, without ``but``."""
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    among, is_cut = await _found(connection, company, view.q)
    rows = [
        _row(row, PersonRow)
        async for row in _queries.people_page(
            connection,
            company_id=company.id,
            among=among,
            source=view.source if isinstance(view.source, int) else None,
            no_source=view.source == "none",
            label=view.label,
            with_jobs=view.jobs,
            but=but,
            before_at=view.before.started_at if view.before else None,
            before_id=view.before.id if view.before else None,
            most=most + 1,
        )
    ]
    return Found(tuple(rows[:most]), len(rows) > most, is_cut)


async def how_many(connection: Connection, company: Company) -> int:
    """How many people there are, at most one more than are counted."""
    return int(await _queries.how_many(connection, company_id=company.id, most=MOST_COUNTED + 1))


async def source_named(connection: Connection, company: Company, source: int) -> Source | None:
    """A source of the company."""
    row = await _queries.source_named(connection, company_id=company.id, source=source)
    return source_of(row) if row is not None else None


async def person_by_id(connection: Connection, person: int) -> PersonDetails | None:
    """One person; none if there is none among the companies that the connection sees."""
    row = await _queries.one_person(connection, id=person)
    return _row(row, PersonDetails) if row is not None else None


async def parted_from(connection: Connection, company_id: int, person: int) -> list[asyncpg.Record]:
    """Who was split off this person, or this person off whom: id, name, phone, email."""
    return [row async for row in _queries.parted_from(connection, company_id=company_id, person=person)]


async def _found(connection: Connection, company: Company, q: str) -> tuple[list[int] | None, bool]:
    """Whom a text fits; none where nothing is looked for."""
    if not q:
        return None, False
    given = {"company_id": company.id, "most": MOST_FOUND}
    if "@" in q:
        stretch = Stretch.beginning(q.lower())
        rows = _queries.by_email(connection, low=stretch.low, high=stretch.high, **given)
    elif (asked := sought(q, company.region)).begins:
        begins, also, ends = asked.begins[0], asked.begins[-1], asked.ends
        assert ends is not None
        rows = _queries.by_number(
            connection,
            begins_low=begins.low,
            begins_high=begins.high,
            also_low=also.low,
            also_high=also.high,
            ends_low=ends.low,
            ends_high=ends.high,
            **given,
        )
    elif asked.words:
        first, *rest = (Stretch.beginning(word) for word in sorted(asked.words, key=len, reverse=True))
        rows = _queries.by_words(
            connection,
            low=first.low,
            high=first.high,
            words=[each.low for each in rest],
            word_ends=[each.high for each in rest],
            **given,
        )
    else:
        return [], False
    found = [row["id"] async for row in rows]
    return sorted(set(found)), len(found) == MOST_FOUND


def _row(row: asyncpg.Record, kind: Any) -> Any:
    values = {name: row[name] for name in kind.__dataclass_fields__ if name != "source"}
    return kind(**values, source=source_of(row))
