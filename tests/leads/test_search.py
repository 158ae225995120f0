"""What people type to find a call: numbers in any way of writing them, words in any case and accent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.region import region_of
from gateway.leads.search import LONGEST_WORD, MOST_WORDS, Stretch, fold, sought, words_of


def finds(text: str, region: str, number: str) -> bool:
    """Whether a search finds a caller's number, as the database compares them (letter by letter)."""
    found = sought(text, region)
    begins = any(stretch.low <= number < stretch.high for stretch in found.begins)
    ends = found.ends is not None and found.ends.low <= number[::-1] < found.ends.high
    return begins or ends


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("(306) 555-0142", "CA", "+13065550142"),
        ("306.555.0142", "CA", "+13065550142"),
        ("+1 306 555 0142", "GB", "+13065550142"),
        ("1 306 555 0142", "CA", "+13065550142"),
        ("555-0142", "CA", "+13065550142"),
        ("0142", "CA", "+13065550142"),
        ("306 555", "CA", "+13065550142"),
        ("1306", "CA", "+13065550142"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("020 7946", "GB", "+442079460018"),
        ("0044 20 7946 0018", "CA", "+442079460018"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("495 123", "RU", "+74951234567"),
    ],
)
def test_a_number_is_found_however_it_is_written(text: str, region: str, number: str) -> None:
    assert finds(text, region, number)


@pytest.mark.parametrize("text", ["306 555-0143", "0143", "+44", "999"])
def test_another_number_is_not(text: str) -> None:
    assert not finds(text, "CA", "+13065550142")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Lavallée", ("lavallee",)),
        ("ОЛЕНА Коваленко", ("олена", "коваленко")),
        ("Straße", ("strasse",)),
        ("wants a call-back, on Monday!", ("wants", "a", "call", "back", "on", "monday")),
        ("roof roof", ("roof",)),
        ("12", ("12",)),
        ("3rd floor", ("3rd", "floor")),
        ("…", ()),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    assert sought(text, "CA").words == words


def test_a_whole_number_is_known_as_one() -> None:
    assert sought("(306) 555-2001", "CA").whole == "+13065552001"
    assert sought("555-2001", "CA").whole is None or not sought("555-2001", "CA").words


@given(st.text(max_size=200))
def test_whatever_is_typed_is_either_words_or_a_number(text: str) -> None:
    found = sought(text, "CA")
    assert not (found.words and found.begins)
    assert len(found.begins) <= 2
    assert all(stretch.low < stretch.high for stretch in found.begins)


@given(st.lists(st.text(max_size=300), max_size=20))
def test_words_are_few_short_and_folded(texts: list[str]) -> None:
    words = words_of(texts)
    assert len(words) == len(set(words)) <= MOST_WORDS
    assert all(0 < len(word) <= LONGEST_WORD for word in words)


@given(st.text(min_size=1, max_size=40), st.text(max_size=5))
def test_a_word_is_found_by_its_beginning(word: str, rest: str) -> None:
    folded = fold(word)
    if folded and ord(folded[-1]) < 0x10FFFF and not 0xD7FF <= ord(folded[-1]) <= 0xDFFF:
        stretch = Stretch.beginning(folded)
        whole = (folded + rest).encode("utf-8", "surrogatepass")
        assert stretch.low.encode() <= whole < stretch.high.encode()


@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("+13065550142", "Saskatchewan"),
        ("+13065221234", "Saskatchewan"),
        ("+12125551234", "New York"),
        ("+442079460018", "London"),
        ("+18005551234", ""),
        ("anonymous", ""),
        ("+0", ""),
        (None, ""),
    ],
)
def test_regions(number: str | None, region: str) -> None:
    assert region_of(number) == region
