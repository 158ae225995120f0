"""Many numbers at once: each line that cannot be used is named, with what is wrong and how to mend it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from gateway.calls.emergency import is_emergency
from gateway.pools import errors, pool_errors, setup
from gateway.pools.loops import called_by, leads_to
from gateway.pools.number_table import Entry
from gateway.pools.numbers import NumberError, to_e164
from gateway.pools.pool_setup import price
from gateway.pools.setup import Company, sound_of
from gateway.store.queries import load_queries

Progress = Callable[[int, int], None]
Place = TypeVar("Place")

_ROUNDED = re.compile(r"[0-9][.,][0-9]+E\+?[0-9]+", re.IGNORECASE)
# Numbers between two words of progress, and in one statement.
_STEP = 500

_queries = load_queries(Path(__file__).parent, "number_changes.sql")


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be used. ``what`` begins with the number as it stands there, and ends with the mend.

    ``kind`` is the class of the error, ``Twice`` or ``Taken``; ``text`` the number, ``where`` the pool that has it.
    """

    line: int
    what: str
    kind: str = ""
    text: str = ""
    where: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a list: the numbers that were made, as E.164, and the lines that were left out."""

    made: tuple[str, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    e164: str
    pool_id: int
    source_id: int | None
    destination_id: int | None
    whisper: str | None
    price: Decimal | None
    note: str


async def import_numbers(
    connection: Any,
    company: Company,
    entries: Sequence[Entry],
    *,
    pool: str | None = None,
    source: str | None = None,
    destination: str | None = None,
    only_good: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> Imported:
    """Make the numbers of a list. What a line does not say of itself is said by ``pool``, ``source``, ``destination``.

    Without a pool they join the company's static numbers. All or none, unless ``only_good`` leaves the faulty lines
    out. ``progress`` is told how many are done of how many. Raises FaultyImport, which names every faulty line;
    NoSuchPool, NoSuchSource, NoSuchDestination for what all lines share.
    """
    static = pool is None or any(entry.said.get("pool") == setup.STATIC_POOL for entry in entries)
    places = await _Places.read(connection, company, pool, source, destination, static=static)
    rows: list[_Row] = []
    faults: list[Fault] = []
    first: dict[str, int] = {}
    for done, entry in enumerate(entries):
        if done % _STEP == 0:
            progress(done, len(entries))
        try:
            row = places.row(entry)
        except (NumberError, errors.SetupError) as error:
            faults.append(Fault(entry.line, str(error), type(error).__name__, entry.text))
            continue
        if row.e164 in first:
            what = f"{entry.text!r} stands in line {first[row.e164]} already; remove one of them."
            faults.append(Fault(entry.line, what, "Twice", entry.text))
            continue
        first[row.e164] = entry.line
        rows.append(row)
    rows, clashes = await _without_clashes(connection, company, rows)
    faults = sorted([*faults, *clashes], key=lambda fault: fault.line)
    if faults and not only_good:
        raise pool_errors.FaultyImport("\n".join(map(str, faults)))
    made: list[str] = []
    for start in range(0, len(rows), _STEP):
        made += await _write(connection, company, rows[start : start + _STEP])
    progress(len(entries), len(entries))
    written = set(made)
    late = [Fault(row.line, _taken(row.e164), "Taken", row.e164) for row in rows if row.e164 not in written]
    if late and not only_good:
        raise pool_errors.FaultyImport("\n".join(map(str, late)))
    return Imported(tuple(made), tuple(sorted([*faults, *late], key=lambda fault: fault.line)))


@dataclass(frozen=True, slots=True)
class _Places:
    """Where numbers of a company can go, by name, and where they go where their line does not say."""

    company: Company
    pools: Mapping[str, tuple[int, str]]
    sources: Mapping[str, int]
    destinations: Mapping[str, int]
    called: frozenset[str]
    pool: str
    source: str | None
    destination: str | None

    @classmethod
    async def read(
        cls,
        connection: Any,
        company: Company,
        pool: str | None,
        source: str | None,
        destination: str | None,
        *,
        static: bool,
    ) -> "_Places":
        """As they are; the pool of static numbers is made where it is needed (``static``) and not there."""
        pools = {row["name"]: (row["id"], row["kind"]) for row in await setup.pools(connection, company)}
        if static and setup.STATIC_POOL not in pools:
            pools[setup.STATIC_POOL] = (await setup.add_pool(connection, company, setup.STATIC_POOL), "static")
        places = cls(
            company,
            pools,
            {row["name"]: row["id"] for row in await setup.sources(connection, company)},
            {row["name"]: row["id"] for row in await setup.destinations(connection, company)},
            called_by([row["dial"] async for row in _queries.dial_strings(connection)]),
            (pool or setup.STATIC_POOL).strip(),
            source,
            destination,
        )
        for name, known, missing in (
            (places.pool, places.pools, errors.NoSuchPool),
            (source, places.sources, errors.NoSuchSource),
            (destination, places.destinations, errors.NoSuchDestination),
        ):
            if name is not None and name.strip() not in known:
                raise missing(name)
        return places

    def row(self, entry: Entry) -> _Row:
        """What a line says, checked. Raises NumberError, SetupError."""
        if not entry.text:
            raise pool_errors.EmptyLine(entry.said.get("note", ""))
        if _ROUNDED.fullmatch(entry.text):
            raise pool_errors.RoundedNumber(entry.text)
        e164 = to_e164(entry.text, self.company.region)
        if is_emergency(e164, self.company.region):
            raise errors.EmergencyNumber(entry.text)
        if leads_to(self.called, e164, self.company.region):
            raise errors.IsDestination(entry.text)
        pool_id, kind = _named(entry.said.get("pool", self.pool), self.pools, errors.NoSuchPool)
        source = entry.said.get("source", self.source)
        if kind == "static" and source is None:
            raise errors.NeedsSource(entry.text)
        destination = entry.said.get("destination", self.destination)
        said_price = entry.said.get("price")
        return _Row(
            entry.line,
            e164,
            pool_id,
            None if source is None else _named(source, self.sources, errors.NoSuchSource),
            None if destination is None else _named(destination, self.destinations, errors.NoSuchDestination),
            sound_of(entry.said.get("whisper")),
            None if said_price is None else price(said_price),
            entry.said.get("note", ""),
        )


def _named(name: str, known: Mapping[str, Place], missing: type[errors.SetupError]) -> Place:
    if name.strip() not in known:
        raise missing(name)
    return known[name.strip()]


async def _without_clashes(connection: Any, company: Company, rows: Iterable[_Row]) -> tuple[list[_Row], list[Fault]]:
    """The rows whose numbers are not here yet, and what is said of the others."""
    rows = list(rows)
    known = _queries.known_numbers(connection, numbers=[row.e164 for row in rows])
    taken = {row["e164"]: row async for row in known}
    clashes = []
    for row in rows:
        clash = taken.get(row.e164)
        if clash is None:
            continue
        pool = clash["pool"] if clash["company_id"] == company.id else ""
        where = f"of {pool}" if pool else "of another company"
        clashes.append(Fault(row.line, _taken(row.e164, where), "Taken", row.e164, pool))
    return [row for row in rows if row.e164 not in taken], clashes


def _taken(e164: str, where: str = "") -> str:
    kind = f"a tracking number {where}".rstrip()
    return f"{e164} is {kind} already; remove the line, or move the number: numberpool number move."


async def _write(connection: Any, company: Company, rows: Sequence[_Row]) -> list[str]:
    made = _queries.import_numbers(
        connection,
        company_id=company.id,
        pools=[row.pool_id for row in rows],
        numbers=[row.e164 for row in rows],
        sources=[row.source_id for row in rows],
        destinations=[row.destination_id for row in rows],
        whispers=[row.whisper for row in rows],
        prices=[row.price for row in rows],
        notes=[row.note for row in rows],
    )
    return [row["e164"] async for row in made]
