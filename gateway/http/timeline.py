"""What happened during a call, step by step, in words."""

from dataclasses import dataclass

from gateway.http.call_store import CallDetails, Leg
from gateway.http.words import Words


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, so many seconds after the call came in."""

    seconds: float
    kind: str  # came, rang, answered, ended
    text: str


def timeline(call: CallDetails, words: Words) -> list[Step]:
    """The call from its arrival to its end, as far as it has come."""
    say = words.language.translations.gettext
    row = call.row
    steps = [Step(0, "came", say("Came in on %(number)s") % {"number": words.phone(row.did)})]
    elapsed = 0.0
    for leg in call.legs:
        steps.append(Step(elapsed, "rang", _leg_words(leg, words)))
        elapsed += leg.ring_seconds
    if row.answered_at is not None:
        seconds = row.ring_seconds if row.ring_seconds is not None else elapsed
        who = name_of(call, row.answered_by)
        steps.append(
            Step(seconds, "answered", say("%(who)s answered") % {"who": who} if who else say("Somebody answered"))
        )
    if row.state == "ended":
        seconds = (row.ring_seconds or 0) + (row.talk_seconds or 0)
        steps.append(Step(seconds, "ended", _end_words(call, words)))
    return steps


def name_of(call: CallDetails, endpoint: str | None) -> str | None:
    """What the company calls an endpoint (``PJSIP/reception``), else the endpoint without its technology."""
    if endpoint is None:
        return None
    for leg in call.legs:
        if leg.destination and endpoint in (leg.answered_by, leg.dial):
            return leg.destination
    return endpoint.partition("/")[2] or endpoint


def _leg_words(leg: Leg, words: Words) -> str:
    say = words.language.translations.gettext
    who = leg.destination or leg.dial.partition("/")[2] or leg.dial
    values = {"who": who, "long": words.spoken_duration(leg.ring_seconds)}
    return {
        "answered": say("Rang %(who)s for %(long)s") % values,
        "busy": say("%(who)s was busy") % values,
        "no_answer": say("Rang %(who)s for %(long)s, nobody answered") % values,
        "abandoned": say("Rang %(who)s for %(long)s, until the caller hung up") % values,
        "failed": say("%(who)s could not be reached") % values,
    }.get(leg.result, who)


def _end_words(call: CallDetails, words: Words) -> str:
    say = words.language.translations.gettext
    if call.row.outcome == "cut_off":
        return say("Cut off: the telephone system stopped")
    if call.row.outcome == "abandoned" or call.hung_up_by == "caller":
        return say("The caller hung up")
    if call.hung_up_by == "business":
        return say("The business hung up")
    return say("The call ended")
