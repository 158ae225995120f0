"""Which pool serves a visit, and who holds the number: plain functions over plain values."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from gateway.pools.conditions import Arrival
from gateway.pools.pool import Kind, Pool, StaticNumber, SwapTarget
from gateway.visits.source import Decision, Source

# The fact that a parameter says, where the address does not carry it (a gclid names Google without utm_source).
_FACTS = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "campaign",
    "utm_content": "content",
    "utm_term": "keyword",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The pool for a visit; ``number`` where it is static."""

    pool: Pool
    number: StaticNumber | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a number is lent to: a text that is the same whenever the same one comes back.

    ``combination`` are the values that hold it, where they do and not a visitor.
    """

    key: str
    combination: dict[str, str] | None = field(default=None, hash=False)


def is_direct(source: Source) -> bool:
    """Whether nothing is known to have brought the visit."""
    return source.source == "(direct)"


def what_counts(decision: Decision, earlier: Source | None) -> Source:
    """The source a visit is shown a number for.

    What brought the visitor before goes on counting when he comes back by himself, or from one of the site's own pages.
    """
    if earlier is not None and (is_direct(decision.source) or not decision.is_touch):
        return earlier
    return decision.source


def choose_pool(arrival: Arrival, pools: Iterable[Pool], target: SwapTarget | None = None) -> Choice | None:
    """The pool whose number is shown for ``target``; none: the page's own number.

    Of the pools that match, the one with the highest priority; of several the more specific: more conditions (a static
    number's source adds its facts), then fewer values that would do, then the pool that was there first. A static pool
    matches where one of its numbers stands for the visit's source. A direct visit is shown the page's own number,
    except by pools that name direct visits outright.
    """
    best: tuple[Choice, _Rank] | None = None
    for pool in pools:
        if target is None or not pool.serves or target.id in pool.serves:
            for found in _matches(arrival, pool):
                if best is None or found[1] < best[1]:
                    best = found
    return best[0] if best is not None else None


def static_number(arrival: Arrival, pools: Iterable[Pool], target: SwapTarget | None = None) -> StaticNumber | None:
    """The static number that stands for the visit's source: what a full pool falls back on."""
    choice = choose_pool(arrival, (pool for pool in pools if pool.kind is Kind.STATIC), target)
    return choice.number if choice else None


def visitor_holder(visitor: UUID) -> Holder:
    """A visitor as the holder of a number."""
    return Holder(f"visitor:{visitor}")


def holder_of(pool: Pool, visitor: UUID, arrival: Arrival) -> Holder:
    """Who holds a number of ``pool``: the visitor, or everybody with the same values of the parameters it is bound to.

    A value that the address does not carry is taken from the source. Capital and small letters are the same.
    """
    if not pool.bound_to:
        return visitor_holder(visitor)
    combination = {name: _value(name, arrival) for name in sorted(pool.bound_to)}
    text = json.dumps({name: value.casefold() for name, value in combination.items()}, ensure_ascii=False)
    return Holder(f"values:{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}", combination)


def _value(name: str, arrival: Arrival) -> str:
    given = arrival.parameters.get(name, "").strip()
    if not given and name in _FACTS:
        given = getattr(arrival.source, _FACTS[name]) or ""
    return given


# What decides between pools that match: the lowest goes first.
_Rank = tuple[int, int, int, int, int]


def _matches(arrival: Arrival, pool: Pool) -> list[tuple[Choice, _Rank]]:
    conditions = pool.conditions
    if not conditions.hold(arrival):
        return []
    if pool.kind is Kind.DYNAMIC:
        if is_direct(arrival.source) and not conditions.names_direct:
            return []
        return [(Choice(pool), (-pool.priority, -len(conditions.each), conditions.values, pool.id, 0))]
    return [
        (
            Choice(pool, number),
            (
                -pool.priority,
                -len(conditions.each) - len(number.facts),
                conditions.values + len(number.facts),
                pool.id,
                number.number_id,
            ),
        )
        for number in pool.numbers
        if _stands_for(number, arrival.source)
    ]


def _stands_for(number: StaticNumber, source: Source) -> bool:
    return bool(number.facts) and all(
        value.casefold() == (getattr(source, fact) or "").casefold() for fact, value in number.facts.items()
    )
