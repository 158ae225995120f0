"""A flow in words, for people: what is rung in which order, when, and what follows."""

from collections.abc import Iterator, Mapping
from datetime import datetime, time
from itertools import groupby
from typing import Any

from gateway.calls.flow import (
    WEEK,
    Day,
    HangUp,
    Holiday,
    Hours,
    Menu,
    Ring,
    Shift,
    Sound,
    Strategy,
    Voicemail,
)
from gateway.calls.hours import is_open
from gateway.calls.steps import House

_ORDER = {
    Strategy.TOGETHER: "all at once",
    Strategy.IN_ORDER: "one after the other",
    Strategy.ROUND_ROBIN: "one after the other, each call beginning with the next one",
    Strategy.LONGEST_IDLE: "whoever has been idle longest first",
    Strategy.WEIGHTED: "in an order by chance",
}


def in_words(start: Any, names: Mapping[int, str], house: House | None = None, now: datetime | None = None) -> str:
    """The flow line by line, indented by its branches; with a house and a moment, which way its hours point then."""
    return "\n".join(_lines(start, names, house, now, 0))


def _lines(node: Any, names: Mapping[int, str], house: House | None, now: datetime | None, depth: int) -> Iterator[str]:
    margin = "  " * depth

    def below(following: Any) -> Iterator[str]:
        yield from _lines(following, names, house, now, depth + 1)

    match node:
        case Hours(open=opened, closed=closed, week=week, holidays=holidays):
            state = ""
            if house is not None and now is not None:
                state = " (now)" if not house.closed_now and is_open(node, now, house.zone) else ""
                shut = " (now: the switch says closed)" if house.closed_now else " (now)"
            yield f"{margin}open {_week(week)}{state}:"
            yield from below(opened)
            for holiday in holidays:
                yield f"{margin}on {_holiday(holiday)}: {_shifts(holiday.shifts) or 'closed all day'}"
            yield f"{margin}otherwise{shut if house is not None and now is not None and not state else ''}:"
            yield from below(closed)
        case Ring(lines=lines, then=then):
            who = ", ".join(
                names.get(line.destination, f"destination {line.destination}, which is gone")
                + (f" (weight {line.weight})" if node.strategy is Strategy.WEIGHTED else "")
                for line in lines
            )
            order = f", {_ORDER[node.strategy]}" if len(lines) > 1 else ""
            seconds = (
                f", {node.seconds} s{' each' if len(lines) > 1 and node.strategy is not Strategy.TOGETHER else ''}"
            )
            known = "; first whom the caller talked with last" if node.last_spoken_first else ""
            yield f"{margin}ring {who}{order}{seconds if node.seconds else ''}{known}"
            if then is not None:
                yield f"{margin}if nobody answers:"
                yield from below(then)
        case Menu(prompt=prompt, keys=keys, otherwise=otherwise, seconds=seconds, tries=tries):
            yield f"{margin}play {prompt}, wait {seconds} s for a key{f', {tries} times' if tries > 1 else ''}"
            for key, following in keys.items():
                yield f"{margin}key {key}:"
                yield from below(following)
            yield f"{margin}no key:"
            yield from below(otherwise)
        case Voicemail(greeting=greeting, seconds=seconds):
            yield f"{margin}voicemail{f' after {greeting}' if greeting else ''}, at most {seconds} s"
        case Sound(sound=sound, then=then):
            yield f"{margin}play {sound}"
            yield from _lines(then, names, house, now, depth)
        case HangUp():
            yield f"{margin}end the call"


def _week(week: tuple[Any, ...]) -> str:
    """``mon-fri 09:00-17:00, sat 10:00-14:00``."""
    by_day = {day: _shifts(tuple(shift for shift in week if day in shift.days)) for day in WEEK}
    runs = [(shifts, list(days)) for shifts, days in groupby(WEEK, key=lambda day: by_day[day])]
    return ", ".join(f"{_days(days)} {shifts}" for shifts, days in runs if shifts) or "on named days only"


def _days(days: list[Day]) -> str:
    return days[0].value if len(days) == 1 else f"{days[0].value}-{days[-1].value}"


def _shifts(shifts: tuple[Shift, ...]) -> str:
    whole = time(0), time(0)
    return " and ".join(
        "all day" if (shift.opens, shift.closes) == whole else f"{shift.opens:%H:%M}-{shift.closes:%H:%M}"
        for shift in sorted(shifts, key=lambda shift: shift.opens)
    )


def _holiday(holiday: Holiday) -> str:
    form = "%d %B" if holiday.yearly else "%d %B %Y"
    days = f"{holiday.on:{form}}" + (f" to {holiday.until:{form}}" if holiday.until else "")
    return days + (f" ({holiday.name})" if holiday.name else "") + (", every year" if holiday.yearly else "")
