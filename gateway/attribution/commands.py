"""The commands about attribution: ``pools replay``, ``pools advise``."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from gateway.attribution.advice import advise, told
from gateway.attribution.history_lines import read_calls, read_visits
from gateway.attribution.hourly import read_sessions, sessions_of_peak
from gateway.attribution.replay import answer_line, trial_numbers, under_conditions
from gateway.attribution.stored_hours import hours_of_pool
from gateway.attribution.trial import Answer, Tally, Trial
from gateway.pools import setup
from gateway.pools.conditions import Conditions, typed
from gateway.pools.durations import duration
from gateway.pools.leases import Got
from gateway.pools.pool import Kind, Pool, WhenFull
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company
from gateway.visits.classify import default_classifier

# More than any pool has; each costs memory.
MOST_NUMBERS = 100_000

_lines = click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)


def _lending_options(command: Any) -> Any:
    for option in reversed(
        (
            click.option("--reserve", default="20m", show_default=True, help="How long a number stays its holder's."),
            click.option("--quarantine", default="0", show_default=True, help="How long it then rests."),
            click.option("--dialled-quarantine", default="1h", show_default=True, help="The same once it was rung."),
            click.option("--when-full", type=click.Choice(["share", "fallback"]), default="share", show_default=True),
            click.option("--window", default="1h", show_default=True, help="How long after a visit a call may be its."),
        )
    ):
        command = option(command)
    return command


def _pool(
    reserve: str, quarantine: str, dialled_quarantine: str, when_full: str, window: str, conditions: Conditions
) -> Pool:
    return Pool(
        0,
        0,
        "under trial",
        Kind.DYNAMIC,
        conditions=conditions,
        reserve=duration(reserve),
        quarantine=duration(quarantine),
        dialled_quarantine=duration(dialled_quarantine),
        when_full=WhenFull(when_full),
        window=duration(window, least=timedelta(seconds=1)),
    )


@click.group()
def pools() -> None:
    """Pools under trial: what a history would have led to, and how many numbers a pool needs."""


@pools.command()
@click.option(
    "--visits", "visits_file", type=_lines, required=True, help='Lines {"visitor","start","end",…}; - is stdin.'
)
@click.option("--calls", "calls_file", type=_lines, required=True, help='Lines {"call","visitor_truth","start",…}.')
@click.option("--numbers", type=click.IntRange(1, MOST_NUMBERS), required=True, help="How many the pool has.")
@_lending_options
@click.option("--when", multiple=True, metavar="NAME=VALUES", help="Conditions of the pool; without any, every visit.")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the number of calls that no visit made.")
def replay(
    visits_file: Path,
    calls_file: Path,
    numbers: int,
    reserve: str,
    quarantine: str,
    dialled_quarantine: str,
    when_full: str,
    window: str,
    when: tuple[str, ...],
    seed: int,
) -> None:
    """Run a history of visits and calls through a pool: which visit made each call, as it would have been told live.

    JSON lines in, in any order, times in ISO 8601 (UTC where they name no zone). Visits:
    {"visitor","start","end","url","referrer"}. Calls: {"call","visitor_truth","start","caller"}; a call is to its "did"
    if it names one, else to the number that visitor_truth was last shown, else (null) to one drawn by --seed.

    A JSON line out for each call, in the order in which the calls came in:
    {"call","did","visitor","confidence","evidence"}. The confidence is the chance that the visitor made the call. Where
    visitor is null, the call's visit is Unknown, and the confidence is the chance that no visit made it. Where did is
    null, the visitor was shown no number of the pool: the call went past it, and the confidence is 0.

    The delay curve is learned from the history itself, each night from the calls before it.
    """
    pool = _pool(reserve, quarantine, dialled_quarantine, when_full, window, typed(when))
    with click.open_file(str(visits_file), "rb") as file:
        visits = read_visits(file, str(visits_file))
    with click.open_file(str(calls_file), "rb") as file:
        calls = read_calls(file, str(calls_file))
    trial = Trial(
        pool,
        trial_numbers(numbers, (call.did for call in calls)),
        seed=seed,
        may_have_number=under_conditions(pool, default_classifier()) if when else None,
    )
    in_time = sorted(range(len(calls)), key=lambda place: calls[place].start)
    lines = dict(zip(in_time, map(_line, trial.answers(visits, [calls[place] for place in in_time])), strict=True))
    sys.stdout.buffer.writelines(lines[place] for place in range(len(calls)))
    sys.stdout.buffer.flush()
    print(_summary(trial.tally, len(calls)), file=sys.stderr)


def _line(answer: Answer) -> bytes:
    return json.dumps(answer_line(answer), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _summary(tally: Tally, calls: int) -> str:
    got = tally.got
    return (
        f"{tally.visits} visits, {calls} calls; numbers lent: {got[Got.OWN]} the visitor's own, {got[Got.FREE]} free, "
        f"{got[Got.HURRIED]} before they had rested, {got[Got.DISPLACED]} taken from another, "
        f"{got[Got.REFUSED]} refused"
    )


@pools.command("advise")
@click.argument("pool", required=False)
@click.option("--sessions", "file", type=_lines, help="Sessions by the hour, such as Google Analytics exports (CSV).")
@click.option("--peak", type=click.FloatRange(min=0, min_open=True), help="Or the visits of the busiest hour alone.")
@click.option("--sources", type=click.IntRange(1, 1000), default=10, show_default=True, help="Sources told apart.")
@click.option("--stay", default="3m", show_default=True, help="How long a visit lasts on average.")
@click.option(
    "--calling",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.05,
    show_default=True,
    help="Share of visits that call.",
)
@click.option("--price", type=click.FloatRange(min=0), help="What a number costs a month.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How far back, for POOL.")
@_lending_options
@of_company
@click.pass_obj
def advise_pool(
    settings: Settings,
    /,
    pool: str | None,
    file: Path | None,
    peak: float | None,
    sources: int,
    stay: str,
    calling: float,
    price: float | None,
    days: int,
    reserve: str,
    quarantine: str,
    dialled_quarantine: str,
    when_full: str,
    window: str,
    company: str | None,
) -> None:
    """Say how many numbers a pool needs: of POOL from its own history, or from sessions, or from a peak."""
    if [pool, file, peak].count(None) != 2:
        raise click.UsageError("name a pool, or --sessions FILE, or --peak VISITS; one of them")
    asked = _pool(reserve, quarantine, dialled_quarantine, when_full, window, Conditions())
    average = duration(stay, least=timedelta(seconds=1))
    if pool is None:
        if file is not None:
            with click.open_file(str(file), "rb") as lines:
                sessions = read_sessions(lines, str(file))
        else:
            assert peak is not None
            sessions = sessions_of_peak(peak)
        click.echo(told(advise(asked, sessions, stay=average, calling=calling, sources=sources, price=price)))
        return
    name = pool

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        past = await hours_of_pool(connection, owner, name, days=days)
        return told(
            advise(
                past.pool,
                past.sessions,
                stay=past.stay or average,
                calling=past.calling or calling,
                sources=past.sources or sources,
                price=price if price is not None else past.price,
                numbers=past.numbers,
            )
        )

    in_transaction(settings, work)


COMMANDS: tuple[click.Command, ...] = (pools,)
