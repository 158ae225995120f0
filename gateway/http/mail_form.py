"""The form of a subscription: who gets what, when, in which language, and at which hours no alert comes."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.http.accounts import folded
from gateway.http.forms import Form
from gateway.http.invitation_pages import is_address
from gateway.http.members import Member
from gateway.http.words import Words
from gateway.reports.mail_alerts import Quiet
from gateway.reports.mail_due import Kind
from gateway.reports.mail_subscriptions import Wish

# Among users' ids in the field that says who.
OUTSIDE = "outside"

_ID = re.compile(r"[0-9]{1,18}")


def values_of(wish: Wish) -> dict[str, Any]:
    """A wish as the fields of the form, and as undo keeps it."""
    return {
        "kind": wish.kind.value,
        "hour": wish.hour,
        "weekday": wish.weekday,
        "quiet_from": wish.quiet.since if wish.quiet else "",
        "quiet_until": wish.quiet.until if wish.quiet else "",
        "language": wish.language,
    }


def read_wish(form: Form, words: Words, kind: Kind | None, languages: Mapping[str, str]) -> Wish | None:
    """What was wished; ``kind`` where that is fixed. None where a field is wrong, which the form says."""
    chosen = kind or form.choice("kind", Kind)
    hour = form.whole("hour", most=23, required=False)
    weekday = form.whole("weekday", least=1, most=7, required=False)
    since = form.whole("quiet_from", most=23, required=False)
    until = form.whole("quiet_until", most=23, required=False)
    quiet = None
    if chosen is not None and not chosen.is_report and (since is not None or until is not None):
        if since is None or until is None:
            form.refuse("quiet_until", words.say("Quiet hours need a beginning and an end."))
        elif since == until:
            form.refuse("quiet_until", words.say("They end when they begin. Choose another end, or leave both empty."))
        else:
            quiet = Quiet(since, until)
    language = form.value("language")
    if language not in languages:
        form.refuse("language", words.say("Choose one of these."))
    if chosen is None or form.problems:
        return None
    return Wish(chosen, 8 if hour is None else hour, 1 if weekday is None else weekday, quiet, language)


def read_who(form: Form, words: Words, people: Sequence[Member], *, outside: bool) -> tuple[int | None, str | None]:
    """Who is to get it: a user's id, or an address outside; neither where the form says what is wrong.

    The address of somebody who is a user here is that user.
    """
    who = form.value("who")
    if who == OUTSIDE and outside:
        address = folded(form.text("address"))
        if "address" in form.problems:
            return None, None
        if not is_address(address):
            form.refuse("address", words.say("This is not an e-mail address."))
            return None, None
        user = next((each.user_id for each in people if folded(each.email) == address), None)
        return (user, None) if user is not None else (None, address)
    if _ID.fullmatch(who) and int(who) in {each.user_id for each in people}:
        return int(who), None
    form.refuse("who", words.say("Choose one of these."))
    return None, None


def choices(
    words: Words, kinds: Sequence[Kind], weekdays: Sequence[str], languages: Mapping[str, str]
) -> dict[str, Any]:
    """What the fields offer."""
    hours = [
        (str(hour), words.time_in(datetime(2026, 1, 1, hour, tzinfo=words.zone), words.zone)) for hour in range(24)
    ]
    return {
        "kind_choices": [(kind.value, *_sentences(words)[kind]) for kind in kinds],
        "hours": hours,
        "quiet_hours": [("", "–"), *hours],
        "weekdays": [(str(number), name) for number, name in enumerate(weekdays, start=1)],
        "language_choices": list(languages.items()),
    }


def _sentences(words: Words) -> dict[Kind, tuple[str, str]]:
    say = words.say
    return {
        Kind.DAILY: (say("Every day"), say("The calls of the day before, and who still waits.")),
        Kind.WEEKLY: (say("Every week"), say("Seven days: calls, jobs, what each source brought and cost.")),
        Kind.MONTHLY: (say("Every month"), say("The same, on the 1st, of the month before.")),
        Kind.MISSED: (
            say("Each missed call"),
            say("Two minutes after it, unless the caller was answered meanwhile. At most one mail in five minutes."),
        ),
        Kind.MISSED_HOURLY: (say("Missed calls, hourly"), say("Those of an hour together, at the full hour.")),
        Kind.MESSAGES: (
            say("Each message on the voicemail"),
            say("Who called and how long it is; it is heard on the page. At most one mail in five minutes."),
        ),
    }
