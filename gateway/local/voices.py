"""What is said on the simulated calls: two voices in conversation, and two pure tones.

Each side of a conversation is a sound file of its own, silent while the other speaks, so that both
played from the moment of the answer make a talk. Made once with espeak-ng and kept.
"""

import io
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from gateway.local.errors import LocalError
from gateway.local.programs import AsteriskHome, Program

# What a telephone line carries, and the rate of Asterisk's .sln files.
RATE = 8000

CALLER_TONE_HZ = 440
BUSINESS_TONE_HZ = 1000
_TONE_SECONDS = 60

_PAUSE_SECONDS = 0.35

Samples = npt.NDArray[np.int16]


class Side(StrEnum):
    """Who speaks."""

    CALLER = "caller"
    BUSINESS = "business"


_VOICES = {
    Side.CALLER: ("-v", "en-us+f3", "-s", "165", "-p", "60"),
    Side.BUSINESS: ("-v", "en-us+m3", "-s", "160", "-p", "35"),
}

_B, _C = Side.BUSINESS, Side.CALLER

# Who says what, in turn.
CONVERSATIONS: dict[str, tuple[tuple[Side, str], ...]] = {
    "google": (
        (_B, "Acme Roofing, good morning."),
        (_C, "Hi, I saw your ad on Google. My roof leaks since the hail on Friday."),
        (_B, "We can be there tomorrow at ten."),
        (_C, "Tomorrow is fine, thank you."),
    ),
    "facebook": (
        (_B, "Acme Roofing, how can I help?"),
        (_C, "Hello, I saw you on Facebook. Do you replace gutters?"),
        (_B, "We do. I can book you a free estimate."),
    ),
    "mail": (
        (_B, "Acme Roofing."),
        (_C, "I have your letter here. Is the spring discount still on?"),
        (_B, "Until the end of the month."),
        (_C, "Lovely, then do come by."),
    ),
    "repeat": (
        (_B, "Acme Roofing, good afternoon."),
        (_C, "It is me again. Could you make it eleven rather than ten?"),
        (_B, "Eleven it is. See you tomorrow."),
    ),
    "website": (
        (_B, "Acme Roofing, good morning."),
        (_C, "Hi, I am on your website. Could you look at a leak?"),
        (_B, "Thursday at nine?"),
        (_C, "Perfect."),
    ),
    "early": ((_B, "Please hold the line while we connect your call."),),
}


@dataclass(frozen=True)
class Sounds:
    """Where the sound files are; Asterisk wants their paths without the extension."""

    folder: Path

    def voice(self, conversation: str, side: Side) -> str:
        """One side of a conversation, or of `tone`."""
        path = self.folder / f"{conversation}-{side}"
        if not path.with_name(path.name + ".sln").is_file():
            raise LocalError(f"there is no conversation named {conversation}")
        return str(path)

    def seconds(self, conversation: str) -> float:
        """How long a conversation takes."""
        path = self.folder / f"{conversation}-{Side.CALLER}.sln"
        return path.stat().st_size / 2 / RATE


def spoken(espeak: Program, side: Side, text: str) -> Samples:
    """A line as that side says it. Raises LocalError."""
    done = subprocess.run(
        espeak.command(*_VOICES[side], "--stdout", text),
        env=espeak.full_environment(),
        capture_output=True,
    )
    if done.returncode != 0 or not done.stdout:
        raise LocalError(f"espeak-ng does not speak: {done.stderr.decode(errors='replace')}")
    return _telephone_quality(done.stdout)


def _telephone_quality(wav: bytes) -> Samples:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    parts: list[Samples] = []
    with av.open(io.BytesIO(wav), mode="r") as container:
        for frame in [*container.decode(audio=0), None]:
            for resampled in resampler.resample(frame):
                parts.append(resampled.to_ndarray().reshape(-1).astype(np.int16))
    return np.concatenate(parts)


def _tone(hertz: int, seconds: int = _TONE_SECONDS) -> Samples:
    time = np.arange(RATE * seconds) / RATE
    wave: Samples = (8000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
    return wave


def _conversation(espeak: Program, turns: tuple[tuple[Side, str], ...]) -> dict[Side, Samples]:
    pause = np.zeros(int(RATE * _PAUSE_SECONDS), np.int16)
    sides: dict[Side, list[Samples]] = {side: [] for side in Side}
    for side, text in turns:
        said = np.concatenate([spoken(espeak, side, text), pause])
        for each in Side:
            sides[each].append(said if each is side else np.zeros_like(said))
    return {side: np.concatenate(parts) for side, parts in sides.items()}


def make_sounds(home: AsteriskHome, folder: Path) -> Sounds:
    """Make what is missing of the sound files in `folder`."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)

    def write(name: str, side: Side, samples: Samples) -> None:
        part = folder / f"{name}-{side}.part"
        part.write_bytes(samples.astype("<i2").tobytes())
        part.rename(folder / f"{name}-{side}.sln")

    for name, turns in CONVERSATIONS.items():
        if not all((folder / f"{name}-{side}.sln").is_file() for side in Side):
            for side, samples in _conversation(home.espeak, turns).items():
                write(name, side, samples)
    for side, hertz in ((Side.CALLER, CALLER_TONE_HZ), (Side.BUSINESS, BUSINESS_TONE_HZ)):
        if not (folder / f"tone-{side}.sln").is_file():
            write("tone", side, _tone(hertz))
    return Sounds(folder)
