"""``numberpool doctor``: what is set up wrongly, and what to type."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from gateway.doctor.examine import examine
from gateway.doctor.findings import Area, Finding, Severity
from gateway.settings import Settings, SettingsError

_MARKS = {Severity.ERROR: "ERROR", Severity.WARNING: "warning", Severity.NOTE: "note"}


@click.command()
@click.option("--node", metavar="NAME", help="Only this Asterisk of the settings.")
@click.option(
    "--asterisk-folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Asterisk's configuration, where Asterisk does not tell it itself; else /etc/asterisk.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@click.pass_context
def doctor(context: click.Context, node: str | None, asterisk_folder: Path | None, as_json: bool) -> None:
    """Check the set-up of Asterisk, Postgres and numbers, and say for each fault what to type.

    Ends with 0 where nothing is wrong, with 1 where something is. Notes are no faults. Run it as root, or as the user
    that Numberpool runs as: it changes nothing.
    """
    settings: Settings = context.obj
    if not settings.nodes:
        raise SettingsError("no Asterisk is named: add a [[nodes]] table to the settings file (see README)")
    nodes = [settings.node(node)] if node else list(settings.nodes)
    found = asyncio.run(examine(settings, nodes, asterisk_folder))
    if as_json:
        click.echo(json.dumps([_as_json(finding) for finding in found], ensure_ascii=False, indent=1))
    else:
        click.echo(report(found, several=len(nodes) > 1))
    if any(finding.severity is not Severity.NOTE for finding in found):
        context.exit(1)


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "kind": finding.kind,
        "severity": finding.severity.value,
        "area": finding.area.name.lower(),
        "node": finding.node,
        "where": finding.where,
        "what": finding.what,
        "mend": list(finding.mend),
    }


def report(found: Sequence[Finding], *, several: bool = False) -> str:
    """The findings under their headings, the worst first; ``several`` names the Asterisk of each."""
    lines: list[str] = []
    for area in Area:
        here = [finding for finding in found if finding.area is area]
        if not here:
            continue
        lines += ["", area.value]
        for finding in sorted(here, key=lambda finding: list(Severity).index(finding.severity)):
            node = f" [{finding.node}]" if several and finding.node else ""
            lines.append(f"  {_MARKS[finding.severity]}{node}: {finding.what}")
            lines += [f"      {line}" for line in finding.mend]
    return "\n".join([*lines, "", _summary(found)]).lstrip("\n")


def _summary(found: Iterable[Finding]) -> str:
    counts = {severity: sum(finding.severity is severity for finding in found) for severity in Severity}
    named = [_counted(counts[severity], severity.value) for severity in Severity if counts[severity]]
    if not counts[Severity.ERROR] and not counts[Severity.WARNING]:
        return "Nothing is wrong." + (f" ({', '.join(named)})" if named else "")
    return ", ".join(named)


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" + ("" if count == 1 else "s")


COMMANDS: tuple[click.Command, ...] = (doctor,)
