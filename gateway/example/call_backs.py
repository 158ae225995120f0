"""Whom the example company called back, and when: most of those it missed, within the hour or the next morning."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.example.chance import chance

# Nine in ten; the others wait for whoever looks at the example.
_CALLED_BACK = 0.9
_USUALLY = 18 * 60.0
_OPENS, _CLOSES = time(8), time(18)
_MORNING = timedelta(minutes=10)


def called_back_at(key: str, missed_at: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
    """When somebody called back after the missed call ``key`` (UTC); none where nobody did before ``until``."""
    draw = chance("call back", key)
    if not draw.happens(_CALLED_BACK):
        return None
    at = missed_at + timedelta(seconds=draw.about(_USUALLY, 1.1))
    local = at.astimezone(zone)
    if not _OPENS <= local.time() < _CLOSES:
        day = local.date() + timedelta(days=local.time() >= _CLOSES)
        at = datetime.combine(day, _OPENS, zone).astimezone(missed_at.tzinfo) + _MORNING * draw.about(2, 0.6)
    return at if at < until else None
