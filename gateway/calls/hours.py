"""Opening hours: whether somebody is there at a moment, by the clock on the company's wall.

By the wall clock, so that an hour that summer time repeats is open or closed both times, and one that it leaves out
never comes.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.calls.flow import WEEK, Holiday, Hours, Shift

# How far one looks for the next opening or closing: past any yearly holiday.
LOOK_AHEAD = timedelta(days=370)


def is_open(hours: Hours, moment: datetime, zone: ZoneInfo) -> bool:
    """Whether ``moment`` (with its time zone) is within the hours of a company in ``zone``."""
    wall = moment.astimezone(zone)
    today, clock = wall.date(), wall.time()
    if any(shift.opens <= clock and (clock < shift.closes or _overnight(shift)) for shift in shifts_on(hours, today)):
        return True
    return any(_overnight(shift) and clock < shift.closes for shift in shifts_on(hours, today - timedelta(days=1)))


def next_change(hours: Hours, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """When that which holds at ``moment`` ends, opening or closing, in UTC; none within the next ``LOOK_AHEAD``."""
    holds, first = is_open(hours, moment, zone), moment.astimezone(zone).date()
    for days in range(-1, LOOK_AHEAD.days):
        day = first + timedelta(days=days)
        borders = [datetime.combine(day, time(0), zone), datetime.combine(day + timedelta(days=1), time(0), zone)]
        for shift in shifts_on(hours, day):
            borders.append(datetime.combine(day, shift.opens, zone))
            borders.append(datetime.combine(day + timedelta(days=_overnight(shift)), shift.closes, zone))
        for border in sorted(border.astimezone(UTC) for border in borders):
            if border > moment and is_open(hours, border, zone) != holds:
                return border
    return None


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name; UTC where this machine knows none: hours that are off are better than no routes."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def shifts_on(hours: Hours, day: date) -> Iterable[Shift]:
    """The shifts that begin on ``day``: of the holiday that it is, else of its weekday."""
    holiday = holiday_on(hours, day)
    if holiday is not None:
        return holiday.shifts
    name = WEEK[day.weekday()]
    return (shift for shift in hours.week if name in shift.days)


def holiday_on(hours: Hours, day: date) -> Holiday | None:
    """The holiday that ``day`` is; of several the first."""
    return next((holiday for holiday in hours.holidays if holiday.covers(day)), None)


def _overnight(shift: Shift) -> bool:
    return shift.closes <= shift.opens
