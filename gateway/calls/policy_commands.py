"""The commands about calls that are taken: ``announcement``, ``spam`` and ``limits``."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from gateway.calls import policy_setup
from gateway.calls.consent import law_of
from gateway.calls.policy import Act, Announce, Policy, Withheld
from gateway.calls.screening import LIMITS, Screened
from gateway.pools.numbers import printed
from gateway.pools.setup import Company, the_company
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table

_WITHHELD = {
    Withheld.RING: "callers who hide their number ring",
    Withheld.PRESS: "callers who hide their number are asked to press 1, and ring in any case",
    Withheld.ASK: "callers who hide their number are told that a number is wanted, and the call ends",
}


@click.group()
def announcement() -> None:
    """Whether callers are told that they may be recorded."""


@announcement.command("set")
@click.argument("when", type=click.Choice(["always", "by-region", "never"]))
@click.option("--place", metavar="PLACE", help="Where the business is, such as US-CO or GB; else its main number says.")
@of_company
@click.pass_obj
def set_announcement(settings: Settings, when: str, place: str | None, company: str | None) -> None:
    """Announce always, by-region (where the law of either end asks for it) or never.

    A call that needs the announcement and cannot have it is not recorded.
    """

    def said(policy: Policy, owner: Company) -> str:
        match policy.announce:
            case Announce.NEVER:
                return (
                    f"Callers of {owner.name} are not told that they are recorded. In most countries and in many of "
                    "the United States that is against the law."
                )
            case Announce.BY_REGION:
                return f"Callers of {owner.name} are told wherever the law of either end may ask for it."
        return f"Callers of {owner.name} are always told before they are recorded."

    changes: dict[str, Any] = {"announce": Announce(when.replace("-", "_"))}
    _change(settings, company, changes | ({"place": place} if place else {}), said)


@announcement.command("show")
@of_company
@click.pass_obj
def show_announcement(settings: Settings, company: str | None) -> None:
    """Show what is announced, and by which law."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        policy = await policy_setup.policy_of(connection, owner.id)
        place = policy.place or await policy_setup.place_of_company(connection, owner.id)
        law = law_of(place)
        when = policy.announce.value.replace("_", "-") if policy.announce else "as its own sound says (never decided)"
        rule = "everybody must know" if law.everybody else "one party knows, which is enough there"
        return f"Announced: {when}\nThe business is in {place}: {rule} ({law.source or 'its law is not known here'})."

    in_transaction(settings, work)


@click.group()
def spam() -> None:
    """Rules against spam. Whom you let through (numberpool caller allow) meets none of them."""


@spam.command("show")
@of_company
@click.pass_obj
def show_spam(settings: Settings, company: str | None) -> None:
    """Show the rules, and what each did in the last 30 days."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        policy = await policy_setup.policy_of(connection, owner.id)
        done = await policy_setup.acted(connection, owner.id, datetime.now(UTC))
        traps = await policy_setup.traps_of(connection, owner.id)
        often = (
            f"{policy.often_calls} calls within {policy.often_minutes} minutes: {policy.often.value}"
            if policy.often_calls
            else "off"
        )
        days = f", and numbers on loan that nobody was shown for {policy.trap_days} days" if policy.trap_days else ""
        marked = ", ".join(printed(each, owner.region) for each in traps) or "none marked"
        rows = [
            ("withheld", policy.withheld.value, *_done(done, Screened.WITHHELD)),
            ("often", often, *_done(done, Screened.OFTEN)),
            ("traps", f"{marked}{days}" if policy.traps else "off", *_done(done, Screened.TRAPPED)),
            ("block list", "numberpool caller list", *_done(done, Screened.LISTED)),
        ]
        return table(("RULE", "SET TO", "ACTED (30 DAYS)", "TURNED AWAY"), rows, "")

    in_transaction(settings, work)


@spam.command()
@click.argument("what", type=click.Choice([each.value for each in Withheld]))
@of_company
@click.pass_obj
def withheld(settings: Settings, what: str, company: str | None) -> None:
    """Let callers who hide their number ring, press 1 (and ring in any case), or be asked to show it."""
    _change(
        settings, company, {"withheld": Withheld(what)}, lambda now, owner: f"{owner.name}: {_WITHHELD[now.withheld]}."
    )


@spam.command()
@click.argument("calls", type=click.IntRange(0, 1000))
@click.option("--minutes", type=click.IntRange(1, 1440), default=60, show_default=True)
@click.option("--then", type=click.Choice([each.value for each in Act]), default="press", show_default=True)
@of_company
@click.pass_obj
def often(settings: Settings, calls: int, minutes: int, then: str, company: str | None) -> None:
    """Who has called CALLS times within the minutes must press 1, or is blocked. 0: no such rule."""
    changes = {"often_calls": calls or None, "often_minutes": minutes, "often": Act(then)}

    def said(policy: Policy, owner: Company) -> str:
        if policy.often_calls is None:
            return f"{owner.name} counts no caller's calls."
        then = "must press 1" if policy.often is Act.PRESS else "is blocked"
        return f"{owner.name}: who has called {policy.often_calls} times within {policy.often_minutes} minutes {then}."

    _change(settings, company, changes, said)


@spam.command()
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option(
    "--days", type=click.IntRange(0, 365), help="Also numbers on loan that nobody was shown for so many days."
)
@of_company
@click.pass_obj
def traps(settings: Settings, state: str, days: int | None, company: str | None) -> None:
    """Who dials a number that nobody is shown must press 1 on every other call, for 30 days."""
    changes: dict[str, Any] = {"traps": state == "on"} | ({} if days is None else {"trap_days": days or None})
    _change(settings, company, changes, lambda now, owner: f"{owner.name}: traps are {'on' if now.traps else 'off'}.")


@spam.command()
@click.argument("number")
@click.option("--off", is_flag=True, help="It is none any more.")
@of_company
@click.pass_obj
def trap(settings: Settings, number: str, off: bool, company: str | None) -> None:
    """Mark NUMBER, one of yours that is printed and shown nowhere, as a trap."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        e164 = await policy_setup.mark_trap(connection, owner.id, owner.region, number, is_trap=not off)
        return f"{printed(e164, owner.region)} is {'no trap any more' if off else 'a trap'}."

    in_transaction(settings, work)


@click.group()
def limits() -> None:
    """Limits against fraud and floods. Emergency services and those on your list are never turned away by one."""


@limits.command("show")
@of_company
@click.pass_obj
def show_limits(settings: Settings, company: str | None) -> None:
    """Show the limits, and what each did in the last 30 days."""

    async def work(connection: Any) -> str:
        owner, now = await the_company(connection, company), datetime.now(UTC)
        policy = await policy_setup.policy_of(connection, owner.id)
        done = await policy_setup.acted(connection, owner.id, now)
        ended = await policy_setup.ended_by_length(connection, owner.id, now)
        rows = [
            ("calls at once", policy.most_calls or "no limit", *_done(done, LIMITS[0])),
            *((f"over {trunk}", most, *_done(done, LIMITS[1])) for trunk, most in sorted(policy.most_by_trunk.items())),
            ("minutes a call", policy.longest_minutes or "no limit", ended, ""),
            ("countries", " ".join(policy.countries) if policy.countries is not None else "all", "", ""),
            ("premium numbers", "allowed" if policy.premium else "never", "", ""),
        ]
        return table(("LIMIT", "SET TO", "ACTED (30 DAYS)", "TURNED AWAY"), rows, "")

    in_transaction(settings, work)


@limits.command()
@click.argument("most", type=click.IntRange(0, 10_000))
@click.option("--trunk", metavar="NAME", help="Of this trunk alone.")
@of_company
@click.pass_obj
def calls(settings: Settings, most: int, trunk: str | None, company: str | None) -> None:
    """At most MOST calls at once. One more hears that all lines are busy. 0: no limit."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        before = await policy_setup.policy_of(connection, owner.id)
        changes: dict[str, Any] = {"most_calls": most or None}
        if trunk is not None:
            others = {name: each for name, each in before.most_by_trunk.items() if name != trunk}
            changes = {"most_by_trunk": others | ({trunk: most} if most else {})}
        await _set(connection, owner, changes)
        over = f" over {trunk}" if trunk else ""
        return f"{owner.name} takes {f'at most {most} calls' if most else 'any number of calls'} at once{over}."

    in_transaction(settings, work)


@limits.command()
@click.argument("minutes", type=click.IntRange(0, 1440))
@of_company
@click.pass_obj
def length(settings: Settings, minutes: int, company: str | None) -> None:
    """A call ends after MINUTES, ringing included. 0: no limit."""
    said = f"Calls of {{}} end after {minutes} minutes." if minutes else "Calls of {} last as long as people talk."
    _change(settings, company, {"longest_minutes": minutes or None}, lambda _, owner: said.format(owner.name))


@limits.command()
@click.argument("codes", nargs=-1)
@click.option("--all", "everywhere", is_flag=True, help="To every country.")
@of_company
@click.pass_obj
def countries(settings: Settings, codes: tuple[str, ...], everywhere: bool, company: str | None) -> None:
    """Forward calls to these countries alone: CA US, say."""
    if not codes and not everywhere:
        raise click.UsageError("name the countries, such as CA US, or --all")
    allowed = None if everywhere else tuple(sorted({code.upper() for code in codes}))
    said = "everywhere" if allowed is None else f"to {', '.join(allowed)} alone"
    _change(settings, company, {"countries": allowed}, lambda _, owner: f"Calls of {owner.name} are forwarded {said}.")


@limits.command()
@click.argument("state", type=click.Choice(["on", "off"]))
@of_company
@click.pass_obj
def premium(settings: Settings, state: str, company: str | None) -> None:
    """Whether calls may be forwarded to numbers that cost extra."""
    said = "may be" if state == "on" else "are never"
    words = f"Calls of {{}} {said} forwarded to numbers that cost extra."
    _change(settings, company, {"premium": state == "on"}, lambda _, owner: words.format(owner.name))


def _change(
    settings: Settings, company: str | None, changes: dict[str, Any], said: Callable[[Policy, Company], str]
) -> None:
    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        return said(await _set(connection, owner, changes), owner)

    in_transaction(settings, work)


async def _set(connection: Any, owner: Company, changes: dict[str, Any]) -> Policy:
    _, after = await policy_setup.set_policy(connection, owner.id, **changes)
    return after


def _done(done: dict[Screened, policy_setup.Acted], rule: Screened) -> tuple[int, int]:
    found = done.get(rule, policy_setup.Acted())
    return found.calls, found.turned_away


COMMANDS: tuple[click.Command, ...] = (announcement, spam, limits)
