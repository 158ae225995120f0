"""Records of calls for property tests: what the dialplan can write."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from gateway.calls.record import NARROW_RATE, CallRecord, LegRecord, Stage
from gateway.calls.turns import Turns, decode_turn, encode_turn, talks_with, transferred

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Names keep every printable byte and letters of all scripts; percent-encoded, anything could be in them.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
digits = st.text("0123456789+", max_size=16)
channels = st.builds("PJSIP/{}-{:08x}".format, st.sampled_from(("main", "a-b", "trunk")), st.integers(0, 2**31))
moments = st.integers(0, 10**10).map(lambda micro: BEGAN + timedelta(microseconds=micro))
micros = st.integers(0, 10**9).map(lambda micro: micro / 10**6)


@st.composite
def legs(draw: st.DrawFn) -> LegRecord:
    began = BEGAN.timestamp() + draw(st.integers(0, 1000))
    return LegRecord(
        dial=draw(st.sampled_from(("PJSIP/main", "PJSIP/+13065551234@carrier", "PJSIP/a&PJSIP/b"))),
        began=began,
        ended=began + draw(st.integers(0, 60)),
        status=draw(st.sampled_from(("ANSWER", "BUSY", "NOANSWER", "CANCEL", "CONGESTION", "CHANUNAVAIL", "END"))),
        cause=draw(st.none() | st.integers(1, 255)),
    )


@st.composite
def passed_on(draw: st.DrawFn) -> Turns:
    """Turns as they come about: people, transfers and nobody, in any order."""
    found: Turns = ()
    at = 0.0
    for _ in range(draw(st.integers(0, 5))):
        at += draw(st.integers(0, 10**6)) / 1000
        if draw(st.booleans()):
            found = talks_with(found, draw(st.none() | channels), at, draw(st.sampled_from(("", "102", "not one!"))))
        else:
            found = transferred(found, draw(st.sampled_from(("102@internal", "", "^"))), at)
    return tuple(decode_turn(encode_turn(turn)) for turn in found)


@st.composite
def ended_records(draw: st.DrawFn, numbers: int = 3) -> CallRecord:
    """The last record of a call, answered or not."""
    began = draw(moments)
    answered = draw(st.none() | st.integers(0, 10**8))
    ended = began + timedelta(microseconds=(answered or 0) + draw(st.integers(0, 10**9)))
    channel = draw(channels)
    rate = draw(st.sampled_from((None, 8000, 16000)))
    dialled = draw(st.sampled_from(("+13065552001", "3065552002", "999", "")))
    return CallRecord(
        key=f"pbx-{draw(st.integers(10**9, 2 * 10**9))}.{draw(st.integers(0, 9999))}-{draw(st.integers(0, 999999))}",
        unique_id=f"pbx-{draw(st.integers(0, 2 * 10**9))}.1",
        stage=Stage.ENDED,
        started_at=began,
        trunk=draw(st.sampled_from(("trunk", "carrier & co", ""))),
        dialled=(dialled, dialled, draw(digits), draw(digits)),
        caller=draw(digits),
        caller_name=draw(texts).strip(),
        decided_by=draw(st.sampled_from(("gateway", "fallback", "default"))),
        number_id=draw(st.none() | st.integers(1, numbers)),
        source_id=draw(st.none() | st.just(1)),
        waited_seconds=draw(micros),
        answered_at=None if answered is None else began + timedelta(microseconds=answered),
        answered_channel="" if answered is None else draw(channels),
        ended_at=ended,
        cause=draw(st.none() | st.integers(1, 255)),
        hangup_source=draw(st.sampled_from((channel, "PJSIP/main-1", "dialplan/builtin", ""))),
        channel=channel,
        unheard=draw(st.sampled_from(("", "opus"))),
        rate=rate,
        last_status=draw(st.sampled_from(("", "ANSWER", "BUSY", "NOANSWER", "CHANUNAVAIL"))),
        talked_seconds=draw(st.none() | st.integers(1, 10**8).map(lambda ms: ms / 1000)),
        peer=draw(st.just("") | channels),
        sent_on_by=draw(st.just("") | channels),
        voicemail=draw(st.booleans()),
        message_seconds=draw(st.none() | st.integers(0, 10**7).map(lambda samples: samples / (rate or NARROW_RATE))),
        blocked=draw(st.booleans()),
        turns=draw(passed_on()),
        legs=tuple(draw(st.lists(legs(), max_size=3))),
    )
