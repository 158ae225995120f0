"""The script on fresh machines: `make machine` (as root; it takes minutes and needs the network).

Each machine is a root file system of debootstrap's. The script runs twice; the second time changes nothing. Then the
services run by their units' own commands, and calls ring through; where systemd-nspawn is installed, systemd itself
starts them.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.machine import root as fresh

WANTED = os.environ.get("MACHINES", "").split()

if not WANTED:
    pytest.skip("make machine tries the script on fresh machines", allow_module_level=True)

SCRIPT = "/vagrant/gateway/machine/provision.sh"
DEMO = {"NUMBERPOOL_DEMO": "1"}
BY_HAND = "/vagrant/tests/machine/by_hand.sh"


@pytest.fixture(scope="module", params=WANTED)
def machine(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A fresh machine with the checkout in /vagrant, where the script has run once."""
    missing = fresh.missing_tool()
    if missing:
        pytest.fail(f"a fresh machine {missing}")
    if fresh.mirror(fresh.SUITES[request.param]) is None:
        pytest.skip(f"no mirror of {request.param} is known here")
    folder = Path(tempfile.mkdtemp(prefix="np-machine-"))
    root = folder / request.param
    try:
        fresh.make(root, request.param)
        fresh.bring_checkout(root)
        done = fresh.run(root, SCRIPT, environment=DEMO)
        assert done.returncode == 0, done.stdout
        print(done.stdout)
        yield root
    finally:
        shutil.rmtree(folder)


def test_the_second_run_changes_nothing(machine: Path) -> None:
    folders = ("etc", "opt", "usr/local", "var/lib", "var/spool", "usr/sbin", "usr/bin")
    before = fresh.contents(machine, *folders)
    done = fresh.run(machine, SCRIPT, environment=DEMO)
    assert done.returncode == 0, done.stdout
    assert "Nothing to change." in done.stdout
    after = fresh.contents(machine, *folders)
    differ = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    # The files of the database itself, which was started for the moment.
    assert {name for name in differ if not name.startswith("var/lib/postgresql/")} == set()


def test_what_a_person_wrote_stays_and_what_is_missing_comes_back(machine: Path) -> None:
    settings, pjsip = machine / "etc/numberpool/numberpool.toml", machine / "etc/asterisk/pjsip.conf"
    secret = (machine / "etc/numberpool/ami-secret").read_text()
    settings.write_text(settings.read_text() + "\n# mine\n")
    pjsip.write_text(pjsip.read_text() + "\n; mine\n")
    (machine / "etc/systemd/system/numberpool.service").unlink()
    (machine / "etc/numberpool/ami-secret").chmod(0o644)
    shutil.rmtree(machine / "var/spool/asterisk/numberpool/outbox")
    done = fresh.run(machine, SCRIPT, environment=DEMO)
    assert done.returncode == 0, done.stdout
    assert settings.read_text().endswith("# mine\n")
    assert pjsip.read_text().endswith("; mine\n")
    assert pjsip.read_text().count("#include numberpool-demo-pjsip.conf") == 1
    assert (machine / "etc/systemd/system/numberpool.service").is_file()
    assert (machine / "etc/numberpool/ami-secret").read_text() == secret
    assert (machine / "var/spool/asterisk/numberpool/outbox").stat().st_mode & 0o7777 == 0o2770
    told = done.stdout.partition("Changed:")[2]
    assert "outbox" in told
    assert "numberpool.service" in told


def test_another_cluster_beside_ours_changes_nothing(machine: Path) -> None:
    """As a newer Postgres would be, installed but not upgraded to."""
    dsn = (machine / "etc/numberpool/postgres-dsn").read_text()
    version = fresh.run(machine, "pg_lsclusters", "--no-header").stdout.split()[0]
    made = fresh.run(machine, "pg_createcluster", version, "zz")
    assert made.returncode == 0, made.stdout
    try:
        done = fresh.run(machine, SCRIPT, environment=DEMO)
        assert "Nothing to change." in done.stdout, done.stdout
        assert (machine / "etc/numberpool/postgres-dsn").read_text() == dsn
    finally:
        fresh.run(machine, "pg_dropcluster", version, "zz")


def test_nobody_else_reads_the_secrets(machine: Path) -> None:
    for name in ("ami-secret", "ami-store-secret", "softphone-password", "numberpool.toml", "postgres-dsn"):
        told = fresh.run(machine, "stat", "-c", "%a %U %G", f"/etc/numberpool/{name}")
        assert told.stdout.split() == ["640", "root", "numberpool"], name
        refused = fresh.run(machine, "runuser", "-u", "nobody", "--", "cat", f"/etc/numberpool/{name}")
        assert refused.returncode != 0
        allowed = fresh.run(machine, "runuser", "-u", "numberpool", "--", "cat", f"/etc/numberpool/{name}")
        assert allowed.returncode == 0


def test_the_units_hold_and_are_enabled(machine: Path) -> None:
    for unit in ("numberpool", "asterisk", "numberpool-carrier"):
        assert fresh.run(machine, "systemctl", "is-enabled", unit).stdout.strip() == "enabled"
        verified = fresh.run(machine, "systemd-analyze", "verify", f"{unit}.service")
        assert verified.returncode == 0, verified.stdout
        assert verified.stdout == ""


def test_calls_ring_through_by_the_units_own_commands(machine: Path) -> None:
    done = fresh.run(machine, "bash", BY_HAND, network=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    assert "answered" in done.stdout


def test_the_logs_of_asterisk_are_rotated(machine: Path) -> None:
    (file,) = (machine / "etc/logrotate.d").glob("*asterisk")  # ours, or that of the system's Asterisk
    done = fresh.run(machine, "logrotate", "--debug", f"/etc/logrotate.d/{file.name}")
    assert done.returncode == 0, done.stdout
    assert "error" not in done.stdout


class Booted:
    """The same machine, started by its own systemd, with a loopback of its own and no other network."""

    def __init__(self, root: Path) -> None:
        command = ["systemd-nspawn", "-D", str(root), "--boot", "--private-network", "--register=no", "--keep-unit"]
        with root.with_name("boot.log").open("wb") as out:
            self._process = subprocess.Popen(
                [*command, "--console=pipe"],
                # Newer releases of systemd know no other.
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def run(self, *command: str) -> str:
        """What a command inside prints; nothing while the machine is not up."""
        outer = self._process.pid
        inner = Path(f"/proc/{outer}/task/{outer}/children").read_text().split()
        if not inner:
            return ""
        enter = ["nsenter", "--target", inner[0], "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        done = subprocess.run([*enter, *command], env=fresh.ENVIRONMENT, capture_output=True, text=True)
        return done.stdout + done.stderr

    def until(self, wanted: str, *command: str, seconds: float = 120) -> str:
        """Ask until what it prints holds `wanted`."""
        deadline = time.monotonic() + seconds
        while wanted not in (said := self.run(*command)):
            assert time.monotonic() < deadline, said + self.run("journalctl", "--no-pager", "-n", "40")
            time.sleep(0.5)
        return said

    def stop(self) -> None:
        """Shut it down."""
        if self._process.poll() is None:
            self.run("systemctl", "poweroff")
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


@pytest.fixture(scope="module")
def booted(machine: Path) -> Iterator[Booted]:
    if shutil.which("systemd-nspawn") is None:
        pytest.skip("systemd-nspawn is not installed here (Debian's package systemd-container)")
    running = Booted(machine)
    try:
        yield running
    finally:
        running.stop()


def _shown(name: str, unit: str = "numberpool") -> tuple[str, ...]:
    return ("systemctl", "show", "-P", name, unit)


def test_systemd_starts_everything_and_a_call_rings_through(booted: Booted) -> None:
    for unit in ("asterisk", "numberpool", "numberpool-carrier"):
        booted.until("active", "systemctl", "is-active", unit)
    booted.until("All is well.", *_shown("StatusText"))
    assert "answered" in booted.run("numberpool-ring", "13065552003", "--seconds", "2")
    query = "SET numberpool.companies = 'all'; SELECT outcome FROM calls WHERE did = '+13065552003' AND state = 'ended'"
    psql = ("runuser", "-u", "postgres", "--", "psql", "-qAtX", "numberpool", "-c", query)
    booted.until("answered", *psql)
    # Ready, watched and hardened: numpy and the encoder work without writable code.
    recordings = query.replace("outcome", "recordings.state").replace(
        "FROM calls", "FROM calls JOIN recordings ON recordings.call_id = calls.id"
    )
    booted.until("ready", *psql[:-1], recordings.replace("AND state", "AND calls.state"))


def test_a_run_on_the_running_machine_changes_nothing(booted: Booted) -> None:
    booted.until("All is well.", *_shown("StatusText"))
    said = booted.run("env", "NUMBERPOOL_DEMO=1", SCRIPT)
    assert "Nothing to change." in said, said
    assert "All is well." in said


def test_a_gateway_that_hangs_is_started_again(booted: Booted) -> None:
    booted.until("All is well.", *_shown("StatusText"))
    before = booted.run(*_shown("MainPID")).strip()
    booted.run("systemctl", "kill", "--signal=STOP", "--kill-who=main", "numberpool")
    booted.until("Watchdog timeout", "journalctl", "--no-pager", "-u", "numberpool")
    booted.until("All is well.", *_shown("StatusText"))
    assert booted.run(*_shown("MainPID")).strip() != before
    assert "answered" in booted.run("numberpool-ring", "13065552003", "--seconds", "2")


def test_without_postgres_it_is_started_all_the_same(booted: Booted) -> None:
    booted.run("systemctl", "stop", "postgresql.service", "postgresql@*.service")
    booted.run("systemctl", "restart", "--no-block", "numberpool")
    # `Wants=` starts Postgres with it, so take that away again.
    booted.run("systemctl", "stop", "postgresql.service", "postgresql@*.service")
    booted.until("active", "systemctl", "is-active", "numberpool")
    assert "answered" in booted.run("numberpool-ring", "13065552003", "--seconds", "2")
    booted.run("systemctl", "start", "postgresql")
    booted.until("All is well.", *_shown("StatusText"))


def test_its_own_postgres_runs_under_the_same_unit(booted: Booted) -> None:
    """For who names none in the settings. The last test: it changes the machine's settings."""
    booted.run("sed", "-i", r"/^\[postgres\]/d; /^dsn_file/d", "/etc/numberpool/numberpool.toml")
    booted.run("systemctl", "restart", "numberpool")
    booted.until("bin/postgres -D /var/lib/numberpool", "systemctl", "status", "--no-pager", "--full", "numberpool")
    booted.until("All is well.", *_shown("StatusText"))
    assert booted.run("systemctl", "is-active", "numberpool").strip() == "active"
