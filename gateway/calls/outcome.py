"""How a call ended, from its record alone: a closed set, and who ended it."""

from enum import StrEnum

from gateway.calls.record import CallRecord, LegRecord


class Outcome(StrEnum):
    """How a call ended. Voicemail and blocked calls come with the features that make them."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    ABANDONED = "abandoned"  # the caller hung up before anybody answered
    FAILED = "failed"  # no destination could be reached
    VOICEMAIL = "voicemail"
    BLOCKED = "blocked"
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


def leg_outcome(leg: LegRecord) -> Outcome:
    """What an attempt came to that nobody answered; any status unknown here means it could not be reached."""
    return _LEG_OUTCOMES.get(leg.status, Outcome.FAILED)


def call_outcome(record: CallRecord) -> Outcome:
    """The outcome of a call that has ended."""
    if record.cut_off:
        return Outcome.CUT_OFF
    if record.answered_at is not None:
        return Outcome.ANSWERED
    if not record.legs:
        return Outcome.ABANDONED
    seen = {leg_outcome(leg) for leg in record.legs}
    return next((outcome for outcome in _NEAREST_FIRST if outcome in seen), Outcome.FAILED)


def hung_up_by(record: CallRecord) -> str | None:
    """``caller`` or ``business``; none where Asterisk names nobody, or itself (CHANNEL(hangupsource))."""
    if not record.hangup_source or record.hangup_source.startswith("dialplan/"):
        return None
    return "caller" if record.hangup_source == record.channel else "business"


def endpoint_of(channel: str) -> str | None:
    """``PJSIP/reception`` of the channel name ``PJSIP/reception-0000002a``; none of an empty one."""
    return channel.rpartition("-")[0] or channel or None
