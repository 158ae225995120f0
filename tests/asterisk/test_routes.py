"""Routes as text, dial strings, and what AstDB must say."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.asterisk.dialstring import checked_dial_string, checked_sound
from gateway.asterisk.fallback import difference, fallback_entries
from gateway.asterisk.routecode import (
    MAX_BYTES,
    MAX_EXTENSION,
    RouteTooLong,
    can_ask,
    decode_dial,
    decode_reference,
    encode_destinations,
    encode_route,
)
from gateway.calls.directory import Number, build_directory
from gateway.calls.outbound import NoTrunk, NumberForm, attempts, dialled_as
from gateway.calls.outcome import endpoint_of
from gateway.calls.route import Destination, Prompts, Route, Together
from gateway.pools.numbers import forms
from gateway.settings import TrunkSettings

MAIN = Destination("PJSIP/main", 30)


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (Route((MAIN,)), "1|.|0|||PJSIP/main^30"),
        (Route((MAIN, Destination("PJSIP/+1306@carrier", 20))), "1|.|0|||PJSIP/main^30~PJSIP/+1306@carrier^20"),
        (
            Route((MAIN,), True, "custom/recorded", "custom/google", 7, 3),
            "1|7.3|1|custom/recorded|custom/google|PJSIP/main^30",
        ),
        (Route((), number_id=7), "1|7.|0|||"),
        (Route((MAIN,), did="+13065552001"), "1|.|0|||PJSIP/main^30|+13065552001"),
        (
            Route((MAIN,), did="+13065552001", main_number="+13065550000"),
            "1|.|0|||PJSIP/main^30|+13065552001|+13065550000",
        ),
        (Route((), number_id=7, did="+13065552001", blocked=True), "1|7.|0||||+13065552001||block"),
        (Route((MAIN,), prompts=Prompts(press_one="custom/press-1")), "1|.|0|||PJSIP/main^30|||||custom/press-1"),
        (
            Route((Destination("PJSIP/a-b", 20, press_one=True),)),
            "1|.|0|||Local/20-1-PJSIP%2Fa-b@numberpool-accept/n^65",
        ),
    ],
)
def test_a_route_as_text(route: Route, text: str) -> None:
    assert encode_route(route) == text


TRUNKS = (
    TrunkSettings(name="a"),
    TrunkSettings(name="b", form=NumberForm.E164),
    TrunkSettings(name="c", form=NumberForm.NATIONAL, country="CA"),
)


def test_a_number_outside_over_the_trunks_of_a_node() -> None:
    route = Route((MAIN, Destination("Trunk/+13065551234", 20)))
    over_all = "PJSIP/+13065551234@a!PJSIP/13065551234@b!PJSIP/3065551234@c^20"
    assert encode_route(route, TRUNKS) == f"1|.|0|||PJSIP/main^30~{over_all}"
    assert encode_route(route, TRUNKS[:1]) == "1|.|0|||PJSIP/main^30~PJSIP/+13065551234@a^20"
    with pytest.raises(NoTrunk, match=r"\[\[nodes\.trunks\]\]"):
        encode_route(route)


def test_several_telephones_of_which_some_ask_to_press_1() -> None:
    """Each has a clock of its own: whoever has picked up is not cut off while they are asked."""
    steps = (Together(("PJSIP/main", "PJSIP/a&PJSIP/b", "Trunk/+13065551234"), 20, frozenset({"Trunk/+13065551234"})),)
    far, main = "Local/20-1-PJSIP%2F%2B13065551234%40a", "Local/20-0-PJSIP%2Fmain"
    both = "Local/20-0-PJSIP%2Fa@numberpool-accept/n&Local/20-0-PJSIP%2Fb@numberpool-accept/n"
    assert encode_destinations(steps, TRUNKS[:1]) == f"{main}@numberpool-accept/n&{both}&{far}@numberpool-accept/n^65"


@given(st.from_regex(r"[A-Za-z]{3,5}/[A-Za-z0-9_.+@:=*#-]{1,40}", fullmatch=True), st.integers(5, 600))
def test_what_asks_to_press_1_is_found_again(dial: str, seconds: int) -> None:
    """In a leg, and in the name of a channel."""
    assume("Local/" not in dial)
    text = encode_destinations((Destination(dial, seconds, press_one=True),))
    asked, _, waits = text.partition("^")
    assert decode_dial(asked) == dial
    assert can_ask(dial) == (asked != dial)
    assert int(waits) >= seconds
    if can_ask(dial):
        assert endpoint_of(f"{asked.removesuffix('/n')}-0000002a;1") == dial
        extension = asked.removeprefix("Local/").partition("@")[0]
        assert len(extension) <= MAX_EXTENSION
        assert not set(extension) & set("~^!|&,$ ")


@pytest.mark.parametrize("dial", ["Dialplan/600@queues", "PJSIP/" + "x" * 90])
def test_where_nobody_can_be_asked_it_rings_as_ever(dial: str) -> None:
    assert encode_destinations((Destination(dial, 20, press_one=True),)) == f"{dial}^20"


@pytest.mark.parametrize(
    ("e164", "form", "country", "text"),
    [
        ("+13065551234", NumberForm.PLUS_E164, None, "+13065551234"),
        ("+13065551234", NumberForm.E164, None, "13065551234"),
        ("+13065551234", NumberForm.NATIONAL, "CA", "3065551234"),
        ("+12015550123", NumberForm.NATIONAL, "CA", "2015550123"),
        ("+442079460018", NumberForm.NATIONAL, "CA", "011442079460018"),
        ("+442079460018", NumberForm.NATIONAL, "GB", "02079460018"),
        ("+13065551234", NumberForm.NATIONAL, "DE", "0013065551234"),
        ("+493012345678", NumberForm.NATIONAL, "DE", "03012345678"),
    ],
)
def test_a_number_as_a_trunk_wants_it(e164: str, form: NumberForm, country: str | None, text: str) -> None:
    assert dialled_as(e164, form, country) == text


@given(st.from_regex(r"\+[1-9][0-9]{5,13}", fullmatch=True), st.sampled_from(("CA", "GB", "DE", "US", "FR", "AR")))
def test_any_number_becomes_dial_strings_and_nothing_else(e164: str, country: str) -> None:
    trunks = (*TRUNKS[:2], TrunkSettings(name="n", form=NumberForm.NATIONAL, country=country))
    for dial in attempts(f"Trunk/{e164}", trunks):
        assert checked_dial_string(dial) == dial


@pytest.mark.parametrize("number", ["1", "+1|2", "+1\n2", "", "3065552001", "+1${x}"])
def test_what_is_no_number_of_ours_is_left_out_of_a_route(number: str) -> None:
    assert encode_route(Route((MAIN,), did=number, main_number=number)) == "1|.|0|||PJSIP/main^30"


DIAL_STRINGS = [
    "PJSIP/main",
    "PJSIP/a&PJSIP/b",
    "PJSIP/+13065551234@carrier",
    "SIP/x",
    "Local/s@queue/n",
    "Trunk/+13065551234",
    "Dialplan/600@queues",
    "DAHDI/g1/5551234",
]
NO_DIAL_STRINGS = [
    *("PJSIP/a!PJSIP/b", "PJSIP/a&Trunk/+13065551234", "Trunk"),
    *("", "main", "PJSIP/", "/main", "PJSIP/a,30", "PJSIP/a b", "PJSIP/${SHELL(x)}", "PJSIP/a|b", "PJSIP/a^b"),
    *(
        "PJSIP/a~b",
        "PJSIP/a&",
        "&PJSIP/a",
        "PJSIP/a\nb",
        "PJSIP/a\r\nAction: x",
        "PJSIP/a;b",
        'PJSIP/"a"',
        "PJSIP/a(b)",
    ),
    *("PJSIP/a$[1]", "PJSIP/ä", "PJSIP/a\0", "PJSIP/" + "a" * 200, "PJSIP/a\n"),
]


@pytest.mark.parametrize("text", DIAL_STRINGS)
def test_a_dial_string(text: str) -> None:
    assert checked_dial_string(text) == text


@pytest.mark.parametrize("text", NO_DIAL_STRINGS)
def test_no_dial_string(text: str) -> None:
    with pytest.raises(ValueError, match="is not a dial string"):
        checked_dial_string(text)
    with pytest.raises(ValueError, match="is not a dial string"):
        encode_route(Route((Destination(text, 30),)))


@pytest.mark.parametrize("text", ["Trunk/", "Trunk/main", "Trunk/3065551234", "Trunk/+1306!x", "Trunk/+1306&PJSIP/a"])
def test_no_number_outside(text: str) -> None:
    with pytest.raises(ValueError, match="names no number outside"):
        checked_dial_string(text)


@pytest.mark.parametrize("text", ["../etc/passwd", "a b", "a&b", "a,b", "", "a.wav", "${x}", "a|b", "a\n", "a" * 121])
def test_no_sound(text: str) -> None:
    with pytest.raises(ValueError, match="does not name a sound"):
        checked_sound(text)


@given(st.text())
def test_no_text_leaves_its_place_in_a_route(text: str) -> None:
    """Whatever a destination or a sound is called, the route has its six parts and one line, or is refused."""
    for route in (Route((Destination(text, 30),)), Route((MAIN,), False, text), Route((MAIN,), False, None, text)):
        try:
            line = encode_route(route)
        except ValueError:
            continue
        assert line.count("|") == 5
        assert line.isprintable()
        assert line.isascii()
        assert not set(line) & set(",${}[]()\"'; ")


def test_a_route_too_long_for_asterisk() -> None:
    longest = Destination("PJSIP/" + "a" * 190, 30)
    assert len(encode_route(Route((longest,) * 4))) <= MAX_BYTES
    with pytest.raises(RouteTooLong):
        encode_route(Route((longest,) * 5))


@pytest.mark.parametrize(
    ("text", "reference"),
    [("7.3", (7, 3)), ("7.", (7, None)), (".", (None, None)), ("", (None, None)), ("x.y", (None, None))],
)
def test_a_reference(text: str, reference: tuple[int | None, int | None]) -> None:
    assert decode_reference(text) == reference


maps = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=6)


@given(maps, maps)
def test_the_difference_makes_them_equal_and_touches_nothing_else(
    wanted: dict[str, str], present: dict[str, str]
) -> None:
    change = difference(wanted, present)
    after = {key: value for key, value in present.items() if key not in change.delete} | dict(change.put)
    assert after == wanted
    assert not set(change.put) & change.delete
    assert all(present.get(key) != value for key, value in change.put.items())
    assert bool(change) == (wanted != present)


def number(id: int, e164: str, region: str = "CA", dial: str = "PJSIP/main") -> Number:
    route = Route((Destination(dial, 30),), number_id=id)
    return Number(id, 1, e164, None, route, forms(e164, region))


def test_every_form_of_every_number_and_the_default() -> None:
    directory = build_directory([number(1, "+13065552001")], {1: "CA"}, 1, Route((MAIN,)))
    assert fallback_entries(directory) == {
        **dict.fromkeys(
            ("+13065552001", "13065552001", "3065552001", "01113065552001", "0013065552001"), "1|1.|0|||PJSIP/main^30"
        ),
        "default": "1|.|0|||PJSIP/main^30",
    }


def test_a_route_that_cannot_be_written_leaves_the_others() -> None:
    directory = build_directory(
        [number(1, "+13065552001", dial="PJSIP/a,b"), number(2, "+13065552002")],
        {1: "CA"},
        1,
        Route((Destination("no dial string", 30),)),
    )
    entries = fallback_entries(directory)
    assert set(entries.values()) == {"1|2.|0|||PJSIP/main^30"}
    assert "+13065552002" in entries


def test_the_full_number_wins_over_anothers_national_form() -> None:
    """A number whose digits are another's national form: each is met by its full number."""
    american, german = number(1, "+12015550123"), number(2, "+4920155501234", "DE")
    directory = build_directory([american, german], {1: "CA"}, 1, Route((MAIN,)))
    for each in (american, german):
        assert directory.match([each.e164]) is each
        assert directory.match([each.e164.removeprefix("+")]) is each
    assert directory.match(["", "nothing", "4920155501234"]) is german
    assert directory.match([]) is None
    assert directory.decide(["unknown"]) == directory.default_route
