"""What the steps of a route are: as the line has them, as Asterisk does them, and in the reader's words."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.asterisk.routecode import encode_destinations
from gateway.calls.outbound import Trunk
from gateway.calls.route import AskKey, Destination, EndCall, PlaySound, Step, TakeMessage, Together
from gateway.http.destination_form import dial_words
from gateway.http.flow_said import Names
from gateway.http.words import Words


@dataclass(frozen=True, slots=True)
class Explained:
    """A step of a route: what stands in the line, what Asterisk does with it, and that in words."""

    text: str
    application: str
    words: str


def explained(step: Step, names: Names, words: Words, trunks: Sequence[Trunk]) -> Explained:
    """A step of a route. One that cannot be written, because its trunk is gone, says so."""
    say = words.say
    try:
        text = encode_destinations((step,), trunks)
    except ValueError as error:
        return Explained("", "", str(error))
    dialled, _, seconds = text.partition("^")
    match step:
        case Destination(dial=dial, ring_seconds=rings) if dial.startswith("Dialplan/"):
            exten, _, context = dial.removeprefix("Dialplan/").partition("@")
            return Explained(text, f"Goto({context},{exten},1)", say("goes on in your own dialplan"))
        case Destination(dial=dial, ring_seconds=rings):
            told = say("rings %(who)s for %(time)s")
            values = {"who": dial_words(dial, words), "time": words.rough_duration(rings)}
            return Explained(text, f"Dial({dialled.split('!')[0]},{seconds})", told % values)
        case Together(dials=dials, ring_seconds=rings):
            who = ", ".join(dial_words(dial, words) for dial in dials)
            told = say("rings %(who)s at once for %(time)s")
            values = {"who": who, "time": words.rough_duration(rings)}
            return Explained(text, f"Dial({dialled.split('!')[0]},{seconds})", told % values)
        case PlaySound(sound=sound):
            return Explained(text, f"Playback({sound})", say("plays “%(sound)s”") % {"sound": names.sound(sound)})
        case AskKey(prompt=sound, keys=keys, seconds=waits):
            told = say("plays “%(sound)s” and waits %(time)s for one of the keys %(keys)s")
            values = {"sound": names.sound(sound), "time": words.rough_duration(waits), "keys": " ".join(keys)}
            return Explained(text, f"Read(…,{sound},1,,1,{waits})", told % values)
        case TakeMessage(greeting=greeting, seconds=longest):
            told = say("plays “%(sound)s” and records a message") if greeting else say("records a message after a tone")
            told = told % {"sound": names.sound(greeting or "")}
            return Explained(text, f"Record(…,5,{longest})", told)
        case EndCall():
            return Explained(text, "Hangup()", say("ends the call"))
