"""Why a call has its source, as the page says and draws it: sentences in the reader's language, bars on a line of time.

The line ends with the call, and is drawn closer the longer ago something was: minutes and days both find their place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log1p
from typing import Literal
from uuid import UUID

from babel import units

from gateway.attribution.decision import Basis, How
from gateway.attribution.evidence import LIVE, Evidence
from gateway.attribution.learned_store import FEW_CALLS
from gateway.attribution.why import Stand, Suspect, Why
from gateway.http.call_store import Source
from gateway.http.words import Words

# So many bars are drawn; whoever else may have called is counted in one line.
MOST_BARS = 6
# Seconds that take as much room as they would on an even line; older ones take less and less.
_EVEN = 20.0
_SHORTEST = 60.0
_MARKS = (15, 60, 300, 900, 3600, 6 * 3600, 86400, 3 * 86400, 7 * 86400)
# Marks stand at least so far apart, in percent.
_APART = 13.0
# A bar is at least so wide, in percent, that a glance finds it.
_THIN = 0.8
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on the line, in percent from the left, with its words."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One who may have called: when the number was on the screen (``start`` none: not of late), and taps on it."""

    name: str
    visit: UUID | None  # none: not kept, or forgotten
    source: Source | None
    chance: float
    is_answer: bool
    start: float | None
    width: float
    taps: tuple[float, ...]
    says: str


@dataclass(frozen=True, slots=True)
class CreditedTouch:
    """An arrival that the credit may go to."""

    at: datetime
    name: str
    source: Source | None
    how: str
    is_credited: bool


@dataclass(frozen=True, slots=True)
class WhyView:
    """``sentence`` is the decision; ``notes`` are what else is to be known. ``nobody`` and ``others`` are chances.

    ``confidence`` is none where it says nothing: a number that stands for its source, nothing decided yet, unknown.
    """

    sentence: str
    notes: tuple[str, ...]
    is_unknown: bool
    confidence: float | None
    source_confidence: float | None
    bars: tuple[Bar, ...]
    more: int  # who may have called and is not drawn
    others: float
    nobody: float | None
    marks: tuple[Mark, ...]
    touches: tuple[CreditedTouch, ...]


def why_view(why: Why, sources: Mapping[int, Source], words: Words, *, sees_visitors: bool) -> WhyView:
    """The view of ``why``; ``sources`` are those it names. Without ``sees_visitors`` single visits are not told of."""
    decided = why.basis is Basis.VISITS and why.stand is not Stand.NOT_YET
    line = _Line(why)
    shown = why.suspects[:MOST_BARS] if sees_visitors else ()
    rest = why.suspects[len(shown) :]
    bars = tuple(_bar(each, why, line, sources, words) for each in shown)
    return WhyView(
        sentence=_sentence(why, words),
        notes=tuple(_notes(why, words)),
        is_unknown=decided and why.answer is None,
        confidence=why.confidence if decided and why.answer is not None else None,
        source_confidence=(
            why.source_confidence if decided and why.answer and why.source_confidence - why.confidence > 0.01 else None
        ),
        bars=bars,
        more=len(rest) if sees_visitors else 0,
        others=why.others + sum(each.chance for each in rest),
        nobody=why.nobody if decided else None,
        marks=tuple(_marks(line, words)) if any(bar.start is not None for bar in bars) else (),
        touches=tuple(_touches(why, sources, words)) if sees_visitors else (),
    )


def chance(share: float, words: Words) -> str:
    """A chance as people read it: what is not certain is never 100%, nor 0%."""
    if 0.995 <= share < 1:
        return f"> {words.percent(0.99)}"
    if 0 < share < 0.005:
        return f"< {words.percent(0.01)}"
    return words.percent(round(share, 2))


def about(length: timedelta, words: Words, *, short: bool = False) -> str:
    """A length of time, roughly: 4 seconds, 10 minutes; or short, as beside a mark.

    Where nouns are inflected, the short form alone fits into every sentence.
    """
    width: Literal["short", "long"] = "short" if short or words.locale.language != "en" else "long"
    seconds = max(round(length.total_seconds()), 0)
    for size, unit in _UNITS:
        if seconds >= 2 * size or seconds == size:
            return units.format_unit(seconds // size, f"duration-{unit}", width, locale=words.locale)
    return units.format_unit(seconds, "duration-second", width, locale=words.locale)


class _Line:
    """Moments before the call as percents of a line's length."""

    def __init__(self, why: Why) -> None:
        self.call = why.at
        moments = [each.shown_at for each in why.suspects[:MOST_BARS] if each.shown_at is not None]
        longest = max(((why.at - moment).total_seconds() for moment in moments), default=_SHORTEST)
        self.seconds = max(longest, _SHORTEST)

    def at(self, moment: datetime) -> float:
        return self.ago((self.call - moment).total_seconds())

    def ago(self, seconds: float) -> float:
        return 100 * (1 - log1p(min(max(seconds, 0), self.seconds) / _EVEN) / log1p(self.seconds / _EVEN))


def _marks(line: _Line, words: Words) -> list[Mark]:
    found: list[Mark] = []
    last = 92.0  # the call's own word stands at the end, and takes more room on a phone
    for seconds in _MARKS:
        at = line.ago(seconds)
        if seconds < line.seconds and last - at >= _APART and at >= _APART / 2:
            found.append(Mark(round(at, 2), about(timedelta(seconds=seconds), words, short=True)))
            last = at
    return found


def _bar(suspect: Suspect, why: Why, line: _Line, sources: Mapping[int, Source], words: Words) -> Bar:
    start, width = None, 0.0
    if suspect.shown_at is not None:
        until = suspect.last_seen or suspect.shown_at
        if why.at - until <= LIVE and suspect.left_at is None and suspect.replaced_at is None:
            until = why.at  # it is on the screen still: the page says so every half minute only
        start = line.at(suspect.shown_at)
        width = max(line.at(until) - start, _THIN)
        start = min(start, 100 - width)
    taps = _taps_of(suspect.visit_id, why)
    return Bar(
        suspect.label,
        suspect.visit_id if suspect.landing_page else None,
        sources.get(suspect.source_id) if suspect.source_id is not None else None,
        suspect.chance,
        suspect.is_answer,
        None if start is None else round(start, 2),
        round(width, 2),
        tuple(round(line.at(at), 2) for at in taps),
        " · ".join(_facts(suspect, taps, why, words)),
    )


def _taps_of(visit: UUID | None, why: Why) -> list[datetime]:
    return [tap.at for tap in why.taps if visit is not None and tap.visit_id == visit]


def _facts(suspect: Suspect, taps: Sequence[datetime], why: Why, words: Words) -> list[str]:
    say = words.say
    found = []
    if taps:
        found.append(say("tapped the number %(long)s before") % {"long": about(why.at - taps[-1], words)})
    if Evidence.KNOWN_CALLER in suspect.because:
        found.append(say("earlier calls from this number were by this visitor"))
    if suspect.shown_at is None:
        found.append(say("not shown the number of late"))
    elif Evidence.LIVE in suspect.because:
        found.append(say("had it on the screen when the phone rang"))
    else:
        seen = suspect.last_seen or suspect.shown_at
        found.append(say("last had it on the screen %(long)s before") % {"long": about(why.at - seen, words)})
    return found


def _sentence(why: Why, words: Words) -> str:
    say = words.say
    number = words.phone(why.number)
    if why.basis is Basis.NO_NUMBER:
        return say(
            "The caller rang %(number)s, which is none of your tracking numbers, so the call went to the main line."
        ) % {"number": number}
    if why.basis is Basis.STATIC:
        if why.credit is None:
            return say("The caller rang %(number)s, which stands for no source yet.") % {"number": number}
        return say("The caller rang %(number)s. This number stands for %(source)s.") % {
            "number": number,
            "source": why.credit.label,
        }
    if why.stand is Stand.NOT_YET:
        if why.state != "ended":
            return say("What brought this call is being decided; it appears here in a moment.")
        return say("What brought this call is not decided yet. It is, within a minute after the call.")
    answer = why.answer
    return _unknown(why, words) if answer is None else _decided(answer, why, words)


def _decided(answer: Suspect, why: Why, words: Words) -> str:
    say = words.say
    taps = _taps_of(answer.visit_id, why)
    values = {"number": words.phone(why.number)}
    if answer.last_seen is not None and answer.shown_at is not None:
        values |= {"since": about(why.at - answer.shown_at, words), "seen": about(why.at - answer.last_seen, words)}
    if taps:
        values["tap"] = about(why.at - taps[-1], words)
    is_live = Evidence.LIVE in answer.because
    if Evidence.KNOWN_CALLER in answer.because:
        if answer.shown_at is None:
            text = say("Earlier calls from the caller's number were this visitor's, who was shown no number of late.")
        elif is_live:
            text = say(
                "Earlier calls from the caller's number were this visitor's, "
                "who had %(number)s on the screen when the phone rang."
            )
        else:
            text = say(
                "Earlier calls from the caller's number were this visitor's, "
                "who last had %(number)s on the screen %(seen)s before the call."
            )
    elif taps and is_live:
        text = say(
            "This visitor tapped %(number)s %(tap)s before the call, and had had it on the screen for %(since)s."
        )
    elif taps:
        text = say("This visitor tapped %(number)s %(tap)s before the call.")
    elif answer.shown_at is None:
        text = say("This visitor is the likeliest one.")
    elif is_live:
        text = say("This visitor had %(number)s on the screen when the phone rang, for %(since)s by then.")
    else:
        text = say("This visitor last had %(number)s on the screen %(seen)s before the call.")
    return text % values


def _unknown(why: Why, words: Words) -> str:
    say = words.say
    because = why.because[0] if why.because else Evidence.NOBODY
    if because is Evidence.NEVER_SHOWN:
        return say("Nobody was shown this number in the days before the call.")
    if because is Evidence.TOO_LONG_AGO and why.window is not None:
        window = about(why.window, words)
        return say("Nobody had this number on a screen within %(window)s before the call.") % {"window": window}
    best = max((each.chance for each in why.suspects), default=0.0)
    return say(
        "That no visit made this call is likelier (%(nobody)s) than that any one of them did (%(best)s at most)."
    ) % {"nobody": chance(why.nobody, words), "best": chance(best, words)}


def _notes(why: Why, words: Words) -> list[str]:
    say = words.say
    found: list[str] = []
    if why.basis is not Basis.VISITS:
        return found
    if why.forgotten:
        found.append(say("Whoever called asked to be forgotten: what told of single visits is gone, the source stays."))
    if not why.evidence_is_kept:
        found.append(say("The visits of that time are no longer kept, so this answer stays as it is."))
    if why.stand is Stand.RINGING:
        found.append(say("Decided when the phone rang; looked at once more a minute after the call."))
    if why.stand is not Stand.NOT_YET and why.suspects:
        found.append(_learned(why, words))
    if why.recomputed_at is not None:
        found.append(say("Computed again %(when)s.") % {"when": words.day_time(why.recomputed_at)})
    return found


def _learned(why: Why, words: Words) -> str:
    stored = why.learned
    if stored.is_prior:
        return words.say("Weighed by how soon people usually call, because there were no calls of yours to learn from.")
    if stored.calls < FEW_CALLS:
        return words.ngettext(
            "Weighed by how soon people usually call, and by %(num)s call of yours so far.",
            "Weighed by how soon people usually call, and by %(num)s calls of yours so far.",
            stored.calls,
        )
    return words.ngettext(
        "Weighed by what %(num)s call of yours taught.", "Weighed by what %(num)s calls of yours taught.", stored.calls
    )


def _touches(why: Why, sources: Mapping[int, Source], words: Words) -> list[CreditedTouch]:
    credited = False
    found = []
    for touch in why.touches:
        is_credited = not credited and why.credit is not None and touch.source.label == why.credit.label
        credited = credited or is_credited
        source = sources.get(touch.source_id) if touch.source_id is not None else None
        found.append(CreditedTouch(touch.at, touch.source.label, source, _how(touch.how, words), is_credited))
    return found


def _how(how: How, words: Words) -> str:
    say = words.say
    return {
        How.VISIT: say("the visit that led to the call"),
        How.BROWSER: say("an earlier visit of the same browser"),
        How.CALLER: say("a visit of somebody who called from the same number"),
        How.FORM: say("a visit of somebody who left the same number in a form"),
        How.NUMBER: say("the number itself"),
    }[how]
