"""Spam and limits as they are decided: by table, by property, and over a clock that jumps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.asterisk.routecode import decode_marks, decode_reference, encode_route
from gateway.calls.admission import Admission, Verdict
from gateway.calls.directory import Directory, Number, build_directory
from gateway.calls.gate import Door
from gateway.calls.outcome import Outcome, call_outcome
from gateway.calls.policy import NOTHING, Act, Phrase, Policy, PolicyRefused, Withheld, read_policy, write_policy
from gateway.calls.record import CallRecord, LegRecord, Stage
from gateway.calls.route import Destination, EndCall, Route
from gateway.calls.screening import Course, Screened, Screening, Seen, screen
from gateway.calls.steps import Moment
from gateway.calls.traffic import SETTLED_SECONDS, Past, Traffic
from gateway.pools.numbers import forms

CALLER, DID = "+13065550111", "+13065552001"
ALL = Policy(
    withheld=Withheld.PRESS,
    often_calls=3,
    often_minutes=10,
    traps=True,
    most_calls=5,
    most_by_trunk={"carrier": 2},
    longest_minutes=30,
)
SOUNDS = {phrase: f"/said/{phrase.value}" for phrase in Phrase}
MAIN = (Destination("PJSIP/main", 30),)


# -- the decision ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "seen", "trap", "course", "by"),
    [
        (CALLER, Seen(), False, Course.RINGS, None),
        (None, Seen(), False, Course.ASKED, Screened.WITHHELD),
        (CALLER, Seen(lately=2), False, Course.RINGS, None),
        (CALLER, Seen(lately=3), False, Course.GATED, Screened.OFTEN),
        (CALLER, Seen(lately=3, is_known=True), False, Course.RINGS, None),
        (CALLER, Seen(is_suspect=True), False, Course.GATED, Screened.TRAPPED),
        (CALLER, Seen(is_suspect=True, is_known=True), False, Course.RINGS, None),
        (CALLER, Seen(), True, Course.RINGS, Screened.TRAP),
        (CALLER, Seen(is_known=True), True, Course.RINGS, None),
        (None, Seen(), True, Course.ASKED, Screened.WITHHELD),
        (CALLER, Seen(at_once=4), False, Course.RINGS, None),
        (CALLER, Seen(at_once=5), False, Course.BUSY, Screened.COMPANY_FULL),
        (CALLER, Seen(at_once=5, is_known=True), False, Course.BUSY, Screened.COMPANY_FULL),
        (None, Seen(at_once=5), False, Course.BUSY, Screened.COMPANY_FULL),
        (CALLER, Seen(on_trunk=2), False, Course.BUSY, Screened.TRUNK_FULL),
    ],
)
def test_what_becomes_of_a_call(
    caller: str | None, seen: Seen, trap: bool, course: Course, by: Screened | None
) -> None:
    assert screen(caller, Admission.NO_RULE, ALL, "carrier", seen, trap) == Screening(course, by)
    # Without rules, all ring; and a limit is of its trunk.
    assert screen(caller, Admission.NO_RULE, NOTHING, "carrier", seen, trap) == Screening(Course.RINGS)
    for beats in (Admission.EMERGENCY, Admission.ALLOWED):
        assert screen(caller, beats, ALL, "carrier", seen, trap) == Screening(Course.RINGS)
    blocked = screen(caller, Admission.BLOCKED, ALL, "carrier", seen, trap)
    assert blocked == Screening(Course.BLOCKED, Screened.LISTED)


def test_a_limit_is_of_its_trunk_and_a_caller_who_calls_often_may_be_blocked() -> None:
    assert screen(CALLER, Admission.NO_RULE, ALL, "another", Seen(on_trunk=9), False).course is Course.RINGS
    hard = replace(ALL, often=Act.BLOCK)
    assert screen(CALLER, Admission.NO_RULE, hard, "x", Seen(lately=3), False).course is Course.BLOCKED


policies = st.builds(
    Policy,
    withheld=st.sampled_from(Withheld),
    often_calls=st.none() | st.integers(2, 9),
    often_minutes=st.integers(1, 60),
    often=st.sampled_from(Act),
    traps=st.booleans(),
    most_calls=st.none() | st.integers(1, 9),
    most_by_trunk=st.dictionaries(st.sampled_from(["carrier", "another"]), st.integers(1, 9)),
    longest_minutes=st.none() | st.integers(1, 1440),
)
seens = st.builds(Seen, st.integers(0, 12), st.integers(0, 12), st.integers(0, 12), st.booleans(), st.booleans())
sounds = st.sets(st.sampled_from(Phrase)).map(lambda there: {phrase: SOUNDS[phrase] for phrase in there})


@given(policies, seens, st.booleans())
def test_withheld_callers_are_never_turned_away_in_silence(policy: Policy, seen: Seen, trap: bool) -> None:
    found = screen(None, Admission.NO_RULE, policy, "carrier", seen, trap)
    assert found.course in (Course.RINGS, Course.ASKED, Course.TOLD, Course.BUSY)
    assert found.course is not Course.BUSY or found.by in (Screened.COMPANY_FULL, Screened.TRUNK_FULL)


@given(policies, seens, st.none() | st.just(CALLER), st.booleans())
def test_whoever_is_known_or_allowed_is_never_suspicious(
    policy: Policy, seen: Seen, caller: str | None, trap: bool
) -> None:
    known = screen(CALLER, Admission.NO_RULE, policy, "carrier", replace(seen, is_known=True), trap)
    assert known.course in (Course.RINGS, Course.BUSY)
    assert screen(caller, Admission.ALLOWED, policy, "carrier", seen, trap).course is Course.RINGS


@given(policies)
def test_rules_are_kept_as_they_are(policy: Policy) -> None:
    assert read_policy(write_policy(policy)) == policy
    assert write_policy(NOTHING) == {}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"often_calls": 1}, "often_calls"),
        ({"withheld": "block"}, "withheld"),
        ({"place": "Colorado"}, "place"),
        ({"most_by_trunk": {"": 2}}, "most_by_trunk"),
        ({"longest_minutes": 0}, "longest_minutes"),
        ({"something": True}, "something"),
        ([], "the whole"),
    ],
)
def test_rules_that_are_none(document: object, field: str) -> None:
    with pytest.raises(PolicyRefused, match=field):
        read_policy(document)


# -- the memory --------------------------------------------------------------------------------------------------------


class Clock:
    """A monotonic clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(key: str, stage: Stage = Stage.STARTED, **more: object) -> CallRecord:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    given = {"key": key, "unique_id": key, "stage": stage, "started_at": at, "trunk": "carrier"}
    return CallRecord(**{**given, "dialled": (DID, "", "", ""), "caller": CALLER, "caller_name": ""} | more)  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 400), min_size=1, max_size=40), st.integers(2, 6), st.integers(1, 10))
def test_too_many_calls_are_so_many_within_so_many_minutes(gaps: list[float], most: int, minutes: int) -> None:
    """By what was really placed in the window that slides, whatever the clock of the node says meanwhile."""
    clock = Clock()
    traffic = Traffic(clock)
    policy = Policy(often_calls=most, often_minutes=minutes)
    placed: list[float] = []
    for count, gap in enumerate(gaps):
        clock.now += gap
        key = str(count)
        seen = traffic.seen(1, CALLER, "carrier", policy, key)
        assert seen.lately == sum(clock.now - at < minutes * 60 for at in placed)
        course = screen(CALLER, Admission.NO_RULE, policy, "carrier", seen, False).course
        assert (course is Course.RINGS) == (seen.lately < most)
        # The same call is told of several times, by a node whose clock was set an hour on meanwhile.
        for stage in Stage:
            told = record(key, stage, started_at=datetime(2026, 3, 1, count % 24, tzinfo=UTC))
            traffic.told(told, 1, CALLER, 0.0, 60.0)
        placed.append(clock.now)
    assert traffic.seen(2, CALLER, "carrier", policy).lately == 0
    clock.now += minutes * 60 + 1
    assert traffic.seen(1, CALLER, "carrier", policy).lately == 0


def test_calls_at_once_are_those_that_go_on() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    for key in "abc":
        traffic.told(record(key), 1, CALLER, 0.0, 60.0)
    traffic.told(record("d", trunk="another"), 2, None, 0.0, 60.0)
    traffic.told(record("b", Stage.ENDED), 1, CALLER, 0.0, 60.0)
    traffic.told(record("c", Stage.ANSWERED), 1, CALLER, 0.0, 60.0)
    assert (traffic.seen(1, None, "carrier", ALL).at_once, traffic.seen(1, None, "carrier", ALL).on_trunk) == (2, 2)
    assert traffic.seen(1, None, "carrier", ALL, "c").at_once == 1  # itself not counted
    assert traffic.seen(2, None, "another", ALL).at_once == 1
    # What the log does not know to go on any more, goes on no more; what has only just begun it may not know yet.
    clock.now += SETTLED_SECONDS + 1
    traffic.told(record("young"), 1, CALLER, 0.0, 60.0)
    traffic.remember(Past(open_calls=[("c", 1, "carrier", 90.0), ("b", 1, "carrier", 99.0)]))
    assert traffic.seen(1, None, "carrier", ALL).at_once == 2


def test_after_a_restart_the_log_tells() -> None:
    traffic = Traffic(Clock())
    who = (1, CALLER)
    traffic.remember(
        Past(
            lately=[(who, "x", 30.0), (who, "y", 500.0), (who, "z", 700.0)],
            suspects=[((1, "+13065550122"), 86_400.0), ((1, "+13065550133"), 40 * 86_400.0)],
            known=[(1, "+13065550144")],
            open_calls=[("a", 1, "carrier", 5.0)],
        )
    )
    assert traffic.seen(1, CALLER, "carrier", ALL) == Seen(lately=2, at_once=1, on_trunk=1)
    # What comes out of the outbox besides is the same call.
    traffic.told(record("x", Stage.ENDED), 1, CALLER, 31.0, 60.0)
    assert traffic.seen(1, CALLER, "carrier", ALL).lately == 2
    assert traffic.seen(1, "+13065550122", "x", ALL).is_suspect
    assert not traffic.seen(1, "+13065550133", "x", ALL).is_suspect
    assert traffic.seen(1, "+13065550144", "x", ALL).is_known


@pytest.mark.parametrize(("seconds", "known"), [(61, True), (59, False)])
def test_a_real_conversation_is_remembered(seconds: int, known: bool) -> None:
    traffic = Traffic(Clock())
    at = datetime(2026, 3, 1, tzinfo=UTC)
    ended = record("a", Stage.ENDED, answered_at=at, ended_at=at + timedelta(seconds=seconds))
    traffic.told(ended, 1, CALLER, 0.0, 60.0)
    assert traffic.seen(1, CALLER, "carrier", ALL).is_known is known


def test_who_dialled_a_trap_is_suspicious() -> None:
    traffic = Traffic(Clock())
    traffic.told(record("a", Stage.ENDED, marks=("trap",)), 1, CALLER, 0.0, 60.0)
    assert traffic.seen(1, CALLER, "carrier", ALL).is_suspect
    assert not traffic.seen(2, CALLER, "carrier", ALL).is_suspect


# -- the route ---------------------------------------------------------------------------------------------------------


def directory(policy: Policy, there: dict[Phrase, str], verdicts: dict[str, Verdict] | None = None) -> Directory:
    number = Number(7, 1, DID, None, Route(MAIN, number_id=7, did=DID), forms(DID, "CA"))
    made = build_directory([number], {1: "CA"}, 1, Route(MAIN))
    return replace(made, doors={1: Door(1, policy, "CA", there, MAIN)}, caller_rules={1: verdicts or {}})


def moment(traffic: Traffic | None = None, trunk: str = "carrier") -> Moment:
    return Moment(datetime.now(UTC), trunk=trunk, call="now", traffic=traffic or Traffic(Clock()))


def often() -> Traffic:
    traffic = Traffic(Clock())
    for key in "abc":
        traffic.told(record(key, Stage.ENDED), 1, CALLER, 0.0, 60.0)
    return traffic


@pytest.mark.parametrize("verdicts", [{}, {"+13065550999": Verdict.BLOCK}])
def test_an_emergency_service_that_calls_back_meets_no_rule(verdicts: dict[str, Verdict]) -> None:
    traffic = Traffic(Clock())
    for key in "abcdef":
        traffic.told(record(key), 1, "911", 0.0, 60.0)
    here = replace(directory(ALL, SOUNDS, verdicts), emergency_callers=frozenset({"911"}))
    route = here.decide([DID], "911", moment(traffic))
    assert (route.destinations, route.steps, route.marks, route.blocked) == (MAIN, (), (), False)


def test_a_withheld_caller_is_asked_and_rings_in_any_case() -> None:
    route = directory(ALL, SOUNDS).decide([DID], "", moment())
    assert encode_route(route) == (f"1|7..withheld|0|||Menu/0-1-:1:2:/said/press_one^6~PJSIP/main^30|{DID}")
    assert (decode_reference("7..withheld"), decode_marks("7..withheld")) == ((7, None), ("withheld",))
    # The key leads on as if there were no gate; with nobody to ask, the main line rings.
    here = directory(ALL, SOUNDS)
    assert here.choose("Menu/0-1--1", [DID], "", moment()) == MAIN
    assert dict(here.branches()) == {"Menu/0-1--1": MAIN}


def test_a_suspicious_caller_is_asked_and_turned_away_without_the_key() -> None:
    route = directory(ALL, SOUNDS).decide([DID], CALLER, moment(often()))
    assert (route.steps[1:], route.marks, route.blocked) == ((EndCall(),), ("often", "gate"), False)
    asked = record("a", Stage.ENDED, marks=route.marks)
    assert call_outcome(asked) is Outcome.BLOCKED
    assert call_outcome(replace(asked, passed=True)) is Outcome.ABANDONED
    rang = replace(asked, legs=(LegRecord("PJSIP/main", 0, 1, "NOANSWER", None),))
    assert call_outcome(rang) is Outcome.NO_ANSWER


def test_over_a_limit_it_is_said() -> None:
    traffic = Traffic(Clock())
    for key in "ab":
        traffic.told(record(key), 1, None, 0.0, 60.0)
    route = directory(ALL, SOUNDS).decide([DID], CALLER, moment(traffic))
    assert encode_route(route) == f"1|7..trunk-full.off|0|||Sound//said/all_busy^0|{DID}||busy"
    gave_up = record("a", Stage.ENDED, marks=route.marks)  # in the middle of the message
    assert call_outcome(gave_up) is Outcome.BLOCKED
    assert directory(ALL, SOUNDS).decide([DID], CALLER, moment(traffic, "another")).destinations == MAIN


@given(policies, sounds, st.sampled_from(["", CALLER]))
def test_what_was_not_spoken_yet_turns_nobody_away_in_silence(
    policy: Policy, there: dict[Phrase, str], caller: str
) -> None:
    policy = replace(policy, often=Act.PRESS, most_calls=None, most_by_trunk={})
    route = directory(policy, there).decide([DID], caller, moment(often()))
    assert route.destinations == MAIN or route.steps
    # Without a gateway nothing of it holds, and whoever is let through meets nothing of it.
    assert directory(policy, there).decide([DID], caller).destinations == MAIN
    allowed = directory(policy, there, {CALLER: Verdict.ALLOW}).decide([DID], CALLER, moment(often()))
    assert (allowed.destinations, allowed.steps, allowed.marks) == (MAIN, (), ())
