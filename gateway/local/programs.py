"""The programs that a private Asterisk needs, wherever they come from.

The machine's own Asterisk is used when it is new enough (the event filter of earlier releases is
ignored in silence). Otherwise everything comes from unpacked Debian packages, which run through
their own loader: the machine's libc may be older than the one they were built for.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.local import apt_root
from gateway.local.apt_root import Say
from gateway.local.errors import FetchError

# The Debian package of each program, in the order of `AsteriskHome`.
PACKAGES = {"asterisk": "asterisk", "sipp": "sip-tester", "espeak-ng": "espeak-ng"}

# The first release of each branch that filters AMI events by name.
_MINIMUM = {20: 11, 21: 6, 22: 1}


@dataclass(frozen=True)
class Program:
    """A program, and how it has to be started."""

    path: Path
    prefix: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, *arguments: str | Path) -> list[str]:
        """The argument vector that runs it."""
        return [*self.prefix, str(self.path), *map(str, arguments)]

    def full_environment(self) -> dict[str, str]:
        """The environment that it wants, on top of ours."""
        return {**os.environ, **self.environment}


@dataclass(frozen=True)
class AsteriskHome:
    """An Asterisk, where its modules and data lie, and the programs that test it."""

    asterisk: Program
    version: tuple[int, int]
    modules: Path
    data: Path
    sipp: Program
    espeak: Program


def parse_version(text: str) -> tuple[int, int] | None:
    """`Asterisk 22.10.1~dfsg` gives `(22, 10)`."""
    found = re.search(r"Asterisk (?:certified[-/])?(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def is_new_enough(version: tuple[int, int]) -> bool:
    """Whether this release filters AMI events by name."""
    branch, release = version
    return branch > max(_MINIMUM) or release >= _MINIMUM.get(branch, 10**6)


def _version_of(program: Program) -> tuple[int, int] | None:
    try:
        done = subprocess.run(program.command("-V"), capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return None
    return parse_version(done.stdout)


def _which(name: str) -> Path | None:
    # Ordinary users often have no sbin in their PATH.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    return Path(found) if found else None


def _first_with(candidates: list[Path], inside: str) -> Path | None:
    # A folder that we may not look into holds nothing for us.
    return next((folder for folder in candidates if os.access(folder / inside, os.R_OK)), None)


def _module_folder(root: Path) -> Path | None:
    usr = root / "usr"
    candidates = [
        *sorted(usr.glob("lib/*/asterisk/modules")),
        *(usr / name for name in ("lib/asterisk/modules", "lib64/asterisk/modules")),
        usr / "local/lib/asterisk/modules",
    ]
    return _first_with(candidates, "chan_pjsip.so")


def _data_folder(root: Path) -> Path | None:
    candidates = [root / "usr/share/asterisk", root / "var/lib/asterisk"]
    # Without its documentation Asterisk refuses to load most modules.
    return _first_with(candidates, "documentation/core-en_US.xml")


def _system_asterisk() -> tuple[Program, tuple[int, int], Path, Path] | None:
    path = _which("asterisk")
    if path is None:
        return None
    program = Program(path)
    version = _version_of(program)
    modules = _module_folder(Path("/"))
    data = _data_folder(Path("/"))
    if version is None or not is_new_enough(version) or modules is None or data is None:
        return None
    return program, version, modules, data


def _in_root(root: Path, name: str, folder: str = "bin") -> Program:
    """A program of the unpacked root, to be run through that root's loader."""
    loaders = sorted(root.glob("usr/lib*/*/ld-linux*.so.*")) or sorted(root.glob("usr/lib*/ld-linux*.so.*"))
    libc = next(root.glob("usr/lib/*/libc.so.6"), None)
    if not loaders or libc is None:
        raise FetchError(f"{root} has no loader; delete the folder, it will be fetched again")
    libraries = libc.parent
    # Some libraries of a package lie in a folder of their own, found by an absolute run path
    # that means nothing here.
    beside = sorted({path.parent for path in libraries.glob("*/lib*.so*")})
    search = ":".join(str(path) for path in [libraries, *beside])
    environment = {}
    if name == "espeak-ng":
        environment["ESPEAK_DATA_PATH"] = str(libraries)
    return Program(
        root / "usr" / folder / name,
        (str(loaders[0]), "--library-path", search),
        environment,
    )


def fetched_asterisk(root: Path) -> tuple[Program, tuple[int, int], Path, Path]:
    """The Asterisk of an unpacked root, its version, modules and data. Raises `FetchError` where it does not run."""
    asterisk = _in_root(root, "asterisk", "sbin")
    version, modules, data = _version_of(asterisk), _module_folder(root), _data_folder(root)
    if version is None or modules is None or data is None:
        raise FetchError(f"the Asterisk in {root} does not run; delete the folder and retry")
    return asterisk, version, modules, data


def prepare(folder: Path, say: Say = lambda _line: None) -> AsteriskHome:
    """Find or fetch the programs; `folder` is where a fetched Asterisk is kept.

    The second time it costs some milliseconds. Raises `FetchError` with the command to type when
    this machine neither has an Asterisk that is new enough nor can fetch one.
    """
    root = folder.resolve() / "root"
    own = _system_asterisk()
    missing = [name for name in ("sipp", "espeak-ng") if _which(name) is None]
    if own is None:
        missing.insert(0, "asterisk")
    if missing:
        packages = [PACKAGES[name] for name in missing]
        if not apt_root.is_complete(root, packages) and not apt_root.can_fetch():
            found = _which("asterisk")
            version = _version_of(Program(found)) if found else None
            raise FetchError(
                (f"The Asterisk here is {version[0]}.{version[1]}. " if version else "")
                + "Asterisk 20.11, 22.1 or newer, SIPp and espeak-ng are needed, and "
                f"{', '.join(missing)} cannot be fetched here, because this machine's apt sources "
                "name no archive of Debian or Ubuntu. Install them, for example with:\n"
                f"    sudo apt-get install {' '.join(packages)}"
            )
        apt_root.fetch(root, packages, say)

    def program(name: str) -> Program:
        path = _which(name)
        return Program(path) if path and name not in missing else _in_root(root, name)

    asterisk, version, modules, data = own if own is not None else fetched_asterisk(root)
    return AsteriskHome(asterisk, version, modules, data, program("sipp"), program("espeak-ng"))


def found_or_fetched(folder: Path, packages: Mapping[str, str], say: Say = lambda _line: None) -> dict[str, Program]:
    """Programs by their names: this machine's own, or all from Debian's ``packages`` unpacked in ``folder``.

    The second time it costs some milliseconds. Raises `FetchError` with the command to type.
    """
    found = {name: path for name in packages if (path := _which(name)) is not None}
    if len(found) == len(packages):
        return {name: Program(path) for name, path in found.items()}
    root, wanted = folder.resolve() / "root", sorted(set(packages.values()))
    if not apt_root.is_complete(root, wanted) and not apt_root.can_fetch():
        raise FetchError(
            f"{', '.join(name for name in packages if name not in found)} cannot be fetched here, because this "
            "machine's apt sources name no archive of Debian or Ubuntu. Install them, for example with:\n"
            f"    sudo apt-get install {' '.join(wanted)}"
        )
    apt_root.fetch(root, wanted, say)
    return {
        name: _in_root(root, name, "sbin" if (root / "usr" / "sbin" / name).exists() else "bin") for name in packages
    }
