"""Charts as values: what is folded is not lost, and every figure is said in the reader's words."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateway.assets import asset_folder
from gateway.http.chart import PALETTE, Chart, Kind, Line, Look, Step, Unit, folded
from gateway.http.language import load_languages
from gateway.http.words import Words

figures = st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=1, max_size=20)


@given(figures, st.integers(2, 10))
def test_folding_keeps_every_step_s_total(rows: list[list[int]], most: int) -> None:
    lines = [Line(str(place), tuple(row)) for place, row in enumerate(rows)]
    kept = folded(lines, "Others", most)
    assert 1 <= len(kept) <= most
    for step in range(3):
        assert sum(float(line.values[step] or 0) for line in kept) == sum(row[step] for row in rows)
    named = [line.total for line in kept if line.look is not Look.OTHERS]
    assert named == sorted(named, reverse=True)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20), st.integers(2, 8))
def test_no_two_of_a_stack_are_of_one_colour(colours: list[int], most: int) -> None:
    lines = [Line(str(place), (100 - place,), colour=colour) for place, colour in enumerate(colours)]
    kept = [line for line in folded(lines, "Others", most) if line.look is not Look.OTHERS]
    assert len({(line.colour or 0) % PALETTE for line in kept}) == len(kept)
    own = [colours[int(line.name)] for line in kept]
    for line, colour in zip(kept, own, strict=True):
        if [each % PALETTE for each in own].count(colour % PALETTE) == 1 or line is kept[0]:
            assert line.colour == colour


def test_what_brought_nothing_is_left_out_unless_nothing_brought_anything() -> None:
    none, some = Line("Radio", (0, 0)), Line("Google Ads", (1, 2))
    assert folded([none, some], "Others") == (some,)
    assert folded([none, none], "Others") == (none,)


def test_figures_are_said_in_the_reader_s_words() -> None:
    languages = load_languages(asset_folder("web") / "translations")
    english, russian = Words(languages["en"], "CA"), Words(languages["ru"], "RU")

    def chart(unit: Unit, value: Decimal | float) -> Chart:
        return Chart("x", Kind.LINES, "x", "Day", (Step("1", "1"),), (Line("x", (value,)),), unit, "CAD")

    said: list[tuple[Unit, Decimal | float, str, str]] = [
        (Unit.COUNT, 1000, "1,000", "1\xa0000"),
        (Unit.MONEY, Decimal("55.555"), "$55.56", "55,56\xa0CA$"),
        (Unit.SHARE, 0.5, "50%", "50\xa0%"),
        (Unit.SECONDS, 192.0, "3:12", "3:12"),
        (Unit.RATIO, 8.333, "8.3", "8,3"),
    ]
    for unit, value, in_english, in_russian in said:
        assert chart(unit, value).said(english, value) == in_english
        assert chart(unit, value).said(russian, value) == in_russian
    assert chart(Unit.COUNT, 0).said(english, None) == "–"
