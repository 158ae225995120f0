"""Regions as readers call them."""

import pytest

from gateway.assets import asset_folder
from gateway.calls.region import region_of
from gateway.http.language import load_languages
from gateway.http.region_names import STATES
from gateway.http.words import Words

LANGUAGES = load_languages(asset_folder("web") / "translations")


@pytest.mark.parametrize(
    ("number", "home", "english", "russian"),
    [
        ("+13065550142", "CA", "Saskatchewan", "Саскачеван"),
        ("+12125550142", "US", "New York", "Нью-Йорк"),
        ("+14045550142", "US", "Georgia", "Джорджия"),
        ("+37322123456", "MD", "Chisinau", "Кишинэу"),
        ("+79161234567", "RU", "Russia", "Россия"),
        ("+493012345678", "DE", "Berlin", "Berlin"),  # phonenumbers has no Russian name of it
    ],
)
def test_a_region_is_said_in_the_readers_language(number: str, home: str, english: str, russian: str) -> None:
    region = region_of(number)
    assert Words(LANGUAGES["en"], home).place(region) == english
    assert Words(LANGUAGES["ru"], home).place(region) == russian


def test_every_state_has_a_russian_name() -> None:
    words = Words(LANGUAGES["ru"], "CA")
    assert [name for name in STATES if words.place(name) == name] == []
    assert Words(LANGUAGES["ru"], "DE").place("Georgia") == "Грузия"
    assert words.place("") == ""
    assert words.filter_value("region", "Ontario") == "Онтарио"
