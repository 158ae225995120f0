"""How full a pool was, hour by hour, as a drawing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.pools.health import PoolHealth

HEIGHT = 100
# Left above the highest, for the marks of hours in which the pool was full.
_HEADROOM = 1.12
_STEP = 10  # of one hour in the drawing


@dataclass(frozen=True, slots=True)
class PoolChart:
    """Paths of a drawing ``width`` wide and ``HEIGHT`` high: numbers held at most each hour, and how many there were.

    ``full`` marks the hours in which a visit found the pool full; ``days``: where each of the reader's days begins.
    """

    width: int
    held: str
    there: str
    full: str
    top: int
    days: tuple[tuple[float, datetime], ...]


def pool_chart(health: PoolHealth, start: datetime, finish: datetime, zone: object) -> PoolChart | None:
    """The drawing of the hours from ``start`` to ``finish``; none where nobody looked."""
    known = {each.hour: each for each in health.hours}
    if not known:
        return None
    most = max(max(each.occupied_most, each.numbers) for each in known.values()) or 1
    held, there, full, days = [], [], [], []
    hour, place = start, 0
    level: int | None = None
    while hour < finish:
        each = known.get(hour)
        x = place * _STEP
        if each is not None:
            if each.occupied_most:
                y = _y(each.occupied_most, most)
                held.append(f"M{x + 1} {HEIGHT}V{y}h{_STEP - 2}V{HEIGHT}z")
            if each.displaced or each.refused:
                full.append(f"M{x + 1} 0h{_STEP - 2}v5h-{_STEP - 2}z")
            if each.numbers:
                there.append(f"{'L' if level is not None else 'M'}{x} {_y(each.numbers, most)}h{_STEP}")
                level = each.numbers
        else:
            level = None
        local = hour.astimezone(zone)  # type: ignore[arg-type]
        if local.hour == 0:
            days.append((x, local))
        hour, place = hour + timedelta(hours=1), place + 1
    return PoolChart(place * _STEP, "".join(held), "".join(there), "".join(full), most, tuple(days))


def _y(value: int, most: int) -> str:
    return f"{HEIGHT - HEIGHT * value / (most * _HEADROOM):.1f}"
