"""A call's record, as the dialplan writes it: one line, the same in its event and in its outbox file.

A line is ``key=value`` pairs joined by ``&``, values percent-encoded, so that nothing a caller sends can end a field
or a line. Each record contains all that the one before it said; the highest stage is the whole truth so far.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from urllib.parse import unquote

from gateway.asterisk.routecode import LONGEST, decode_dial, decode_marks, decode_reference
from gateway.calls.screening import AT_GATE, TURNED_AWAY, Screened
from gateway.calls.turns import LONGEST_CALL, Turns, decode_turn

VERSION = "1"
# A message on a number that is not recorded says no rate: its file is of the narrow kind.
NARROW_RATE = 8000
# Who says less has hung up on the tone: that is a missed call, and no message.
SHORTEST_MESSAGE = 2.0


class MalformedRecord(ValueError):
    """A call's record is not one: written by another version of the dialplan, or not by it at all."""


class Stage(IntEnum):
    """How far a call had come when its record was written."""

    STARTED = 1
    ANSWERED = 2
    ENDED = 3


@dataclass(frozen=True, slots=True)
class LegRecord:
    """One attempt to reach a destination, as ``Dial()`` saw it.

    ``status`` is DIALSTATUS, or ``END`` where the call ended during this leg. Times are the node's clock.
    """

    dial: str
    began: float
    ended: float
    status: str
    cause: int | None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What the dialplan knows of one call. Times are UTC by the node's clock; seconds are floats."""

    key: str
    unique_id: str
    stage: Stage
    started_at: datetime
    trunk: str
    dialled: tuple[str, ...]  # first choice, request line, To, P-Called-Party-ID; digits and '+', may be empty
    caller: str
    caller_name: str
    asks: str = ""  # epoch of the gateway it waits for, ``_`` and a number after the first; empty: it does not wait
    choice: str = ""  # what it asks besides: the key that was pressed in a menu (gateway.calls.steps.read_choice)
    decided_by: str = "unknown"
    number_id: int | None = None
    source_id: int | None = None
    waited_seconds: float | None = None
    answered_at: datetime | None = None
    answered_channel: str = ""
    ended_at: datetime | None = None
    cause: int | None = None
    hangup_source: str = ""
    channel: str = ""  # the caller's
    last_status: str = ""  # DIALSTATUS at the end: of the last attempt on the caller's channel, whoever made it
    # What Asterisk itself says in the end, of calls that nobody watched: ANSWEREDTIME, and who answered last.
    talked_seconds: float | None = None
    peer: str = ""
    sent_on_by: str = ""  # the channel that made a blind transfer which nobody has answered
    voicemail: bool = False  # a message was left, in a mailbox of the admin's own
    message_seconds: float | None = None  # so much was said into ours; none: it was not reached
    turns: Turns = ()  # whom the caller talked with, where the gateway has seen it
    unheard: str = ""  # why nothing was recorded: a codec that Asterisk cannot decode, an announcement that failed
    # Whether recording was paused or went on, by whom answered, and so many seconds after the start.
    pauses: tuple[tuple[bool, float], ...] = ()
    rate: int | None = None  # samples a second of its recording; none: not recorded
    legs: tuple[LegRecord, ...] = ()
    blocked: bool = False  # by a rule about its caller
    marks: tuple[
        str, ...
    ] = ()  # what its route said of itself: which rule acted on it, and how (gateway.calls.screening)
    passed: bool = False  # its caller pressed 1 at the gate, as the gateway has heard
    cut_off: bool = False  # ended by the death of Asterisk, not by anybody's hanging up
    placed: int | None = None  # of a call back: which (gateway.calls.placed); its channel is that of whoever called
    reason: str = ""  # of a call back whose first telephone nobody picked up: Asterisk's REASON

    @property
    def seconds_talked(self) -> float:
        """From the first answer to the end, by the node's clock."""
        if self.picked_up_at is None or self.ended_at is None:
            return 0.0
        return (self.ended_at - self.picked_up_at).total_seconds()

    @property
    def screened(self) -> Screened | None:
        """Which rule acted on it."""
        found = next((Screened(mark) for mark in self.marks if mark in set(Screened)), None)
        return Screened.LISTED if found is None and self.blocked else found

    @property
    def longest_seconds(self) -> int | None:
        """How long it might last; none: as long as people talked."""
        found = [mark.removeprefix(LONGEST) for mark in self.marks if mark.startswith(LONGEST)]
        return next((int(text) for text in found if text.isdecimal()), None)

    @property
    def is_gated(self) -> bool:
        """Whether its caller had to press 1."""
        return AT_GATE in self.marks

    @property
    def is_turned_away(self) -> bool:
        """Whether a rule kept it from ringing: at once, or because nobody pressed 1 and nothing followed."""
        if self.is_gated:
            return not (self.passed or self.legs or self.picked_up_at or self.has_message)
        return self.blocked or TURNED_AWAY in self.marks

    @property
    def has_message(self) -> bool:
        """Whether our voicemail took a message that is one."""
        return self.message_seconds is not None and self.message_seconds >= SHORTEST_MESSAGE

    @property
    def picked_up_at(self) -> datetime | None:
        """When the first person answered: as our own Dial() says, else as the gateway saw it."""
        if self.answered_at is not None:
            return self.answered_at
        first = next((turn.answered for turn in self.turns if turn.answered is not None), None)
        if first is not None:
            return self.started_at + timedelta(seconds=first)
        if self.talked_seconds and self.ended_at is not None:
            return max(self.started_at, self.ended_at - timedelta(seconds=self.talked_seconds))
        return None

    @property
    def people(self) -> tuple[str, ...]:
        """The channels of everybody who talked with the caller, in order.

        Dial() knows only the near end of a Local channel; whom it led to, the gateway has seen.
        """
        seen = tuple(turn.channel for turn in self.turns if turn.channel)
        first = self.answered_channel
        if seen and first and not first.startswith("Local/") and seen[0] != first:
            return (first, *seen)  # the gateway came later
        return seen or tuple(channel for channel in (self.answered_channel or self.peer,) if channel)


def parse_record(line: str) -> CallRecord:
    """The record in ``line``.

    Raises MalformedRecord where it is none; a field that occurs twice makes it none.
    """
    fields: dict[str, str] = {}
    for pair in line.split("&"):
        name, equals, value = pair.partition("=")
        if not equals or name in fields:
            raise MalformedRecord(f"field {name[:40]!r} is repeated or has no value")
        fields[name] = unquote(value, errors="replace")
    try:
        if fields["v"] != VERSION:
            raise MalformedRecord(f"version {fields['v'][:10]!r} is not {VERSION}")
        number_id, source_id = decode_reference(fields.get("ref", ""))
        return CallRecord(
            key=fields["key"],
            unique_id=fields["id"],
            stage=Stage(int(fields["stage"])),
            started_at=_moment(fields["at"]),
            trunk=fields["trunk"],
            dialled=tuple(fields[name] for name in ("first", "request", "to", "party")),
            caller=fields["caller"],
            caller_name=fields["name"].strip(),
            asks=fields.get("ask", ""),
            choice=fields.get("choice", ""),
            decided_by=fields.get("by", "unknown"),
            number_id=number_id,
            source_id=source_id,
            marks=decode_marks(fields.get("ref", "")),
            waited_seconds=float(fields["waited"]) if fields.get("waited") else None,
            answered_at=_moment(fields["answered"]) if "answered" in fields else None,
            answered_channel=fields.get("who", ""),
            ended_at=_moment(fields["ended"]) if "ended" in fields else None,
            cause=_cause(fields.get("cause", "")),
            hangup_source=fields.get("source", ""),
            channel=fields.get("channel", ""),
            last_status=fields.get("status", ""),
            talked_seconds=_talked(fields.get("talked", "")),
            peer=fields.get("peer", ""),
            sent_on_by=fields.get("sent", ""),
            voicemail=fields.get("voicemail", "") == "SUCCESS",
            message_seconds=_spoken(fields.get("message", ""), fields.get("rate", "")),
            turns=tuple(decode_turn(text) for text in fields.get("turns", "").split("~") if text),
            unheard=fields.get("unheard", ""),
            pauses=tuple(_pause(text, float(fields["at"])) for text in fields.get("pauses", "").split("~") if text),
            rate=int(fields["rate"]) if fields.get("rate") else None,
            blocked=fields.get("blocked", "") == "1",
            legs=tuple(_leg(text) for text in fields.get("legs", "").split("~") if text),
            placed=int(fields["placed"]) if fields.get("placed") else None,
            reason=fields.get("reason", ""),
        )
    except MalformedRecord:
        raise
    except (KeyError, ValueError, OverflowError, OSError) as error:
        raise MalformedRecord(f"{type(error).__name__}: {error}") from None


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(float(text), UTC)


def _talked(text: str) -> float | None:
    return int(text) / 1000 if text.isdecimal() and 0 < int(text) < LONGEST_CALL * 1000 else None


def _spoken(size: str, rate: str) -> float | None:
    """Seconds of a message whose file has so many bytes: 16-bit samples, so many a second."""
    if not size.isdecimal():
        return None
    seconds = int(size) / 2 / (int(rate or 0) or NARROW_RATE)
    return seconds if seconds < LONGEST_CALL else None


def _pause(text: str, began: float) -> tuple[bool, float]:
    """``1<time>`` or ``0<time>`` by the node's clock, which may have been set back meanwhile."""
    if text[0] not in "01":
        raise ValueError(f"{text[:20]!r} says of no recording whether it is paused")
    return text[0] == "1", max(0.0, float(text[1:]) - began)


def _cause(text: str) -> int | None:
    return int(text) if text.isdecimal() and 0 < int(text) < 256 else None


def _leg(text: str) -> LegRecord:
    dial, began, ended, status, cause = text.split("^")
    return LegRecord(decode_dial(unquote(dial)), float(began), float(ended), status, _cause(cause))
