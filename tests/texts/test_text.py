"""What a text is: numbers however they are written, words that mean something alone, length on the air, states."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.texts.text import (
    GSM,
    LONGEST_BODY,
    Arrived,
    State,
    Wish,
    as_number,
    inbound_of,
    is_telephone,
    later,
    length_of,
    wish_of,
)

SAID = [State.SENT, State.DELIVERED, State.FAILED]


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("+13065550142", "CA", "+13065550142"),
        ("13065550142", "CA", "+13065550142"),
        ("3065550142", "CA", "+13065550142"),
        ("(306) 555-0142", "CA", "+13065550142"),
        ("442079460018", "CA", "+442079460018"),
        ("79161234567", "RU", "+79161234567"),
        ("12345", "US", "12345"),
        ("AMAZON", "US", "AMAZON"),
        ("", "US", ""),
    ],
)
def test_numbers_as_carriers_write_them(written: str, region: str, number: str) -> None:
    assert as_number(written, region) == number
    assert is_telephone(number) == number.startswith("+")


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        ("STOP", Wish.STOP),
        (" stop. ", Wish.STOP),
        ("Opt-out", Wish.STOP),
        ("СТОП", Wish.STOP),
        ("Arrêt", Wish.STOP),
        ("please stop by at nine", None),
        ("Start", Wish.START),
        ("help", Wish.HELP),
        ("help me with my roof", None),
        ("", None),
    ],
)
def test_words_alone(body: str, wish: Wish | None) -> None:
    assert wish_of(body) is wish


@pytest.mark.parametrize(
    ("body", "units", "segments", "wide"),
    [
        ("", 0, 1, False),
        ("a" * 160, 160, 1, False),
        ("a" * 161, 161, 2, False),
        ("a" * 306, 306, 2, False),
        ("a" * 307, 307, 3, False),
        ("€" * 80, 160, 1, False),
        ("ж" * 70, 70, 1, True),
        ("ж" * 71, 71, 2, True),
        ("🏠" * 35, 70, 1, True),
        ("🏠" * 36, 72, 2, True),
    ],
)
def test_length_on_the_air(body: str, units: int, segments: int, wide: bool) -> None:
    found = length_of(body)
    assert (found.units, found.segments, found.is_unicode) == (units, segments, wide)


def test_gsm_has_its_letters() -> None:
    assert len(GSM) == len(set(GSM)) == 127  # of 128 places one leads to the second table


@given(st.lists(st.sampled_from(SAID), max_size=6), st.randoms())
def test_reports_lead_to_the_same_in_whatever_order(said: list[State], dice: object) -> None:
    shuffled = list(said)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    ends = []
    for order in (said, shuffled, said + said):
        state = State.SENDING
        for each in order:
            state = later(state, each)
        ends.append(state)
    assert len(set(ends)) == 1


@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=40), st.lists(st.text(max_size=60), max_size=3))
def test_whatever_comes_can_be_kept(body: str, number: str, other: str, media: list[str]) -> None:
    text = inbound_of(
        Arrived(number, other, body, tuple(media), body[:20]),
        company_id=1,
        account_id=1,
        region="CA",
        received_at=datetime.now(UTC),
    )
    if text is not None:
        for part in (text.body, text.number, text.other, text.carrier_id or "x"):
            part.encode()
            assert "\0" not in part
        assert text.number
        assert text.other
        assert all(each.startswith(("http://", "https://")) for each in text.media)


def test_what_is_no_link_is_none() -> None:
    links = ("javascript:alert(1)", "https://a.example/1.jpg", "http://", "data:text/html,x", "//a.example/x")
    text = inbound_of(
        Arrived("+13065552001", "+13065550142", "x" * 20_000, links),
        company_id=1,
        account_id=1,
        region="CA",
        received_at=datetime.now(UTC),
    )
    assert text is not None
    assert text.media == ("https://a.example/1.jpg",)
    assert len(text.body) == LONGEST_BODY
