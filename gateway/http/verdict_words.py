"""Verdicts on sources in words: a few that say whether it pays, and a sentence with the numbers that say why."""

from datetime import date
from decimal import Decimal

from babel import dates

from gateway.http.report_words import money, number
from gateway.http.words import Words
from gateway.reports.verdict import Kind, Verdict

# Twice as many digits tell nothing more.
_PRECISE_BELOW = 10


def verdict_name(words: Words, verdict: Verdict) -> str:
    """Earns its money; too few calls to be sure before June."""
    say = words.say
    if verdict.kind is Kind.TOO_FEW:
        return _too_few(words, verdict)
    return {
        Kind.EARNS: say("earns its money"),
        Kind.MARGINAL: say("marginal"),
        Kind.LOSES: say("loses money"),
        Kind.NO_JOBS: say("no jobs marked yet"),
        Kind.NO_VALUES: say("value of jobs not known"),
    }[verdict.kind]


def verdict_why(words: Words, verdict: Verdict, currency: str) -> str:
    """Why, in a sentence or two: 18 jobs from 47 calls for $1,000. A job costs $55.56."""
    text = f"{what_came(words, verdict, currency)} {_because(words, verdict, currency)}".strip()
    return text[:1].upper() + text[1:]


def what_came(words: Words, verdict: Verdict, currency: str) -> str:
    """1 call, no job for $500."""
    own = verdict.standing
    said = {
        "calls": _calls(words, own.calls),
        "jobs": _jobs(words, own.jobs),
        "spend": _money(words, own.spend, currency),
    }
    if own.jobs > 0:
        return words.say("%(jobs)s from %(calls)s for %(spend)s.") % said
    return words.say("%(calls)s, %(jobs)s for %(spend)s.") % said


def _because(words: Words, verdict: Verdict, currency: str) -> str:
    say, own, back = words.say, verdict.standing, verdict.back
    said = {
        "cost": _money(words, own.spend / own.jobs, currency) if own.jobs > 0 else "",
        "others": _money(words, verdict.others_cost or 0, currency),
        "times": _times(words, verdict.dearer or 0),
        "low": _times(words, back[0]) if back else "",
        "high": _times(words, back[1]) if back else "",
        "wanted": _calls(words, verdict.wanted),
    }
    match verdict.kind:
        case Kind.EARNS if verdict.dearer is not None:
            return (
                say(
                    "A job costs %(cost)s, %(times)s times as much as from the other sources, but the money comes back "
                    "between %(low)s and %(high)s times."
                )
                % said
            )
        case Kind.EARNS:
            return say("A job costs %(cost)s, and the money comes back between %(low)s and %(high)s times.") % said
        case Kind.MARGINAL if verdict.dearer is not None and own.jobs > 0:
            return (
                say("A job costs %(cost)s, %(times)s times as much as from the other sources; that is hardly chance.")
                % said
            )
        case Kind.MARGINAL if verdict.dearer is None:
            return say("The money comes back between %(low)s and %(high)s times: about what it costs.") % said
        case Kind.LOSES if back:
            return say("At best the money comes back %(high)s times.") % said
        case Kind.LOSES | Kind.MARGINAL:  # not one job, where others bring some
            return say("A job from the other sources costs %(others)s; that none came is hardly chance.") % said
        case Kind.NO_JOBS:
            return say("Mark which calls became jobs, then this tells what a job costs.")
        case Kind.NO_VALUES:
            return say("Say what jobs brought, then this tells whether it pays.")
    return _not_yet(words, verdict, said)


def _not_yet(words: Words, verdict: Verdict, said: dict[str, str]) -> str:
    say, own = words.say, verdict.standing
    if own.calls < verdict.wanted:
        text = say("It takes about %(wanted)s to be sure.") % said
    elif verdict.back and own.jobs > 0:
        text = say("The money may come back between %(low)s and %(high)s times; it takes more jobs to be sure.") % said
    else:
        text = say("It takes more jobs to be sure.")
    if verdict.month is not None:
        return text
    pace = say("At this pace that is more than two years.")
    return f"{text} {pace}"


def _too_few(words: Words, verdict: Verdict) -> str:
    say = words.say
    of_calls = verdict.standing.calls < verdict.wanted
    if verdict.month is None:
        return say("too few calls to be sure") if of_calls else say("too few jobs to be sure")
    text = (
        say("too few calls to be sure before %(month)s")
        if of_calls
        else say("too few jobs to be sure before %(month)s")
    )
    return text % {"month": _month(words, verdict.month)}


def _month(words: Words, month: date) -> str:
    """June; with the year where a year lies between."""
    away = (month.year - words.now.year) * 12 + month.month - words.now.month
    return str(dates.format_date(month, "MMMM" if away < 11 else "MMMM y", words.locale))


def _calls(words: Words, calls: float) -> str:
    if calls <= 0:
        return words.say("no call")
    return _counted(words, words.ngettext("%(num)s call", "%(num)s calls", _whole(calls)), calls)


def _jobs(words: Words, jobs: float) -> str:
    if jobs <= 0:
        return words.say("no job")
    return _counted(words, words.ngettext("%(num)s job", "%(num)s jobs", _whole(jobs)), jobs)


def _counted(words: Words, text: str, count: float) -> str:
    """Parts of calls, where a model shares them, with a digit after the point."""
    if count == round(count):
        return text
    return text.replace(words.number(_whole(count)), number(words, count, in_parts=True), 1)


def _whole(count: float) -> int:
    # What is shared is many, whatever it comes to: 1.5 calls.
    return round(count) if count == round(count) else max(2, round(count))


def _money(words: Words, amount: float, currency: str) -> str:
    return money(words, Decimal(repr(float(amount))), currency)


def _times(words: Words, times: float) -> str:
    return words.number(round(times, 1) if times < _PRECISE_BELOW else round(times))
