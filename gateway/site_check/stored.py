"""Checks as they are stored: the mark by which the collector knows a check's browser, how far it is, what it found."""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.store.queries import load_queries
from gateway.visits.bots import SITE_CHECK

# Stands in the user agent of every request of a check, so that anybody can tell it apart, in whatever log.
PRODUCT = SITE_CHECK
# A check takes a minute at most, and may wait for another.
_GOOD_FOR = timedelta(minutes=10)
_MARK = re.compile(rf"{PRODUCT}/1 \(([A-Za-z0-9_-]{{22}})\)")

_queries = load_queries(Path(__file__).parent, "checks.sql")


@dataclass(frozen=True, slots=True)
class Check:
    """A check of a page. ``step`` is what it is doing; ``report`` what it found, once it has ended."""

    id: int
    site_id: int
    url: str
    asked_at: datetime
    good_until: datetime
    step: str
    ended_at: datetime | None
    report: Mapping[str, Any] | None

    @property
    def is_lost(self) -> bool:
        """Whether its program ended before it did."""
        return self.ended_at is None and self.good_until < datetime.now(UTC)


def new_mark() -> str:
    """A mark that nobody guesses, for one check."""
    return secrets.token_urlsafe(16)


def calls_itself(mark: str) -> str:
    """What a check's browser adds to its user agent."""
    return f"{PRODUCT}/1 ({mark})"


def mark_in(user_agent: str) -> str | None:
    """The mark in a user agent."""
    found = _MARK.search(user_agent)
    return found[1] if found else None


async def add_check(
    connection: Any, company_id: int, site_id: int, url: str, mark: str, *, asked_by: int | None = None
) -> int:
    """Note that a check begins; its id. Until it ends the collector answers its browser as a visitor's."""
    check_id: int = await _queries.add_check(
        connection,
        company_id=company_id,
        site_id=site_id,
        url=url,
        mark_hash=_hash(company_id, mark),
        good_until=datetime.now(UTC) + _GOOD_FOR,
        asked_by=asked_by,
    )
    await _queries.forget_old_checks(connection, company_id=company_id, site_id=site_id)
    return check_id


async def is_good(connection: Any, company_id: int, mark: str) -> bool:
    """Whether the browser with this mark makes a check of a site of this company now."""
    found: bool = await _queries.is_good(
        connection, company_id=company_id, mark_hash=_hash(company_id, mark), now=datetime.now(UTC)
    )
    return found


async def note_step(connection: Any, company_id: int, check_id: int, step: str) -> None:
    """Say what a check is doing."""
    await _queries.stepped(connection, company_id=company_id, check_id=check_id, step=step)


async def note_end(connection: Any, company_id: int, check_id: int, report: Mapping[str, Any]) -> None:
    """A check has ended; its mark is good for nothing from now on."""
    await _queries.ended(
        connection, company_id=company_id, check_id=check_id, now=datetime.now(UTC), report=json.dumps(report)
    )


async def one_check(connection: Any, company_id: int, check_id: int) -> Check | None:
    """A check of a company."""
    row = await _queries.one_check(connection, company_id=company_id, check_id=check_id)
    return None if row is None else _check(row)


async def newest_checks(connection: Any, company_id: int) -> dict[int, Check]:
    """The newest check of each site, by the site's id."""
    return {row["site_id"]: _check(row) async for row in _queries.newest_checks(connection, company_id=company_id)}


@dataclass(frozen=True, slots=True)
class SiteNamed:
    """A site as a check needs it."""

    id: int
    company_id: int
    company: str
    name: str
    key: str
    hosts: tuple[str, ...]
    region: str
    consent_required: bool

    def is_own(self, host: str) -> bool:
        """Whether a host is the site's, or below one of its hosts."""
        return any(host == own or host.endswith(f".{own}") for own in self.hosts)


async def all_sites(connection: Any) -> list[SiteNamed]:
    """Every site, over a connection that sees every company."""
    return [
        SiteNamed(
            row["id"],
            row["company_id"],
            row["company"],
            row["name"],
            row["public_key"],
            tuple(row["hosts"]),
            row["region"],
            row["consent_required"],
        )
        async for row in _queries.sites_and_keys(connection)
    ]


@dataclass(frozen=True, slots=True)
class NumbersNamed:
    """Numbers as E.164: those printed on a site, those of its company's pools that lend, and those of static ones."""

    targets: tuple[str, ...]
    lent: frozenset[str]
    printed: frozenset[str]


async def numbers_of(connection: Any, company_id: int, site_id: int) -> NumbersNamed:
    """The numbers that matter to a site's pages."""
    targets, lent, printed = [], set(), set()
    async for row in _queries.numbers_of(connection, company_id=company_id, site_id=site_id):
        match row["kind"]:
            case "target":
                targets.append(row["e164"])
            case "dynamic":
                lent.add(row["e164"])
            case _:
                printed.add(row["e164"])
    return NumbersNamed(tuple(targets), frozenset(lent), frozenset(printed))


def _check(row: Any) -> Check:
    report = row["report"]
    return Check(**{**row, "report": None if report is None else json.loads(report)})


def _hash(company_id: int, mark: str) -> bytes:
    # One browser may be good in several companies, where a page carries another's key.
    return hashlib.sha256(f"{company_id}:{mark}".encode()).digest()
