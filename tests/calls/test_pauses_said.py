"""Pauses of a recording, from a call's record to seconds of its recording and to words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.pauses import Pause, pauses_in_recording
from gateway.calls.record import CallRecord, MalformedRecord, Stage, parse_record
from gateway.calls.turns import Turn
from tests.calls.lines import line_of

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FIRST = Turn("PJSIP/anna-1", "", 0.0, 10.0, 40.0)
SECOND = Turn("PJSIP/ben-2", "102@internal", 40.0, 55.0)


def record(*pauses: tuple[bool, float], turns: tuple[Turn, ...] = (FIRST, SECOND)) -> CallRecord:
    """A call of a minute and a half: Anna answers after 10 s and passes it on at 40; Ben answers at 55."""
    return CallRecord(
        key="pbx-1.1-123456",
        unique_id="pbx-1.1",
        stage=Stage.ENDED,
        started_at=START,
        trunk="trunk",
        dialled=("+13065552001", "", "", ""),
        caller="+13064440001",
        caller_name="",
        answered_at=START + timedelta(seconds=9),
        answered_channel="PJSIP/anna-1",
        ended_at=START + timedelta(seconds=90),
        turns=turns,
        pauses=pauses,
    )


@pytest.mark.parametrize(
    ("pauses", "found"),
    [
        ((), ()),
        (((True, 20.0), (False, 30.0)), (Pause(10.0, 20.0),)),
        # Nothing was recorded while it rang at Ben's: the recording is shorter by that.
        (((True, 60.0), (False, 70.0)), (Pause(35.0, 45.0),)),
        (((True, 20.0), (False, 60.0)), (Pause(10.0, 35.0),)),
        (((True, 20.0),), (Pause(10.0, None),)),
        # Where it could not be resumed, the record says once more that it is paused.
        (((True, 20.0), (True, 30.0)), (Pause(10.0, None),)),
        (((True, 15.0), (False, 16.0), (True, 20.0), (False, 30.0)), (Pause(5.0, 6.0), Pause(10.0, 20.0))),
        (((False, 20.0),), ()),
    ],
)
def test_pauses_by_seconds_of_the_recording(pauses: tuple[tuple[bool, float], ...], found: tuple[Pause, ...]) -> None:
    assert pauses_in_recording(record(*pauses)) == found


def test_where_nobody_watched_the_first_answer_counts() -> None:
    assert pauses_in_recording(record((True, 20.0), (False, 30.0), turns=())) == (Pause(11.0, 21.0),)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 4000)), max_size=12))
def test_pauses_follow_each_other(presses: list[tuple[bool, float]]) -> None:
    presses.sort(key=lambda press: press[1])
    found = pauses_in_recording(record(*presses))
    assert all(pause.ended is not None and pause.began <= pause.ended for pause in found[:-1])
    assert [pause.began for pause in found] == sorted(pause.began for pause in found)
    assert (bool(found) and found[-1].ended is None) == bool(presses and presses[-1][0])


def test_as_the_dialplan_says_it() -> None:
    start = START.timestamp()
    line = f"{line_of(record())}&pauses=1{start + 20:.6f}~0{start + 30:.6f}~"
    (paused, at), (resumed, later) = parse_record(line).pauses
    assert (paused, resumed) == (True, False)
    assert at == pytest.approx(20.0, abs=0.001)
    assert later == pytest.approx(30.0, abs=0.001)


@pytest.mark.parametrize("text", ["21763812345.0~", "x~", "1~"])
def test_what_is_no_pause_is_no_record(text: str) -> None:
    with pytest.raises(MalformedRecord):
        parse_record(f"{line_of(record())}&pauses={text}")
