"""The commands about what brings calls: ``attribution learn``, ``attribution recompute``."""

from datetime import UTC, datetime

import click

from gateway.attribution.learned_store import FEW_CALLS, StoredLearned
from gateway.attribution.learner import learn_company
from gateway.attribution.reliability import score_lately
from gateway.opening import with_database
from gateway.pools.setup import companies, the_company
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.terminal import of_company

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


COMMANDS: tuple[click.Command, ...] = (attribution,)
