"""A flow as cards: through its form and back it is the same flow; whatever is pressed, the draft holds together."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.assets import asset_folder
from gateway.calls.flow import WEEK, Flow, FlowRefused, nodes, read_flow, write_flow
from gateway.calls.route import AskKey, Destination, Step
from gateway.calls.steps import House, Moment, steps_of
from gateway.http.flow_draft import Chain, Draft, Kind, cards_of, every_card, new_card, read_draft
from gateway.http.flow_judge import Judge
from gateway.http.flow_moves import change
from gateway.http.flow_picture import Wording, draw_flow
from gateway.http.flow_said import Names, chain_said, first_hours, flat, state_of, way_of
from gateway.http.language import load_languages
from gateway.http.words import Words
from tests.calls.flows import MOST_DESTINATIONS, starts

WORDS = Words(load_languages(asset_folder("web") / "translations")["en"], "CA", ZoneInfo("America/Regina"))
IDS = range(1, MOST_DESTINATIONS + 1)
NAMES = Names({id: f"Telephone {id}" for id in IDS})
MOMENTS = [datetime(2026, month, day, hour, 30, tzinfo=UTC) for month, day in ((1, 1), (6, 7)) for hour in (3, 15, 22)]


def posted(draft: Draft) -> dict[str, str]:
    """The fields of the form, as its template writes them."""
    form = {"name": draft.name, "revision": str(draft.revision)}
    for place, card in every_card(draft.cards):
        own = {"kind": card.kind.value, **card.values}
        for number, line in enumerate(card.lines):
            own |= {f"line{number}": line.destination, f"weight{number}": line.weight}
        for day in WEEK if card.kind is Kind.HOURS else ():
            for number, (opens, closes) in enumerate(card.week[day]):
                own |= {f"{day.value}-from{number}": opens, f"{day.value}-to{number}": closes}
        for number, holiday in enumerate(card.holidays):
            field = f"h{number}"
            own |= {f"{field}-on": holiday.on, f"{field}-until": holiday.until, f"{field}-name": holiday.name}
            own |= {f"{field}-yearly": "yes"} if holiday.yearly else {}
            for at, (opens, closes) in enumerate(holiday.times):
                own |= {f"{field}-from{at}": opens, f"{field}-to{at}": closes}
        form |= {f"{place}:{name}": value for name, value in own.items()}
    return form


def deep_enough(start: Any) -> bool:
    """Whether the flow may be kept at all, as the domain judges."""
    with suppress(FlowRefused):
        read_flow(write_flow(start))
        return True
    return False


def in_order(steps: tuple[Step, ...]) -> list[Step]:
    """The same, the keys of menus as a keypad has them: a form knows no other order, and a call does not care."""
    return [replace(step, keys="".join(sorted(step.keys))) if isinstance(step, AskKey) else step for step in steps]


@given(starts)
@settings(max_examples=50, deadline=None)
def test_through_the_form_and_back_calls_do_the_same(start: Any) -> None:
    if not deep_enough(start):
        return
    judge = Judge(WORDS, IDS)
    found = judge.flow_of(read_draft(posted(Draft("Office", cards_of(start), 3))))
    assert judge.problems == {}
    assert cards_of(found) == cards_of(start)
    house = House({id: Destination(f"PJSIP/{id}", 20) for id in IDS}, ZoneInfo("America/Regina"))
    for moment in MOMENTS:
        before, after = (
            [
                in_order(steps_of(Flow(1, 1, "", 1, each), house, Moment(moment, chance=random.Random(5).random), path))
                for path, _ in nodes(start)
            ]
            for each in (start, found)
        )
        assert after == before


@given(starts, st.data())
@settings(max_examples=40, deadline=None)
def test_whatever_is_pressed_the_draft_goes_through_its_form(start: Any, data: Any) -> None:
    draft = Draft("Office", cards_of(start))
    for _ in range(6):
        places = ["", *(place for place, _ in every_card(draft.cards))]
        place = data.draw(st.sampled_from(places))
        verb = data.draw(st.sampled_from(["up", "down", "drop", "line", "times", "alike", "holiday", "key", "add"]))
        kind = data.draw(st.sampled_from(list(Kind)))
        change(draft, f"add:{place + '.open.' if place else ''}:{kind}" if verb == "add" else f"{verb}:{place}", "1")
        again = read_draft(posted(draft))
        assert [place for place, _ in every_card(again.cards)] == [place for place, _ in every_card(draft.cards)]
        said = chain_said(draft.cards, NAMES, WORDS)
        way = way_of(draft.cards, House({}, ZoneInfo("UTC")), MOMENTS[0], WORDS)
        picture = draw_flow(said, way, Wording("A call", "nobody", "ends", "nothing"), ())
        cards = [box for box in picture.boxes if box.role == "card"]
        assert sorted(box.place for box in cards) == sorted(place for place, _ in every_card(draft.cards))
        assert all(box.x >= 0 and box.x + box.width <= picture.width for box in picture.boxes)
        for one in cards:
            for other in cards:
                apart = one.x + one.width < other.x or other.x + other.width < one.x
                apart = apart or one.y + one.height < other.y or other.y + other.height < one.y
                assert one is other or apart, "boxes lie on each other"
        assert list(flat(said)) != [] or not draft.cards
        judge = Judge(WORDS, IDS)
        found = judge.flow_of(draft)
        assert (found is None) == bool(judge.problems)
        if found is not None:
            assert read_flow(write_flow(found)) == found


@given(starts, st.sampled_from(MOMENTS), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_picture_and_the_words_say_what_calls_do(start: Any, moment: datetime, closed: bool) -> None:
    house = House({id: Destination(f"PJSIP/{id}", 20) for id in IDS}, ZoneInfo("America/Regina"), closed)
    hours = first_hours(start)
    state = state_of(start, house, moment, WORDS)
    if hours is None:
        assert state.kind == "always"
        return
    cards = cards_of(start)
    place = next(place for place, card in every_card(cards) if card.kind is Kind.HOURS and "." not in place)
    way = way_of(cards, house, moment, WORDS)
    opens = f"{place}.open" in way
    assert opens != (f"{place}.closed" in way)
    assert state.kind == ("switched" if closed else "open" if opens else "closed")


@pytest.mark.parametrize(
    ("wish", "kinds"),
    [
        ("add::sound", ["ring", "sound", "voicemail"]),  # what ends a call stays last
        ("add::voicemail", ["ring", "voicemail", "voicemail"]),
        ("up:1", ["voicemail", "ring"]),
        ("down:0", ["voicemail", "ring"]),
        ("drop:0", ["voicemail"]),
        ("add::hours", ["hours"]),
        ("drop:7", ["ring", "voicemail"]),
        ("up:0", ["ring", "voicemail"]),
        ("nonsense", ["ring", "voicemail"]),
        ("add:0.open.:ring", ["ring", "voicemail"]),
    ],
)
def test_buttons(wish: str, kinds: list[str]) -> None:
    draft = draft_of(Kind.RING, Kind.VOICEMAIL)
    change(draft, wish, "1")
    assert [card.kind.value for card in draft.cards] == kinds


def test_hours_take_in_what_was_there_and_give_it_back() -> None:
    draft = draft_of(Kind.RING, Kind.VOICEMAIL)
    change(draft, "add::hours", "1")
    assert kinds_of(draft.cards[0].branches["open"]) == ["ring", "voicemail"]
    assert change(draft, "up:0.open.0") == "0"  # a first step moves out, before the hours
    assert kinds_of(draft.cards) == ["ring", "hours"]
    assert change(draft, "down:0") == "0.open.0"
    assert kinds_of(draft.cards[0].branches["open"]) == ["ring", "voicemail"]
    change(draft, "drop:0")
    assert kinds_of(draft.cards) == ["ring", "voicemail"]


def test_keys_come_and_go() -> None:
    draft = draft_of(Kind.RING)
    change(draft, "add::menu", "1")
    menu = draft.cards[0]
    change(draft, "key:0", "1")
    change(draft, "key:0", "1")
    assert [key for _, key in menu.keys] == ["1", "2", "3"]
    change(draft, "key-drop:0:b1")
    assert [key for _, key in menu.keys] == ["1", "3"]
    assert kinds_of(menu.branches["else"]) == ["ring"]
    change(draft, "key-drop:0:b0")
    change(draft, "key-drop:0:b0")  # the last one stays
    assert [key for _, key in menu.keys] == ["3"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("0:seconds", "4", "Between 5 and 600"),
        ("0:seconds", "many", "Between 5 and 600"),
        ("0:line0", "999", "Choose who rings here"),
        ("0:line0", "", "Choose who rings here"),
        ("0:strategy", "loud", "Choose one of these"),
        ("1:seconds", "", "Between 10 and 600"),
        ("1:sound", "a,b", "The name of a sound"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(field: str, value: str, said: str) -> None:
    form = posted(draft_of(Kind.RING, Kind.VOICEMAIL)) | {field: value}
    judge = Judge(WORDS, IDS)
    assert judge.flow_of(read_draft(form)) is None
    assert said in judge.problems[field]


def test_never_open_a_holiday_that_ends_early_and_a_step_that_is_never_reached() -> None:
    draft = draft_of(Kind.VOICEMAIL, Kind.RING)
    judge = Judge(WORDS, IDS)
    assert judge.flow_of(draft) is None
    assert "No call comes" in judge.problems["0"]
    draft = draft_of(Kind.RING)
    change(draft, "add::hours", "1")
    hours = draft.cards[0]
    hours.week = {day: [("", "")] for day in WEEK}
    change(draft, "holiday:0")
    hours.holidays[0].on, hours.holidays[0].until = "2026-12-26", "2026-12-25"
    judge = Judge(WORDS, IDS)
    assert judge.flow_of(draft) is None
    assert "never open" in judge.problems["0:mon-from0"]
    assert "ends before it begins" in judge.problems["0:h0-until"]


def draft_of(*kinds: Kind) -> Draft:
    draft = Draft("Office", [])
    for kind in kinds:
        draft.cards.append(new_card(kind, "1"))
    return draft


def kinds_of(cards: Chain) -> list[str]:
    return [card.kind.value for card in cards]
