"""What an export would become, for its preview: campaigns with their sources, lines that cannot be used, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from gateway.http.words import Words
from gateway.reports.export_columns import ExportKind, Field
from gateway.reports.spend_exports import Export, Fault, Row
from gateway.reports.spend_import import belongs_to

# Of a new source, for whoever has none yet: name, channel, source, medium, as visits are named by the usual rules.
NEW: Mapping[ExportKind, tuple[str, str, str, str]] = {
    ExportKind.GOOGLE_ADS: ("Google Ads", "Paid Search", "google", "cpc"),
    ExportKind.META: ("Facebook Ads", "Paid Social", "facebook", "paid"),
    ExportKind.MICROSOFT: ("Microsoft Advertising", "Paid Search", "bing", "cpc"),
    ExportKind.YANDEX_DIRECT: ("Yandex Direct", "Paid Search", "yandex", "cpc"),
}
# How people, and the rules, name the source of each, the likeliest first; and what visits call it.
_NAMES: Mapping[ExportKind, tuple[str, ...]] = {
    ExportKind.GOOGLE_ADS: ("google ads", "google paid", "adwords", "google"),
    ExportKind.META: ("facebook ads", "meta ads", "facebook paid", "meta", "facebook", "instagram paid", "instagram"),
    ExportKind.MICROSOFT: ("microsoft advertising", "microsoft ads", "bing ads", "bing paid", "bing"),
    ExportKind.YANDEX_DIRECT: ("yandex direct", "яндекс директ", "яндекс.директ", "yandex paid", "директ", "yandex"),
}
_SOURCES: Mapping[ExportKind, tuple[str, ...]] = {
    ExportKind.GOOGLE_ADS: ("google",),
    ExportKind.META: ("facebook", "fb", "meta", "instagram"),
    ExportKind.MICROSOFT: ("bing", "microsoft"),
    ExportKind.YANDEX_DIRECT: ("yandex",),
}


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


def usual_source(kind: ExportKind, sources: Sequence[Any]) -> int | None:
    """The source that a program's campaigns belong to, of the company's (rows of the set-up); none: it has none."""
    offered = [row for row in sources if row["hidden_at"] is None]
    by_name = {row["name"].casefold(): row["id"] for row in offered}
    for name in _NAMES.get(kind, ()):
        if name in by_name:
            return int(by_name[name])
    for row in offered:
        if row["source"].lower() in _SOURCES.get(kind, ()) and row["channel"].lower().startswith("paid"):
            return int(row["id"])
    return None


def named_source(name: str, sources: Sequence[Any]) -> int | None:
    """The source of a name, as a file has it."""
    return next((int(row["id"]) for row in sources if row["name"].casefold() == name.casefold()), None)


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
