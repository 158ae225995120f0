"""What a report shows stands in its address, whole: read, written back, changed by a link, sent by a form."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from yarl import URL

from gateway.attribution.credit import Model
from gateway.http.periods import Period, Span
from gateway.http.refusals import BadRequest
from gateway.http.report_pages import read_view
from gateway.http.report_view import (
    MOST_TOP,
    NAME,
    Compare,
    ReportView,
    Shape,
    compared_question,
    is_canonical,
    question_of,
)
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.measures import Measure

TODAY = date(2026, 3, 31)
IDS = (Dimension.SOURCE, Dimension.POOL)
S, C, D = Dimension.SOURCE, Dimension.CAMPAIGN, Dimension.DEVICE

values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
views = st.builds(
    ReportView,
    st.sampled_from([Period(span) for span in Span if span is not Span.CHOSEN]),
    st.lists(st.sampled_from(Dimension), max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from(Measure), max_size=5, unique=True).map(tuple),
    st.sampled_from(Basis),
    st.none() | st.sampled_from(Model),
    st.sampled_from(Compare),
    st.dictionaries(st.sampled_from(Dimension), values.filter(lambda text: text != "(unknown)"), max_size=3).map(
        lambda found: tuple((each, "7" if each in IDS else found[each]) for each in Dimension if each in found)
    ),
    st.sampled_from(["", NAME, f"-{NAME}", *Measure, *(f"-{each}" for each in Measure)]),
    st.integers(1, MOST_TOP),
    st.none() | st.sampled_from(Shape),
    st.none() | st.integers(1, 99),
)


@given(views)
def test_an_address_says_the_whole_view(view: ReportView) -> None:
    query = URL(view.url()).query
    assert ReportView.parse(query, view.company) == view
    assert is_canonical(query, view)


@given(views)
def test_what_is_kept_is_the_view(view: ReportView) -> None:
    assert read_view(dict(URL("/?" + view.kept).query), view.company) == view


def test_the_usual_report_has_a_short_address() -> None:
    assert ReportView().url() == "/reports"
    assert ReportView.parse({}) == ReportView(by=(S,), compare=Compare.BEFORE, top=25)


def test_months_are_kept_as_months() -> None:
    months = ReportView(by=(C,), path="/reports/months")
    assert months.kept == "view=months&by=campaign"
    assert read_view({"view": "months", "by": "campaign"}, None).url() == "/reports/months?by=campaign"


def test_a_form_without_script_names_things_twice_and_sends_what_is_empty() -> None:
    sent = MultiDict(
        [("by", "source"), ("by", "device"), ("measures", "calls"), ("measures", "jobs"), ("model", ""), ("sort", "")]
    )
    view = ReportView.parse(sent)
    assert not is_canonical(sent, view)
    assert (view.by, view.measures, view.model) == ((S, D), (Measure.CALLS, Measure.JOBS), None)
    assert view.url() == "/reports?by=source,device&measures=calls,jobs"
    nothing_first = ReportView.parse(MultiDict([("by", "none"), ("by", "device")]))
    assert nothing_first.by == (D,)
    assert ReportView.parse(MultiDict([("by", "none"), ("by", "")])).by == ()


@pytest.mark.parametrize(
    "query",
    [
        {"by": "weather"},
        {"by": "source,device,city"},
        {"measures": "calls,luck"},
        {"basis": "moon"},
        {"model": "best"},
        {"compare": "others"},
        {"sort": "-luck"},
        {"top": "0"},
        {"top": "1001"},
        {"top": "²"},
        {"shape": "round"},
        {"where.campaign": "x" * 301},
        {"where.source": "Google"},
        {"where.pool": "9" * 19},
        {"where.city": "a\0b"},
        {"period": "yesteryear"},
    ],
)
def test_an_address_that_cannot_be_one_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        ReportView.parse(query)


def test_a_value_narrows_down_and_its_chip_takes_it_back() -> None:
    view = ReportView(by=(S,), sort="-jobs")
    narrowed = ReportView.parse(URL(view.only(S, "3")).query)
    assert (narrowed.where, narrowed.by, narrowed.sort) == (((S, "3"),), (C,), "-jobs")
    unknown = ReportView.parse(URL(view.only(S, "")).query)
    assert unknown.where == ((S, ""),)
    assert URL(view.only(S, "")).query["where.source"] == "(unknown)"
    both = ReportView.parse(URL(ReportView(by=(S, D)).only(D, "mobile")).query)
    assert (both.by, both.where) == ((S,), ((D, "mobile"),))
    back = ReportView.parse(URL(narrowed.without(S)).query)
    assert (back.where, back.by) == ((), (S,))
    assert ReportView.parse(URL(ReportView(by=(D,), where=((S, "3"),)).without(S)).query).by == (D,)
    deeper = ReportView.parse(URL(ReportView(by=(C,), where=((S, "3"),)).only(C, "roof")).query)
    assert (deeper.by, dict(deeper.where)) == ((Dimension.KEYWORD,), {S: "3", C: "roof"})


def test_a_heading_sorts_and_sorts_the_other_way_round() -> None:
    view = ReportView()
    first = URL(view.sorted_by("jobs", "-calls")).query["sort"]
    assert first == "-jobs"  # the most first
    assert URL(view.sorted_by("jobs", "-jobs")).query["sort"] == "jobs"
    assert URL(view.sorted_by("jobs", "jobs")).query["sort"] == "-jobs"
    assert URL(view.sorted_by(NAME, "-calls")).query["sort"] == NAME
    assert URL(view.sorted_by(NAME, NAME)).query["sort"] == f"-{NAME}"
    assert URL(view.sorted_by(NAME, f"-{NAME}")).query["sort"] == NAME


@pytest.mark.parametrize(
    ("view", "days", "before"),
    [
        (ReportView(), (date(2026, 3, 2), TODAY), (date(2026, 1, 31), date(2026, 3, 1))),
        (ReportView(Period(Span.THIS_MONTH)), (date(2026, 3, 1), TODAY), (date(2026, 2, 1), date(2026, 2, 28))),
        (
            ReportView(Period(Span.LAST_MONTH), compare=Compare.YEAR),
            (date(2026, 2, 1), date(2026, 2, 28)),
            (date(2025, 2, 1), date(2025, 2, 28)),
        ),
        (ReportView(compare=Compare.NONE), (date(2026, 3, 2), TODAY), None),
        (ReportView(Period(Span.ALL)), (date(2025, 5, 5), TODAY), None),
        # Of years without anything, and of days to come, nothing is asked.
        (
            ReportView(Period.between(date(1971, 1, 1), date(2190, 1, 1)), compare=Compare.NONE),
            (date(2024, 3, 31), TODAY),
            None,
        ),
        (
            ReportView(Period.between(date(2030, 1, 1), date(2030, 2, 1)), compare=Compare.NONE),
            (date(2030, 1, 1), date(2030, 1, 1)),
            None,
        ),
    ],
)
def test_the_question(view: ReportView, days: tuple[date, date], before: tuple[date, date] | None) -> None:
    question = question_of(view, 7, Model.LAST, date(2025, 5, 5), TODAY)
    assert (question.since, question.until - timedelta(days=1)) == days
    assert (question.company_id, question.model) == (7, Model.LAST)
    compared = compared_question(view, question, TODAY)
    assert (None if compared is None else (compared.since, compared.until - timedelta(days=1))) == before
