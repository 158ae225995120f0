"""Sites of a company, and the numbers printed on them: each checked before it is written."""

import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.pools import errors, pool_errors
from gateway.pools.numbers import NumberError, to_e164
from gateway.pools.setup import Company
from gateway.store.queries import load_queries
from gateway.visits.address import host_of

_KEY_LETTERS = string.ascii_lowercase + string.digits
# 20 letters of 36: nobody finds a site's key by trying. It is no secret all the same, it stands in the pages.
_KEY_LENGTH = 20

_queries = load_queries(Path(__file__).parent, "sites.sql")


@dataclass(frozen=True, slots=True)
class SiteMade:
    """A site that was made, and the public key for its pages."""

    id: int
    public_key: str


async def sites(connection: Any, company: Company) -> list[Any]:
    """The sites of a company with the numbers printed on them."""
    return [row async for row in _queries.sites(connection, company_id=company.id)]


async def add_site(
    connection: Any,
    company: Company,
    name: str,
    *,
    hosts: Collection[str] = (),
    payment_hosts: Collection[str] = (),
    time_zone: str | None = None,
) -> SiteMade:
    """Make a site. ``hosts`` are its own, ``payment_hosts`` those where visitors pay and come back from.

    Raises NoName, NameTaken, BadHost, UnknownTimeZone.
    """
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise errors.NoName(name)
    key = "".join(secrets.choice(_KEY_LETTERS) for _ in range(_KEY_LENGTH))
    site_id: int | None = await _queries.add_site(
        connection,
        company_id=company.id,
        name=name,
        public_key=key,
        hosts=checked_hosts(hosts),
        payment_hosts=checked_hosts(payment_hosts),
        time_zone=checked_zone(time_zone),
    )
    if site_id is None:
        raise errors.NameTaken(name)
    return SiteMade(site_id, key)


async def change_site(
    connection: Any,
    company: Company,
    name: str,
    *,
    hosts: Collection[str] | None = None,
    payment_hosts: Collection[str] | None = None,
    time_zone: str | None = None,
) -> None:
    """Change what is named of a site. Raises NoSuchSite, BadHost, UnknownTimeZone."""
    await _queries.change_site(
        connection,
        company_id=company.id,
        site_id=await site_id(connection, company, name),
        hosts=None if hosts is None else checked_hosts(hosts),
        payment_hosts=None if payment_hosts is None else checked_hosts(payment_hosts),
        time_zone=checked_zone(time_zone),
    )


async def require_consent(connection: Any, company: Company, name: str, is_required: bool) -> None:
    """Say whether visitors are asked before they are known again. Raises NoSuchSite."""
    await _queries.require_consent(
        connection,
        company_id=company.id,
        site_id=await site_id(connection, company, name),
        is_required=is_required,
    )


async def add_target(connection: Any, company: Company, site: str, text: str) -> tuple[int, str]:
    """Say that a number is printed on a site; its id, and the number as E.164.

    It may be a tracking number itself. Raises NoSuchSite, BadNumber, TargetTaken.
    """
    e164 = _number(text, company)
    target_id: int | None = await _queries.add_target(
        connection, company_id=company.id, site_id=await site_id(connection, company, site), e164=e164
    )
    if target_id is None:
        raise pool_errors.TargetTaken(text)
    return target_id, e164


async def remove_target(connection: Any, company: Company, site: str, text: str) -> None:
    """Say that a number is printed on a site no more. Raises NoSuchSite, BadNumber, NoSuchTarget."""
    e164 = _number(text, company)
    here = await site_id(connection, company, site)
    if await _queries.remove_target(connection, company_id=company.id, site_id=here, e164=e164) is None:
        raise pool_errors.NoSuchTarget(text)


async def targets(connection: Any, company: Company, numbers: Collection[str]) -> list[int]:
    """The ids of printed numbers, on whatever site of the company. Raises BadNumber, NoSuchTarget."""
    found = []
    for text in numbers:
        e164 = _number(text, company)
        ids = [row["id"] async for row in _queries.targets_of_number(connection, company_id=company.id, e164=e164)]
        if not ids:
            raise pool_errors.NoSuchTarget(text)
        found += ids
    return found


async def site_id(connection: Any, company: Company, name: str) -> int:
    """The id of the site of that name. Raises NoSuchSite."""
    for row in await sites(connection, company):
        if row["name"] == name.strip():
            return int(row["id"])
    raise pool_errors.NoSuchSite(name)


def _number(text: str, company: Company) -> str:
    try:
        return to_e164(text, company.region)
    except NumberError as error:
        raise errors.BadNumber(str(error)) from None


def checked_hosts(names: Collection[str]) -> list[str]:
    """Names of web servers, each once, in small letters. Raises BadHost."""
    found = []
    for name in names:
        host = host_of(name.strip())
        if not host or "/" in name:
            raise pool_errors.BadHost(name)
        found.append(host)
    return list(dict.fromkeys(found))


def checked_zone(name: str | None) -> str | None:
    """The name of a time zone, if it is one. Raises UnknownTimeZone."""
    if name is not None:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, ZoneInfoNotFoundError):
            raise errors.UnknownTimeZone(name) from None
    return name
