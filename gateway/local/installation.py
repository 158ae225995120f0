"""A whole Numberpool on this machine: a private Asterisk with our dialplan, a trunk to the simulated carrier, and the
gateway as a process of its own, run as an administrator would run it.

    installation = Installation(home, folder, sounds, dsn=dsn, pages_port=8080)
    await installation.start()
    report = await installation.carrier.place("+13065552001", "+13065550141")
    await installation.stop()

`installation.settings_file` is an ordinary settings file: `numberpool --config FILE number list` works beside it.
"""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import time
from pathlib import Path

import aiohttp

from gateway.asterisk.render import render_texts, write_files
from gateway.local.asterisk import PrivateAsterisk
from gateway.local.carrier import Carrier
from gateway.local.errors import ProcessDied
from gateway.local.processes import ProcessFile, spawn
from gateway.local.programs import AsteriskHome
from gateway.local.voices import Sounds
from gateway.settings import Settings, load_settings

NODE = "pbx"

# Where the company's PBX rings its own main line: the carrier is the telephone in the office.
MAIN_LINE_DIAL = "PJSIP/office@carrier"

# Python's start on a busy machine, migrations, two AMI logins.
_READY_SECONDS = 40.0
_FAREWELL_SECONDS = 10.0

# The trunk of the example trunks/address.conf, open to this machine alone.
_TRUNK = """\
[global]
type = global
ignore_uri_user_options = yes

[carrier]
type = endpoint
transport = udp
context = numberpool-in
identify_by = ip
disallow = all
allow = ulaw,alaw,g722
allow_transfer = no
allow_subscribe = no
trust_id_inbound = no
direct_media = no
rtp_symmetric = yes
aors = carrier

[carrier]
type = aor
contact = sip:{host}:{port}
qualify_frequency = 60

; The carrier, and anybody on this machine with SIPp or a softphone.
[carrier]
type = identify
endpoint = carrier
match = 127.0.0.0/8
"""


class Installation:
    """PBX, carrier and gateway; the database behind `dsn` is the caller's."""

    def __init__(
        self,
        home: AsteriskHome,
        folder: Path,
        sounds: Sounds,
        *,
        dsn: str,
        pages_port: int,
        collector_port: int = 0,
        sip_port: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.folder = folder.absolute()
        self.pages_url = f"http://127.0.0.1:{pages_port}"
        self.collector_url = f"http://127.0.0.1:{collector_port}"
        self.data_folder = self.folder / "data"
        self.settings_file = self.folder / "numberpool.toml"
        self.gateway_log = self.folder / "gateway.log"
        self.pbx = PrivateAsterisk(home, self.folder / "pbx", name=NODE, sip_port=sip_port, verbose=verbose)
        self.carrier = Carrier(
            home, self.folder / "carrier", sounds, customer=(self.pbx.address, self.pbx.sip_port), verbose=verbose
        )
        self._dsn = dsn
        self._pages_port, self._collector_port = pages_port, collector_port
        self._gateway: asyncio.subprocess.Process | None = None
        self._gateway_file = ProcessFile(self.folder / "gateway.process")

    @property
    def spool(self) -> Path:
        """What the PBX's dialplan and the gateway share: the outbox and the raw recordings."""
        return self.pbx.spool / "numberpool"

    @property
    def gateway_pid(self) -> int | None:
        """The gateway's process while it runs."""
        process = self._gateway
        return process.pid if process is not None and process.returncode is None else None

    def write_settings(self) -> Settings:
        """Write the settings file and read it as the gateway does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        values: dict[str, dict[str, object] | None] = {
            "": {"data_folder": str(self.data_folder)},
            "postgres": {"dsn": self._dsn},
            "pages": {"port": self._pages_port},
            "collector": {"port": self._collector_port},
            "site_check": {"private_addresses": True},  # its shop stands on this machine
            "calls": {"default_destination": MAIN_LINE_DIAL},
        }
        node = {
            "name": NODE,
            "host": "127.0.0.1",
            "port": self.pbx.ami_port,
            "secret": secrets.token_urlsafe(24),
            "store_secret": secrets.token_urlsafe(24),
            "spool": str(self.spool),
        }
        lines = []
        for table, settings in values.items():
            lines += [f"\n[{table}]"] if table else []
            lines += [f"{name} = {json.dumps(value)}" for name, value in (settings or {}).items()]
        lines += ["\n[[nodes]]", *(f"{name} = {json.dumps(value)}" for name, value in node.items())]
        # It holds passwords.
        self.settings_file.unlink(missing_ok=True)
        self.settings_file.touch(mode=0o600)
        self.settings_file.write_text("\n".join(lines) + "\n")
        return load_settings(self.settings_file)

    async def start(self) -> None:
        """Start PBX, carrier and gateway, and wait until calls are decided by the gateway."""
        await self.start_asterisks()
        await self.start_gateway()
        await self.wait_ready()

    async def start_asterisks(self) -> None:
        """Render the configuration for the PBX and start it and the carrier."""
        settings = self.write_settings()
        rendered = self.folder / "asterisk"
        write_files(render_texts(settings.nodes[0], settings.calls, rendered), rendered)
        for name in ("outbox", "recordings"):
            (self.spool / name).mkdir(parents=True, exist_ok=True)
        host, port = self.carrier.address
        self.pbx.config = {
            "extensions.conf": f"#include {rendered / 'numberpool-extensions.conf'}\n",
            "manager.conf": f"#include {rendered / 'numberpool-manager.conf'}\n",
            "features.conf": f"[applicationmap]\n#include {rendered / 'numberpool-features.conf'}\n",
            "pjsip.conf": _TRUNK.format(host=host, port=port),
        }
        await asyncio.gather(self.pbx.start(), self.carrier.start())

    async def start_gateway(self) -> None:
        """Start the gateway's process; `wait_ready` says when it is."""
        # One that outlived an earlier run of ours would answer the same Asterisk.
        self._gateway_file.end()
        command = [sys.executable, "-m", "gateway", "--config", str(self.settings_file), "run"]
        self._gateway = await spawn(command, self.gateway_log, os.environ)
        self._gateway_file.write(self._gateway.pid)

    async def wait_ready(self) -> None:
        """Wait until pages and collector answer and the gateway decides the calls of the PBX.

        Raises `ProcessDied` with the end of its log when it does not come to that.
        """
        deadline = time.monotonic() + _READY_SECONDS
        last = ""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while time.monotonic() < deadline and self.gateway_pid is not None:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(f"{self.pages_url}/healthz") as answer:
                        report = await answer.json()
                        last = str(report["parts"])
                        ready = (report["parts"].get(part, {}) for part in (f"asterisk:{NODE}", "collector"))
                        if all(each.get("condition") == "ok" for each in ready):
                            return
                await asyncio.sleep(0.05)
        tail = self.gateway_log.read_text(errors="replace").splitlines()[-15:]
        raise ProcessDied("the gateway does not get ready: " + "\n".join([last, *tail]))

    async def gateway_ended(self) -> int:
        """Wait until the gateway's process ends; its exit status."""
        assert self._gateway is not None
        return await self._gateway.wait()

    def signal_gateway(self, number: signal.Signals) -> None:
        """Send a signal to the gateway: SIGTERM, SIGKILL, SIGSTOP, SIGCONT."""
        pid = self.gateway_pid
        if pid is not None:
            os.kill(pid, number)

    async def stop_gateway(self) -> None:
        """Stop the gateway in order; calls in progress go on in Asterisk."""
        if self._gateway is not None and self.gateway_pid is not None:
            self.signal_gateway(signal.SIGCONT)
            self.signal_gateway(signal.SIGTERM)
            try:
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await self._gateway.wait()
            except TimeoutError:
                self.signal_gateway(signal.SIGKILL)
                await self._gateway.wait()
        self._gateway_file.forget()

    async def stop(self) -> None:
        """Stop everything that was started here."""
        await self.stop_gateway()
        await asyncio.gather(self.pbx.stop(), self.carrier.stop())
