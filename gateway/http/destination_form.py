"""What a destination dials, in plain words and as a form: a telephone, a number outside, or what Asterisk is told."""

import re
from dataclasses import dataclass
from enum import StrEnum

from gateway.calls.outbound import TRUNK
from gateway.http.forms import Form
from gateway.http.words import Words
from gateway.pools import errors

_TELEPHONES = re.compile(r"PJSIP/[A-Za-z0-9_.-]+(?:&PJSIP/[A-Za-z0-9_.-]+)*")
_TELEPHONE = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_PLACE = re.compile(r"(?:Dialplan|Local)/([^@]+)@([^/]+)(?:/n)?")
_BY_TRUNK = re.compile(r"PJSIP/(\+?[0-9]{3,15})@([A-Za-z0-9_.-]+)")


class Rings(StrEnum):
    """What people say a destination is."""

    TELEPHONE = "telephone"
    OUTSIDE = "outside"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A destination as the form asks for it; ``next_id`` none: nowhere."""

    name: str
    dial: str
    ring_seconds: int
    next_id: int | None
    is_default: bool


def dial_words(dial: str, words: Words) -> str:
    """What a dial string rings, as people say it; one that is read by Asterisk alone stays as it is."""
    return words.say(" and ").join(_part(each, words) for each in dial.split("&"))


def form_values(dial: str) -> dict[str, str]:
    """The fields that stand for a dial string."""
    if _TELEPHONES.fullmatch(dial):
        return {"rings": Rings.TELEPHONE, "dial": ", ".join(each.removeprefix("PJSIP/") for each in dial.split("&"))}
    if dial.startswith(TRUNK):
        return {"rings": Rings.OUTSIDE, "dial": dial.removeprefix(TRUNK)}
    return {"rings": Rings.OTHER, "dial": dial}


def read_form(form: Form, words: Words, others: dict[int, str]) -> Wanted | None:
    """The form, read; ``others`` are the destinations that a call may go on to. None where something is wrong."""
    name = " ".join(form.text("name", longest=80).split())
    rings = form.choice("rings", Rings)
    dial = form.text("dial", longest=190)
    ring_seconds = form.whole("ring_seconds", least=5, most=600)
    chosen = form.value("next")
    next_id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else None
    if chosen and next_id not in others:
        form.refuse("next", words.say("Choose one of these."))
    if rings is Rings.TELEPHONE and dial:
        names = [each for each in re.split(r"[\s,;&]+", dial) if each]
        if not all(_TELEPHONE.fullmatch(each) for each in names):
            form.refuse("dial", words.say("A telephone's name has letters, digits, points and dashes alone."))
        dial = "&".join(f"PJSIP/{each}" for each in names)
    elif rings is Rings.OUTSIDE:
        dial = f"{TRUNK}{dial}"
    if form.problems or ring_seconds is None:
        return None
    return Wanted(name, dial, ring_seconds, next_id, form.flag("is_default"))


def refuse(form: Form, error: errors.SetupError, words: Words) -> None:
    """Say what is wrong, beside the field it is wrong in."""
    say = words.say
    match error:
        case errors.NameTaken():
            form.refuse("name", say("Another destination has this name already."))
        case errors.NoName():
            form.refuse("name", say("Write something here."))
        case errors.NextInCircle():
            form.refuse("next", say("That leads back here, so an unanswered call would go round for ever."))
        case errors.BadNumber():
            form.refuse("dial", say("This is not a telephone number; write it with its area code."))
        case errors.EmergencyNumber() | errors.DialsEmergency():
            form.refuse("dial", say("This would call an emergency service; such calls never go through Numberpool."))
        case errors.NotThatCountry():
            form.refuse("dial", say("Calls are not forwarded to that country. Allow it under “Calls you take” first."))
        case errors.CostsExtra():
            form.refuse("dial", say("This number costs extra to call; fraud likes such numbers."))
        case errors.NoTrunks():
            form.refuse("dial", say("No line for numbers outside is set up on the server: its settings name no trunk."))
        case errors.ContextNotAllowed():
            form.refuse(
                "dial",
                say(
                    "Calls may not go there: on the server, name that part of the dialplan in dialplan_contexts first."
                ),
            )
        case errors.CallsItself():
            form.refuse(
                "dial",
                say("This leads to a tracking number, so a call would come back for ever. Name the line behind it."),
            )
        case _:
            form.refuse(
                "dial",
                say(
                    "Asterisk cannot dial this. Write it like PJSIP/reception, Local/600@ours/n or Dialplan/600@queues."
                ),
            )


def _part(dial: str, words: Words) -> str:
    say = words.say
    if dial.startswith(TRUNK):
        return say("%(number)s outside") % {"number": words.phone(dial.removeprefix(TRUNK))}
    if found := _BY_TRUNK.fullmatch(dial):
        number = words.phone(found[1]) if found[1].startswith("+") else found[1]
        return say("%(number)s by %(trunk)s") % {"number": number, "trunk": found[2]}
    if found := _PLACE.fullmatch(dial):
        return say("%(extension)s in the dialplan (%(context)s)") % {"extension": found[1], "context": found[2]}
    if _TELEPHONES.fullmatch(dial):
        return say("the telephone %(name)s") % {"name": dial.removeprefix("PJSIP/")}
    return dial
