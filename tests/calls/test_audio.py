"""Two raw sides in, one stereo file out: who is on which side, how long, how loud, and nothing half done."""

import itertools
import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.calls.audio import (
    MOST_PEAKS,
    MP3_RATE,
    NoRoom,
    NothingRecorded,
    NotPlayable,
    make_stereo,
    write_wav,
)

CALLER_HZ, BUSINESS_HZ = 440, 1000
TOLERANCE = 0.05  # seconds; an MP3 frame is 36 ms long


def tone(hertz: float, seconds: float, rate: int, level: float = 0.5) -> bytes:
    time = np.arange(int(seconds * rate)) / rate
    return (level * 32767 * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes()


def decoded(recording: Path) -> npt.NDArray[np.float64]:
    """Samples of shape (n, 2), as the WAV download has them."""
    target = recording.with_suffix(".wav")
    write_wav(recording, target)
    with wave.open(str(target)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (2, 2, MP3_RATE)
        raw = wav.readframes(wav.getnframes())
    return np.frombuffer(raw, "<i2").reshape(-1, 2).astype(float) / 32768


def level_db(samples: npt.NDArray[np.float64], hertz: float) -> float:
    """How loud one tone is, in decibels below full scale."""
    window = np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(samples * window)) * 2 / window.sum()
    place = round(hertz * len(samples) / MP3_RATE)
    return 20 * float(np.log10(max(spectrum[place - 3 : place + 4].max(), 1e-9)))


def told_by(script: str, *arguments: str) -> str:
    """What a script prints that runs in a process of its own."""
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parents[2]).stdout


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "1-caller.sln16", tmp_path / "1-business.sln16"


@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_caller_is_left_the_business_right_and_nothing_leaks(sides: tuple[Path, Path], rate: int) -> None:
    caller, business = sides
    caller.write_bytes(tone(CALLER_HZ, 4, rate))
    business.write_bytes(tone(BUSINESS_HZ, 4, rate))
    target = caller.parent / "out" / "1.mp3"
    made = make_stereo(caller, business, rate, target)
    sound = decoded(target)
    assert made.seconds == pytest.approx(4.0)
    assert made.size == target.stat().st_size
    assert len(sound) / MP3_RATE == pytest.approx(4.0, abs=TOLERANCE)
    left, right = sound[:, 0], sound[:, 1]
    assert level_db(left, CALLER_HZ) == pytest.approx(-6, abs=1)
    assert level_db(right, BUSINESS_HZ) == pytest.approx(-6, abs=1)
    assert level_db(left, BUSINESS_HZ) < -6 - 40
    assert level_db(right, CALLER_HZ) < -6 - 40


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize(
    ("caller_seconds", "business_seconds"),
    [(3.0, 1.0), (1.0, 3.0), (2.0, None), (None, 2.0), (2.0, 0.0), (0.1, 0.01)],
)
def test_the_longer_side_gives_the_length(
    sides: tuple[Path, Path], rate: int, caller_seconds: float | None, business_seconds: float | None
) -> None:
    for side, seconds in zip(sides, (caller_seconds, business_seconds), strict=True):
        if seconds is not None:
            side.write_bytes(tone(CALLER_HZ, seconds, rate))
    target = sides[0].parent / "1.mp3"
    made = make_stereo(*sides, rate, target)
    longest = max(caller_seconds or 0, business_seconds or 0)
    assert made.seconds == pytest.approx(longest)
    sound = decoded(target)
    assert len(sound) / MP3_RATE == pytest.approx(longest, abs=TOLERANCE)
    for column, seconds in enumerate((caller_seconds, business_seconds)):
        silent_from = int(((seconds or 0) + TOLERANCE) * MP3_RATE)
        if silent_from < len(sound):
            assert np.abs(sound[silent_from:, column]).max() < 0.01


def test_half_a_sample_left_by_a_crash_is_dropped(sides: tuple[Path, Path]) -> None:
    sides[0].write_bytes(tone(CALLER_HZ, 1, 8000) + b"\x7f")
    sides[1].write_bytes(tone(BUSINESS_HZ, 1, 8000)[:-1])
    made = make_stereo(*sides, 8000, sides[0].parent / "1.mp3")
    assert made.seconds == pytest.approx(1.0)


@pytest.mark.parametrize(
    "contents", [(None, None), (b"", None), (None, b""), (b"", b""), (b"\x01", b"\x01"), (bytes(1599), b"")]
)
def test_no_sound_at_all_is_said_and_leaves_no_file(
    sides: tuple[Path, Path], contents: tuple[bytes | None, bytes | None]
) -> None:
    for side, content in zip(sides, contents, strict=True):
        if content is not None:
            side.write_bytes(content)
    target = sides[0].parent / "made" / "1.mp3"
    with pytest.raises(NothingRecorded, match="Neither side"):
        make_stereo(*sides, 8000, target)
    assert not target.exists()


def test_peaks_show_speech_and_silence_in_their_places(sides: tuple[Path, Path]) -> None:
    quiet = bytes(2 * 8000)
    sides[0].write_bytes(quiet + tone(CALLER_HZ, 1, 8000, level=1.0))
    sides[1].write_bytes(tone(BUSINESS_HZ, 1, 8000, level=0.1) + quiet)
    made = make_stereo(*sides, 8000, sides[0].parent / "1.mp3")
    pairs = np.frombuffer(made.peaks, np.uint8).reshape(-1, 2)
    half = len(pairs) // 2
    assert len(pairs) == 100  # 2 s in stretches of 20 ms
    assert pairs[: half - 1, 0].max() == 0
    assert pairs[half + 1 :, 0].min() >= 253  # full scale
    assert 140 < pairs[: half - 1, 1].mean() < 156  # -20 dB of 48
    assert pairs[half + 1 :, 1].max() == 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    caller=st.integers(0, 60_000),
    business=st.integers(0, 60_000),
    rate=st.sampled_from([8000, 16000]),
    noise=st.binary(min_size=2, max_size=64),
)
def test_any_two_lengths_give_a_whole_file(tmp_path: Path, caller: int, business: int, rate: int, noise: bytes) -> None:
    paths = tmp_path / "c", tmp_path / "b"
    for path, size in zip(paths, (caller, business), strict=True):
        path.write_bytes((noise * (size // len(noise) + 1))[:size])
    samples = max(caller, business) // 2
    target = tmp_path / "t.mp3"
    if samples < rate / 10:
        with pytest.raises(NothingRecorded):
            make_stereo(*paths, rate, target)
        return
    made = make_stereo(*paths, rate, target)
    assert made.seconds == pytest.approx(samples / rate)
    assert len(made.peaks) % 2 == 0
    assert 2 <= len(made.peaks) <= 2 * MOST_PEAKS
    assert len(decoded(target)) / MP3_RATE == pytest.approx(made.seconds, abs=TOLERANCE)
    assert {path.name for path in tmp_path.iterdir()} <= {"c", "b", "t.mp3", "t.wav"}


_LONG = """
import resource, sys
from pathlib import Path
from gateway.calls.audio import make_stereo, write_wav
folder = Path(sys.argv[1])
make_stereo(folder / "b", folder / "b", 8000, folder / "warm.mp3")
write_wav(folder / "warm.mp3", folder / "warm.wav")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
made = make_stereo(folder / "c", folder / "b", 8000, folder / "1.mp3")
write_wav(folder / "1.mp3", folder / "1.wav")
print(made.seconds, len(made.peaks), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_long_call_is_never_held_in_memory(tmp_path: Path) -> None:
    minute = tone(CALLER_HZ, 60, 8000)
    (tmp_path / "c").write_bytes(minute * 20)
    (tmp_path / "b").write_bytes(minute[: 2 * 8000 * 4])
    seconds, peaks, grown_kb = told_by(_LONG, str(tmp_path)).split()
    assert float(seconds) == 1200
    assert int(peaks) == 2 * MOST_PEAKS
    assert int(grown_kb) < 12_000  # the raw side is 19 MB, the decoded sound 77 MB
    assert (tmp_path / "1.wav").stat().st_size == pytest.approx(1200 * MP3_RATE * 4, rel=0.001)


# A full disk is tried by limiting how large a file may become: in a process of its own, for not everyone
# may lift the limit again.
_LIMITED = """
import resource, sys
from pathlib import Path
from gateway.calls.audio import NoRoom, make_stereo, write_wav
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
folder = Path(sys.argv[2])
try:
    if sys.argv[3] == "mp3":
        make_stereo(folder / "c", folder / "b", 8000, folder / "made" / "1.mp3")
    else:
        write_wav(folder / "1.mp3", folder / "made" / "1.wav")
except NoRoom as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [0, 1, 500, 10_000, 29_000])
@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_a_full_disk_leaves_no_half_file_and_says_so(tmp_path: Path, limit: int, kind: str) -> None:
    (tmp_path / "c").write_bytes(tone(CALLER_HZ, 5, 8000))
    (tmp_path / "b").write_bytes(tone(BUSINESS_HZ, 5, 8000))
    made = make_stereo(tmp_path / "c", tmp_path / "b", 8000, tmp_path / "1.mp3")
    assert made.size > 29_000
    told = told_by(_LIMITED, str(limit), str(tmp_path), kind)
    assert "disk that holds the recordings is full" in told
    assert list((tmp_path / "made").iterdir()) == []


def test_a_full_file_system(tmp_path: Path) -> None:
    """The same on a file system of 64 kB that is really full, where the machine lets us mount one."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a tmpfs here; the size limit above tries the same")
    try:
        (tmp_path / "c").write_bytes(tone(CALLER_HZ, 30, 8000))
        with pytest.raises(NoRoom):
            make_stereo(tmp_path / "c", tmp_path / "b", 8000, small / "2026" / "1.mp3")
        assert [path for path in small.rglob("*") if path.is_file()] == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.mp3").write_bytes(b"<html>" * 100)
    with pytest.raises(NotPlayable):
        write_wav(tmp_path / "x.mp3", tmp_path / "x.wav")
    assert not (tmp_path / "x.wav").exists()
    with pytest.raises(FileNotFoundError):
        write_wav(tmp_path / "gone.mp3", tmp_path / "x.wav")


def test_peaks_never_exceed_what_a_page_draws(sides: tuple[Path, Path]) -> None:
    for samples in itertools.chain(range(1600, 2000, 57), (16_000 * 16 - 1, 16_000 * 16, 16_000 * 16 + 1)):
        sides[0].write_bytes(bytes(2 * samples))
        sides[1].unlink(missing_ok=True)
        made = make_stereo(*sides, 16_000, sides[0].parent / "1.mp3")
        assert 1 <= len(made.peaks) // 2 <= MOST_PEAKS
        assert set(made.peaks) == {0}
