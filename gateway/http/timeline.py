"""What happened during a call, step by step, in words."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.calls.pauses import Pause
from gateway.http.call_store import CallDetails, Leg
from gateway.http.words import Words

# Q.850: call rejected, as of a carrier that does not take the number it was shown, or a person who declines.
REJECTED = 21


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, so many seconds after the call came in."""

    seconds: float
    kind: str  # came, rang, answered, passed, ended
    text: str


def timeline(call: CallDetails, words: Words) -> list[Step]:
    """The call from its arrival to its end, as far as it has come."""
    say = words.language.translations.gettext
    row = call.row
    steps = [Step(0, "came", say("Came in on %(number)s") % {"number": words.phone(row.did)})]
    elapsed = 0.0
    answered = False
    for leg in call.legs:
        if leg.kind == "transfer":
            steps.append(Step(elapsed, "passed", _transfer_words(leg, words)))
        else:
            steps.append(Step(elapsed, "rang", _leg_words(leg, words)))
        elapsed += leg.ring_seconds
        if leg.result == "answered" and leg.kind == "destination":
            answered = True
            steps.append(Step(elapsed, "answered", _answer_words(_person(leg), words)))
        elapsed += leg.talk_seconds or 0
    if row.answered_at is not None and not answered:  # it goes on: its legs come with its end
        steps.append(Step(row.ring_seconds or 0, "answered", _answer_words(_endpoint(row.answered_by), words)))
    if row.state == "ended":
        seconds = (row.ring_seconds or 0) + (row.talk_seconds or 0)
        steps.append(Step(seconds, "ended", _end_words(call, words)))
    return steps


def moments(call: CallDetails, words: Words) -> list[Step]:
    """Whom the caller talked with, by seconds of the recording: it begins with the first answer, and leaves out the
    ringing of transfers.
    """
    found: list[Step] = []
    talked = 0.0
    answered = False
    for leg in call.legs:
        if leg.kind == "transfer":
            if answered:
                found.append(Step(talked, "passed", _transfer_words(leg, words)))
        elif leg.result == "answered":
            answered = True
            found.append(Step(talked, "answered", _answer_words(_person(leg), words)))
        talked += leg.talk_seconds or 0
    return found


def unrecorded(pauses: Iterable[Pause], seconds: float, words: Words) -> list[tuple[Step, float]]:
    """When nothing was recorded, and for how long, in a recording of ``seconds``; nothing that lies behind its end."""
    say = words.language.translations.gettext
    found = []
    for pause in pauses:
        text, ended = say("Paused %(long)s: not recorded"), pause.ended
        if ended is None or ended > seconds:
            ended = seconds
            if pause.ended is None:
                text = say("Paused to the end: not recorded")
        if pause.began <= seconds:
            long = max(0.0, ended - pause.began)
            found.append((Step(pause.began, "paused", text % {"long": words.duration(long)}), long))
    return found


def _person(leg: Leg) -> str | None:
    """Who took this leg, as the company calls them, else the endpoint without its technology."""
    return leg.person or _endpoint(leg.answered_by)


def _endpoint(name: str | None) -> str | None:
    return name and (name.partition("/")[2] or name)


def _answer_words(who: str | None, words: Words) -> str:
    say = words.language.translations.gettext
    return say("%(who)s answered") % {"who": who} if who else say("Somebody answered")


def _leg_words(leg: Leg, words: Words) -> str:
    say = words.language.translations.gettext
    # The place of a destination in the dialplan is written extension@context.
    who = leg.destination or ", ".join((_endpoint(each) or "").partition("@")[0] for each in leg.dial.split("&"))
    values = {"who": who, "long": words.spoken_duration(leg.ring_seconds)}
    return {
        "answered": say("Rang %(who)s for %(long)s") % values,
        "busy": say("%(who)s was busy") % values,
        "no_answer": say("Rang %(who)s for %(long)s, nobody answered") % values,
        "abandoned": say("Rang %(who)s for %(long)s, until the caller hung up") % values,
        "failed": (
            say("%(who)s refused the call") if leg.hangup_cause == REJECTED else say("%(who)s could not be reached")
        )
        % values,
    }.get(leg.result, who)


def _transfer_words(leg: Leg, words: Words) -> str:
    say = words.language.translations.gettext
    target = (_endpoint(leg.dial) if leg.dial == leg.answered_by else leg.dial.partition("@")[0]) or ""
    values = {"who": _person(leg) or leg.destination or target, "long": words.spoken_duration(leg.ring_seconds)}
    if leg.result == "answered":
        if leg.ring_seconds < 1:  # announced first, or taken over
            return say("Put through to %(who)s") % values
        return say("Put through to %(who)s, who answered after %(long)s") % values
    return {
        "busy": say("Put through to %(who)s, who was busy") % values,
        "no_answer": say("Put through to %(who)s, nobody answered for %(long)s") % values,
        "abandoned": say("Put through to %(who)s; the caller hung up after %(long)s") % values,
    }.get(leg.result, say("Put through to %(who)s, who could not be reached") % values)


def _end_words(call: CallDetails, words: Words) -> str:
    say = words.language.translations.gettext
    if call.row.outcome == "cut_off":
        return say("Cut off: the telephone system stopped")
    if call.row.outcome == "blocked":
        if call.row.screened not in (None, "listed"):
            return say("Turned away: %(why)s") % {"why": words.screened(call.row.screened)}
        return say("Refused, because this caller is blocked")
    if call.evidence.get("longest"):
        return say("Ended: the longest time that a call may take was over")
    if call.row.outcome == "abandoned" or call.hung_up_by == "caller":
        return say("The caller hung up")
    if call.hung_up_by == "business":
        return say("The business hung up")
    return say("The call ended")
