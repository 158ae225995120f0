"""A history replayed through a pool: what the calls would have led to, as JSON lines and as figures."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.attribution.evidence import Candidate, Verdict
from gateway.attribution.history_lines import PastVisit
from gateway.attribution.sentence import sentence
from gateway.attribution.trial import Answer
from gateway.pools.choose import choose_pool, is_direct, what_counts
from gateway.pools.conditions import Arrival
from gateway.pools.pool import Pool
from gateway.visits.classify import Classifier
from gateway.visits.source import Source

MOST_RIVALS = 5


def trial_numbers(count: int, dialled: Iterable[str | None]) -> list[str]:
    """The numbers of a pool under trial: those that calls of the history name, and made-up ones.

    The made-up ones count up from +13065550001, so that a history can name them.
    """
    made_up = [f"+1306{5550000 + index}" for index in range(1, count + 1)]
    named = sorted({number for number in dialled if number} - set(made_up))[:count]
    return made_up[: count - len(named)] + named


def under_conditions(pool: Pool, classifier: Classifier) -> Callable[[PastVisit], bool]:
    """Whether visits, asked in the order of their times, are shown a number of ``pool``: as the site's pages decide."""
    earlier: dict[str, Source] = {}

    def may_have_number(visit: PastVisit) -> bool:
        decision = classifier.decide(visit.url, visit.referrer)
        source = what_counts(decision, earlier.get(visit.visitor))
        if decision.is_touch and not is_direct(decision.source):
            earlier[visit.visitor] = decision.source
        arrival = Arrival(source, visit.url, visit.referrer, _parameters(classifier, visit.url))
        return choose_pool(arrival, [pool]) is not None

    return may_have_number


def _parameters(classifier: Classifier, url: str) -> Mapping[str, str]:
    said = classifier.said(url)
    given = {
        "utm_source": said.source,
        "utm_medium": said.medium,
        "utm_campaign": said.campaign,
        "utm_term": said.term,
        "utm_content": said.content,
    }
    return {name: value for name, value in given.items() if value}


def answer_line(answer: Answer) -> dict[str, Any]:
    """A line of the replay's output. ``visitor`` none: Unknown, with the chance that no visit made the call."""
    verdict = answer.verdict
    return {
        "call": answer.call.call,
        "did": answer.number,
        "visitor": verdict.visitor if verdict else None,
        "confidence": round(verdict.confidence, 4) if verdict else 0.0,
        "evidence": evidence_of(answer.call.start, verdict),
    }


def evidence_of(at: datetime, verdict: Verdict | None) -> dict[str, Any]:
    """Why, in a sentence and in its parts."""
    if verdict is None:
        return {
            "because": ["no number"],
            "sentence": "The visitor was shown no number of this pool, so that the call says nothing of its visit.",
        }
    said: dict[str, Any] = {
        "because": [each.value for each in verdict.evidence],
        "sentence": sentence(at, verdict),
    }
    if verdict.candidate is not None:
        said |= _times(verdict.candidate)
    said["nobody"] = round(verdict.nobody, 4)
    said["rivals"] = [
        {"visitor": each.visitor, "chance": round(each.chance, 4), "because": [why.value for why in each.evidence]}
        | _times(each)
        for each in verdict.rivals[:MOST_RIVALS]
    ]
    said["others"] = round(verdict.others + sum(each.chance for each in verdict.rivals[MOST_RIVALS:]), 4)
    return said


def _times(candidate: Candidate) -> dict[str, str]:
    if candidate.shown_at is None or candidate.last_seen is None:
        return {}
    return {"shown_at": _iso(candidate.shown_at), "last_seen": _iso(candidate.last_seen)}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
