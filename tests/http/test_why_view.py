"""Why a call has its source, as it is drawn and said: places on the line, sentences in every language."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.assets import asset_folder
from gateway.attribution.decision import Basis
from gateway.attribution.evidence import Evidence
from gateway.attribution.learned_store import THE_PRIOR
from gateway.attribution.why import SeenTap, Stand, Suspect, Why
from gateway.http.language import load_languages
from gateway.http.why_view import MOST_BARS, chance, why_view
from gateway.http.words import Words
from gateway.visits.source import Source

LANGUAGES = load_languages(asset_folder("web") / "translations")
AT = datetime(2026, 11, 18, 12, tzinfo=UTC)
ADS = Source("Google Paid", "Paid Search", "google", "cpc")


def words(language: str = "en") -> Words:
    return Words(LANGUAGES[language], "CA", now=AT)


def suspect(
    number: int, shown: float, seen: float, *because: Evidence, left: bool = True, is_answer: bool = False
) -> Suspect:
    """Who had the number on the screen from ``shown`` to ``seen`` seconds before the call."""
    last = AT - timedelta(seconds=seen)
    return Suspect(
        chance=0.1,
        is_answer=is_answer,
        because=because,
        label="Google Paid",
        source_id=1,
        visit_id=UUID(int=number),
        visitor_id=UUID(int=100 + number),
        shown_at=AT - timedelta(seconds=shown),
        last_seen=last,
        left_at=last if left else None,
        replaced_at=None,
        landing_page="https://shop.example/",
        pages=(),
    )


def why_of(
    suspects: Sequence[Suspect],
    *because: Evidence,
    taps: Sequence[SeenTap] = (),
    basis: Basis = Basis.VISITS,
    stand: Stand = Stand.SETTLED,
) -> Why:
    answered = any(each.is_answer for each in suspects)
    return Why(
        call_id=1,
        number="+13065552001",
        pool="Visitors",
        at=AT,
        caller="+13065550142",
        state="ended",
        basis=basis,
        stand=stand,
        sentence="",
        confidence=0.84,
        source_confidence=0.9,
        nobody=0.1,
        others=0.0,
        because=because,
        window=timedelta(hours=1),
        source_id=1 if answered else None,
        credit=ADS if answered or basis is Basis.STATIC else None,
        verdict=None,
        suspects=tuple(suspects),
        taps=tuple(taps),
        touches=(),
        learned=THE_PRIOR,
        decided_at=AT,
        settled_at=AT,
        recomputed_at=None,
        evidence_is_kept=True,
        forgotten=False,
    )


MOMENTS = st.tuples(st.floats(0, 8 * 86400), st.floats(0, 1), st.booleans())


@given(st.lists(MOMENTS, max_size=9), st.floats(0, 600))
def test_everything_stands_on_the_line(moments: list[tuple[float, float, bool]], tap: float) -> None:
    suspects = [
        suspect(place, shown, shown * share, Evidence.SEEN, left=left)
        for place, (shown, share, left) in enumerate(moments)
    ]
    taps = [SeenTap(AT - timedelta(seconds=tap), UUID(int=0))]
    view = why_view(why_of(suspects, Evidence.NOBODY, taps=taps), {}, words(), sees_visitors=True)
    assert len(view.bars) == min(len(moments), MOST_BARS)
    assert len(view.bars) + view.more == len(moments)
    for bar in view.bars:
        assert bar.start is not None
        assert bar.start >= 0
        assert bar.width > 0
        assert bar.start + bar.width <= 100.02
        assert all(0 <= at <= 100 for at in bar.taps)
    places = [mark.at for mark in view.marks]
    assert places == sorted(places, reverse=True)
    assert all(0 < at < 100 for at in places)


def test_who_was_there_later_stands_nearer_to_the_call() -> None:
    early, late = suspect(1, 3600, 3000, Evidence.SEEN), suspect(2, 60, 30, Evidence.LIVE, left=False)
    view = why_view(why_of([early, late], Evidence.NOBODY), {}, words(), sees_visitors=True)
    first, second = view.bars
    assert first.start == 0
    assert second.start is not None
    assert second.start > first.width
    assert second.start + second.width == pytest.approx(100, abs=0.02)  # still on the screen when the phone rang


SEEN, LIVE, TAP, KNOWN = Evidence.SEEN, Evidence.LIVE, Evidence.TAP, Evidence.KNOWN_CALLER


@pytest.mark.parametrize(
    ("because", "tapped", "english", "russian"),
    [
        ((TAP, LIVE), 4, "tapped (306) 555-2001 4 seconds before the call, and had had it", "нажал на"),
        ((TAP, SEEN), 4, "tapped (306) 555-2001 4 seconds before the call.", "нажал на"),
        ((LIVE,), None, "had (306) 555-2001 on the screen when the phone rang, for 10 minutes", "на экране уже"),
        ((SEEN,), None, "last had (306) 555-2001 on the screen 5 minutes before the call", "за 5 мин до звонка"),
        ((KNOWN, LIVE), None, "who had (306) 555-2001 on the screen when the phone rang", "Раньше с этого номера"),
        ((KNOWN, SEEN), None, "who last had (306) 555-2001 on the screen 5 minutes before", "Раньше с этого номера"),
    ],
)
def test_the_decision_in_one_sentence(
    because: tuple[Evidence, ...], tapped: int | None, english: str, russian: str
) -> None:
    answer = suspect(1, 600, 0 if LIVE in because else 300, *because, left=LIVE not in because, is_answer=True)
    taps = [] if tapped is None else [SeenTap(AT - timedelta(seconds=tapped), UUID(int=1))]
    why = why_of([answer], *because, taps=taps)
    assert english in why_view(why, {}, words(), sees_visitors=True).sentence
    assert russian in why_view(why, {}, words("ru"), sees_visitors=True).sentence


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("because", [Evidence.NEVER_SHOWN, Evidence.TOO_LONG_AGO, Evidence.NOBODY])
def test_unknown_claims_no_confidence(language: str, because: Evidence) -> None:
    view = why_view(why_of([], because), {}, words(language), sees_visitors=True)
    assert view.is_unknown
    assert view.confidence is None
    assert "%(" not in view.sentence


def test_nothing_of_visits_for_those_who_may_not_see_them() -> None:
    answer = suspect(1, 600, 0, LIVE, left=False, is_answer=True)
    view = why_view(why_of([answer], LIVE), {}, words(), sees_visitors=False)
    assert (view.bars, view.touches, view.marks) == ((), (), ())
    assert view.confidence == 0.84


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100%"), (0.9999, "> 99%"), (0.84, "84%"), (0.001, "< 1%"), (0.0, "0%")]
)
def test_what_is_not_certain_is_never_said_to_be(share: float, text: str) -> None:
    assert chance(share, words()) == text
