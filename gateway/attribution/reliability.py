"""How reliable confidences are: calls decided as if the best evidence were not there, and scored against it.

Two kinds of evidence say who called beyond much doubt: a tap on the number seconds before, by one visit alone, and a
form in which the caller left the number that he then called from. Each is kept from the decision, and then tells
whether the answer was right. Such calls are not like all others (who taps has a phone in his hand), which is why both
kinds are told apart.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from gateway.attribution.decision import Basis, Gathered, Rung, suspect
from gateway.attribution.gather import ask, gather
from gateway.attribution.learned import Learned
from gateway.attribution.learned_store import newest_learned
from gateway.store.queries import load_queries
from gateway.visits.months import months_before

# Who taps calls at once, or does not.
TAPPED_BEFORE = timedelta(seconds=30)
CLOCKS_DIFFER = timedelta(seconds=3)
# A form and a call of one person, on one visit or a few.
FORM_NEAR = timedelta(days=3)
TENTHS = 10

_queries = load_queries(Path(__file__).parent, "reliability.sql")


@dataclass(frozen=True, slots=True)
class Tenth:
    """Answers whose confidence was in one tenth (9: from 0.9 on): how many, what they said, what was. Means."""

    tenth: int
    calls: int
    said: float
    was: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """One month: by the evidence that was kept back (``tap``, ``form``), the tenths in which there was any call."""

    month: date
    evidence: Mapping[str, tuple[Tenth, ...]]


async def reliability(connection: Any, company_id: int, month: date) -> Reliability:
    """How reliable the month's confidences were; without tenths where nothing could be scored."""
    found: dict[str, list[Tenth]] = {}
    async for row in _queries.scores(connection, company_id=company_id, month=month.replace(day=1)):
        count = row["calls"]
        found.setdefault(row["evidence"], []).append(
            Tenth(row["tenth"], count, row["said"] / count, row["was"] / count)
        )
    return Reliability(month.replace(day=1), {evidence: tuple(tenths) for evidence, tenths in found.items()})


async def months_scored(connection: Any, company_id: int) -> list[date]:
    """The months of which something is known, the newest first."""
    return [row["month"] async for row in _queries.months(connection, company_id=company_id)]


async def score_lately(connection: Any, company_id: int, now: datetime) -> None:
    """Score the present month so far, and the one before it, whose last calls have been settled by now."""
    present = now.date().replace(day=1)
    for month in (months_before(present, 1), present):
        await score_month(connection, company_id, month, now)


async def score_month(connection: Any, company_id: int, month: date, now: datetime) -> None:
    """Score a month anew, by what is learned now. A month whose visits are not kept any more stays as it was scored."""
    kept = await _queries.kept_since(connection, company_id=company_id)
    if kept is not None and month < kept:
        return
    learned = (await newest_learned(connection, company_id)).learned
    since = datetime.combine(month, time(), UTC)
    until = datetime.combine(months_before(month, -1), time(), UTC)
    for evidence, truths in (
        ("tap", _tapped(connection, company_id, since, until)),
        ("form", _left_their_number(connection, company_id, since, until)),
    ):
        scores = Scores()
        async for call_id, visitor in truths:
            asked = await ask(connection, company_id, call_id)
            if asked is None or asked.rung.basis is not Basis.VISITS:
                continue
            gathered = await gather(connection, asked)
            scores.add(*predicted(asked.rung, gathered, learned, visitor, without_taps=evidence == "tap"))
        await _queries.drop_scores(connection, company_id=company_id, month=month, evidence=evidence)
        tenths = [tenth for tenth in range(TENTHS) if scores.calls[tenth]]
        await _queries.add_scores(
            connection,
            company_id=company_id,
            month=month,
            evidence=evidence,
            now=now,
            tenths=tenths,
            calls=[scores.calls[tenth] for tenth in tenths],
            said=[scores.said[tenth] for tenth in tenths],
            was=[scores.was[tenth] for tenth in tenths],
        )


def predicted(
    rung: Rung, gathered: Gathered, learned: Learned, truth: str, *, without_taps: bool
) -> tuple[float, bool]:
    """What is said of a call without the evidence that tells ``truth`` (its visitor), and whether that is right.

    *Unknown* says that no visit made the call, which is wrong here.
    """
    verdict = suspect(rung, gathered, learned, taps=not without_taps).verdict
    return verdict.confidence, verdict.visitor == truth


class Scores:
    """Answers counted by the tenth of their confidence."""

    def __init__(self) -> None:
        self.calls = [0] * TENTHS
        self.said = [0.0] * TENTHS
        self.was = [0] * TENTHS

    def add(self, confidence: float, is_right: bool) -> None:
        """Count one answer."""
        tenth = min(int(confidence * TENTHS), TENTHS - 1)
        self.calls[tenth] += 1
        self.said[tenth] += confidence
        self.was[tenth] += is_right


async def _tapped(connection: Any, company_id: int, since: datetime, until: datetime) -> AsyncIterator[tuple[int, str]]:
    rows = _queries.tapped_calls(
        connection,
        company_id=company_id,
        since=since,
        until=until,
        before=TAPPED_BEFORE.total_seconds(),
        after=CLOCKS_DIFFER.total_seconds(),
    )
    for row in [row async for row in rows]:
        yield row["id"], str(row["visitor_id"])


async def _left_their_number(
    connection: Any, company_id: int, since: datetime, until: datetime
) -> AsyncIterator[tuple[int, str]]:
    rows = _queries.calls_of_forms(connection, company_id=company_id, since=since, until=until, near=FORM_NEAR)
    for row in [row async for row in rows]:
        yield row["id"], str(row["visitor_id"])
