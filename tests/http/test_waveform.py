"""Peaks as heights and pauses: for drawings, and for skipping silence."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.waveform import HALF, LEFT_OF_PAUSE, SHORTEST_PAUSE, Speech, draw, heights, speech

PEAKS = st.binary(max_size=400)
SECONDS = st.floats(min_value=0, max_value=7200)


def talk(*turns: tuple[int, int, int]) -> bytes:
    """Peaks of turns: how many pairs, how loud the caller, how loud the business."""
    return b"".join(bytes((caller, business)) * pairs for pairs, caller, business in turns)


def edges(found: Speech) -> list[float]:
    """Where pauses begin and end."""
    return [moment for pause in found.pauses for moment in pause]


@given(PEAKS, st.integers(min_value=1, max_value=320))
def test_each_side_has_a_height_for_every_bar(peaks: bytes, bars: int) -> None:
    caller, business = heights(peaks, bars)
    assert len(caller) == len(business) == min(bars, len(peaks) // 2)
    assert all(1 <= height <= HALF for height in caller + business)
    assert draw(peaks, bars).caller.count("M") == len(caller)


def test_a_pause_is_what_neither_speaks_in() -> None:
    found = speech(talk((10, 200, 0), (20, 10, 10), (10, 0, 200), (10, 12, 12), (10, 150, 150)), 60)
    assert found.caller == pytest.approx(20)
    assert found.business == pytest.approx(20)
    left = LEFT_OF_PAUSE
    assert edges(found) == pytest.approx([10 + left, 30 - left, 40 + left, 50 - left])
    assert found.saved == pytest.approx(30 - 4 * LEFT_OF_PAUSE)


def test_silence_at_the_ends_is_skipped_whole_and_short_gaps_are_speech() -> None:
    found = speech(talk((5, 0, 0), (5, 200, 0), (1, 0, 0), (5, 0, 200), (4, 0, 0)), 20)
    assert edges(found) == pytest.approx([0, 5 - LEFT_OF_PAUSE, 16 + LEFT_OF_PAUSE, 20])


@given(PEAKS, SECONDS)
def test_pauses_lie_in_the_recording_one_after_the_other(peaks: bytes, seconds: float) -> None:
    found = speech(peaks, seconds)
    assert all(earlier <= later + 1e-9 for earlier, later in pairwise([0.0, *edges(found), seconds]))
    assert all(end - start > SHORTEST_PAUSE - 2 * LEFT_OF_PAUSE - 1e-6 for start, end in found.pauses)
    assert 0 <= found.saved <= seconds + 1e-6
