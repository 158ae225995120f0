"""Recorded peaks as SVG paths: the caller above the middle, the business below it."""

from collections.abc import Iterable
from dataclasses import dataclass

HALF = 50  # height of one side in the drawing's units
QUIETEST = 90  # the loudest moment that fills the drawing is at least so loud (some 30 dB below full scale)


@dataclass(frozen=True, slots=True)
class Waveform:
    """Two paths for one drawing, ``width`` units wide and twice HALF high; a bar stands on every second unit."""

    width: int
    caller: str
    business: str


def draw(peaks: bytes, bars: int) -> Waveform:
    """At most ``bars`` bars out of stored peaks (caller and business in turn, 0..255, decibels)."""
    pairs = len(peaks) // 2
    count = min(bars, pairs)
    caller, business = peaks[0 : pairs * 2 : 2], peaks[1 : pairs * 2 : 2]
    # A quiet line still fills its drawing, but silence does not become a mountain range.
    loudest = max(QUIETEST, max(peaks, default=0))
    return Waveform(
        width=max(2, 2 * count),
        caller=_path(_heights(caller, count, loudest), -1),
        business=_path(_heights(business, count, loudest), 1),
    )


def _heights(side: bytes, count: int, loudest: int) -> Iterable[int]:
    total = len(side)
    for place in range(count):
        stretch = side[place * total // count : (place + 1) * total // count]
        # The mean keeps the rhythm of speech, which the loudest of many would flatten.
        level = (max(stretch) + sum(stretch) / len(stretch)) / 2 / loudest
        yield max(1, round(level**1.6 * HALF))


def _path(heights: Iterable[int], direction: int) -> str:
    return "".join(f"M{2 * place + 1} {HALF}v{direction * height}" for place, height in enumerate(heights))
