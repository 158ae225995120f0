"""What set-up decides before anything is installed."""

import re
from pathlib import Path

import pytest

from gateway.local import environment
from tests.stack import PROJECT


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with lock files of its own, where an environment has been made."""
    locks = {"run": tmp_path / "requirements.txt", "test": tmp_path / "requirements-dev.txt"}
    locks["run"].write_text("one==1\n")
    locks["test"].write_text("one==1\ntwo==2\n")
    python = tmp_path / "python"
    python.touch()
    monkeypatch.setattr(environment, "PROJECT", tmp_path)
    monkeypatch.setattr(environment, "LOCKS", locks)
    monkeypatch.setattr(environment, "PYTHON", python)
    monkeypatch.setattr(environment, "STAMP", tmp_path / "stamp")
    return tmp_path


def test_packages_are_installed_again_only_when_their_lock_file_changes(checkout: Path) -> None:
    assert not environment.is_installed("run")
    environment.STAMP.write_text(environment.lock_hash("run") + "\n")
    assert environment.is_installed("run")
    assert not environment.is_installed("test")
    environment.LOCKS["run"].write_text("one==2\n")
    assert not environment.is_installed("run")


def test_the_test_packages_serve_for_running_too(checkout: Path) -> None:
    environment.STAMP.write_text(environment.lock_hash("test") + "\n")
    assert environment.is_installed("test")
    assert environment.is_installed("run")


def test_an_environment_without_its_python_is_made_again(checkout: Path) -> None:
    environment.STAMP.write_text(environment.lock_hash("run") + "\n")
    environment.PYTHON.unlink()
    assert not environment.is_installed("run")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_lock_files_have_a_hash_for_every_package_and_no_address(name: str) -> None:
    text = (PROJECT / name).read_text()
    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9._-]+(\[\w+\])?==", entry, re.IGNORECASE), entry
        assert "--hash=sha256:" in entry, entry
