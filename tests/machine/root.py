"""A fresh machine in a folder: a root file system of debootstrap's, in which commands run as on a machine of its own.

`python -m tests.machine.root FOLDER bookworm` makes one. It needs root and debootstrap; the mirror is that of this
machine's own apt sources, or what MIRROR names. What is mounted for a command is mounted in a namespace of that command
alone, so that the folder can be removed at any time.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from gateway.local.apt_sources import machine_sources, os_release, own_archive
from tests.stack import PROJECT

SUITES = {"bookworm": "debian", "trixie": "debian", "noble": "ubuntu"}

# Of this machine, so that the other has the same way to the outside: names, certificates, settings of apt and pip.
_TAKEN = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf")
_AUTHORITIES = Path("/usr/local/share/ca-certificates")  # an administrator's own
_APT_SETTINGS = Path("/etc/apt/apt.conf.d")

# In namespaces of its own, which end with it: what it mounts and whatever it leaves running.
_INSIDE = """
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --rbind /sys "$1/sys"
mount -t tmpfs tmpfs "$1/run"
root=$1; shift
exec chroot "$root" "$@"
"""


def missing_tool() -> str | None:
    """What keeps this machine from making another, or None."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [tool for tool in ("debootstrap", "unshare", "chroot") if shutil.which(tool) is None]
    return f"needs {', '.join(missing)}" if missing else None


def mirror(distribution: str) -> str | None:
    """Where this machine, or MIRROR in the environment, has packages of that distribution."""
    if os.environ.get("MIRROR"):
        return os.environ["MIRROR"]
    own = own_archive(machine_sources(), os_release())
    return own.uri if own is not None and os_release().get("ID") == distribution else None


def make(root: Path, suite: str) -> None:
    """A fresh root file system in `root`. Raises CalledProcessError with debootstrap's words."""
    address = mirror(SUITES[suite])
    assert address is not None, f"name a mirror of {SUITES[suite]}: MIRROR=http://... "
    components = "main,universe" if SUITES[suite] == "ubuntu" else "main"
    command = ["debootstrap", "--variant=minbase", f"--components={components}"]
    if SUITES[suite] == "ubuntu" and not Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg").exists():
        command.append("--no-check-gpg")  # of a machine to be thrown away
    script = Path("/usr/share/debootstrap/scripts") / suite
    # An older debootstrap does not know the newest names; they all follow the same script.
    follows = [] if script.exists() else ["/usr/share/debootstrap/scripts/gutsy"]
    subprocess.run([*command, suite, str(root), address, *follows], check=True)
    prepare(root)


def prepare(root: Path) -> None:
    """Give a fresh root file system this machine's way to the outside."""
    taken = [Path(each) for each in _TAKEN]
    # Docker's own settings of apt are about images, not about mirrors.
    taken += _AUTHORITIES.glob("*.crt")
    taken += [each for each in _APT_SETTINGS.glob("*") if "docker" not in each.name and each.name.startswith("99")]
    for file in taken:
        if file.exists():
            target = root / file.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copy(file, target)
    # Nothing may be started by a package: a machine that is installed in a folder has no service manager.
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)


def bring_checkout(root: Path, to: str = "/vagrant") -> None:
    """Copy what git knows of this checkout, as it lies here, into the machine."""
    target = root / to.lstrip("/")
    shutil.rmtree(target, ignore_errors=True)
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=PROJECT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, target / name)


def run(root: Path, *command: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command inside, with processes and mounts of its own; what it printed, both streams together."""
    clean = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
    return subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", _INSIDE, "sh", str(root), *command],
        env={**clean, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2])
