"""A report's table holds all that was answered: sorted, cut and put across the page, its parts add up to the whole."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.assets import asset_folder
from gateway.attribution.credit import Model
from gateway.http.language import load_languages
from gateway.http.report_across import MOST_COLUMNS, across
from gateway.http.report_table import Pair, Shown, paired, table, usual_measures
from gateway.http.report_view import NAME, ReportView
from gateway.http.report_words import change, figure, in_sentence
from gateway.http.words import Words
from gateway.reports.dimension import Dimension
from gateway.reports.figures import Answer, Key, Row
from gateway.reports.measures import Measure, Measures

LANGUAGES = load_languages(asset_folder("web") / "translations")
ENGLISH, RUSSIAN = Words(LANGUAGES["en"], "US"), Words(LANGUAGES["ru"], "RU")
M = Measure

figures = st.builds(
    lambda calls, answered, jobs, value, spend: Measures(
        calls=calls, answered=min(calls, answered), jobs=jobs, value=Decimal(value), spend=spend
    ),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 9),
    st.integers(0, 9999),
    st.none() | st.integers(1, 500).map(Decimal),
)


def answer_of(cells: Mapping[tuple[str, ...], Measures]) -> Answer:
    rows = tuple(Row(tuple(Key(key, f"Name {key}") for key in keys), each) for keys, each in cells.items())
    return Answer(rows, sum(cells.values(), Measures(spend=Decimal(0))))


def shown_by(view: ReportView, *measures: Measure) -> Shown:
    return Shown(view, measures, ENGLISH, "USD", Model.FIRST, lambda values, measure: f"/calls?{len(values)}")


keys = st.text("abcdef", max_size=2)
sorts = st.sampled_from(["", NAME, "-name", "calls", "-calls", "answer_rate", "-answer_rate", "-cost_per_job"])


@given(st.dictionaries(st.tuples(keys), figures, max_size=30), st.integers(1, 12), sorts, st.booleans())
def test_lines_and_others_are_the_whole(
    cells: dict[tuple[str, ...], Measures], top: int, sort: str, compared: bool
) -> None:
    view = ReportView(by=(Dimension.CAMPAIGN,), top=top, sort=sort)
    shown = shown_by(view, M.CALLS, M.ANSWER_RATE, M.COST_PER_JOB)
    answer = answer_of(cells)
    laid_out = table(shown, answer, answer if compared else None)
    assert sum(float(line.cells[0].value or 0) for line in laid_out.lines) == answer.total.calls
    assert laid_out.total.cells[0].value == answer.total.calls
    others = [line.others for line in laid_out.lines if line.others]
    assert len(laid_out.lines) == min(len(cells), top + 1)
    assert sum(others) + len(laid_out.lines) - len(others) == len(cells)
    assert all(cell.change == "" for line in laid_out.lines for cell in line.cells)  # nothing changed
    name = shown.sort.lstrip("-")
    own = [line for line in laid_out.lines if not line.others]
    if name == NAME:
        names = [line.name.casefold() for line in own]
        assert names == sorted(names, reverse=shown.sort.startswith("-"))
    else:
        place = [measure.value for measure in shown.measures].index(name)
        values = [line.cells[place].value for line in own]
        known = [float(value) for value in values if value is not None]
        assert known == sorted(known, reverse=shown.sort.startswith("-"))
        assert values[: len(known)] == [value for value in values if value is not None]  # the unsayable come last


@given(st.dictionaries(st.tuples(keys, keys), figures, max_size=60), st.integers(1, 6))
def test_two_dimensions_add_up_below_and_across(cells: dict[tuple[str, ...], Measures], top: int) -> None:
    view = ReportView(by=(Dimension.CAMPAIGN, Dimension.CITY), top=top)
    shown = shown_by(view, M.CALLS)
    answer = answer_of(cells)
    first: dict[tuple[str, ...], Measures] = {}
    for each, measures in cells.items():
        first[each[:1]] = first.get(each[:1], Measures(spend=Decimal(0))) + measures
    heads: list[Pair] = paired(answer_of(first).rows, None)
    below = table(shown, answer, None, heads)
    assert sum(float(line.cells[0].value or 0) for line in below.lines if not line.level) == answer.total.calls
    laid_out = across(shown, answer, None, heads)
    width = len(laid_out.headings)
    assert width <= MOST_COLUMNS + 1
    for line in (*laid_out.lines, laid_out.total):
        assert len(line.cells) == width
        values = [float(cell.value or 0) for cell in line.cells]
        assert sum(values[:-1]) == values[-1]
    for place in range(width):
        column = sum(float(line.cells[place].value or 0) for line in laid_out.lines)
        assert column == float(laid_out.total.cells[place].value or 0)


def test_what_was_there_only_before_is_told_too() -> None:
    now, before = answer_of({("a",): Measures(calls=3)}), answer_of({("b",): Measures(calls=2)})
    found = {
        pair.keys[0].value: (pair.now.calls, pair.before and pair.before.calls)
        for pair in paired(now.rows, before.rows)
    }
    assert found == {"a": (3, 0), "b": (0, 2)}


def test_money_is_shown_where_there_is_some() -> None:
    assert M.SPEND not in usual_measures(Measures(calls=3))
    assert M.COST_PER_JOB in usual_measures(Measures(calls=3, spend=Decimal(5)))
    assert M.VALUE in usual_measures(Measures(calls=3, value=Decimal(5)))


@pytest.mark.parametrize(
    ("measure", "now", "before", "text", "tone"),
    [
        (M.CALLS, 57, 50, "▲ 14%", "better"),
        (M.CALLS, 50, 57, "▼ 12%", "worse"),
        (M.CALLS, 3, 1, "▲ 2", "better"),  # 200% of so few would say nothing
        (M.CALLS, 300, 20, "▲ 15×", "better"),
        (M.CALLS, 7, 7, "", ""),
        (M.CALLS, 7, None, "", ""),
        (M.MISSED, 30, 20, "▲ 50%", "worse"),
        (M.COST_PER_JOB, Decimal(72), Decimal(93), "▼ 23%", "better"),
        (M.COST_PER_JOB, None, Decimal(93), "", ""),
        (M.ANSWER_RATE, 0.81, 0.78, "▲ 3 points", "better"),
        (M.ANSWER_RATE, 0.781, 0.78, "", ""),
        (M.SPEND, Decimal(200), Decimal(100), "▲ 100%", ""),
        (M.RETURN_RATIO, 8.3, 0.0, "", ""),  # nothing to compare with
        (M.CALLS, 1001, 1000, "", ""),
    ],
)
def test_a_change(measure: Measure, now: float | None, before: float | None, text: str, tone: str) -> None:
    assert change(ENGLISH, measure, now, before) == (text, tone if text else "")


@pytest.mark.parametrize(
    ("measure", "measures", "text"),
    [
        (M.CALLS, Measures(calls=1204), "1,204"),
        (M.ANSWER_RATE, Measures(calls=8, answered=5), "62%"),
        (M.ANSWER_RATE, Measures(), "–"),
        (M.COST_PER_JOB, Measures(jobs=18, spend=Decimal(1000)), "$55.56"),
        (M.SPEND, Measures(spend=Decimal(1000)), "$1,000"),
        (M.RETURN_RATIO, Measures(value=Decimal(8300), spend=Decimal(1000)), "8.3×"),
        (M.AVERAGE_TALK, Measures(answered=2, talk_seconds=384), "3:12"),
        (M.EXPECTED, Measures(expected=46.2, expected_error=3.4), "46 ± 3"),
        (M.EXPECTED, Measures(expected=6.1, expected_error=0.44), "6 ± 0.4"),
        (M.EXPECTED, Measures(expected=46.0, expected_error=0.0), "46"),
        (M.CALLERS, Measures(), "–"),
    ],
)
def test_a_figure(measure: Measure, measures: Measures, text: str) -> None:
    assert figure(ENGLISH, measure, measures, "USD") == text


def test_parts_of_calls_have_a_digit_and_people_have_none() -> None:
    shared = Measures(calls=39.25, callers=36)
    assert figure(ENGLISH, M.CALLS, shared, "USD", in_parts=True) == "39.2"
    assert figure(ENGLISH, M.CALLS, Measures(), "USD", in_parts=True) == "0"
    assert figure(ENGLISH, M.CALLERS, shared, "USD", in_parts=True) == "36"


def test_the_sentence() -> None:
    assert in_sentence(ENGLISH, (M.CALLS, M.JOBS, M.COST_PER_JOB)) == "Calls, jobs and cost per job"
    assert in_sentence(ENGLISH, (M.CALLS,)) == "Calls"
    assert in_sentence(ENGLISH, tuple(M)[:9]) == "Callers, calls, answered, missed and 5 more"
    assert in_sentence(RUSSIAN, (M.CALLS, M.JOBS)) == "Звонки и заказы"
