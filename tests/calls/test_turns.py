"""Whom a caller talked with: each step by table, all of them together by property."""

from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.turns import MOST_TURNS, Turn, Turns, decode_turn, encode_turn, talks_with, transferred
from tests.calls.records import channels

A, B = "PJSIP/101-00000001", "PJSIP/102-00000002"


def test_one_person() -> None:
    turns = talks_with((), A, 4.0, "101")
    assert turns == (Turn(A, "", 0.0, 4.0),)
    assert talks_with(turns, A, 5.0, "101") == turns
    assert talks_with(turns, None, 9.0) == (Turn(A, "", 0.0, 4.0, 9.0),)


def test_nobody_is_no_turn() -> None:
    assert talks_with((), None, 1.0) == ()


def test_a_blind_transfer_waits_and_is_answered() -> None:
    turns = transferred(talks_with((), A, 4.0), "102@internal", 10.0)
    assert turns == (Turn(A, "", 0.0, 4.0, 10.0), Turn("", "102@internal", 10.0, None))
    assert talks_with(turns, None, 10.1) == turns
    assert talks_with(turns, B, 13.0, "102")[1] == Turn(B, "102@internal", 10.0, 13.0)


def test_an_attended_transfer_has_no_wait() -> None:
    turns = talks_with(talks_with((), A, 4.0), B, 10.0, "13065551234@carrier")
    assert turns == (Turn(A, "", 0.0, 4.0, 10.0), Turn(B, "13065551234@carrier", 10.0, 10.0))


def test_parked_and_taken_up() -> None:
    parked = talks_with(transferred(talks_with((), A, 4.0), "700@internal", 10.0), None, 10.1)
    assert talks_with(parked, B, 40.0)[1] == Turn(B, "700@internal", 10.0, 40.0)


def test_a_transfer_of_a_transfer() -> None:
    turns = transferred(transferred(talks_with((), A, 1.0), "102@internal", 2.0), "103@internal", 5.0)
    assert [(turn.target, turn.since, turn.ended) for turn in turns] == [
        ("", 0.0, 2.0),
        ("102@internal", 2.0, 5.0),
        ("103@internal", 5.0, None),
    ]


@pytest.mark.parametrize("channel", ["PJSIP/101-1\r\nEvent: x", "a^b", "a~b", "", "x" * 200, "Ünï", "${EXTEN}"])
def test_what_is_no_channel_changes_nothing(channel: str) -> None:
    assert talks_with((), channel, 1.0) == ()


@pytest.mark.parametrize("target", ["10^2", "1~2", "a b", "x" * 200, "102\r\n", "${X}"])
def test_what_is_no_extension_is_left_out(target: str) -> None:
    assert transferred((), target, 1.0)[0].target == ""
    assert talks_with(talks_with((), A, 0.5), B, 1.0, target)[1].target == ""


steps = st.lists(
    st.tuples(
        st.floats(0, 1000),
        st.one_of(
            st.tuples(st.just("talks"), st.none() | channels | st.text(max_size=5)),
            st.tuples(st.just("sent"), st.sampled_from(("102@internal", "", "~"))),
        ),
    ),
    max_size=60,
)


def walked(way: list[tuple[float, tuple[str, str | None]]]) -> Turns:
    turns: Turns = ()
    at = 0.0
    for later, (what, whom) in way:
        at += later
        turns = talks_with(turns, whom, at) if what == "talks" else transferred(turns, whom or "", at)
    return turns


@given(steps)
def test_turns_follow_one_another(way: list[tuple[float, tuple[str, str | None]]]) -> None:
    turns = walked(way)
    assert len(turns) <= MOST_TURNS
    assert all(turn.ended is not None for turn in turns[:-1])
    for turn in turns:
        moments = [at for at in (turn.since, turn.answered, turn.ended) if at is not None]
        assert moments == sorted(moments)
        assert (turn.answered is None) == (not turn.channel)
    if len(turns) < MOST_TURNS:
        assert all((before.ended or 0) <= after.since for before, after in pairwise(turns))


@given(steps)
def test_a_channel_variable_carries_them(way: list[tuple[float, tuple[str, str | None]]]) -> None:
    for turn in walked(way):
        text = encode_turn(turn)
        assert len(text) < 300
        assert not set(text) & set("~|\r\n,${}")
        assert encode_turn(decode_turn(text)) == text


@pytest.mark.parametrize("text", ["", "a^b", "^^nan^^", "^^-1^^", "^^1e99^^", "^^1^2^3^4", "^a b^1^1^", "a\n^^1^^"])
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_turn(text)


def test_long_names_leave_room_in_the_record() -> None:
    turns: Turns = ()
    for number in range(MOST_TURNS * 2):
        turns = transferred(turns, f"{'#' * 50}@{'x' * 49}", 1.0 + number)
        turns = talks_with(turns, f"PJSIP/{':' * 85}-0000{number:04}", 1.5 + number)
        assert len("~".join(quote(encode_turn(turn), safe="") for turn in turns)) < 3000
    assert len(turns) > 2
    assert turns[-1].channel.endswith(f"{MOST_TURNS * 2 - 1:04}")
