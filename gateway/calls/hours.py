"""Opening hours: whether somebody is there at a moment, by the clock on the company's wall.

By the wall clock, so that an hour that summer time repeats is open or closed both times, and one that it leaves out
never comes.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.calls.flow import WEEK, Holiday, Hours, Shift


def is_open(hours: Hours, moment: datetime, zone: ZoneInfo) -> bool:
    """Whether ``moment`` (with its time zone) is within the hours of a company in ``zone``."""
    wall = moment.astimezone(zone)
    today, clock = wall.date(), wall.time()
    if any(shift.opens <= clock and (clock < shift.closes or _overnight(shift)) for shift in shifts_on(hours, today)):
        return True
    return any(_overnight(shift) and clock < shift.closes for shift in shifts_on(hours, today - timedelta(days=1)))


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
