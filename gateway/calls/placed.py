"""Calls that people place to call back: whether they may be, how they ended, and what is kept of them.

They are no calls in the sense of the log: nobody called. So they have a table of their own, and whatever counts
callers, calls and leads sees nothing of them. Who is called, and what brought him, says the call that is answered.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType

from gateway.asterisk.dialstring import checked_dial_string
from gateway.calls.caller import caller_number
from gateway.calls.emergency import emergency_dialled, is_emergency
from gateway.calls.outcome import Outcome, endpoint_of, leg_outcome
from gateway.calls.record import CallRecord, Stage
from gateway.store.queries import load_queries

FOLDER = Path(__file__).parent
_sql = load_queries(FOLDER, "placed.sql")

# Clicks of one person. Who calls back for a whole day does not come near it; a script that clicks does.
MOST_IN_A_MINUTE = 6
MOST_IN_AN_HOUR = 60
# With fewer digits it is an extension.
SHORTEST_OUTSIDE = 7
# What the unique ids of such calls begin with: whoever looks into Asterisk knows them by it.
MARK = "npback"


class PlacedOutcome(StrEnum):
    """How a call back ended. The first three are what became of the callee; ``telephone_…``: he was never dialled."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    GIVEN_UP = "given_up"  # by whoever called
    FAILED = "failed"  # the callee could not be reached
    CUT_OFF = "cut_off"  # Asterisk died
    TELEPHONE_BUSY = "telephone_busy"  # or the call was declined there
    TELEPHONE_NO_ANSWER = "telephone_no_answer"
    TELEPHONE_UNREACHABLE = "telephone_unreachable"
    NO_ASTERISK = "no_asterisk"  # no Asterisk was there to do it
    OLD_DIALPLAN = "old_dialplan"  # Asterisk's configuration was rendered before there were calls back
    NO_TRUNK = "no_trunk"
    REFUSED = "refused"  # by Asterisk


class Unplaceable(StrEnum):
    """Why a number cannot be called back."""

    WITHHELD = "withheld"  # or no number in full
    EMERGENCY = "emergency"
    PREMIUM = "premium"
    COUNTRY = "country"  # the company's limits do not allow it
    OURS = "ours"  # one of the company's own tracking numbers
    IMPOSSIBLE = "impossible"


class Refused(StrEnum):
    """Why a call back did not begin."""

    GOES_ON = "goes on"  # one to that number, or one of this person's
    TOO_MANY = "too many"
    NO_TELEPHONE = "no telephone"


@dataclass(frozen=True, slots=True)
class Asked:
    """A call back that is under way. ``by`` is who placed it; ``own``: the very person who asked now."""

    id: int
    is_new: bool
    by: str = ""
    own: bool = True


def unplaceable(
    callee: str | None,
    region: str | None,
    own_numbers: Collection[str] = (),
    countries: Collection[str] | None = None,
) -> Unplaceable | None:
    """Why ``callee`` (E.164) must not be dialled for a company in ``region``; none where it may be.

    ``countries`` are those that the company's limits allow, as ISO codes; none: every one. Premium-rate numbers and
    emergency services are never dialled, whatever the limits say.
    """
    if not callee or not callee.startswith("+"):
        return Unplaceable.WITHHELD
    if emergency_dialled(f"Trunk/{callee}", region):
        return Unplaceable.EMERGENCY
    if callee in own_numbers:
        return Unplaceable.OURS
    try:
        number = phonenumbers.parse(callee)
    except phonenumbers.NumberParseException:
        return Unplaceable.IMPOSSIBLE
    if not phonenumbers.is_possible_number(number):
        return Unplaceable.IMPOSSIBLE
    if phonenumbers.number_type(number) is PhoneNumberType.PREMIUM_RATE:
        return Unplaceable.PREMIUM
    country = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )
    if countries is not None and country not in countries:
        return Unplaceable.COUNTRY
    return None


def telephone_of(text: str, region: str | None) -> str:
    """A person's telephone as he writes it: ``102`` or ``PJSIP/102``, or a number outside, which becomes E.164.

    Raises ValueError that says how to mend it: for anything that is more than one telephone, and for numbers that must
    not be dialled.
    """
    text = text.strip()
    name = text.removeprefix("PJSIP/")
    is_short = any(letter.isalpha() for letter in text) or len(text) < SHORTEST_OUTSIDE
    if text.startswith("PJSIP/") or (is_short and not text.startswith("+")):
        if not name.replace("-", "").replace("_", "").replace(".", "").isalnum() or not name.isascii():
            raise ValueError(f"{text!r} is no telephone; write its name in Asterisk, such as PJSIP/102")
        if is_emergency(name, region):
            raise ValueError(f"{text!r} calls the emergency services; write the name of a telephone, such as PJSIP/102")
        return checked_dial_string(f"PJSIP/{name}")
    number = caller_number(text, region)
    why = unplaceable(number, region)
    if number is None or why is not None:
        raise ValueError(f"{text!r} cannot be called; write a number with + and country code, or a name as PJSIP/102")
    return number


def shown_number(shows: str, did: str, main_number: str | None) -> str:
    """The number of ours that the callee sees: the one he called, or the main one; empty where neither is known."""
    tracking = did if did.startswith("+") else ""
    return (main_number or tracking) if shows == "main" else (tracking or main_number or "")


async def ask(
    connection: Any,
    company_id: int,
    call: Any,
    *,
    telephone: str,
    by: str,
    user_id: int | None = None,
) -> Asked | Refused:
    """Ask the gateway to call the caller of ``call`` back (a row of ``answered_call``), in the caller's transaction.

    However often it is asked for while one goes on, there is one. Whether the number may be dialled was asked before.
    """
    if user_id is not None:
        lately = await _sql.asked_lately(connection, user_id=user_id)
        going = await _sql.goes_on(connection, company_id=company_id, user_id=user_id, callee=call["caller"])
        if going is None and (lately["minute"] >= MOST_IN_A_MINUTE or lately["hour"] >= MOST_IN_AN_HOUR):
            return Refused.TOO_MANY
    id = await _sql.ask(
        connection,
        company_id=company_id,
        call_id=call["id"],
        user_id=user_id,
        placed_by=by,
        telephone=telephone,
        callee=call["caller"],
        shown=shown_number(call["back_shows"], call["did"], call["main_number"]),
        asterisk_id=f"{MARK}{secrets.token_hex(8)}-{100000 + secrets.randbelow(900000)}",
    )
    if id is not None:
        return Asked(id, True)
    going = await _sql.goes_on(connection, company_id=company_id, user_id=user_id, callee=call["caller"])
    if going is None:  # it ended in this very moment, or is one that this person may not see
        return Refused.GOES_ON
    return Asked(going["id"], False, going["placed_by"], user_id is not None and going["user_id"] == user_id)


# Asterisk's REASON of an Originate that nobody answered (AST_CONTROL_…): 1 hung up, 3 rang; 0 whatever else it was.
_RANG = ("1", "3")
_LEGS = {
    Outcome.BUSY: PlacedOutcome.BUSY,
    Outcome.NO_ANSWER: PlacedOutcome.NO_ANSWER,
    Outcome.ABANDONED: PlacedOutcome.GIVEN_UP,
}


def placed_outcome(record: CallRecord) -> PlacedOutcome:
    """How a call back ended, from its last record."""
    if record.cut_off:
        return PlacedOutcome.CUT_OFF
    if record.reason:
        # Asterisk knew where it is, or it would not have been rung (gateway.asterisk.place).
        return PlacedOutcome.TELEPHONE_NO_ANSWER if record.reason in _RANG else PlacedOutcome.TELEPHONE_BUSY
    if record.picked_up_at is not None:
        return PlacedOutcome.ANSWERED
    if not record.legs:
        return PlacedOutcome.GIVEN_UP
    return _LEGS.get(leg_outcome(record.legs[-1]), PlacedOutcome.FAILED)


_STATES = {Stage.STARTED: "ringing", Stage.ANSWERED: "talking", Stage.ENDED: "ended"}


async def save(connection: Any, record: CallRecord, clock_ahead: float) -> None:
    """Write a record of a call back. ``clock_ahead`` seconds are taken off the node's times."""
    ahead = timedelta(seconds=clock_ahead)
    ended, answered = record.stage is Stage.ENDED, record.picked_up_at
    rang_until = answered or record.ended_at
    was_dialled = not record.reason
    hung_up_by = None
    if ended and answered and record.hangup_source and not record.hangup_source.startswith("dialplan/"):
        hung_up_by = "company" if record.hangup_source == record.channel else "callee"
    await _sql.save_placed(
        connection,
        id=record.placed,
        asterisk_id=record.key,
        stage=int(record.stage),
        state=_STATES[record.stage],
        outcome=placed_outcome(record).value if ended else None,
        picked_up_at=record.started_at - ahead if was_dialled else None,
        answered_at=answered and answered - ahead,
        ended_at=record.ended_at and record.ended_at - ahead,
        ring_seconds=_between(record.started_at, rang_until) if was_dialled else None,
        talk_seconds=_between(answered, record.ended_at),
        hung_up_by=hung_up_by,
        hangup_cause=record.cause,
        recorded=ended and answered is not None and record.rate is not None,
        rate=record.rate,
    )


def _between(start: Any, end: Any) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start).total_seconds())


def named(endpoint: str) -> str:
    """A telephone as people call it: ``102`` of ``PJSIP/102``."""
    return (endpoint_of(endpoint) if endpoint.startswith("Local/") else endpoint.removeprefix("PJSIP/")) or endpoint


async def backs_of(connection: Any, company_id: int, call_id: int) -> list[Any]:
    """How a call was called back: rows of ``placed_calls``, the newest first."""
    return [row async for row in _sql.placed_of_call(connection, company_id=company_id, call_id=call_id)]
