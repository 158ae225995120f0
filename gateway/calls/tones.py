"""Short tones for whoever answers, made by us: no words need to be spoken, and no sounds of Asterisk's be installed."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway.calls.speech import RATE, SUFFIX, write_sound

_LEVEL = 0.25 * 32767
_FADE_SECONDS = 0.01


def tones_folder(spool: Path) -> Path:
    """Where the dialplan finds them."""
    return spool / "sounds" / "tones"


def tone(hertz: float, seconds: float) -> npt.NDArray[np.float64]:
    """One tone; none at 0 Hz."""
    at = np.arange(int(seconds * RATE)) / RATE
    fade = np.minimum(1, np.minimum(at, at[::-1]) / _FADE_SECONDS)
    return np.asarray(_LEVEL * fade * np.sin(2 * np.pi * hertz * at))


def as_sound(*parts: npt.NDArray[np.float64]) -> bytes:
    """Raw samples as ``telephone_sound`` gives them."""
    return bytes(np.concatenate(parts).astype("<i2").tobytes())


# By the name that the dialplan knows them by (np-pause): a low one, nothing is recorded; two high ones, it is again.
TONES = {
    "paused": as_sound(tone(440, 0.5)),
    "recording": as_sound(tone(1000, 0.15), tone(0, 0.1), tone(1400, 0.25)),
}


def write_tones(spool: Path) -> None:
    """Put them where the dialplan finds them. Raises OSError."""
    for name, samples in TONES.items():
        file = tones_folder(spool) / f"{name}{SUFFIX}"
        if not file.exists() or file.read_bytes() != samples:
            write_sound(file, samples)
