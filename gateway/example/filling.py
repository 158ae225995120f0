"""Fills a company with its example: one transaction, all of it or nothing.

What happened is drawn (``course``, ``calling``); the rows become what they would have become live: calls through the
function that makes a row of Asterisk's record, visits and forms by the statements of the collector, what brought each
call by attribution's own functions, by what was learned up to then.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from gateway.attribution.gather import ask, decided
from gateway.attribution.keeping import Sources, keep_decision
from gateway.attribution.learned_store import keep_learned, newest_learned
from gateway.attribution.learner import learned_from
from gateway.attribution.past import past_of
from gateway.attribution.reliability import score_month
from gateway.attribution.settling import SETTLE_AFTER, settle_by_number
from gateway.calls import rules as caller_rules
from gateway.calls.admission import Verdict
from gateway.calls.directory import Directory
from gateway.calls.entry import call_entry
from gateway.calls.load import load_directory
from gateway.calls.region import region_of
from gateway.calls.route import Destination
from gateway.calls.sides import finished_file
from gateway.errors import Mendable
from gateway.example.call_backs import called_back_at
from gateway.example.calling import Calls, blocked_caller, calls_of
from gateway.example.course import DAYS, LATELY, Course, Grounds, run
from gateway.example.spending import write_spent
from gateway.example.talks import Recorded, by_name, record
from gateway.example.trades import Trade
from gateway.leads.inbox import store as store_lead
from gateway.leads.search import fold, words_of
from gateway.local.programs import Program
from gateway.pools.offer import load_offer
from gateway.pools.setup import Company
from gateway.store.database import Connection, Database
from gateway.store.queries import load_queries
from gateway.visits.classify import Classifier
from gateway.visits.months import months_before
from gateway.visits.rule_store import rules_in_force
from gateway.visits.ways import LOOK_BACK

NODE = "example"
RULE_NOTE = "Sells advertising."
# What was learned grows with the months, as it does by night.
_LEARNS_EVERY = timedelta(days=30)
# The main line of whoever has none; nothing is dialled here.
_NO_LINE = Destination("PJSIP/office", 30)
_CHUNK = 2000

_queries = load_queries(Path(__file__).parent, "example.sql")
_journal = load_queries(Path(__file__).parents[1] / "visits", "journal.sql")
_months = load_queries(Path(__file__).parents[1] / "visits", "months.sql")
_calls = load_queries(Path(__file__).parents[1] / "calls")
_marks = load_queries(Path(__file__).parents[1] / "leads", "marks.sql")

Say = Callable[[str], None]


class ExampleRefused(Mendable):
    """The example is not filled in, or not taken out; the message says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What was filled in."""

    calls: int
    visits: int
    forms: int
    jobs: int
    recordings: int


@dataclass(frozen=True, slots=True)
class Voices:
    """What speaks, where its sound files are kept, and the data folder that recordings lie in."""

    espeak: Program
    folder: Path
    data_folder: Path


async def fill(
    database: Database,
    trade: Trade,
    company_id: int,
    site_key: str,
    now: datetime,
    *,
    voices: Voices | None = None,
    made_company: bool = False,
    say: Say = lambda _line: None,
) -> Filled:
    """Fill a company that holds nothing yet: its numbers, its pool and its site are there. Without voices, no sound.

    Raises ExampleRefused where anything real is in it, or the example is there already.
    """
    today, until = now.astimezone(ZoneInfo(trade.time_zone)).date(), now - LATELY
    talks = by_name(trade.key, trade.talks)
    async with database.companies(company_id) as connection:
        await _refuse_real(connection, company_id, trade.company)
    speaking = asyncio.create_task(record(talks, voices.espeak, voices.folder)) if voices else None
    linked: list[Path] = []
    try:
        since = datetime.combine(today - timedelta(days=DAYS), time(), ZoneInfo(trade.time_zone)).astimezone(UTC)
        await _make_months(database, since.date(), today)
        async with database.everything() as connection:
            directory = await load_directory(connection, _NO_LINE)
            offer = await load_offer(connection)
            rules = await rules_in_force(connection, company_id)
        node_id = await _node_id(database)
        numbers = {each.e164: each.id for each in directory.numbers.values() if each.company_id == company_id}
        grounds = Grounds(company_id, offer.sites[site_key], offer, numbers, Classifier(rules.rule_set), rules.version)
        say(f"{trade.company}: {DAYS} days of visits and calls are drawn")
        course, calls = await asyncio.to_thread(_draw, trade, grounds, directory, today, until)
        say(f"{trade.company}: {len(calls.calls)} calls and {len(course.visits)} visits are written")
        async with database.companies(company_id) as connection:
            await _refuse_real(connection, company_id, trade.company)
            before = await _present(connection, company_id)
            owner = Company(company_id, trade.company, trade.region)
            await caller_rules.set_rule(connection, owner, blocked_caller(trade), Verdict.BLOCK, RULE_NOTE)
            writing = _Writing(connection, company_id, trade, node_id, directory, until)
            await _queries.number_created(connection, company_id=company_id, since=since)
            await writing.course(course)
            ids = await writing.calls(calls, until)
            say(f"{trade.company}: what brought each call is decided")
            await _attribute(connection, company_id, calls, ids, now)
            await write_spent(connection, owner, trade, today)
            if voices is not None and speaking is not None:
                sounds = await speaking
                await asyncio.to_thread(_link, voices.data_folder, calls, ids, company_id, trade, sounds, linked)
                await writing.recordings(calls, ids, sounds)
            after = await _present(connection, company_id)
            made = {kind: sorted(after[kind] - before[kind]) for kind in after} | {"blocked": [blocked_caller(trade)]}
            await _queries.note_filled(
                connection, company_id=company_id, since=since, until=until, made_company=made_company,
                made=json.dumps(made),
            )  # fmt: skip
    except BaseException:
        if speaking is not None:
            speaking.cancel()
        for file in linked:
            file.unlink(missing_ok=True)
        raise
    return Filled(len(calls.calls), len(course.visits), len(course.leads), len(calls.jobs), len(linked))


def _draw(trade: Trade, grounds: Grounds, directory: Directory, today: date, until: datetime) -> tuple[Course, Calls]:
    course = run(trade, grounds, today, until)
    references = {
        each.e164: (each.id, each.source_id)
        for each in directory.numbers.values()
        if each.company_id == grounds.company_id
    }
    routes = {each.e164: each.route for each in directory.numbers.values()}
    dial = routes[trade.main_number].destinations[0].dial
    return course, calls_of(trade, course, dial, references, today, until)


async def _node_id(database: Database) -> int:
    async with database.everything() as connection:
        found: int = await _calls.node_id(connection, name=NODE)
    return found


async def _make_months(database: Database, since: date, today: date) -> None:
    """The months of the past: otherwise what is written of them would lie aside."""
    month = since.replace(day=1)
    while month <= today:
        for parent in ("visits", "page_views", "exposures", "taps"):
            async with database.everything() as connection:
                await _months.make_month(connection, parent=parent, month=month)
        month = months_before(month, -1)


async def _refuse_real(connection: Connection, company_id: int, name: str) -> None:
    there = await _queries.begin(connection, company_id=company_id)
    if there["is_filled"]:
        raise ExampleRefused(f"{name} holds the example already; take it out first:  numberpool demo remove")
    if there["has_calls"] or there["has_visits"] or there["has_leases"]:
        raise ExampleRefused(
            f"{name} has calls or visits of its own, and the example is never mixed with what is real; "
            "fill an installation, or a company, in which nothing has happened yet"
        )


async def _present(connection: Connection, company_id: int) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {"source": set(), "tag": set()}
    async for row in _queries.present_ids(connection, company_id=company_id):
        found[row["kind"]].add(row["id"])
    return found


class _Writing:
    """Rows on their way into the tables of one company."""

    def __init__(
        self,
        connection: Connection,
        company_id: int,
        trade: Trade,
        node_id: int,
        directory: Directory,
        until: datetime,
    ) -> None:
        self._connection, self._company_id, self._trade = connection, company_id, trade
        self._node_id, self._directory, self._until = node_id, directory, until

    async def course(self, course: Course) -> None:
        """Visits with all that belongs to them, leases, and how full the pools were."""
        wire = self._connection
        ids = await self._ids("leases", len(course.leases))
        await self._many(
            _queries.add_leases,
            [
                {
                    "id": ids[lease.place], "pool_id": lease.pool_id, "number_id": lease.number_id,
                    "holder": lease.holder, "start": lease.start, "end": lease.end, "last_seen": lease.last_seen,
                    "closed_as": lease.closed_as,
                }
                for lease in course.leases
            ],
        )  # fmt: skip
        held = {lease.number_id: lease for lease in course.leases if lease.end is None}
        ended = {lease.number_id: lease.end for lease in course.leases if lease.end is not None}
        await self._many(
            _queries.set_lendable,
            [
                {
                    "number_id": number, "idle_since": at, "ended_at": ended.get(number),
                    "lease_id": ids[held[number].place] if number in held else None,
                }
                for number, at in course.idle_since.items()
            ],
        )  # fmt: skip
        for rows in _chunks(course.visits):
            await _journal.add_visits(wire, visits=_json(rows))
        await _journal.know_visitors(wire, visitors=_json(list(course.visitors.values())))
        await _queries.add_ways(wire, company_id=self._company_id, since=self._until - LOOK_BACK)
        for rows in _chunks(course.views):
            await _journal.add_page_views(wire, views=_json(rows))
        await _journal.add_taps(wire, taps=_json(course.taps))
        await self._many(
            _queries.add_exposures,
            [
                {
                    "id": each.id, "visit_id": each.visit_id, "number_id": each.number_id,
                    "lease_id": None if each.lease is None else ids[each.lease], "shown_at": each.shown_at,
                    "last_seen": each.last_seen, "left_at": each.left_at,
                }
                for each in course.exposures
            ],
        )  # fmt: skip
        await self._many(
            _queries.add_pool_hours,
            [
                {
                    "pool_id": pool_id, "hour": hour, "leased": each.leased, "displaced": each.displaced,
                    "hurried": each.hurried, "samples": each.samples, "occupied_sum": each.occupied,
                    "occupied_most": each.most, "numbers": len(self._trade.lent),
                }
                for (pool_id, hour), each in course.hours.items()
            ],
        )  # fmt: skip
        await self._many(
            _queries.add_pool_misses,
            [
                {"pool_id": pool_id, "hour": hour, "source": source, "displaced": times}
                for (pool_id, hour, source), times in course.misses.items()
            ],
        )
        for lead in course.leads:
            await store_lead(wire, lead)

    async def calls(self, calls: Calls, until: datetime) -> list[int]:
        """Calls with their legs and marks, who was called back, and the jobs; the ids, in order."""
        company = self._company_id
        ids = await self._ids("calls", len(calls.calls))
        tags = await self._tags()
        rows, legs, words, tagged, called_back = [], [], [], [], []
        zone = ZoneInfo(self._trade.time_zone)
        for id, call in zip(ids, calls.calls, strict=True):
            entry = call_entry(call.record, self._directory)
            assert entry is not None
            assert entry.company_id == company
            columns = {each.name: getattr(entry, each.name) for each in fields(entry) if each.name != "legs"}
            rows.append(
                columns
                | {
                    "id": id, "node_id": self._node_id, "region": region_of(entry.caller), "status": call.status.value,
                    "note": call.note, "evidence": dict(entry.evidence),
                }
            )  # fmt: skip
            legs += [
                {"company_id": company, "call_id": id, "position": position} | asdict(leg)
                for position, leg in enumerate(entry.legs)
            ]
            words += [
                {"word": word, "started_at": entry.started_at, "call_id": id}
                for word in words_of([entry.caller_name, *call.tags, call.note])
            ]
            missed = entry.outcome not in ("answered", "blocked") and entry.caller is not None
            if missed and (at := called_back_at(call.record.key, entry.started_at, until, zone)):
                called_back.append({"company_id": company, "call_id": id, "at": at})
            tagged += [
                {"company_id": company, "call_id": id, "tag_id": tags[tag], "started_at": entry.started_at}
                for tag in call.tags
            ]
        await self._many(_queries.add_calls, rows)
        await self._many(_queries.add_legs, legs)
        await self._many(_queries.add_call_backs, called_back)
        await self._many(_queries.add_words, words)
        await self._many(_queries.add_call_tags, tagged)
        jobs = await self._ids("jobs", len(calls.jobs))
        await self._many(
            _queries.add_jobs,
            [
                {"company_id": company, "id": id, "value": job.value, "currency": self._trade.currency,
                 "booked_at": job.booked_at}
                for id, job in zip(jobs, calls.jobs, strict=True)
            ],
        )  # fmt: skip
        await self._many(
            _queries.add_job_leads,
            [
                {"company_id": company, "job_id": jobs[call.job], "call_id": id}
                for id, call in zip(ids, calls.calls, strict=True)
                if call.job is not None
            ],
        )
        return ids

    async def recordings(self, calls: Calls, ids: Sequence[int], sounds: Mapping[str, Recorded]) -> None:
        """The recordings of the calls that somebody answered."""
        rows = []
        for id, call in zip(ids, calls.calls, strict=True):
            if call.talk is not None and call.record.ended_at is not None:
                name = f"{self._trade.key}-{call.talk.name}"
                encoded = sounds[name].encoded
                rows.append(
                    {
                        "call_id": id, "sides": f"recordings/{call.record.key}", "talk": name,
                        "file": finished_file(self._company_id, call.record.started_at, id),
                        "seconds": encoded.seconds, "bytes": encoded.size,
                        "ready_at": call.record.ended_at + timedelta(seconds=3),
                    }
                )  # fmt: skip
        peaks = {name: each.encoded.peaks.hex() for name, each in sounds.items()}
        await _queries.add_recordings(
            self._connection, company_id=self._company_id, rate=8000, rows=_json(rows), peaks=json.dumps(peaks)
        )

    async def _tags(self) -> dict[str, int]:
        found = {}
        for name in self._trade.tags:
            row = await _marks.tag_by_name(self._connection, company_id=self._company_id, name=name, folded=fold(name))
            found[name] = int(row["id"])
        return found

    async def _ids(self, table: str, count: int) -> list[int]:
        return [row["id"] async for row in _queries.next_ids(self._connection, table_name=table, count=count)]

    async def _many(self, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        for some in _chunks(rows):
            await statement(self._connection, company_id=self._company_id, rows=_json(some))


async def _attribute(connection: Connection, company_id: int, calls: Calls, ids: Sequence[int], now: datetime) -> None:
    """What brought each call, as of the moment it was settled: by what had been learned up to then."""
    await _queries.quick(connection)
    await _queries.count_rows(connection)
    while await settle_by_number(connection, now, now):
        pass
    await _queries.decided_then(connection, company_id=company_id, after=SETTLE_AFTER)
    unsettled = {row["id"] async for row in _queries.unsettled_ids(connection, company_id=company_id)}
    learned = await newest_learned(connection, company_id)
    sources = Sources(connection, company_id)
    learns = calls.calls[0].record.started_at + _LEARNS_EVERY if calls.calls else now
    for id, call in zip(ids, calls.calls, strict=True):
        at = call.record.started_at
        if at >= learns:
            learned, learns = await _learn(connection, company_id, learns), learns + _LEARNS_EVERY
        if id not in unsettled:
            continue
        asked = await ask(connection, company_id, id)
        assert asked is not None
        decision = await decided(connection, asked, learned)
        assert call.record.ended_at is not None
        settled = call.record.ended_at + SETTLE_AFTER
        await keep_decision(connection, asked.rung, decision, now=settled, settles=True, sources=sources)
    await _learn(connection, company_id, now)
    await _queries.settled_then(connection, company_id=company_id, after=SETTLE_AFTER)
    month = now.date().replace(day=1)
    for back in range(4):
        await score_month(connection, company_id, months_before(month, back), now)


async def _learn(connection: Connection, company_id: int, at: datetime) -> Any:
    """A night's learning at a moment."""
    before = await newest_learned(connection, company_id)
    found = await asyncio.to_thread(learned_from, await past_of(connection, company_id, at), before.learned)
    return replace(found, learned_at=at, id=await keep_learned(connection, company_id, found, at))


def _link(
    data_folder: Path,
    calls: Calls,
    ids: Sequence[int],
    company_id: int,
    trade: Trade,
    sounds: Mapping[str, Recorded],
    linked: list[Path],
) -> None:
    """Give each recorded call its file: the same few, under a name of its own, so that each can be deleted alone."""
    for id, call in zip(ids, calls.calls, strict=True):
        if call.talk is not None:
            sound = sounds[f"{trade.key}-{call.talk.name}"].file
            file = data_folder / finished_file(company_id, call.record.started_at, id)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            try:
                os.link(sound, file)
            except OSError:  # another disk
                file.write_bytes(sound.read_bytes())
            linked.append(file)


def _chunks(rows: Sequence[Any]) -> list[Sequence[Any]]:
    return [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]


def _json(rows: Sequence[Any]) -> str:
    return to_json(rows).decode()
