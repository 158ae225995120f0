"""What needs somebody, decided over plain values: no I/O, no clock of its own.

A need has a key (such as ``pool/3``). What is put off by its key is not told again for a while; where something new
happens, the key is another, so that a call missed today is not hidden by one put off yesterday.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from gateway.attention.node_states import NodeState

# A gateway tells every quarter of a minute; one that has not for so long is not just slow.
GATEWAY_AWAY = timedelta(minutes=2)
# What has been away for longer has been taken out of use.
FORGOTTEN = timedelta(days=30)
# Asterisk is restarted now and then: shorter is no trouble.
LINK_AWAY = timedelta(minutes=1)
TRUNK_AWAY = timedelta(minutes=2)
# A pool that failed fewer visits than this share of them, or so few, has the odd busy minute and no want of numbers.
FAILED_SHARE = 0.01
FAILED_LEAST = 3
# Nearly full: so much of it was held, on so many days.
NEARLY = 0.9
NEARLY_DAYS = 3
# Bills come a few days after the month is over.
BILL_DAYS = 3


class Kind(StrEnum):
    """What can need somebody, the most urgent first."""

    GATEWAY = "gateway"  # not running
    LINK = "link"  # the gateway has no link to Asterisk
    TRUNK = "trunk"
    MISSED = "missed"
    LIMIT = "limit"  # calls were turned away by one
    NUMBER = "number"  # silent
    SITE = "site"  # silent
    EMPTY = "empty"  # a pool without numbers to lend
    POOL = "pool"  # full
    NEARLY = "nearly"  # full
    RECORDINGS = "recordings"
    SPEND = "spend"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs somebody.

    ``id`` and ``name`` of what it is about; ``count`` of what happened; ``since`` when; ``a_day`` how often it used to.
    ``detail``: a trunk's state, or the month whose spend is missing.
    """

    kind: Kind
    key: str
    id: int | None = None
    name: str = ""
    count: int = 0
    since: datetime | None = None
    a_day: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Missed:
    """Who called, was missed and still waits: how many people, since when the first, and the newest of their calls."""

    people: int
    since: datetime
    newest_call: int


@dataclass(frozen=True, slots=True)
class PoolWeek:
    """Seven days of a pool that lends. ``days_nearly``: on how many of them it was nearly full."""

    id: int
    name: str
    lendable: int
    leased: int
    failed: int
    days_nearly: int = 0


@dataclass(frozen=True, slots=True)
class Silent:
    """A number (``name`` as it is dialled) or a site that fell silent."""

    kind: Kind
    id: int
    name: str
    since: datetime
    a_day: float


@dataclass(frozen=True, slots=True)
class Failed:
    """Recordings of the last week that could not be made, and the newest such call."""

    count: int
    newest_call: int


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Calls that a limit turned away in the last day, since when, and the newest of them."""

    count: int
    since: datetime
    newest_call: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is looked at."""

    nodes: Sequence[NodeState] = ()
    missed: Missed | None = None
    silent: Sequence[Silent] = ()
    pools: Sequence[PoolWeek] = ()
    failed: Failed | None = None
    turned_away: TurnedAway | None = None
    # Months with spend, by their first day, none of them removed.
    months_with_spend: frozenset[date] = field(default_factory=frozenset)


def needs(facts: Facts, now: datetime, today: date, put_off: Iterable[str] = ()) -> tuple[Need, ...]:
    """What needs somebody at ``now`` (UTC), ``today`` on the company's calendar; the most urgent first."""
    hidden = set(put_off)
    found = [
        *_of_nodes(facts.nodes, now),
        *_of_missed(facts.missed),
        *(
            Need(each.kind, f"{each.kind}/{each.id}", each.id, each.name, since=each.since, a_day=each.a_day)
            for each in facts.silent
        ),
        *(need for pool in facts.pools if (need := _of_pool(pool)) is not None),
        *_of_limits(facts.turned_away),
        *_of_recordings(facts.failed),
        *_of_spend(facts.months_with_spend, today),
    ]
    order = list(Kind)
    return tuple(
        sorted((need for need in found if need.key not in hidden), key=lambda need: (order.index(need.kind), need.key))
    )


def _of_nodes(nodes: Iterable[NodeState], now: datetime) -> Iterable[Need]:
    for node in nodes:
        away = now - node.seen_at
        if away > FORGOTTEN:
            continue
        if away > GATEWAY_AWAY:
            # What it told of its trunks is as old as that.
            yield Need(Kind.GATEWAY, f"gateway/{node.name}", name=node.name, since=node.seen_at)
        elif not node.is_linked and (node.linked_at is None or now - node.linked_at > LINK_AWAY):
            yield Need(Kind.LINK, f"link/{node.name}", name=node.name, since=node.linked_at)
        else:
            for trunk in node.down:
                if now - trunk.since > TRUNK_AWAY:
                    key = f"trunk/{node.name}/{trunk.name}"
                    yield Need(Kind.TRUNK, key, name=trunk.name, since=trunk.since, detail=trunk.state)


def _of_missed(missed: Missed | None) -> Iterable[Need]:
    if missed is not None and missed.people:
        yield Need(
            Kind.MISSED, f"missed/{missed.newest_call}", missed.newest_call, count=missed.people, since=missed.since
        )


def _of_pool(pool: PoolWeek) -> Need | None:
    if not pool.lendable:
        return Need(Kind.EMPTY, f"empty/{pool.id}", pool.id, pool.name)
    if pool.failed >= FAILED_LEAST and pool.failed > FAILED_SHARE * (pool.leased + pool.failed):
        return Need(Kind.POOL, f"pool/{pool.id}", pool.id, pool.name, pool.failed)
    if pool.days_nearly >= NEARLY_DAYS:
        return Need(Kind.NEARLY, f"nearly/{pool.id}", pool.id, pool.name, pool.days_nearly)
    return None


def _of_limits(found: TurnedAway | None) -> Iterable[Need]:
    if found is not None and found.count:
        key = f"limit/{found.newest_call}"
        yield Need(Kind.LIMIT, key, found.newest_call, count=found.count, since=found.since)


def _of_recordings(failed: Failed | None) -> Iterable[Need]:
    if failed is not None and failed.count:
        yield Need(Kind.RECORDINGS, f"recordings/{failed.newest_call}", failed.newest_call, count=failed.count)


def _of_spend(months: frozenset[date], today: date) -> Iterable[Need]:
    """Who told his spend of the month before last is missed by that of the last one."""
    last = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    earlier = (last - timedelta(days=1)).replace(day=1)
    if today.day > BILL_DAYS and earlier in months and last not in months:
        yield Need(Kind.SPEND, f"spend/{last:%Y-%m}", detail=last.isoformat())
