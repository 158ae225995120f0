"""Lengths of time as people type them: ``90s``, ``20m``, ``1h``, ``30d``."""

import re
from datetime import timedelta

from gateway.pools.pool_errors import BadDuration

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TYPED = re.compile(r"([0-9]{1,6})\s*([smhd])")


def duration(text: str, *, least: timedelta = timedelta(0), most: timedelta = timedelta(days=365)) -> timedelta:
    """The length of time in ``text``. Raises BadDuration where it is none, too short or too long."""
    typed = _TYPED.fullmatch(text.strip().lower())
    length = timedelta(seconds=int(typed[1]) * _UNITS[typed[2]]) if typed else timedelta(-1)
    if text.strip() == "0":
        length = timedelta(0)
    if not least <= length <= most:
        raise BadDuration(text)
    return length


def said(seconds: float) -> str:
    """A length of time as it is typed, in the largest unit that says it exactly."""
    whole = round(seconds)
    for unit in ("d", "h", "m"):
        if whole and whole % _UNITS[unit] == 0:
            return f"{whole // _UNITS[unit]}{unit}"
    return f"{whole}s"
