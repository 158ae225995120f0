"""How a call ended, from its record alone: a closed set, and who ended it."""

from enum import StrEnum

from gateway.asterisk.dialstring import dialplan_context
from gateway.asterisk.routecode import decode_dial
from gateway.calls.record import CallRecord, LegRecord


class Outcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    ABANDONED = "abandoned"  # the caller hung up before anybody answered
    FAILED = "failed"  # no destination could be reached
    VOICEMAIL = "voicemail"
    BLOCKED = "blocked"  # by a rule about its caller
    CUT_OFF = "cut_off"  # Asterisk died


# DIALSTATUS (docs.asterisk.org, Dial): what an attempt that nobody answered came to.
_LEG_OUTCOMES = {
    "BUSY": Outcome.BUSY,
    "NOANSWER": Outcome.NO_ANSWER,
    "CANCEL": Outcome.ABANDONED,
    "END": Outcome.ABANDONED,
}
# Over several destinations the one that came nearest to a person says what the call was.
_NEAREST_FIRST = (Outcome.ABANDONED, Outcome.NO_ANSWER, Outcome.BUSY)


def leg_outcome(leg: LegRecord, by: str | None = "caller") -> Outcome:
    """What an attempt came to that nobody answered; any status unknown here means it could not be reached.

    ``by`` is who ended the call: a queue or menu of the admin's own may do so itself, and the caller gave nothing up.
    """
    if leg.status == "END" and by != "caller" and dialplan_context(leg.dial):
        return Outcome.NO_ANSWER
    return _LEG_OUTCOMES.get(leg.status, Outcome.FAILED)


def transfer_outcome(status: str, by: str | None) -> Outcome:
    """What became of a transfer that nobody answered, by the DIALSTATUS it left and who ended the call."""
    if by == "caller":
        return Outcome.ABANDONED
    return _LEG_OUTCOMES.get(status, Outcome.FAILED)


def call_outcome(record: CallRecord) -> Outcome:
    """The outcome of a call that has ended."""
    if record.cut_off:
        return Outcome.CUT_OFF
    if record.picked_up_at is not None:
        return Outcome.ANSWERED
    if record.is_turned_away:
        return Outcome.BLOCKED
    if record.voicemail or record.has_message:
        return Outcome.VOICEMAIL
    if not record.legs:
        return Outcome.ABANDONED
    by = hung_up_by(record)
    seen = {leg_outcome(leg, by) for leg in record.legs}
    return next((outcome for outcome in _NEAREST_FIRST if outcome in seen), Outcome.FAILED)


def hung_up_by(record: CallRecord) -> str | None:
    """``caller`` or ``business``; none where Asterisk names nobody, or itself (CHANNEL(hangupsource))."""
    if not record.hangup_source or record.hangup_source.startswith("dialplan/"):
        return None
    return "caller" if record.hangup_source == record.channel else "business"


def endpoint_of(channel: str) -> str | None:
    """``PJSIP/reception`` of the channel name ``PJSIP/reception-0000002a``; none of an empty one."""
    return decode_dial(channel.rpartition("-")[0]) or channel or None
