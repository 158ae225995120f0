"""The commands that set up pools and tell how they are doing: ``pool``."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import click

from gateway.pools import pool_setup, setup
from gateway.pools.conditions import conditions_of, written
from gateway.pools.durations import said
from gateway.pools.health import PoolHealth, pool_health
from gateway.pools.pool_setup import PoolSettings
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table

Command = TypeVar("Command", bound=Callable[..., Any])

_SETTINGS = (
    click.option("--priority", type=int, help="Of several pools that match, the highest is shown."),
    click.option(
        "--when",
        multiple=True,
        metavar="NAME=VALUES",
        help="Only visits with one of these values, such as medium=cpc,ppc utm_term='roof*' source=!bing; '' for all.",
    ),
    click.option(
        "--bind-to",
        "bound_to",
        metavar="PARAMETERS",
        help="One number for each combination of these, such as utm_source,utm_campaign; '' for one a visitor.",
    ),
    click.option("--reserve", metavar="TIME", help="How long a number stays its holder's after it was last seen: 20m."),
    click.option("--quarantine", metavar="TIME", help="How long it then rests before another gets it."),
    click.option("--dialled-quarantine", metavar="TIME", help="The same once somebody rang it."),
    click.option("--window", metavar="TIME", help="How long after a visit a call may be its call: 1h."),
    click.option(
        "--when-full",
        type=click.Choice(["share", "fallback"]),
        help="Lend the number seen longest ago, or show the fallback number.",
    ),
    click.option("--fallback", metavar="NUMBER", help="Shown when it is full and no static number fits; none."),
    click.option("--price", metavar="AMOUNT", help="What a number costs a month, in the company's currency; none."),
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="NUMBER",
        help="A number printed on a site that this pool replaces; else all of them. '' for all.",
    ),
)


def _settings(command: Command) -> Command:
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


def _asked(given: dict[str, Any]) -> PoolSettings:
    """What was typed; an option that was not given changes nothing, an empty one clears."""
    bound_to = given["bound_to"]
    return PoolSettings(
        priority=given["priority"],
        when=_listed(given["when"]),
        bound_to=None if bound_to is None else _listed(bound_to.split(",")),
        reserve=given["reserve"],
        quarantine=given["quarantine"],
        dialled_quarantine=given["dialled_quarantine"],
        window=given["window"],
        when_full=given["when_full"],
        fallback=given["fallback"],
        price=given["price"],
        targets=_listed(given["targets"]),
        record=given.get("record"),
    )


def _listed(words: Sequence[str]) -> tuple[str, ...] | None:
    return tuple(word.strip() for word in words if word.strip()) if words else None


@click.group()
def pool() -> None:
    """Pools: numbers lent to visitors, or standing for one source each."""


@pool.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(["dynamic", "static"]), default="dynamic", show_default=True)
@click.option("--record/--no-record", default=None, help="Whether calls are recorded; else as the company says.")
@_settings
@of_company
@click.pass_obj
def add_pool(
    settings: Settings,
    /,
    name: str,
    kind: Literal["static", "dynamic"],
    record: bool | None,
    company: str | None,
    **given: Any,
) -> None:
    """Make a pool."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        await pool_setup.make_pool(connection, owner, name, kind, _asked(given), record_calls=record)
        return f'{name} is a pool of {owner.name}.\nNext, its numbers:  numberpool number import FILE --pool "{name}"'

    in_transaction(settings, work)


@pool.command("set")
@click.argument("name")
@click.option(
    "--record",
    type=click.Choice(["on", "off", "company"]),
    help="Whether calls of its numbers are recorded, or as the company says.",
)
@_settings
@of_company
@click.pass_obj
def set_pool(settings: Settings, /, name: str, company: str | None, **given: Any) -> None:
    """Change a pool. Numbers that are lent stay with their holders."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        await pool_setup.change_pool(connection, owner, name, _asked(given))
        return f"{name} is changed."

    in_transaction(settings, work)


@pool.command("list")
@of_company
@click.pass_obj
def list_pools(settings: Settings, company: str | None) -> None:
    """Show the pools of a company."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        return table(
            ("NAME", "KIND", "NUMBERS", "PRIORITY", "SHOWN WHEN", "BOUND TO", "RESERVE", "WHEN FULL", "A MONTH"),
            (
                (
                    each["name"],
                    each["kind"],
                    each["numbers"],
                    each["priority"],
                    written(conditions_of(json.loads(each["conditions"]))) or "always",
                    *_lending(each),
                    pool_setup.price_said(each["monthly_price"], each["currency"]),
                )
                for each in await pool_setup.pools(connection, owner)
            ),
            "No pool yet. Make one:  numberpool pool add Visitors",
        )

    in_transaction(settings, work)


def _lending(each: Any) -> tuple[str, str, str]:
    if each["kind"] == "static":
        return "source", "", ""
    return ",".join(each["bound_to"]) or "visitor", said(each["reserve_seconds"]), each["when_full"]


@pool.command("health")
@click.option("--hours", type=click.IntRange(1, 24 * 366), default=24, show_default=True, help="How far back.")
@click.option("--by-hour", is_flag=True, help="Show each hour.")
@of_company
@click.pass_obj
def show_health(settings: Settings, hours: int, by_hour: bool, company: str | None) -> None:
    """Show how full pools are and were, and which visits they failed."""

    async def work(connection: Any) -> str:
        owner = await setup.the_company(connection, company)
        row = next(row for row in await setup.companies(connection) if row["id"] == owner.id)
        now = datetime.now(UTC)
        start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
        pools = await pool_health(connection, owner.id, start=start, finish=now, now=now)
        return "\n\n".join(_told(pools, ZoneInfo(row["time_zone"]), by_hour))

    in_transaction(settings, work)


def _told(pools: tuple[PoolHealth, ...], zone: ZoneInfo, by_hour: bool) -> list[str]:
    parts = [
        table(
            ("POOL", "NUMBERS", "RESTING", "HELD NOW", "ON AVERAGE", "AT MOST", "LEASES", "DISPLACED", "REFUSED"),
            (
                (
                    each.name,
                    each.numbers,
                    each.resting,
                    each.held,
                    "" if each.occupied is None else f"{each.occupied:.1f}",
                    each.occupied_most,
                    each.leased,
                    each.displaced,
                    each.refused,
                )
                for each in pools
            ),
            "No pool lends numbers yet. Make one:  numberpool pool add Visitors",
        )
    ]
    if by_hour:
        parts += [
            f"{each.name}\n"
            + table(
                ("HOUR", "HELD", "AT MOST", "OF", "LEASES", "DISPLACED", "REFUSED"),
                (
                    (
                        f"{hour.hour.astimezone(zone):%Y-%m-%d %H:%M}",
                        "" if hour.occupied is None else f"{hour.occupied:.1f}",
                        hour.occupied_most,
                        hour.numbers,
                        hour.leased,
                        hour.displaced,
                        hour.refused,
                    )
                    for hour in each.hours
                ),
                "",
            )
            for each in pools
            if each.hours
        ]
    missed = [(each.name, miss.source, miss.displaced, miss.refused) for each in pools for miss in each.misses]
    if missed:
        parts.append(table(("POOL", "FOUND FULL BY", "TOOK ANOTHER'S", "SAW A FALLBACK"), missed, ""))
    advice = [each.advice for each in pools if each.advice]
    return [*parts, "\n".join(advice)] if advice else parts


COMMANDS: tuple[click.Command, ...] = (pool,)
