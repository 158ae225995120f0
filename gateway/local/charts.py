"""Brings the library that charts are drawn with, parts of D3, into ``web/static/charts`` as one small module.

Part of set-up, so it uses nothing but the standard library. npm brings the versions that ``web/charts`` locks; what
``drawing.mjs`` names of them is put into one file, beside their licences. Nothing of it is in the repository. Without
it pages show the tables that stand behind their charts.
"""

import hashlib
import shutil
from pathlib import Path

from gateway.local.node import PROJECT, Pip, Say, node_and_npm, run

SOURCES = PROJECT / "web" / "charts"
BUILT = PROJECT / "web" / "static" / "charts"
WORKSHOP = PROJECT / ".numberpool" / "charts"
_STAMP = WORKSHOP / "built"
_ENTRY = "drawing.mjs"
FILES = ("drawing.js", "LICENSE")


def build(pip: Pip, say: Say) -> None:
    """Fetch and bundle it, unless it is here. Raises BuildError."""
    wanted = hashlib.sha256(b"\0".join((SOURCES / name).read_bytes() for name in ("package-lock.json", _ENTRY)))
    stamped = _STAMP.read_text().strip() if _STAMP.is_file() else ""
    if wanted.hexdigest() == stamped and all((BUILT / name).is_file() for name in FILES):
        return
    say("fetching what draws charts")
    node, npm = node_and_npm(pip, say)
    for folder in (WORKSHOP, BUILT):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", _ENTRY):
        shutil.copyfile(SOURCES / name, WORKSHOP / name)
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    run(command, WORKSHOP, "what draws charts", "npm could not fetch it")
    # Its starter works without the package's own scripts: the program lies in the package of the platform.
    bundler = str(WORKSHOP / "node_modules" / "esbuild" / "bin" / "esbuild")
    options = ["--bundle", "--minify", "--format=esm", "--target=es2021", "--outfile=drawing.js"]
    run([*node, bundler, _ENTRY, *options], WORKSHOP, "what draws charts", "it cannot be put into one file")
    (BUILT / "LICENSE").write_text(_licences())
    part = BUILT / "drawing.js.part"
    shutil.copyfile(WORKSHOP / "drawing.js", part)
    part.replace(BUILT / "drawing.js")
    _STAMP.write_text(wanted.hexdigest() + "\n")


def _licences() -> str:
    """Of everything that may be in the bundle: all packages but those that only build it."""
    packages = sorted((WORKSHOP / "node_modules").glob("*/LICENSE*"))
    return "\n".join(_headed(file) for file in packages if file.parent.name != "esbuild")


def _headed(licence: Path) -> str:
    return f"{licence.parent.name}\n\n{licence.read_text().strip()}\n"
