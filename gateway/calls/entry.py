"""What a call's record becomes in the log: a plain function from record and numbers to the row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import phonenumbers

from gateway.calls.directory import Directory
from gateway.calls.outcome import call_outcome, endpoint_of, hung_up_by, leg_outcome
from gateway.calls.record import CallRecord, Stage

STATES = {Stage.STARTED: "ringing", Stage.ANSWERED: "answered", Stage.ENDED: "ended"}


@dataclass(frozen=True, slots=True)
class Measured:
    """Durations by the gateway's own monotonic clock, in seconds; none where it did not see both ends."""

    ring_seconds: float | None = None
    talk_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LegEntry:
    """A row of ``legs``."""

    dial: str
    ring_seconds: float
    result: str
    hangup_cause: int | None
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class CallEntry:
    """A row of ``calls``; field by field the columns of save_call."""

    company_id: int
    asterisk_id: str
    stage: int
    state: str
    outcome: str | None
    did: str
    number_id: int | None
    source_id: int | None
    trunk: str
    caller: str | None
    caller_name: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    ring_seconds: float | None
    talk_seconds: float | None
    answered_by: str | None
    hung_up_by: str | None
    hangup_cause: int | None
    decided_by: str
    decision_ms: float | None
    recorded: bool
    evidence: Mapping[str, str]
    legs: tuple[LegEntry, ...] = ()


def call_entry(
    record: CallRecord, directory: Directory, measured: Measured = Measured(), clock_ahead: float = 0.0
) -> CallEntry | None:
    """The row for ``record``; none where there is no company it could belong to.

    The number is the one the call was decided by; where nobody decided (no gateway, no fallback entry), the one that
    was dialled. ``clock_ahead`` seconds are taken off the node's times.
    """
    number = directory.numbers.get(record.number_id or 0) or directory.match(record.dialled)
    company_id = number.company_id if number else directory.default_company
    if company_id is None:
        return None
    ahead = timedelta(seconds=clock_ahead)
    ended = record.stage is Stage.ENDED
    region = directory.regions.get(company_id)
    picked_up = record.answered_at
    ring = (
        measured.ring_seconds
        if measured.ring_seconds is not None
        else _between(record.started_at, picked_up or record.ended_at)
    )
    talk = measured.talk_seconds if measured.talk_seconds is not None else _between(picked_up, record.ended_at)
    return CallEntry(
        company_id=company_id,
        asterisk_id=record.key,
        stage=record.stage,
        state=STATES[record.stage],
        outcome=call_outcome(record) if ended else None,
        did=number.e164 if number else next((form for form in record.dialled if form), "unknown"),
        number_id=number.id if number else None,
        source_id=record.source_id if record.source_id and number else (number.source_id if number else None),
        trunk=record.trunk,
        caller=caller_number(record.caller, region),
        caller_name=_printable(record.caller_name),
        started_at=record.started_at - ahead,
        answered_at=picked_up and picked_up - ahead,
        ended_at=record.ended_at and record.ended_at - ahead,
        ring_seconds=ring,
        talk_seconds=talk if picked_up else None,
        answered_by=endpoint_of(record.answered_channel),
        hung_up_by=hung_up_by(record) if ended else None,
        hangup_cause=record.cause,
        decided_by=record.decided_by,
        decision_ms=None if record.waited_seconds is None else max(0.0, record.waited_seconds * 1000),
        recorded=record.rate is not None and picked_up is not None,
        evidence=dict(zip(("first", "request", "to", "party"), record.dialled, strict=True)),
        legs=_legs(record) if ended else (),
    )


def caller_number(given: str, region: str | None) -> str | None:
    """A caller's number as E.164 where it can be read in ``region``, else as it came; none of an empty one."""
    if not given:
        return None
    try:
        parsed = phonenumbers.parse(given, region)
    except phonenumbers.NumberParseException:
        return given
    if not phonenumbers.is_possible_number(parsed):
        return given
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _printable(text: str) -> str:
    # What Postgres cannot store (NUL) or a page should not show; letters of every script stay.
    return "".join(character for character in text if character.isprintable())


def _between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds between two moments of one node; a clock that was set back in between makes them nought."""
    if start is None or end is None:
        return None
    return max(0.0, (end - start).total_seconds())


def _legs(record: CallRecord) -> tuple[LegEntry, ...]:
    answered = record.answered_at.timestamp() if record.answered_at else None
    found: list[LegEntry] = []
    for position, leg in enumerate(record.legs):
        # The answer belongs to the last attempt: after it the dialplan tries no further destination.
        took = answered if position == len(record.legs) - 1 else None
        found.append(
            LegEntry(
                dial=leg.dial,
                ring_seconds=max(0.0, (leg.ended if took is None else took) - leg.began),
                result="answered" if took is not None else leg_outcome(leg).value,
                hangup_cause=leg.cause,
                answered_by=endpoint_of(record.answered_channel) if took is not None else None,
            )
        )
    return tuple(found)
