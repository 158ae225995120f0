"""What is a telephone number in a text, and how another is written in its place."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.async_api import Page

from tests.snippet.site import LENT, MAIN, parts

LONDON, LONDON_LENT = "+442079460018", "+442079460555"
MOSCOW, MOSCOW_LENT = "+74951234567", "+74957654321"
BERLIN, BERLIN_LENT = "+493012345678", "+49301234567"

Swaps = list[tuple[str, str]]
CANADA: Swaps = [(MAIN, LENT)]


async def swapped(numbers: Page, texts: list[str], swaps: Swaps = CANADA, *, bare: bool = False) -> list[str]:
    """Each text as the snippet writes it."""
    pairs = [{"from": parts(one), "to": parts(other)} for one, other in swaps]
    found: list[str] = await numbers.evaluate(
        "([texts, pairs, bare]) => texts.map((text) => window.numbers.swapped(text, pairs, undefined, bare).join(''))",
        [texts, pairs, bare],
    )
    return found


FORMS = {
    "(306) 555-1234": "(306) 555-2001",
    "306-555-1234": "306-555-2001",
    "306.555.1234": "306.555.2001",
    "306 555 1234": "306 555 2001",
    "306/555-1234": "306/555-2001",
    "306/555/1234": "306/555/2001",
    "3065551234": "3065552001",
    "+13065551234": "+13065552001",
    "+1 306 555 1234": "+1 306 555 2001",
    "+1 (306) 555-1234": "+1 (306) 555-2001",
    "+1-306-555-1234": "+1-306-555-2001",
    "1-306-555-1234": "1-306-555-2001",
    "1 (306) 555 1234": "1 (306) 555 2001",
    "001 306 555 1234": "001 306 555 2001",
    "011 1 306 555 1234": "011 1 306 555 2001",
    "306\xa0555\xa01234": "306\xa0555\xa02001",
    "306\u202f555\u202f1234": "306\u202f555\u202f2001",
    "306\u2009555\u20091234": "306\u2009555\u20092001",
    "306–555–1234": "306–555–2001",
    "306‑555‑1234": "306‑555‑2001",
    "306‒555‒1234": "306‒555‒2001",
    "306−555−1234": "306−555−2001",
    "306·555·1234": "306·555·2001",
    "(306)555-1234": "(306)555-2001",
    "( 306 ) 555 - 1234": "( 306 ) 555 - 2001",
    "(+1 306) 555 1234": "(+1 306) 555 2001",
    "\u200e+1 306-555-1234": "\u200e+1 306-555-2001",
    "306\xad555\xad1234": "306\xad555\xad2001",
    "（306）555－1234": "（306）555－2001",
    "3 0 6 5 5 5 1 2 3 4": "3 0 6 5 5 5 2 0 0 1",
}

AROUND = [
    "{}",
    "Call {} now",
    "Call {}.",
    "Call {}!",
    "({})",
    "Tel.: {}",
    "Tel:{}",
    "“{}”",
    "call us—{}",
    "{}, ext. 5",
    "{} ext. 5",
    "{} x5",
    "{}x5",
    "{} доб. 5",
    "电话{}まで",
    "A: {} B: {}",
    "{} or {}",
    "a\n{}\nb",
    "Open: {}; closed",
    "{}?",
    "Save 50%: {}",
]


@pytest.mark.parametrize("around", AROUND)
async def test_every_form_is_written_in_its_form(numbers: Page, around: str) -> None:
    texts = [around.replace("{}", form) for form in FORMS]
    wanted = [around.replace("{}", form) for form in FORMS.values()]
    assert await swapped(numbers, texts) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "24/7 (306) 555-1234",
        "since 1987 306-555-1234",
        "9:00-17:00 306-555-1234",
        "9:00–17:00 – 306-555-1234",
        "+1 (306) 555-9999 / (306) 555-1234",
        "306-555-9999 | 306-555-1234",
        "306-555-9999, 306-555-1234",
        "306-555-1234 24/7",
        "306-555-1234 $99 special",
        "only 99$ 306-555-1234",
        "Phone # 306-555-1234",
        "S4P 3Y2 (306) 555-1234",
        "306-555-1234,5",
        "18+ (306) 555-1234",
        "306-555-1234/",
        "Tel(306) 555-1234",
        "доб. 306-555-1234",
        "5. 306-555-1234 a",
    ],
)
async def test_what_stands_beside_it_does_not_hide_it(numbers: Page, text: str) -> None:
    (found,) = await swapped(numbers, [text])
    assert found == text.replace("1234", "2001"), text


@pytest.mark.parametrize(
    "text",
    [
        "93065551234",
        "30655512345",
        "1234 3065551234 5678",
        "12-306-555-1234",
        "306-555-1234-56",
        "3065551234.50",
        "306.555.1234.5",
        "12 306 555 1234",
        "306 555 1234 99",
        "+90 306 555 1234",
        "+49 30 306-555-1234",
        "0049 306-555-1234",
        "+306 555 1234",
        "A-3065551234-7",
        "A3065551234",
        "INV-3065551234",
        "3065551234-A",
        "3065551234B",
        "order #3065551234",
        "№3065551234",
        "$3065551234",
        "$ 3065551234",
        "€3065551234",
        "3065551234 €",
        "3065551234 USD",
        "USD 3065551234",
        "3065551234,50 €",
        "3065551234%",
        "$3,065,551,234",
        "1,3065551234",
        "https://shop.example/3065551234",
        "https://shop.example/p?id=3065551234&x=1",
        "//cdn.example/a-306-555-1234.png",
        "www.example.com/306-555-1234",
        "example.com/3065551234/contact",
        "3065551234@example.com",
        "sales.3065551234@example.com",
        "sales@3065551234.example",
        "photo_3065551234.jpg",
        "3065551234.html",
        "id=3065551234",
        "3065551234=x",
        "306555123",
        "306-555-1235",
        "17:3065551234",
        "3065551234:17",
        "306, 555, 1234",
        "306 and 555 and 1234",
        "306          555          1234",
    ],
)
async def test_what_is_no_number_of_its_own_is_left(numbers: Page, text: str) -> None:
    assert await swapped(numbers, [text]) == [text]


@pytest.mark.parametrize(
    ("swap", "text", "wanted"),
    [
        ((LONDON, LONDON_LENT), "+44 (0)20 7946 0018", "+44 (0)20 7946 0555"),
        ((LONDON, LONDON_LENT), "+44 20 7946 0018", "+44 20 7946 0555"),
        ((LONDON, LONDON_LENT), "0044 20 7946 0018", "0044 20 7946 0555"),
        ((LONDON, LONDON_LENT), "020 7946 0018", "020 7946 0555"),
        ((LONDON, LONDON_LENT), "(020) 7946 0018", "(020) 7946 0555"),
        ((LONDON, LONDON_LENT), "02079460018", "02079460555"),
        ((LONDON, LONDON_LENT), "+44 (0) 20/7946-0018", "+44 (0) 20/7946-0555"),
        ((MOSCOW, MOSCOW_LENT), "8 (495) 123-45-67", "8 (495) 765-43-21"),
        ((MOSCOW, MOSCOW_LENT), "+7 495 123-45-67 доб. 5", "+7 495 765-43-21 доб. 5"),
        ((MOSCOW, MOSCOW_LENT), "84951234567", "84957654321"),
        ((BERLIN, BERLIN_LENT), "030 12345678", "030 1234567"),
        ((BERLIN, BERLIN_LENT), "+49 30 12345678, Durchwahl", "+49 30 1234567, Durchwahl"),
        ((BERLIN, BERLIN_LENT), "+493012345678", "+49301234567"),
        ((BERLIN, BERLIN_LENT), "03012345678", "0301234567"),
        ((MAIN, LONDON), "Call (306) 555-1234", "Call +44 20 7946 0018"),
        ((MAIN, LONDON), "Call 3065551234", "Call +442079460018"),
    ],
)
async def test_other_countries_and_other_lengths(numbers: Page, swap: tuple[str, str], text: str, wanted: str) -> None:
    assert await swapped(numbers, [text], [swap]) == [wanted]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("3065551234,5", "3065552001,5"),
        ("+13065551234", "+13065552001"),
        ("+1-306-555-1234", "+1-306-555-2001"),
        ("+443065551234", "+443065551234"),
        ("+44 306-555-1234", "+44 306-555-1234"),
        ("30655512345", "30655512345"),
        ("*673065551234", "*673065551234"),
    ],
)
async def test_in_a_link(numbers: Page, text: str, wanted: str) -> None:
    assert await swapped(numbers, [text], bare=True) == [wanted]


async def test_several_numbers_at_once(numbers: Page) -> None:
    swaps = [(MAIN, LENT), (LONDON, LONDON_LENT)]
    text = "Regina (306) 555-1234, London 020 7946 0018, Regina 306.555.1234"
    wanted = "Regina (306) 555-2001, London 020 7946 0555, Regina 306.555.2001"
    assert await swapped(numbers, [text], swaps) == [wanted]


# Texts made of what numbers are made of, so that near misses are many.
_PIECES = st.one_of(
    st.sampled_from(["1234", "306", "555", "3065551234", "(306) 555-1234", "306-555-1234", "+1", "00", "ext. 5", "😀"]),
    st.sampled_from("3065 -.()/,#$@xAéж電\xa0–\n+:"),
)
_TEXTS = st.lists(st.lists(_PIECES, max_size=14).map("".join), min_size=60, max_size=60)
_SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def _check(before: str, after: str, target: str, number: str) -> None:
    """Digits change only where the whole target stood, and nothing but digits does."""
    assert len(before) == len(after)
    changed = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert all(before[i].isdigit() and after[i].isdigit() for i in changed)
    places = [i for i, letter in enumerate(before) if letter.isascii() and letter.isdigit()]
    digits = "".join(before[i] for i in places)
    covered: set[int] = set()
    for match in re.finditer(f"(?={target})", digits):
        span = places[match.start() : match.start() + len(target)]
        if "".join(after[i] for i in span) == number:
            covered.update(span)
    assert set(changed) <= covered


@_SETTINGS
@given(texts=_TEXTS)
async def test_what_is_not_the_number_stays_byte_for_byte(numbers: Page, texts: list[str]) -> None:
    found = await swapped(numbers, texts)
    again = await swapped(numbers, found)
    for before, after, twice in zip(texts, found, again, strict=True):
        _check(before, after, MAIN[2:], LENT[2:])
        assert twice == after


@_SETTINGS
@given(texts=st.lists(st.text(max_size=80), min_size=60, max_size=60))
async def test_a_text_without_the_number_stays(numbers: Page, texts: list[str]) -> None:
    assert await swapped(numbers, texts) == texts
