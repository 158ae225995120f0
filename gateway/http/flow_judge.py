"""A draft made into a flow, with what is wrong said beside its field, in the reader's language."""

from collections.abc import Collection
from datetime import date, time
from typing import Any

from gateway.asterisk.dialstring import checked_sound
from gateway.calls.flow import (
    DEEPEST,
    KEYS,
    Day,
    FlowRefused,
    HangUp,
    Holiday,
    Hours,
    Line,
    Menu,
    Ring,
    Shift,
    Sound,
    Strategy,
    Voicemail,
    Weekly,
    read_flow,
    write_flow,
)
from gateway.http.flow_draft import CLOSED, OPEN, OTHERWISE, Card, Chain, Draft, Kind, Times
from gateway.http.words import Words


class Judge:
    """Reads a draft; ``problems`` are by field (``0.open.1:seconds``), or by place where a whole card is meant."""

    def __init__(self, words: Words, destinations: Collection[int]) -> None:
        self.problems: dict[str, str] = {}
        self._words = words
        self._destinations = destinations

    def flow_of(self, draft: Draft) -> Any:
        """The first node of the flow; none where something is wrong."""
        if not draft.cards:
            self._refuse("", self._words.say("Say first what a call does: add a step."))
            return None
        start = self._chain(draft.cards, "")
        if self.problems or start is None:
            return None
        try:
            read_flow(write_flow(start))
        except FlowRefused as error:
            self._refuse("", str(error))
            return None
        return start

    def node_of(self, card: Card, place: str) -> Any:
        """One card as a node, with nothing below it; what is wrong in it is noted. None where it makes none."""
        ahead = Sound("x", HangUp())
        match card.kind:
            case Kind.HOURS:
                return self._hours(card, place, ahead, ahead)
            case Kind.RING:
                return self._ring(card, place, None)
        return None

    def _refuse(self, field: str, why: str) -> None:
        self.problems.setdefault(field, why)

    def _chain(self, cards: Chain, before: str) -> Any:
        node: Any = None
        for number in range(len(cards) - 1, -1, -1):
            card, place = cards[number], f"{before}{number}"
            if card.kind.ends and number < len(cards) - 1:
                self._refuse(place, self._words.say("No call comes to what stands below; move it up, or take it out."))
            if _depth(place) + (card.kind is Kind.SOUND and node is None) >= DEEPEST:
                said = self._words.say("More than %(count)s steps: callers will not wait so long. Shorten it.")
                self._refuse(place, said % {"count": self._words.number(DEEPEST)})
            node = self._node(card, place, node)
        return node

    def _branch(self, card: Card, place: str, branch: str) -> Any:
        cards = card.branches.get(branch, [])
        if not cards:
            self._refuse(f"{place}.{branch}", self._words.say("Say what a call does here: add a step."))
            return None
        return self._chain(cards, f"{place}.{branch}.")

    def _node(self, card: Card, place: str, then: Any) -> Any:
        match card.kind:
            case Kind.RING:
                return self._ring(card, place, then)
            case Kind.SOUND:
                sound = self._sound(card, place, required=True)
                return None if sound is None else Sound(sound, then or HangUp())
            case Kind.VOICEMAIL:
                greeting = self._sound(card, place, required=False)
                seconds = self._whole(card, place, "seconds", 10, 600)
                return None if seconds is None else Voicemail(greeting or None, seconds)
            case Kind.HOURS:
                return self._hours(card, place, self._branch(card, place, OPEN), self._branch(card, place, CLOSED))
            case Kind.MENU:
                return self._menu(card, place)

    def _ring(self, card: Card, place: str, then: Any) -> Any:
        lines: list[Line] = []
        for number, line in enumerate(card.lines):
            field = f"{place}:line{number}"
            if not line.destination.isdigit() or int(line.destination) not in self._destinations:
                self._refuse(field, self._words.say("Choose who rings here, or take the line out."))
                continue
            if int(line.destination) in [each.destination for each in lines]:
                self._refuse(field, self._words.say("It stands here twice; name each once."))
            weight = self._number(line.weight or "1", f"{place}:weight{number}", 1, 100) or 1
            lines.append(Line(int(line.destination), weight))
        if not card.lines:
            self._refuse(place, self._words.say("Nobody rings here; add a telephone."))
        try:
            strategy = Strategy(card.values.get("strategy", ""))
        except ValueError:
            self._refuse(f"{place}:strategy", self._words.say("Choose one of these."))
            strategy = Strategy.IN_ORDER
        seconds = None
        if card.values.get("seconds", "").strip():
            seconds = self._whole(card, place, "seconds", 5, 600)
        return Ring(tuple(lines), strategy, seconds, bool(card.values.get("known")), then) if lines else None

    def _menu(self, card: Card, place: str) -> Any:
        prompt = self._sound(card, place, required=True)
        seconds, tries = self._whole(card, place, "seconds", 1, 60), self._whole(card, place, "tries", 1, 9)
        keys: dict[Any, Any] = {}
        for branch, key in card.keys:
            field = f"{place}:key{branch[1:]}"
            if key not in KEYS:
                self._refuse(field, self._words.say("Choose one of these."))
            elif key in keys:
                self._refuse(field, self._words.say("This key stands here twice; choose another."))
            keys[key] = self._branch(card, place, branch)
        otherwise = self._branch(card, place, OTHERWISE)
        if self.problems or prompt is None or seconds is None or tries is None:
            return None
        return Menu(prompt, keys, otherwise, seconds, tries)

    def _hours(self, card: Card, place: str, opened: Any, closed: Any) -> Any:
        days: dict[tuple[time, time], list[Day]] = {}
        for day, times in card.week.items():
            for shift in self._shifts(times, f"{place}:{day.value}"):
                on = days.setdefault((shift.opens, shift.closes), [])
                if day not in on:
                    on.append(day)
        week = tuple(Weekly(opens, closes, tuple(each)) for (opens, closes), each in days.items())
        holidays = tuple(found for number in range(len(card.holidays)) if (found := self._holiday(card, place, number)))
        if not week and not any(each.shifts for each in holidays):
            self._refuse(f"{place}:mon-from0", self._words.say("It is never open; give at least one day its times."))
        return Hours(opened, closed, week, holidays)

    def _holiday(self, card: Card, place: str, number: int) -> Holiday | None:
        typed = card.holidays[number]
        if typed.is_blank:
            return None
        field = f"{place}:h{number}"
        first = self._day(typed.on, f"{field}-on", required=True)
        until = self._day(typed.until, f"{field}-until", required=False)
        if first and until and until < first and not typed.yearly:
            self._refuse(f"{field}-until", self._words.say("It ends before it begins; put the earlier day first."))
        shifts = self._shifts(typed.times, field)
        name = " ".join(typed.name.split())[:80]
        return Holiday(first, until, name, typed.yearly, shifts) if first else None

    def _shifts(self, times: Times, field: str) -> tuple[Shift, ...]:
        found: list[Shift] = []
        for number, (opens, closes) in enumerate(times):
            if not opens.strip() and not closes.strip():
                continue
            first = self._time(opens, f"{field}-from{number}")
            last = self._time(closes, f"{field}-to{number}")
            if first is not None and last is not None:
                found.append(Shift(first, last))
        return tuple(found)

    def _time(self, text: str, field: str) -> time | None:
        try:
            found = time.fromisoformat(text.strip())
        except ValueError:
            found = None
        if found is None or found.tzinfo is not None:
            self._refuse(field, self._words.say("Write a time such as 09:00; both empty: closed."))
            return None
        return found.replace(second=0, microsecond=0)

    def _day(self, text: str, field: str, *, required: bool) -> date | None:
        if not text.strip() and not required:
            return None
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            self._refuse(field, self._words.say("Choose a day."))
            return None

    def _sound(self, card: Card, place: str, *, required: bool) -> str | None:
        text = card.values.get("sound", "").strip()
        if not text and not required:
            return None
        try:
            return checked_sound(text)
        except ValueError:
            said = (
                self._words.say("The name of a sound, such as custom/welcome: letters, digits, - and /.")
                if text
                else self._words.say("Choose what the caller hears.")
            )
            self._refuse(f"{place}:sound", said)
            return None

    def _whole(self, card: Card, place: str, name: str, least: int, most: int) -> int | None:
        return self._number(card.values.get(name, ""), f"{place}:{name}", least, most)

    def _number(self, text: str, field: str, least: int, most: int) -> int | None:
        text = text.strip()
        if text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most:
            return int(text)
        said = self._words.say("Between %(least)s and %(most)s, please.")
        self._refuse(field, said % {"least": self._words.number(least), "most": self._words.number(most)})
        return None


def _depth(place: str) -> int:
    """How many steps lead to a card."""
    steps = [int(part) for part in place.split(".") if part.isdigit()]
    return sum(steps) + len(steps) - 1
