"""The files that a machine is set up with: scripts, units, the Vagrantfile."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.local.carrier import ADDRESS
from gateway.local.programs import AsteriskHome
from gateway.machine import asterisk, carrier
from tests.stack import PROJECT

MACHINE = PROJECT / "gateway" / "machine"
VAGRANTFILE = PROJECT / "Vagrantfile"
SCRIPTS = sorted([*MACHINE.glob("*.sh"), *Path(__file__).parent.glob("*.sh")])
UNITS = sorted(MACHINE.glob("*.service"))

# systemd's own measure of what a service could do beyond its task, from 0 to 100 (10.0 in its words).
MOST_EXPOSED = 25


def _run(*command: str | Path, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


def _needs(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed here")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_can_be_read(script: Path) -> None:
    shell = script.read_text().partition("\n")[0].rpartition("/")[2].removeprefix("env ")
    told = _run(shell, "-n", script)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_hold_no_trap_of_the_shell(script: Path) -> None:
    _needs("shellcheck")
    told = _run("shellcheck", script)
    assert told.returncode == 0, told.stdout


def test_the_script_stops_at_the_first_fault_and_names_what_it_uses() -> None:
    text = (MACHINE / "provision.sh").read_text()
    assert "\nset -euo pipefail\n" in text
    assert os.access(MACHINE / "provision.sh", os.X_OK)
    used = set(re.findall(r'"\$HERE/([\w.-]+)"', text))
    assert used == {each.name for each in MACHINE.iterdir() if each.is_file() and each.suffix not in {".py"}} - {
        "provision.sh"
    }


def test_without_root_it_says_what_to_type() -> None:
    _needs("setpriv")
    if os.geteuid() != 0:
        command: tuple[str | Path, ...] = (MACHINE / "provision.sh",)
    else:
        command = ("setpriv", "--reuid=65534", "--clear-groups", "bash", "-c", (MACHINE / "provision.sh").read_text())
    told = _run(*command)
    assert told.returncode == 1
    assert "sudo" in told.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_understood(unit: Path, tmp_path: Path) -> None:
    _needs("systemd-analyze")
    # The programs are not installed here: what remains is to be free of faults.
    text = re.sub(r"^(Exec\w+)=/\S+", r"\1=/bin/true", unit.read_text(), flags=re.MULTILINE)
    (tmp_path / unit.name).write_text(text)
    told = _run("systemd-analyze", "verify", tmp_path / unit.name)
    mine = [line for line in told.stderr.splitlines() if str(tmp_path) in line or line.startswith(unit.name)]
    assert mine == []
    told = _run("systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", tmp_path / unit.name)
    assert told.returncode == 0, told.stdout + told.stderr


def test_a_fault_in_a_unit_would_be_seen(tmp_path: Path) -> None:
    _needs("systemd-analyze")
    (tmp_path / "bad.service").write_text("[Service]\nExecStart=/bin/true\nWatchdog=20\nType=often\n")
    told = _run("systemd-analyze", "verify", tmp_path / "bad.service")
    assert "Watchdog" in told.stderr
    assert str(tmp_path) in told.stderr


def test_the_gateway_needs_nobody_to_start() -> None:
    text = (MACHINE / "numberpool.service").read_text()
    assert re.search(r"^Wants=.*postgresql\.service.*asterisk\.service", text, re.MULTILINE)
    assert not re.search(r"^(Requires|BindsTo|Requisite)=", text, re.MULTILINE)
    assert {"Type=notify", "Restart=always", "StartLimitIntervalSec=0"} <= set(text.splitlines())


def test_vagrant_runs_the_script_that_is_there() -> None:
    text = VAGRANTFILE.read_text()
    (script,) = re.findall(r'inline: "/vagrant/([^"]+)"', text)
    assert PROJECT / script == MACHINE / "provision.sh"
    told = set(re.findall(r'"(NUMBERPOOL_\w+)" =>', text))
    assert told
    for name in told:
        assert name in (MACHINE / "provision.sh").read_text(), name
    for command in ("numberpool-ring", "numberpool login-link"):
        assert command in text


def test_vagrant_takes_the_file() -> None:
    _needs("vagrant")
    told = _run("vagrant", "validate", "--ignore-provider", folder=PROJECT)
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_private_asterisk_lives_where_an_administrator_looks(asterisk_home: AsteriskHome) -> None:
    texts = asterisk.configuration(asterisk_home, (10_000, 10_059))
    for folder in ("/etc/asterisk", "/var/lib/asterisk", "/var/spool/asterisk", "/var/log/asterisk", "/run/asterisk"):
        assert f"=> {folder}\n" in texts["asterisk.conf"]
    assert "rtpstart = 10000\nrtpend = 10059\n" in texts["rtp.conf"]
    assert "enabled = yes\nwebenabled = no\nbindaddr = 127.0.0.1\nport = 5038\n" in texts["manager.conf"]
    # The transport that the example's telephones name.
    assert "[udp]\ntype = transport" in texts["pjsip.conf"]
    assert set(re.findall(r"^transport = (\w+)", (MACHINE / "demo-pjsip.conf").read_text(), re.MULTILINE)) == {"udp"}
    # By this the script knows that it is not the administrator's own.
    assert asterisk.MARK.removeprefix("# ") in (MACHINE / "provision.sh").read_text()


def test_the_trunk_leads_to_the_simulated_carrier() -> None:
    contact = f"contact = sip:{ADDRESS}:{carrier.CARRIER_PORT}\n"
    assert contact in (MACHINE / "demo-pjsip.conf").read_text()


_ANEW = """
set -euo pipefail
source <(sed -n '/^# --- How it works/,/^# --- 1\\./p' "$1")
PENDING=$2/pending PRIVATE=
systemd_runs() { true; }
systemctl() { [ "$1" != restart ] || echo "$@" >>"$LOG"; }
LOG=$2/log
"""


def test_what_was_to_be_started_anew_is_so_by_the_next_run(tmp_path: Path) -> None:
    """The first run breaks off between the change and the start; nothing differs any more for the second one."""
    for ending in ("due numberpool; false", "start numberpool", "start numberpool"):
        _run("bash", "-c", _ANEW + ending, "provision.sh", MACHINE / "provision.sh", tmp_path)
    assert (tmp_path / "log").read_text() == "restart numberpool\n"
