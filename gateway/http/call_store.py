"""Reads calls for the pages and the API, as typed values."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from gateway.http.accounts import Company
from gateway.http.call_filter import CallFilter, Place
from gateway.http.periods import Period
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent)

Row = asyncpg.Record
Reader = Connection


@dataclass(frozen=True, slots=True)
class Source:
    """What brought a call; ``colour`` is its place in the palette."""

    id: int
    name: str
    colour: int


@dataclass(frozen=True, slots=True)
class CallRow:
    """One line of the call log."""

    id: int
    company_id: int
    state: str
    outcome: str | None
    did: str
    number_id: int | None
    caller: str | None
    caller_name: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    ring_seconds: float | None
    talk_seconds: float | None
    answered_by: str | None  # the first person
    last_answered_by: str | None
    recorded: bool
    source: Source | None
    recording_state: str | None
    recording_seconds: float | None
    peaks: bytes | None

    @property
    def is_live(self) -> bool:
        """Whether it still rings or talks."""
        return self.state != "ended"

    @property
    def can_be_heard(self) -> bool:
        """Whether there is a recording to play."""
        return self.recording_state == "ready"

    @property
    def is_missed(self) -> bool:
        """Whether somebody called and reached nobody."""
        return self.outcome in ("busy", "no_answer", "abandoned", "failed")

    @property
    def place(self) -> Place:
        """Where it stands in the order of calls."""
        return Place(self.started_at, self.id)


@dataclass(frozen=True, slots=True)
class Leg:
    """One attempt to reach a destination, or a transfer."""

    kind: str  # destination, transfer
    dial: str
    destination: str | None  # what the company calls it
    ring_seconds: float
    talk_seconds: float | None
    result: str
    hangup_cause: int | None
    answered_by: str | None
    person: str | None  # what the company calls who answered


@dataclass(frozen=True, slots=True)
class Hearing:
    """Somebody heard a recording, or took it away."""

    at: datetime
    action: str
    who: str


@dataclass(frozen=True, slots=True)
class CallDetails:
    """One call, all of it."""

    row: CallRow
    trunk: str
    hung_up_by: str | None
    hangup_cause: int | None
    decided_by: str
    decision_ms: float | None
    asterisk_id: str
    node: str
    pool: str | None
    evidence: dict[str, Any]
    recording_file: str | None
    recording_fault: str | None
    legs: tuple[Leg, ...]
    hearings: tuple[Hearing, ...]


@dataclass(frozen=True, slots=True)
class SourceCount:
    """What one source brought in a period."""

    source: Source | None
    calls: int


@dataclass(frozen=True, slots=True)
class Totals:
    """A period in a few numbers, and the calls of the one it is compared with."""

    calls: int
    calls_before: int
    answered: int
    missed: int
    talk_seconds: float


@dataclass(frozen=True, slots=True)
class Summary(Totals):
    """The same, with what each source brought."""

    sources: tuple[SourceCount, ...]


async def page_of_calls(
    connection: Connection, company: Company, filter: CallFilter, before: Place | None, most: int
) -> tuple[list[CallRow], bool]:
    """At most ``most`` ended calls, newest first, and whether there are older ones."""
    # One plan for all filters would read the whole log for a rare one.
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    rows = await _all(
        _queries.calls_page(
            connection,
            company_id=company.id,
            outcomes=filter.outcomes,
            before_at=before.started_at if before else None,
            before_id=before.id if before else None,
            most=most + 1,
            **filter.parameters(company.zone),
        )
    )
    return [_call_row(row) for row in rows[:most]], len(rows) > most


async def calls_now(connection: Connection, company: Company, filter: CallFilter) -> list[CallRow]:
    """Calls that ring or talk; none where the view asks for an outcome or for days that are over."""
    parameters = filter.parameters(company.zone)
    since, until = parameters.pop("since"), parameters.pop("until")
    now = datetime.now(UTC)
    if filter.outcome or (until and until <= now) or (since and since > now):
        return []
    return [_call_row(row) for row in await _all(_queries.calls_now(connection, company_id=company.id, **parameters))]


async def summary(connection: Connection, company: Company, filter: CallFilter, now: datetime) -> Summary:
    """The chosen period, compared with the one before it."""
    parameters = filter.parameters(company.zone)
    parameters |= _comparison(filter.period, company, now)
    await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    rows = await _all(_queries.calls_summary(connection, company_id=company.id, **parameters))
    return Summary(
        calls=sum(row["calls"] for row in rows),
        calls_before=sum(row["calls_before"] for row in rows),
        answered=sum(row["answered"] for row in rows),
        missed=sum(row["missed"] for row in rows),
        talk_seconds=sum(row["talk_seconds"] for row in rows),
        sources=tuple(SourceCount(_source(row), row["calls"]) for row in rows if row["calls"]),
    )


async def totals(connection: Connection, company: Company, period: Period, now: datetime) -> Totals:
    """All calls of a period, compared with the one before it."""
    since, until = period.bounds(company.zone, now)
    row = await _queries.calls_totals(
        connection, company_id=company.id, since=since, until=until, **_comparison(period, company, now)
    )
    return Totals(**row)


def _comparison(period: Period, company: Company, now: datetime) -> dict[str, datetime | None]:
    """When the period to compare with begins and is over; both none where there is none."""
    before = period.before(now.astimezone(company.zone).date())
    since, until = before.bounds(company.zone, now) if before else (None, None)
    return {"compared_since": since, "compared_until": until}


async def has_calls(connection: Connection, company: Company) -> bool:
    """Whether the company has had any call."""
    return bool(await _queries.has_calls(connection, company_id=company.id))


async def numbers_of(connection: Connection, company: Company) -> list[tuple[str, Source | None]]:
    """Some of the company's numbers and what each stands for."""
    rows = await _all(_queries.numbers_of_company(connection, company_id=company.id))
    return [(row["e164"], _source(row)) for row in rows]


async def source_by_id(connection: Connection, company: Company, source_id: int) -> Source | None:
    """One source of the company."""
    row = await _queries.source_by_id(connection, company_id=company.id, source_id=source_id)
    return _source(row) if row is not None else None


async def call_by_id(connection: Connection, call_id: int) -> CallDetails | None:
    """One call; none if there is none among the companies that the connection sees."""
    row = await _queries.call_by_id(connection, call_id=call_id)
    if row is None:
        return None
    legs = await _all(_queries.legs_of_call(connection, company_id=row["company_id"], call_id=call_id))
    hearings = await _all(
        _queries.hearings_of_call(connection, company_id=row["company_id"], subject=subject_of(call_id))
    )
    return CallDetails(
        row=_call_row(row),
        trunk=row["trunk"],
        hung_up_by=row["hung_up_by"],
        hangup_cause=row["hangup_cause"],
        decided_by=row["decided_by"],
        decision_ms=row["decision_ms"],
        asterisk_id=row["asterisk_id"],
        node=row["node_name"],
        pool=row["pool_name"],
        evidence=json.loads(row["evidence"]),
        recording_file=row["recording_file"] if row["recording_state"] == "ready" else None,
        recording_fault=row["recording_fault"],
        legs=tuple(
            Leg(
                leg["kind"],
                leg["dial"],
                leg["destination"],
                leg["ring_seconds"],
                leg["talk_seconds"],
                leg["result"],
                leg["hangup_cause"],
                leg["answered_by"],
                leg["person"],
            )
            for leg in legs
        ),
        hearings=tuple(Hearing(h["at"], h["action"], h["name"] or h["email"] or "") for h in hearings),
    )


async def note_hearing(connection: Connection, call: CallRow, user_id: int, session: str, within: timedelta) -> None:
    """Write into the audit log that somebody listens, once a listening session."""
    await _queries.note_hearing(
        connection,
        company_id=call.company_id,
        user_id=user_id,
        subject=subject_of(call.id),
        session=session,
        within=within,
    )


async def note_download(connection: Connection, call: CallRow, user_id: int, session: str) -> None:
    """Write into the audit log that somebody took the recording away."""
    await _queries.note_download(
        connection, company_id=call.company_id, user_id=user_id, subject=subject_of(call.id), session=session
    )


def subject_of(call_id: int) -> str:
    """How the audit log names a call."""
    return f"call/{call_id}"


async def _all(rows: Any) -> Sequence[Row]:
    return [row async for row in rows]


def _source(row: Row) -> Source | None:
    if row["source_id"] is None:
        return None
    return Source(row["source_id"], row["source_name"], row["source_colour"])


_FIELDS: Iterable[str] = [name for name in CallRow.__dataclass_fields__ if name != "source"]


def _call_row(row: Row) -> CallRow:
    values = {name: row[name] for name in _FIELDS}
    for name in ("started_at", "answered_at", "ended_at"):
        values[name] = values[name].astimezone(UTC) if values[name] else None
    return CallRow(**values, source=_source(row))
