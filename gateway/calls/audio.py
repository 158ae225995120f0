"""Sound files: the two raw sides Asterisk wrote become one stereo MP3, and a stereo MP3 becomes a WAV.

MP3 because every browser and telephone plays and seeks in it; a constant bit rate, so that a place in time is a place
in the file; plain (not joint) stereo, so that nothing of one side is heard on the other.

Everything here blocks, and runs in the encoder's own process (``encoder.py``).
"""

import errno
import os
import tempfile
import wave
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, cast

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

MP3_RATE = 16_000  # the lowest rate of MPEG-2; telephony's 8 kHz would need MPEG-2.5, which not every player knows
MP3_BITS = 48_000  # 24 kbit/s a side: speech at 16 kHz without audible loss
MOST_PEAKS = 800  # pairs: about one a pixel of a wide player
SHORTEST_STRETCH = 0.02  # seconds a pair stands for at the least
SHORTEST_SECONDS = 0.1  # nobody says anything in less, and an MP3 of one frame is not recognised by players
FLOOR_DB = 48.0  # below this a peak is drawn as nothing: line noise sits there, speech peaks at -6 to -30 dB
BLOCK_SECONDS = 2
PART_SUFFIX = ".part"  # a file still being written; one that is old was left by a crash

Samples = npt.NDArray[np.int16]


class AudioError(Exception):
    """What can go wrong with a sound file.

    AudioError
    ├── NothingRecorded
    ├── NoRoom
    └── NotPlayable
    """


class NothingRecorded(AudioError):
    """Neither side holds as much as a tenth of a second of sound."""


class NoRoom(AudioError):
    """The disk that holds the recordings is full, or a quota is; free some room and the recording is made."""


class NotPlayable(AudioError):
    """This file is not a recording that can be played."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What is known of a finished recording.

    ``peaks`` holds caller and business in turn, a byte each, one pair for each of at most 800 equal stretches: the
    loudest sample of the stretch in decibels, from 0 (48 dB below full scale, or less) to 255 (full scale).
    Decibels, because loudness is heard so: on a linear scale ordinary speech would be a thin line.
    """

    seconds: float
    size: int
    peaks: bytes


def make_stereo(caller: Path, business: Path, rate: int, target: Path) -> Encoded:
    """Encode two raw files into one stereo file ``target``, caller left, business right.

    The sides are signed 16-bit, mono, ``rate`` samples a second, as MixMonitor writes ``.sln`` and ``.sln16``. One
    that is missing or shorter is silence there; half a sample at the end (Asterisk died) is dropped. ``target`` is
    there whole or not at all. Raises NothingRecorded, NoRoom, or OSError.
    """
    # Opened before anything is decided: a side must not turn silent because its file is deleted in between.
    with _raw_side(caller) as left, _raw_side(business) as right:
        total = max(_samples(left), _samples(right))
        if total < SHORTEST_SECONDS * rate:
            raise NothingRecorded(NothingRecorded.__doc__)
        stretch = max(-(-total // MOST_PEAKS), int(rate * SHORTEST_STRETCH))
        peaks = _encode(_stereo_blocks((left, right), total, rate, stretch), rate, stretch, target)
    return Encoded(total / rate, target.stat().st_size, peaks)


def write_wav(recording: Path, target: Path) -> None:
    """Decode a stereo recording into a 16-bit stereo WAV, whole or not at all.

    Raises NotPlayable, NoRoom, or OSError.
    """
    with _written_whole(target) as sink:
        try:
            with av.open(str(recording)) as container, wave.open(cast(Any, sink), "wb") as wav:
                stream = container.streams.audio[0]
                resampler = AudioResampler(format="s16", layout="stereo", rate=stream.rate)
                wav.setnchannels(2)
                wav.setsampwidth(2)
                wav.setframerate(stream.rate)
                for decoded in container.decode(stream):
                    for frame in resampler.resample(decoded):
                        wav.writeframesraw(frame.to_ndarray().tobytes())
        except (av.error.InvalidDataError, IndexError):
            raise NotPlayable(NotPlayable.__doc__) from None


@contextmanager
def _raw_side(side: Path) -> Iterator[FileIO | None]:
    """The opened file, none where there is none. A link is refused: only what Asterisk wrote is read."""
    try:
        handle = os.open(side, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    with FileIO(handle) as file:
        yield file


def _samples(side: FileIO | None) -> int:
    return os.fstat(side.fileno()).st_size // 2 if side else 0


def _stereo_blocks(
    sides: tuple[FileIO | None, FileIO | None], total: int, rate: int, stretch: int
) -> Iterator[Samples]:
    """Blocks of shape (samples, 2), each a whole number of stretches except the last."""
    length = stretch * max(1, BLOCK_SECONDS * rate // stretch)
    for start in range(0, total, length):
        block = np.zeros((min(length, total - start), 2), np.int16)
        for column, side in enumerate(sides):
            raw = side.read(2 * len(block)) if side else b""
            samples = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2")
            block[: len(samples), column] = samples
        yield block


def _encode(blocks: Iterable[Samples], rate: int, stretch: int, target: Path) -> bytes:
    """Write the MP3; the peaks of what went by."""
    peaks: list[npt.NDArray[np.uint8]] = []
    with _written_whole(target) as sink, av.open(sink, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=MP3_RATE, layout="stereo")
        stream.bit_rate = MP3_BITS
        stream.codec_context.options = {"joint_stereo": "0"}
        done = 0
        for block in blocks:
            frame = AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="stereo")
            frame.sample_rate = rate
            frame.pts = done
            container.mux(stream.encode(frame))
            done += len(block)
            peaks.append(_peaks(block, stretch))
        container.mux(stream.encode(None))
    return np.concatenate(peaks).tobytes()


def _peaks(block: Samples, stretch: int) -> npt.NDArray[np.uint8]:
    loud = np.abs(block.astype(np.int32))
    starts = np.arange(0, len(block), stretch)
    highest = np.maximum.reduceat(loud, starts, axis=0)
    decibels = 20 * np.log10(np.maximum(highest, 1) / 32768)
    return np.clip(np.rint(255 * (1 + decibels / FLOOR_DB)), 0, 255).astype(np.uint8)


class _Sink(FileIO):
    """A file that remembers the first error of a write: libav reports a full disk late, or not at all."""

    fault: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            view, done = memoryview(data).cast("B"), 0
            while done < len(view):
                done += super().write(view[done:]) or 0
            return done
        except OSError as error:
            self.fault = self.fault or error
            raise


@contextmanager
def _written_whole(target: Path) -> Iterator[_Sink]:
    """A file beside ``target`` that takes its place once all of it is on disk, and is removed if anything fails."""
    sink: _Sink | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=PART_SUFFIX, dir=target.parent)
        part = Path(name)
        try:
            sink = _Sink(handle, "wb+")
            with sink:
                yield sink
                if sink.fault:
                    raise sink.fault
                os.fchmod(sink.fileno(), 0o640)
                os.fsync(sink.fileno())
            part.rename(target)
            _sync_folder(target.parent)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except Exception as error:
        fault = sink.fault if sink and sink.fault else error
        if isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoRoom(NoRoom.__doc__) from fault
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
