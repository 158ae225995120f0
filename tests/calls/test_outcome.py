"""How a call ended, by table; the stopwatch; the row that a record becomes."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.directory import build_directory
from gateway.calls.entry import Measured, call_entry
from gateway.calls.outcome import Outcome, call_outcome, endpoint_of, hung_up_by, leg_outcome
from gateway.calls.record import CallRecord, LegRecord, Stage
from gateway.calls.route import Destination, Route
from gateway.calls.stopwatch import MOST, Stopwatch
from tests.calls.records import ended_records

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
RECORD = CallRecord(
    key="k",
    unique_id="u",
    stage=Stage.ENDED,
    started_at=BEGAN,
    trunk="t",
    dialled=("+13065552001", "", "", ""),
    caller="",
    caller_name="",
    ended_at=BEGAN + timedelta(seconds=9),
)


def leg(status: str) -> LegRecord:
    return LegRecord("PJSIP/main", 0, 1, status, None)


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        (["BUSY"], Outcome.BUSY),
        (["NOANSWER"], Outcome.NO_ANSWER),
        (["CANCEL"], Outcome.ABANDONED),
        (["END"], Outcome.ABANDONED),
        (["CHANUNAVAIL"], Outcome.FAILED),
        (["CONGESTION"], Outcome.FAILED),
        (["INVALIDARGS"], Outcome.FAILED),
        (["DONTCALL"], Outcome.FAILED),
        (["something new"], Outcome.FAILED),
        ([""], Outcome.FAILED),
        (["BUSY", "NOANSWER"], Outcome.NO_ANSWER),
        (["NOANSWER", "BUSY"], Outcome.NO_ANSWER),
        (["CHANUNAVAIL", "BUSY"], Outcome.BUSY),
        (["NOANSWER", "END"], Outcome.ABANDONED),
        (["CHANUNAVAIL", "CONGESTION"], Outcome.FAILED),
        ([], Outcome.ABANDONED),  # hung up before anything rang
    ],
)
def test_an_unanswered_call(statuses: list[str], outcome: Outcome) -> None:
    assert call_outcome(replace(RECORD, legs=tuple(leg(status) for status in statuses))) is outcome


def test_a_blocked_call_is_neither_abandoned_nor_failed() -> None:
    assert call_outcome(replace(RECORD, blocked=True)) is Outcome.BLOCKED
    assert call_outcome(replace(RECORD, blocked=True, cut_off=True)) is Outcome.CUT_OFF


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [(None, Outcome.NO_ANSWER), (0.0, Outcome.NO_ANSWER), (1.99, Outcome.NO_ANSWER), (2.0, Outcome.VOICEMAIL)],
)
def test_a_message_is_one_from_two_seconds_on(seconds: float | None, outcome: Outcome) -> None:
    record = replace(RECORD, message_seconds=seconds, legs=(leg("NOANSWER"),))
    assert call_outcome(record) is outcome
    entry = call_entry(record, DIRECTORY)
    assert entry is not None
    assert entry.recorded is (outcome is Outcome.VOICEMAIL)


def test_an_answer_outweighs_whatever_came_before_and_a_death_outweighs_the_answer() -> None:
    answered = replace(RECORD, answered_at=BEGAN, legs=(leg("BUSY"), leg("END")))
    assert call_outcome(answered) is Outcome.ANSWERED
    assert call_outcome(replace(answered, cut_off=True)) is Outcome.CUT_OFF


@given(ended_records())
def test_every_call_has_an_outcome_that_the_log_knows(record: CallRecord) -> None:
    assert call_outcome(record) in Outcome
    assert all(leg_outcome(each) in Outcome for each in record.legs)


@pytest.mark.parametrize(
    ("source", "who"),
    [("PJSIP/trunk-1", "caller"), ("PJSIP/main-2", "business"), ("", None), ("dialplan/builtin", None)],
)
def test_who_hung_up(source: str, who: str | None) -> None:
    assert hung_up_by(replace(RECORD, channel="PJSIP/trunk-1", hangup_source=source)) == who


@pytest.mark.parametrize(
    ("channel", "endpoint"),
    [
        ("PJSIP/main-0000002a", "PJSIP/main"),
        ("PJSIP/front-desk-0000002a", "PJSIP/front-desk"),
        ("Local/s@np-x-00000001;2", "Local/s@np-x"),
        ("odd", "odd"),
        ("", None),
    ],
)
def test_the_endpoint_of_a_channel(channel: str, endpoint: str | None) -> None:
    assert endpoint_of(channel) == endpoint


def test_the_stopwatch_measures_what_it_hears() -> None:
    watch = Stopwatch()
    assert watch.see("a", Stage.STARTED, 10.0) == Measured()
    assert watch.see("a", Stage.ANSWERED, 14.0) == Measured(4.0)
    assert watch.see("a", Stage.ENDED, 20.0) == Measured(4.0, 6.0)
    assert watch.see("a", Stage.ENDED, 99.0) == Measured(4.0, 6.0)


def test_a_call_whose_start_was_not_heard_stays_unmeasured() -> None:
    watch = Stopwatch()
    assert watch.see("a", Stage.ANSWERED, 14.0) == Measured()
    assert watch.see("a", Stage.ENDED, 20.0) == Measured()
    assert watch.see("b", Stage.STARTED, None) == Measured()
    assert watch.see("b", Stage.ENDED, 20.0) == Measured()


def test_an_unanswered_call_rang_until_its_end() -> None:
    watch = Stopwatch()
    watch.see("a", Stage.STARTED, 10.0)
    assert watch.see("a", Stage.ENDED, 15.0) == Measured(5.0)


def test_what_is_read_later_adds_nothing_and_forgetting_begins_anew() -> None:
    watch = Stopwatch()
    watch.see("a", Stage.STARTED, 10.0)
    assert watch.see("a", Stage.ENDED, None) == Measured()
    watch.forget("a")
    assert watch.see("a", Stage.ENDED, 15.0) == Measured()


def test_calls_that_never_end_do_not_fill_the_memory() -> None:
    watch = Stopwatch()
    for number in range(MOST + 10):
        watch.see(str(number), Stage.STARTED, float(number))
    assert watch.see("0", Stage.ENDED, 99.0) == Measured()
    assert watch.see(str(MOST + 9), Stage.ENDED, MOST + 10.0) == Measured(1.0)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(list(Stage)), st.none() | st.integers(0, 100)), max_size=12
    )
)
def test_no_order_makes_the_stopwatch_fail_or_run_backwards_in_time(
    heard: list[tuple[str, Stage, int | None]],
) -> None:
    watch, now = Stopwatch(), 0.0
    for key, stage, passed in heard:
        now += passed or 0
        measured = watch.see(key, stage, None if passed is None else now)
        assert measured.talk_seconds is None or measured.ring_seconds is not None


DIRECTORY = build_directory([], {1: "CA"}, 1, Route((Destination("PJSIP/main", 30),)))


@given(ended_records())
def test_a_row_is_what_the_log_takes(record: CallRecord) -> None:
    entry = call_entry(record, DIRECTORY)
    assert entry is not None
    assert (entry.state == "ended") == (entry.outcome is not None)
    assert entry.ring_seconds is None or entry.ring_seconds >= 0
    assert entry.talk_seconds is None or entry.talk_seconds >= 0
    # Letters, joiners and spaces of every script stay; what ends a line or steers a terminal does not.
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(letter) for letter in entry.caller_name}
    assert entry.did


def test_a_clock_set_back_in_mid_call_makes_no_negative_time() -> None:
    record = replace(RECORD, answered_at=BEGAN - timedelta(hours=1), ended_at=BEGAN - timedelta(hours=2))
    entry = call_entry(record, DIRECTORY)
    assert entry is not None
    assert (entry.ring_seconds, entry.talk_seconds) == (0.0, 0.0)


def test_the_nodes_clock_is_brought_to_ours() -> None:
    entry = call_entry(RECORD, DIRECTORY, clock_ahead=60)
    assert entry is not None
    assert entry.started_at == BEGAN - timedelta(seconds=60)


def test_without_a_company_there_is_no_row() -> None:
    assert call_entry(RECORD, build_directory([], {}, None, DIRECTORY.default_route)) is None
