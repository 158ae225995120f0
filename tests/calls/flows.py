"""Any flow, for hypothesis: every kind of node, all strategies, hours with holidays and nights."""

from datetime import date, time
from typing import Any

from hypothesis import strategies as st

from gateway.calls.flow import (
    KEYS,
    Day,
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
)

MOST_DESTINATIONS = 6
_SOUNDS = st.from_regex(r"[a-z]{1,8}/[a-z0-9-]{1,30}", fullmatch=True)
_clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
_shifts = st.builds(Shift, _clocks, _clocks)
_weekly = st.builds(Weekly, _clocks, _clocks, st.lists(st.sampled_from(list(Day)), min_size=1, unique=True).map(tuple))
_days = st.dates(date(2024, 1, 1), date(2028, 12, 31))
_holidays = st.builds(
    lambda first, more, yearly, shifts: Holiday(
        first, date.fromordinal(first.toordinal() + more) if more else None, "", yearly, shifts
    ),
    _days,
    st.integers(0, 20),
    st.booleans(),
    st.lists(_shifts, max_size=2).map(tuple),
)


def _rings(then: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lines = st.lists(
        st.builds(Line, st.integers(1, MOST_DESTINATIONS), st.integers(1, 9)),
        min_size=1,
        max_size=5,
        unique_by=lambda line: line.destination,
    )
    return st.builds(
        Ring,
        lines.map(tuple),
        st.sampled_from(list(Strategy)),
        st.none() | st.integers(5, 60),
        st.booleans(),
        then,
    )


_voicemails = st.builds(Voicemail, st.none() | _SOUNDS, st.integers(10, 600))
_goodbyes = st.builds(Sound, _SOUNDS, st.just(HangUp()))


def _wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        _rings(inner),
        st.builds(Sound, _SOUNDS, inner),
        st.builds(
            Hours,
            inner,
            inner,
            st.lists(_weekly, min_size=1, max_size=3).map(tuple),
            st.lists(_holidays, max_size=2).map(tuple),
        ),
        st.builds(
            Menu,
            _SOUNDS,
            st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=3),
            inner,
            st.integers(1, 60),
            st.integers(1, 9),
        ),
    )


# The first node of any flow, not deeper than may be.
starts: st.SearchStrategy[Any] = st.recursive(_rings(st.none()) | _voicemails | _goodbyes, _wider, max_leaves=8)
