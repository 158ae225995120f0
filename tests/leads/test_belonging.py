"""Whose a call or a form is, by table and by property."""

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.leads.belonging import MOST_CONTACTS_OF_BROWSER, Key, KeyKind, Owner, Register
from gateway.leads.naming import name_of

PHONE, OTHER_PHONE = Key(KeyKind.PHONE, "+13065550142"), Key(KeyKind.PHONE, "+13065550199")
EMAIL = Key(KeyKind.EMAIL, "dana@example.com")
BROWSER = Key(KeyKind.VISITOR, "0199-1")


def placed(entries: Sequence[Sequence[Key]], register: Register | None = None) -> list[int | None]:
    """Whose each entry is once all were looked at; people are numbered from 1 as they are met."""
    register = register or Register()
    ids = count(1)
    found = [register.place(keys, lambda: next(ids)) for keys in entries]
    return [register.now(person) if person is not None else None for person in found]


@pytest.mark.parametrize(
    ("entries", "whose"),
    [
        ([], []),
        ([[]], [None]),
        ([[PHONE], [PHONE]], [1, 1]),
        ([[PHONE], [OTHER_PHONE]], [1, 2]),
        ([[PHONE], [PHONE, EMAIL], [EMAIL]], [1, 1, 1]),
        ([[PHONE], [EMAIL], [PHONE, EMAIL]], [1, 1, 1]),
        ([[PHONE], [EMAIL], [BROWSER], [BROWSER, EMAIL], [BROWSER, PHONE]], [1, 1, 1, 1, 1]),
        ([[PHONE, BROWSER], [OTHER_PHONE, BROWSER]], [1, 1]),
    ],
)
def test_number_address_and_browser_tell(entries: list[list[Key]], whose: list[int | None]) -> None:
    assert placed(entries) == whose


def test_parted_people_stay_parted_and_the_number_decides() -> None:
    register = Register.of({PHONE: Owner(1), EMAIL: Owner(2)}, [(1, 2)], {1: 1, 2: 1})
    assert placed([[PHONE, EMAIL], [EMAIL]], register) == [1, 2]


def test_whoever_is_joined_takes_his_partings_along() -> None:
    third = Key(KeyKind.EMAIL, "third@example.com")
    owners = {PHONE: Owner(1), EMAIL: Owner(2), third: Owner(3)}
    register = Register.of(owners, [(2, 3)], {1: 1, 2: 1, 3: 1})
    assert placed([[PHONE, EMAIL], [PHONE, third], [third]], register) == [1, 1, 3]


def test_a_shared_number_joins_nobody_and_keeps_what_has_no_other_sign() -> None:
    register = Register.of({PHONE: Owner(7, is_shared=True)}, [], {7: 1})
    other = Key(KeyKind.EMAIL, "other@example.com")
    assert placed([[PHONE], [PHONE, EMAIL], [PHONE, other], [PHONE]], register) == [7, 1, 2, 7]


def test_a_browser_of_many_people_tells_nothing() -> None:
    numbers = [Key(KeyKind.PHONE, f"+1306555010{n}") for n in range(9)]
    whose = placed([[number, BROWSER] for number in numbers])
    assert whose[:MOST_CONTACTS_OF_BROWSER] == [1] * MOST_CONTACTS_OF_BROWSER
    assert len(set(whose)) == 1 + len(numbers) - MOST_CONTACTS_OF_BROWSER


NUMBERS_AND_ADDRESSES = st.sampled_from(
    [*(Key(KeyKind.PHONE, f"+130655501{n:02}") for n in range(6)), *(Key(KeyKind.EMAIL, f"{n}@x.org") for n in "abcd")]
)
ENTRIES = st.lists(st.lists(NUMBERS_AND_ADDRESSES, min_size=1, max_size=2, unique_by=lambda key: key.kind), max_size=12)


@given(ENTRIES, st.randoms())
def test_the_order_does_not_matter(entries: list[list[Key]], dice: object) -> None:
    order = list(range(len(entries)))
    dice.shuffle(order)  # type: ignore[attr-defined]
    straight, shuffled = placed(entries), placed([entries[place] for place in order])
    pairs = dict(zip(order, shuffled, strict=True))
    for one in order:
        for other in order:
            assert (straight[one] == straight[other]) == (pairs[one] == pairs[other])


@given(ENTRIES)
def test_again_changes_nothing(entries: list[list[Key]]) -> None:
    register = Register()
    once = placed(entries, register)
    assert placed(entries, register) == once


@given(ENTRIES, st.sets(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=4))
def test_nobody_parted_is_ever_joined(entries: list[list[Key]], pairs: set[tuple[int, int]]) -> None:
    apart = [pair for pair in pairs if pair[0] != pair[1]]
    keys = [Key(KeyKind.PHONE, f"+130655501{n - 1:02}") for n in range(1, 7)]
    register = Register.of({key: Owner(n) for n, key in enumerate(keys, 1)}, apart, dict.fromkeys(range(1, 7), 1))
    ids = count(100)
    for entry in entries:
        register.place(entry, lambda: next(ids))
    for one, other in apart:
        assert register.now(one) != register.now(other)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"name": "Dana  Whitford", "email": "d@x.org"}, "Dana Whitford"),
        ({"your-name": "Maria Lavallée"}, "Maria Lavallée"),
        ({"first_name": "Maria", "lastName": "Lavallée"}, "Maria Lavallée"),
        ({"Name": "Maria", "Nachname": "Huber"}, "Maria Huber"),
        ({"Имя": "Олена"}, "Олена"),
        ({"company_name": "Acme", "message": "hello"}, ""),
        ({"name": "x@example.com"}, ""),
        ({"name": "https://spam.example//x"}, ""),
        ({"name": 7, "consent": True}, ""),
        ({"name": "N" * 500}, ""),
    ],
)
def test_names_in_forms(data: dict[str, object], name: str) -> None:
    assert name_of(data) == name
