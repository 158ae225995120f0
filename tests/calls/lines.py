"""Writes a record as the dialplan does (np-call, np-ring, np-answered, np-end), from the values it has."""

from dataclasses import replace
from urllib.parse import quote

from gateway.calls.record import NARROW_RATE, CallRecord, LegRecord, Stage
from gateway.calls.turns import encode_turn


def encode(text: str) -> str:
    """Asterisk's URIENCODE()."""
    return quote(text, safe="-_.!~*'()")


def seconds(value: float) -> str:
    """A moment, as STRFTIME(,UTC,%s.%6q) prints it."""
    return f"{value:.6f}"


def line_of(record: CallRecord) -> str:
    """The line from which ``parse_record`` makes ``record``."""
    names = ("first", "request", "to", "party")
    parts = [
        "v=1",
        f"key={record.key}",
        f"id={encode(record.unique_id)}",
        f"at={seconds(record.started_at.timestamp())}",
        f"channel={encode(record.channel)}",
        f"trunk={encode(record.trunk)}",
        *(f"{name}={encode(value)}" for name, value in zip(names, record.dialled, strict=True)),
        f"caller={encode(record.caller)}",
        f"name={encode(record.caller_name)}",
    ]
    if record.decided_by != "unknown":
        number, source = record.number_id or "", record.source_id or ""
        waited = "" if record.waited_seconds is None else f"{record.waited_seconds:.6f}"
        parts += [f"by={record.decided_by}", f"ref={number}.{source}", f"waited={waited}"]
    if record.unheard:
        parts.append(f"unheard={encode(record.unheard)}")
    if record.blocked:
        parts.append("blocked=1")
    if record.rate:
        parts.append(f"rate={record.rate}")
    parts.append(f"stage={record.stage.value}")
    if record.asks:
        parts.append(f"ask={record.asks}")
    if record.choice:
        parts.append(f"choice={encode(record.choice)}")
    if record.answered_at:
        parts += [f"answered={seconds(record.answered_at.timestamp())}", f"who={encode(record.answered_channel)}"]
    if record.stage is Stage.ENDED:
        ended = record.ended_at
        parts += [
            *([f"ended={seconds(ended.timestamp())}"] if ended else []),
            f"cause={'' if record.cause is None else record.cause}",
            f"source={encode(record.hangup_source)}",
            f"talked={'' if record.talked_seconds is None else round(record.talked_seconds * 1000)}",
            f"peer={encode(record.peer)}",
            f"status={record.last_status}",
            f"sent={encode(record.sent_on_by)}",
            f"voicemail={'SUCCESS' if record.voicemail else ''}",
            f"message={_message(record)}",
            f"turns={encode(''.join(encode_turn(turn) + '~' for turn in record.turns))}",
            f"legs={encode(''.join(_leg(leg) for leg in record.legs))}",
        ]
    return "&".join(parts)


def _message(record: CallRecord) -> str:
    """The bytes of its file."""
    return (
        "" if record.message_seconds is None else str(round(record.message_seconds * 2 * (record.rate or NARROW_RATE)))
    )


def _leg(leg: LegRecord) -> str:
    cause = "" if leg.cause is None else leg.cause
    return f"{encode(leg.dial)}^{seconds(leg.began)}^{seconds(leg.ended)}^{leg.status}^{cause}~"


def as_of(record: CallRecord, stage: Stage) -> CallRecord:
    """What the record of an ended call said at an earlier stage."""
    if stage is Stage.ENDED:
        return record
    earlier = replace(
        record,
        stage=stage,
        ended_at=None,
        cause=None,
        hangup_source="",
        last_status="",
        sent_on_by="",
        talked_seconds=None,
        peer="",
        voicemail=False,
        message_seconds=None,
        blocked=False,
        legs=(),
        turns=(),
    )
    if stage is Stage.STARTED:
        return replace(
            earlier,
            answered_at=None,
            answered_channel="",
            decided_by="unknown",
            number_id=None,
            source_id=None,
            waited_seconds=None,
            rate=None,
            unheard="",
        )
    return earlier
