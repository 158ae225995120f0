"""The commands ``reports rebuild`` (everything is counted and added up again) and ``reports preview``."""

import sys
from datetime import UTC, datetime

import click

from gateway.http.report_preview import preview
from gateway.opening import with_database
from gateway.pools.setup import companies, the_company
from gateway.reports import recount
from gateway.reports.rollup import count_some_of, make_some
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.terminal import of_company

# In one transaction; pages wait for it before they show a figure that has just changed.
BATCH = 500
# More that wait are not told apart.
_MOST_TOLD = 10_000_000


@click.group()
def reports() -> None:
    """What reports say: figures by day, made of calls, forms and jobs."""


@reports.command()
@of_company
@click.pass_obj
def rebuild(settings: Settings, company: str | None) -> None:
    """Count every call and form again, and add up every day anew.

    The gateway keeps reports up to date by itself: this is for after somebody has changed rows of the database by hand,
    or brought in an old copy. Pages go on showing the figures there are; those of a day change once it is counted.
    What was known of visits that are gone by now stays. Without --company, for every company.
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
            began = datetime.now(UTC)
            calls, days = await _rebuild(database, company_id, name)
            seconds = (datetime.now(UTC) - began).total_seconds()
            told.append(f"{name}: {calls} calls and forms counted, {days} days added up, in {seconds:.0f} s.")
        return "\n".join(told) or "There is no company yet: numberpool company add NAME"

    with_database(settings, work)


async def _rebuild(database: Database, company_id: int, name: str) -> tuple[int, int]:
    """How many calls and forms were counted, and how many days added up."""
    async with database.companies(company_id) as connection:
        await recount.make_all_due(connection, company_id)
    calls = days = 0
    total: int | None = None
    while True:
        done = await count_some_of(database, company_id, BATCH)
        calls += done
        if total is None:
            async with database.companies(company_id) as connection:
                total = calls + await recount.how_many_due(connection, company_id, _MOST_TOLD)
        _tell(f"{name}: counting, {calls} of {max(total, calls)}")
        if not done:
            break
    async with database.companies(company_id) as connection:
        await recount.take_out_all(connection, company_id)
    while made := await make_some(database, company_id):
        days += made.days
        _tell(f"{name}: adding up, {days} days")
    _tell("")
    return calls, days


def _tell(text: str) -> None:
    """Progress, on one line of a terminal; nothing where nobody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


reports.add_command(preview)

COMMANDS = (reports,)
