"""Debian packages unpacked into a folder of ours, without root and without touching the system.

apt is run with a state of its own that knows no installed package, so it names every library the
programs need, down to libc; the packages are unpacked side by side and run through that folder's
own loader (`gateway.local.programs`). Each step can be repeated: apt resumes a half-done download
and checks every package's hash, and the folder gets its name only when it is complete.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.local.apt_sources import AptSource, machine_sources, os_release, own_archive
from gateway.local.errors import FetchError
from gateway.local.processes import ends_with_us

Say = Callable[[str], None]

# Where the same archive has an Asterisk that is new enough: suites in the order they are asked, and their components.
# Debian 13 has none; the suite after it has 22. The rolling suite is asked second, because a package can be missing
# from a suite in preparation for some days. Ubuntu 24.04 has 20.6, the LTS after it 22.
SUITES = {
    "debian": (("forky", "sid"), ("main",)),
    "ubuntu": (("resolute",), ("main", "universe")),
}

# Written last, inside the folder: its presence is what says that the folder is whole. It holds
# the list of packages asked for.
COMPLETE = "numberpool-complete"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, so that two starts at one time do not fetch twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _acquire_settings() -> str:
    """How this machine's apt reaches its mirror: proxies, time limits, certificates."""
    done = subprocess.run(["apt-config", "dump", "--no-empty", "Acquire"], capture_output=True, text=True, check=True)
    return done.stdout


def _apt_config(work: Path, source: AptSource) -> Path:
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    # An empty list of installed packages: every dependency is fetched.
    (work / "status").write_text("")
    (work / "sources.sources").write_text(source.as_deb822())
    settings = {
        "Dir::State": work,
        "Dir::State::status": work / "status",
        "Dir::State::lists": work / "lists",
        "Dir::Cache": work / "cache",
        "Dir::Etc::sourcelist": work / "sources.sources",
        # Nothing else of the machine's configuration: its clean-up hooks would run on our lists,
        # and its pins mean another set of packages.
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": "/dev/null",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Install-Recommends": "false",
        "APT::Get::List-Cleanup": "false",
        "Acquire::Retries": "3",
        # Ours is a folder of an ordinary user; the system's lock is none of our business.
        "Debug::NoLocking": "true",
        # As root, apt would fetch as a user of its own, who may not see into our folder.
        "APT::Sandbox::User": "root",
    }
    config = work / "apt.conf"
    lines = [f'{name} "{value}";' for name, value in settings.items()]
    lines += ["#clear Acquire::Languages;", 'Acquire::Languages "none";']
    config.write_text(_acquire_settings() + "\n".join(lines) + "\n")
    return config


def _run_apt(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "APT_CONFIG": str(config), "DEBIAN_FRONTEND": "noninteractive"}
    environment["LC_ALL"] = "C.UTF-8"
    # Ours alone: an apt-get that outlived us would write into the same folder as that of the next start.
    command = [*ends_with_us(), "apt-get", "-q", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@dataclass(frozen=True)
class _Archive:
    """One package as apt plans it."""

    path: Path
    size: int
    sha256: str | None

    def drop_if_broken(self) -> None:
        """Remove the file if it is not what was planned; apt itself looks at nothing but the size."""
        if not self.path.exists() or self.sha256 is None:
            return
        with self.path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.sha256:
                self.path.unlink()


def _archive(line: str, work: Path) -> _Archive:
    # apt-get prints: 'address' file size algorithm:hash
    _address, name, size, digest = line.split()
    algorithm, _, value = digest.partition(":")
    path = work / "cache" / "archives" / name
    return _Archive(path, int(size), value if algorithm == "SHA256" else None)


def _made(folder: Path) -> Path:
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    return folder


def _download(work: Path, archive: AptSource, packages: Sequence[str], say: Say) -> list[Path]:
    faults: list[str] = []
    distribution = os_release()["ID"]
    suites, components = SUITES[distribution]
    for suite in suites:
        config = _apt_config(work, archive.for_suite(suite, components))
        say(f"reading the package lists of {distribution.capitalize()} {suite}")
        update = _run_apt(config, "update")
        if update.returncode != 0:
            faults.append(_faults(suite, update))
            continue
        arguments = ["install", "-y", "--no-install-recommends", *packages]
        # Planned as if nothing had been fetched: what is there already would not be named.
        nothing = f"Dir::Cache::archives={_made(work / 'nothing')}"
        # Without the option, apt prints MD5 sums.
        plan = _run_apt(config, *arguments, "--print-uris", "-o", nothing, "-o", "Acquire::ForceHash=SHA256")
        planned = [_archive(line, work) for line in plan.stdout.splitlines() if line.startswith("'")]
        if plan.returncode != 0 or not planned:
            faults.append(_faults(suite, plan))
            continue
        for package in planned:
            package.drop_if_broken()
        missing = sum(package.size for package in planned if not package.path.exists())
        say(f"downloading {len(planned)} packages ({', '.join(packages)}), {missing / 1e6:.0f} MB")
        fetched = _run_apt(config, *arguments, "--download-only")
        if fetched.returncode == 0:
            return [package.path for package in planned]
        faults.append(_faults(suite, fetched))
    raise FetchError(
        f"apt-get could not fetch {', '.join(packages)}. Is the network there, and does `apt-get update` work?\n"
        + "\n".join(faults)
    )


def _faults(suite: str, done: subprocess.CompletedProcess[str]) -> str:
    """What apt complained about, without its progress."""
    lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:"))]
    return f"{suite}:\n" + "\n".join(f"    {line}" for line in lines[-6:] or done.stderr.splitlines()[-6:])


def _unpack(archives: Sequence[Path], root: Path) -> list[Path]:
    """Unpack side by side; returns the packages that are broken."""

    def unpack(archive: Path) -> bool:
        done = subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], capture_output=True)
        return done.returncode == 0

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        good = list(pool.map(unpack, archives))
    return [archive for archive, whole in zip(archives, good, strict=True) if not whole]


def is_complete(root: Path, packages: Sequence[str]) -> bool:
    """Whether the folder holds all of these packages, wholly unpacked."""
    marker = root / COMPLETE
    return marker.is_file() and set(packages) <= set(marker.read_text().split())


def can_fetch() -> bool:
    """Whether this machine has apt, and its distribution's own archive among its sources."""
    has_tools = shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None
    return has_tools and own_archive(machine_sources(), os_release()) is not None


def fetch(root: Path, packages: Sequence[str], say: Say) -> None:
    """Make sure that `root` holds these packages and all that they need.

    Costs nothing when it already does. Raises `FetchError` when apt cannot fetch them, or when
    this machine's apt sources name no archive of Debian or Ubuntu.
    """
    if is_complete(root, packages):
        return  # also for a user who may only read it
    with locked(root.with_name(root.name + ".lock")):
        if is_complete(root, packages):
            return
        archive = own_archive(machine_sources(), os_release())
        if archive is None:
            raise FetchError("this machine's apt sources name no archive of Debian or Ubuntu")
        work = root.with_name(root.name + ".download")
        fresh = root.with_name(root.name + ".part")
        archives = _download(work, archive, packages, say)
        for attempt in (1, 2):
            say("unpacking")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            broken = _unpack(archives, fresh)
            if not broken:
                break
            for path in broken:
                path.unlink(missing_ok=True)
            if attempt == 2:
                names = ", ".join(path.name for path in broken)
                raise FetchError(f"these packages cannot be unpacked: {names}. Is the disk full?")
            archives = _download(work, archive, packages, say)
        (fresh / COMPLETE).write_text("\n".join(packages) + "\n")
        if root.exists():
            shutil.rmtree(root)
        fresh.rename(root)
        shutil.rmtree(work, ignore_errors=True)
