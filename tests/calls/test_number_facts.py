"""What a telephone number itself tells."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.number_facts import NOTHING, NumberKind, facts_of

WINTER = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "language", "place", "kind", "zone"),
    [
        ("+13065550142", "en", "Saskatchewan", NumberKind.UNKNOWN, "America/Regina"),
        ("+442079460018", "en", "London", NumberKind.FIXED, "Europe/London"),
        ("+79161234567", "en", "Russia", NumberKind.MOBILE, None),  # eleven hours of it
        ("+79161234567", "ru", "Россия", NumberKind.MOBILE, None),
        ("+18005551234", "en", "", NumberKind.TOLL_FREE, None),
    ],
)
def test_place_kind_and_zone(number: str, language: str, place: str, kind: NumberKind, zone: str | None) -> None:
    facts = facts_of(number, language, WINTER)
    assert (facts.place, facts.kind, facts.zone and facts.zone.key) == (place, kind, zone)


def test_whose_network() -> None:
    assert facts_of("+447400123456", "en").carrier != ""
    assert facts_of("+13065550142", "en").carrier == ""  # no plan tells that in North America


@pytest.mark.parametrize("number", [None, "", "anonymous", "3065550142", "+", "+1", "+999", "+1306555014299999"])
def test_nothing_is_known_of_what_is_no_number(number: str | None) -> None:
    assert facts_of(number, "en") == NOTHING


@given(st.text(alphabet="+0123456789 ", max_size=20))
def test_whatever_comes_is_taken(number: str) -> None:
    facts_of(number, "ru", WINTER)
