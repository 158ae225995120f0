"""When people call: a table of weekdays and hours, whose cells are as dark as they are busy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from babel import dates

from gateway.http.words import Words

# Shades besides none: eyes tell no more of them apart in small cells.
SHADES = 5
# Shown even where nobody calls then.
_OFFICE = (8, 18)


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of a weekday; ``shade`` 0 (no call) to SHADES (the busiest)."""

    calls: int
    shade: int
    hour: str  # as it is said: Tuesday, 2:00 PM
    url: str


@dataclass(frozen=True, slots=True)
class HeatDay:
    """A weekday, and its hours."""

    short: str
    full: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """The hours that have calls, and those of an office, for each weekday in the reader's order."""

    hours: tuple[tuple[str, str], ...]  # as the axis says it (2), and whole (2:00 PM)
    days: tuple[HeatDay, ...]
    busiest: Cell | None

    @property
    def is_wide(self) -> bool:
        """Whether there are so many hours that no figure fits into a cell."""
        return len(self.hours) > 13


def heat(calls: Sequence[Sequence[int]], words: Words, list_url: str) -> Heat:
    """Of ``calls`` by weekday (Monday first) and hour; ``list_url`` is the list of all of them."""
    most = max(max(day) for day in calls)
    busy = [hour for hour in range(24) if any(day[hour] for day in calls)] or [_OFFICE[0]]
    hours = range(min(busy[0], _OFFICE[0]), max(busy[-1], _OFFICE[1]) + 1)
    short, full = (dates.get_day_names(width, "stand-alone", words.locale) for width in ("abbreviated", "wide"))
    said = {hour: dates.format_time(time(hour), "short", locale=words.locale) for hour in hours}
    axis = "h" if "h" in dates.get_time_format("short", words.locale).pattern else "H"
    days = []
    for place in range(7):
        day = (words.locale.first_week_day + place) % 7
        cells = tuple(
            Cell(
                calls[day][hour],
                -(-calls[day][hour] * SHADES // most) if most else 0,
                words.hour_of_week(day, hour),
                f"{list_url}&hour={day + 1}-{hour}",
            )
            for hour in hours
        )
        days.append(HeatDay(_begun(short[day]), _begun(full[day]), cells))
    every = [cell for day_of in days for cell in day_of.cells]
    return Heat(
        tuple((dates.format_time(time(hour), axis, locale=words.locale), said[hour]) for hour in hours),
        tuple(days),
        max(every, key=lambda cell: cell.calls) if most else None,
    )


def _begun(text: str) -> str:
    return text[:1].upper() + text[1:]
