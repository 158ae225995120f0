"""By which way a site's visits reach the collector, and for how long that lets visitors be remembered.

Three set-ups: the site's own web server passes ``/np/`` on (same host); the collector stands on a sub-domain of the
site (``np.example.com`` for ``www.example.com``); or on a host that has nothing to do with it. Each worker counts its
visits and adds them to the hour once a minute; ``setup_in_force`` reads what came of that.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.store.database import Database
from gateway.store.minutely import written_each_minute
from gateway.store.queries import load_queries
from gateway.visits.address import host_of

# How far back is looked, and how long hours are kept.
LOOK_BACK = timedelta(days=30)
# A site that was set up anew is told so after some ten visits, not after a day; a stray one decides nothing.
_NEWEST_VISITS = 20
# So many known visitors without a cookie are no chance: something on the way takes cookies out.
_ENOUGH = 5
# Chrome and the cookie standard (RFC 6265bis, section 5.5) allow 400 days at most.
LONGEST = timedelta(days=400)
# Safari deletes what scripts store after so many days of its use without a touch of the site, and cuts cookies of a
# server that stands in another network than the site's own to as many days (webkit.org/tracking-prevention).
SAFARI = timedelta(days=7)

_queries = load_queries(Path(__file__).parent, "ways.sql")


class Way(StrEnum):
    """Where the collector stands, as the browser of a visit sees it."""

    SAME_HOST = "same_host"  # passed on by the site's own web server
    SUB_DOMAIN = "sub_domain"  # another host of the same site
    FOREIGN_HOST = "foreign_host"  # of another site: browsers give it no cookie


@dataclass(frozen=True, slots=True)
class WayHour:
    """What came by one way in one hour. ``known``: visits whose page remembered its visitor; ``by_cookie``: of them,
    those whose cookie came as well."""

    way: Way
    hour: datetime
    visits: int
    known: int
    by_cookie: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class WayUsed:
    """A way by which visits came in the time that is looked at, and when the last did."""

    way: Way
    visits: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class SetUp:
    """The set-up that a site's newest visits came by.

    ``way`` is none where no visit came. ``used`` are all ways of the last thirty days, the busiest first: more than one
    says that some pages still carry another tag. ``cookies_come_back`` is false where visitors are known by their
    browser's storage and never by the cookie although they should be: a proxy takes it out; none: it cannot be told.
    ``remembered`` is how long browsers keep a visitor, ``safari`` how long Safari surely does, ``safari_at_best`` how
    long it does where the sub-domain's address lies in the network of the site's own (the first half of it).
    """

    way: Way | None
    used: tuple[WayUsed, ...]
    cookies_come_back: bool | None
    remembered: timedelta
    safari: timedelta
    safari_at_best: timedelta


def way_of(origin: str, host: str, fetch_site: str = "") -> Way | None:
    """The way of a request, by its headers ``Origin``, ``Host`` and ``Sec-Fetch-Site``; none where no page sent it.

    What the browser says of it (Fetch Metadata, w3.org/TR/fetch-metadata) goes first: it knows which domains are
    registered under one name, and a proxy that changes ``Host`` does not mislead it. It says nothing over plain HTTP;
    then the names decide.
    """
    if fetch_site == "same-origin":
        return Way.SAME_HOST
    if fetch_site == "cross-site":
        return Way.FOREIGN_HOST
    page = _host_in(origin)
    if not page:
        return None
    asked = host_of(host)
    if page == asked:
        return Way.SAME_HOST
    if fetch_site == "same-site" or _is_below(asked, page) or _is_below(page, asked):
        return Way.SUB_DOMAIN
    return Way.FOREIGN_HOST


def common_domain(origin: str, host: str) -> str:
    """What the names of two hosts of one site, a page's and the collector's, end in alike; it may be empty."""
    page, asked = _host_in(origin).split("."), host_of(host).split(".")
    common: list[str] = []
    for one, other in zip(reversed(page), reversed(asked), strict=False):
        if one != other:
            break
        common.insert(0, one)
    # One label alone is nobody's domain, and addresses of digits have none.
    return ".".join(common) if len(common) > 1 and not common[-1].isdigit() else ""


def setup_of(hours: Sequence[WayHour]) -> SetUp:
    """The set-up in force, by the hours of one site."""
    visits: Counter[Way] = Counter()
    last: dict[Way, datetime] = {}
    for each in hours:
        visits[each.way] += each.visits
        last[each.way] = max(each.last_at, last.get(each.way, each.last_at))
    newest: Counter[Way] = Counter()
    known: Counter[Way] = Counter()
    by_cookie: Counter[Way] = Counter()
    by_hour = sorted(hours, key=lambda each: each.hour, reverse=True)
    for index, each in enumerate(by_hour):
        if newest.total() >= _NEWEST_VISITS and each.hour != by_hour[index - 1].hour:
            break
        newest[each.way] += each.visits
        known[each.way] += each.known
        by_cookie[each.way] += each.by_cookie
    way = max(newest, key=lambda each: (newest[each], last[each])) if newest else None
    comes_back: bool | None = None
    if way is not None and way is not Way.FOREIGN_HOST and (by_cookie[way] or known[way] >= _ENOUGH):
        comes_back = by_cookie[way] > 0
    safari, at_best = _in_safari(way, comes_back)
    return SetUp(
        way,
        tuple(WayUsed(each, count, last[each]) for each, count in visits.most_common()),
        comes_back,
        LONGEST if way is not None else timedelta(0),
        safari,
        at_best,
    )


async def setup_in_force(connection: Any, company_id: int, site_id: int, now: datetime | None = None) -> SetUp:
    """The set-up that a site's newest visits came by, over a connection that sees the company.

    Visits of the last minute may not be counted yet.
    """
    since = (now or datetime.now(UTC)) - LOOK_BACK
    rows = _queries.hours(connection, company_id=company_id, site_id=site_id, since=since)
    return setup_of([WayHour(**{**row, "way": Way(row["way"])}) async for row in rows])


async def forget_ways(connection: Any, now: datetime) -> None:
    """Delete hours that nobody looks at any more, over a connection that sees every company."""
    await _queries.forget_hours(connection, before=now - LOOK_BACK)


@dataclass(slots=True)
class _Counted:
    visits: int = 0
    known: int = 0
    by_cookie: int = 0
    last_at: datetime | None = None

    def add(self, other: "_Counted") -> None:
        self.visits += other.visits
        self.known += other.known
        self.by_cookie += other.by_cookie
        if self.last_at is None or (other.last_at is not None and other.last_at > self.last_at):
            self.last_at = other.last_at


_Key = tuple[int, int, datetime, Way]


@dataclass(slots=True)
class Ways:
    """The counts of one worker since they were last written."""

    _counts: dict[_Key, _Counted] = field(default_factory=dict)

    def count(self, company_id: int, site_id: int, way: Way, now: datetime, *, is_known: bool, by_cookie: bool) -> None:
        """A visit came by ``way``; whether its page remembered its visitor, and whether the cookie came as well."""
        key = company_id, site_id, now.replace(minute=0, second=0, microsecond=0), way
        counted = self._counts.get(key)
        if counted is None:
            counted = self._counts[key] = _Counted()
        counted.visits += 1
        counted.known += is_known
        counted.by_cookie += by_cookie
        counted.last_at = now

    async def write(self, database: Database) -> None:
        """Add what was counted to the hours. Raises what the database raises; then it all waits for the next time."""
        counts = self._counts
        if not counts:
            return
        self._counts = {}
        try:
            await _add(database, counts)
        except BaseException:
            for key, counted in counts.items():
                self._counts.setdefault(key, _Counted()).add(counted)
            raise

    @asynccontextmanager
    async def running(self, database: Database) -> AsyncIterator["Ways"]:
        """Write once a minute while it lasts, and at the end."""
        async with written_each_minute(lambda: self.write(database), "the ways of visits"):
            yield self


async def _add(database: Database, counts: Mapping[_Key, _Counted]) -> None:
    # In one order, so that two workers that write at once do not wait for each other in a circle.
    keys = sorted(counts)
    counted = [counts[key] for key in keys]
    async with database.everything() as connection:
        await _queries.add_hours(
            connection,
            companies=[key[0] for key in keys],
            sites=[key[1] for key in keys],
            hours=[key[2] for key in keys],
            ways=[key[3].value for key in keys],
            visits=[each.visits for each in counted],
            known=[each.known for each in counted],
            by_cookie=[each.by_cookie for each in counted],
            last=[each.last_at for each in counted],
        )


def _in_safari(way: Way | None, comes_back: bool | None) -> tuple[timedelta, timedelta]:
    if way is None:
        return timedelta(0), timedelta(0)
    if comes_back is False or way is Way.FOREIGN_HOST:
        return SAFARI, SAFARI
    return (LONGEST if way is Way.SAME_HOST else SAFARI), LONGEST


def _host_in(origin: str) -> str:
    try:
        return host_of(urlsplit(origin).netloc)
    except ValueError:
        return ""


def _is_below(host: str, other: str) -> bool:
    """Whether ``host`` lies below ``other``, or below what ``other`` is the ``www`` of."""
    parent = other.removeprefix("www.")
    return "." in parent and host.endswith(f".{parent}")
