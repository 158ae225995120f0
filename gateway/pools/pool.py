"""Pools, sites and their numbers as values: what the choice of a number is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from gateway.pools.conditions import Conditions


class Kind(StrEnum):
    """Whether every number of a pool stands for one source, or is lent to visitors."""

    STATIC = "static"
    DYNAMIC = "dynamic"


class WhenFull(StrEnum):
    """What a visitor gets when no number is free: the one seen longest ago, or the fallback number."""

    SHARE = "share"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class StaticNumber:
    """A number that stands for one source, and the facts by which visits of that source are told.

    A source without any fact (a flyer, a radio station) is of no visit.
    """

    number_id: int
    e164: str
    facts: Mapping[str, str]  # channel, source, medium, campaign: those that the source names


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool with all that decides when its numbers are shown, to whom, and for how long.

    ``bound_to`` names the parameters whose values share a number; empty: each visitor has one. ``serves`` are ids of
    swap targets; empty: all of the company's. A number stays its holder's for ``reserve`` after it was last seen, and
    is then lent to nobody for ``quarantine`` more, nor for ``dialled_quarantine`` after somebody rang it.
    """

    id: int
    company_id: int
    name: str
    kind: Kind
    priority: int = 0
    conditions: Conditions = field(default_factory=Conditions)
    bound_to: tuple[str, ...] = ()
    reserve: timedelta = timedelta(minutes=20)
    quarantine: timedelta = timedelta(0)
    dialled_quarantine: timedelta = timedelta(hours=1)
    window: timedelta = timedelta(hours=1)
    when_full: WhenFull = WhenFull.SHARE
    fallback: str | None = None
    serves: frozenset[int] = frozenset()
    numbers: tuple[StaticNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class SwapTarget:
    """A number printed on a site. ``number_id``: it is a tracking number here."""

    id: int
    e164: str
    number_id: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A website, found by the public key that its pages carry. ``time_zone`` is its company's where it has none."""

    id: int
    company_id: int
    name: str
    public_key: str
    hosts: tuple[str, ...]
    payment_hosts: tuple[str, ...]
    time_zone: str
    region: str  # ISO country by which its national numbers are read
    targets: tuple[SwapTarget, ...]
    consent_required: bool = False  # visitors are asked before they are known again


@dataclass(frozen=True, slots=True)
class Offer:
    """All sites by public key, the pools of each company, and every number that can be shown, by E.164 and company."""

    sites: Mapping[str, Site] = field(default_factory=dict)
    pools: Mapping[int, tuple[Pool, ...]] = field(default_factory=dict)
    numbers: Mapping[tuple[int, str], int] = field(default_factory=dict)
