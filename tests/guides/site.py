"""A PBX as it stood before Numberpool came, running, and somebody who does what a guide says to it."""

import asyncio
import os
import re
import shlex
import socket
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from gateway.local.asterisk import PrivateAsterisk
from gateway.local.processes import free_port
from gateway.local.programs import AsteriskHome
from tests.calls.scenarios import Invite, caller_presses, caller_talks, line_answers, line_rings
from tests.calls.sipp import Sipp, make_tone
from tests.guides.guide import Block
from tests.installation import Gateway, Row
from tests.stack import PROJECT, eventually

TRUNK = "127.0.0.1"
_ENDPOINT = """
[{name}]
type=endpoint
transport=udp
context={context}
disallow=all
allow=ulaw
aors={name}
"""
_AOR = """
[{name}]
type=aor
contact=sip:{name}@127.0.0.1:{port}
"""
_SHIM = """#!/bin/sh
exec {command} "$@"
"""


@dataclass(frozen=True)
class Trunk:
    """The carrier's endpoint as PJSIP has it."""

    name: str
    context: str

    @property
    def endpoint(self) -> str:
        """Its endpoint."""
        return _ENDPOINT.format(name=self.name, context=self.context)

    @property
    def identify(self) -> str:
        """Its addresses."""
        return f"\n[{self.name}]\ntype=identify\nendpoint={self.name}\nmatch={TRUNK}\n"


def endpoint(name: str, context: str) -> str:
    """A phone's endpoint. The sound of its calls stays here: SIPp knows no second INVITE."""
    return _ENDPOINT.format(name=name, context=context) + "direct_media=no\n"


def aor(name: str, port: int) -> str:
    """Where a phone is."""
    return _AOR.format(name=name, port=port)


class Site:
    """The PBX, its phones, and the person at the keyboard. ``phones`` maps each phone to what it does.

    A guide's paths are those of a real machine; here they are folders of the test. Its commands are typed into a real
    shell, where ``numberpool`` and ``asterisk`` are the real ones, and only what needs other users of the machine
    (``chown``, the owner in ``install -o``) does nothing.
    """

    def __init__(self, home: AsteriskHome, folder: Path, dsn: str, phones: Mapping[str, str]) -> None:
        self.home = home
        self.folder = folder
        self.dsn = dsn
        self.ports = {name: free_port("127.0.0.1", socket.SOCK_DGRAM) for name in phones}
        self.pbx = PrivateAsterisk(home, folder / "pbx", name="pbx", verbose=4)
        self.tone = make_tone(folder, 1000)
        voice = make_tone(folder, 700)
        behaviour = {"answers": line_answers(tone=voice), "rings": line_rings()}
        self._phones = {
            name: Sipp(home, folder / "sipp", behaviour[does], port=self.ports[name], key=name)
            for name, does in phones.items()
        }
        self._places = {
            "/etc/asterisk": self.pbx.etc,
            "/etc/numberpool": folder / "etc-numberpool",
            "/etc/systemd": folder / "etc-systemd",
            "/var/spool/asterisk/numberpool": folder / "spool",
            "/var/spool/numberpool": folder / "spool",
            "/var/lib/numberpool": folder / "data",
        }
        self.gateway: Gateway | None = None
        self._bin = folder / "bin"

    # -- the PBX -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the PBX, as it is, and the phones."""
        (self.folder / "etc-numberpool").mkdir()
        self._bin.mkdir()
        asterisk = shlex.join(map(str, self.home.asterisk.command("-C", self.pbx.etc / "asterisk.conf")))
        wants = shlex.join(f"{name}={value}" for name, value in self.home.asterisk.environment.items())
        self._shim("asterisk", f"env {wants} {asterisk}")
        for quiet in ("chown", "systemctl"):
            self._shim(quiet, "true")
        install = self._bin / "install"
        install.write_text("#!/bin/sh\n# The owners of a real machine are not here.\n" + _INSTALL)
        install.chmod(0o755)
        await self.pbx.start()
        for phone in self._phones.values():
            await phone.start()

    async def stop(self) -> None:
        """Stop everything."""
        if self.gateway is not None:
            await self.gateway.stop()
        for phone in self._phones.values():
            await phone.stop()
        await self.pbx.stop()

    def _shim(self, name: str, command: str) -> None:
        file = self._bin / name
        file.write_text(_SHIM.format(command=command))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    # -- the guide ---------------------------------------------------------------------------------------------------

    async def follow(self, blocks: Sequence[Block]) -> None:
        """Do what each block says, in order. Forms are not for here."""
        for block in blocks:
            match block.language:
                case "sh":
                    await self.type(block.text)
                case "toml":
                    self._settings(block)
                case "ini":
                    self._file(block)
                case other:
                    raise AssertionError(f"nobody knows what to do with {other}:\n{block.text}")

    def placed(self, text: str) -> str:
        """``text`` with the paths of this machine."""
        longest_first = "|".join(sorted(map(re.escape, self._places), key=len, reverse=True))
        return re.sub(longest_first, lambda found: str(self._places[found[0]]), text)

    def _settings(self, block: Block) -> None:
        """The settings, with what the test's machine has otherwise: ports, the database, patience."""
        assert block.file == Path("/etc/numberpool/numberpool.toml")
        text = self.placed(block.text).replace('name = "pbx"', f'name = "pbx"\nport = {self.pbx.ami_port}')
        # Tests take all the processors there are; what a call may wait on a PBX that rests is tried elsewhere.
        text = text.replace("[calls]\n", "[calls]\ndecision_bound_ms = 2000\n")
        text += f'[postgres]\ndsn = "{self.dsn}"\n[pages]\nport = 0\n[collector]\nport = 0\n[log]\njson_lines = true\n'
        self.gateway = Gateway(self.folder / "gateway", text)
        program = shlex.join([sys.executable, "-m", "gateway", "--config", str(self.gateway.config)])
        shim = self._bin / "numberpool"
        shim.write_text(_NUMBERPOOL.format(program=program, folder=self.pbx.etc / "numberpool"))
        shim.chmod(0o755)

    def _file(self, block: Block) -> None:
        file = Path(self.placed(str(block.file)))
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        before = file.read_text()
        if block.removes:
            left = before.splitlines()
            for line in block.removes:
                left.remove(line)
            file.write_text("\n".join(left) + "\n")
            return
        if block.changes is None:
            file.write_text(f"{before}\n{block.text}")
            return
        old = re.compile(rf"^\[{re.escape(block.changes)}\]\n(?:(?!\[).*\n)*", re.MULTILINE)
        assert old.search(before), f"{file} has no [{block.changes}]"
        file.write_text(old.sub(lambda _: block.text, before, count=1))

    async def type(self, commands: str) -> str:
        """Type ``commands`` into a shell; every one must succeed. What they print."""
        environment = {
            **os.environ,
            "PATH": f"{self._bin}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join((str(PROJECT), os.environ.get("PYTHONPATH", ""))).rstrip(os.pathsep),
        }
        shell = await asyncio.create_subprocess_exec(
            "sh",
            "-ec",
            self.placed(commands),
            cwd=self.folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await shell.communicate())[0].decode(errors="replace")
        # Asterisk's console refuses a command and calls it a success.
        well = shell.returncode == 0 and "No such command" not in said
        assert well, f"{commands}\n{said}"
        return said

    # -- calls -------------------------------------------------------------------------------------------------------

    async def call(self, did: str, caller: str, seconds: float = 0.7, press: str = "") -> list[str]:
        """A call from the carrier that must be answered; the phones that it rang. ``press``: a key, in a menu."""
        before = {name: self._asked(name) for name in self._phones}
        invite = Invite(did, caller)
        remote = (self.pbx.address, self.pbx.sip_port)
        talks = caller_presses(invite, press, seconds, self.tone) if press else caller_talks(invite, seconds, self.tone)
        sipp = Sipp(self.home, self.folder / "sipp", talks, remote, address=TRUNK, calls=1)
        await sipp.start()
        try:
            await sipp.done()
        finally:
            await sipp.stop()
        await eventually(self._is_quiet)
        return sorted(name for name in self._phones if self._asked(name) > before[name])

    def _asked(self, phone: str) -> int:
        return self._phones[phone].messages.count("\nINVITE sip:")

    async def _is_quiet(self) -> bool:
        return "0 active channels" in await self.pbx.cli("core show channels")

    async def log(self, caller: str, seconds: float = 10) -> Row:
        """The one call of ``caller`` in the log, ended."""
        rows: list[Row] = []

        async def is_in() -> bool:
            rows[:] = await self.rows(caller)
            return len(rows) == 1 and rows[0]["state"] == "ended"

        assert self.gateway is not None
        try:
            await eventually(is_in, seconds)
        except TimeoutError:
            raise AssertionError(f"{rows}\n{self.gateway.log[-3000:]}") from None
        return rows[0]

    async def rows(self, caller: str) -> list[Row]:
        """All calls of ``caller`` in the log, each with the name of its source."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute("SET numberpool.companies = 'all'")
            rows = await connection.fetch(
                "SELECT calls.*, sources.name AS source FROM calls "
                "LEFT JOIN sources ON sources.id = calls.source_id WHERE caller = $1",
                caller,
            )
            return [dict(row) for row in rows]
        finally:
            await connection.close()


# `install -o user -g group` without the two.
_INSTALL = """\
for word in "$@"; do
    shift
    case "$word" in
        -o|-g) skip=yes; continue ;;
    esac
    if [ "$skip" = yes ]; then skip=; continue; fi
    set -- "$@" "$word"
done
exec /usr/bin/install "$@"
"""
# `numberpool asterisk render` writes to /etc/asterisk/numberpool by itself.
_NUMBERPOOL = """\
#!/bin/sh
if [ "$1 $2" = "asterisk render" ]; then
    set -- "$@" --into {folder}
fi
exec {program} "$@"
"""
