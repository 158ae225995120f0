"""Flows without a telephone: read and written, open and closed, what a call does, and its line for the dialplan."""

import json
import random
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.asterisk.fallback import fallback_entries
from gateway.asterisk.reply import remember, reply
from gateway.asterisk.routecode import MAX_BYTES, encode_fitting, encode_route
from gateway.calls.admission import Verdict
from gateway.calls.directory import Directory, Number, build_directory
from gateway.calls.flow import (
    DEEPEST,
    Day,
    Flow,
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
    nodes,
    read_flow,
    write_flow,
)
from gateway.calls.flow_words import in_words
from gateway.calls.hours import is_open, zone_named
from gateway.calls.outbound import NumberForm
from gateway.calls.record import Stage
from gateway.calls.route import AskKey, Destination, EndCall, PlaySound, Route, Step, TakeMessage, Together
from gateway.calls.steps import House, Moment, menus, place_of, read_choice, steps_as_if_open, steps_of
from gateway.calls.talked import Talked
from gateway.calls.traffic import Traffic
from gateway.settings import TrunkSettings
from tests.calls.flows import MOST_DESTINATIONS, starts
from tests.calls.records import ended_records
from tests.calls.test_outcome import RECORD

# A busy machine draws slowly; that is no fault of a flow.
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
REGINA = ZoneInfo("America/Regina")
BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 2, 18, tzinfo=UTC)  # a Monday's noon in Regina
A, B, C = (Destination(f"PJSIP/{name}", 20) for name in ("anna", "bert", "cleo"))
LINES: Mapping[int, Destination] = {
    1: A,
    2: B,
    3: C,
    4: Destination("Trunk/+13065551234", 25),
    5: Destination("Dialplan/600@queues", 30),
    6: Destination("PJSIP/" + "d" * 180, 15),
}
TRUNKS = (TrunkSettings(name="first"), TrunkSettings(name="second", form=NumberForm.E164))
RINGS = (Destination, Together, TakeMessage, EndCall)
# What a line may be made of, whatever stands in a flow: nothing that the dialplan or AMI would read as something else.
LINE = re.compile(r"[A-Za-z0-9_.+@:/=*#&^~!|-]*")


def flow(start: Any, id: int = 7, revision: int = 3) -> Flow:
    return Flow(id, 1, "Main", revision, start)


def house(*ids: int, closed_now: bool = False, zone: ZoneInfo = REGINA) -> House:
    return House({id: LINES[id] for id in ids or LINES}, zone, closed_now)


def ring(*ids: int, **changes: Any) -> Ring:
    return Ring(tuple(Line(id) for id in ids), **changes)


moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
houses = st.builds(
    lambda ids, zone, closed: House({id: LINES[id] for id in ids}, zone, closed),
    st.sets(st.integers(1, MOST_DESTINATIONS)),
    st.sampled_from([REGINA, BERLIN, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Africa/Casablanca")]),
    st.booleans(),
)


# -- documents ---------------------------------------------------------------------------------------------------------


@patiently
@given(starts)
def test_what_is_written_is_read_back(start: Any) -> None:
    assume(max(len(path) for path, _ in nodes(start)) < DEEPEST)
    assert read_flow(json.loads(json.dumps(write_flow(start)))) == start


REFUSED: list[tuple[Any, str]] = [
    (HangUp(), "without a word"),
    (ring(1, then=HangUp()), "without a word"),
    (ring(1, 1), "stands twice"),
    (Hours(ring(1), ring(2)), "never open"),
    (Hours(ring(1), ring(2), (Weekly(time(9), time(17), ()),)), "on no day"),
    (Hours(ring(1), ring(2), (Weekly(time(9, tzinfo=UTC), time(17)),)), "without a time zone"),
    (Menu("../secret", {"1": ring(1)}, ring(1)), "does not name a sound"),
    (Sound("a b", ring(1)), "does not name a sound"),
    (Voicemail("x,y"), "does not name a sound"),
    (
        Hours(ring(1), ring(2), (Weekly(time(9), time(17)),), (Holiday(date(2026, 5, 2), date(2026, 5, 1)),)),
        "before it begins",
    ),
]


@pytest.mark.parametrize(("start", "said"), REFUSED)
def test_what_no_caller_should_meet_is_refused_and_where_it_stands_is_said(start: Any, said: str) -> None:
    with pytest.raises(FlowRefused, match=said):
        read_flow(write_flow(start))
    below = Hours(ring(2), start, (Weekly(time(9), time(17)),))
    if not isinstance(start, Sound | Voicemail | Menu):
        with pytest.raises(FlowRefused, match="at: when closed"):
            read_flow(write_flow(below))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"version": 2, "start": {"kind": "voicemail"}},
        {"version": 1},
        {"version": 1, "start": None},
        {"version": 1, "start": {"kind": "transfer"}},
        {"version": 1, "start": {"kind": "ring", "lines": []}},
        {"version": 1, "start": {"kind": "ring", "lines": [{"destination": "Front desk"}]}},
        {"version": 1, "start": {"kind": "ring", "lines": [{"destination": 1}], "seconds": 1}},
        {"version": 1, "start": {"kind": "voicemail", "colour": "blue"}},
        {"version": 1, "start": {"kind": "menu", "prompt": "x", "keys": {"12": {"kind": "voicemail"}}}},
    ],
)
def test_what_is_no_flow(document: object) -> None:
    with pytest.raises(FlowRefused):
        read_flow(document)


def test_a_flow_without_an_end_is_refused() -> None:
    start: dict[str, Any] = {"kind": "voicemail"}
    for _ in range(5000):
        start = {"kind": "sound", "sound": "x", "then": start}
    with pytest.raises(FlowRefused, match="deeper"):
        read_flow({"version": 1, "start": start})


# -- hours -------------------------------------------------------------------------------------------------------------

OFFICE = Weekly(time(9), time(17), (Day.MONDAY, Day.TUESDAY))
NIGHT = Weekly(time(22), time(6), (Day.FRIDAY,))
ALL_DAY = Weekly(time(0), time(0), (Day.SUNDAY,))


def hours(*week: Weekly, holidays: tuple[Holiday, ...] = ()) -> Hours:
    return Hours(ring(1), ring(2), week, holidays)


@pytest.mark.parametrize(
    ("wall", "opens"),
    [
        ("2026-03-02 08:59:59", False),
        ("2026-03-02 09:00", True),
        ("2026-03-02 16:59:59", True),
        ("2026-03-02 17:00", False),
        ("2026-03-04 12:00", False),  # a Wednesday
        ("2026-03-06 21:59", False),  # Friday, before the night
        ("2026-03-06 22:00", True),
        ("2026-03-07 00:00", True),
        ("2026-03-07 05:59", True),  # Saturday, still Friday's night
        ("2026-03-07 06:00", False),
        ("2026-03-06 05:00", False),  # Friday morning: Thursday has no night
        ("2026-03-08 00:00", True),
        ("2026-03-08 23:59:59", True),
        ("2026-03-09 00:00", False),
    ],
)
def test_a_week(wall: str, opens: bool) -> None:
    for zone in (REGINA, BERLIN):
        moment = datetime.fromisoformat(wall).replace(tzinfo=zone).astimezone(UTC)
        assert is_open(hours(OFFICE, NIGHT, ALL_DAY), moment, zone) is opens


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        # Berlin leaves out 02:00 to 03:00 on 29 March 2026, and has it twice on 25 October.
        ("2026-03-29T00:59:59+00:00", False),
        ("2026-03-29T01:00:00+00:00", True),  # 03:00
        ("2026-10-25T00:30:00+00:00", True),  # 02:30, the first time
        ("2026-10-25T01:30:00+00:00", True),  # and the second
        ("2026-10-25T02:30:00+00:00", True),  # 03:30
        ("2026-10-25T03:00:00+00:00", False),  # 04:00
    ],
)
def test_hours_that_summer_time_repeats_or_leaves_out(moment: str, opens: bool) -> None:
    early = hours(Weekly(time(2), time(4), (Day.SUNDAY,)))
    assert is_open(early, datetime.fromisoformat(moment), BERLIN) is opens


def test_a_holiday_takes_the_place_of_what_begins_on_it() -> None:
    christmas = Holiday(date(2020, 12, 24), date(2020, 12, 26), yearly=True)
    short = Holiday(date(2026, 12, 31), shifts=(Shift(time(10), time(12)),))
    week = hours(Weekly(time(9), time(17)), Weekly(time(22), time(6)), holidays=(christmas, short))

    def at(wall: str) -> bool:
        return is_open(week, datetime.fromisoformat(wall).replace(tzinfo=REGINA), REGINA)

    assert at("2026-12-23 23:00")
    assert at("2026-12-24 05:59")  # the night that began on the 23rd
    assert not at("2026-12-24 12:00")
    assert not at("2026-12-26 23:00")
    assert not at("2026-12-27 03:00")  # the night of the 26th never began
    assert at("2026-12-27 12:00")
    assert not at("2026-12-31 09:30")
    assert at("2026-12-31 10:00")
    assert not at("2026-12-31 22:30")
    assert not at("2027-01-01 03:00")
    assert at("2027-12-23 12:00")
    assert not at("2027-12-25 12:00")


@pytest.mark.parametrize("name", ["Nowhere/Else", "", "../etc/passwd", "America"])
def test_a_time_zone_that_this_machine_does_not_know_takes_no_route_away(name: str) -> None:
    assert zone_named(name) == ZoneInfo("UTC")
    assert zone_named("America/Regina") == REGINA


def test_a_holiday_over_new_year() -> None:
    away = Holiday(date(2025, 12, 30), date(2026, 1, 2), yearly=True)
    for year in (2025, 2030):
        assert [away.covers(date(year, 12, day)) for day in (29, 30, 31)] == [False, True, True]
        assert [away.covers(date(year, 1, day)) for day in (1, 2, 3)] == [True, True, False]


# -- what a call does --------------------------------------------------------------------------------------------------


@patiently
@given(starts, houses, moments, st.text(alphabet="+0123456789", max_size=16))
def test_any_flow_at_any_time_rings_or_says_that_it_cannot(start: Any, there: House, now: datetime, who: str) -> None:
    """Steps that come to somebody, in a line that fits; or none, and then the number's own destinations ring."""
    ours = flow(start)
    moment = Moment(now, who, TRUNKS)
    for steps in (steps_of(ours, there, moment), steps_as_if_open(ours, there)):
        assert not steps or any(isinstance(step, RINGS) for step in steps)
        line = encode_route(Route((A,), True, "custom/hello", "custom/whisper", 7, 3, steps=steps), TRUNKS)
        assert len(line) <= MAX_BYTES
        assert LINE.fullmatch(line)
        parts = line.split("|")[5].split("~")
        assert any(not part.startswith(("Sound/", "Menu/")) for part in parts)
        assert all(part.count("^") == 1 for part in parts)


@patiently
@given(starts, houses, moments)
def test_every_key_of_every_menu_leads_somewhere(start: Any, there: House, now: datetime) -> None:
    ours = flow(start)
    number = Number(7, 1, "+13065552001", None, Route((A,), number_id=7), frozenset(), ours)
    directory = directory_of(number, there)
    kept = fallback_entries(directory, TRUNKS)
    for path, keys in menus(ours).items():
        for place in keys:
            asked = f"Menu/{place_of(ours, path)}-{place[-1]}"
            assert read_choice(asked) == (7, 3, place)
            record = replace(RECORD, asks="1_1", choice=asked)
            line = reply(record, directory, TRUNKS, Talked(), Traffic())
            for each in (line, kept.get(asked, line)):
                assert LINE.fullmatch(each)
                assert len(each) <= MAX_BYTES
                assert any(not part.startswith(("Sound/", "Menu/")) for part in each.split("~"))


def directory_of(number: Number, there: House) -> Directory:
    built = build_directory([number], {1: "CA"}, 1, Route((B,)))
    return replace(built, flows={number.flow.id: number.flow} if number.flow else {}, houses={1: there})


@pytest.mark.parametrize(
    "choice", ["Menu/7-2--1", "Menu/8-3--1", "Menu/7-3-oo-1", "Menu/", "Menu/x-3--1", "", "Menu/7-3--12"]
)
def test_a_key_of_a_menu_that_has_changed_meanwhile_rings_what_the_number_rings_without_it(choice: str) -> None:
    number = Number(7, 1, "+13065552001", None, Route((A,)), frozenset(), flow(Menu("m", {"1": ring(2)}, ring(3))))
    directory = directory_of(number, house())
    assert directory.choose("Menu/7-3--1", ["+13065552001"], "", Moment(NOON)) == (B,)
    assert directory.choose(choice, ["+13065552001"], "", Moment(NOON)) == (A,)


def test_a_caller_who_is_blocked_hears_nothing_of_a_flow() -> None:
    number = Number(7, 1, "+13065552001", None, Route((A,)), frozenset(), flow(Voicemail()))
    directory = replace(directory_of(number, house()), caller_rules={1: {"+13065550142": Verdict.BLOCK}})
    moment = Moment(NOON)
    assert directory.decide(["+13065552001"], "+13065550143", moment).steps == (TakeMessage(None, 120),)
    refused = directory.decide(["+13065552001"], "+13065550142", moment)
    assert (refused.blocked, refused.steps, refused.destinations) == (True, (), ())


def test_open_closed_and_the_switch() -> None:
    ours = flow(Hours(ring(1, then=Voicemail()), Sound("custom/closed", Voicemail("custom/hello", 60)), (OFFICE,)))
    opened = (A, TakeMessage(None, 120))
    closed = (PlaySound("custom/closed"), TakeMessage("custom/hello", 60))
    assert steps_of(ours, house(), Moment(NOON)) == opened
    assert steps_of(ours, house(), Moment(NOON + timedelta(hours=5))) == closed
    assert steps_of(ours, house(closed_now=True), Moment(NOON)) == closed
    assert steps_as_if_open(ours, house(closed_now=True)) == opened


def test_a_menu_stands_before_what_rings_without_a_key() -> None:
    ours = flow(Hours(Menu("custom/menu", {"1": ring(1), "*": ring(2)}, ring(3), 4, 3), ring(1), (OFFICE,)))
    assert steps_of(ours, house(), Moment(NOON)) == (AskKey("7-3-o", "1*", 3, "custom/menu", 4), C)
    assert steps_of(ours, house(), Moment(NOON), "o*") == (B,)


def test_all_at_once_but_for_whoever_takes_the_call_over() -> None:
    together = Strategy.TOGETHER
    assert steps_of(flow(ring(1, 2, 4, strategy=together)), house(), Moment(NOON)) == (
        Together(("PJSIP/anna", "PJSIP/bert", "Trunk/+13065551234"), 25),
    )
    assert steps_of(flow(ring(1, 2, strategy=together, seconds=9)), house(), Moment(NOON)) == (
        Together(("PJSIP/anna", "PJSIP/bert"), 9),
    )
    assert steps_of(flow(ring(1, strategy=together)), house(), Moment(NOON)) == (A,)
    assert steps_of(flow(ring(1, 5, strategy=together)), house(), Moment(NOON)) == (A, LINES[5])


def test_numbers_outside_ring_beside_telephones() -> None:
    steps = (Together(("PJSIP/anna", "Trunk/+13065551234"), 9),)
    assert encode_fitting(steps, TRUNKS) == "PJSIP/anna&PJSIP/+13065551234@first!PJSIP/13065551234@second^9"
    assert encode_fitting(steps) == "PJSIP/anna^9"


def test_who_is_gone_is_passed_over() -> None:
    assert steps_of(flow(ring(1, 2, then=Voicemail())), house(2), Moment(NOON)) == (B, TakeMessage(None, 120))
    assert steps_of(flow(ring(1, 2)), house(3), Moment(NOON)) == ()
    assert steps_of(flow(Sound("custom/hello", ring(1))), house(3), Moment(NOON)) == ()


def test_round_robin_goes_round() -> None:
    ours, talked = flow(ring(1, 2, 3, strategy=Strategy.ROUND_ROBIN)), Talked()
    found = [steps_of(ours, house(), Moment(NOON, talked=talked)) for _ in range(4)]
    assert found == [(A, B, C), (B, C, A), (C, A, B), (A, B, C)]


def test_longest_idle_and_who_talks_now() -> None:
    ours, talked = flow(ring(1, 2, 3, strategy=Strategy.LONGEST_IDLE)), Talked()

    def order() -> tuple[object, ...]:
        return steps_of(ours, house(), Moment(NOON, talked=talked))

    assert order() == (A, B, C)
    talked.spoke(1, None, ["PJSIP/anna"], NOON)
    assert order() == (B, C, A)
    talked.spoke(1, None, ["PJSIP/bert"], NOON - timedelta(hours=1))
    assert order() == (C, B, A)
    answered = replace(
        RECORD, key="k", stage=Stage.ANSWERED, ended_at=None, answered_at=NOON, answered_channel="PJSIP/cleo-01"
    )
    talked.note(answered, 1, "CA")
    assert order() == (B, A, C)
    talked.note(replace(answered, stage=Stage.ENDED, ended_at=NOON + timedelta(minutes=1)), 1, "CA")
    assert order() == (B, A, C)


def test_by_weight() -> None:
    """Of 4,000 draws, a weight of 3 comes first three times as often as a weight of 1."""

    ours = flow(Ring((Line(1, 3), Line(2, 1)), Strategy.WEIGHTED))
    dice = random.Random(42)
    first = Counter(steps_of(ours, house(), Moment(NOON, chance=dice.random))[0] for _ in range(4000))
    assert 2850 < first[A] < 3150
    assert set(first) == {A, B}


def test_whom_the_caller_talked_with_last_is_first() -> None:
    ours, talked = flow(ring(1, 2, 4, last_spoken_first=True)), Talked()
    caller = "+13065550142"

    def first(who: str | None) -> object:
        return steps_of(ours, house(), Moment(NOON, who, TRUNKS, talked))[0]

    assert first(caller) == A
    talked.spoke(1, caller, ["PJSIP/bert"], NOON)
    assert (first(caller), first("+13065550143"), first(None)) == (B, A, A)
    # A number outside is known by what was dialled; its endpoint is the carrier's.
    talked.spoke(1, caller, ["PJSIP/second", "PJSIP/13065551234@second"], NOON)
    assert first(caller) == LINES[4]
    together = flow(ring(1, 2, 3, strategy=Strategy.TOGETHER, last_spoken_first=True))
    talked.spoke(1, caller, ["PJSIP/cleo"], NOON)
    assert steps_of(together, house(), Moment(NOON, caller, talked=talked)) == (
        C,
        Together(("PJSIP/anna", "PJSIP/bert"), 20),
    )


@patiently
@given(st.lists(ended_records(), max_size=6))
def test_the_memory_forgets_who_talks_once_the_call_has_ended(records: list[Any]) -> None:
    talked, directory = Talked(), build_directory([], {1: "CA"}, 1, Route((A,)))
    for record in records:
        remember(replace(record, stage=Stage.ANSWERED, ended_at=None), directory, talked)
    for record in records:
        remember(record, directory, talked)
    for record in records:
        for name in (record.answered_channel.rpartition("-")[0], *(leg.dial for leg in record.legs)):
            assert talked.idle_since([name]) < float("inf")


# -- lines -------------------------------------------------------------------------------------------------------------


def test_steps_as_a_line() -> None:
    steps = (
        PlaySound("custom/hello"),
        AskKey("7-3-o", "12#", 2, "custom/menu", 5),
        A,
        Together(("PJSIP/bert", "PJSIP/cleo"), 12),
        TakeMessage("custom/leave", 90),
    )
    assert encode_route(Route((B,), steps=steps)) == (
        "1|.|0|||Sound/custom/hello^0~Menu/7-3-o:12#:2:custom/menu^5~PJSIP/anna^20~PJSIP/bert&PJSIP/cleo^12"
        "~Voicemail/custom/leave^90"
    )
    assert encode_fitting((PlaySound("x"), EndCall(), A)) == "Sound/x^0~Hangup/^0"
    assert encode_fitting((TakeMessage(None, 30),)) == "Voicemail/-^30"


def test_a_route_without_room_keeps_who_is_first_and_the_mailbox() -> None:
    long = LINES[6]
    steps: tuple[Step, ...] = (
        PlaySound("custom/hello"),
        A,
        *(replace(long, ring_seconds=5 + n) for n in range(9)),
        TakeMessage(None, 30),
    )
    line = encode_fitting(steps)
    assert len(line) <= MAX_BYTES
    parts = line.split("~")
    assert parts[:2] == ["Sound/custom/hello^0", "PJSIP/anna^20"]
    assert parts[-1] == "Voicemail/-^30"
    assert len(parts) == 7
    assert encode_fitting((PlaySound("x" * 100), long), most=240).startswith("PJSIP/d")


def test_a_flow_of_which_nothing_can_be_written_rings_the_destinations() -> None:
    steps = (PlaySound("custom/hello"), Destination("Trunk/+13065551234", 9))
    assert encode_route(Route((B,), steps=steps)) == "1|.|0|||PJSIP/bert^20"


@patiently
@given(starts)
def test_any_flow_is_said_in_words(start: Any) -> None:
    said = in_words(start, {id: f"line {id}" for id in LINES}, house(), NOON)
    assert said
    assert "destination" not in said


def test_words() -> None:
    start = Hours(
        Menu("custom/menu", {"1": ring(1, 2, strategy=Strategy.TOGETHER, seconds=15)}, ring(3, then=Voicemail())),
        Sound("custom/closed", HangUp()),
        (Weekly(time(9), time(17), (Day.MONDAY, Day.TUESDAY, Day.WEDNESDAY)), Weekly(time(22), time(6), (Day.FRIDAY,))),
        (Holiday(date(2026, 12, 25), name="Christmas", yearly=True),),
    )
    assert (
        in_words(start, {1: "Anna", 2: "Bert"}, house(), NOON)
        == """\
open mon-wed 09:00-17:00, fri 22:00-06:00 (now):
  play custom/menu, wait 5 s for a key, 2 times
  key 1:
    ring Anna, Bert, all at once, 15 s
  no key:
    ring destination 3, which is gone
    if nobody answers:
      voicemail, at most 120 s
on 25 December (Christmas), every year: closed all day
otherwise:
  play custom/closed
  end the call"""
    )
