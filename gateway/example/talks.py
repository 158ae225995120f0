"""Short conversations that can be heard: who says what, and when. The sound is made once and shared by many calls.

The times are laid down here and not by the voices, so that calls are as long on every machine.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gateway.calls.audio import Encoded, Samples, make_stereo
from gateway.local.programs import Program
from gateway.local.voices import RATE, Side, spoken

# A little more than the voices take for a letter, and the breath before the other answers.
_LETTER_SECONDS = 0.082
_BREATH_SECONDS = 0.8
_SIDES = {"c": Side.CALLER, "b": Side.BUSINESS}


@dataclass(frozen=True)
class Talk:
    """A conversation. ``about`` is what it comes to: lead, asked, again, wrong, spam.

    ``said`` are lines that begin with who speaks: ``b`` the business, ``c`` the caller, ``-`` is a silence in seconds.
    """

    name: str
    about: str
    said: tuple[str, ...]

    @cached_property
    def turns(self) -> tuple[tuple[float, Side, str], ...]:
        """When each line begins, in seconds, who says it, and what."""
        return tuple(self._timed()[0])

    @cached_property
    def seconds(self) -> float:
        """How long it takes."""
        return self._timed()[1]

    def _timed(self) -> tuple[list[tuple[float, Side, str]], float]:
        at, found = 0.3, []
        for line in self.said:
            who, text = line.split(" ", 1)
            if who == "-":
                at += float(text)
                continue
            found.append((at, _SIDES[who], text))
            at += math.ceil(10 * (_LETTER_SECONDS * len(text) + _BREATH_SECONDS)) / 10
        return found, round(at, 1)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A conversation as a sound file."""

    file: Path
    encoded: Encoded


async def record(
    talks: Mapping[str, Talk], espeak: Program, folder: Path, told: Callable[[int], None] = lambda _done: None
) -> dict[str, Recorded]:
    """Sound files of conversations, by the same names, in ``folder``; those that are there already are kept."""
    found: dict[str, Recorded] = {}
    for name, talk in talks.items():
        found[name] = await asyncio.to_thread(_recorded, talk, espeak, folder / f"{name}.mp3")
        told(len(found))
    return found


def _recorded(talk: Talk, espeak: Program, file: Path) -> Recorded:
    folder = file.parent
    folder.mkdir(parents=True, exist_ok=True)
    peaks, size = file.with_suffix(".peaks"), file.stat().st_size if file.is_file() else 0
    if size and peaks.is_file():
        return Recorded(file, Encoded(talk.seconds, size, peaks.read_bytes()))
    sides = {side: file.with_name(f"{file.stem}-{side}.sln") for side in Side}
    try:
        for side, samples in _sides(talk, espeak).items():
            sides[side].write_bytes(samples.astype("<i2").tobytes())
        encoded = make_stereo(sides[Side.CALLER], sides[Side.BUSINESS], RATE, file)
        peaks.write_bytes(encoded.peaks)
    finally:
        for raw in sides.values():
            raw.unlink(missing_ok=True)
    return Recorded(file, encoded)


def _sides(talk: Talk, espeak: Program) -> dict[Side, Samples]:
    whole = round(talk.seconds * RATE)
    sides = {side: np.zeros(whole, np.int16) for side in Side}
    for at, side, text in talk.turns:
        samples = spoken(espeak, side, text)
        begin = round(at * RATE)
        end = min(begin + len(samples), whole)
        sides[side][begin:end] = samples[: end - begin]
    return sides


def by_name(trade: str, talks: Iterable[Talk]) -> dict[str, Talk]:
    """Conversations of a trade under names of their own."""
    return {f"{trade}-{talk.name}": talk for talk in talks}
