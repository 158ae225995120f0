"""Words made into sound files ahead by an engine on this machine, so that a call only plays what is there.

speech = Speech(folder, settings)
await speech.prepare([Words("Google Ads, emergency roof repair", "en")])
speech.sound(Words(...))        # what Playback() takes, or None where nothing is there yet

A file is named by what it says, in which voice and by which engine: made once, found after a restart, and made anew
when one of them changes. The engine reads the words from its standard input and writes a WAV to its standard output:
nothing that a visitor searched for ever stands on a command line.
"""

import asyncio
import hashlib
import io
import os
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path

import av
import av.error
import numpy as np
import structlog

from gateway.errors import Mendable
from gateway.settings import Settings, SpeechSettings

RATE = 16_000  # Asterisk's .sln16; it plays that to narrow-band telephones too
LONGEST_TEXT = 120
# An engine that hangs is ended; a whisper takes some tenths of a second to make.
_ENGINE_SECONDS = 20.0
# Beside calls, which come first.
_NICENESS = 10
# What no call has wanted for so long is made again when one does.
KEPT = timedelta(days=120)
SUFFIX = ".sln16"
_LOUDEST = 0.7 * 32767
_QUIET = 200  # samples below this at either end are silence

_log = structlog.get_logger(__name__)


class CannotSpeak(Mendable):
    """Words could not be made into sound: {reason}. Install espeak-ng, or name another engine under [speech]."""

    def __init__(self, reason: str) -> None:
        super().__init__((self.__doc__ or "").format(reason=reason))


class Unspeakable(CannotSpeak):
    """Words could not be made into sound: {reason}. The engine has no voice for them; others it speaks."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is said, and in which language (``en``, ``pt-br``: a voice of the engine), in at most so many letters."""

    text: str
    language: str = "en"
    longest: int = LONGEST_TEXT

    @property
    def safe(self) -> str:
        """One line of print, not too long to listen to; cut between words."""
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in self.text).split())
        if len(line) <= self.longest:
            return line
        return line[: self.longest + 1].rpartition(" ")[0] or line[: self.longest]


def sounds_folder(settings: Settings) -> Path:
    """Where the sounds lie that we make for Asterisk."""
    spool = next((node.spool for node in settings.nodes if node.spool), settings.data_folder)
    return settings.speech.folder or spool / "sounds"


class Speech:
    """The spoken words in a folder that Asterisk can read."""

    def __init__(self, folder: Path, settings: SpeechSettings) -> None:
        self._folder, self._command = folder, settings.command
        self._there: set[str] | None = None
        self._silent: set[str] = set()  # what the engine has no sound for: asked once
        self._making = asyncio.Lock()

    def sound(self, words: Words) -> str | None:
        """The path of the sound without its ending, as Asterisk takes it; none where it is not there. No waiting."""
        name = self._name(words)
        return str(self._folder / name) if name in self._known() else None

    async def prepare(self, wanted: Iterable[Words]) -> int:
        """Make what is missing; how many there were. Raises CannotSpeak, and OSError where the folder takes nothing.

        What the engine has no sound for is passed over: one visitor's odd word keeps no other from being said.
        """
        made = 0
        async with self._making:
            for words in dict.fromkeys(wanted):
                name = self._name(words)
                if not words.safe or name in self._known() or name in self._silent:
                    continue
                try:
                    samples = await self.spoken(words)
                except Unspeakable as error:
                    _log.info("words that cannot be spoken are passed over", words=words.safe, fault=str(error))
                    self._silent.add(name)
                    continue
                await asyncio.to_thread(self._keep, name, samples)
                self._known().add(name)
                made += 1
        return made

    async def keep(self, words: Words, samples: bytes) -> None:
        """Keep ``samples`` as what ``words`` sound like. Raises OSError."""
        name = self._name(words)
        if name not in self._known():
            await asyncio.to_thread(self._keep, name, samples)
            self._known().add(name)

    def forget_unused(self, wanted: Collection[Words]) -> int:
        """Remove files that are old and not among ``wanted``; how many. Raises OSError."""
        names = {self._name(words) for words in wanted}
        before = time.time() - KEPT.total_seconds()
        gone = 0
        for file in self._files():
            if file.stem in names:
                os.utime(file)
            elif file.stat().st_mtime < before:
                file.unlink(missing_ok=True)
                self._known().discard(file.stem)
                gone += 1
        return gone

    def advice(self, error: OSError) -> str:
        """What to do about a folder that takes nothing."""
        return (
            f"Whispers cannot be kept ({error.strerror or error}). Make a folder that Numberpool may write and "
            f"Asterisk read: install -d -o asterisk -g asterisk -m 2770 {self._folder}"
        )

    def _known(self) -> set[str]:
        if self._there is None:
            self._there = {file.stem for file in self._files()}
        return self._there

    def _files(self) -> list[Path]:
        return list(self._folder.glob(f"*{SUFFIX}")) if self._folder.is_dir() else []

    def _name(self, words: Words) -> str:
        said = "\0".join((*self._command, words.language, words.safe))
        return f"say-{hashlib.sha256(said.encode()).hexdigest()[:24]}"

    async def spoken(self, words: Words) -> bytes:
        """Samples of ``words`` as ``telephone_sound`` gives them, kept nowhere. Raises CannotSpeak."""
        command = [part.replace("{voice}", words.language) for part in self._command]
        try:
            engine = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotSpeak(f"{command[0]} cannot be started ({error.strerror})") from None
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, engine.pid, _NICENESS)
        try:
            async with asyncio.timeout(_ENGINE_SECONDS):
                wav, said = await engine.communicate(words.safe.encode() + b"\n")
        except TimeoutError:
            raise CannotSpeak(f"{command[0]} took longer than {_ENGINE_SECONDS:.0f} seconds") from None
        finally:
            if engine.returncode is None:
                engine.kill()
                await engine.wait()
        if engine.returncode:
            raise CannotSpeak(f"{command[0]} refused: {said.decode(errors='replace').strip()[:200]}")
        return await asyncio.to_thread(telephone_sound, wav, command[0])

    def _keep(self, name: str, samples: bytes) -> None:
        write_sound(self._folder / f"{name}{SUFFIX}", samples)


def write_sound(file: Path, samples: bytes) -> None:
    """Put a sound where Asterisk, which is another user, reads it; whole, or not at all. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part")
    with beside.open("wb") as part:
        part.write(samples)
        part.flush()
        os.fsync(part.fileno())
    beside.chmod(0o644)
    beside.replace(file)


def telephone_sound(wav: bytes, engine: str, format: str | None = None, longest: float | None = None) -> bytes:
    """A WAV as raw 16-bit samples at ``RATE``, alike in loudness and without silence around. Raises CannotSpeak.

    ``format``: what it is instead, by FFmpeg's name, and nothing else is tried. Beyond ``longest`` seconds, the first
    of which say enough, nothing is read.
    """
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    parts, count = [], 0
    try:
        with av.open(io.BytesIO(wav), mode="r", format=format) as container:
            for frame in chain(container.decode(audio=0), [None]):
                new = [each.to_ndarray().reshape(-1).astype(np.int16) for each in resampler.resample(frame)]
                parts += new
                count += sum(map(len, new))
                if longest is not None and count > longest * RATE:
                    break
    except (av.error.FFmpegError, IndexError):
        raise CannotSpeak(f"{engine} gave no sound") from None
    samples = np.concatenate(parts) if parts else np.zeros(0, np.int16)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _QUIET)
    if not len(loud):
        raise Unspeakable(f"{engine} gave silence")
    said = samples[loud[0] : loud[-1] + 1].astype(np.float64)
    return bytes((said * (_LOUDEST / np.abs(said).max())).astype("<i2").tobytes())
