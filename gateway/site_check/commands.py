"""``numberpool site check``: a page looked at with a real browser, and said in sentences what was found."""

import asyncio
import json
import signal
import sys
from textwrap import wrap

import click

import gateway.http.collector.commands  # noqa: F401 - which adds to the same group
from gateway.opening import open_database
from gateway.pools.site_commands import site
from gateway.settings import Settings
from gateway.site_check.findings import Level, Report
from gateway.site_check.words import STEPS, Told, told_by_area

_MARKS = {Level.PROBLEM: "PROBLEM", Level.WARNING: "warning", Level.NOTE: "note", Level.GOOD: "ok"}
_WIDTH = 100


@site.command("check")
@click.argument("url")
@click.option("--site", "key", default="", metavar="KEY", help="Which site the page should be of; else by its host.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@click.pass_context
def check_site(context: click.Context, url: str, key: str, as_json: bool) -> None:
    """Open a page in a browser, and say what becomes of the snippet and the numbers in it.

    The page is opened as a visitor would who comes by an advertisement, and as one who comes directly. No number is
    taken from visitors, and nothing is counted. Ends with 0 where all is well, with 1 where something should be mended.
    """
    settings: Settings = context.obj
    report = asyncio.run(_checked(settings, url, key, quiet=as_json or not sys.stderr.isatty()))
    click.echo(json.dumps(_as_json(report), ensure_ascii=False, indent=1) if as_json else as_text(report))
    if not report.is_well:
        context.exit(1)


@site.command("checks")
@click.pass_obj
def work_checks(settings: Settings) -> None:
    """Make the checks that pages ask for, until SIGTERM: where the gateway itself does not (in_gateway = false)."""
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    working = asyncio.create_task(_work_endlessly(settings))
    stopping = asyncio.create_task(stop.wait())
    # Also a start that waits for Postgres can be stopped.
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    working.cancel()
    await asyncio.wait([working])
    if not working.cancelled() and (error := working.exception()):
        raise error


async def _work_endlessly(settings: Settings) -> None:
    from gateway.health import Health
    from gateway.site_check.job import handlers
    from gateway.store.jobs import run_jobs

    async with open_database(settings) as database:
        await run_jobs(database.dsn, handlers(database, settings), Health(), at_once=2)


async def _checked(settings: Settings, url: str, key: str, *, quiet: bool) -> Report:
    from gateway.site_check.check import Wish, check

    async def tell(step: str) -> None:
        if not quiet:
            click.echo(f"{STEPS[step]} …", err=True)

    async with open_database(settings) as database:
        return await check(database, settings.site_check, settings.collector, Wish(url, key, private=True), tell)


def _as_json(report: Report) -> dict[str, object]:
    sentences = {id(told.finding): told for _, each in told_by_area(report) for told in each}
    return {
        **report.as_json(),
        "well": report.is_well,
        "findings": [
            {
                **each.as_json(),
                "area": each.area.value,
                "what": sentences[id(each)].what,
                "mend": sentences[id(each)].mend,
            }
            for each in report.findings
        ],
    }


def as_text(report: Report) -> str:
    """A report for a terminal: headings, the gravest first, each with its mend."""
    lines: list[str] = []
    for heading, found in told_by_area(report):
        lines += ["", heading]
        for told in found:
            lines += _lines(told)
    return "\n".join([*lines, "", _summary(report)]).lstrip("\n")


def _lines(told: Told) -> list[str]:
    what = f"{_MARKS[told.finding.level]}: {told.what}"
    return [*_wrapped(what, "  "), *_wrapped(told.mend, "      ")]


def _wrapped(text: str, indent: str) -> list[str]:
    # Commands and addresses are copied: they stay in one piece.
    return wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _summary(report: Report) -> str:
    counts = [(level, sum(each.level is level for each in report.findings)) for level in (Level.PROBLEM, Level.WARNING)]
    named = [f"{count} {level.value}{'' if count == 1 else 's'}" for level, count in counts if count]
    return ", ".join(named) if named else "All is well."


COMMANDS: tuple[click.Command, ...] = (site,)
