"""Sessions by the hour, as a list exports them: Google Analytics 4, Universal Analytics, or a table of one's own."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.attribution.errors import FaultySessions

# Names of columns in small letters without spaces and marks, as the exports write them.
_DATE_HOUR = ("datehouryyyymmddhh", "datehour", "datehourofday", "datetime", "hourdate")
_DATE = ("date", "day", "yyyymmdd")
_HOUR = ("hour", "hourofday", "hourhh")
_SESSIONS = ("sessions", "visits", "engagedsessions", "totalusers", "activeusers", "users")
_SOURCE = ("sessionsourcemedium", "sourcemedium", "sessionsource", "source", "sessiondefaultchannelgroup", "channel")

_MARKS = re.compile(r"[^a-z]")
_GROUPED = re.compile(r"[\s.,'\u00a0\u202f](?=[0-9]{3}(?:[^0-9]|$))")


@dataclass(frozen=True, slots=True)
class Sessions:
    """Visits by the hour, in the time of the site, and by source where the list says it. ``hours`` is never empty."""

    hours: Mapping[datetime, int]
    sources: Mapping[str, int] = field(default_factory=dict)

    @property
    def peak(self) -> int:
        """Visits of the busiest hour."""
        return max(self.hours.values())

    @property
    def visits(self) -> int:
        """All of them."""
        return sum(self.hours.values())


def sessions_of_peak(peak: float) -> Sessions:
    """Four weeks in which the busiest hour of each day has ``peak`` visits, and the others as an office's site has."""
    shape = (5, 3, 2, 2, 3, 6, 15, 35, 65, 88, 98, 100, 92, 93, 97, 95, 88, 75, 58, 48, 40, 30, 18, 9)
    begin = datetime(2026, 1, 5)
    return Sessions(
        {begin + timedelta(hours=hour): round(peak * shape[hour % 24] / 100) for hour in range(28 * 24)}
        | {begin + timedelta(hours=11): max(1, round(peak))}
    )


def read_sessions(lines: Iterable[bytes], name: str) -> Sessions:
    """The sessions of a list (CSV with ``,``, ``;`` or tab; lines that begin with # are passed over).

    It needs a column of dates with hours (``Date + hour (YYYYMMDDHH)``), or one of dates and one of hours, and one of
    sessions. Several lines of an hour, such as one for each source, are added up. Raises FaultySessions.
    """
    try:
        text = b"".join(lines).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FaultySessions(f"{name} is not text in UTF-8; export it as CSV.") from None
    rows = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[:1] != "#"]
    if not rows:
        raise FaultySessions(f"{name} is empty; export sessions by date and hour.")
    separator = max(",;\t", key=rows[0][1].count)
    header, *records = list(csv.reader(io.StringIO("\n".join(line for _, line in rows)), delimiter=separator))
    names = [_MARKS.sub("", title.lower()) for title in header]

    def column(wanted: tuple[str, ...]) -> int | None:
        return next((names.index(title) for title in wanted if title in names), None)

    both, date, hour, count, source = (column(each) for each in (_DATE_HOUR, _DATE, _HOUR, _SESSIONS, _SOURCE))
    if count is None or (both is None and (date is None or hour is None)):
        raise FaultySessions(
            f"{name}, line {rows[0][0]}: has columns {', '.join(header)}; it needs one of sessions, and one of dates "
            "with hours (Date + hour) or two of Date and Hour."
        )
    hours: dict[datetime, int] = defaultdict(int)
    sources: dict[str, int] = defaultdict(int)
    for (number, _), record in zip(rows[1:], records, strict=False):
        cells = [cell.strip() for cell in record]
        if len(cells) <= max(each for each in (both, date, hour, count) if each is not None) or _is_total(cells):
            continue
        at = _hour(cells[both]) if both is not None else _day_hour(cells[date or 0], cells[hour or 0])
        if at is None:
            raise FaultySessions(
                f"{name}, line {number}: {' '.join(cells)[:60]!r} tells no hour; write dates as 2026-05-31 or "
                "20260531, hours as 0 to 23, both together as 2026053114."
            )
        visits = _number(cells[count])
        if visits is None:
            raise FaultySessions(
                f"{name}, line {number}: {cells[count][:40]!r} is no number of sessions; write digits."
            )
        hours[at] += visits
        if source is not None and len(cells) > source:
            sources[cells[source]] += visits
    if not any(hours.values()):
        raise FaultySessions(f"{name} has no sessions in it; export a time in which there were some.")
    return Sessions(dict(sorted(hours.items())), dict(sources))


def _is_total(cells: list[str]) -> bool:
    # Exports end with a line of totals, whose first cells are empty or say so.
    return not cells[0] or cells[0].lower() in ("total", "grand total", "totals")


def _number(text: str) -> int | None:
    plain = _GROUPED.sub("", text)
    try:
        found = float(plain)
    except ValueError:
        return None
    return round(found) if 0 <= found < 1e9 else None


def _hour(text: str) -> datetime | None:
    digits = re.sub(r"[^0-9]", "", text)
    if len(digits) < 10:
        return None
    try:
        return datetime.strptime(digits[:10], "%Y%m%d%H")
    except ValueError:
        return None


def _day_hour(date: str, hour: str) -> datetime | None:
    digits = re.sub(r"[^0-9]", "", date)
    if len(digits) != 8 or not hour.split(":")[0].isdecimal():
        return None
    return _hour(f"{digits}{int(hour.split(':')[0]):02}")
