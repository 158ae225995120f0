"""The commands about where visits come from: ``sources classify``, ``sources rules show``, ``sources rules check``."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from gateway.visits.classify import Classifier, default_classifier
from gateway.visits.lines import classified_lines
from gateway.visits.ruleset import BadRuleSet, RuleSet, default_rule_set

_rules_file = click.Path(path_type=Path, exists=True, dir_okay=False)


def read_rules(file: Path) -> RuleSet:
    """The rule set of a file, JSON by its name or else TOML. Raises BadRuleSet, OSError."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadRuleSet([f"{file} is not text in UTF-8; save it as that."]) from None
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


COMMANDS = (sources,)
