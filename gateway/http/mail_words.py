"""How subscriptions to mail are said: when they come, what became of a mail."""

from datetime import datetime

from gateway.http.words import Words
from gateway.reports.mail_due import Kind
from gateway.reports.mail_subscriptions import Fate, PostedMail, Wish


def when(words: Words, wish: Wish) -> str:
    """When it comes: Mondays at 8:00."""
    say = words.say
    hour = words.time_in(datetime(2026, 1, 1, wish.hour, tzinfo=words.zone), words.zone)
    match wish.kind:
        case Kind.DAILY:
            return say("every day at %(time)s") % {"time": hour}
        case Kind.WEEKLY:
            return say("%(day)s at %(time)s") % {"day": weekday_names(words)[wish.weekday - 1], "time": hour}
        case Kind.MONTHLY:
            return say("on the 1st at %(time)s") % {"time": hour}
        case Kind.MISSED:
            return say("two minutes after the call")
        case Kind.MESSAGES:
            return say("as soon as one is left")
    return say("at the full hour")


def weekday_names(words: Words) -> list[str]:
    """Monday first, as the language writes them alone."""
    return [begun(words.locale.days["stand-alone"]["wide"][day]) for day in range(7)]


def fate_words(words: Words, mail: PostedMail) -> str:
    """What became of a mail."""
    say = words.say
    return {
        Fate.WAITING: words.pgettext("mail", "waits") if not mail.answer else say("waits for the mail server"),
        Fate.SENT: say("taken by the mail server"),
        Fate.REFUSED: words.pgettext("mail", "refused"),
        Fate.GIVEN_UP: say("given up: the mail server was away too long"),
        Fate.NOT_NEEDED: say("not sent: nothing was left to be told"),
    }[mail.fate]


def begun(text: str) -> str:
    """With a capital letter, as at the beginning of a line."""
    return text[:1].upper() + text[1:]
