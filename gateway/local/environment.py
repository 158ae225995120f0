"""Sets up the virtual environment: `python3 gateway/local/environment.py run|test|lock`.

Runs on the machine's own Python before anything is installed, so it uses nothing but the standard
library. It needs no root: where Python comes without pip, pip is taken from a Debian package
unpacked into the project. Packages are installed from the lock files by hash, and again only when a
lock file changes.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"

# What is installed where, remembered by the hash of its lock file.
STAMP = VENV / "numberpool-lock"
LOCKS = {"run": PROJECT / "requirements.txt", "test": PROJECT / "requirements-dev.txt"}
SNIPPET_LOCK = PROJECT / "web" / "snippet" / "requirements.txt"

# Where Debian keeps the certificate authorities, and where pip looks for them.
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")

_LOCK_OPTIONS = (
    "--universal",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--no-annotate",
    "--quiet",
)


def say(line: str) -> None:
    """One line of progress."""
    print(f"numberpool: {line}", file=sys.stderr, flush=True)


def stop(line: str) -> NoReturn:
    """End with what the person has to do."""
    say(line)
    raise SystemExit(1)


def lock_hash(kind: str) -> str:
    """What the environment must hold: lock file, Python, and where the checkout lies."""
    parts = [LOCKS[kind].read_bytes(), sys.version.encode(), str(PROJECT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def is_installed(kind: str) -> bool:
    """Whether the environment is there, with just what the lock file says or more."""
    if not STAMP.is_file() or not PYTHON.exists():
        return False
    # The test packages contain those for running.
    return not {lock_hash(kind), lock_hash("test")}.isdisjoint(STAMP.read_text().split())


def _make_environment() -> None:
    if PYTHON.exists():
        works = subprocess.run([PYTHON, "-c", "import encodings"], capture_output=True)
        if works.returncode == 0:
            return
        shutil.rmtree(VENV)
    try:
        import venv
    except ImportError:
        # Debian's python3-minimal is not the whole standard library.
        _install_or_say(["python3", "python3-venv"], "Python's standard library is not complete")
        import venv
    say(f"making a virtual environment in {VENV.name} (Python {sys.version.split()[0]})")
    # Without pip, because Debian keeps what would bring it in a package of its own.
    venv.EnvBuilder(with_pip=False, symlinks=True).create(VENV)


def _install_or_say(packages: list[str], why: str) -> None:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        stop(f"{why}. Please type:\n    sudo {' '.join(command)}")
    say(f"installing {', '.join(packages)} with apt-get")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run([*command, "-q"], env=quiet, capture_output=True)
    if done.returncode != 0:
        # A fresh machine has no package lists yet.
        subprocess.run(["apt-get", "update", "-q"], env=quiet, capture_output=True)
        done = subprocess.run([*command, "-q"], env=quiet, capture_output=True)
    if done.returncode != 0:
        stop(f"{why}, and apt-get failed: {done.stderr.decode(errors='replace')[-800:]}")


def _own_wheels() -> Iterator[Path]:
    for folder in ("/usr/share/python-wheels", PROJECT / ".numberpool/pip/usr/share/python-wheels"):
        yield from sorted(Path(folder).glob("pip-*.whl"))


def _pip() -> tuple[list[str], Mapping[str, str]]:
    """The command that runs pip in the environment, and its own environment."""
    environment = dict(os.environ)
    environment.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    # As root pip warns against installing outside an environment, which is not what happens here.
    environment.setdefault("PIP_ROOT_USER_ACTION", "ignore")
    has_pip = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True)
    if has_pip.returncode == 0:
        return [str(PYTHON), "-m", "pip"], environment
    if _has_bundled_pip():
        return [str(PYTHON), "-m", "pip"], environment
    wheel = next(_own_wheels(), None) or _fetched_wheel()
    if wheel is None:
        # Not Debian's own archive, but it may be apt all the same.
        _install_or_say(["python3-venv"], "this Python has no pip")
        if not _has_bundled_pip():
            stop(f"{PYTHON} -m ensurepip fails; name another Python: make PYTHON=/path/to/python3.12 ...")
        return [str(PYTHON), "-m", "pip"], environment
    _trust_fetched_authorities(environment)
    environment["PYTHONPATH"] = str(wheel)
    return [str(PYTHON), "-m", "pip"], environment


def _has_bundled_pip() -> bool:
    done = subprocess.run([PYTHON, "-m", "ensurepip", "--default-pip"], capture_output=True)
    return done.returncode == 0


def _fetched_wheel() -> Path | None:
    """pip from a Debian package, where this machine can fetch one without root."""
    sys.path.insert(0, str(PROJECT))
    from gateway.local import apt_root
    from gateway.local.errors import FetchError

    if not apt_root.can_fetch():
        return None
    try:
        apt_root.fetch(PROJECT / ".numberpool" / "pip", ["python3-pip-whl"], say)
    except FetchError as error:
        say(str(error))
        return None
    return next(_own_wheels(), None)


def _trust_fetched_authorities(environment: dict[str, str]) -> None:
    # Fetched with pip, for machines that have none: without them pip can trust no server.
    fetched = sorted(PROJECT.glob(".numberpool/pip/usr/share/ca-certificates/mozilla/*.crt"))
    if _AUTHORITIES.exists() or "PIP_CERT" in environment or not fetched:
        return
    bundle = PROJECT / ".numberpool" / "pip" / "ca-certificates.crt"
    bundle.write_text("\n".join(path.read_text() for path in fetched))
    environment["PIP_CERT"] = str(bundle)
    # Debian's pip reads the machine's own authorities first, and ends where there are none.
    environment["PIP_USE_DEPRECATED"] = "legacy-certs"


def _install(kind: str) -> None:
    lock = LOCKS[kind]
    total = sum(1 for line in lock.read_text().splitlines() if "==" in line)
    pip, environment = _pip()
    say(f"installing {total} locked packages")
    command = [*pip, "install", "--no-input", "--require-hashes", "--no-deps", "-r", str(lock)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    last: list[str] = []
    done = 0
    for line in process.stdout:
        last = [*last[-20:], line]
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            done += 1
            if done % 10 == 0:
                say(f"  {done} of {total}")
    if process.wait() != 0:
        stop("pip could not install the packages:\n" + "".join(last))
    # The package itself runs from the checkout.
    site = next(VENV.glob("lib/python3*/site-packages"))
    (site / "numberpool-checkout.pth").write_text(f"{PROJECT}\n")
    STAMP.write_text(lock_hash(kind) + "\n")


def _ensure_browser() -> None:
    missing = [] if any(shutil.which(name) for name in _BROWSERS) else ["chromium"]
    try:
        ctypes.CDLL("libatomic.so.1")  # of the Node that drives it, which its wheel does not bring
    except OSError:
        missing.append("libatomic1")
    if missing:
        _install_or_say(missing, "the tests of the pages need a browser and what drives it")


def _build_for_browsers(kind: str) -> None:
    sys.path.insert(0, str(PROJECT))
    from gateway.local import charts, player, snippet

    try:
        snippet.build(_pip, say, with_checks=kind == "test")
        player.build(_pip, say)
        charts.build(_pip, say)
    except snippet.BuildError as error:
        stop(str(error))


def write_locks(options: list[str]) -> None:
    """Write the lock files anew, with hashes and without addresses; versions stay unless `--upgrade` is among the
    options of uv.
    """
    uv = shutil.which("uv", path=f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        stop(f"the lock files are written by uv. Please type:\n    {PYTHON} -m pip install uv")
    for kind, extra in (("run", []), ("test", ["--extra", "dev"])):
        target = LOCKS[kind]
        say(f"locking {target.name}")
        command = [uv, "pip", "compile", str(PROJECT / "pyproject.toml"), *options, *extra]
        subprocess.run([*command, *_LOCK_OPTIONS, "-o", str(target)], check=True)
    say(f"locking {SNIPPET_LOCK.name} of the snippet")
    command = [uv, "pip", "compile", "--group", f"{PROJECT / 'pyproject.toml'}:snippet", *options]
    subprocess.run([*command, *_LOCK_OPTIONS, "-o", str(SNIPPET_LOCK)], check=True)


def main(kind: str, options: list[str]) -> None:
    """Set up what `kind` needs: `run`, `test`, or `lock` for new lock files."""
    if kind == "lock":
        write_locks(options)
        return
    if not is_installed(kind):
        _make_environment()
        _install(kind)
    _build_for_browsers(kind)
    if kind == "test":
        _ensure_browser()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "run", sys.argv[2:])
