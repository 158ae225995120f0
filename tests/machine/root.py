"""A fresh machine in a folder: a root file system of debootstrap's, in which commands run as on a machine of its own.

It needs root and debootstrap. The mirror is that of this machine's own apt sources; for the other distribution
DEBIAN_MIRROR or UBUNTU_MIRROR names one. What is mounted for a command is mounted in a namespace of that command alone,
so that the folder can be removed at any time.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from gateway.local.apt_sources import machine_sources, os_release, own_archive
from tests.stack import PROJECT

# What is tried, and whose it is.
SUITES = {"bookworm": "debian", "trixie": "debian", "forky": "debian", "noble": "ubuntu"}

# Of this machine, so that the other has the same way to the outside: names, certificates, settings of apt and pip.
_TAKEN = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf")
_AUTHORITIES = Path("/usr/local/share/ca-certificates")  # an administrator's own
_APT_SETTINGS = Path("/etc/apt/apt.conf.d")

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}

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
# A network of its own has a loopback that is down (netdevice(7): SIOCSIFFLAGS, IFF_UP | IFF_RUNNING).
_LOOPBACK_UP = "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH22x', b'lo', 0x41))"


def missing_tool() -> str | None:
    """What keeps this machine from making another, or None."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [tool for tool in ("debootstrap", "unshare", "chroot") if shutil.which(tool) is None]
    return f"needs {', '.join(missing)}" if missing else None


def mirror(distribution: str) -> str | None:
    """Where packages of that distribution are."""
    named = os.environ.get(f"{distribution.upper()}_MIRROR")
    if named:
        return named
    own = own_archive(machine_sources(), os_release())
    return own.uri if own is not None and os_release().get("ID") == distribution else None


def make(root: Path, suite: str) -> None:
    """A fresh root file system in `root`."""
    address = mirror(SUITES[suite])
    assert address is not None, f"name a mirror: {SUITES[suite].upper()}_MIRROR=http://..."
    components = "main,universe" if SUITES[suite] == "ubuntu" else "main"
    command = ["debootstrap", "--variant=minbase", f"--components={components}"]
    if SUITES[suite] == "ubuntu" and not Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg").exists():
        command.append("--no-check-gpg")  # of a machine to be thrown away
    script = Path("/usr/share/debootstrap/scripts") / suite
    # An older debootstrap does not know the newest names; they all follow the same script.
    usual = {"debian": "sid", "ubuntu": "gutsy"}[SUITES[suite]]
    follows = [] if script.exists() else [str(script.with_name(usual))]
    made = subprocess.run([*command, suite, str(root), address, *follows], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr
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


def run(
    root: Path, *command: str, environment: Mapping[str, str] | None = None, network: bool = True
) -> "subprocess.CompletedProcess[str]":
    """Run a command inside, with processes and mounts of its own; what it printed, both streams together.

    Without `network` it has a loopback of its own and nothing else, so that any port is free.
    """
    alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *([] if network else ["--net"])]
    script = _INSIDE if network else f'{sys.executable} -c "{_LOOPBACK_UP}"\n{_INSIDE}'
    return subprocess.run(
        [*alone, "sh", "-euc", script, "sh", str(root), *command],
        env={**ENVIRONMENT, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def contents(root: Path, *folders: str) -> dict[str, str]:
    """Every file below the folders: owner, mode, time of the last change, and what is in it."""
    found = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            about = path.lstat()
            if path.is_symlink():
                held = str(path.readlink())
            elif path.is_file():
                held = f"{about.st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"
            else:
                held = ""
            found[str(path.relative_to(root))] = f"{about.st_uid}:{about.st_gid} {about.st_mode:o} {held}"
    return found
