"""Which source the campaigns of an export belong to: by the program that wrote it, or by the name in the file."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.reports.export_columns import ExportKind

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
