"""Deciding past calls again: by the same functions, with what is known and learned now.

What would change is found by doing it in a transaction that is then rolled back: what is listed is what is done.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.attribution.decision import Decision
from gateway.attribution.errors import PeriodFrozen
from gateway.attribution.gather import ask, decided
from gateway.attribution.keeping import Sources, keep_decision
from gateway.attribution.learned_store import newest_learned
from gateway.attribution.risk import HORIZON
from gateway.store.queries import load_queries

# A confidence that moves by less is shown as the same.
LEAST_CHANGE = 0.005

_queries = load_queries(Path(__file__).parent, "recompute.sql")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Said:
    """What a call is said to have been brought by; without label: Unknown."""

    label: str | None
    confidence: float

    def __str__(self) -> str:
        return f"{self.label or 'Unknown'} {self.confidence:.0%}"


@dataclass(frozen=True, slots=True)
class Change:
    """A call that is said to have been brought by something else, or is more or less certain; and why."""

    call_id: int
    at: datetime
    number: str
    before: Said
    after: Said
    why: str


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What became of a period: calls looked at, those that keep what they have, and the changes by time.

    ``forgotten``: their visitors asked to be forgotten. ``frozen``: too old to be decided again.
    """

    calls: int
    forgotten: int
    frozen: int
    changes: tuple[Change, ...]

    @property
    def totals(self) -> Counter[tuple[str | None, str | None]]:
        """How many calls go from which source to which other."""
        return Counter(
            (each.before.label, each.after.label) for each in self.changes if each.before.label != each.after.label
        )


class _RolledBack(Exception):
    """Everything that was tried is taken back."""


@asynccontextmanager
async def tried(connection: Any) -> AsyncIterator[None]:
    """What is done within leaves nothing behind: for seeing what would change. The connection is in a transaction."""
    try:
        async with connection.transaction():
            yield
            raise _RolledBack
    except _RolledBack:
        pass


async def zone_of(connection: Any, company_id: int) -> ZoneInfo:
    """The time zone in which the company's days begin."""
    row = await _queries.company(connection, company_id=company_id)
    return ZoneInfo(row["time_zone"])


async def frozen_until(connection: Any, company_id: int) -> datetime | None:
    """Calls before this moment are decided for good; none: no visit was ever dropped.

    A call needs the visits of the days before it, and its credit the touches of its company's whole look back.
    """
    since = await _queries.kept_since(connection, company_id=company_id)
    if since is None:
        return None
    row = await _queries.company(connection, company_id=company_id)
    return datetime.combine(since, time(), UTC) + max(HORIZON, timedelta(days=row["credit_days"]))


async def recompute(
    connection: Any,
    company_id: int,
    since: datetime,
    until: datetime,
    *,
    now: datetime,
    is_trial: bool = False,
    progress: Progress | None = None,
) -> Recomputed:
    """Decide the settled calls of a period again, oldest first, and keep what comes out, within the transaction.

    ``is_trial``: it will be rolled back (see ``tried``); no source is made, and no call's own row is touched. Raises
    PeriodFrozen where visits that the period needs are kept no longer.
    """
    border = await frozen_until(connection, company_id)
    if border is not None and since < border:
        kept = await _queries.kept_since(connection, company_id=company_id)
        raise PeriodFrozen(kept, border)
    return await _again(connection, company_id, since, until, None, border, now, is_trial, progress)


async def recompute_calls_of(
    connection: Any, company_id: int, visit_ids: Collection[UUID], *, now: datetime, is_trial: bool = False
) -> Recomputed:
    """The same for the calls that some visits have to do with, whose sources were changed; frozen ones keep theirs."""
    rows = _queries.calls_of_visits(connection, company_id=company_id, visit_ids=list(visit_ids))
    only = [row["call_id"] async for row in rows]
    border = await frozen_until(connection, company_id)
    ever = datetime.max.replace(tzinfo=UTC)
    return await _again(
        connection, company_id, datetime.min.replace(tzinfo=UTC), ever, only, border, now, is_trial, None
    )


async def _again(
    connection: Any,
    company_id: int,
    since: datetime,
    until: datetime,
    only: Sequence[int] | None,
    border: datetime | None,
    now: datetime,
    is_trial: bool,
    progress: Progress | None,
) -> Recomputed:
    learned = await newest_learned(connection, company_id)
    sources = Sources(connection, company_id, make=not is_trial)
    rows = [
        row
        async for row in _queries.settled_between(
            connection, company_id=company_id, since=since, until=until, only=None if only is None else list(only)
        )
    ]
    forgotten = frozen = 0
    changes = []
    for place, row in enumerate(rows, 1):
        if progress is not None:
            progress(place, len(rows))
        if row["forgotten"]:
            forgotten += 1
            continue
        if border is not None and row["started_at"] < border:
            frozen += 1
            continue
        asked = await ask(connection, company_id, row["id"])
        assert asked is not None
        decision = await decided(connection, asked, learned)
        await keep_decision(connection, asked.rung, decision, now=now, settles=True, sources=sources, is_trial=is_trial)
        change = _change(row, decision)
        if change is not None:
            changes.append(change)
    return Recomputed(len(rows), forgotten, frozen, tuple(changes))


def _change(row: Any, decision: Decision) -> Change | None:
    before = Said(row["label"] or None, row["confidence"])
    after = Said(decision.credit.source.label if decision.credit else None, decision.confidence)
    verdict = decision.suspicion.verdict if decision.suspicion else None
    answer = verdict.candidate if verdict else None
    visit = answer.visit if answer else None
    was = None if row["visit_id"] is None else str(row["visit_id"])
    if was != visit:
        if visit is None:
            why = "no visit is likely enough to have made it"
        elif was is None:
            why = "a visit is likely enough to have made it"
        else:
            why = "another visit is likelier to have made it"
    elif before.label != after.label:
        why = "the visit is the same; what brought it, or the touch that is credited, is another"
    elif abs(before.confidence - after.confidence) >= LEAST_CHANGE:
        why = "the chances are weighed by what is known now"
    else:
        return None
    return Change(row["id"], row["started_at"], row["number"], before, after, why)
