"""Recorded peaks as people look at them: as SVG paths, as heights for a player, and where nobody says anything.

Stored peaks hold caller and business in turn, a byte each, in decibels (see ``gateway.calls.audio``). The caller stands
above the middle, the business below it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

HALF = 50  # height of one side in the drawing's units
QUIETEST = 90  # the loudest moment that fills the drawing is at least so loud (some 30 dB below full scale)
# Below this nobody speaks: some 35 dB below full scale; line noise stays under it, a soft voice is above.
_SPEECH = 70
# A pause is worth skipping from this length on, in seconds; of each, a little is left, so that speech is not cut.
SHORTEST_PAUSE = 1.5
LEFT_OF_PAUSE = 0.4


@dataclass(frozen=True, slots=True)
class Waveform:
    """Two paths for one drawing, ``width`` units wide and twice HALF high; a bar stands on every second unit."""

    width: int
    caller: str
    business: str


@dataclass(frozen=True, slots=True)
class Speech:
    """Who spoke how long, in seconds, and the pauses that a player may skip: from, to."""

    caller: float
    business: float
    pauses: tuple[tuple[float, float], ...]

    @property
    def saved(self) -> float:
        """Seconds that skipping the pauses saves."""
        return sum(end - start for start, end in self.pauses)


def draw(peaks: bytes, bars: int) -> Waveform:
    """At most ``bars`` bars out of stored peaks (caller and business in turn, 0..255, decibels)."""
    caller, business = heights(peaks, bars)
    return Waveform(width=max(2, 2 * len(caller)), caller=_path(caller, -1), business=_path(business, 1))


def heights(peaks: bytes, bars: int) -> tuple[list[int], list[int]]:
    """The same bars as numbers from 1 to HALF: the caller's and the business's."""
    pairs = len(peaks) // 2
    count = min(bars, pairs)
    # A quiet line still fills its drawing, but silence does not become a mountain range.
    loudest = max(QUIETEST, max(peaks, default=0))
    caller, business = peaks[0 : pairs * 2 : 2], peaks[1 : pairs * 2 : 2]
    return list(_heights(caller, count, loudest)), list(_heights(business, count, loudest))


def speech(peaks: bytes, seconds: float) -> Speech:
    """Who spoke when, as far as the peaks tell: each of them stands for the same length."""
    pairs = len(peaks) // 2
    if not pairs or seconds <= 0:
        return Speech(0, 0, ())
    step = seconds / pairs
    caller, business = peaks[0 : pairs * 2 : 2], peaks[1 : pairs * 2 : 2]
    pauses: list[tuple[float, float]] = []
    place = 0
    for is_quiet, run in groupby(max(pair) < _SPEECH for pair in zip(caller, business, strict=True)):
        length = sum(1 for _ in run)
        if is_quiet and length * step >= SHORTEST_PAUSE:
            start = place * step + (LEFT_OF_PAUSE if place else 0)
            end = (place + length) * step - (LEFT_OF_PAUSE if place + length < pairs else 0)
            if end > start:
                pauses.append((start, end))
        place += length
    return Speech(
        sum(level >= _SPEECH for level in caller) * step,
        sum(level >= _SPEECH for level in business) * step,
        tuple(pauses),
    )


def _heights(side: bytes, count: int, loudest: int) -> Iterable[int]:
    total = len(side)
    for place in range(count):
        stretch = side[place * total // count : (place + 1) * total // count]
        # The mean keeps the rhythm of speech, which the loudest of many would flatten.
        level = (max(stretch) + sum(stretch) / len(stretch)) / 2 / loudest
        yield max(1, round(level**1.6 * HALF))


def _path(bars: Iterable[int], direction: int) -> str:
    return "".join(f"M{2 * place + 1} {HALF}v{direction * height}" for place, height in enumerate(bars))
