"""Adds up a day's calls and leads: by each thing they are told apart by, and by pairs of these."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from gateway.reports.cube import BITS, COLUMNS, MODELS, PAIR_MODELS, PAIRS, KeyBook, Sums, queries
from gateway.reports.dimension import Dimension
from gateway.reports.packed import Entries, pack, together

_BY_CLICK = 2

# Expected calls are counted by the day of the call, whatever the model.
_EXPECTED_KIND = 1 << len(MODELS) | (1 << len(MODELS)) - 1
_COUNTED = Sums._fields[: Sums._fields.index("expected")]


async def sums_of_day(connection: Any, company_id: int, day: date, book: KeyBook) -> Mapping[int, bytes]:
    """The sums of a day, packed, by what they are told by. For whoever holds the lock: values may get their numbers."""
    parts: dict[int, list[Entries]] = {}
    row = await queries().day_facts(connection, company_id=company_id, day=day)
    if row is not None:
        numbers = await book.add({value for name in COLUMNS for value in row[name]})
        count = len(row["kind"])
        columns = {name: np.fromiter((numbers[value] for value in row[name]), np.int64, count) for name in COLUMNS}
        kind = np.array(row["kind"], np.int64)
        figures = np.zeros((len(Sums._fields), count))
        for place, name in enumerate(_COUNTED):
            figures[place] = row[name]
        nothing = np.zeros(count, np.int64)
        every = Entries(nothing, nothing, kind, figures)
        for names in ((), *((name,) for name in COLUMNS)):
            first = columns[names[0]] if names else nothing
            parts[sum(BITS[name] for name in names)] = [replace(every, first=first).added()]
            await asyncio.sleep(0)  # calls are answered meanwhile
        is_of_pairs = (kind >> len(MODELS) < _BY_CLICK) & (kind & PAIR_MODELS != 0)
        whole = replace(every, kind=1 << len(MODELS) | kind & PAIR_MODELS).of(is_of_pairs)
        for one, other in PAIRS:
            both = replace(whole, first=columns[one][is_of_pairs], second=columns[other][is_of_pairs])
            parts[BITS[one] | BITS[other]] = [both.added()]
            await asyncio.sleep(0)
    for told_by, chances in (await _chances(connection, company_id, day, book)).items():
        parts.setdefault(told_by, []).append(chances)
    return {told_by: pack(together(each)) for told_by, each in parts.items()}


async def _chances(connection: Any, company_id: int, day: date, book: KeyBook) -> dict[int, Entries]:
    rows = [row async for row in queries().day_chances(connection, company_id=company_id, day=day)]
    numbers = await book.add({row["key"] for row in rows})
    found = {}
    for name in (Dimension.SOURCE, Dimension.CHANNEL):
        own = [row for row in rows if row["told_by"] == BITS[name]]
        if not own:
            continue
        figures = np.zeros((len(Sums._fields), len(own)))
        figures[Sums._fields.index("expected")] = [row["expected"] for row in own]
        figures[Sums._fields.index("variance")] = [row["variance"] for row in own]
        found[BITS[name]] = Entries(
            np.fromiter((numbers[row["key"]] for row in own), np.int64, len(own)),
            np.zeros(len(own), np.int64),
            np.full(len(own), _EXPECTED_KIND, np.int64),
            figures,
        )
    return found
