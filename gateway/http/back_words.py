"""How a call back goes on and ends, in words."""

from typing import Any

from gateway.calls.placed import PlacedOutcome, Unplaceable, named
from gateway.http.words import Words


def going_on(row: Any, words: Words) -> str:
    """What happens at this moment, and what to do."""
    say = words.say
    who, telephone = words.phone(row["callee"]), telephone_name(row["telephone"], words)
    if row["hang_up_at"] is not None:
        return say("Hanging up …")
    if row["state"] in ("asked", "telephone"):
        return say("Your telephone rings: %(telephone)s. Pick it up, and %(who)s is called.") % {
            "telephone": telephone,
            "who": who,
        }
    if row["state"] == "ringing":
        return say("It rings at %(who)s.") % {"who": who}
    return say("Talking with %(who)s.") % {"who": who}


def ended(row: Any, words: Words) -> str:
    """What became of it, in a sentence."""
    say, telephone = words.say, telephone_name(row["telephone"], words)
    sentence = {
        PlacedOutcome.ANSWERED: say("Talked for %(time)s."),
        PlacedOutcome.BUSY: say("The line was busy."),
        PlacedOutcome.NO_ANSWER: say("Nobody answered."),
        PlacedOutcome.GIVEN_UP: say("Hung up before anybody answered."),
        PlacedOutcome.FAILED: say("The number could not be reached. Is it in service?"),
        PlacedOutcome.CUT_OFF: say("Asterisk stopped in the middle of the call."),
        PlacedOutcome.TELEPHONE_BUSY: say(
            "The telephone %(telephone)s did not take the call: it is busy, or the call was declined."
        ),
        PlacedOutcome.TELEPHONE_NO_ANSWER: say("The telephone %(telephone)s rang, and nobody picked it up."),
        PlacedOutcome.TELEPHONE_UNREACHABLE: say(
            "The telephone %(telephone)s is not connected, so nobody was called. Is it on, and is its name right?"
        ),
        PlacedOutcome.NO_ASTERISK: say(
            "Numberpool has no connection to Asterisk at this moment, so nobody was called. Try again in a minute."
        ),
        PlacedOutcome.OLD_DIALPLAN: say(
            "Asterisk does not know calls back yet. Whoever looks after it runs numberpool asterisk render, and then "
            "reloads dialplan and manager."
        ),
        PlacedOutcome.NO_TRUNK: say("No trunk for calls to the outside is named in the settings of this Asterisk."),
        PlacedOutcome.REFUSED: say(
            "Asterisk refused to call. Whoever looks after Numberpool finds the reason in its log."
        ),
    }[PlacedOutcome(row["outcome"])]
    return sentence % {"telephone": telephone, "time": words.spoken_duration(row["talk_seconds"] or 0)}


def in_short(row: Any, words: Words) -> str:
    """What became of it in a word or two, for lists."""
    say = words.say
    if row["state"] != "ended":
        return say("Talking now") if row["state"] == "talking" else say("Ringing now")
    return {
        PlacedOutcome.ANSWERED: words.pgettext("calls back", "Reached"),
        PlacedOutcome.BUSY: say("Busy"),
        PlacedOutcome.NO_ANSWER: say("Nobody answered"),
        PlacedOutcome.GIVEN_UP: say("Given up"),
    }.get(PlacedOutcome(row["outcome"]), say("Did not come about"))


def unplaceable(why: Unplaceable, words: Words) -> str:
    """Why a number is not called."""
    say = words.say
    return {
        Unplaceable.WITHHELD: say("The caller withheld the number, so nobody can call back."),
        Unplaceable.EMERGENCY: say("Emergency numbers are never called from here."),
        Unplaceable.PREMIUM: say("That is a number that costs whoever calls it extra: it is never called from here."),
        Unplaceable.COUNTRY: say("Calls to that country are not among those that your company allows."),
        Unplaceable.OURS: say("That is one of your own tracking numbers."),
        Unplaceable.IMPOSSIBLE: say("That is no telephone number that could be called."),
    }[why]


def telephone_name(telephone: str, words: Words) -> str:
    """A telephone as people call it."""
    return words.phone(telephone) if telephone.startswith("+") else named(telephone)
