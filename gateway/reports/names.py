"""How the values of dimensions are called: sources, pools and people have names; the others are what they are."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from gateway.reports.dimension import Dimension
from gateway.reports.figures import Key
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "names.sql")


async def keys_of(connection: Any, company_id: int, dimension: Dimension, values: Collection[str]) -> Mapping[str, Key]:
    """A key for each value; the unknown one ("") has no name: the page has words for it."""
    found = {value: Key(value, value) for value in values}
    asked: list[Any] = [value for value in values if value]
    if dimension in (Dimension.SOURCE, Dimension.POOL):
        query = _queries.sources if dimension is Dimension.SOURCE else _queries.pools
        asked = [int(value) for value in asked]
    elif dimension is Dimension.PERSON:
        query = _queries.people
    else:
        return found
    if asked:
        async for row in query(connection, company_id=company_id, ids=asked):
            found[row["value"]] = Key(row["value"], row["name"], row["colour"])
    return found
