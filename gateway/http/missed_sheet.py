"""The alert that comes by mail: who called and was not answered, what made them call, and what is known of them."""

from collections.abc import Sequence
from urllib.parse import urlencode

from gateway.http.mail_sheet import Call, Sheet, mark_of, one_line
from gateway.http.words import Words
from gateway.reports.mail_calls import ToldCall
from gateway.reports.mail_figures import Firm

# More are named by their number alone: the page has them all.
MOST_CALLS = 25


def missed_sheet(firm: Firm, words: Words, calls: Sequence[ToldCall], base: str) -> Sheet:
    """Missed calls, the newest last; a specimen without any says so."""
    say, name = words.say, one_line(firm.name)
    link = (
        say("All missed calls"),
        base + "/calls?" + urlencode({"company": firm.id, "outcome": "missed"}),
    )
    if not calls:
        text = say("No call was missed yet. When one is, this mail says who called, and what made them call.")
        return Sheet(say("Missed call"), say("Missed call"), name, (text,), link=link)
    if len(calls) == 1:
        call = calls[0]
        who = one_line(call.caller_name) or words.phone(call.caller)
        parts = [who, *([one_line(call.source)] if call.source else [])]
        title, subject = say("Missed call"), say("Missed call: %(who)s") % {"who": ", ".join(parts)}
    else:
        title = words.ngettext("%(num)s missed call", "%(num)s missed calls", len(calls))
        subject = f"{name}: {title}"
    shown = calls[-MOST_CALLS:]
    left = len(calls) - len(shown)
    return Sheet(
        subject,
        title,
        name,
        calls=tuple(_missed(words, each, base) for each in shown),
        more=words.ngettext("%(num)s more before.", "%(num)s more before.", left) if left else "",
        link=link,
        preview=", ".join(words.phone(each.caller) for each in shown[:3]),
    )


def message_sheet(firm: Firm, words: Words, calls: Sequence[ToldCall], base: str) -> Sheet:
    """Messages that callers left, the newest last. They are heard on the pages of their calls, by those who may."""
    say, name = words.say, one_line(firm.name)
    link = (say("All messages"), base + "/calls?" + urlencode({"company": firm.id, "outcome": "voicemail"}))
    if not calls:
        text = say("No message was left yet. When one is, this mail says who called, and leads to it.")
        return Sheet(say("Message"), say("Message"), name, (text,), link=link)
    if len(calls) == 1:
        named = {"who": one_line(calls[0].caller_name) or words.phone(calls[0].caller), "company": name}
        title, subject = say("Message"), say("A message from %(who)s for %(company)s") % named
    else:
        title = words.ngettext("%(num)s message", "%(num)s messages", len(calls))
        subject = f"{name}: {title}"
    shown = calls[-MOST_CALLS:]
    left = len(calls) - len(shown)
    return Sheet(
        subject,
        title,
        name,
        calls=tuple(_missed(words, each, base) for each in shown),
        more=words.ngettext("%(num)s more before.", "%(num)s more before.", left) if left else "",
        link=link,
        preview=", ".join(words.phone(each.caller) for each in shown[:3]),
    )


def _missed(words: Words, call: ToldCall, base: str) -> Call:
    say = words.say
    rang = words.spoken_duration(call.ring_seconds) if call.ring_seconds else ""
    why = words.missed_why(call.outcome)
    if call.outcome == "voicemail":
        length = words.spoken_duration(call.message_seconds) if call.message_seconds else ""
        why = say("left a message of %(time)s") % {"time": length} if length else say("left a message")
    rang = say("rang for %(time)s") % {"time": rang} if rang else ""
    facts = [" · ".join(part for part in (words.day_time(call.started_at), why, rang) if part)]
    dialled = say("dialled %(number)s") % {"number": words.phone(call.did)}
    campaign = [one_line(each) for each in (call.campaign, call.keyword) if each]
    facts.append(" · ".join([dialled, *campaign]))
    facts.append(_history(words, call))
    return Call(
        words.phone(call.caller),
        call.caller,
        one_line(call.caller_name),
        tuple(fact for fact in facts if fact),
        f"{base}/calls/{call.id}",
        mark_of(call.colour),
        one_line(call.source) if call.source else words.say("Unknown"),
    )


def _history(words: Words, call: ToldCall) -> str:
    """What is known of the caller: the third call that day, when somebody last talked with them."""
    say = words.say
    if call.caller is None:
        return say("the number is withheld")
    parts: list[str] = []
    if call.times > 1:
        parts.append(words.ngettext("%(num)s call that day", "%(num)s calls that day", call.times))
    if call.talked_at is not None:
        parts.append(say("last answered: %(day)s") % {"day": words.day(words.local_day(call.talked_at))})
    elif not call.earlier:
        parts.append(say("calls for the first time"))
    else:
        parts.append(say("was never answered before"))
    return " · ".join(parts)
