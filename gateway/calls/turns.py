"""Whom a caller talked with, one after the other: plain values and the steps between them.

A transfer, a parked call taken up by somebody else, a queue of the admin's own: in each the caller's channel stays
and the person at the other end changes. Each person is a turn. The caller's channel carries the turns as text
(``NP_TURN_1`` and so on), so that the call's last record is whole even if the gateway was started anew in mid-call.
"""

import re
from dataclasses import dataclass, replace
from urllib.parse import quote

# Beyond this, the last turn is overwritten: a call that is passed round for ever fills no record.
MOST_TURNS = 20
# The same, in bytes as the record carries them: the dialplan has room for 2,000 and one more turn.
MOST_BYTES = 1900
# Seconds; ten years are no call.
LONGEST_CALL = 10 * 365 * 86400.0
# What may stand in a turn; the names Asterisk gives to channels, and extensions as they are dialled.
_CHANNEL = re.compile(r"[A-Za-z0-9_.@/+*#:;-]{1,100}")
_TARGET = re.compile(r"[A-Za-z0-9_.@/+*#:-]{1,100}")


@dataclass(frozen=True, slots=True)
class Turn:
    """One person at the other end, or the wait for one. Moments are seconds after the call's start.

    ``channel`` is empty while nobody has answered, ``target`` what a transfer asked for (``102@internal``), empty where
    nobody dialled anything; ``ended`` is none until the turn is over, or to the end of the call.
    """

    channel: str
    target: str
    since: float
    answered: float | None
    ended: float | None = None


Turns = tuple[Turn, ...]


def talks_with(turns: Turns, channel: str | None, at: float, dialled: str = "") -> Turns:
    """``turns`` once the caller is seen to talk with ``channel`` (none: with nobody) at ``at``.

    ``dialled`` is what was dialled to reach that channel, where it is known.
    """
    last = turns[-1] if turns else None
    waiting = last is not None and not last.channel and last.ended is None
    talking = last is not None and bool(last.channel) and last.ended is None
    if channel is None:
        return (*turns[:-1], replace(turns[-1], ended=at)) if talking else turns
    if not _CHANNEL.fullmatch(channel) or (talking and last is not None and last.channel == channel):
        return turns
    target = dialled if _TARGET.fullmatch(dialled) else ""
    if waiting and last is not None:
        return (*turns[:-1], replace(last, channel=channel, answered=at))
    if talking and last is not None:
        turns = (*turns[:-1], replace(last, ended=at))
    since = (turns[-1].ended or at) if turns else 0.0
    return _added(turns, Turn(channel, target if turns else "", min(since, at), at))


def transferred(turns: Turns, target: str, at: float) -> Turns:
    """``turns`` once the caller is sent on to ``target`` by whoever answered, at ``at``."""
    last = turns[-1] if turns else None
    if last is not None and last.ended is None:
        turns = (*turns[:-1], replace(last, ended=at))
    return _added(turns, Turn("", target if _TARGET.fullmatch(target) else "", at, None))


def _added(turns: Turns, turn: Turn) -> Turns:
    kept = turns[: MOST_TURNS - 1]
    while kept and sum(len(quote(encode_turn(each), safe="")) + 3 for each in kept) > MOST_BYTES:
        kept = kept[:-1]
    return (*kept, turn)


def encode_turn(turn: Turn) -> str:
    """``target^channel^since^answered^ended``: the value of a channel variable, some 250 bytes at most."""
    return "^".join((turn.target, turn.channel, *(_number(at) for at in (turn.since, turn.answered, turn.ended))))


def decode_turn(text: str) -> Turn:
    """The turn that ``text`` says. Raises ValueError where it is none."""
    target, channel, since, answered, ended = text.split("^")
    for value, form in ((channel, _CHANNEL), (target, _TARGET)):
        if value and not form.fullmatch(value):
            raise ValueError(f"{value[:40]!r} is no name of a channel or an extension")
    began = _moment(since)
    return Turn(channel, target, began, _moment(answered) if answered else None, _moment(ended) if ended else None)


def _moment(text: str) -> float:
    at = float(text)
    if not 0 <= at < LONGEST_CALL:
        raise ValueError(f"{text[:40]!r} is no moment of a call")
    return at


def _number(at: float | None) -> str:
    return "" if at is None else f"{at:.3f}"
