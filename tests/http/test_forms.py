"""Forms say in words what is wrong with a field, and read numbers and telephones as their country writes them."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.assets import asset_folder
from gateway.http.forms import Form
from gateway.http.language import load_languages
from gateway.http.words import Words

LANGUAGES = load_languages(asset_folder("web") / "translations")
WORDS = {"CA": Words(LANGUAGES["en"], "CA"), "DE": Words(LANGUAGES["en"], "DE"), "RU": Words(LANGUAGES["ru"], "RU")}


class Colour(StrEnum):
    RED = "red"


def read(kind: str, text: str, region: str = "CA", **rules: Any) -> tuple[Any, str | None]:
    """What a field gives, and what it says is wrong."""
    form = Form({"field": text}, WORDS[region])
    return getattr(form, kind)("field", **rules), form.problems.get("field")


@pytest.mark.parametrize(
    ("kind", "text", "region", "value"),
    [
        ("text", "  Dana \r\n", "CA", "Dana"),
        ("decimal", "1,200.50", "CA", Decimal("1200.50")),
        ("decimal", "1200", "CA", Decimal(1200)),
        ("decimal", "1 200,50", "RU", Decimal("1200.50")),
        ("decimal", "1\u00a0200,5", "RU", Decimal("1200.50")),
        ("whole", "30", "CA", 30),
        ("phone", "(306) 555-0142", "CA", "+13065550142"),
        ("phone", "+44 20 7946 0018", "CA", "+442079460018"),
        ("flag", "yes", "CA", True),
        ("flag", "", "CA", False),
    ],
)
def test_what_is_right(kind: str, text: str, region: str, value: Any) -> None:
    assert read(kind, text, region) == (value, None)


@pytest.mark.parametrize(
    ("kind", "text", "rules", "says"),
    [
        ("text", "   ", {}, "Write something"),
        ("text", "x" * 201, {}, "At most 200"),
        ("text", "a\x00b", {}, "character"),
        ("text", "a\nb", {}, "character"),
        ("decimal", "", {}, "Write a number"),
        ("decimal", "many", {}, "not a number"),
        ("decimal", "NaN", {}, "not a number"),
        ("decimal", "Infinity", {}, "not a number"),
        ("decimal", "-1", {}, "Between"),
        ("decimal", "1e30", {}, "Between"),
        ("whole", "1.5", {}, "whole number"),
        ("whole", "7201", {"most": 7200}, "Between 0 and 7,200"),
        ("phone", "12", {}, "not a telephone number"),
        ("phone", "", {}, "telephone number"),
    ],
)
def test_what_is_wrong_is_said(kind: str, text: str, rules: dict[str, Any], says: str) -> None:
    _, problem = read(kind, text, **rules)
    assert problem is not None
    assert says in problem


def test_a_choice_is_one_of_those_offered() -> None:
    assert Form({"c": "red"}, WORDS["CA"]).choice("c", Colour) is Colour.RED
    form = Form({"c": "blue"}, WORDS["CA"])
    assert form.choice("c", Colour) is None
    assert form.first_problem == "c"


def test_the_first_problem_of_a_field_stays() -> None:
    form = Form({}, WORDS["RU"])
    form.refuse("a", "first")
    form.refuse("a", "second")
    assert form.problems == {"a": "first"}


@given(
    st.text(max_size=80), st.sampled_from(["text", "decimal", "whole", "phone", "flag"]), st.sampled_from(list(WORDS))
)
def test_nothing_that_is_typed_breaks_a_form(text: str, kind: str, region: str) -> None:
    value, problem = read(kind, text, region)
    if kind in ("decimal", "whole", "phone"):
        assert (value is None) == (problem is not None)
