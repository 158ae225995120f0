"""Why a call has the source it has: everything that a page about it shows, read at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.attribution.credited_touches import StoredTouch, touches_of_calls
from gateway.attribution.curve import TAP_EDGES
from gateway.attribution.decision import Basis
from gateway.attribution.evidence import Candidate, Evidence, Verdict
from gateway.attribution.gather import source_of
from gateway.attribution.learned_store import StoredLearned, learned_by_id
from gateway.attribution.risk import HORIZON
from gateway.attribution.sentence import sentence
from gateway.pools.pool import Kind
from gateway.store.queries import load_queries
from gateway.visits.source import Source

# Of each visit, the last ones before the call.
MOST_PAGES = 50
_LONGEST_VISIT = timedelta(days=2)

_queries = load_queries(Path(__file__).parent, "why.sql")


class Stand(StrEnum):
    """How far a call's source is decided."""

    NOT_YET = "not yet"
    RINGING = "ringing"  # decided while it rang; settled a minute after its end
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class PageSeen:
    """A page that a visit opened before the call."""

    at: datetime
    url: str
    title: str


@dataclass(frozen=True, slots=True)
class SeenTap:
    """A tap on the number that was called; ``visit_id`` may be of none of the suspects."""

    at: datetime
    visit_id: UUID


@dataclass(frozen=True, slots=True)
class Suspect:
    """A visitor who may have made the call, and the visit that speaks most for it.

    Ids are none where the visitor asked to be forgotten, or was known by earlier calls alone. ``label`` is what the
    call would be credited to. Times are of the number on the visit's screen, as far as they were known for this call.
    """

    chance: float
    is_answer: bool
    because: tuple[Evidence, ...]
    label: str
    source_id: int | None
    visit_id: UUID | None
    visitor_id: UUID | None
    shown_at: datetime | None
    last_seen: datetime | None
    left_at: datetime | None
    replaced_at: datetime | None
    landing_page: str
    pages: tuple[PageSeen, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """All that is known of one call's source.

    ``credit`` is none for *Unknown*. ``sentence`` is the decision in English; a page in another language makes its own
    of ``verdict``. ``evidence_is_kept`` is false where the visits of that time have been dropped.
    """

    call_id: int
    number: str
    pool: str | None
    at: datetime
    caller: str | None
    state: str
    basis: Basis
    stand: Stand
    sentence: str
    confidence: float
    source_confidence: float
    nobody: float
    others: float
    because: tuple[Evidence, ...]
    window: timedelta | None
    source_id: int | None
    credit: Source | None
    verdict: Verdict | None
    suspects: tuple[Suspect, ...]
    taps: tuple[SeenTap, ...]
    touches: tuple[StoredTouch, ...]
    learned: StoredLearned
    decided_at: datetime | None
    settled_at: datetime | None
    recomputed_at: datetime | None
    evidence_is_kept: bool
    forgotten: bool

    @property
    def answer(self) -> Suspect | None:
        """Who made the call; none: Unknown, or no matter of visits."""
        return next((each for each in self.suspects if each.is_answer), None)


async def why(connection: Any, company_id: int, call_id: int) -> Why | None:
    """Why the call has its source; none where the company has no such call."""
    place: dict[str, Any] = {"company_id": company_id, "call_id": call_id}
    row = await _queries.call(connection, **place, horizon=HORIZON)
    if row is None:
        return None
    at = row["started_at"]
    suspects = await _suspects(connection, place, at)
    basis = _basis(row)
    window = None if row["window_seconds"] is None else timedelta(seconds=row["window_seconds"])
    verdict = _verdict(row, suspects, window) if window is not None else None
    touches = await touches_of_calls(connection, company_id, [call_id])
    taps: tuple[SeenTap, ...] = ()
    if row["number_id"] is not None and basis is Basis.VISITS:
        rows = _queries.taps(
            connection,
            company_id=company_id,
            number_id=row["number_id"],
            since=at - timedelta(seconds=TAP_EDGES[-1]),
            until=at - timedelta(seconds=TAP_EDGES[0]),
        )
        taps = tuple([SeenTap(each["at"], each["visit_id"]) async for each in rows])
    return Why(
        call_id=call_id,
        number=row["number"],
        pool=row["pool"],
        at=at,
        caller=row["caller"],
        state=row["state"],
        basis=basis,
        stand=_stand(row),
        sentence=_sentence(row, basis, verdict),
        confidence=row["confidence"] if row["confidence"] is not None else 0.0,
        source_confidence=row["source_confidence"] if row["source_confidence"] is not None else 0.0,
        nobody=row["nobody"] or 0.0,
        others=row["others"] or 0.0,
        because=tuple(Evidence(each) for each in row["because"] or ()),
        window=window,
        source_id=row["source_id"],
        credit=source_of(row) if row["label"] else None,
        verdict=verdict,
        suspects=suspects,
        taps=taps,
        touches=tuple(touches.get(call_id, ())),
        learned=await learned_by_id(connection, company_id, row["learned_id"]),
        decided_at=row["decided_at"],
        settled_at=row["settled_at"],
        recomputed_at=row["recomputed_at"],
        evidence_is_kept=row["is_kept"],
        forgotten=row["forgotten"],
    )


async def _suspects(connection: Any, place: Mapping[str, Any], at: datetime) -> tuple[Suspect, ...]:
    since = at - HORIZON - _LONGEST_VISIT
    rows = [row async for row in _queries.suspects(connection, **place, since=since, at=at)]
    pages: dict[UUID, list[PageSeen]] = defaultdict(list)
    visits = [row["visit_id"] for row in rows if row["visit_id"] is not None]
    if visits:
        found = _queries.pages(
            connection, company_id=place["company_id"], visits=visits, since=since, at=at, most=MOST_PAGES
        )
        async for page in found:
            pages[page["visit_id"]].append(PageSeen(page["at"], page["url"], page["title"]))
    return tuple(
        Suspect(
            row["chance"],
            row["is_answer"],
            tuple(Evidence(each) for each in row["because"]),
            row["label"],
            row["source_id"],
            row["visit_id"],
            row["visitor_id"],
            row["shown_at"],
            row["last_seen"],
            row["left_at"],
            row["replaced_at"],
            row["landing_page"],
            tuple(pages.get(row["visit_id"], ())),
        )
        for row in rows
    )


def _verdict(row: Any, suspects: Sequence[Suspect], window: timedelta) -> Verdict:
    candidates = tuple(
        Candidate(
            str(each.visitor_id or f"forgotten {place}"),
            each.chance,
            each.because,
            None if each.shown_at is None else str(each.visit_id or f"forgotten {place}"),
            each.shown_at,
            each.last_seen,
        )
        for place, each in enumerate(suspects)
    )
    answer = next((candidates[place] for place, each in enumerate(suspects) if each.is_answer), None)
    because = tuple(Evidence(each) for each in row["because"])
    return Verdict(answer, row["confidence"], because, candidates, row["nobody"], row["others"], window)


def _basis(row: Any) -> Basis:
    if row["basis"] is not None:
        return Basis(row["basis"])
    if row["kind"] is None:
        return Basis.NO_NUMBER
    return Basis.VISITS if row["kind"] == Kind.DYNAMIC else Basis.STATIC


def _stand(row: Any) -> Stand:
    if row["settled_at"] is not None:
        return Stand.SETTLED
    return Stand.NOT_YET if row["decided_at"] is None else Stand.RINGING


def _sentence(row: Any, basis: Basis, verdict: Verdict | None) -> str:
    if basis is Basis.NO_NUMBER:
        return "The call came to a number that is none of the tracking numbers."
    if basis is Basis.STATIC:
        if not row["label"]:
            return "The number stands for no source."
        return f"The number stands for one source: {row['label']}."
    if verdict is None:
        return "What brought this call is not decided yet."
    return sentence(row["started_at"], verdict)
