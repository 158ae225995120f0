"""What is built: its size, and what is not in it."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.local import snippet
from tests.stack import PROJECT


def test_sizes() -> None:
    assert len(gzip.compress((snippet.BUILT / "np.js").read_bytes(), 9, mtime=0)) <= 4096
    assert len((snippet.BUILT / "np-forms.js").read_bytes()) <= 800


@pytest.mark.parametrize("name", ["np.js", "np-inline.js", "np-forms.js"])
def test_nothing_that_a_strict_policy_forbids(name: str) -> None:
    text = (snippet.BUILT / name).read_text()
    for word in (
        "eval(",
        "new Function",
        "innerHTML",
        "insertAdjacent",
        "document.write",
        ".style",
        "require(",
        "http:",
    ):
        assert word not in text
    assert not re.search(r"\d{7}", text), "no list of numbers inside"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed here")
def test_nothing_built_is_committed() -> None:
    kept = subprocess.run(["git", "ls-files", "web/static/snippet"], cwd=PROJECT, capture_output=True, text=True)
    assert kept.stdout == ""


@pytest.mark.parametrize("name", ["package-lock.json", "requirements.txt", "package.json"])
def test_locks_name_no_address(name: str) -> None:
    assert "://" not in (snippet.SOURCES / name).read_text()


def test_the_sources_need_nothing_that_is_shipped() -> None:
    for path in snippet.SOURCES.glob("*.ts"):
        for imported in re.findall(r'from "([^"]+)"', path.read_text()):
            assert imported.startswith("./"), f"{path.name} imports {imported}"
            assert Path(snippet.SOURCES / imported).is_file()
