"""What the list of calls can be filtered by, in words: chips of what is chosen, and the choices of the filter page."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.http.accounts import Company
from gateway.http.call_filter import OUTCOMES, SCREENED, SURE, CallFilter, CallView
from gateway.http.call_store import Source
from gateway.http.refusals import NotFound
from gateway.http.words import NOT_SET, Words
from gateway.leads.marks import Status
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "call_choices.sql")

# Seconds of talk as they are offered; others can stand in an address.
TALKS = ("-30", "30-120", "120-600", "600-")


@dataclass(frozen=True, slots=True)
class Chip:
    """One chosen filter: what it is about, its value, and the view without it."""

    name: str
    about: str
    value: str
    url: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to filter by, with the values there are: (value in the address, what people read)."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    chosen: str


async def chips(connection: Connection, company: Company, view: CallView, words: Words) -> list[Chip]:
    """The filters that are set. NotFound where one names what the company does not have."""
    filter = view.filter
    names = filter.names
    if not names:
        return []
    named = await _queries.named(
        connection,
        company_id=company.id,
        source=filter.source if isinstance(filter.source, int) else None,
        pool=filter.pool if isinstance(filter.pool, int) else None,
        tag=filter.tag,
        by=filter.by,
    )
    source = Source(*named["source"]) if named["source"] and named["source"][0] else None
    if (isinstance(filter.source, int) and source is None) or (isinstance(filter.pool, int) and named["pool"] is None):
        raise NotFound()
    if filter.tag and named["tag"] is None:
        raise NotFound()
    found = {
        "source": source.name if source else words.say("Unknown"),
        "pool": named["pool"] or words.say("No pool"),
        "tag": named["tag"],
        "by": words.say("Nobody answered") if filter.by == NOT_SET else named["person"] or _endpoint(filter.by or ""),
    }
    return [
        Chip(
            name,
            words.filter_name(name),
            found.get(name) or words.filter_value(name, str(getattr(filter, name))),
            view.url(**{name: None}),
            source if name == "source" else None,
        )
        for name in names
    ]


async def choices(connection: Connection, company: Company, filter: CallFilter, words: Words) -> list[Choice]:
    """All that can be filtered by, in the order in which people ask: what brought it, what became of it, who it was."""
    values = _Values(connection, company.id, words)
    kinds = ["call", "written", *await values.kinds()]
    found: list[tuple[str, list[tuple[str, str]]]] = [
        ("kind", [(each, words.lead_kind(each)) for each in kinds] if len(kinds) > 2 else []),
        ("source", [*await values.named(_queries.sources), ("none", words.say("Unknown"))]),
        ("channel", await values.plain(_queries.channels)),
        ("campaign", await values.plain(_queries.campaigns)),
        ("keyword", await values.plain(_queries.keywords)),
        ("pool", await values.named(_queries.pools)),
        ("number", await values.numbers()),
        ("outcome", [(each, words.outcome_name(each)) for each in ("answered", "missed", *OUTCOMES[1:])]),
        ("by", await values.people()),
        ("talk", [(each, words.filter_value("talk", each)) for each in TALKS]),
        ("status", [(each.value, words.status(each)) for each in Status]),
        ("tag", await values.named(_queries.tags)),
        ("qualified", [(each, words.filter_value("qualified", each)) for each in ("yes", "no")]),
        ("first", [(each, words.filter_value("first", each)) for each in ("yes", "no")]),
        ("region", [(each, words.place(each)) for each, _ in await values.plain(_queries.regions)]),
        ("screened", [(each, words.screened(each)) for each in SCREENED] if "screened" in filter.names else []),
        ("sure", [(each, words.filter_value("sure", each)) for each in SURE]),
    ]
    return [
        Choice(name, words.filter_name(name), _with_chosen(name, filter, options, words), filter.query().get(name, ""))
        for name, options in found
        if options or name in filter.names
    ]


class _Values:
    """The values that there are, as options."""

    def __init__(self, connection: Connection, company_id: int, words: Words) -> None:
        self._connection = connection
        self._company_id = company_id
        self._words = words

    async def named(self, query: Callable[..., Any]) -> list[tuple[str, str]]:
        return [(str(row["id"]), row["name"]) async for row in query(self._connection, company_id=self._company_id)]

    async def plain(self, query: Callable[..., Any]) -> list[tuple[str, str]]:
        rows = query(self._connection, company_id=self._company_id)
        return [(row["value"], row["value"]) async for row in rows if row["value"]]

    async def kinds(self) -> list[str]:
        rows = _queries.kinds(self._connection, company_id=self._company_id)
        return [row["value"] async for row in rows]

    async def numbers(self) -> list[tuple[str, str]]:
        rows = _queries.numbers(self._connection, company_id=self._company_id)
        return [(row["e164"], f"{self._words.phone(row['e164'])} · {row['name']}") async for row in rows]

    async def people(self) -> list[tuple[str, str]]:
        rows = _queries.people(self._connection, company_id=self._company_id)
        return [(row["value"], row["name"] or _endpoint(row["value"])) async for row in rows]


def _with_chosen(
    name: str, filter: CallFilter, options: list[tuple[str, str]], words: Words
) -> tuple[tuple[str, str], ...]:
    """A value that stands in the address and is not among the offered ones is offered too."""
    chosen = filter.query().get(name)
    if chosen and chosen not in [value for value, _ in options]:
        options = [*options, (chosen, words.filter_value(name, chosen))]
    return tuple(options)


def _endpoint(name: str) -> str:
    """A telephone without its technology."""
    return name.partition("/")[2] or name
