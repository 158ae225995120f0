"""What sources cost in a period: what was entered for them, and the price of their numbers.

An amount is shared evenly by its days, in whole smallest coins, so that the parts of a period add up to it. The numbers
of static pools belong to the cost of the source that they stand for. Those of dynamic pools serve many sources: they
are part of the total, and of no source.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.reports.dimension import Dimension
from gateway.reports.money import digits_of
from gateway.reports.question import Question
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "spend.sql")

# For these, and for pairs of them, it can be said what they cost.
SPENT_ON = frozenset({Dimension.SOURCE, Dimension.CHANNEL, Dimension.CAMPAIGN})

Spent = Mapping[tuple[str, ...], Decimal]


@dataclass(frozen=True, slots=True)
class Part:
    """What some days cost, of one source and campaign; ``source_id`` is none for numbers that serve many sources."""

    source_id: int | None
    channel: str
    campaign: str
    amount: Decimal
    is_numbers: bool


async def spend_by(connection: Any, question: Question) -> Spent | None:
    """What the question's days cost, by the values of its dimensions as ``Key.value`` has them; ``()`` for none.

    In the company's currency. A key that cost nothing is missing, and so is ``()`` where nothing was entered at all.
    None where it cannot be said: spend is known of sources, channels and campaigns, not of what callers have.

    With dimensions, the numbers of dynamic pools are left out: :func:`shared_numbers` has them, and without dimensions
    and conditions they are in the total.
    """
    found = await spend_over(connection, question, [(question.since, question.until)])
    return None if found is None else found[0]


async def spend_over(
    connection: Any, question: Question, spans: Sequence[tuple[date, date]]
) -> tuple[Spent, ...] | None:
    """The same for each of several periods (from, until: not included), in their order, for a course over time."""
    if not (set(question.by) | set(question.where)) <= SPENT_ON:
        return None
    parts = await spend_parts(connection, question.company_id, spans)
    return tuple(summed(each, question) for each in parts)


async def shared_numbers(connection: Any, company_id: int, since: date, until: date) -> Decimal:
    """What the numbers that serve many sources cost from ``since`` until ``until`` (not included)."""
    (parts,) = await spend_parts(connection, company_id, [(since, until)])
    return sum((part.amount for part in parts if part.source_id is None), Decimal(0))


async def spend_parts(
    connection: Any, company_id: int, spans: Sequence[tuple[date, date]]
) -> tuple[tuple[Part, ...], ...]:
    """Every part of the cost of each period."""
    currency = await _queries.currency(connection, company_id=company_id)
    given = {
        "company_id": company_id,
        "sinces": [since for since, _ in spans],
        "untils": [until for _, until in spans],
        "digits": digits_of(currency),
    }
    found: list[list[Part]] = [[] for _ in spans]
    async for row in _queries.spend_parts(connection, **given):
        found[row["place"] - 1].append(
            Part(row["source_id"], row["channel"], row["campaign"], row["amount"], is_numbers=False)
        )
    async for row in _queries.number_parts(connection, **given):
        found[row["place"] - 1].append(Part(row["source_id"], row["channel"] or "", "", row["amount"], is_numbers=True))
    return tuple(tuple(each) for each in found)


def summed(parts: Iterable[Part], question: Question) -> Spent:
    """Parts by the values of a question's dimensions, as :func:`spend_by` has them."""
    sums: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for part in parts:
        if part.source_id is None and (question.by or question.where):
            continue
        values = _values(part)
        if all(values[dimension] == wanted for dimension, wanted in question.where.items()):
            sums[tuple(values[dimension] for dimension in question.by)] += part.amount
    return dict(sums)


def _values(part: Part) -> dict[Dimension, str]:
    return {
        Dimension.SOURCE: "" if part.source_id is None else str(part.source_id),
        Dimension.CHANNEL: part.channel,
        Dimension.CAMPAIGN: part.campaign,
    }
