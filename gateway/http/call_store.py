"""Reads calls for the pages and the API, as typed values."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from gateway.http.accounts import Company
from gateway.http.call_filter import Place
from gateway.leads.marks import Marked, Tag
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
    # What people said of it.
    status: str = "new"
    note: str = ""
    tags: tuple[Tag, ...] = ()
    job_id: int | None = None
    job_value: Decimal | None = None
    job_currency: str | None = None
    # What is known of where it came from, and who took it.
    region: str = ""
    is_first: bool = False
    channel: str = ""
    campaign: str = ""
    keyword: str = ""
    confidence: float | None = None  # that the source is right
    pool_id: int | None = None
    pool_name: str | None = None
    person: str | None = None  # who answered first, as the company calls him
    screened: str | None = None  # which rule acted on it (gateway.calls.screening)

    is_call = True

    @property
    def path(self) -> str:
        """The address of its page."""
        return f"/calls/{self.id}"

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
    recording_deleted_at: datetime | None
    legs: tuple[Leg, ...]
    hearings: tuple[Hearing, ...]


async def source_by_id(connection: Connection, company: Company, source_id: int) -> Source | None:
    """One source of the company."""
    row = await _queries.source_by_id(connection, company_id=company.id, source_id=source_id)
    return source_of(row) if row is not None else None


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
        row=call_row(row),
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
        recording_deleted_at=row["recording_deleted_at"],
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


def subject_of(id: Marked) -> str:
    """How the audit log names a call, or another lead."""
    return f"lead/{id}" if isinstance(id, UUID) else f"call/{id}"


async def _all(rows: Any) -> Sequence[Row]:
    return [row async for row in rows]


def source_of(row: Row) -> Source | None:
    """What brought a call."""
    if row["source_id"] is None:
        return None
    return Source(row["source_id"], row["source_name"], row["source_colour"])


_FIELDS: Iterable[str] = [name for name in CallRow.__dataclass_fields__ if name not in ("source", "tags")]


def call_row(row: Row) -> CallRow:
    """A row of the queries that read calls."""
    values = {name: row[name] for name in _FIELDS}
    for name in ("started_at", "answered_at", "ended_at"):
        values[name] = values[name].astimezone(UTC) if values[name] else None
    return CallRow(**values, source=source_of(row), tags=tuple(Tag(*tag) for tag in row["tags"] or ()))
