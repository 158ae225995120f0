"""Pools made and changed: each setting checked before it is written."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from gateway.pools import errors, pool_errors, setup, sites
from gateway.pools.conditions import conditions_of, stored, typed
from gateway.pools.durations import duration
from gateway.pools.numbers import NumberError, to_e164
from gateway.pools.setup import Company
from gateway.store.queries import load_queries

NONE = "none"

_RECORDS = {"on": True, "off": False, "company": None}
_LEAST = timedelta(minutes=1)
_PARAMETER = re.compile(r"[a-z0-9_.-]{1,60}")
_PRICE = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,4})?")

_queries = load_queries(Path(__file__).parent, "pool_setup.sql")


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """What is asked of a pool, as people type it; none: left as it is.

    Lengths of time are ``20m``, ``1h``; ``when`` are conditions (``medium=cpc,ppc``; empty: everybody), ``bound_to``
    parameters (``utm_campaign``; empty: each visitor has a number), ``targets`` numbers printed on sites (empty: all of
    them). ``fallback`` and ``price`` may be ``none``. ``record``: ``company`` does as the company says.
    """

    priority: int | None = None
    when: tuple[str, ...] | None = None
    bound_to: tuple[str, ...] | None = None
    reserve: str | None = None
    quarantine: str | None = None
    dialled_quarantine: str | None = None
    window: str | None = None
    when_full: Literal["share", "fallback"] | None = None
    fallback: str | None = None
    price: str | None = None
    targets: tuple[str, ...] | None = None
    record: Literal["on", "off", "company"] | None = None


async def pools(connection: Any, company: Company) -> list[Any]:
    """The pools of a company, with everything that can be said of them."""
    return [row async for row in _queries.pools(connection, company_id=company.id)]


async def make_pool(
    connection: Any,
    company: Company,
    name: str,
    kind: Literal["static", "dynamic"],
    settings: PoolSettings,
    *,
    record_calls: bool | None = None,
) -> int:
    """Make a pool; its id. Raises NoName, NameTaken and what ``change_pool`` raises."""
    pool_id = await setup.add_pool(connection, company, name, kind, record_calls=record_calls)
    await change_pool(connection, company, name, settings)
    return pool_id


async def change_pool(connection: Any, company: Company, name: str, settings: PoolSettings) -> None:
    """Change what is named of a pool.

    Numbers that are lent stay with their holders. Raises NoSuchPool, ConditionError, BadParameter, BadDuration,
    QuarantineTooShort, BadNumber, BadPrice, NoSuchTarget, OnlyForLending.
    """
    present = await _queries.hold_pool(connection, company_id=company.id, name=" ".join(name.split()))
    if present is None:
        raise errors.NoSuchPool(name)
    lending = (
        settings.bound_to,
        settings.reserve,
        settings.quarantine,
        settings.dialled_quarantine,
        settings.when_full,
    )
    if present["kind"] == "static" and any(each is not None for each in lending):
        raise pool_errors.OnlyForLending(name)
    quarantine = _seconds(settings.quarantine, present["quarantine_seconds"])
    dialled = _seconds(settings.dialled_quarantine, present["dialled_quarantine_seconds"])
    if dialled < quarantine:
        if settings.dialled_quarantine is not None:
            raise pool_errors.QuarantineTooShort(settings.dialled_quarantine)
        dialled = quarantine
    conditions = conditions_of(json.loads(present["conditions"])) if settings.when is None else typed(settings.when)
    await _queries.change_pool(
        connection,
        company_id=company.id,
        pool_id=present["id"],
        priority=present["priority"] if settings.priority is None else settings.priority,
        conditions=json.dumps(stored(conditions), ensure_ascii=False),
        bound_to=present["bound_to"] if settings.bound_to is None else _parameters(settings.bound_to),
        reserve_seconds=_seconds(settings.reserve, present["reserve_seconds"], least=_LEAST),
        quarantine_seconds=quarantine,
        dialled_quarantine_seconds=dialled,
        window_seconds=_seconds(settings.window, present["window_seconds"], least=_LEAST),
        when_full=settings.when_full or present["when_full"],
        fallback_number=_fallback(settings.fallback, company, present["fallback_number"]),
        record_calls=present["record_calls"] if settings.record is None else _RECORDS[settings.record],
        monthly_price=present["monthly_price"] if settings.price is None else price(settings.price),
    )
    if settings.targets is not None:
        served = await sites.targets(connection, company, settings.targets)
        await _queries.serve_targets(connection, company_id=company.id, pool_id=present["id"], targets=served)


def price(text: str) -> Decimal | None:
    """A monthly price as typed; none where it says so. Raises BadPrice."""
    if text.strip().lower() == NONE:
        return None
    try:
        if not _PRICE.fullmatch(text.strip()):
            raise pool_errors.BadPrice(text)
        return Decimal(text.strip())
    except InvalidOperation:
        raise pool_errors.BadPrice(text) from None


def price_said(price: Decimal | None, currency: str) -> str:
    """``1.50 CAD``, ``0.0125 CAD``; nothing where there is none."""
    if price is None:
        return ""
    return f"{round(price, 2) if price == round(price, 2) else price.normalize():f} {currency}"


def _seconds(text: str | None, present: int, *, least: timedelta = timedelta(0)) -> int:
    return present if text is None else round(duration(text, least=least).total_seconds())


def _parameters(names: Collection[str]) -> list[str]:
    for name in names:
        if not _PARAMETER.fullmatch(name):
            raise pool_errors.BadParameter(name)
    return sorted(set(names))


def _fallback(text: str | None, company: Company, present: str | None) -> str | None:
    if text is None:
        return present
    if text.strip().lower() == NONE:
        return None
    try:
        return to_e164(text, company.region)
    except NumberError as error:
        raise errors.BadNumber(str(error)) from None
