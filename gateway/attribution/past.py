"""A company's past as values, and what there is to learn from it: calls with those who may have made them, and the time
in which there might have been calls. Reading is apart from counting, so that the counting is tried without a database.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from gateway.attribution.callers import Callers
from gateway.attribution.curve import TAP_EDGES
from gateway.attribution.decision import Page, Seen, seen_by, seen_on
from gateway.attribution.evidence import Call, Exposure, Tap, Verdict, after_call
from gateway.attribution.gather import page_of
from gateway.attribution.learned import Learned
from gateway.attribution.learning import Examples
from gateway.attribution.match import WINDOW, judge
from gateway.attribution.risk import HORIZON, Stretch, TimeAtRisk
from gateway.attribution.weighing import weigh
from gateway.store.queries import load_queries

# Half a year: people's habits change, and so do a company's numbers. Where that is more pages than can be held in
# memory, the newest of them.
LONGEST = timedelta(days=180)
MOST_PAGES = 400_000
# Nothing at all for so long, no page and no call: nobody was there to count. That time tells nothing.
SILENCE = timedelta(days=7)
_TAPS = timedelta(seconds=TAP_EDGES[-1]), timedelta(seconds=-TAP_EDGES[0])

_queries = load_queries(Path(__file__).parent, "past.sql")


@dataclass(frozen=True, slots=True)
class LentNumber:
    """A number of a pool that lends, and from when to when it was there."""

    e164: str
    pool_id: int
    since: datetime
    until: datetime
    window: timedelta = WINDOW


@dataclass(frozen=True, slots=True)
class Past:
    """What happened from ``since`` to ``until``; by number (E.164), each in the order of time."""

    since: datetime
    until: datetime
    numbers: Mapping[str, LentNumber] = field(default_factory=dict)
    pages: Mapping[str, Sequence[Page]] = field(default_factory=dict)
    taps: Mapping[str, Sequence[Tap]] = field(default_factory=dict)
    calls: Sequence[Call] = ()

    @property
    def visits(self) -> int:
        """How many visits were shown one of the numbers."""
        return len({page.visit_id for pages in self.pages.values() for page in pages})


async def past_of(connection: Any, company_id: int, now: datetime, *, longest: timedelta = LONGEST) -> Past:
    """The past of a company's lent numbers. What a clock that was wrong put into the future is left out."""
    since, until = now - longest, now
    place: dict[str, Any] = {"company_id": company_id, "until": until}
    begin = await _queries.begin_of_past(connection, **place, since=since, most=MOST_PAGES)
    since = max(since, begin) if begin is not None else since
    rows = [row async for row in _queries.lent_numbers(connection, company_id=company_id)]
    names = {row["id"]: row["e164"] for row in rows}
    place["number_ids"] = list(names)
    pages: dict[str, list[Page]] = defaultdict(list)
    async for row in _queries.past_pages(connection, **place, since=since - HORIZON):
        pages[names[row["number_id"]]].append(page_of(row))
    taps: dict[str, list[Tap]] = defaultdict(list)
    async for row in _queries.past_taps(connection, **place, since=since):
        taps[names[row["number_id"]]].append(Tap(str(row["visit_id"]), row["at"]))
    calls = [
        Call(names[row["number_id"]], row["started_at"], row["caller"])
        async for row in _queries.past_calls(connection, **place, since=since)
    ]
    numbers = {
        row["e164"]: LentNumber(
            row["e164"],
            row["pool_id"],
            row["created_at"],
            row["retired_at"] or until,
            timedelta(seconds=row["window_seconds"]),
        )
        for row in rows
    }
    return Past(since, until, numbers, pages, taps, calls)


async def companies_to_learn(connection: Any, since: datetime) -> list[tuple[int, str]]:
    """Companies that lend numbers and have not learned since a moment."""
    return [(row["id"], row["name"]) async for row in _queries.companies_to_learn(connection, since=since)]


@dataclass(slots=True, eq=False)
class _Showing:
    """An exposure with all that became of it ``until`` then; see ``Stretch`` for the last three."""

    number: str
    exposure: Exposure
    until: datetime
    risk_from: datetime
    known: float = 0.0
    called: float = 0.0

    def stretch(self, until: datetime) -> Stretch:
        return Stretch(self.exposure, self.risk_from, until, self.known, self.called)


def lessons(past: Past, start: Learned) -> tuple[Examples, TimeAtRisk]:
    """What there is to learn from. ``start`` says for the while who made earlier calls from the same numbers."""
    examples, risk, callers = Examples(), TimeAtRisk(), Callers()
    shown, spans = _Shown(past), _spans(past)
    showings = sorted(shown.showings(), key=lambda each: each.risk_from)
    by_visitor: dict[str, list[_Showing]] = defaultdict(list)
    called: dict[tuple[int, str], float] = {}  # by pool and visit
    stretches: list[Stretch] = []
    coming = iter([*showings, None])
    showing = next(coming)
    before = past.since
    for call in past.calls:
        while showing is not None and showing.risk_from <= call.at:
            visitor = showing.exposure.visitor
            showing.known = min(callers.called.get(visitor, 0.0), 1.0)
            showing.called = called.get((past.numbers[showing.number].pool_id, showing.exposure.visit), 0.0)
            by_visitor[visitor].append(showing)
            callers.shown(visitor, showing.number)
            showing = next(coming)
        risk.known_callers += len(callers) * (call.at - before).total_seconds()
        before = call.at
        number = past.numbers[call.number]
        known = callers.known(call)
        weighed = weigh(
            call,
            [
                replace(each.exposure, called=called.get((number.pool_id, each.exposure.visit), 0.0))
                for each in shown.at(call)
            ],
            taps=_near(past.taps.get(call.number, ()), call.at),
            known=known,
            called=callers.called,
        )
        verdict = judge(weighed, known, start, number.window)
        examples.add(weighed)
        callers.note(call, verdict)
        stretches += _turns(past, call, verdict, by_visitor, callers, called)
    risk.known_callers += len(callers) * max((past.until - before).total_seconds(), 0.0)
    ends = [end for _, end in spans]
    for showing in showings:
        # Nobody counts calls in a silence.
        place = bisect_left(ends, showing.risk_from)
        stretches.append(showing.stretch(min(ends[place] if place < len(ends) else past.until, showing.until)))
    risk.add(each for each in stretches if each.finish > each.start)
    for taps in past.taps.values():
        risk.tapped(taps, past.until)
    for times, numbers in _watched(past, spans).items():
        for begin, end in times:
            risk.watch(numbers, begin, end)
    return examples, risk


class _Shown:
    """Which numbers of a pool visitors were shown, page by page."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._pages: dict[tuple[str, int], list[tuple[Page, str]]] = defaultdict(list)
        for number, pages in past.pages.items():
            for page in pages:
                self._pages[page.who, past.numbers[number].pool_id].append((page, number))
        self._several = set()
        for key, shown in self._pages.items():
            if len({number for _, number in shown}) > 1:
                shown.sort(key=lambda each: each[0].shown_at)
                self._several.add(key)

    def at(self, call: Call) -> Iterable[Seen]:
        """The visits that may call the number of a call, as far as they were known then."""
        pages = self._past.pages.get(call.number, ())
        since = call.at - HORIZON
        low = bisect_right(pages, since, key=lambda page: page.shown_at)
        near = pages[low : bisect_right(pages, call.at, key=lambda page: page.shown_at)]
        pool = self._past.numbers[call.number].pool_id
        elsewhere = {
            who: [page for page, other in self._pages[who, pool] if other != call.number and page.shown_at > since]
            for who in {page.who for page in near}
            if (who, pool) in self._several
        }
        return seen_by(near, elsewhere, call.at).values()

    def showings(self) -> Iterator[_Showing]:
        """All visits on all numbers that their visitors were shown from then on, as it was known in the end."""
        for pages in self._pages.values():
            turns = [(pages[0][0].shown_at, pages[0][1])]
            for page, number in pages:
                if number != turns[-1][1]:
                    turns.append((page.shown_at, number))
            visits: dict[UUID, list[Page]] = defaultdict(list)
            for page, _ in pages:
                visits[page.visit_id].append(page)
            for visit in visits.values():
                yield from self._of_visit(visit, turns)

    def _of_visit(self, pages: Sequence[Page], turns: Sequence[tuple[datetime, str]]) -> Iterator[_Showing]:
        """Its visitor's number changes at ``turns``: the visit is on the new one then, and replaced on the other."""
        came, until = pages[0].shown_at, self._past.until
        ends = [*(at for at, _ in turns[1:]), None]
        own = [
            (max(at, came), end, number)
            for (at, number), end in zip(turns, ends, strict=True)
            if (end is None or end > came) and at < came + HORIZON
        ]
        first: dict[str, datetime] = {}
        for place, (begin, end, number) in enumerate(own):
            first.setdefault(number, begin)
            again = next((at for at, _, other in own[place + 1 :] if other == number), until)
            known = [page for page in pages if end is None or page.shown_at < end]
            exposure = seen_on(known, first[number], end, until).exposure
            yield _Showing(number, exposure, again, max(begin, self._past.since))


def _near(taps: Sequence[Tap], at: datetime) -> Sequence[Tap]:
    before, after = _TAPS
    low = bisect_left(taps, at - before, key=lambda tap: tap.at)
    return taps[low : bisect_right(taps, at + after, key=lambda tap: tap.at)]


def _turns(
    past: Past,
    call: Call,
    verdict: Verdict,
    by_visitor: Mapping[str, list[_Showing]],
    callers: Callers,
    called: dict[tuple[int, str], float],
) -> Iterator[Stretch]:
    """Visits that may have called are at risk in another way from now on."""
    pool = past.numbers[call.number].pool_id
    for candidate in verdict.candidates:
        visits: set[str] = set()
        for showing in by_visitor.get(candidate.visitor, ()):
            visit = showing.exposure.visit
            if call.at - showing.exposure.counts_from > HORIZON or showing.until <= call.at:
                continue
            yield showing.stretch(call.at)
            showing.risk_from = call.at
            showing.known = min(callers.called.get(candidate.visitor, 0.0), 1.0)
            if past.numbers[showing.number].pool_id == pool:
                if visit not in visits:
                    visits.add(visit)
                    called[pool, visit] = after_call(called.get((pool, visit), 0.0), candidate.chance)
                showing.called = called[pool, visit]


def _spans(past: Past) -> list[tuple[datetime, datetime]]:
    """The times in which somebody was there to count calls."""
    moments = {each.at for each in past.calls} | {page.shown_at for pages in past.pages.values() for page in pages}
    ordered = sorted(each for each in moments if past.since <= each <= past.until)
    if not ordered:
        return []
    spans = []
    begin = ordered[0]
    for one, other in pairwise(ordered):
        if other - one > SILENCE:
            spans.append((begin, one))
            begin = other
    return [*spans, (begin, past.until if past.until - ordered[-1] <= SILENCE else ordered[-1])]


def _watched(
    past: Past, spans: Sequence[tuple[datetime, datetime]]
) -> dict[tuple[tuple[datetime, datetime], ...], list[str]]:
    """When numbers were watched: numbers by their times."""
    found: dict[tuple[tuple[datetime, datetime], ...], list[str]] = defaultdict(list)
    for number, each in past.numbers.items():
        # What was rung or shown was there, whenever it was entered here.
        own = [page.shown_at for page in past.pages.get(number, ())[:1]]
        own += [call.at for call in past.calls if call.number == number][:1]
        since, until = min([each.since, *own]), each.until
        clipped = tuple((max(one, since), min(other, until)) for one, other in spans)
        clipped = tuple((one, other) for one, other in clipped if one < other)
        if clipped:
            found[clipped].append(number)
    return found
