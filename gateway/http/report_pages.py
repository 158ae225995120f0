"""The report page: what came of it, told by anything, compared with anything; and its months beside one another."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.attribution.credit import Model
from gateway.http import report_words, saved_views
from gateway.http.accounts import Company
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.permissions import Permission
from gateway.http.rendering import render, words_for
from gateway.http.report import make_report
from gateway.http.report_chart import chart_of
from gateway.http.report_months import SHADES, month_table
from gateway.http.report_view import MONTHS_PATH, NOTHING, PATH, TOPS, Compare, ReportView, Shape, is_canonical
from gateway.http.routing import companies_with
from gateway.http.saved_views import KeptPage
from gateway.http.scope import company_of
from gateway.http.words import Words
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.measures import Measure

# What a form offers to be shown, in the order in which people ask.
MEASURES = (
    Measure.CALLS,
    Measure.CALLERS,
    Measure.ANSWERED,
    Measure.MISSED,
    Measure.ANSWER_RATE,
    Measure.FIRST_TIME,
    Measure.QUALIFIED,
    Measure.EXPECTED,
    Measure.LEADS,
    Measure.JOBS,
    Measure.VALUE,
    Measure.SPEND,
    Measure.COST_PER_CALL,
    Measure.COST_PER_JOB,
    Measure.RETURN_RATIO,
    Measure.PROFIT,
    Measure.TALK_SECONDS,
    Measure.AVERAGE_TALK,
    Measure.AVERAGE_RING,
)
# What adds up over months.
OF_MONTHS = tuple(each for each in MEASURES if each not in (Measure.CALLERS, Measure.EXPECTED))


def read_view(query: Mapping[str, str], company: int | None) -> ReportView:
    """A report as an address has it, or as it was kept."""
    return ReportView.parse(query, company, MONTHS_PATH if query.get("view") == "months" else PATH)


REPORTS = KeptPage(PATH, "reports", read_view)


def view_of(request: web.Request, company: Company, path: str = PATH) -> ReportView:
    """The report that the address asks for."""
    return ReportView.parse(request.query, company.id if len(request[ALLOWED]) > 1 else None, path)


async def report_page(request: web.Request) -> web.StreamResponse:
    """Figures told by up to two dimensions, with what they were before."""
    company = company_of(request)
    if request.query.get("view") == "months":
        raise web.HTTPSeeOther(view_of(request, company, MONTHS_PATH).url())
    view, words = view_of(request, company), words_for(request, company)
    if not is_canonical(request.query, view):
        raise web.HTTPSeeOther(view.url())
    async with request.app[PARTS].database.companies(company.id) as connection:
        report = await make_report(connection, company, view, words)
        chart = await chart_of(connection, report)
        views = await saved_views.views_of(connection, company, request[VIEWER].user_id, view, REPORTS)
    return render(
        request,
        "reports.html",
        company=company,
        report=report,
        chart=chart,
        choices=_choices(words, view, report.shown.own),
        chosen=frozenset(report.shown.measures),
        measures=[(each, report_words.measure_name(words, each)) for each in MEASURES],
        what=report_words.in_sentence(words, report.shown.measures),
        shapes=_shapes(view, is_across=report.is_across),
        tops=[top for top in TOPS if top > view.top],
        **_around(request, company, view, views),
    )


async def months_page(request: web.Request) -> web.StreamResponse:
    """Twelve months beside one another, each with the year before."""
    company = company_of(request)
    view, words = view_of(request, company, MONTHS_PATH), words_for(request, company)
    if not is_canonical(request.query, view):
        raise web.HTTPSeeOther(view.url())
    async with request.app[PARTS].database.companies(company.id) as connection:
        months = await month_table(connection, company, view, words)
        views = await saved_views.views_of(connection, company, request[VIEWER].user_id, view, REPORTS)
    return render(
        request,
        "report_months.html",
        company=company,
        months=months,
        shades=SHADES,
        choices=_choices(words, months.shown.view, months.shown.own),
        measures=[(each, report_words.measure_name(words, each)) for each in OF_MONTHS],
        **_around(request, company, view, views),
    )


def _around(
    request: web.Request, company: Company, view: ReportView, views: list[saved_views.SavedView]
) -> dict[str, Any]:
    """What both pages have: what is kept, what may be taken away."""
    return {
        "view": view,
        "views": views,
        "may_share": saved_views.may_share(request, company),
        "can_export": company.id in companies_with(Permission.CALLS_EXPORT, request[VIEWER]),
    }


def _choices(words: Words, view: ReportView, own: Model) -> dict[str, list[tuple[str, str, bool]]]:
    """Of each part of the sentence: what an address says, what people read, whether it is chosen."""
    first, second = (*view.by, None, None)[:2]
    model = view.model or own
    return {
        "by": [
            *((each.value, report_words.told_by(words, each), each is first) for each in Dimension),
            (NOTHING, words.pgettext("by", "nothing: all together"), first is None),
        ],
        "second": [
            ("", words.pgettext("by", "nothing else"), second is None),
            *((each.value, report_words.told_by(words, each), each is second) for each in Dimension),
        ],
        "basis": [(each.value, report_words.basis_name(words, each), each is view.basis) for each in Basis],
        # The company's own stands in no address, so that it may change there.
        "model": [
            ("" if each is own else each.value, report_words.model_name(words, each), each is model) for each in Model
        ],
        "compare": [(each.value, report_words.compare_name(words, each), each is view.compare) for each in Compare],
    }


def _shapes(view: ReportView, *, is_across: bool) -> str | None:
    """The same two dimensions laid out the other way; none for fewer."""
    if len(view.by) < 2:
        return None
    return view.url(shape=Shape.ROWS if is_across else Shape.COLUMNS)
