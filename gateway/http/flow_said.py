"""A flow in the reader's words: what each card does, which way it goes at a moment, and how it is at this moment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates

from gateway.calls.flow import WEEK, Hours, Menu, Ring, Sound, Strategy
from gateway.calls.hours import is_open, next_change
from gateway.calls.steps import House
from gateway.http.flow_draft import CLOSED, OPEN, OTHERWISE, Card, Chain, Draft, DraftHoliday, Kind, Times
from gateway.http.flow_judge import Judge
from gateway.http.words import Words


@dataclass(frozen=True, slots=True)
class Names:
    """What the things of a flow are called: destinations by id, sounds by what they are in the flow."""

    destinations: Mapping[int, str]
    sounds: Mapping[str, str] = field(default_factory=dict)

    def sound(self, text: str) -> str:
        """What a sound is called: one of the company's own by its name, one of Asterisk's as it is."""
        return self.sounds.get(text, text)

    def destination(self, id: str, words: Words) -> str:
        """What rings; one that is gone says so."""
        found = self.destinations.get(int(id)) if id.isdigit() else None
        return found or (words.say("nobody yet") if not id else words.say("a destination that is gone"))


@dataclass(frozen=True, slots=True)
class Said:
    """A card in words: its name, what it does in a few lines, and what follows below it, each with its condition."""

    place: str
    title: str
    lines: tuple[str, ...]
    branches: tuple[tuple[str, str, tuple["Said", ...]], ...]  # the branch, when, what then


def chain_said(cards: Chain, names: Names, words: Words, before: str = "") -> tuple[Said, ...]:
    """All cards of a chain in words."""
    return tuple(
        Said(
            f"{before}{number}",
            title_of(card.kind, words),
            tuple(lines_of(card, names, words)),
            tuple(
                (branch, when_of(card, branch, words), chain_said(chain, names, words, f"{before}{number}.{branch}."))
                for branch, chain in card.branches.items()
            ),
        )
        for number, card in enumerate(cards)
    )


def title_of(kind: Kind, words: Words) -> str:
    """What a card is called."""
    say = words.say
    return {
        Kind.RING: words.pgettext("step", "Ring"),
        Kind.SOUND: say("Play a sound"),
        Kind.MENU: say("Menu"),
        Kind.HOURS: say("Opening hours"),
        Kind.VOICEMAIL: say("Voicemail"),
    }[kind]


def when_of(card: Card, branch: str, words: Words) -> str:
    """When a branch is gone."""
    say = words.say
    if branch == OPEN:
        return say("when open")
    if branch == CLOSED:
        return say("when closed")
    if branch == OTHERWISE:
        return say("no key")
    return say("key %(key)s") % {"key": card.values.get(f"key{branch[1:]}") or "?"}


def end_of(cards: Chain, words: Words) -> str:
    """What becomes of a call that has come to the end of these cards; empty where it never does."""
    say = words.say
    if not cards:
        return ""
    return {
        Kind.RING: say("If nobody answers, the call ends."),
        Kind.SOUND: say("Then the call ends."),
        Kind.VOICEMAIL: say("After the message the call ends."),
    }.get(cards[-1].kind, "")


def lines_of(card: Card, names: Names, words: Words) -> Iterator[str]:
    """What a card does, in a few lines."""
    say, values = words.say, card.values
    match card.kind:
        case Kind.RING:
            weighted = values.get("strategy") == Strategy.WEIGHTED
            for line in card.lines:
                name = names.destination(line.destination, words)
                yield f"{name} ×{line.weight}" if weighted and len(card.lines) > 1 else name
            if not card.lines:
                yield say("nobody yet")
            if len(card.lines) > 1:
                yield order_of(values.get("strategy", ""), words)
            if values.get("known"):
                yield say("first whom they talked with last")
            if values.get("seconds", "").strip():
                together = values.get("strategy") == Strategy.TOGETHER or len(card.lines) < 2
                text = say("for %(time)s") if together else say("for %(time)s each")
                yield text % {"time": _seconds(values["seconds"], words)}
        case Kind.SOUND:
            yield names.sound(values.get("sound", "")) or say("no sound yet")
        case Kind.VOICEMAIL:
            greeting = values.get("sound", "")
            yield names.sound(greeting) if greeting else say("a tone alone")
            yield say("up to %(time)s") % {"time": _seconds(values.get("seconds", ""), words)}
        case Kind.MENU:
            yield names.sound(values.get("sound", "")) or say("no sound yet")
            tries = values.get("tries", "")
            if tries.isdigit() and int(tries) > 1:
                yield words.ngettext("asks %(num)s time", "asks up to %(num)s times", int(tries))
        case Kind.HOURS:
            yield from week_lines(card, words)
            holidays = [each for each in card.holidays if not each.is_blank]
            if holidays:
                yield words.ngettext("%(num)s holiday", "%(num)s holidays", len(holidays))


def order_of(strategy: str, words: Words) -> str:
    """In which order the telephones of a ring are tried."""
    say = words.say
    return {
        Strategy.TOGETHER: say("all at once"),
        Strategy.IN_ORDER: say("one after the other"),
        Strategy.ROUND_ROBIN: say("in turn: each call begins with the next one"),
        Strategy.LONGEST_IDLE: say("whoever has been idle longest first"),
        Strategy.WEIGHTED: say("by chance, by weight"),
    }.get(Strategy(strategy) if strategy in list(Strategy) else Strategy.IN_ORDER, "")


def week_lines(card: Card, words: Words) -> Iterator[str]:
    """``Mon–Fri 9:00–17:00``, a line for each run of days that are alike; closed days are left out."""
    runs = [(times, list(days)) for times, days in groupby(WEEK, key=lambda day: _typed(card.week.get(day, [])))]
    open_runs = [(times, days) for times, days in runs if times]
    for times, days in open_runs:
        first, last = words.weekday(WEEK.index(days[0])), words.weekday(WEEK.index(days[-1]))
        span = first if len(days) == 1 else f"{first}–{last}" if len(days) > 2 else f"{first}, {last}"
        yield f"{span} {times_said(list(times), words)}"
    if not open_runs:
        yield words.say("on named days only")


def holiday_said(holiday: DraftHoliday, words: Words) -> str:
    """A holiday's days, its name and what holds then."""
    days = [_day(text, holiday.yearly, words) for text in (holiday.on, holiday.until) if text]
    when = "–".join(days)
    times = _typed(holiday.times)
    what = times_said(list(times), words) if times else words.say("closed")
    parts = [when, *([holiday.name] if holiday.name else []), *([words.say("every year")] if holiday.yearly else [])]
    return f"{', '.join(parts)}: {what}"


def times_said(times: Times, words: Words) -> str:
    """9:00–12:00, 13:00–17:00."""
    parts = []
    for opens, closes in times:
        if opens == closes == "00:00":
            parts.append(words.say("all day"))
        else:
            parts.append(f"{_clock(opens, words)}–{_clock(closes, words)}")
    return ", ".join(parts)


def flat(said: tuple[Said, ...], depth: int = 0) -> Iterator[str]:
    """All of it as indented lines, one below the other: to be compared."""
    for each in said:
        yield "  " * depth + ": ".join(filter(None, (each.title, ", ".join(each.lines))))
        for _, when, below in each.branches:
            yield "  " * (depth + 1) + when
            yield from flat(below, depth + 2)


def details_of(draft: Draft, words: Words) -> Iterator[str]:
    """What the lines of the cards are too short for: every holiday."""

    def walk(cards: Chain) -> Iterator[str]:
        for card in cards:
            yield from (holiday_said(each, words) for each in card.holidays if not each.is_blank)
            for chain in card.branches.values():
                yield from walk(chain)

    yield from walk(draft.cards)


# ------------------------------------------------------------------------------------------------- at a certain moment


def way_of(cards: Chain, house: House, moment: datetime, words: Words) -> frozenset[str]:
    """The places that a call comes by at ``moment``, and the branches (``0.open``); all that a menu leads to."""
    found: set[str] = set()

    def walk(chain: Chain, before: str) -> None:
        for number, card in enumerate(chain):
            place = f"{before}{number}"
            found.add(place)
            branches = list(card.branches)
            if card.kind is Kind.HOURS:
                hours = Judge(words, ()).node_of(card, place)
                opens = not house.closed_now and hours is not None and is_open(hours, moment, house.zone)
                branches = [OPEN if opens else CLOSED]
            for branch in branches:
                found.add(f"{place}.{branch}")
                walk(card.branches.get(branch, []), f"{place}.{branch}.")

    walk(cards, "")
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class State:
    """How a flow is at a moment. ``kind``: open, closed, switched (closed by the switch), always."""

    kind: str
    text: str


def state_of(start: Any, house: House, moment: datetime, words: Words) -> State:
    """Open until 17:00; closed until Monday, 8:00."""
    say = words.say
    hours = first_hours(start)
    if hours is None:
        return State("always", say("The same at all hours"))
    if house.closed_now:
        return State("switched", say("Closed now, by the switch"))
    opens, change = is_open(hours, moment, house.zone), next_change(hours, moment, house.zone)
    if change is None:
        return State("open" if opens else "closed", say("Open at all hours") if opens else say("Closed"))
    text = say("Open until %(time)s") if opens else say("Closed until %(time)s")
    return State("open" if opens else "closed", text % {"time": soon(change, moment, house.zone, words)})


def first_hours(node: Any) -> Hours | None:
    """The opening hours that every call comes by first; none where there are none before a menu."""
    while isinstance(node, Ring | Sound):
        node = node.then
    return node if isinstance(node, Hours) and not isinstance(node, Menu) else None


def soon(at: datetime, now: datetime, zone: ZoneInfo, words: Words) -> str:
    """17:00 of the same day, Monday, 8:00 of the next week, else with the day's date."""
    day, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    clock = words.time_in(at, zone)
    if day == today:
        return clock
    if day == today + timedelta(days=1):
        return words.say("tomorrow, %(time)s") % {"time": clock}
    if day - today < timedelta(days=7):
        name = dates.format_date(day, "EEEE", locale=words.locale)
        return words.say("%(day)s, %(time)s") % {"day": name, "time": clock}
    return words.say("%(day)s, %(time)s") % {"day": words.date(day), "time": clock}


def _typed(times: Times) -> tuple[tuple[str, str], ...]:
    return tuple((opens, closes) for opens, closes in times if opens and closes)


def _clock(text: str, words: Words) -> str:
    try:
        return dates.format_time(time.fromisoformat(text), "short", locale=words.locale)
    except ValueError:
        return text


def _day(text: str, yearly: bool, words: Words) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return dates.format_skeleton(
        "MMMd" if yearly else "yMMMd", datetime(day.year, day.month, day.day, tzinfo=UTC), locale=words.locale
    )


def _seconds(text: str, words: Words) -> str:
    return words.rough_duration(int(text)) if text.strip().isdigit() else text
