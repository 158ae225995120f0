"""Conditions of pools: what they match, by table; how they are read and written, by property."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pools.conditions import FACTS, Arrival, ConditionError, Device, conditions_of, stored, typed, written
from gateway.visits.source import Source

ARRIVAL = Arrival(
    Source("Google Paid", "Paid Search", "google", "cpc", "Spring Sale", None, "roof repair", "Cj0K", "gclid"),
    landing_page="https://www.example.com/roofing/metal?utm_source=google",
    referrer="https://news.example.org/today/roofs",
    parameters={"utm_source": "google", "utm_term": "Roof Repair"},
    region="CA-SK",
    device="mobile",
    language="fr-CA",
)


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ("", True),
        ("source=google", True),
        ("source=Google", True),
        ("source=bing", False),
        ("source=bing,google", True),
        ("source=goo", False),
        ("source=goo*", True),
        ("source=*", True),
        ("content=*", False),  # nothing is known of it
        ("content=", True),
        ("source=", False),
        ("source=!google", False),
        ("source=!bing", True),
        ("source=!bing,!yahoo", True),
        ("source=goo*,!google", False),
        ("channel=paid search", True),
        ("medium=cpc source=google", True),
        ("medium=cpc source=bing", False),
        ("campaign=spring*", True),
        ("campaign=*SALE", True),
        ("campaign=s*g*e", True),
        ("keyword=roof repair", True),
        ("utm_term=roof*", True),
        ("utm_term=gutter*", False),
        ("utm_id=*", False),
        ("utm_id=", True),
        ("landing_page=/roofing/*", True),
        ("landing_page=/roofing", False),
        ("landing_page=/roofing/metal", True),
        ("landing-page=/siding/*", False),
        ("landing_page=example.com", True),
        ("landing_page=example.com/roofing", True),
        ("landing_page=example.com/roof", False),
        ("landing_page=https://www.example.com/roofing/", True),
        ("landing_page=ple.com", False),
        ("landing_page=!/roofing/*", False),
        ("referrer=example.org", True),
        ("referrer=news.example.org", True),
        ("referrer=s.example.org", False),
        ("referrer=example.org/today", True),
        ("referrer=example.org/tod", False),
        ("referrer=example.org/tod*", True),
        ("referrer=", False),
        ("region=CA", True),
        ("region=ca-sk", True),
        ("region=CA-AB", False),
        ("region=C", False),
        ("device=mobile", True),
        ("device=desktop,tablet", False),
        ("device=!mobile", False),
        ("language=fr", True),
        ("language=fr_CA", True),
        ("language=fr-FR,en", False),
    ],
)
def test_what_holds_of_a_visit(words: str, holds: bool) -> None:
    # "paid search" and "roof repair" have a space: each condition begins with its name.
    split = [word for word in words.replace(" source=", "|source=").split("|") if word]
    assert typed(tuple(split)).hold(ARRIVAL) is holds


def test_an_evil_host_is_no_host_of_ours() -> None:
    for host in ("example.org.evil.example", "notexample.org", "evil.example/?x=example.org"):
        assert not typed(("referrer=example.org",)).hold(Arrival(ARRIVAL.source, referrer=f"https://{host}/"))


@pytest.mark.parametrize(
    ("form", "mend"),
    [
        ({"medum": ["cpc"]}, "medum: nothing of that name .* name one of channel, source"),
        ({"device": ["phone"]}, "device: knows no 'phone'; write desktop, mobile, tablet"),
        ({"source": []}, "source: names no value; leave it away"),
        ({"source": 7}, r'source: write a value or a list of values, such as \["google", "bing"\]'),
        ({"source": [7]}, "source.0: write a value"),
        ({"source": ["x" * 301]}, "source: is too long"),
        ({"parameters": ["utm_term"]}, "parameters: write names with their values"),
        ({"parameters": {"UTM": ["x"]}}, "'UTM' is no parameter of an address; write it in small letters"),
    ],
)
def test_what_cannot_be_read_says_how_to_mend_it(form: dict[str, Any], mend: str) -> None:
    with pytest.raises(ConditionError, match=mend):
        conditions_of(form)


@pytest.mark.parametrize(
    ("word", "mend"),
    [("medium", "write name=value"), ("=cpc", "write name=value"), ("colour=red", "name one of channel, source")],
)
def test_what_is_mistyped_says_how_to_type_it(word: str, mend: str) -> None:
    with pytest.raises(ConditionError, match=mend):
        typed((word,))


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(ConditionError) as raised:
        conditions_of({"device": ["phone"], "medum": ["cpc"], "source": []})
    assert len(str(raised.value).splitlines()) == 3


values = st.lists(st.text(min_size=1, max_size=12).filter(lambda text: text.strip()), min_size=1, max_size=3)
forms = st.dictionaries(st.sampled_from([fact for fact in FACTS if fact != "device"]), values, max_size=4).flatmap(
    lambda form: st.sampled_from(
        [form, {**form, "device": [str(Device.TABLET)]}, {**form, "parameters": {"utm_x": ["a"]}}]
    )
)


@given(form=forms)
def test_what_is_stored_is_read_again(form: dict[str, Any]) -> None:
    conditions = conditions_of(form)
    assert conditions_of(stored(conditions)) == conditions
    assert written(conditions).count("=") >= len(conditions.each)
    conditions.hold(ARRIVAL)


@given(value=st.text(max_size=30), given=st.text(max_size=60))
def test_any_value_meets_any_visit_without_failing(value: str, given: str) -> None:
    arrival = Arrival(Source("x", "x", given or "x", given), given, given, {"utm_term": given}, given, given, given)
    for fact in FACTS:
        if fact != "device":
            conditions_of({fact: [value]}).hold(arrival)


@given(value=st.text(alphabet="ab*.(", min_size=1, max_size=10), text=st.text(alphabet="ab.(", min_size=1, max_size=10))
def test_a_star_stands_for_any_letters(value: str, text: str) -> None:
    def fits(pattern: str, rest: str) -> bool:
        if not pattern:
            return not rest
        if pattern[0] == "*":
            return any(fits(pattern[1:], rest[start:]) for start in range(len(rest) + 1))
        return bool(rest) and rest[0] == pattern[0] and fits(pattern[1:], rest[1:])

    arrival = Arrival(Source("x", "x", "x", "x", campaign=text))
    assert conditions_of({"campaign": [value]}).hold(arrival) is fits(value, text)
