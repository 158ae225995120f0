"""What a walk along every route needs: strangers with a row in every table, and what can be put into an address.

The strangers' rows are those with which migrations are tried, so a table that is added tomorrow is among them. Their
ids begin where ours never come, and their texts carry a word that no page of ours says: whatever shows it has shown
something of another company.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

import gateway.http
from gateway.http.routing import Route
from gateway.store.database import Database
from tests.store.test_migrations import ROWS, fill

# Ours are below. A tracking number ends with its company's id, so it must not be long.
FIRST_ID = 5000
NOBODYS_ID = 4999
NOBODYS_UUID = "019390a0-0000-7000-8000-000000000000"
WORD = "zyzzyva"

_PLACE = re.compile(r"{(\w+):((?:[^{}]|{[^{}]*})*)}")
# Values for places other than ids. A new kind of place is to be named here, with something of the strangers' that fits;
# none where a route answers everybody alike.
PLACES: dict[str, str] = {
    "token": "nonsense",
    "version": "0",
    "file": "pages.css",
}
# How fields of queries and forms are named in the source: whatever is read there is tried.
_READ = re.compile(
    r"""(?:query|form|posted|values)(?:\.get)?[\[(]"([\w-]+)"|form\.(?:text|choice|whole|decimal|phone|flag|value)\("([\w-]+)\"""",
    re.VERBOSE,
)

# A filter's fields are what an address may say.
_FIELD = re.compile(r"^    (\w+): ", re.MULTILINE)


@dataclass(frozen=True)
class Strangers:
    """Two companies that nobody here belongs to."""

    companies: tuple[int, ...]
    ids: tuple[int, ...]  # of any of their rows
    uuids: tuple[str, ...]
    words: tuple[str, ...]  # what stands in their rows and nowhere else

    def fitting(self, route: Route) -> list[int | str]:
        """Those of the ids that the route's path takes."""
        every: tuple[int | str, ...] = (*self.ids, *self.uuids[:3])
        return [id for id in every if fits(route, id)]


async def make_strangers(dsn: str) -> Strangers:
    """Fill an empty, migrated database with them; what is made later has small ids."""
    connection = await asyncpg.connect(dsn)
    try:
        sequences = [
            row[0]
            for row in await connection.fetch(
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_depend d ON d.objid = c.oid AND d.deptype = 'i' "
                "WHERE c.relkind = 'S' AND c.relnamespace = 'public'::regnamespace"
            )
        ]
        for sequence in sequences:
            await connection.execute(f"ALTER SEQUENCE {sequence} RESTART WITH {FIRST_ID}")
        await fill(dsn, *ROWS)
        for sequence in sequences:
            await connection.execute(f"ALTER SEQUENCE {sequence} RESTART WITH 1")
        await connection.execute("SELECT set_config('numberpool.companies', 'all', false)")
        await _mark(connection)
        await connection.execute("UPDATE users SET email = $1 || email, name = $1", WORD)
        return await _found(connection)
    finally:
        await connection.close()


async def _mark(connection: Any) -> None:
    """Put the word into every text that may hold it."""
    for table, columns in (await _tables(connection)).items():
        for column, kind in columns.items():
            if kind != "text":
                continue
            try:
                async with connection.transaction():
                    await connection.execute(f'UPDATE "{table}" SET "{column}" = $1 || \' \' || "{column}"', WORD)
            except asyncpg.PostgresError:
                continue  # a number, a state, a line of the audit log


async def _tables(connection: Any) -> dict[str, dict[str, str]]:
    """Each table that has companies, with its columns and their types."""
    tables: dict[str, dict[str, str]] = {}
    for row in await connection.fetch(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS kind "
        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    ):
        tables.setdefault(row["relname"], {})[row["attname"]] = row["kind"]
    return {table: columns for table, columns in tables.items() if table == "companies" or "company_id" in columns}


async def _found(connection: Any) -> Strangers:
    ids, uuids, numbers = set[int](), set[str](), set[str]()
    for table, columns in (await _tables(connection)).items():
        for column, kind in columns.items():
            if kind not in ("bigint", "uuid") and column != "e164":
                continue
            values = {row[0] for row in await connection.fetch(f'SELECT DISTINCT "{column}" FROM "{table}"')} - {None}
            if kind == "bigint":
                ids |= {value for value in values if value >= FIRST_ID}
            elif kind == "uuid":
                uuids |= set(map(str, values))
            else:
                numbers |= values
    companies = tuple(row[0] for row in await connection.fetch("SELECT id FROM companies ORDER BY id"))
    endings = {number[-8:] for number in numbers if WORD not in number}
    return Strangers(companies, tuple(sorted(ids)), tuple(sorted(uuids)), (WORD, *sorted(endings)))


async def rows_of(database: Database, strangers: Strangers) -> dict[str, list[str]]:
    """Everything that the strangers have, to be compared."""
    async with database.everything() as connection:
        rows: dict[str, list[str]] = {}
        for table in await _tables(connection):
            column = "id" if table == "companies" else "company_id"
            found = await connection.fetch(
                f'SELECT t::text FROM "{table}" t WHERE {column} = ANY ($1::bigint[]) ORDER BY 1',
                list(strangers.companies),
            )
            rows[table] = [row[0] for row in found]
        rows["users"] = [
            row[0] for row in await connection.fetch("SELECT u::text FROM users u WHERE id >= $1 ORDER BY 1", FIRST_ID)
        ]
    return rows


def places(route: Route) -> list[str]:
    """What the route's path wants to be filled with, by name."""
    return [name for name, _ in _PLACE.findall(route.path)]


def fits(route: Route, id: int | str) -> bool:
    """Whether one of the path's places takes that id."""
    return any(re.fullmatch(pattern, str(id)) for _, pattern in _PLACE.findall(route.path))


def address(route: Route, id: int | str, *, first: int | None = None) -> str:
    """The route's path with ``id`` wherever it wants one, but ``first`` in its first place, where that is given.

    Raises KeyError for a place that takes no id and is not named above.
    """
    begun = iter([first] if first is not None else [])

    def fill_in(found: re.Match[str]) -> str:
        name, pattern = found.groups()
        own = next(begun, None)
        if own is not None and re.fullmatch(pattern, str(own)):
            return str(own)
        fitting = next((each for each in (str(id), NOBODYS_UUID) if re.fullmatch(pattern, each)), None)
        return fitting if fitting is not None else PLACES[name]

    return _PLACE.sub(fill_in, route.path)


def names_read(route: Route | None = None) -> list[str]:
    """The names of what a page reads from a query or a form: of one route, by its handler's module and what all share.

    None: of all routes.
    """
    found: set[str] = set()
    for file in sorted(Path(gateway.http.__path__[0]).glob("*.py")):
        shared = file.stem.endswith("_filter") or file.stem in ("scope", "periods")
        if route is not None and not shared and route.handler.__module__ != f"gateway.http.{file.stem}":
            continue
        text = file.read_text()
        for pair in _READ.findall(text):
            found |= {name for name in pair if name}
        if file.stem.endswith("_filter"):
            found |= set(_FIELD.findall(text))
    return sorted(found - {"next", "language"})
