"""The commands about what brings calls: ``attribution learn``, ``recompute`` and ``credit``."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from gateway.attribution.credit import Model
from gateway.attribution.credited_touches import OWN_MODELS, credit_settings, set_credit
from gateway.attribution.learned_store import FEW_CALLS, StoredLearned
from gateway.attribution.learner import learn_company
from gateway.attribution.recompute import Recomputed, recompute, tried, zone_of
from gateway.attribution.reliability import score_lately
from gateway.attribution.sentence import spoken
from gateway.opening import with_database
from gateway.pools.durations import duration
from gateway.pools.setup import companies, the_company
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.terminal import in_transaction, of_company, table

_MONTH = 30 * 86400


@click.group()
def attribution() -> None:
    """What brings calls: learning how soon visitors call, and deciding past calls anew."""


@attribution.command()
@of_company
@click.pass_obj
def learn(settings: Settings, company: str | None) -> None:
    """Learn from the past how soon visitors call and how many calls nobody's visit made, as it is done every night.

    Calls from now on are decided by it. Without --company, for every company.
    """

    async def work(database: Database) -> str:
        async with database.everything() as connection:
            if company is None:
                chosen = [(row["id"], row["name"]) for row in await companies(connection)]
            else:
                one = await the_company(connection, company)
                chosen = [(one.id, one.name)]
        told = []
        for company_id, name in chosen:
            now = datetime.now(UTC)
            found = await learn_company(database, company_id, now)
            async with database.companies(company_id) as connection:
                await score_lately(connection, company_id, now)
            told.append(f"{name}: {told_learned(found)}")
        return "\n".join(told) or "There is no company yet: numberpool company add NAME"

    with_database(settings, work)


def told_learned(found: StoredLearned) -> str:
    """What was learned, in a few lines."""
    curve, background = found.learned.curve, found.learned.background
    rates = (
        f"  of 1,000 visits that are shown a number, {1000 * curve.within(600):.0f} call within ten minutes, "
        f"{1000 * curve.within(3600):.0f} within an hour, {1000 * curve.within(3 * 86400):.0f} within three days;\n"
        f"  {background.usual * _MONTH:.1f} calls a month to each number are of nobody's visit"
    )
    if found.is_prior:
        return f"no call to a number that is lent yet, so that the stated prior holds:\n{rates}"
    few = f" (few: the stated prior still weighs until there are some {FEW_CALLS})" if found.calls < FEW_CALLS else ""
    assert found.since is not None
    return (
        f"learned from {found.calls} calls{few}, {found.visits} visits and {found.taps} taps since "
        f"{found.since:%Y-%m-%d}:\n{rates}"
    )


_day = click.DateTime(["%Y-%m-%d"])


@attribution.command("recompute")
@click.argument("company")
@click.option("--from", "first", type=_day, required=True, help="The first day, in the company's time.")
@click.option("--to", "last", type=_day, required=True, help="The last day.")
@click.option("--apply", "applies", is_flag=True, help="Change them; without it, what would change is only listed.")
@click.option("--json", "as_json", is_flag=True, help="For a program to read: every change, and totals.")
@click.option("--list", "most", type=int, default=50, show_default=True, help="So many calls are listed.")
@click.pass_obj
def recompute_period(
    settings: Settings, company: str, first: datetime, last: datetime, applies: bool, as_json: bool, most: int
) -> None:
    """Decide the calls of a period again, with what is known and learned now, and list what changes.

    Nothing is changed without --apply. A period whose visits are kept no longer stays as it is.
    """
    if last < first:
        raise click.UsageError("--to lies before --from")

    async def work(database: Database) -> str:
        async with database.everything() as connection:
            owner = await the_company(connection, company)
        async with database.companies(owner.id) as connection:
            zone = await zone_of(connection, owner.id)
            since, until = first.replace(tzinfo=zone), (last + timedelta(days=1)).replace(tzinfo=zone)
            with _bar() as tell:

                async def again() -> Recomputed:
                    return await recompute(
                        connection,
                        owner.id,
                        since.astimezone(UTC),
                        until.astimezone(UTC),
                        now=datetime.now(UTC),
                        is_trial=not applies,
                        progress=tell,
                    )

                if applies:
                    found = await again()
                else:
                    async with tried(connection):
                        found = await again()
        if as_json:
            return json.dumps(as_data(found, owner.name, first, last, applied=applies), ensure_ascii=False, indent=1)
        end = "Changed." if applies else "Nothing is changed yet: --apply changes them."
        return told_changes(found, most=most) + (f"\n{end}" if found.changes else "")

    with_database(settings, work)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """Progress on standard error, where somebody looks at it."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    shown = -1

    def tell(done: int, count: int) -> None:
        nonlocal shown
        percent = 100 * done // max(count, 1)
        if percent != shown:
            shown = percent
            click.echo(f"\r{done} of {count} calls ({percent}%)", nl=False, err=True)

    try:
        yield tell
    finally:
        if shown >= 0:
            click.echo("", err=True)


def told_changes(found: Recomputed, *, most: int) -> str:
    """What changes in calls, for people to read: totals, then call by call."""
    kept = []
    if found.forgotten:
        kept.append(f"{found.forgotten} keep their sources, because their visitors asked to be forgotten")
    if found.frozen:
        kept.append(f"{found.frozen} keep theirs, because the visits of their time are kept no longer")
    keeps = f"; {'; '.join(kept)}" if kept else ""
    if not found.changes:
        return f"{found.calls} calls: nothing would change{keeps}."
    totals = table(
        ("CALLS", "NOW", "THEN"),
        ((count, now or "Unknown", then or "Unknown") for (now, then), count in found.totals.most_common()),
        "No call changes its source; some are more certain, or less.",
    )
    listed = table(
        ("CALL", "WHEN (UTC)", "NUMBER", "NOW", "THEN", "WHY"),
        (
            (each.call_id, f"{each.at:%Y-%m-%d %H:%M}", each.number, each.before, each.after, each.why)
            for each in found.changes[:most]
        ),
        "",
    )
    more = f"\n... and {len(found.changes) - most} more" if len(found.changes) > most else ""
    return f"{len(found.changes)} of {found.calls} calls change{keeps}:\n\n{totals}\n\n{listed}{more}"


def as_data(found: Recomputed, company: str, first: datetime, last: datetime, *, applied: bool) -> dict[str, Any]:
    """The same for a program. A source is null for Unknown."""
    return {
        "company": company,
        "from": f"{first:%Y-%m-%d}",
        "to": f"{last:%Y-%m-%d}",
        "applied": applied,
        "calls": found.calls,
        "forgotten": found.forgotten,
        "changes": [
            {
                "call": each.call_id,
                "at": each.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "number": each.number,
                "before": {"source": each.before.label, "confidence": round(each.before.confidence, 4)},
                "after": {"source": each.after.label, "confidence": round(each.after.confidence, 4)},
                "why": each.why,
            }
            for each in found.changes
        ],
        "totals": [
            {"before": before, "after": after, "calls": count} for (before, after), count in found.totals.most_common()
        ],
    }


@attribution.command()
@of_company
@click.option("--model", type=click.Choice([each.value for each in OWN_MODELS]), help="The touch that calls stand for.")
@click.option("--days", type=click.IntRange(1, 730), help="How long before a call touches count.")
@click.option("--half-life", "half_life", help="Of reports by time decay, such as 7d.")
@click.pass_obj
def credit(settings: Settings, company: str | None, model: str | None, days: int | None, half_life: str | None) -> None:
    """Show, or change, which touch of a visitor has the credit for a call on the call log.

    Reports may ask for other models over the same touches.
    """
    length = None if half_life is None else duration(half_life, least=timedelta(hours=1))

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        await set_credit(
            connection,
            owner.id,
            model=None if model is None else Model(model),
            lookback=None if days is None else timedelta(days=days),
            half_life=length,
        )
        now = await credit_settings(connection, owner.id)
        said = (
            f"{owner.name}: the {now.model.value} touch of the {now.lookback.days} days before a call has the credit; "
            f"the half-life of time decay is {spoken(now.half_life)}."
        )
        if model is None and days is None:
            return said
        return (
            f"{said}\nCalls until now keep theirs; see what would change with: "
            f"numberpool attribution recompute {shlex.quote(owner.name)} --from DAY --to DAY"
        )

    in_transaction(settings, work)


COMMANDS: tuple[click.Command, ...] = (attribution,)
