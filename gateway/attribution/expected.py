"""Expected calls: each call is split over whoever may have made it, so that totals stay true with few numbers."""

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "expected.sql")


@dataclass(frozen=True, slots=True)
class ExpectedCalls:
    """How many calls a source is to be expected to have brought, plus or minus ``error`` (one standard error).

    ``source_id`` is none for calls of nobody's visit, and of visits too unlikely to be told apart. ``credited`` is how
    many calls the source has on the call log, each whole.
    """

    source_id: int | None
    name: str | None
    colour: int | None
    expected: float
    error: float
    credited: int


async def expected_calls(connection: Any, company_id: int, since: datetime, until: datetime) -> list[ExpectedCalls]:
    """By source, the most first; they add up to the calls of the time.

    Each call is a draw of one source by its chances, so that counts have the variance of such draws: the sum of
    p (1 - p). Candidates count for the touch that the company's own model names.
    """
    rows = _queries.expected_calls(connection, company_id=company_id, since=since, until=until)
    return [
        ExpectedCalls(
            row["source_id"],
            row["name"],
            row["colour"],
            row["expected"],
            math.sqrt(max(row["variance"], 0.0)),
            row["credited"],
        )
        async for row in rows
    ]
