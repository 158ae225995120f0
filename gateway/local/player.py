"""Fetches the library that draws recordings, wavesurfer.js, for the page of a call: into ``web/static/player``.

Part of set-up, so it uses nothing but the standard library. npm brings the version that ``web/player`` locks, and its
module is served by us as it is, beside its licence; nothing of it is in the repository. Without it the page still
plays, with the browser's own controls.
"""

import hashlib
import shutil
from pathlib import Path

from gateway.local.node import PROJECT, BuildError, Pip, Say, node_and_npm, run

SOURCES = PROJECT / "web" / "player"
BUILT = PROJECT / "web" / "static" / "player"
WORKSHOP = PROJECT / ".numberpool" / "player"
_STAMP = WORKSHOP / "built"
_PACKAGE = WORKSHOP / "node_modules" / "wavesurfer.js"
# What is served, by where it lies in the package.
FILES = {"wavesurfer.js": "dist/wavesurfer.esm.js", "LICENSE": "LICENSE"}


def build(pip: Pip, say: Say) -> None:
    """Fetch it, unless it is here. Raises BuildError."""
    wanted = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    stamped = _STAMP.read_text().strip() if _STAMP.is_file() else ""
    if wanted == stamped and all((BUILT / name).is_file() for name in FILES):
        return
    say("fetching the player of recordings")
    _, npm = node_and_npm(pip, say)
    for folder in (WORKSHOP, BUILT):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(SOURCES / name, WORKSHOP / name)
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    run(command, WORKSHOP, "the player of recordings", "npm could not fetch it")
    for name, inside in FILES.items():
        _put(_PACKAGE / inside, BUILT / name)
    _STAMP.write_text(wanted + "\n")


def _put(source: Path, target: Path) -> None:
    if not source.is_file():
        raise BuildError(f"the player of recordings is missing, because its package holds no {source.name}")
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.replace(target)
