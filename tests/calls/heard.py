"""What is in a finished recording: which tones on which side, when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from gateway.calls.audio import write_wav
from tests.installation import Installation, Row
from tests.stack import eventually

Samples = npt.NDArray[np.int16]


async def finished(installation: Installation, call: Row) -> tuple[Row, Samples, int]:
    """The recording's row, its samples (a column a side), and their rate."""
    rows: list[Row] = []

    async def is_made() -> bool:
        rows[:] = await installation.sql("SELECT * FROM recordings WHERE call_id = $1", call["id"])
        return len(rows) == 1 and rows[0]["state"] != "pending"

    await eventually(is_made)
    (row,) = rows
    assert row["state"] == "ready", row
    return row, *sound_of(installation.data / row["file"], installation.folder)


def sound_of(recording: Path, folder: Path) -> tuple[Samples, int]:
    """The samples of a finished recording (a column a side), and their rate."""
    wav = folder / "heard.wav"
    write_wav(recording, wav)
    with av.open(str(wav)) as sound:
        stream = sound.streams.audio[0]
        frames = [frame.to_ndarray().reshape(-1, 2) for frame in sound.decode(stream)]
        return np.concatenate(frames), stream.rate


def strongest(samples: Samples, rate: int) -> float:
    """The frequency that is loudest."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[int(np.argmax(spectrum))])


@dataclass(frozen=True)
class Turn:
    """Somebody speaks, from .. to in seconds of the recording."""

    who: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long."""
        return self.ended - self.began


def turns(samples: Samples, rate: int, voices: Mapping[str, float]) -> Sequence[Turn]:
    """Who speaks in turn on one side, by the tone of each; below a quarter of a second nobody is counted."""
    step = rate // 10
    found: list[Turn] = []
    for at in range(0, len(samples) - step + 1, step):
        window = samples[at : at + step]
        if np.abs(window).max() < 500:
            continue
        hertz = strongest(window, rate)
        who = min(voices, key=lambda name: abs(voices[name] - hertz))
        if abs(voices[who] - hertz) > 20:
            continue
        began, ended = at / rate, (at + step) / rate
        if found and found[-1].who == who:
            found[-1] = Turn(who, found[-1].began, ended)
        else:
            found.append(Turn(who, began, ended))
    return [turn for turn in found if turn.seconds > 0.25]
