"""Telephone number and address among what was typed, whatever the fields are called; and what is kept of it."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.leads.contact import Value, contact_of
from gateway.leads.lead import MOST_FIELDS, kept_of


@pytest.mark.parametrize(
    ("data", "region", "phone", "email"),
    [
        ({"phone": "306-555-0190", "email": "Ann@Example.com"}, "CA", "+13065550190", "ann@example.com"),
        ({"your-phone": "(306) 555-0190", "your-email": " ann@example.com "}, "CA", "+13065550190", "ann@example.com"),
        ({"phoneNumber": "+44 20 7946 0018"}, "CA", "+442079460018", ""),
        ({"Телефон": "8 (495) 123-45-67", "Почта": "anna@пример.рф"}, "RU", "+74951234567", "anna@пример.рф"),
        ({"Ваш телефон": "+7 495 123 45 67"}, "RU", "+74951234567", ""),
        ({"Rufnummer": "030 123456"}, "DE", "+4930123456", ""),
        ({"tel": "3065550190"}, "CA", "+13065550190", ""),
        ({"phone": 3065550190}, "CA", "+13065550190", ""),
        ({"phone": "306-555-0190 ext. 12"}, "CA", "+13065550190", ""),
        ({"phone": "306-555-0190 or 306-555-0191"}, "CA", "+13065550190", ""),
        # The name says nothing: the value does.
        ({"field_3": "306 555 0190", "field_4": "ann@example.com"}, "CA", "+13065550190", "ann@example.com"),
        ({"message": "Call me at 306-555-0190, or ann+x@mail.example."}, "CA", "+13065550190", "ann+x@mail.example"),
        ({"day_phone": "306-555-0190", "phone_code": "306-555-0191"}, "CA", "+13065550190", ""),
        # A named field goes before what stands in a sentence, and an empty one after it.
        ({"message": "my mother has 306-555-0111", "mobile": "306-555-0190"}, "CA", "+13065550190", ""),
        ({"mobile": "ask me", "message": "306-555-0190"}, "CA", "+13065550190", ""),
        ({"other": "bob@example.org", "email": "ann@example.com"}, "CA", "", "ann@example.com"),
        # Digits that are something else.
        ({"fax": "306-555-0190"}, "CA", "", ""),
        ({"order id": "3065550190", "postal_code": "S4P 3Y2", "budget": "12000"}, "CA", "", ""),
        ({"date": "2026-11-22", "rooms": "4", "year": 1987}, "CA", "", ""),
        ({"hotel": "5551234", "telegram": "@ann"}, "CA", "", ""),
        ({"phone": "no", "email": "ann at example"}, "CA", "", ""),
        ({"phone": True, "newsletter": True}, "CA", "", ""),
        ({}, "CA", "", ""),
    ],
)  # fmt: skip
def test_how_to_reach_a_person(data: Mapping[str, Value], region: str, phone: str, email: str) -> None:
    found = contact_of(data, region)
    assert (found.phone, found.email) == (phone, email)


ANYTHING = st.dictionaries(
    st.text(max_size=30) | st.sampled_from(["phone", "email", "card number"]),
    st.text(max_size=200) | st.integers() | st.floats() | st.booleans() | st.none(),
    max_size=70,
)


@given(ANYTHING)
def test_nothing_typed_is_too_odd(data: dict[str, Value | None]) -> None:
    kept = kept_of(data)
    assert len(kept) <= MOST_FIELDS
    assert all(name and value != "" and "\0" not in name + str(value) for name, value in kept.items())
    found = contact_of(kept, "CA")
    assert found.phone == "" or (
        found.phone.startswith("+") and found.phone[1:].isascii() and found.phone[1:].isdigit()
    )
    assert kept_of(kept) == kept


def test_what_is_kept() -> None:
    kept = kept_of(
        {
            " name ": " Ann\x00 ",
            "text": "one\ntwo\x07",
            "empty": "  ",
            "": "nameless",
            "none": None,
            "yes": True,
            "no": False,
            "rooms": 4,
            "odd": float("inf"),
            "password": "hunter2",
            "your_passwort": "hunter2",
            "card": "4111 1111 1111 1111",
            "like a card": "4111111111111112",
            "CVC": "123",
            "spinner": "kept",
        }
    )
    assert kept == {
        "name": "Ann",
        "text": "one\ntwo",
        "yes": True,
        "no": False,
        "rooms": 4,
        "password": "withheld",
        "your_passwort": "withheld",
        "card": "withheld",
        "like a card": "4111111111111112",
        "CVC": "withheld",
        "spinner": "kept",
    }
    assert len(kept_of({f"field {each}": each for each in range(60)})) == MOST_FIELDS
    assert len(str(kept_of({"text": "x" * 9000})["text"])) == 4000
