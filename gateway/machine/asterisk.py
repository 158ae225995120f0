"""An Asterisk for a machine whose distribution has none that is new enough.

The same private Asterisk that the demonstration uses (`gateway.local`), but set up as an administrator knows it:
`/etc/asterisk`, `/var/lib/asterisk`, `/var/spool/asterisk`, `/var/log/asterisk`, and an `asterisk` command. It lies in
a folder of its own beside the system's packages, and is brought up to date by fetching it anew.
"""

import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.local import apt_root
from gateway.local.apt_root import Say
from gateway.local.asterisk_config import Places, base_files
from gateway.local.programs import AsteriskHome, Program, fetched_asterisk

FOLDER = Path("/opt/numberpool-asterisk")
COMMAND = Path("/usr/local/sbin/asterisk")
ETC = Path("/etc/asterisk")

SIP_PORT = 5060
AMI_PORT = 5038
RTP_PORTS = (10_000, 20_000)

# Says, in the command that starts it, whose it is: provision.sh tells it from an Asterisk of the administrator's.
MARK = "# Numberpool's private Asterisk"


def set_up(rtp_ports: tuple[int, int], say: Say, *, renew: bool = False) -> list[str]:
    """Make sure that the Asterisk, its command and its configuration are there; what was changed, in words.

    With ``renew`` it is fetched again, in the newest version. Configuration is only written where none is: from then on
    it is the administrator's. Raises FetchError, OSError.
    """
    return list(_set_up(rtp_ports, say, renew))


def _set_up(rtp_ports: tuple[int, int], say: Say, renew: bool) -> Iterator[str]:
    root = FOLDER / "root"
    if renew:
        (root / apt_root.COMPLETE).unlink(missing_ok=True)
    if not apt_root.is_complete(root, ["asterisk"]):
        apt_root.fetch(root, ["asterisk"], say)
        yield f"Asterisk is in {FOLDER}"
    asterisk, version, modules, data = fetched_asterisk(root)
    if _written(COMMAND, _command(asterisk), 0o755):
        yield f"{COMMAND} runs Asterisk {version[0]}.{version[1]}"
    # What calls are made with, and nothing that tests need.
    home = AsteriskHome(asterisk, version, modules, data, asterisk, asterisk)
    missing = {name: text for name, text in configuration(home, rtp_ports).items() if not (ETC / name).exists()}
    for name, text in missing.items():
        _written(ETC / name, text, 0o640)
        shutil.chown(ETC / name, group="asterisk")
    if missing:
        yield f"{ETC} has its configuration, yours from now on ({len(missing)} files)"


def _command(asterisk: Program) -> str:
    return f'#!/bin/sh\n{MARK}, through its own loader and libraries.\nexec {shlex.join(asterisk.command())} "$@"\n'


def _written(file: Path, text: str, mode: int) -> bool:
    """Whether the file had to be written."""
    if file.exists() and file.read_text() == text:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    beside.touch(mode)
    beside.write_text(text)
    beside.chmod(mode)
    beside.replace(file)
    return True


def configuration(home: AsteriskHome, rtp_ports: tuple[int, int]) -> Mapping[str, str]:
    """File name -> text of what a private Asterisk starts with, in the usual places of a system."""
    places = Places(
        folder=Path("/var/lib/asterisk"),
        run=Path("/run/asterisk"),
        address="0.0.0.0",
        sip_port=SIP_PORT,
        ami_port=AMI_PORT,
        rtp_first=rtp_ports[0],
        rtp_last=rtp_ports[1],
    )
    texts = base_files(home, places, "pbx", verbose=0)
    texts["asterisk.conf"] = f"""\
[directories]
astcachedir => /var/cache/asterisk
astetcdir => {ETC}
astmoddir => {home.modules}
astvarlibdir => /var/lib/asterisk
astdbdir => /var/lib/asterisk
astkeydir => /var/lib/asterisk
astdatadir => {home.data}
astagidir => /var/lib/asterisk/agi-bin
astspooldir => /var/spool/asterisk
astrundir => /run/asterisk
astlogdir => /var/log/asterisk

[options]
systemname = pbx
nocolor = yes
documentation_language = en_US
"""
    texts["logger.conf"] = """\
[general]
dateformat = %F %T.%3q
queue_log = no

[logfiles]
messages.log => notice,warning,error
; Who tried to sign in, and failed: fail2ban reads it.
security.log => security
"""
    texts["pjsip.conf"] = f"""\
[global]
type = global
; Number portability puts ";npdi=yes" behind the number.
ignore_uri_user_options = yes

; Name this transport in every endpoint: without it Asterisk looks up its own host name for each call.
[udp]
type = transport
protocol = udp
bind = 0.0.0.0:{SIP_PORT}
"""
    return texts
