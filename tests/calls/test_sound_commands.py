"""``numberpool sound`` as a person types it, on a real Postgres."""

import os
import sys
from pathlib import Path

import pytest

from tests.calls import tone_engine
from tests.stack import Typed


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that speaks in tones, under the usual name."""
    program = tmp_path / "bin" / "espeak-ng"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tone_engine.__file__}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def test_spoken_listed_and_removed(engine: None, numberpool: Typed, tmp_path: Path) -> None:
    assert numberpool("company", "add", "Acme Roofing", "--region", "CA").returncode == 0
    assert "No sound yet" in numberpool("sound", "list").stdout
    said = numberpool("sound", "say", "Closed", "We are closed. " * 20)
    assert "Closed is there" in said.stdout, said.stderr
    path = said.stdout.split()[-1]
    assert "called 'Closed'" in numberpool("sound", "say", "Closed", "Again").stderr
    listed = numberpool("sound", "list").stdout
    assert path in listed
    assert "1.2" in listed
    assert "Closed is removed." in numberpool("sound", "remove", "Closed").stdout
    assert "no sound of this company" in numberpool("sound", "remove", "Closed").stderr
    (tmp_path / "no.wav").write_text("no sound")
    refused = numberpool("sound", "add", "Hello", str(tmp_path / "no.wav"))
    assert "This is no sound file" in refused.stderr
    assert "Traceback" not in refused.stderr
