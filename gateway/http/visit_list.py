"""Reads visits for the pages: the list, filtered and paged by the address; quick with a million of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import aiosql

from gateway.http.accounts import Company
from gateway.http.call_store import Source, source_of
from gateway.http.periods import Period
from gateway.http.person_story import path_of
from gateway.http.refusals import BadRequest
from gateway.store.database import Connection

# So many visits, and calls, are counted for the figures above the list.
MOST_COUNTED = 20_000
MOST_COUNTED_FILTERED = 2_000
# Visits that called or wrote are looked for among so many calls or forms, before all visits are gone through.
_AMONG = (300, 3_000, 30_000)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_VALUE = 500
_YES_OR_NO = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class VisitPlace:
    """A place in the order of visits: what comes after it is older."""

    started_at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{(self.started_at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "VisitPlace":
        """Raises BadRequest."""
        micros, _, id = text.partition("-")
        try:
            if not (micros.isascii() and micros.isdigit()) or len(micros) > 18:
                raise ValueError(micros)
            return cls(_EPOCH + timedelta(microseconds=int(micros)), UUID(id))
        except (ValueError, OverflowError):
            raise BadRequest(part="before") from None


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """What the viewer narrowed the visits down to, in a period."""

    period: Period = field(default_factory=Period)
    source: str | None = None  # as people read it: Google Organic
    channel: str | None = None
    campaign: str | None = None
    keyword: str | None = None
    page: str | None = None  # the path of the page it began on
    device: str | None = None
    region: str | None = None
    country: str | None = None
    called: str | None = None  # yes, no
    form: str | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "VisitFilter":
        """Raises BadRequest where a value cannot be one."""
        values: dict[str, str] = {}
        for name in NAMES:
            text = query.get(name)
            if not text:
                continue
            if len(text) > _LONGEST_VALUE or "\0" in text:
                raise BadRequest(part=name)
            if name in ("called", "form") and text not in _YES_OR_NO:
                raise BadRequest(part=name)
            values[name] = text
        return cls(Period.parse(query), **values)

    @property
    def names(self) -> list[str]:
        """The filters that are set."""
        return [name for name in NAMES if getattr(self, name) is not None]


NAMES = tuple(each.name for each in fields(VisitFilter) if each.name != "period")


@dataclass(frozen=True, slots=True)
class VisitView:
    """A whole view of the visits, as the address bar holds it."""

    filter: VisitFilter
    company: int | None = None  # only where the viewer has several
    before: VisitPlace | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str], company: int | None) -> "VisitView":
        """Raises BadRequest."""
        before = query.get("before")
        return cls(VisitFilter.parse(query), company, VisitPlace.parse(before) if before else None)

    def url(self, **changes: Any) -> str:
        """The view with some filters changed, from its newest visit on."""
        return self._address(replace(self.filter, **changes))

    def toggled(self, **changes: Any) -> str:
        """With these filters, or without them where they are set."""
        present = all(getattr(self.filter, name) == value for name, value in changes.items())
        return self.url(**dict.fromkeys(changes)) if present else self.url(**changes)

    def cleared(self) -> str:
        """The period without any filter."""
        return self._address(VisitFilter(self.filter.period))

    def whole(self) -> str:
        """The same filters over all time."""
        return self.url(period=Period.parse({"period": "all"}))

    def older(self, place: VisitPlace) -> str:
        """Further down."""
        return self._address(self.filter, before=str(place))

    def _address(self, filter: VisitFilter, **more: str) -> str:
        set_ones = {name: getattr(filter, name) for name in filter.names}
        query = {
            **({"company": str(self.company)} if self.company else {}),
            **filter.period.query(),
            **set_ones,
            **more,
        }
        return f"/visitors?{urlencode(query)}" if query else "/visitors"


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One line of the list. ``call_id`` is a call that this visit made, ``chance`` how sure that is."""

    id: UUID
    visitor_id: UUID | None
    started_at: datetime
    is_touch: bool
    label: str
    channel: str
    campaign: str
    keyword: str
    url: str
    device: str
    country: str
    region: str
    city: str
    pages: int
    forms: int
    call_id: int | None
    chance: float | None
    source: Source | None

    @property
    def place(self) -> VisitPlace:
        """Where it stands in the order."""
        return VisitPlace(self.started_at, self.id)

    @property
    def path(self) -> str:
        """The page it began on."""
        return path_of(self.url).partition("?")[0].partition("#")[0]


@dataclass(frozen=True, slots=True)
class VisitCounts:
    """A period in a few numbers; ``is_cut``: there are more than were counted. Calls and forms: of a whole period."""

    visits: int
    is_cut: bool
    calls: int | None = None
    forms: int | None = None


async def page_of_visits(
    connection: Connection, company: Company, view: VisitView, most: int
) -> tuple[list[VisitRow], bool]:
    """At most ``most`` visits, newest first, and whether there are older ones."""
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    parameters = _parameters(company, view.filter)
    if (
        view.before is None
        and (found := await _of_calls_or_forms(connection, view.filter, parameters, most + 1)) is not None
    ):
        return found[:most], len(found) > most
    found = await _page(connection, parameters, None, view.before, most + 1)
    return found[:most], len(found) > most


async def _page(
    connection: Connection, parameters: dict[str, Any], among: list[UUID] | None, before: VisitPlace | None, most: int
) -> list[VisitRow]:
    rows = _queries.visits_page(
        connection,
        before_at=before.started_at if before else None,
        before_id=before.id if before else None,
        most=most,
        **{**parameters, "among": among},
    )
    return [_row(row) async for row in rows]


async def _of_calls_or_forms(
    connection: Connection, filter: VisitFilter, parameters: dict[str, Any], most: int
) -> list[VisitRow] | None:
    """The newest visits that called or wrote, by way of the calls and forms; none where that is no way to them.

    Every visit that began after the oldest of the calls looked at is among theirs, so those are surely the newest.
    """
    if filter.called == "yes":
        query = _queries.visits_that_called
    elif filter.form == "yes":
        query = _queries.visits_that_wrote
    else:
        return None
    place = {"company_id": parameters["company_id"], "since": parameters["since"]}
    for size in _AMONG:
        rows = [row async for row in query(connection, most=size, **place)]
        visits = await _page(connection, parameters, list({row["id"] for row in rows}), None, most)
        if len(rows) < size:
            return visits
        sure = [visit for visit in visits if visit.started_at > rows[-1]["at"]]
        if len(sure) >= most:
            return sure
    return None


async def counts(connection: Connection, company: Company, filter: VisitFilter) -> VisitCounts | None:
    """How many visits fit, and in a whole period how many calls and forms came of it.

    None where it would take long to count: those that called, wrote, or did not.
    """
    if filter.called or filter.form:
        return None
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    parameters = _parameters(company, filter)
    most = MOST_COUNTED_FILTERED if filter.names else MOST_COUNTED
    visits = await _queries.how_many(connection, most=most + 1, **parameters)
    if filter.names or visits > most:
        return VisitCounts(min(visits, most), visits > most)
    days = {name: parameters[name] for name in ("company_id", "since", "until")}
    return VisitCounts(
        visits,
        False,
        await _queries.how_many_called(connection, most=most, **days),
        await _queries.how_many_forms(connection, most=most, **days),
    )


async def has_visits(connection: Connection, company: Company) -> bool:
    """Whether the company's sites have had any visit."""
    return bool(await _queries.has_visits(connection, company_id=company.id))


def _load_queries() -> Any:
    """The queries of the file, with the condition of the first one wherever another says that a visit must fit."""
    text = (Path(__file__).parent / "visit_list.sql").read_text()
    first = text[text.index("-- name: fitting") : text.index("-- name: visits_that_called")]
    condition = first[first.index("AND (:since") + len("AND ") :].strip().rstrip(";")
    return aiosql.from_str(text.replace("/* fits */ true", condition), "asyncpg", mandatory_parameters=False)


_queries = _load_queries()


def _parameters(company: Company, filter: VisitFilter) -> dict[str, Any]:
    since, until = filter.period.bounds(company.zone, datetime.now(UTC))
    texts = {name: getattr(filter, name) for name in NAMES if name not in ("called", "form")}
    return {
        "company_id": company.id,
        "since": since,
        "until": until,
        **texts,
        "called": _YES_OR_NO.get(filter.called or ""),
        "form": _YES_OR_NO.get(filter.form or ""),
        "among": None,
    }


def _row(row: Any) -> VisitRow:
    values = {name: row[name] for name in VisitRow.__dataclass_fields__ if name != "source"}
    return VisitRow(**values, source=source_of(row))
