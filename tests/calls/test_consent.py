"""Whether a caller must be told of a recording, and what a company's route then becomes: by table and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.consent import EVERYBODY, ONE_PARTY, caller_must_know, law_of, place_of
from gateway.calls.gate import Door, announced, straight
from gateway.calls.phrases import words_of
from gateway.calls.policy import Announce, Phrase, Policy
from gateway.calls.route import Destination, Route

DENVER, AUSTIN, LOS_ANGELES, REGINA, LONDON = (
    "+13035550123",
    "+15125550123",
    "+14155550123",
    "+13065550123",
    "+442079460018",
)
SOUND = "/sounds/recorded"
ROUTE = Route((Destination("PJSIP/main", 30),), record=True)


@pytest.mark.parametrize(
    ("number", "place"),
    [
        (DENVER, "US-CO"),
        (LOS_ANGELES, "US-CA"),
        (REGINA, "CA"),
        (LONDON, "GB"),
        ("+74951234567", "RU"),
        ("+18005550123", "US"),  # toll-free: no state
        ("+17875550123", "PR"),
        ("13035550123", ""),
        ("*97", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_where_a_number_belongs(number: str | None, place: str) -> None:
    assert place_of(number) == place


@pytest.mark.parametrize(
    ("places", "must"),
    [
        (("US-CO", "US-TX"), False),
        (("US-CO", "US-CA"), True),  # the stricter, whichever end it is at
        (("US-CA", "US-CO"), True),
        (("US-CO", ""), True),  # unknown: everybody must know
        (("US-CO", "US"), True),
        (("US-CO", "CA"), True),
        (("US-CO", "NZ"), True),
        (("GB", "GB"), True),
        ((), True),
    ],
)
def test_the_stricter_end_decides(places: tuple[str, ...], must: bool) -> None:
    assert caller_must_know(*places) is must


def test_no_place_is_both_and_what_is_mixed_is_strict() -> None:
    assert not set(ONE_PARTY) & set(EVERYBODY)
    assert {place for place in EVERYBODY if place.startswith("US-")} >= {"US-CA", "US-FL", "US-CT", "US-NV", "US-OR"}
    assert len(ONE_PARTY) + sum(place.startswith("US-") for place in EVERYBODY) == 50  # 49 states and DC; Vermont: none
    assert law_of("US-VT").everybody
    assert {"DE", "FR", "PL", "NO", "GB", "CA", "RU"} <= set(EVERYBODY)


places = st.sampled_from([*ONE_PARTY, *EVERYBODY, "", "US", "NZ", "US-VT"])


@given(st.lists(places), places)
def test_one_more_end_never_makes_it_looser(known: list[str], another: str) -> None:
    assert caller_must_know(*known, another) >= (caller_must_know(*known) if known else False)


@pytest.mark.parametrize(
    ("announce", "place", "caller", "said"),
    [
        (Announce.ALWAYS, "US-CO", DENVER, True),
        (Announce.NEVER, "GB", LONDON, False),
        (Announce.BY_REGION, "US-CO", AUSTIN, False),
        (Announce.BY_REGION, "US-CO", LOS_ANGELES, True),
        (Announce.BY_REGION, "US-CA", AUSTIN, True),
        (Announce.BY_REGION, "US-CO", None, True),  # withheld
        (Announce.BY_REGION, "", AUSTIN, True),
    ],
)
def test_what_a_call_hears(announce: Announce, place: str, caller: str | None, said: bool) -> None:
    door = Door(1, Policy(announce=announce), place, {Phrase.RECORDED: SOUND})
    assert announced(ROUTE, door, None, caller, is_known=True).announcement == (SOUND if said else None)
    assert announced(ROUTE, door, None, caller, is_known=True).record
    own = announced(ROUTE, door, "custom/ours", caller, is_known=True)
    assert own.announcement == ("custom/ours" if said else None)
    # With nothing to say it with, a call that must hear it is not recorded, and says why.
    mute = announced(ROUTE, Door(1, Policy(announce=announce), place), None, caller, is_known=True)
    assert (mute.record, mute.untold, mute.marks) == ((False, True, ("untold",)) if said else (True, False, ()))


@pytest.mark.parametrize("announce", [None, *Announce])
def test_what_is_not_recorded_hears_nothing_and_a_fax_machine_neither(announce: Announce | None) -> None:
    door = Door(1, Policy(announce=announce), "GB", {Phrase.RECORDED: SOUND})
    silent = Route(ROUTE.destinations)
    assert announced(silent, door, "custom/ours", None, is_known=True) == silent
    mute = announced(ROUTE, Door(1, Policy(announce=announce)), None, None, is_known=True)
    assert straight(mute) == silent


def test_who_never_decided_goes_on_as_before() -> None:
    door = Door(1, Policy(most_calls=3), "GB", {Phrase.RECORDED: SOUND})
    assert announced(ROUTE, door, None, LONDON, is_known=True) == ROUTE


@pytest.mark.parametrize("phrase", list(Phrase))
@pytest.mark.parametrize("language", ["en", "ru", "de", "fr", "es", "it", "pt-br", "nl", "pl", "uk", "ja"])
def test_every_phrase_is_spoken_whole(phrase: Phrase, language: str) -> None:
    words = words_of(phrase, language)
    assert words.safe == words.text
    assert words.language == (language if language != "ja" else "en")
