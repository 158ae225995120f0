"""Which visit made a call: the chances by table, and what must hold of every verdict."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attribution.callers import Callers
from gateway.attribution.evidence import Call, Evidence, Exposure, KnownCaller, Tap, after_call
from gateway.attribution.learned import PRIOR, learned_of
from gateway.attribution.match import match_call
from gateway.attribution.sentence import sentence

NOW = datetime(2026, 5, 29, 12, tzinfo=UTC)
CALL = Call("+13065550001", NOW, "+13065559999")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def exposure(who: str, shown: float, seen: float, *, left: bool = True, replaced: float | None = None) -> Exposure:
    """Shown and last seen so many minutes before the call."""
    return Exposure(
        f"visit of {who}",
        who,
        NOW - minutes(shown),
        NOW - minutes(seen),
        NOW - minutes(seen) if left else None,
        None if replaced is None else NOW - minutes(replaced),
    )


LIVE = exposure("ann", 3, 0, left=False)
LEFT = exposure("bob", 20, 15)
OLD = exposure("carol", 80, 70)


def test_one_visit_alone_made_it() -> None:
    verdict = match_call(CALL, [LIVE])
    assert verdict.visitor == "ann"
    assert verdict.confidence > 0.9
    assert verdict.evidence == (Evidence.LIVE,)
    assert verdict.rivals == ()
    assert verdict.nobody > 0
    assert "on the screen" in sentence(NOW, verdict)


def test_who_has_it_on_the_screen_is_likelier_than_who_left() -> None:
    verdict = match_call(CALL, [LEFT, LIVE])
    assert verdict.visitor == "ann"
    assert [each.visitor for each in verdict.rivals] == ["bob"]
    assert verdict.rivals[0].evidence == (Evidence.SEEN,)
    assert verdict.confidence < match_call(CALL, [LIVE]).confidence


def test_a_tap_outweighs_a_page_that_is_open() -> None:
    tap = Tap(LEFT.visit, NOW - timedelta(seconds=8))
    verdict = match_call(CALL, [LEFT, LIVE], taps=[tap])
    assert verdict.visitor == "bob"
    assert verdict.confidence > 0.9
    assert verdict.evidence == (Evidence.TAP, Evidence.SEEN)
    long_ago = Tap(LEFT.visit, NOW - minutes(18))
    assert match_call(CALL, [LEFT, LIVE], taps=[long_ago]) == match_call(CALL, [LEFT, LIVE])


def test_a_known_caller_outweighs_a_page_that_is_open() -> None:
    known = [KnownCaller("bob", 0.9, NOW - timedelta(days=2)), KnownCaller(None, 0.1, NOW - timedelta(days=2))]
    verdict = match_call(CALL, [LEFT, LIVE], known=known)
    assert verdict.visitor == "bob"
    assert verdict.confidence > 0.99
    assert verdict.evidence == (Evidence.KNOWN_CALLER, Evidence.SEEN)


def test_a_saved_contact_is_the_visitor_of_earlier_calls() -> None:
    known = [KnownCaller("dan", 0.9, NOW - timedelta(days=40)), KnownCaller(None, 0.1, NOW - timedelta(days=40))]
    verdict = match_call(CALL, [], known=known)
    assert verdict.visitor == "dan"
    assert verdict.evidence == (Evidence.KNOWN_CALLER,)
    assert 0.7 < verdict.confidence <= 0.9
    assert verdict.candidate is not None
    assert verdict.candidate.visit is None
    assert "Earlier calls" in sentence(NOW, verdict)


def test_who_is_known_by_another_phone_is_less_likely() -> None:
    plain = match_call(CALL, [LEFT, LIVE])
    verdict = match_call(CALL, [LEFT, LIVE], called={"ann": 1.0})
    assert verdict.confidence < plain.confidence
    assert match_call(CALL, [LEFT, LIVE], called={"ann": 0.5}).confidence < plain.confidence
    withheld = replace(CALL, caller="")
    assert match_call(withheld, [LEFT, LIVE], called={"ann": 1.0}).confidence == plain.confidence


def test_a_visit_that_has_called_hardly_calls_again() -> None:
    plain = match_call(CALL, [LEFT, LIVE])
    again = replace(LIVE, called=0.9)
    # From another phone, from a withheld one; a known caller is told by his number.
    assert match_call(CALL, [LEFT, again], called={"ann": 0.9}).confidence < plain.confidence
    assert match_call(CALL, [LEFT, replace(LIVE, called=1.0)], called={"ann": 1.0}).visitor == "bob"
    # Alone with the number on its screen it is likelier than a stranger still.
    assert match_call(CALL, [replace(LIVE, called=1.0)], called={"ann": 1.0}).visitor == "ann"
    withheld = replace(CALL, caller="")
    found = match_call(withheld, [LEFT, again])
    assert found.confidence < plain.confidence
    assert found.nobody > match_call(withheld, [LEFT, LIVE]).nobody
    known = [KnownCaller("ann", 1.0, NOW - timedelta(days=2))]
    assert match_call(CALL, [LEFT, again], known=known) == match_call(CALL, [LEFT, LIVE], known=known)


def test_the_chance_that_a_visit_has_called_grows_with_its_calls() -> None:
    assert after_call(0.0, 0.25) == 0.25
    assert after_call(0.5, 0.5) == 0.75
    assert after_call(0.5, 1.000001) == 1


def test_who_was_shown_another_number_since_hardly_calls_this_one() -> None:
    gone = exposure("eve", 4, 3, replaced=2)
    assert match_call(CALL, [gone, LEFT]).visitor == "bob"


def test_an_earlier_visit_goes_with_its_visitor_to_the_number_he_was_shown_last() -> None:
    back = exposure("bob", 30, 29)
    # He came two minutes before, had another number then, and this one since he is back.
    earlier = replace(exposure("bob", 30, 31), visit="earlier", came_at=NOW - minutes(32))
    rival = exposure("fay", 12, 10)
    alone, both = match_call(CALL, [back, rival]), match_call(CALL, [back, earlier, rival])
    (one,), (two,) = ([each for each in found.candidates if each.visitor == "bob"] for found in (alone, both))
    assert two.chance > 1.4 * one.chance
    assert both.nobody < alone.nobody
    # As old as it is, not as new as the number.
    as_new = match_call(CALL, [back, replace(earlier, came_at=None), rival])
    assert as_new.confidence < both.confidence
    named = match_call(CALL, [earlier, replace(back, came_at=NOW - minutes(2000))]).candidate
    assert named is not None
    # Named is the visit that made the call; the number was on a screen when the later one showed it.
    assert (named.visit, named.last_seen) == ("earlier", back.last_seen)


def test_beyond_the_window_it_is_unknown() -> None:
    verdict = match_call(CALL, [OLD])
    assert verdict.visitor is None
    assert verdict.evidence == (Evidence.TOO_LONG_AGO,)
    assert verdict.confidence == verdict.nobody
    assert [each.visitor for each in verdict.rivals] == ["carol"]
    assert match_call(CALL, [OLD], window=timedelta(hours=4)).visitor == "carol"
    known = [KnownCaller("carol", 0.8, NOW - timedelta(days=3))]
    assert match_call(CALL, [OLD], known=known).visitor == "carol"
    assert "within 1 hour" in sentence(NOW, verdict)


def test_nobody_was_shown_the_number() -> None:
    verdict = match_call(CALL, [])
    assert (verdict.visitor, verdict.confidence) == (None, 1.0)
    assert verdict.evidence == (Evidence.NEVER_SHOWN,)
    # Nor those who are shown it later, or were weeks ago.
    assert match_call(CALL, [exposure("x", -5, -6), exposure("y", 60 * 24 * 20, 60 * 24 * 20)]).nobody == 1.0


def test_nobody_is_likelier_where_strangers_ring_all_day() -> None:
    busy = replace(PRIOR, background=replace(PRIOR.background, numbers={CALL.number: 0.01}))
    verdict = match_call(CALL, [LEFT], learned=busy)
    assert verdict.evidence == (Evidence.NOBODY,)
    assert verdict.confidence > 0.9
    assert match_call(replace(CALL, number="+13065550002"), [LEFT], learned=busy).visitor == "bob"
    assert "no visit" in sentence(NOW, verdict)


def test_exposures_of_one_visitor_add_up() -> None:
    two = [exposure("bob", 12, 10), replace(exposure("bob", 40, 38), visit="earlier")]
    rival = exposure("fay", 12, 10)
    verdict = match_call(CALL, [*two, rival])
    assert verdict.visitor == "bob"
    assert verdict.candidate is not None
    assert verdict.candidate.visit == "visit of bob"
    assert verdict.confidence > match_call(CALL, [two[0], rival]).confidence


def test_what_was_learned_is_kept_and_read() -> None:
    assert learned_of(PRIOR.stored()) == PRIOR
    other = PRIOR.stored()
    other["curve"]["shown"] = [0, 1]
    assert learned_of(other) is None


def test_callers_are_known_by_their_calls() -> None:
    callers = Callers()
    callers.shown("ann", CALL.number)
    assert callers.known(CALL) == ()
    verdict = match_call(CALL, [LIVE, LEFT])
    callers.note(CALL, verdict)
    callers.note(replace(CALL, caller=""), verdict)
    known = {each.visitor: each for each in callers.known(replace(CALL, number="+13065550002"))}
    assert known["ann"].chance == verdict.confidence
    assert known["ann"].has_number is False
    assert known[None].chance == verdict.nobody
    assert callers.called["ann"] == verdict.confidence
    assert len(callers) == 1
    again = match_call(CALL, [LEFT], known=callers.known(CALL), called=callers.called)
    callers.note(CALL, again)
    assert sum(callers.called.values()) <= 1


exposures = st.lists(
    st.builds(
        exposure,
        who=st.sampled_from("abcdefgh"),
        shown=st.floats(0, 6000),
        seen=st.floats(0, 6000),
        left=st.booleans(),
        replaced=st.none() | st.floats(0, 6000),
    ),
    max_size=12,
)
known = st.lists(
    st.builds(
        KnownCaller, st.sampled_from([*"abcxyz", None]), st.floats(0, 0.16), st.just(NOW - minutes(90)), st.booleans()
    ),
    max_size=6,
    unique_by=lambda each: each.visitor,
)


@given(
    shown=exposures,
    known=known,
    called=st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 3)),
    taps=st.lists(
        st.builds(Tap, st.sampled_from([f"visit of {who}" for who in "abc"]), st.just(NOW - minutes(1))), max_size=2
    ),
    caller=st.sampled_from(["", "+13065559999"]),
)
def test_chances_of_a_verdict_add_up_to_one(
    shown: list[Exposure], known: list[KnownCaller], called: dict[str, float], taps: list[Tap], caller: str
) -> None:
    call = replace(CALL, caller=caller)
    verdict = match_call(call, shown, taps=taps, known=known, called=called)
    assert sum(each.chance for each in verdict.candidates) + verdict.others + verdict.nobody == pytest.approx(1)
    assert all(0 <= each.chance <= 1 for each in verdict.candidates)
    assert [each.chance for each in verdict.candidates] == sorted((e.chance for e in verdict.candidates), reverse=True)
    assert 0 <= verdict.confidence <= 1
    assert verdict.evidence
    assert sentence(call.at, verdict)
    if verdict.candidate is not None:
        assert verdict.candidate in verdict.candidates
        assert verdict.confidence == verdict.candidate.chance >= verdict.nobody
    shuffled = match_call(call, shown[::-1], taps=taps[::-1], known=known[::-1], called=called)
    assert shuffled.confidence == pytest.approx(verdict.confidence)
