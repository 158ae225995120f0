"""Flows changed by their ids, as pages do it: made, changed, removed, put back, and whose calls go by them."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.calls.flow import write_flow
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "flow_changes.sql")

# Of a flow's own numbers, on its page.
MOST_NUMBERS = 200


@dataclass(frozen=True, slots=True)
class KeptFlow:
    """A flow as it is stored; ``body`` is its document."""

    id: int
    name: str
    revision: int
    body: Any

    @property
    def as_values(self) -> dict[str, Any]:
        """For undo."""
        return {"id": self.id, "name": self.name, "revision": self.revision, "body": self.body}


@dataclass(frozen=True, slots=True)
class Place:
    """A pool or a source, its flow, its numbers, and how many of them do not go by its flow whatever it is."""

    id: int
    name: str
    flow_id: int | None
    numbers: int
    others: int


@dataclass(frozen=True, slots=True)
class Assigned:
    """Whose calls go by which flow in a company."""

    company_flow: int | None
    closed_now: bool
    pools: tuple[Place, ...]
    sources: tuple[Place, ...]
    by_flow: Mapping[int, int]  # flow (0: none) -> how many numbers go by it in the end


async def one_flow(connection: Any, company_id: int, id: int, *, hold: bool = False) -> KeptFlow | None:
    """A flow; with ``hold`` nobody else changes it until the end of the transaction."""
    find = _queries.hold_flow if hold else _queries.flow_by_id
    row = await find(connection, company_id=company_id, id=id)
    return None if row is None else _kept(row)


async def add_flow(connection: Any, company_id: int, name: str, start: Any) -> int | None:
    """Make a flow; none where another has that name."""
    body = json.dumps(write_flow(start))
    id: int | None = await _queries.add_flow(connection, company_id=company_id, name=name, body=body)
    return id


async def change_flow(connection: Any, company_id: int, id: int, name: str, body: Any) -> KeptFlow | None:
    """Name and document of a flow; none where it is gone, or another has that name."""
    if await _queries.name_is_taken(connection, company_id=company_id, name=name, id=id):
        return None
    row = await _queries.change_flow(connection, company_id=company_id, id=id, name=name, body=json.dumps(body))
    return None if row is None else _kept(row)


async def drop_flow(connection: Any, company_id: int, id: int) -> None:
    """Remove a flow that nothing goes by."""
    await _queries.drop_flow(connection, company_id=company_id, id=id)


async def put_flow_back(connection: Any, company_id: int, values: Mapping[str, Any]) -> bool:
    """A flow that was removed is there again; false where another has its name."""
    back = {"id": values["id"], "name": values["name"], "body": json.dumps(values["body"])}
    revision = int(values["revision"]) + 1
    return await _queries.put_flow_back(connection, company_id=company_id, revision=revision, **back) is not None


async def assigned(connection: Any, company_id: int) -> Assigned:
    """Whose calls go by which flow."""
    row = await _queries.company_flow(connection, company_id=company_id)
    return Assigned(
        row["flow_id"],
        row["closed_now"],
        tuple([Place(**dict(each)) async for each in _queries.pools_and_flows(connection, company_id=company_id)]),
        tuple([Place(**dict(each)) async for each in _queries.sources_and_flows(connection, company_id=company_id)]),
        {
            each["flow_id"]: each["numbers"]
            async for each in _queries.numbers_by_flow(connection, company_id=company_id)
        },
    )


async def numbers_of(connection: Any, company_id: int, flow_id: int) -> dict[int, str]:
    """The numbers that go by a flow of their own, by id."""
    rows = _queries.numbers_with_flow(connection, company_id=company_id, flow_id=flow_id, most=MOST_NUMBERS)
    return {row["id"]: row["e164"] async for row in rows}


async def number_by_e164(connection: Any, company_id: int, e164: str) -> Any:
    """A number with its flow; none where the company has no such number."""
    return await _queries.number_with_flow(connection, company_id=company_id, e164=e164)


async def flow_of_one(connection: Any, company_id: int, whose: str, id: int) -> int | None:
    """The flow of a pool, source or number by itself."""
    found: int | None = await _queries.flow_of_one(connection, company_id=company_id, whose=whose, id=id)
    return found


async def let_go_by(
    connection: Any, company_id: int, flow_id: int | None, whose: str, ids: Collection[int] = ()
) -> None:
    """Let calls of the company, or of these pools, sources or numbers, go by a flow; none: by none of their own."""
    values = {"company_id": company_id, "flow_id": flow_id}
    match whose:
        case "company":
            await _queries.flow_of_all_calls(connection, **values)
        case "pool":
            await _queries.flow_of_pools(connection, ids=list(ids), **values)
        case "source":
            await _queries.flow_of_sources(connection, ids=list(ids), **values)
        case "number":
            await _queries.flow_of_numbers(connection, ids=list(ids), **values)


def _kept(row: Any) -> KeptFlow:
    return KeptFlow(row["id"], row["name"], row["revision"], json.loads(row["body"]))
