"""What a call's record becomes in the log: a plain function from record and numbers to the row."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.calls.caller import caller_name, caller_number
from gateway.calls.directory import Directory
from gateway.calls.outcome import call_outcome, endpoint_of, hung_up_by, leg_outcome, transfer_outcome
from gateway.calls.record import CallRecord, Stage
from gateway.calls.screening import UNTOLD
from gateway.calls.turns import Turn

STATES = {Stage.STARTED: "ringing", Stage.ANSWERED: "answered", Stage.ENDED: "ended"}


@dataclass(frozen=True, slots=True)
class Measured:
    """Durations by the gateway's own monotonic clock, in seconds; none where it did not see both ends."""

    ring_seconds: float | None = None
    talk_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class LegEntry:
    """A row of ``legs``."""

    kind: str  # "destination", or "transfer" for what somebody who answered asked for
    dial: str
    ring_seconds: float
    talk_seconds: float | None
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
    answered_by: str | None  # the first person
    last_answered_by: str | None
    hung_up_by: str | None
    hangup_cause: int | None
    decided_by: str
    decision_ms: float | None
    recorded: bool
    evidence: Mapping[str, str]
    screened: str | None  # which rule acted on it (gateway.calls.screening)
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
    picked_up = record.picked_up_at
    people = record.people if picked_up else ()
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
        caller_name=caller_name(record.caller_name),
        started_at=record.started_at - ahead,
        answered_at=picked_up and picked_up - ahead,
        ended_at=record.ended_at and record.ended_at - ahead,
        ring_seconds=ring,
        talk_seconds=talk if picked_up else None,
        answered_by=endpoint_of(people[0]) if people else None,
        last_answered_by=endpoint_of(people[-1]) if people else None,
        hung_up_by=hung_up_by(record) if ended else None,
        hangup_cause=record.cause,
        decided_by=record.decided_by,
        decision_ms=None if record.waited_seconds is None else max(0.0, record.waited_seconds * 1000),
        recorded=(record.rate is not None and picked_up is not None) or record.has_message,
        evidence=dict(zip(("first", "request", "to", "party"), record.dialled, strict=True)) | _evidence(record),
        screened=record.screened and record.screened.value,
        legs=_legs(record) if ended else (),
    )


def _evidence(record: CallRecord) -> dict[str, str]:
    """What else explains it: why there is no recording, and that it was ended by the longest time a call may take."""
    found = {"unheard": record.unheard} if record.unheard else {}
    if UNTOLD in record.marks:
        found["untold"] = "1"
    lasted = (record.ended_at - record.started_at).total_seconds() if record.ended_at else 0.0
    if record.longest_seconds and lasted >= record.longest_seconds and hung_up_by(record) is None:
        found["longest"] = str(record.longest_seconds)
    return found


def _between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds between two moments of one node; a clock that was set back in between makes them nought."""
    if start is None or end is None:
        return None
    return max(0.0, (end - start).total_seconds())


def _legs(record: CallRecord) -> tuple[LegEntry, ...]:
    """Destinations in order, each with who answered there, and between them the transfers."""
    start = record.started_at.timestamp()
    over = record.ended_at.timestamp() - start if record.ended_at else 0.0
    by = hung_up_by(record)
    turns = _turns(record)
    found: list[tuple[float, LegEntry]] = []
    for position, leg in enumerate(record.legs):
        last = position == len(record.legs) - 1
        # The turn that began while this was tried; a clock that was set meanwhile leaves the last attempt the rest.
        turn = next(
            (turn for turn in turns if turn.answered is not None and (last or turn.answered <= leg.ended - start)), None
        )
        if turn is not None:
            turns.remove(turn)
        began, ended = leg.began - start, leg.ended - start
        found.append(
            (
                began,
                LegEntry(
                    kind="destination",
                    dial=leg.dial,
                    ring_seconds=max(0.0, (ended if turn is None else turn.answered or 0.0) - began),
                    talk_seconds=None if turn is None else _talk(turn, over),
                    result=leg_outcome(leg, by).value if turn is None else "answered",
                    hangup_cause=leg.cause,
                    answered_by=None if turn is None else endpoint_of(turn.channel),
                ),
            )
        )
    for turn in turns:
        until = next((at for at in (turn.answered, turn.ended) if at is not None), over)
        found.append(
            (
                turn.since,
                LegEntry(
                    kind="transfer",
                    dial=turn.target or endpoint_of(turn.channel) or "",
                    ring_seconds=max(0.0, until - turn.since),
                    talk_seconds=None if turn.answered is None else _talk(turn, over),
                    result="answered" if turn.channel else transfer_outcome(record.last_status, by).value,
                    hangup_cause=None,
                    answered_by=endpoint_of(turn.channel),
                ),
            )
        )
    return tuple(entry for _, entry in sorted(found, key=lambda pair: pair[0]))


def _turns(record: CallRecord) -> list[Turn]:
    """The turns; the first as our own Dial() told it, which knows of the answer before the whisper is over."""
    picked_up = record.picked_up_at
    if picked_up is None or (record.answered_at is None and record.turns):
        return list(record.turns)
    answered = max(0.0, (picked_up - record.started_at).total_seconds())
    who = record.people[0] if record.people else ""
    if not record.turns:
        return [Turn(who, "", 0.0, answered)]
    if record.turns[0].channel != who:  # the gateway came later, and saw only what followed
        second = replace(record.turns[0], since=max(answered, record.turns[0].since))
        return [Turn(who, "", 0.0, answered, second.since), second, *record.turns[1:]]
    return [replace(record.turns[0], answered=answered), *record.turns[1:]]


def _talk(turn: Turn, over: float) -> float:
    return max(0.0, (over if turn.ended is None else turn.ended) - (turn.answered or 0.0))
