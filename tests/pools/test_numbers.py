"""Telephone numbers as people type them and as carriers send them: by table, and over the examples of every country."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from gateway.pools.numbers import (
    HasExtension,
    NotANumber,
    NumberError,
    UnknownRegion,
    WrongLength,
    checked_region,
    forms,
    printed,
    to_e164,
)

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = (
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.UAN,
    PhoneNumberType.VOIP,
)


def examples() -> list[tuple[str, PhoneNumber]]:
    """(region, number) for each kind of number of each country that libphonenumber gives an example of."""
    found = []
    for region in REGIONS:
        for kind in KINDS:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                found.append((region, number))
    return found


EXAMPLES = examples()


def e164(number: PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("(306) 555-2001", "CA", "+13065552001"),
        ("306.555.2001", "US", "+13065552001"),
        ("1 306 555 2001", "CA", "+13065552001"),
        ("+1-306-555-2001", "DE", "+13065552001"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("tel:+13065552001", "CA", "+13065552001"),
        ("06 698 12345", "IT", "+390669812345"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("  +13065552001\n", "CA", "+13065552001"),
        ("+13065552001", "ca", "+13065552001"),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, region: str, expected: str) -> None:
    assert to_e164(text, region) == expected


@pytest.mark.parametrize(
    ("text", "region", "error", "mend"),
    [
        ("", "CA", NotANumber, "write it as it is dialled"),
        ("the office", "CA", NotANumber, "write it as it is dialled"),
        ("+", "CA", NotANumber, "write it as it is dialled"),
        ("${SHELL(id)}", "CA", NotANumber, "write it as it is dialled"),
        ("+999 12345678", "CA", NotANumber, "write it as it is dialled"),
        ("306 555", "CA", WrongLength, "with its area code"),
        ("306 555 2001 99", "CA", WrongLength, "with its area code"),
        ("555-2001", "CA", WrongLength, "country code"),
        ("(306) 555-2001 x12", "CA", HasExtension, "leave the extension away"),
        ("(306) 555-2001", "Canada", UnknownRegion, "such as CA"),
        ("(306) 555-2001", "", UnknownRegion, "such as CA"),
    ],
)
def test_what_cannot_be_read_says_how_to_mend_it(text: str, region: str, error: type[NumberError], mend: str) -> None:
    with pytest.raises(error, match=mend) as raised:
        to_e164(text, region)
    assert isinstance(raised.value, NumberError)
    assert repr(region if error is UnknownRegion else text) in str(raised.value)


@pytest.mark.parametrize(
    ("number", "region", "expected"),
    [
        (
            "+13065552001",
            "CA",
            {"+13065552001", "13065552001", "3065552001", "01113065552001", "0013065552001"},
        ),
        (
            "+442079460018",
            "GB",
            {"+442079460018", "442079460018", "2079460018", "02079460018", "00442079460018"},
        ),
        (
            "+442079460018",
            "US",
            {"+442079460018", "442079460018", "2079460018", "02079460018", "00442079460018", "011442079460018"},
        ),
        (
            "+74951234567",
            "RU",
            {"+74951234567", "74951234567", "4951234567", "84951234567", "81074951234567", "0074951234567"},
        ),
        (
            "+390669812345",
            "IT",
            {"+390669812345", "390669812345", "0669812345", "00390669812345"},
        ),
        (
            "+4930123456",
            "DE",
            {"+4930123456", "4930123456", "30123456", "030123456", "004930123456"},
        ),
    ],
)
def test_the_forms_of_a_number(number: str, region: str, expected: set[str]) -> None:
    assert forms(number, region) == expected


def test_there_are_enough_examples() -> None:
    assert len(EXAMPLES) > 600
    assert len({region for region, _ in EXAMPLES}) > 230


@given(example=st.sampled_from(EXAMPLES), elsewhere=st.sampled_from(REGIONS))
def test_forms_hold_every_way_the_number_is_dialled(example: tuple[str, PhoneNumber], elsewhere: str) -> None:
    _, number = example
    known = forms(e164(number), elsewhere)
    full = e164(number)[1:]
    ways = {
        f"+{full}",
        full,
        phonenumbers.national_significant_number(number),
        *(
            "".join(filter(str.isdigit, phonenumbers.format_number(number, kind)))
            for kind in (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL)
        ),
    }
    assert ways <= known
    abroad = phonenumbers.format_out_of_country_calling_number(number, elsewhere)
    if not abroad.startswith("+") and phonenumbers.country_code_for_region(elsewhere) != number.country_code:
        assert "".join(filter(str.isdigit, abroad)) in known


@given(example=st.sampled_from(EXAMPLES), elsewhere=st.sampled_from(REGIONS))
def test_forms_are_what_a_user_part_can_hold(example: tuple[str, PhoneNumber], elsewhere: str) -> None:
    for form in forms(e164(example[1]), elsewhere):
        digits = form.removeprefix("+")
        assert digits.isascii()
        assert digits.isdecimal()
        assert form == digits or form == e164(example[1])


@pytest.mark.parametrize("region", REGIONS)
def test_every_form_leads_back_to_its_number(region: str) -> None:
    """What a form says, read by the country's own rules, is the number: no form claims another's calls."""
    for home, number in EXAMPLES:
        if home != region:
            continue
        full = e164(number)
        for form in forms(full, region):
            readings = {form, f"+{form.removeprefix('+')}", f"+{form.removeprefix('00')}"}
            read: list[PhoneNumber] = []
            for text in readings:
                try:
                    read.append(phonenumbers.parse(text, region))
                except phonenumbers.NumberParseException:
                    continue
            # A few countries do not dial all their numbers with the trunk prefix: such a form means nothing else there.
            assert full in map(e164, read) or not any(map(phonenumbers.is_valid_number, read)), (full, form, read)


@given(example=st.sampled_from(EXAMPLES))
def test_what_is_printed_is_read_again(example: tuple[str, PhoneNumber]) -> None:
    region, number = example
    assert to_e164(printed(e164(number), region), region) == e164(number)
    assert to_e164(e164(number), region) == e164(number)


@given(text=st.text(max_size=40), region=st.sampled_from(REGIONS))
def test_any_text_gives_a_number_or_an_error_of_ours(text: str, region: str) -> None:
    try:
        number = to_e164(text, region)
    except NumberError:
        return
    assert number[0] == "+"
    assert number[1:].isdecimal()
    assert 4 <= len(number) - 1 <= 15
    assert number in forms(number, region)


def test_regions_are_two_letters_of_any_case() -> None:
    assert checked_region(" gb ") == "GB"
