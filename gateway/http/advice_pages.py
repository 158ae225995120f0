"""How many numbers a pool needs: asked on its page, tried out beside, shown as a picture and a table."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import structlog
from aiohttp import web

from gateway.attribution.advice import Advice
from gateway.attribution.advice_run import AdviceFailed, Question, advised
from gateway.attribution.errors import FaultySessions, LendsNothing, NoVisitsYet
from gateway.attribution.hourly import Sessions, read_sessions, sessions_of_peak
from gateway.attribution.stored_hours import hours_of_pool
from gateway.http.accounts import Company
from gateway.http.forms import Form
from gateway.http.keys import PARTS
from gateway.http.pool_pages import of_setup, pool_of, to_pools
from gateway.http.posted_file import posted_with_file
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of
from gateway.http.words import Words
from gateway.pools import pool_changes
from gateway.pools.pool import Kind
from gateway.pools.pool_changes import PoolRow

# A year by the hour and by source is some megabytes at most.
LONGEST_EXPORT = 4_000_000
_HISTORY_DAYS = 90
# What is taken where a pool has no history of its own.
_STAY = timedelta(minutes=3)
_CALLING = 0.05
_SOURCES = 10
# A page that is looked at while the trial runs comes again by itself.
_LOOK_AGAIN = 2
# Trials of pools at the same time; each takes one processor.
_AT_ONCE = 2
_KEPT = 50
_MOST_PEAK = 100_000
_HEIGHT = 240  # of the drawing, which is 1,000 wide

_log = structlog.get_logger(__name__)


class From(StrEnum):
    """Where the visits come from that the pool is tried with."""

    HISTORY = "history"
    PEAK = "peak"
    FILE = "file"


@dataclass
class Trial:
    """One trial of a pool's sizes: how far it is, and what came of it."""

    begun_at: datetime
    source: From
    done: int = 0
    of: int = 0
    advice: Advice | None = None
    has_failed: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it is not over yet."""
        return self.advice is None and not self.has_failed


@dataclass
class Trials:
    """The newest trial of each pool, by company and pool, as long as these pages run."""

    newest: dict[tuple[int, int], Trial] = field(default_factory=dict)
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def begin(self, key: tuple[int, int], source: From, question: Question) -> None:
        """Try a pool out, in place of a trial of it that may be under way."""
        self.stop(key)
        while len(self.newest) >= _KEPT:
            self.stop(next(iter(self.newest)))
        trial = self.newest[key] = Trial(datetime.now(UTC), source)
        trial.task = asyncio.create_task(self._run(trial, question))

    def stop(self, key: tuple[int, int]) -> None:
        """Forget a trial; one that is under way ends."""
        trial = self.newest.pop(key, None)
        if trial is not None and trial.task is not None:
            trial.task.cancel()

    async def _run(self, trial: Trial, question: Question) -> None:
        def tell(done: int, of: int) -> None:
            trial.done, trial.of = done, of

        try:
            async with self.turn:
                trial.advice = await advised(question, tell)
        except (AdviceFailed, OSError, ValueError) as error:
            _log.error("the sizes of a pool could not be tried", fault=str(error))
            trial.has_failed = True


TRIALS: web.AppKey[Trials] = web.AppKey("TRIALS", Trials)


async def trials_of_app(app: web.Application) -> AsyncIterator[None]:
    """Trials end with the pages."""
    trials = app[TRIALS] = Trials()
    yield
    tasks = [trial.task for trial in trials.newest.values() if trial.task is not None]
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass(frozen=True, slots=True)
class AdviceChart:
    """The sizes as a drawing ``height`` high: right answers and displaced visits over the number of numbers."""

    right: str
    lost: str
    points: tuple[tuple[float, float, float, int], ...]  # x, y of right, y of lost, numbers
    height: int = _HEIGHT


async def advice_page(request: web.Request) -> web.StreamResponse:
    """The question, the trial that is under way, or its answer."""
    company = company_of(request)
    row = await _lending_pool(request, company)
    form = Form({"from": "history", "calling": "5", "sources": _SOURCES}, words_for(request, company))
    return _show(request, company, row, form)


async def ask(request: web.Request) -> web.StreamResponse:
    """Begin a trial."""
    company = company_of(request)
    row, words = await _lending_pool(request, company), words_for(request, company)
    values, file = await posted_with_file(request, LONGEST_EXPORT)
    form = Form(values, words)
    if form.value("do") == "stop":
        request.app[TRIALS].stop((company.id, row.pool.id))
        raise web.HTTPSeeOther(to_pools(request, company, f"/{row.pool.id}/advice"))
    source = form.choice("from", From, From.HISTORY) or From.HISTORY
    price = float(row.price) if row.price is not None else None
    question = None
    if source is From.HISTORY:
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                past = await hours_of_pool(connection, of_setup(company), row.pool.name, days=_HISTORY_DAYS)
            question = Question(
                past.pool,
                past.sessions,
                past.stay or _STAY,
                past.calling or _CALLING,
                past.sources or _SOURCES,
                past.price if past.price is not None else price,
                past.numbers,
            )
        except (NoVisitsYet, LendsNothing):
            form.refuse(
                "from", words.say("The pool has lent no number in 90 days; write its peak, or bring an export.")
            )
    else:
        calling = form.decimal("calling", least=Decimal("0.1"), most=Decimal(100), required=False)
        sources = form.whole("sources", least=1, most=1000, required=False)
        sessions = _sessions(form, source, file, words)
        if sessions is not None and not form.problems:
            async with request.app[PARTS].database.companies(company.id) as connection:
                numbers = (await pool_changes.sums(connection, company.id))[row.pool.id]
            question = Question(
                row.pool,
                sessions,
                _STAY,
                float(calling or 5) / 100,
                sources or len(sessions.sources) or _SOURCES,
                price,
                numbers.numbers - numbers.retired or None,
            )
    if question is None:
        return _show(request, company, row, form, status=422)
    request.app[TRIALS].begin((company.id, row.pool.id), source, question)
    raise web.HTTPSeeOther(to_pools(request, company, f"/{row.pool.id}/advice"))


def advice_chart(advice: Advice) -> AdviceChart:
    """The drawing of an advice: from no numbers to the largest size."""
    most = advice.sizes[-1].numbers
    points = tuple(
        (
            round(1000 * each.numbers / most, 1),
            round(_HEIGHT - _HEIGHT * each.right, 1),
            round(_HEIGHT - _HEIGHT * (each.displaced if advice.shares else each.refused), 1),
            each.numbers,
        )
        for each in advice.sizes
    )
    return AdviceChart(
        "M" + "L".join(f"{x} {right}" for x, right, _lost, _n in points),
        "M" + "L".join(f"{x} {lost}" for x, _right, lost, _n in points),
        points,
    )


def _sessions(form: Form, source: From, file: bytes | None, words: Words) -> Sessions | None:
    if source is From.PEAK:
        peak = form.whole("peak", least=1, most=_MOST_PEAK)
        return None if peak is None else sessions_of_peak(peak)
    if file is None:
        form.refuse("file", words.say("Choose the file that was exported."))
        return None
    try:
        return read_sessions([file], "file")
    except FaultySessions as error:
        form.refuse("file", f"{words.say('It cannot be read.')} {error}")
        return None


def _show(request: web.Request, company: Company, row: PoolRow, form: Form, *, status: int = 200) -> web.StreamResponse:
    trial = request.app[TRIALS].newest.get((company.id, row.pool.id))
    advice = trial.advice if trial else None
    under_way = trial is not None and trial.is_under_way and not form.problems
    return render(
        request,
        "pool_advice.html",
        company=company,
        status=status,
        headers={"Refresh": str(_LOOK_AGAIN)} if under_way else None,
        row=row,
        trial=trial,
        under_way=under_way,
        advice=advice,
        chart=advice_chart(advice) if advice else None,
        form=form,
    )


async def _lending_pool(request: web.Request, company: Company) -> PoolRow:
    row = await pool_of(request, company)
    if row.pool.kind is not Kind.DYNAMIC:
        raise NotFound()
    return row
