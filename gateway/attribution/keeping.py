"""Keeps decisions: the row of a call, its candidates, its touches, and the source that lists and filters show.

A label such as ``Google Organic`` becomes a source of the company, with a colour that it keeps, when the first call may
have come by it. The credit is a copy without personal data: it stays when the visits are forgotten.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.attribution.decision import Decision, Rung, Suspicion
from gateway.attribution.evidence import Candidate
from gateway.store.queries import load_queries
from gateway.visits.source import Source

_queries = load_queries(Path(__file__).parent, "keeping.sql")


class Sources:
    """The sources of a company by label, within one transaction; made where they are missing.

    Without ``make``, labels that no call was ever credited to have none: for looking at what would change.
    """

    def __init__(self, connection: Any, company_id: int, *, make: bool = True) -> None:
        self._connection, self._company_id, self._make = connection, company_id, make
        self._ids: dict[str, int | None] = {}

    async def id_of(self, source: Source) -> int | None:
        """The id of the source that has this label."""
        label = source.label
        if label in self._ids:
            return self._ids[label]
        place = {"company_id": self._company_id, "name": label}
        # Asked first: even an insert that adds nothing tells everybody that settings have changed.
        id: int | None = await _queries.source_named(self._connection, **place)
        if id is None and self._make:
            id = await _queries.add_source(
                self._connection, **place, channel=source.channel, source=source.source
            ) or await _queries.source_named(self._connection, **place)
        self._ids[label] = id
        return id


async def keep_decision(
    connection: Any,
    rung: Rung,
    decision: Decision,
    *,
    now: datetime,
    settles: bool,
    sources: Sources | None = None,
    is_trial: bool = False,
) -> bool:
    """Keep a decision; whether it was kept.

    What is settled is changed only by what ``settles`` it again, and what is about a visitor who asked to be forgotten
    by nothing. ``is_trial``: it will be rolled back, and the call's own row is left alone, which others wait for.
    """
    sources = sources or Sources(connection, rung.company_id)
    place = {"company_id": rung.company_id, "call_id": rung.call_id}
    credit = decision.credit
    source_id = await sources.id_of(credit.source) if credit else None
    is_new = await _queries.keep_decision(
        connection,
        **place,
        **_about(decision),
        **_facts(credit.source if credit else None),
        source_id=source_id,
        now=now,
        settles=settles,
    )
    if is_new is None:
        if settles:
            await _queries.settle_as_it_is(connection, **place, now=now)
        return False
    if not is_new:
        await _queries.drop_candidates(connection, **place)
        await _queries.drop_touches(connection, **place)
    if decision.suspicion is not None:
        rows = [
            {**place, **_candidate(position, each, decision.suspicion)}
            | await _own_credit(sources, decision.credits.get(each.visitor))
            for position, each in enumerate(decision.suspicion.verdict.candidates)
        ]
        if rows:
            await _queries.add_candidates(connection, candidates=json.dumps(rows))
    touches = [
        {
            **place,
            "position": position,
            "at": each.at.isoformat(),
            "visit_id": None if each.visit_id is None else str(each.visit_id),
            "how": each.how.value,
            "source_id": await sources.id_of(each.source),
            **_facts(each.source),
        }
        for position, each in enumerate(decision.touches)
    ]
    if touches:
        await _queries.add_touches(connection, touches=json.dumps(touches, ensure_ascii=False))
    if not is_trial:
        await _queries.credit_call(connection, **place, source_id=source_id, settles=settles, now=now)
    return True


def _about(decision: Decision) -> dict[str, Any]:
    suspicion = decision.suspicion
    verdict = suspicion.verdict if suspicion else None
    answer = verdict.candidate if verdict else None
    seen = suspicion.seen.get(answer.visit) if suspicion and answer and answer.visit else None
    return {
        "basis": decision.basis.value,
        "visit_id": answer and answer.visit,
        "visitor_id": answer and answer.visitor,
        "exposure_id": seen and seen.exposure_id,
        "confidence": decision.confidence,
        "source_confidence": decision.source_confidence,
        "nobody": verdict.nobody if verdict else 0.0,
        "others": verdict.others if verdict else 0.0,
        "because": [each.value for each in decision.because],
        "evidence": json.dumps(_evidence(suspicion) if suspicion else {}),
        "window_seconds": int(verdict.window.total_seconds()) if verdict else None,
        "learned_id": decision.learned_id,
    }


def _evidence(suspicion: Suspicion) -> dict[str, Any]:
    """Taps and earlier calls that counted; who they were of is said by a candidate's position, not by an id."""
    places = {each.visit: place for place, each in enumerate(suspicion.verdict.candidates)}
    return {
        "taps": [{"at": tap.at.isoformat(), "candidate": places.get(tap.visit)} for tap in suspicion.taps],
        "known_caller": {
            "called_at": suspicion.known[0].called_at.isoformat(),
            "chance": max((each.chance for each in suspicion.known if each.visitor is not None), default=0.0),
        }
        if suspicion.known
        else None,
        "exposures": len(suspicion.seen),
    }


def _candidate(position: int, each: Candidate, suspicion: Suspicion) -> dict[str, Any]:
    seen = suspicion.seen.get(each.visit) if each.visit else None
    moments = {
        "shown_at": each.shown_at,
        "last_seen": each.last_seen,
        "left_at": seen.exposure.left_at if seen else None,
        "replaced_at": seen.exposure.replaced_at if seen else None,
    }
    return {
        "position": position,
        "is_answer": each is suspicion.verdict.candidate,
        "chance": each.chance,
        "because": [why.value for why in each.evidence],
        "visit_id": each.visit,
        "visitor_id": each.visitor,
        "exposure_id": str(seen.exposure_id) if seen else None,
        **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
    }


async def _own_credit(sources: Sources, source: Source | None) -> dict[str, Any]:
    if source is None:
        return {"source_id": None, "label": ""}
    return {"source_id": await sources.id_of(source), "label": source.label}


def _facts(source: Source | None) -> dict[str, str]:
    """A source as columns; never the click id itself."""
    if source is None:
        return dict.fromkeys(
            ("label", "channel", "source", "medium", "campaign", "content", "keyword", "click_id_type"), ""
        )
    return {
        "label": source.label,
        "channel": source.channel,
        "source": source.source,
        "medium": source.medium,
        "campaign": source.campaign or "",
        "content": source.content or "",
        "keyword": source.keyword or "",
        "click_id_type": source.click_id_type or "",
    }
