"""Builds the snippet that sites put into their pages: TypeScript in ``web/snippet``, scripts in ``web/static/snippet``.

Part of set-up, so it uses nothing but the standard library. What npm brings lies in ``.numberpool/snippet``; only a
change builds anew.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

from gateway.local.node import PROJECT, BuildError, Command, Pip, Say, node_and_npm, run

__all__ = ["BUILT", "SCRIPTS", "SOURCES", "WORKSHOP", "BuildError", "build", "check_types"]

SOURCES = PROJECT / "web" / "snippet"
BUILT = PROJECT / "web" / "static" / "snippet"
SCRIPTS = ("np.js", "np-inline.js", "np-forms.js", "np.d.ts")

WORKSHOP = PROJECT / ".numberpool" / "snippet"
_STAMP = WORKSHOP / "built"
# Locks what npm brings.
_NPM_LOCK = SOURCES / "package-lock.json"


def build(pip: Pip, say: Say, *, with_checks: bool = False) -> None:
    """Build what is not built yet. ``with_checks`` brings the type checker as well. Raises BuildError."""
    wanted = {_source_hash(), _kind(with_checks)}
    stamped = set(_STAMP.read_text().split()) if _STAMP.is_file() else set()
    if wanted <= stamped and all((BUILT / name).is_file() for name in SCRIPTS):
        return
    say("building the snippet")
    node, npm = node_and_npm(pip, say)
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "build.mjs"):
        shutil.copyfile(SOURCES / name, WORKSHOP / name)
    if not stamped or _kind(with_checks) not in stamped:
        wishes = [] if with_checks else ["--omit=dev"]
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *wishes]
        run(command, WORKSHOP, "the snippet", "npm could not fetch what builds it")
    run([*node, "build.mjs", str(SOURCES), str(BUILT)], WORKSHOP, "the snippet", "it does not build")
    kinds = {_kind(with_checks), _kind(False)}
    _STAMP.write_text("\n".join([_source_hash(), *sorted(kinds)]) + "\n")


def check_types(pip: Pip, say: Say) -> bool:
    """Whether the sources are well typed; what is wrong is printed. Raises BuildError."""
    build(pip, say, with_checks=True)
    node, _ = node_and_npm(pip, say)
    compiler = WORKSHOP / "node_modules" / "typescript" / "bin" / "tsc"
    return subprocess.run([*node, str(compiler), "-p", str(SOURCES)], check=False).returncode == 0


def _source_hash() -> str:
    parts = [path.read_bytes() for path in [*sorted(SOURCES.glob("*.ts")), SOURCES / "build.mjs", _NPM_LOCK]]
    return "sources:" + hashlib.sha256(b"\0".join(parts)).hexdigest()


def _kind(with_checks: bool) -> str:
    """What npm has installed, by its lock."""
    return f"{'checks' if with_checks else 'build'}:{hashlib.sha256(_NPM_LOCK.read_bytes()).hexdigest()}"


if __name__ == "__main__":

    def _pip() -> tuple[Command, Mapping[str, str]]:
        return [sys.executable, "-m", "pip"], os.environ

    try:
        sys.exit(0 if check_types(_pip, print) else 1)
    except BuildError as error:
        sys.exit(f"numberpool: {error}")
