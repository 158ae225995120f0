"""Reads all that is known around a call: the same way when it rings, when it is settled and when it is recomputed."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.attribution.credit import Model
from gateway.attribution.curve import TAP_EDGES
from gateway.attribution.decision import (
    Basis,
    Decision,
    Gathered,
    How,
    Page,
    PersonsTouch,
    Rung,
    Suspicion,
    decide,
    suspect,
    wanted_touches,
)
from gateway.attribution.evidence import KnownCaller, Tap
from gateway.attribution.learned_store import StoredLearned
from gateway.attribution.match import SURELY_KNOWN
from gateway.attribution.risk import HORIZON
from gateway.pools.pool import Kind
from gateway.store.queries import load_queries
from gateway.visits.source import Source

_queries = load_queries(Path(__file__).parent, "gather.sql")
_TAPS_FROM, _TAPS_TO = timedelta(seconds=TAP_EDGES[-1]), timedelta(seconds=-TAP_EDGES[0])
_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call to be decided, and what was decided of it before. ``pool_id`` is none where no pool knows its number."""

    rung: Rung
    number_id: int | None
    pool_id: int | None
    is_settled: bool
    is_forgotten: bool


async def ask(connection: Any, company_id: int, call_id: int) -> Asked | None:
    """The call; none where there is none.

    How its source is known was fixed by what its number was when it came: a number that has moved to a pool of another
    kind since changes nothing.
    """
    row = await _queries.rung(connection, company_id=company_id, call_id=call_id)
    if row is None:
        return None
    basis = _basis(row)
    static = None
    if basis is not Basis.VISITS and row["source_id"] is not None:
        static = Source(row["name"], row["channel"], row["source"], row["medium"], row["campaign"] or None)
    rung = Rung(
        company_id,
        call_id,
        row["number"],
        row["started_at"],
        row["caller"] or "",
        basis,
        _WINDOW if row["window_seconds"] is None else timedelta(seconds=row["window_seconds"]),
        Model(row["credit_model"]),
        timedelta(days=row["credit_days"]),
        static,
    )
    return Asked(rung, row["number_id"], row["pool_id"], row["settled_at"] is not None, bool(row["forgotten"]))


def _basis(row: Any) -> Basis:
    if row["basis"] is not None:
        return Basis(row["basis"])
    if row["kind"] == Kind.DYNAMIC:
        return Basis.VISITS
    return Basis.NO_NUMBER if row["kind"] is None else Basis.STATIC


async def gather(connection: Any, asked: Asked) -> Gathered:
    """What is known around a call to a number that is lent."""
    rung = asked.rung
    since = rung.at - HORIZON
    place: dict[str, Any] = {"company_id": rung.company_id, "number_id": asked.number_id}
    pages = tuple([page_of(row) async for row in _queries.pages_before(connection, **place, since=since, at=rung.at)])
    elsewhere: dict[str, list[Page]] = defaultdict(list)
    if pages:
        rows = _queries.elsewhere(
            connection,
            **place,
            pool_id=asked.pool_id,
            visitors=list({page.visitor for page in pages if page.visitor is not None}),
            visits=list({page.visit_id for page in pages if page.visitor is None}),
            since=since,
            at=rung.at,
        )
        async for row in rows:
            page = page_of(row)
            elsewhere[page.who].append(page)
    taps = tuple(
        [
            Tap(str(row["visit_id"]), row["at"])
            async for row in _queries.taps_near(
                connection, **place, since=rung.at - _TAPS_FROM, until=rung.at + _TAPS_TO
            )
        ]
    )
    known = await _known(connection, asked)
    called: dict[str, float] = {}
    if rung.caller and not known and pages:
        rows = _queries.have_called(
            connection,
            company_id=rung.company_id,
            visitors=list({page.visitor or page.visit_id for page in pages}),
            at=rung.at,
            call_id=rung.call_id,
        )
        called = {str(row["visitor_id"]): min(row["chance"], 1.0) async for row in rows}
    earlier: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    if pages and not known:
        rows = _queries.calls_before(
            connection,
            company_id=rung.company_id,
            pool_id=asked.pool_id,
            visitors=list({page.visitor or page.visit_id for page in pages}),
            since=since,
            at=rung.at,
            call_id=rung.call_id,
        )
        async for row in rows:
            earlier[str(row["visitor_id"])].append((row["started_at"], row["chance"]))
    return Gathered(pages, elsewhere, taps, known, called, earlier)


async def _known(connection: Any, asked: Asked) -> tuple[KnownCaller, ...]:
    """Whose the caller's number is, by the last call from it that visits were asked for."""
    rung = asked.rung
    if not rung.caller:
        return ()
    place: dict[str, Any] = {"company_id": rung.company_id, "at": rung.at}
    earlier = await _queries.earlier_call(
        connection, **place, caller=rung.caller, call_id=rung.call_id, number_id=asked.number_id
    )
    if earlier is None:
        return ()
    made_by = {
        row["visitor_id"]: row["chance"]
        async for row in _queries.made_by(connection, company_id=rung.company_id, call_id=earlier["id"])
    }
    nobody = min(earlier["nobody"] + made_by.pop(None, 0.0), 1.0)
    visitors = list(made_by)
    seen: set[UUID] = set()
    if visitors and not earlier["dialled"]:
        rows = _queries.have_seen(connection, **place, visitors=visitors, number_id=asked.number_id)
        seen = {row["who"] async for row in rows}
    at, dialled = earlier["started_at"], earlier["dialled"]
    people = [
        KnownCaller(str(visitor), min(chance, 1.0), at, dialled or visitor in seen)
        for visitor, chance in sorted(made_by.items(), key=lambda each: (-each[1], str(each[0])))
    ]
    return (*people, KnownCaller(None, nobody, at, dialled))


def page_of(row: Any) -> Page:
    """A page that showed a number, from its columns."""
    return Page(row["id"], row["visit_id"], row["visitor_id"], row["shown_at"], row["last_seen"], row["left_at"])


async def decided(
    connection: Any, asked: Asked, learned: StoredLearned, *, gathered: Gathered | None = None
) -> Decision:
    """What brought the call, by what the connection sees now."""
    if asked.rung.basis is not Basis.VISITS:
        return decide(asked.rung, None, ())
    suspicion = suspect(asked.rung, gathered or await gather(connection, asked), learned.learned)
    return decide(asked.rung, suspicion, await _touches(connection, asked.rung, suspicion), learned.id)


async def _touches(connection: Any, rung: Rung, suspicion: Suspicion) -> list[PersonsTouch]:
    visitors, visits = wanted_touches(suspicion)
    if not visitors:
        return []
    answer = suspicion.verdict.visitor
    others: dict[str, How] = {}
    since = rung.at - rung.lookback
    if answer is not None and rung.caller:
        place: dict[str, Any] = {"company_id": rung.company_id, "caller": rung.caller, "since": since, "at": rung.at}
        async for row in _queries.visitors_of_form(connection, **place):
            others[str(row["visitor_id"])] = How.FORM
        async for row in _queries.visitors_of_caller(connection, **place, call_id=rung.call_id, sure=SURELY_KNOWN):
            others[str(row["visitor_id"])] = How.CALLER
        others.pop(answer, None)
    all_visitors = list({*visitors, *(UUID(each) for each in others)})
    rows = _queries.arrivals(
        connection,
        company_id=rung.company_id,
        visitors=all_visitors,
        # A visit that may not be known again is its own visitor.
        visits=list({*visits, *all_visitors}),
        since=since,
        at=rung.at,
    )
    return [_arrival(row, others) async for row in rows]


def _arrival(row: Any, others: Mapping[str, How]) -> PersonsTouch:
    visitor = str(row["visitor"])
    return PersonsTouch(
        row["id"],
        visitor,
        row["started_at"],
        source_of(row),
        row["is_touch"],
        others.get(visitor, How.BROWSER),
    )


def source_of(row: Any) -> Source:
    """What brought a visit or a touch, from its columns; never the click id itself."""
    return Source(
        row["label"],
        row["channel"],
        row["source"],
        row["medium"],
        row["campaign"] or None,
        row["content"] or None,
        row["keyword"] or None,
        None,
        row["click_id_type"] or None,
    )
