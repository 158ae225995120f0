"""What was learned of a company's callers, as a picture, and how reliable the answers were month by month."""

import math
from dataclasses import dataclass
from datetime import date, datetime

from aiohttp import web
from babel.dates import format_skeleton

from gateway.attribution.curve import HORIZON_SECONDS, DelayCurve
from gateway.attribution.learned import PRIOR
from gateway.attribution.learned_store import FEW_CALLS, newest_learned
from gateway.attribution.reliability import Reliability, months_scored, reliability
from gateway.http.keys import PARTS
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of
from gateway.http.words import Words

_WIDTH, _HEIGHT = 1000, 260
_FIRST = 3.0  # seconds; before that nobody calls
_TICKS = (10, 60, 600, 3600, 6 * 3600, 86400, 3 * 86400)
_STEPS = 80
_MONTH = 30 * 86400


@dataclass(frozen=True, slots=True)
class CurveChart:
    """Paths of a drawing: the share of visits that have called by then, over time on a logarithmic axis."""

    learned: str
    prior: str
    ticks: tuple[tuple[float, int], ...]  # x, seconds
    levels: tuple[tuple[float, float], ...]  # y, share
    width: int = _WIDTH
    height: int = _HEIGHT


async def learned_page(request: web.Request) -> web.StreamResponse:
    """How soon visitors call, how many calls nobody's visit made, and whether the answers were right."""
    company = company_of(request)
    words = words_for(request, company)
    asked = request.query.get("month", "")
    async with request.app[PARTS].database.companies(company.id) as connection:
        newest = await newest_learned(connection, company.id)
        months = await months_scored(connection, company.id)
        month = next((each for each in months if f"{each:%Y-%m}" == asked), months[0] if months else None)
        scores = await reliability(connection, company.id, month) if month is not None else None
    curve, prior = newest.learned.curve, PRIOR.curve
    return render(
        request,
        "learned.html",
        company=company,
        newest=newest,
        few=FEW_CALLS,
        chart=curve_chart(curve, prior),
        within=[(seconds, curve.within(seconds), prior.within(seconds)) for seconds in _TICKS[1:]],
        spoken=lambda seconds: spoken(seconds, words),
        strangers=newest.learned.background.usual * _MONTH,
        prior_strangers=PRIOR.background.usual * _MONTH,
        months=[(f"{each:%Y-%m}", month_name(each, words), each == month) for each in months],
        scores=scores,
        dots=dots,
    )


def curve_chart(curve: DelayCurve, prior: DelayCurve) -> CurveChart:
    """The drawing of a curve beside the stated prior."""
    most = max(curve.within(HORIZON_SECONDS), prior.within(HORIZON_SECONDS)) * 1.1 or 1.0
    moments = [_FIRST * (HORIZON_SECONDS / _FIRST) ** (step / _STEPS) for step in range(_STEPS + 1)]

    def path(of: DelayCurve) -> str:
        return "M" + "L".join(f"{_x(at):.1f} {_HEIGHT * (1 - of.within(at) / most):.1f}" for at in moments)

    step = most / 1.1 / 2
    return CurveChart(
        path(curve),
        path(prior),
        tuple((_x(tick), tick) for tick in _TICKS),
        tuple((_HEIGHT * (1 - share / most), share) for share in (0.0, step, 2 * step)),
    )


def dots(scores: Reliability, evidence: str) -> list[tuple[float, float, float]]:
    """Where the tenths stand in a drawing 100 by 100: said from left to right, was from below, and the dots' size."""
    tenths = scores.evidence.get(evidence, ())
    most = max((each.calls for each in tenths), default=1)
    return [(100 * each.said, 100 - 100 * each.was, 1.6 + 2.6 * math.sqrt(each.calls / most)) for each in tenths]


def spoken(seconds: int, words: Words) -> str:
    """3 days, 6 hours, 10 minutes, 10 seconds."""
    if seconds % 86400 == 0:
        return words.ngettext("%(num)s day", "%(num)s days", seconds // 86400)
    return words.spoken_duration(seconds)


def month_name(month: date, words: Words) -> str:
    """November 2026, in the reader's language."""
    return format_skeleton("yMMMM", datetime(month.year, month.month, 1), locale=words.locale)


def _x(seconds: float) -> float:
    return _WIDTH * math.log(seconds / _FIRST) / math.log(HORIZON_SECONDS / _FIRST)
