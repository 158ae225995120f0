"""Reads the list of calls, filtered and searched, page by page; quick with a million of them.

Tags and words of a search stand in tables of their own, in the order of the list: where one of them is asked for, it
names the calls among which all other filters are looked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosql
import asyncpg

from gateway.http.accounts import Company
from gateway.http.call_filter import Between, CallFilter, Place
from gateway.http.call_store import CallRow, Source, call_row, source_of
from gateway.http.periods import Period
from gateway.http.words import NOT_SET
from gateway.leads.search import Sought, Stretch
from gateway.reports.cube import MODELS
from gateway.reports.recount import catch_up
from gateway.store.database import Connection

# So many calls are counted for the figures above the list; of more it is only said that there are more.
MOST_COUNTED = 30_000  # of a whole period: an index holds all that is counted
MOST_COUNTED_FILTERED = 5_000
MOST_COUNTED_BY_NAME = 1_500  # of a tag or a word: each call is looked at by itself
# Among so many calls of a tag or a word the other filters are looked for, before all calls are searched for them.
_AMONG = 1_000

Row = asyncpg.Record


@dataclass(frozen=True, slots=True)
class SourceCount:
    """What one source brought in a period."""

    source: Source | None
    calls: int


@dataclass(frozen=True, slots=True)
class Totals:
    """A period in a few numbers, and the calls of the one it is compared with (0 where there is none)."""

    calls: int
    calls_before: int
    answered: int
    missed: int
    talk_seconds: float


@dataclass(frozen=True, slots=True)
class Summary(Totals):
    """The same, with what each source brought; where ``is_cut``, only ``calls`` counts: there are more than so many."""

    sources: tuple[SourceCount, ...]
    is_cut: bool


NO_CALLS = Summary(calls=0, calls_before=0, answered=0, missed=0, talk_seconds=0, sources=(), is_cut=False)


async def page_of_calls(
    connection: Connection, company: Company, filter: CallFilter, before: Place | None, most: int
) -> tuple[list[CallRow], bool]:
    """At most ``most`` ended calls, newest first, and whether there are older ones."""
    await plan_with_values(connection)
    parameters = await parameters_of(connection, company, filter)
    if not (filter.tag or parameters["words"]):
        rows = await _page(connection, parameters, None, before, most + 1)
        return rows[:most], len(rows) > most
    # Where nothing else is asked for, hardly any of them is left out.
    is_alone = len(filter.names) == 1 and len(parameters["words"] or ()) <= 1
    size = most + 20 if is_alone else max(_AMONG, most + 1)
    among = await _named_by_tag_or_word(connection, parameters, before, size)
    found: list[CallRow] = []
    place = before
    if among:
        found = await _page(connection, parameters, [row["id"] for row in among], before, most + 1)
        place = Place(among[-1]["started_at"], among[-1]["id"])
    if len(among) == size and len(found) <= most:
        found += await _page(connection, parameters, None, place, most + 1 - len(found))
    return found[:most], len(found) > most


async def calls_now(connection: Connection, company: Company, filter: CallFilter) -> list[CallRow]:
    """Calls that ring or talk; none where the view asks for an outcome or for days that are over."""
    since, until = filter.period.bounds(company.zone, datetime.now(UTC))
    now = datetime.now(UTC)
    if (
        not filter.has_calls
        or filter.outcome
        or filter.talk
        or filter.counted
        or filter.of_touch
        or filter.job
        or (until and until <= now)
        or (since and since > now)
    ):
        return []
    parameters = await parameters_of(connection, company, filter)
    return [call_row(row) for row in await _all(_queries.calls_now(connection, **_among(parameters, None)))]


async def summary(connection: Connection, company: Company, filter: CallFilter, now: datetime) -> Summary:
    """The chosen period, compared with the one before it."""
    await plan_with_values(connection)
    parameters = await parameters_of(connection, company, filter)
    counted = MOST_COUNTED_FILTERED if filter else MOST_COUNTED
    among, most = await _all_named(connection, parameters, counted)
    rows = await _all(_queries.calls_in_short(connection, most=most, **_among(parameters, among)))
    calls = sum(row["calls"] for row in rows)
    is_cut = calls >= most or (among is not None and len(among) >= most)
    before = 0
    compared = _comparison(filter.period, company, now)
    if not is_cut and compared is not None and await _was_there(connection, company, compared[0]):
        earlier = parameters | dict(zip(("since", "until"), compared, strict=True))
        among, most = await _all_named(connection, earlier, counted)
        before = await _queries.how_many_calls(connection, most=most, **_among(earlier, among))
        if before >= most or (among is not None and len(among) >= most):
            before = 0  # more than can be compared with
    return Summary(
        calls=min(calls, most - 1),
        calls_before=before,
        answered=sum(row["answered"] for row in rows),
        missed=sum(row["missed"] for row in rows),
        talk_seconds=sum(row["talk_seconds"] for row in rows),
        sources=() if is_cut else tuple(SourceCount(source_of(row), row["calls"]) for row in rows if row["calls"]),
        is_cut=is_cut,
    )


async def count(connection: Connection, company: Company, filter: CallFilter) -> int:
    """How many ended calls the view holds: all of them, which takes its time."""
    await plan_with_values(connection)
    parameters = await parameters_of(connection, company, filter)
    return int(await _queries.count_calls(connection, **_among(parameters, None)))


async def has_calls(connection: Connection, company: Company) -> bool:
    """Whether the company has had any call."""
    return bool(await _queries.has_calls(connection, company_id=company.id))


async def numbers_of(connection: Connection, company: Company) -> list[tuple[str, Source | None]]:
    """Some of the company's numbers and what each stands for."""
    rows = await _all(_queries.numbers_of_company(connection, company_id=company.id))
    return [(row["e164"], source_of(row)) for row in rows]


def load_list_queries(file: str = "call_list.sql", second: str = "calls_page") -> Any:
    """The queries of a file, with the condition of the first one wherever another says that a lead must fit."""
    text = (Path(__file__).parent / file).read_text()
    first = text[text.index("-- name: fitting") : text.index(f"-- name: {second}")]
    condition = first[first.index("AND (:since") + len("AND ") :].strip().rstrip(";")
    return aiosql.from_str(text.replace("/* fits */ true", condition), "asyncpg", mandatory_parameters=False)


_queries = load_list_queries()


async def _page(
    connection: Connection, parameters: dict[str, Any], among: list[int] | None, before: Place | None, most: int
) -> list[CallRow]:
    rows = _queries.calls_page(
        connection,
        **_before(before),
        most=most,
        **_among(parameters, among),
    )
    return [call_row(row) for row in await _all(rows)]


def _before(place: Place | None) -> dict[str, Any]:
    at, id = place.among_calls if place else (None, None)
    return {"before_at": at, "before_id": id}


async def _named_by_tag_or_word(
    connection: Connection, parameters: dict[str, Any], before: Place | None, most: int
) -> Sequence[Row]:
    """The calls of the searched word, else of the tag: ids and times, in the order of the list."""
    scope = {
        "company_id": parameters["company_id"],
        "since": parameters["since"],
        "until": parameters["until"],
        **_before(before),
        "most": most,
    }
    if parameters["words"]:
        low, high = parameters["words"][0], parameters["word_ends"][0]
        return await _all(_queries.calls_worded(connection, low=low, high=high, **scope))
    return await _all(_queries.calls_tagged(connection, tag=parameters["tag"], **scope))


async def _all_named(connection: Connection, parameters: dict[str, Any], counted: int) -> tuple[list[int] | None, int]:
    """The calls to count among (none where neither tag nor word is asked for), and how many are counted at most."""
    if not (parameters["tag"] or parameters["words"]):
        return None, counted + 1
    scope = {name: parameters[name] for name in ("company_id", "since", "until")}
    most = MOST_COUNTED_BY_NAME + 1
    if parameters["words"]:
        low, high = parameters["words"][0], parameters["word_ends"][0]
        rows = await _all(_queries.some_worded(connection, low=low, high=high, most=most, **scope))
    else:
        rows = await _all(_queries.some_tagged(connection, tag=parameters["tag"], most=most, **scope))
    return [row["id"] for row in rows], most


def _among(parameters: dict[str, Any], among: list[int] | None) -> dict[str, Any]:
    """The parameters for looking among some calls: they have the first word already, or the tag where there is none."""
    if among is None:
        return {**parameters, "among": None}
    if not parameters["words"]:
        return {**parameters, "among": among, "tag": None}
    rest = {name: parameters[name][1:] or None for name in ("words", "word_ends")}
    return {**parameters, "among": among, **rest}


async def parameters_of(connection: Connection, company: Company, filter: CallFilter) -> dict[str, Any]:
    """All that the conditions of calls and of other leads want to know, but the calls to look among."""
    if filter.of_touch is not None or filter.job is not None:
        await catch_up(connection, company.id)
    since, until = filter.period.bounds(company.zone, datetime.now(UTC))
    sought, number = filter.sought(company), filter.number
    if sought.whole and await _queries.is_tracking_number(connection, company_id=company.id, number=sought.whole):
        # Who types one of his own numbers looks for the calls that came in on it.
        sought, number = Sought(), number or sought.whole
    begins = sought.begins or (None, None)
    # The longest word is the rarest, mostly.
    words = sorted(sought.words, key=len, reverse=True)
    talk = filter.talk or Between()
    yes = {"yes": True, "no": False, None: None}
    return {
        "company_id": company.id,
        "since": since,
        "until": until,
        "source": filter.source if isinstance(filter.source, int) else None,
        "no_source": filter.source == "none",
        **{name: _known(getattr(filter, name)) for name in ("channel", "campaign", "keyword", "region")},
        **{name: _known(getattr(filter, name)) for name in ("landing", "city", "device")},
        "pool": filter.pool if isinstance(filter.pool, int) else None,
        "no_pool": filter.pool == "none",
        "number": _known(number),
        "outcomes": filter.outcomes if filter.talk is None else filter.outcomes or ["answered"],
        "status": filter.status.value if filter.status else None,
        "tag": filter.tag,
        "by": None if filter.by == NOT_SET else filter.by,
        "nobody": filter.by == NOT_SET,
        "talk_least": talk.least,
        "talk_most": talk.most,
        "first": yes[filter.first],
        "qualified": yes[filter.qualified],
        "sure": filter.sure,
        "screened": filter.screened,
        "counted": filter.counted is not None,
        "reached": yes[filter.reached],
        "job": yes[filter.job],
        "credit": None if filter.of_touch is None else MODELS.index(filter.of_touch) + 1,
        "clicked_since": filter.clicked.first if filter.clicked else None,
        "clicked_until": filter.clicked.last + timedelta(days=1) if filter.clicked else None,
        "caller": None if filter.caller == "withheld" else filter.caller,
        "withheld": filter.caller == "withheld",
        "weekday": filter.hour.weekday if filter.hour else None,
        "hour": filter.hour.hour if filter.hour else None,
        "zone": company.zone.key,
        **_stretch("begins", begins[0]),
        **_stretch("also", begins[-1]),
        **_stretch("ends", sought.ends),
        "words": words or None,
        "word_ends": [Stretch.beginning(word).high for word in words] or None,
    }


def _known(value: str | None) -> str | None:
    """As calls have it: what is not known is empty there."""
    return "" if value == NOT_SET else value


def _stretch(name: str, stretch: Stretch | None) -> dict[str, str | None]:
    return {f"{name}_low": stretch.low if stretch else None, f"{name}_high": stretch.high if stretch else None}


def _comparison(period: Period, company: Company, now: datetime) -> tuple[datetime | None, datetime | None] | None:
    """When the period to compare with begins and is over; none where there is none."""
    before = period.before(now.astimezone(company.zone).date())
    return before.bounds(company.zone, now) if before else None


async def _was_there(connection: Connection, company: Company, since: datetime | None) -> bool:
    """Whether there were calls before ``since``: a period that began without Numberpool is nothing to compare with."""
    return since is None or bool(await _queries.had_calls(connection, company_id=company.id, before=since))


async def plan_with_values(connection: Connection) -> None:
    """Also without parallel workers: a page is soon read, and theirs is the time of other pages."""
    await connection.execute(
        "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL max_parallel_workers_per_gather = 0"
    )


async def _all(rows: Any) -> Sequence[Row]:
    return [row async for row in rows]
