"""One site as the settings show and change it, by its id."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.pools import errors
from gateway.pools.sites import checked_hosts, checked_zone
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "site_changes.sql")


@dataclass(frozen=True, slots=True)
class Target:
    """A number printed on a site."""

    id: int
    e164: str


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What is set of a site."""

    id: int
    name: str
    public_key: str
    hosts: tuple[str, ...]
    payment_hosts: tuple[str, ...]
    time_zone: str | None
    consent_required: bool

    def is_own(self, host: str) -> bool:
        """Whether a host is the site's, or below one of its hosts."""
        return any(host == own or host.endswith(f".{own}") for own in self.hosts)


async def one_site(connection: Any, company_id: int, site_id: int) -> SiteSettings | None:
    """A site of a company."""
    row = await _queries.one_site(connection, company_id=company_id, site_id=site_id)
    if row is None:
        return None
    hosts, payment_hosts = tuple(row["hosts"]), tuple(row["payment_hosts"])
    return SiteSettings(**{**row, "hosts": hosts, "payment_hosts": payment_hosts})


async def set_removed(connection: Any, company_id: int, site_id: int, at: datetime | None) -> None:
    """A site is removed, or there again (none). Raises asyncpg's UniqueViolationError where its name is another's."""
    await _queries.set_removed(connection, company_id=company_id, site_id=site_id, removed_at=at)


async def targets_of(connection: Any, company_id: int, site_id: int) -> tuple[Target, ...]:
    """The numbers printed on a site."""
    rows = _queries.targets(connection, company_id=company_id, site_id=site_id)
    return tuple([Target(row["id"], row["e164"]) async for row in rows])


async def save_site(
    connection: Any,
    company_id: int,
    site_id: int,
    name: str,
    *,
    hosts: Collection[str],
    payment_hosts: Collection[str],
    time_zone: str | None,
    consent_required: bool,
) -> None:
    """Set everything of a site. Raises NameTaken, BadHost, UnknownTimeZone."""
    saved = await _queries.save_site(
        connection,
        company_id=company_id,
        site_id=site_id,
        name=name,
        hosts=checked_hosts(hosts),
        payment_hosts=checked_hosts(payment_hosts),
        time_zone=checked_zone(time_zone),
        consent_required=consent_required,
    )
    if saved is None:
        raise errors.NameTaken(name)


@dataclass(frozen=True, slots=True)
class TargetTaken:
    """A swap target that was taken away, with what is needed to have it back: the pools that named it."""

    e164: str
    pools: tuple[int, ...]


async def take_target(connection: Any, company_id: int, site_id: int, target_id: int) -> TargetTaken | None:
    """A number is printed on a site no more; none: it was not."""
    rows = _queries.serving_pools(connection, company_id=company_id, target_id=target_id)
    pools = tuple([row["pool_id"] async for row in rows])
    e164 = await _queries.take_target(connection, company_id=company_id, site_id=site_id, target_id=target_id)
    return None if e164 is None else TargetTaken(e164, pools)


async def give_target(connection: Any, company_id: int, site_id: int, taken: TargetTaken) -> None:
    """It is printed there after all."""
    target_id = await _queries.give_target(connection, company_id=company_id, site_id=site_id, e164=taken.e164)
    if target_id is not None:
        await _queries.serve_again(connection, company_id=company_id, target_id=target_id, pools=list(taken.pools))
