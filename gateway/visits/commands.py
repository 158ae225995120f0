"""The commands about where visits come from: ``sources classify``, and ``sources rules`` to try and apply rules."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.pools.setup import the_company
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table
from gateway.visits.classify import Classifier, default_classifier
from gateway.visits.faults import say
from gateway.visits.lines import classified_lines
from gateway.visits.rule_store import (
    Relabelled,
    relabel,
    rules_in_force,
    run_again,
    store_rules,
    stored_versions,
)
from gateway.visits.ruleset import BadRuleSet, RuleSet, default_rule_set
from gateway.visits.source import Decision

Command = TypeVar("Command", bound=Callable[..., Any])

_rules_file = click.Path(path_type=Path, exists=True, dir_okay=False)


def read_rules(file: Path) -> RuleSet:
    """The rule set of a file, JSON by its name or else TOML. Raises BadRuleSet, OSError."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadRuleSet([say("%(file)s is not text in UTF-8; save it as that.", file=file)]) from None
    return RuleSet.from_json(text) if file.suffix == ".json" else RuleSet.from_toml(text)


@click.group()
def sources() -> None:
    """Where visits come from: the rules, and trying them."""


@sources.command()
@click.option("--rules", "file", type=_rules_file, help="A rule set (TOML or JSON) instead of the default one.")
def classify(file: Path | None) -> None:
    """Say where visits came from: JSON lines {"url", "referrer"} in, a line out for each, in order."""
    classifier = Classifier(read_rules(file)) if file else default_classifier()
    out = sys.stdout.buffer
    for line in classified_lines(sys.stdin.buffer, classifier):
        out.write(line)
    out.flush()


@sources.group()
def rules() -> None:
    """Source rules as data."""


@rules.command()
@click.option("--json", "as_json", is_flag=True, help="The whole set, as it is stored and edited.")
@click.option("--rules", "file", type=_rules_file, help="A rule set (TOML or JSON) instead of the default one.")
def show(as_json: bool, file: Path | None) -> None:
    """Print the rules in their order."""
    rule_set = read_rules(file) if file else default_rule_set()
    if as_json:
        click.echo(rule_set.to_json())
        return
    click.echo(f"{rule_set.name or 'Rules'}, version {rule_set.version}\n")
    width = max(len(rule.name) for rule in rule_set.rules)
    for rule in rule_set.rules:
        given = {name: words for name, words in asdict(rule.when).items() if words}
        conditions = "; ".join(f"{name} = {', '.join(map(str, words))}" for name, words in given.items())
        click.echo(f"{rule.name.ljust(width)}  {rule.then.label:16}  {conditions or 'always'}")
        if rule.why:
            click.echo(f"{'':{width}}  {'':16}  {rule.why}")


@rules.command()
@click.argument("file", type=_rules_file)
def check(file: Path) -> None:
    """Say what is wrong with a rule set, or that it can be used."""
    rule_set = read_rules(file)
    click.echo(
        f"{file} can be used: version {rule_set.version}, {len(rule_set.rules)} rules, {len(rule_set.places)} places."
    )


_period = (
    click.option("--since", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day, in UTC."),
    click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day; else today."),
)


def _of_period(command: Command) -> Command:
    for option in reversed(_period):
        command = option(command)
    return command


def _between(since: datetime, until: datetime | None) -> tuple[datetime, datetime]:
    end = datetime.now(UTC) if until is None else until.replace(tzinfo=UTC) + timedelta(days=1)
    return since.replace(tzinfo=UTC), end


@rules.command("try")
@click.argument("file", type=_rules_file)
@_of_period
@click.option("--list", "most", type=int, default=20, show_default=True, help="So many visits are listed.")
@of_company
@click.pass_obj
def try_rules(
    settings: Settings, file: Path, since: datetime, until: datetime | None, most: int, company: str | None
) -> None:
    """List what a rule set would change in the visits of a period. Nothing is changed."""
    rule_set = read_rules(file)

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        told, _ = await _changes(connection, owner.id, rule_set, *_between(since, until), most=most)
        return told

    in_transaction(settings, work)


@rules.command("store")
@click.argument("file", type=_rules_file)
@click.option("--note", default="", help="What was changed, for whoever reads the list of versions.")
@of_company
@click.pass_obj
def store(settings: Settings, file: Path, note: str, company: str | None) -> None:
    """Make a rule set the one by which a company's visits are classified from now on."""
    rule_set = read_rules(file)

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        version = await store_rules(connection, owner.id, rule_set, note)
        return (
            f"Version {version} is in force for {owner.name}. Visits until now keep their sources; see what would "
            "change with numberpool sources rules apply --since DAY"
        )

    in_transaction(settings, work)


@rules.command("versions")
@of_company
@click.pass_obj
def versions(settings: Settings, company: str | None) -> None:
    """List the versions of a company's rules; the first is in force."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        return table(
            ("VERSION", "STORED", "NOTE"),
            (
                (row["version"], f"{row['created_at']:%Y-%m-%d %H:%M} UTC", row["note"])
                for row in await stored_versions(connection, owner.id)
            ),
            f"{owner.name} goes by the rules that come with Numberpool (numberpool sources rules show).",
        )

    in_transaction(settings, work)


@rules.command("apply")
@_of_period
@click.option("--list", "most", type=int, default=20, show_default=True, help="So many visits are listed.")
@click.option("--yes", is_flag=True, help="Change them; without it, what would change is only listed.")
@of_company
@click.pass_obj
def apply(
    settings: Settings, since: datetime, until: datetime | None, most: int, yes: bool, company: str | None
) -> None:
    """Give the visits of a period the sources that the company's present rules name, after listing what changes.

    The calls that these visits made, or may have made, are decided anew with them.
    """
    # What decides calls takes a moment to load, and the other commands do without it.
    from gateway.attribution.attribution_commands import told_changes
    from gateway.attribution.recompute import recompute_calls_of, tried

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        present = await rules_in_force(connection, owner.id)
        told, changed = await _changes(connection, owner.id, present.rule_set, *_between(since, until), most=most)
        if not changed:
            return told

        async def change(*, is_trial: bool) -> str:
            await relabel(connection, owner.id, present.version, changed)
            visits = [each.id for each in changed]
            return told_changes(
                await recompute_calls_of(connection, owner.id, visits, now=datetime.now(UTC), is_trial=is_trial),
                most=most,
            )

        if yes:
            calls = await change(is_trial=False)
            return f"{told}\n\n{calls}\nChanged: {len(changed)} visits."
        async with tried(connection):
            calls = await change(is_trial=True)
        return f"{told}\n\n{calls}\nNothing is changed yet: --yes changes them."

    in_transaction(settings, work)


async def _changes(
    connection: Any, company_id: int, rule_set: RuleSet, since: datetime, until: datetime, *, most: int
) -> tuple[str, list[Relabelled]]:
    """What would change, for people to read, and the visits themselves."""
    seen, changed = 0, []
    async for each in run_again(connection, company_id, rule_set, since, until):
        seen += 1
        if each.differs:
            changed.append(each)
    if not changed:
        return f"{seen} visits: nothing would change.", []
    counts = Counter((each.before.source.label, each.after.source.label) for each in changed)
    summary = table(
        ("VISITS", "NOW", "THEN"), ((number, now, then) for (now, then), number in counts.most_common()), ""
    )
    listed = table(
        ("WHEN (UTC)", "NOW", "THEN", "RULE", "ADDRESS"),
        (
            (
                f"{each.started_at:%Y-%m-%d %H:%M}",
                _shown(each.before),
                _shown(each.after),
                each.after.rule,
                each.touch.url[:80],
            )
            for each in changed[:most]
        ),
        "",
    )
    more = f"\n... and {len(changed) - most} more" if len(changed) > most else ""
    return f"{len(changed)} of {seen} visits would change:\n\n{summary}\n\n{listed}{more}", changed


def _shown(decision: Decision) -> str:
    source = decision.source
    return f"{source.label} ({source.source} / {source.medium})"


COMMANDS = (sources,)
