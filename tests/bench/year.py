"""A year of visits and calls of two companies, one with a tenth of the other's: drawn by a seed, written with COPY.

Sources, keywords and cities are had as advertisements have them: a few very often, thousands now and then.
"""

import sys
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any

import asyncpg
import numpy as np
import numpy.typing as npt

DAYS = 365
SEED = 20261122
KEYWORDS, CITIES, CAMPAIGNS, PAGES, REGIONS, PEOPLE = 5000, 1000, 60, 40, 15, 12
NUMBERS = 60

# Label, channel, source, medium; the first brings most.
ARRIVALS = (
    ("Google Paid", "Paid Search", "google", "cpc"),
    ("Google Organic", "Organic Search", "google", "organic"),
    ("Direct", "Direct", "(direct)", "(none)"),
    ("Facebook Paid", "Paid Social", "facebook", "paid_social"),
    ("Bing Paid", "Paid Search", "bing", "cpc"),
    ("Bing Organic", "Organic Search", "bing", "organic"),
    ("Newsletter", "Email", "newsletter", "email"),
    ("Yelp", "Referral", "yelp.com", "referral"),
    ("Instagram", "Organic Social", "instagram", "social"),
    ("Angi", "Referral", "angi.com", "referral"),
    ("YouTube", "Organic Video", "youtube", "video"),
    ("Display", "Display", "google", "display"),
    ("Nextdoor", "Referral", "nextdoor.com", "referral"),
    ("ChatGPT", "AI", "chatgpt.com", "referral"),
)
_PAID, _OF_CAMPAIGNS = ("cpc",), ("cpc", "display", "paid_social")
_COMPANY = """
WITH company AS (
    INSERT INTO companies (name, time_zone, region, currency) VALUES ($1, 'America/Regina', 'CA', 'CAD') RETURNING id
), site AS (
    INSERT INTO sites (company_id, name, public_key) SELECT id, 'Home', 'key' || id || 'abc' FROM company RETURNING id
), sources AS (
    INSERT INTO sources (company_id, name, channel, source, colour)
    SELECT company.id, label, channel, source, place - 1
    FROM company, unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS arrival (label, channel, source, place)
), pools AS (
    INSERT INTO pools (company_id, name, kind) SELECT id, 'Pool ' || n, 'static' FROM company, generate_series(1, 6) n
    RETURNING id, company_id
)
INSERT INTO tracking_numbers (company_id, pool_id, e164)
SELECT company_id, id, '+1306' || lpad((id * 100 + n)::text, 7, '0') FROM pools, generate_series(0, 9) n
RETURNING company_id
"""
_FILLED = ("visits", "calls", "attributions", "call_touches", "jobs", "job_leads")
_CHUNK = 100_000
_USER_AGENT = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"

Column = npt.NDArray[Any]


@dataclass(frozen=True)
class Drawn:
    """What was drawn of a company's visits: a place for each, in the order in which they came."""

    company: int
    began: datetime
    arrival: Column
    campaign: Column
    keyword: Column
    page: Column
    city: Column
    device: Column

    def __len__(self) -> int:
        return len(self.arrival)

    def visit(self, number: int) -> str:
        """The id of a visit."""
        return f"{self.company * 100_000_000 + number:032x}"

    def times(self, numbers: Column) -> Column:
        """When visits began, as Postgres reads it."""
        seconds = numbers * (DAYS * 86400) // len(self)
        return np.datetime_as_string(np.datetime64(self.began.replace(tzinfo=None), "s") + seconds)

    def credit(self, number: int) -> str:
        """Label, channel, source, medium, campaign, keyword of a visit."""
        label, channel, source, medium = ARRIVALS[self.arrival[number]]
        campaign = f"campaign {self.campaign[number]}" if medium in _OF_CAMPAIGNS else ""
        keyword = f"roof repair word {self.keyword[number]}" if medium in _PAID else ""
        return f"{label}\t{channel}\t{source}\t{medium}\t{campaign}\t{keyword}"


def zipf(dice: np.random.Generator, most: int, count: int) -> Column:
    """Ranks below ``most``, each about as often as its own part of 1/rank (Zipf's law)."""
    ranks: Column = (most ** dice.random(count)).astype(np.int16) - 1
    return ranks


def drawn(company: int, began: datetime, visits: int) -> Drawn:
    """The visits of a company, the same for one seed."""
    dice = np.random.default_rng(SEED + visits)
    return Drawn(
        company,
        began,
        (len(ARRIVALS) * dice.random(visits) ** 2).astype(np.int16),
        zipf(dice, CAMPAIGNS, visits),
        zipf(dice, KEYWORDS, visits),
        zipf(dice, PAGES, visits),
        zipf(dice, CITIES, visits),
        (3 * dice.random(visits) ** 2).astype(np.int16),
    )


async def fill(dsn: str, calls: int, visits: int, kept: Collection[str] | None = None) -> tuple[int, int, date]:
    """A large company and a small one, and the last of their days: as a superuser, without triggers and indexes.

    These are made anew; ``kept`` names the only indexes of visits that are.
    """
    wire = await asyncpg.connect(dsn, command_timeout=1800)
    try:
        await wire.execute("SET maintenance_work_mem = '512MB'; SET work_mem = '128MB'")
        node = await wire.fetchval("INSERT INTO nodes (name) VALUES ('year') RETURNING id")
        began = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
        for month in range(13):
            await wire.execute(
                "SELECT numberpool_make_month('visits', (date_trunc('month', $1::timestamptz)"
                " + $2 * interval '1 month')::date)",
                began,
                month,
            )
        indexes = await wire.fetch(
            "SELECT indexname, indexdef, tablename FROM pg_indexes"
            " WHERE tablename = ANY ($1) AND indexdef NOT LIKE '%UNIQUE%'",
            _FILLED,
        )
        for index in indexes:
            await wire.execute(f"DROP INDEX {index['indexname']}")
        for table in _FILLED:
            await wire.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        companies = [await _fill_company(wire, "Large", node, began, calls, visits, first=0)]
        companies.append(await _fill_company(wire, "Small", node, began, calls // 10, visits // 10, first=calls))
        for table in _FILLED:
            await wire.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
        for index in indexes:
            if kept is None or index["tablename"] != "visits" or index["indexname"] in kept:
                await wire.execute(index["indexdef"].replace(" ON ONLY ", " ON "))
        for table in ("calls", "jobs", "job_leads"):
            await wire.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        for table in _FILLED:
            await wire.execute(f"VACUUM ANALYZE {table}")
        _say("indexes are made")
        await wire.execute("INSERT INTO report_due (company_id) SELECT id FROM companies")
        today: date = await wire.fetchval(
            "SELECT (max(started_at) AT TIME ZONE 'America/Regina')::date FROM calls WHERE company_id = $1",
            companies[0],
        )
        return companies[0], companies[1], today
    finally:
        await wire.close()


async def _fill_company(
    wire: asyncpg.Connection, name: str, node: int, began: datetime, calls: int, visits: int, first: int
) -> int:
    labels, channels, sources, _ = zip(*ARRIVALS, strict=True)
    company: int = await wire.fetchval(_COMPANY, name, labels, channels, sources)
    site = await wire.fetchval("SELECT id FROM sites WHERE company_id = $1", company)
    own = drawn(company, began, visits)
    await _copy(wire, "visits", _VISIT_COLUMNS, _visits(own, site), name)
    source_ids = {
        row["name"]: row["id"] for row in await wire.fetch("SELECT * FROM sources WHERE company_id = $1", company)
    }
    numbers = await wire.fetch("SELECT id, e164, pool_id FROM tracking_numbers WHERE company_id = $1", company)
    of_calls = _Calls(own, node, first, calls, [source_ids[label] for label in labels], numbers)
    for table, (columns, lines) in of_calls.tables().items():
        await _copy(wire, table, columns, lines, name)
    return company


_VISIT_COLUMNS = (
    "company_id site_id id visitor_id started_at label channel source medium campaign keyword url page referrer "
    "country region city user_agent device language"
)


def _visits(own: Drawn, site: int) -> Iterator[str]:
    devices = ("mobile", "desktop", "tablet")
    for since in range(0, len(own), _CHUNK):
        numbers = np.arange(since, min(since + _CHUNK, len(own)))
        drawn_of = (column[numbers].tolist() for column in (own.page, own.city, own.device))
        for number, at, page, city, device in zip(
            numbers.tolist(), own.times(numbers).tolist(), *drawn_of, strict=True
        ):
            visit = own.visit(number)
            yield (
                f"{own.company}\t{site}\t{visit}\t{own.visit(number // 2)}\t{at}Z\t{own.credit(number)}\t"
                f"https://www.example.com/page-{page}?utm_source=x&gclid={visit}\t/page-{page}\t"
                f"https://www.google.com/\tCA\tCA-SK\tCity {city}\t{_USER_AGENT}\t{devices[device]}\ten-CA\n"
            )


class _Calls:
    """A call after every tenth visit. Seven of ten callers came once; of others, an earlier visit or two count too."""

    def __init__(
        self, own: Drawn, node: int, first: int, count: int, source_ids: list[int], numbers: list[asyncpg.Record]
    ) -> None:
        self._own, self._node, self._first, self._count = own, node, first, count
        self._source_ids, self._numbers = source_ids, numbers
        dice = np.random.default_rng(SEED + 1 + count)
        self._visit = np.arange(count) * (len(own) // count) + len(own) // count - 4
        self._fate, self._status, self._talk, self._ring = (dice.random(count) for _ in range(4))
        self._number, self._person = dice.integers(0, NUMBERS, count), dice.integers(0, PEOPLE, count)
        self._caller, self._region = dice.integers(0, max(1, count * 6 // 10), count), zipf(dice, REGIONS, count)
        self._is_first = dice.random(count) < 0.6
        self._touches = 1 + (dice.random(count) > 0.7).astype(int) + (dice.random(count) > 0.9)
        self._back = (dice.random(count) * len(own) / 12).astype(np.int64)

    def tables(self) -> dict[str, tuple[str, Iterable[str]]]:
        """Each table with its columns and lines."""
        own, ids = self._own.company, range(self._first + 1, self._first + self._count + 1)
        jobs = ids[::12]
        return {
            "calls": (
                "id company_id node_id asterisk_id stage state outcome did number_id pool_id source_id caller "
                "started_at answered_at ended_at ring_seconds talk_seconds answered_by status region is_first channel "
                "campaign keyword confidence settled_at",
                self._calls(),
            ),
            "attributions": (
                "company_id call_id basis confidence source_confidence because source_id channel decided_at settled_at",
                (
                    f"{own}\t{call}\tstatic number\t0.95\t0.95\t{{live}}\t{self._source_ids[arrival]}\t"
                    f"{ARRIVALS[arrival][1]}\tnow\tnow\n"
                    for call, arrival in zip(ids, self._own.arrival[self._visit].tolist(), strict=True)
                ),
            ),
            "call_touches": (
                "company_id call_id position at visit_id how source_id label channel source medium campaign keyword",
                self._call_touches(),
            ),
            "jobs": (
                "id company_id value currency booked_at",
                (f"{job}\t{own}\t{100 + job % 900}\tCAD\tnow\n" for job in jobs),
            ),
            "job_leads": ("id company_id job_id call_id", (f"{job}\t{own}\t{job}\t{job}\n" for job in jobs)),
        }

    def _calls(self) -> Iterator[str]:
        own, times = self._own, self._own.times(self._visit)
        for place in range(self._count):
            fate, status = self._fate[place], self._status[place]
            is_answered, number, visit = fate < 0.78, self._numbers[self._number[place]], int(self._visit[place])
            outcome = (
                "answered" if is_answered else "no_answer" if fate < 0.9 else "abandoned" if fate < 0.98 else "blocked"
            )
            _, channel, _, _, campaign, keyword = own.credit(visit).split("\t")
            at = f"{times[place]}Z"
            person = f"PJSIP/1{self._person[place]:02}" if is_answered else "\\N"
            yield (
                f"{self._first + place + 1}\t{own.company}\t{self._node}\t{own.company}-{place}\t3\tended\t{outcome}\t"
                f"{number['e164']}\t{number['id']}\t{number['pool_id']}\t{self._source_ids[own.arrival[visit]]}\t"
                f"+1306{self._caller[place]:07}\t{at}\t{at if is_answered else chr(92) + 'N'}\t{at}\t"
                f"{5 + 20 * self._ring[place]:.3f}\t{300 * self._talk[place] if is_answered else 0:.3f}\t{person}\t"
                f"{'spam' if status < 0.01 else 'booked' if status < 0.1 else 'new'}\tRegion {self._region[place]}\t"
                f"{'t' if self._is_first[place] else 'f'}\t{channel}\t{campaign}\t{keyword}\t0.95\tnow\n"
            )

    def _call_touches(self) -> Iterator[str]:
        own = self._own
        for back in range(int(self._touches.max())):
            places = np.flatnonzero(self._touches > back)
            visits = np.maximum(0, self._visit[places] - back * self._back[places])
            times = own.times(visits).tolist()
            for place, visit, at in zip(places.tolist(), visits.tolist(), times, strict=True):
                yield (
                    f"{own.company}\t{self._first + place + 1}\t{back}\t{at}Z\t{own.visit(visit)}\tvisit\t"
                    f"{self._source_ids[own.arrival[visit]]}\t{own.credit(visit)}\n"
                )


async def _copy(wire: asyncpg.Connection, table: str, columns: str, lines: Iterable[str], whose: str) -> None:
    began, count = perf_counter(), 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal count
        part: list[str] = []
        for line in lines:
            part.append(line)
            if len(part) == 5000:
                count += len(part)
                yield "".join(part).encode()
                part = []
                if not count % 1_000_000:
                    _say(f"{whose}: {count:,} {table}")
        count += len(part)
        yield "".join(part).encode()

    await wire.copy_to_table(table, source=chunks(), columns=columns.split(), format="text")
    _say(f"{whose}: {count:,} {table} in {perf_counter() - began:.0f} s")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
