"""The report that comes by mail: its figures, its chart, what made the telephone ring, and who still waits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import reduce
from operator import add
from typing import Any
from urllib.parse import urlencode

from babel import dates

from gateway.attention.needs import Need
from gateway.delivery.drawing import Piece, colour_of, columns
from gateway.http.came_back import judged
from gateway.http.mail_sheet import Call, Column, Line, Mend, Sheet, Told, mark_of, one_line
from gateway.http.needs_view import told as told_need
from gateway.http.report_words import change, figure, money
from gateway.http.verdict_words import verdict_name
from gateway.http.words import Words
from gateway.reports import mail_figures
from gateway.reports.drill import drill
from gateway.reports.mail_due import Days, Kind
from gateway.reports.mail_figures import Firm
from gateway.reports.measures import Measure, Measures
from gateway.reports.missed import MissedCall, Wait
from gateway.reports.verdict import Verdict

# More sources than these make a long table, and say less.
MOST_SOURCES = 8
# A chart with more colours tells them apart no more.
_MOST_COLOURS = 6
_MOST_NEEDS = 5

_FIGURES = (Measure.CALLS, Measure.ANSWERED, Measure.MISSED, Measure.FIRST_TIME, Measure.JOBS, Measure.VALUE)
_WITH_SPEND = (Measure.CALLS, Measure.MISSED, Measure.JOBS, Measure.SPEND, Measure.COST_PER_JOB, Measure.RETURN_RATIO)


def report_sheet(firm: Firm, words: Words, kind: Kind, told: mail_figures.Told, base: str, *, may_write: bool) -> Sheet:
    """What is told of some days. A day without calls is told in two sentences.

    ``may_write``: its reader may change settings, so that he is led to where things are mended.
    """
    days = told.days
    say, total, name = words.say, told.answer.total, one_line(firm.name)
    measures = _FIGURES if total.spend is None else _WITH_SPEND
    head = _headline(words, firm, total)
    period = period_words(words, kind, days)
    sheet = Sheet(
        subject=f"{name}, {_lately(words, kind, days)}: {head}",
        title=period,
        says=name,
        preview=head,
        link=(say("Look at these days"), _overview(base, firm, days)),
    )
    waiting = _waiting(words, told.waiting, told.known, base) | _needs(words, firm, told.needs, base, may_write)
    if not total.calls and not total.leads and kind is Kind.DAILY:
        last = say("Nobody called.")
        if told.last_call is not None:
            last += " " + say("The last call came on %(day)s.") % {"day": words.date(told.last_call)}
        return replace(sheet, paragraphs=(last,), **waiting)
    before = told.before
    figures = tuple(
        Told(
            say(measure.words),
            figure(words, measure, total, firm.currency),
            *(("", "") if before is None else change(words, measure, measure.of(total), measure.of(before))),
        )
        for measure in measures
    )
    compared = say("Compared with %(days)s") % {"days": period_words(words, kind, told.compared)}
    return replace(
        sheet,
        figures=figures,
        compared=compared if before is not None else "",
        **_chart(words, told),
        **_sources(words, firm, told, base),
        **waiting,
    )


def _headline(words: Words, firm: Firm, total: Measures) -> str:
    """57 calls, 20 jobs, $72 a job."""
    if not total.calls:
        return words.say("no calls")
    parts = [words.ngettext("%(num)s call", "%(num)s calls", round(total.calls))]
    if total.jobs:
        parts.append(words.ngettext("%(num)s job", "%(num)s jobs", round(total.jobs)))
    if total.cost_per_job is not None:
        parts.append(words.say("%(money)s a job") % {"money": money(words, total.cost_per_job, firm.currency)})
    if not total.jobs and total.missed:
        parts.append(words.ngettext("%(num)s missed", "%(num)s missed", round(total.missed)))
    return ", ".join(parts)


def _chart(words: Words, told: mail_figures.Told) -> dict[str, Any]:
    days = [day for day, _ in told.series[0].points] if told.series else []
    if not days:
        return {}
    shown, others = told.series[:_MOST_COLOURS], told.series[_MOST_COLOURS:]
    stacks = [
        [
            *(Piece(line.points[place][1].calls, colour_of(line.key.colour)) for line in shown),
            Piece(sum(line.points[place][1].calls for line in others), colour_of(None)),
        ]
        for place in range(len(days))
    ]
    calls = [round(sum(piece.value for piece in stack)) for stack in stacks]
    most = max(calls)
    if not most:
        return {}
    says = words.say("Most calls on %(day)s: %(count)s.") % {
        "day": words.date(days[calls.index(most)]),
        "count": words.number(most),
    }
    return {"chart": columns(stacks), "chart_says": says, "columns": _below(words, days, calls)}


def _below(words: Words, days: Sequence[date], calls: Sequence[int]) -> tuple[Column, ...]:
    """What stands below the columns: each day of a week with its calls, the first days of a month's weeks."""
    if len(days) <= 7:
        return tuple(
            Column(dates.format_date(day, "ccc", words.locale), words.number(count))
            for day, count in zip(days, calls, strict=True)
        )
    starts = range(0, len(days), 7)
    return tuple(
        Column(words.short_date(days[at]) if len(days) - at > 3 else "", span=min(7, len(days) - at)) for at in starts
    )


def _sources(words: Words, firm: Firm, told: mail_figures.Told, base: str) -> dict[str, Any]:
    rows = told.answer.rows
    if not rows:
        return {}
    has_spend = any(row.measures.spend for row in rows)
    measures = (Measure.CALLS, Measure.JOBS, Measure.COST_PER_JOB if has_spend else Measure.MISSED)
    shown, rest = rows[:MOST_SOURCES], rows[MOST_SOURCES:]
    if len(rest) == 1:
        shown, rest = rows, ()
    verdicts = judged(told.question, told.answer, words.now.date())
    lines = [
        Line(
            one_line(row.keys[0].name) if row.keys[0].value else words.say("Unknown"),
            tuple(figure(words, each, row.measures, firm.currency) for each in measures),
            mark_of(row.keys[0].colour if row.keys[0].value else None),
            _spent(words, firm, row.measures, verdict),
            base + drill(told.question, row),
        )
        for row, verdict in zip(shown, verdicts, strict=False)  # the first of them
    ]
    if rest:
        together = reduce(add, (row.measures for row in rest))
        name = words.ngettext("%(num)s other source", "%(num)s other sources", len(rest))
        lines.append(Line(name, tuple(figure(words, each, together, firm.currency) for each in measures)))
    headings = tuple(words.say("A job") if each is Measure.COST_PER_JOB else words.say(each.words) for each in measures)
    return {"lines": tuple(lines), "headings": headings, "table_name": words.say("What made the telephone ring")}


def _spent(words: Words, firm: Firm, measures: Measures, verdict: Verdict | None) -> str:
    """Below a source's name: what it cost, and whether it pays."""
    if not measures.spend:
        return ""
    said = words.say("%(money)s spent") % {"money": money(words, measures.spend, firm.currency)}
    return f"{said} · {verdict_name(words, verdict)}" if verdict else said


def _waiting(words: Words, waiting: Sequence[Wait], known: Mapping[int, MissedCall], base: str) -> dict[str, Any]:
    """Who was missed and still waits."""
    calls: list[Call] = []
    for wait in waiting[: mail_figures.MOST_WAITING]:
        call = known.get(wait.last.call_id)
        facts = [words.day_time(wait.last.at)]
        if wait.tries > 1:
            facts.append(words.ngettext("tried %(num)s time", "tried %(num)s times", wait.tries))
        calls.append(
            Call(
                words.phone(wait.caller),
                wait.caller,
                one_line(call.person or call.caller_name) if call else "",
                (" · ".join(facts),),
                f"{base}/calls/{wait.last.call_id}",
                mark_of(call.colour if call.source_id is not None else None) if call else None,
                one_line(call.source) if call and call.source_id is not None else "",
            )
        )
    if not calls:
        return {}
    left = len(waiting) - len(calls)
    more = words.ngettext("%(num)s more waits.", "%(num)s more wait.", left) if left else ""
    return {"calls_name": words.say("Missed, and not called back"), "calls": tuple(calls), "more": more}


def _needs(words: Words, firm: Firm, needs: Sequence[Need], base: str, may_write: bool) -> dict[str, Any]:
    """What needs somebody, with the page where it is mended."""
    told = [told_need(words, need, may_write=may_write) for need in needs[:_MOST_NEEDS]]
    return (
        {
            "needs_name": words.say("Needs you"),
            "needs": tuple(
                Mend(each.sentence, each.mend, base + each.path + "?" + urlencode({"company": firm.id, **each.values}))
                if each.path
                else Mend(each.sentence)
                for each in told
            ),
        }
        if told
        else {}
    )


def period_words(words: Words, kind: Kind, days: Days) -> str:
    """A report's days: Saturday, November 21; Nov 16 – Nov 22; October 2026."""
    if kind is Kind.MONTHLY:
        text = dates.format_date(days.since, "LLLL y", words.locale)
        return text[:1].upper() + text[1:]
    if days.since == days.last:
        return words.date(days.since)
    return f"{words.short_date(days.since)} – {words.short_date(days.last)}"


def _lately(words: Words, kind: Kind, days: Days) -> str:
    """In the subject: yesterday, last week; the days themselves where they are not that any more."""
    today = words.now.date()
    if kind is Kind.DAILY and today == days.until:
        return words.pgettext("report", "yesterday")
    if kind is Kind.WEEKLY and days.since.weekday() == 0 and days.until <= today < days.until + timedelta(days=7):
        return words.pgettext("report", "last week")
    if kind is Kind.MONTHLY:
        return dates.format_date(days.since, "LLLL", words.locale)
    return period_words(words, kind, days)


def _overview(base: str, firm: Firm, days: Days) -> str:
    asked = {"company": firm.id, "from": days.since.isoformat(), "to": days.last.isoformat()}
    return f"{base}/overview?{urlencode(asked)}"
