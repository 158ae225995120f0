"""What an export would become, for its preview: campaigns with their sources, lines that cannot be used, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from gateway.http.words import Words
from gateway.reports.export_columns import Field
from gateway.reports.spend_exports import Export, Fault, Row
from gateway.reports.spend_import import belongs_to


@dataclass(frozen=True, slots=True)
class Group:
    """What goes to one source: a campaign, or a source that the file names. ``field`` is that of its choice."""

    key: str
    field: str
    name: str
    is_source: bool
    number: int
    first_day: date
    last_day: date
    amount: Decimal


def groups_of(rows: Sequence[Row]) -> tuple[Group, ...]:
    """The campaigns of a file, the dearest first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(belongs_to(row), []).append(row)
    ordered = sorted(found.items(), key=lambda each: (-sum(row.amount for row in each[1]), each[0]))
    return tuple(
        Group(
            key,
            f"to-{place}",
            of[0].source if of[0].source is not None else of[0].campaign,
            of[0].source is not None,
            len(of),
            min(row.first_day for row in of),
            max(row.last_day for row in of),
            sum((row.amount for row in of), Decimal(0)),
        )
        for place, (key, of) in enumerate(ordered)
    )


def fault_said(words: Words, fault: Fault, *, by_hand: bool) -> str:
    """What is wrong with a line and what to do. ``by_hand``: it is a table of somebody's own."""
    say = words.say
    if fault.kind == "twice":
        return say("Its days overlap those of line %(line)s, of the same campaign. It is left out.") % {
            "line": words.number(fault.other or 0)
        }
    return {
        "day": say("This is not a day. Write it as 2026-11-30.") if by_hand else say("This is not a day."),
        "days": say("The last day is before the first, or more than ten years after it."),
        "amount": say("This is not an amount of money."),
        "negative": say("An amount below zero. Take a refund off the amount of its month."),
        "high": say("This is too much to be true."),
    }.get(fault.kind, fault.kind)


def column_name(words: Words, field: Field) -> str:
    """What a column may be, in words."""
    say = words.say
    return {
        Field.DAY: say("Day, or the first day"),
        Field.LAST_DAY: say("Last day"),
        Field.CAMPAIGN: say("Campaign"),
        Field.AMOUNT: say("Amount"),
        Field.CURRENCY: say("Currency"),
        Field.SOURCE: say("Source"),
    }[field]


def headings(export: Export) -> list[tuple[str, str]]:
    """The columns of a file as choices: (place, heading)."""
    width = max(len(line.cells) for line in (export.header.line, *export.sample))
    return [(str(place), export.header.line.cell(place) or f"{place + 1}") for place in range(width)]
