"""Words spoken ahead by a real engine: what the files hold, that they are made once, and what a bad engine does."""

import os
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.speech import KEPT, LONGEST_TEXT, RATE, CannotSpeak, Speech, Words
from gateway.calls.whisper import Brought, language_of, whisper_texts
from gateway.local.programs import AsteriskHome
from gateway.settings import SpeechSettings

GOOGLE = Words("Google Ads, emergency roof repair")


@pytest.fixture
def settings(asterisk_home: AsteriskHome, monkeypatch: pytest.MonkeyPatch) -> SpeechSettings:
    """The command that is the default, with this machine's espeak-ng."""
    espeak = asterisk_home.espeak
    for name, value in espeak.environment.items():
        monkeypatch.setenv(name, value)
    return SpeechSettings(command=tuple(espeak.command(*SpeechSettings().command[1:])))


def _samples(sound: str) -> np.ndarray:
    return np.fromfile(f"{sound}.sln16", dtype="<i2")


async def test_words_are_spoken_once_and_found_again(settings: SpeechSettings, tmp_path: Path) -> None:
    speech = Speech(tmp_path / "sounds", settings)
    assert speech.sound(GOOGLE) is None
    assert await speech.prepare([GOOGLE, GOOGLE]) == 1
    sound = speech.sound(GOOGLE)
    assert sound is not None
    samples = _samples(sound)
    assert 1 < len(samples) / RATE < 6
    assert 0.65 * 32767 < np.abs(samples.astype(int)).max() <= 0.75 * 32767
    # Nobody waits for silence before the first word.
    assert np.abs(samples[: RATE // 10].astype(int)).max() > 500
    assert stat.S_IMODE(Path(f"{sound}.sln16").stat().st_mode) == 0o644  # noqa: ASYNC240 - a local file
    assert await speech.prepare([GOOGLE]) == 0
    assert Speech(tmp_path / "sounds", settings).sound(GOOGLE) == sound


async def test_other_words_sound_otherwise(settings: SpeechSettings, tmp_path: Path) -> None:
    speech = Speech(tmp_path, settings)
    wanted = [GOOGLE, Words("Facebook"), Words("Facebook", "de"), Words("Яндекс Директ, ремонт крыши", "ru")]
    assert await speech.prepare(wanted) == 4
    sounds = [speech.sound(each) for each in wanted]
    assert len(set(sounds)) == 4
    assert len({_samples(str(sound)).tobytes() for sound in sounds}) == 4
    assert len(_samples(str(sounds[0]))) > 1.5 * len(_samples(str(sounds[1])))


async def test_words_of_strangers_are_only_words(settings: SpeechSettings, tmp_path: Path) -> None:
    speech = Speech(tmp_path / "sounds", settings)
    hostile = [
        Words("-w /etc/hosts --help"),
        Words("; touch owned `id` $(id) | cat\n--path=/"),
        Words("<speak><audio src='/etc/passwd'/></speak> roof"),
        Words("x" * 5000),
        Words("a\x00b\x1b[2J"),
    ]
    assert await speech.prepare(hostile) == len(hostile)
    assert all(_samples(str(speech.sound(each))).any() for each in hostile)
    assert os.listdir(tmp_path) == ["sounds"]  # noqa: PTH208 - a local folder


async def test_nothing_is_made_of_nothing(settings: SpeechSettings, tmp_path: Path) -> None:
    speech = Speech(tmp_path / "sounds", settings)
    assert await speech.prepare([Words(""), Words(" \n\x00 ")]) == 0


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("no-such-engine",), "cannot be started"),
        ((sys.executable, "-c", "import sys; sys.exit('no voice')"), "refused: no voice"),
        ((sys.executable, "-c", "print('no wav')"), "gave no sound"),
    ],
)
async def test_an_engine_that_fails_says_so_and_leaves_nothing(
    command: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    speech = Speech(tmp_path / "sounds", SpeechSettings(command=command))
    with pytest.raises(CannotSpeak, match=says) as caught:
        await speech.prepare([GOOGLE])
    assert "espeak-ng" in str(caught.value)
    assert speech.sound(GOOGLE) is None
    assert not (tmp_path / "sounds").exists()


async def test_words_without_a_sound_keep_no_others_from_being_said(tmp_path: Path) -> None:
    silent_where_odd = (
        "import sys, io, wave\nwords = sys.stdin.read()\nfile = io.BytesIO()\nsound = wave.open(file, 'wb')\n"
        "sound.setparams((1, 2, 8000, 0, 'NONE', ''))\n"
        "sound.writeframes((b'\\0\\0' if 'odd' in words else b'\\0\\x20\\0\\xe0') * 4000)\nsound.close()\n"
        "sys.stdout.buffer.write(file.getvalue())"
    )
    speech = Speech(tmp_path, SpeechSettings(command=(sys.executable, "-c", silent_where_odd)))
    odd, other = Words("odd"), Words("Google Ads")
    assert await speech.prepare([odd, other]) == 1
    assert speech.sound(odd) is None
    assert speech.sound(other)
    assert await speech.prepare([odd, other]) == 0


async def test_what_nobody_wanted_for_long_goes(settings: SpeechSettings, tmp_path: Path) -> None:
    speech = Speech(tmp_path, settings)
    old, wanted = Words("Newspaper"), Words("Radio")
    await speech.prepare([old, wanted, GOOGLE])
    long_ago = time.time() - KEPT.total_seconds() - 60
    for each in (old, wanted):
        os.utime(f"{speech.sound(each)}.sln16", (long_ago, long_ago))
    assert speech.forget_unused([wanted]) == 1
    assert speech.sound(old) is None
    assert speech.sound(wanted)
    assert speech.sound(GOOGLE)
    assert speech.forget_unused([wanted]) == 0


@pytest.mark.parametrize(
    ("brought", "texts"),
    [
        (Brought("Google Ads", "emergency roof repair"), ("Google Ads, emergency roof repair", "Google Ads")),
        (Brought("Google Ads", "", "spring_maintenance-2026"), ("Google Ads, spring maintenance 2026", "Google Ads")),
        (Brought("Google Ads", "", "1748291056"), ("Google Ads",)),
        (Brought("Facebook", "", "120210398475610234_lookalike"), ("Facebook, lookalike", "Facebook")),
        (Brought("Direct"), ("Direct",)),
        (Brought("Direct", "direct"), ("Direct",)),
        (Brought("", "roof repair"), ()),
        (Brought("Яндекс Директ", "ремонт крыши"), ("Яндекс Директ, ремонт крыши", "Яндекс Директ")),
    ],
)
def test_what_is_whispered(brought: Brought, texts: tuple[str, ...]) -> None:
    assert whisper_texts(brought) == texts


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_whatever_was_searched_for_can_be_said(source: str, keyword: str, campaign: str) -> None:
    for text in whisper_texts(Brought(source, keyword, campaign)):
        safe = Words(text).safe
        assert 0 < len(safe) <= LONGEST_TEXT + 4
        assert safe.isprintable()


@pytest.mark.parametrize(
    ("region", "language"), [("CA", "en"), ("US", "en"), ("RU", "ru"), ("DE", "de"), ("BR", "pt"), ("ZZ", "en")]
)
def test_the_language_of_a_country(region: str, language: str) -> None:
    assert language_of(region) == language
