"""Reads our own events out of what AMI sends, and nothing else.

A SIP caller can bring line breaks into what Asterisk prints before our fields, so that a whole event is forged in
front of ours (``%0d%0a`` in the user part of ``From``; Asterisk 22.10). Therefore only what follows the token counts,
the token is ours and secret, the fields after it stand in fixed order, and a block with a repeated name is refused.
What Asterisk tells of bridges and transfers has no token: it is a hint, and says only when to look (conversations.py).
"""

import hmac
from dataclasses import dataclass
from enum import Enum

from gateway.calls.record import CallRecord, parse_record

CALL_EVENT = "NPCall"
PROOF_EVENT = "NPProof"


class ForgedEvent(ValueError):
    """A block that looks like an event of ours and is not: somebody sends line breaks in a number or name."""


class Unfiltered(Enum):
    """What an event that the filter should have held back stands for."""

    EVENT = "an event that our event filter should hold back"


@dataclass(frozen=True, slots=True)
class BridgeHint:
    """A channel came into a bridge or left it, or so it is said."""

    bridge: str
    channel: str
    entered: bool


@dataclass(frozen=True, slots=True)
class TransferHint:
    """A channel was sent on to ``target`` (``102@internal``) by whom it talked with, or so it is said."""

    channel: str
    target: str


@dataclass(frozen=True, slots=True)
class UnholdHint:
    """A channel took back whom it had put on hold, or so it is said."""

    channel: str


Hint = BridgeHint | TransferHint | UnholdHint
# What our event filter lets through besides our own events.
_BRIDGES = {"Event: BridgeEnter": True, "Event: BridgeLeave": False}
_TRANSFER = "Event: BlindTransfer"
_UNHOLD = "Event: Unhold"


def parse_event(block: bytes, token: str) -> CallRecord | Hint | Unfiltered | None:
    """The record in a call's event, or a hint; UNFILTERED for a stranger's event; None for one that Asterisk always
    sends, and for a hint that says nothing.

    Raises ForgedEvent, MalformedRecord.
    """
    lines = block.decode("utf-8", "replace").split("\r\n")
    names = [line.partition(":")[0].strip().lower() for line in lines]
    if lines[0] in _BRIDGES or lines[0] == _UNHOLD:
        # Only what Asterisk prints before the first text of a caller's.
        fields = dict(line.split(": ", 1) for line in lines[: _first_text(names)] if ": " in line)
        if lines[0] == _UNHOLD:
            return UnholdHint(fields["Channel"]) if fields.get("Channel") else None
        if not fields.get("BridgeUniqueid") or not fields.get("Channel"):
            return None
        return BridgeHint(fields["BridgeUniqueid"], fields["Channel"], _BRIDGES[lines[0]])
    if lines[0] == _TRANSFER:
        if len(set(names)) != len(names):
            raise ForgedEvent("a field occurs twice")
        fields = dict(line.split(": ", 1) for line in lines if ": " in line)
        if fields.get("Result") != "Success" or not fields.get("TransfereeChannel"):
            return None
        return TransferHint(fields["TransfereeChannel"], f"{fields.get('Extension', '')}@{fields.get('Context', '')}")
    if lines[0] != "Event: UserEvent":
        # FullyBooted and Shutdown are sent past every filter.
        return None if lines[0] in ("Event: FullyBooted", "Event: Shutdown") else Unfiltered.EVENT
    if len(set(names)) != len(names):
        raise ForgedEvent("a field occurs twice")
    if f"UserEvent: {CALL_EVENT}" not in lines:
        return None if f"UserEvent: {PROOF_EVENT}" in lines else Unfiltered.EVENT
    if names[-2:] != ["token", "call"] or names[-3] != "userevent":
        raise ForgedEvent("the fields are not in their order")
    given = lines[-2].partition(": ")[2]
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise ForgedEvent("the token is not ours")
    return parse_record(lines[-1].partition(": ")[2])


def _first_text(names: list[str]) -> int:
    return names.index("calleridnum") if "calleridnum" in names else len(names)
