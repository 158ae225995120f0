"""Which touches the credit for calls is shared over, by any model: for reports, and for the page of a call."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.attribution.credit import HALF_LIFE, CreditTouch, Model, shares
from gateway.attribution.decision import How
from gateway.attribution.gather import source_of
from gateway.store.queries import load_queries
from gateway.visits.source import Source

# So many calls' touches are read at a time.
_CHUNK = 2000

_queries = load_queries(Path(__file__).parent, "keeping.sql")


@dataclass(frozen=True, slots=True)
class StoredTouch:
    """A touch of a call, as it was when the call was settled. ``visit_id`` may lead to a visit that is gone."""

    at: datetime
    how: How
    source_id: int | None
    source: Source
    visit_id: UUID | None


@dataclass(frozen=True, slots=True)
class CallCredit:
    """A call, and the share of each touch in it; they add up to exactly one. None for *Unknown*."""

    call_id: int
    at: datetime
    shares: tuple[tuple[StoredTouch, Fraction], ...]


async def touches_of_calls(connection: Any, company_id: int, call_ids: Sequence[int]) -> dict[int, list[StoredTouch]]:
    """The touches of calls, the oldest first; calls without any (*Unknown*) are left out."""
    found: dict[int, list[StoredTouch]] = defaultdict(list)
    for start in range(0, len(call_ids), _CHUNK):
        ids = list(call_ids[start : start + _CHUNK])
        async for row in _queries.touches_of_calls(connection, company_id=company_id, call_ids=ids):
            found[row["call_id"]].append(
                StoredTouch(row["at"], How(row["how"]), row["source_id"], source_of(row), row["visit_id"])
            )
    return dict(found)


def credit_of(
    touches: Sequence[StoredTouch], model: Model, *, at: datetime, half_life: timedelta = HALF_LIFE
) -> tuple[tuple[StoredTouch, Fraction], ...]:
    """The shares of touches in a call that came at ``at``, those that have any; they add up to exactly one."""
    keyed = {str(place): each for place, each in enumerate(touches)}
    given = shares(
        [CreditTouch(key, each.at, each.source) for key, each in keyed.items()], model, at=at, half_life=half_life
    )
    return tuple((keyed[key], share) for key, share in given.items())


async def credited(
    connection: Any, company_id: int, since: datetime, until: datetime, model: Model
) -> list[CallCredit]:
    """Every call of a time with its shares by ``model``, the oldest first; the half-life is the company's."""
    half_life = await _queries.half_life(connection, company_id=company_id) or HALF_LIFE
    calls = {
        row["id"]: row["started_at"]
        async for row in _queries.calls_between(connection, company_id=company_id, since=since, until=until)
    }
    touches = await touches_of_calls(connection, company_id, list(calls))
    return [
        CallCredit(call_id, at, credit_of(touches.get(call_id, ()), model, at=at, half_life=half_life))
        for call_id, at in calls.items()
    ]


@dataclass(frozen=True, slots=True)
class CreditSettings:
    """How a company's calls are credited.

    ``model`` names the one touch that a call's own source is; reports may ask for any model. Touches count for
    ``lookback`` before a call; ``half_life`` is that of the model *time decay*.
    """

    model: Model
    lookback: timedelta
    half_life: timedelta


# Those that name one touch, as a call's own source is one.
OWN_MODELS = (Model.FIRST, Model.LAST, Model.LAST_NON_DIRECT, Model.LAST_PAID)


async def credit_settings(connection: Any, company_id: int) -> CreditSettings:
    """How the company's calls are credited."""
    row = await _queries.credit_settings(connection, company_id=company_id)
    return CreditSettings(Model(row["credit_model"]), timedelta(days=row["credit_days"]), row["credit_half_life"])


async def set_credit(
    connection: Any,
    company_id: int,
    *,
    model: Model | None = None,
    lookback: timedelta | None = None,
    half_life: timedelta | None = None,
) -> None:
    """Change what is given, for calls from now on; ``model`` is one of OWN_MODELS, ``lookback`` 1 to 730 whole days."""
    await _queries.set_credit(
        connection,
        company_id=company_id,
        model=None if model is None else model.value,
        days=None if lookback is None else lookback.days,
        half_life=half_life,
    )
