"""Takes the example out again: all that is its own, and nothing else."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.calls.sides import UnsafePath, recording_path
from gateway.example.chance import MARKED
from gateway.example.filling import NODE, RULE_NOTE, ExampleRefused
from gateway.example.spending import KIND
from gateway.store.database import Connection, Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "removing.sql")
_example = load_queries(Path(__file__).parent, "example.sql")


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out of a company; ``company`` is gone as well where it was made for the example."""

    name: str
    company_is_gone: bool


async def remove(database: Database, data_folder: Path, company_id: int | None = None) -> list[Removed]:
    """Take the example out of one company, or of all; what was done. Files go once the rows are gone for good.

    Raises ExampleRefused where there is none.
    """
    async with database.everything() as connection:
        rows = [row async for row in _example.filled(connection)]
    wanted = [row for row in rows if company_id in (None, row["id"])]
    if not wanted:
        raise ExampleRefused("there is no example data here; nothing was taken out")
    removed = []
    for row in wanted:
        # One that sees all: a company can only be removed by whoever sees every row that refers to it.
        async with database.everything() as connection:
            files = [each["file"] async for each in _queries.files(connection, company_id=row["id"], node=NODE)]
            await _remove_rows(connection, row)
            is_gone = row["made_company"] and await _queries.is_bare(connection, company_id=row["id"])
            if is_gone:
                await remove_company(connection, row["id"])
            await _queries.remove_node(connection, node=NODE)
        await asyncio.to_thread(_unlink, data_folder, files)
        removed.append(Removed(row["name"], is_gone))
    return removed


async def remove_company(connection: Connection, company_id: int) -> None:
    """Remove a company in which nothing happened, with its settings, over a connection that sees all."""
    place = {"company_id": company_id}
    await _queries.name_removed(connection, company=str(company_id))
    await _queries.end_all_leases(connection, **place)
    await _queries.remove_all_leases(connection, **place)
    await _queries.remove_numbers(connection, **place)
    await _queries.remove_audit(connection, **place)
    await _queries.remove_company(connection, **place)


async def _remove_rows(connection: Connection, row: Any) -> None:
    place: dict[str, Any] = {"company_id": row["id"]}
    made = json.loads(row["made"])
    await _queries.remove_jobs(connection, **place, node=NODE, marked=MARKED)
    await _queries.remove_calls(connection, **place, node=NODE)
    await _queries.remove_leads(connection, **place, marked=MARKED)
    await _queries.remove_visits(connection, **place, since=row["since"], marked=MARKED)
    await _queries.release_numbers(connection, **place, marked=MARKED)
    await _queries.remove_leases(connection, **place, marked=MARKED)
    await _queries.remove_hours(connection, **place, until=row["until"])
    await _queries.unlearn(connection, **place)
    await _queries.remove_people(connection, **place)
    await _queries.remove_spend(connection, **place, kind=KIND)
    await _queries.remove_tags(connection, **place, ids=made["tag"])
    await _queries.remove_sources(connection, **place, ids=made["source"])
    await _queries.remove_rules(connection, **place, callers=made["blocked"], note=RULE_NOTE)
    await _queries.remove_note(connection, **place)


def _unlink(data_folder: Path, files: list[str]) -> None:
    folders = set()
    for file in files:
        try:
            path = recording_path(data_folder, file)
        except UnsafePath:
            continue
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in sorted(folders, reverse=True):
        for each in (folder, folder.parent, folder.parent.parent):
            try:
                each.rmdir()
            except OSError:  # others' recordings are in it
                break
