"""A whole Numberpool in a temporary folder: an Asterisk with the rendered configuration, numbers, the gateway.

The trunk is known by its address, as an admin would set it up; each business line is an endpoint whose contact is a
port of this machine, where a SIPp answers as the test wishes.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from gateway.asterisk.render import render_texts, write_files
from gateway.local.asterisk import PrivateAsterisk
from gateway.local.processes import free_port, spawn
from gateway.local.programs import AsteriskHome
from gateway.settings import CallSettings, NodeSettings
from tests.stack import PROJECT, eventually

Health = Mapping[str, Mapping[str, str]]
Row = Mapping[str, Any]

# Callers of each address meet a trunk of their own.
TRUNK = "127.0.0.1"
TRUNK_TO = "127.0.0.5"  # set_var=NP_DID_FROM=to
TRUNK_TRUSTING = "127.0.0.6"  # trust_id_inbound=yes
TRUNK_PARTY = "127.0.0.7"  # set_var=NP_DID_FROM=party

_TRUNKS = {
    "trunk": (TRUNK, "trust_id_inbound=no"),
    "trunk-to": (TRUNK_TO, "set_var=NP_DID_FROM=to"),
    "trunk-trusting": (TRUNK_TRUSTING, "trust_id_inbound=yes"),
    "trunk-party": (TRUNK_PARTY, "set_var=NP_DID_FROM=party"),
}
_TRUNK = """
[{name}]
type=endpoint
context=numberpool-in
transport=udp
identify_by=ip
disallow=all
allow=ulaw
allow_transfer=no
allow_subscribe=no
direct_media=no
{extra}
[{name}]
type=identify
endpoint={name}
match={address}
"""
_LINE = """
[{name}]
type=endpoint
context=elsewhere
transport=udp
disallow=all
allow=ulaw
direct_media=no
aors={name}
{extra}
[{name}]
type=aor
{contact}
"""


@dataclass(frozen=True)
class Number:
    """A tracking number of the installation, and the business lines it rings, in order."""

    e164: str
    lines: tuple[str, ...] = ("main",)
    ring_seconds: int = 5
    record: bool | None = False
    whisper: str | None = None
    pool: str = "Print"


class Gateway:
    """The gateway's process: ``python -m gateway --config ... run``."""

    def __init__(self, folder: Path, toml: str, node: str = "pbx") -> None:
        self.folder = folder
        self.node = node
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "numberpool.toml"
        self.config.write_text(toml)
        self._output = folder / "log"
        self._process: asyncio.subprocess.Process | None = None
        self._began = 0

    async def start(self, *, ready: bool = True) -> None:
        """Start it; with ``ready``, return once it decides calls and the fallback routes are written."""
        self._began = self._output.stat().st_size if self._output.exists() else 0
        command = [sys.executable, "-m", "gateway", "--config", str(self.config), "run"]
        self._process = await spawn(command, self._output, {**os.environ, "PYTHONPATH": _path()})
        if ready:
            await self.wait_ready()

    async def wait_ready(self) -> None:
        """Return once it decides calls and the fallback routes are written."""
        parts = [f"asterisk:{self.node}", f"asterisk:{self.node}:store"]

        async def is_ready() -> bool:
            assert self._process is not None
            assert self._process.returncode is None, self.log[-4000:]
            health = await self.health()
            return all(health.get(part, {}).get("condition") == "ok" for part in parts)

        await eventually(is_ready, 90)  # it imports, migrates and logs in, beside everything else that runs

    async def health(self) -> Health:
        """What its health endpoint says, part by part; nothing while it does not answer."""
        url = next((line["url"] for line in self.log_lines() if line.get("event") == "pages"), None)
        if url is None:
            return {}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
                session.get(f"{url}/healthz") as answer,
            ):
                parts: Health = (await answer.json())["parts"]
                return parts
        except (aiohttp.ClientError, TimeoutError):
            return {}

    async def is_well(self) -> bool:
        """Whether it runs and decides calls."""
        running = self._process is not None and self._process.returncode is None
        return running and (await self.health()).get(f"asterisk:{self.node}", {}).get("condition") == "ok"

    async def wait_health(self, part: str, condition: str, seconds: float = 60) -> str:
        """Wait until ``part`` is in that ``condition``; what it says then."""
        said: list[str] = []

        async def says() -> bool:
            report = (await self.health()).get(part, {})
            said.append(report.get("message", ""))
            return report.get("condition") == condition

        await eventually(says, seconds, 0.05)
        return said[-1]

    @property
    def log(self) -> str:
        """What it has logged since the last start."""
        return self._output.read_bytes()[self._began :].decode(errors="replace") if self._output.exists() else ""

    def log_lines(self) -> list[dict[str, Any]]:
        """The same, line by line; what is no JSON (a traceback) is left out."""
        found: list[dict[str, Any]] = []
        for line in self.log.splitlines():
            with suppress(json.JSONDecodeError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict)]

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)

    def suspend(self) -> None:
        """Let it hang (SIGSTOP)."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self._send(signal.SIGCONT)

    async def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._send(signal.SIGKILL)
            await self._process.wait()

    async def stop(self) -> int:
        """End it as a service manager does; its exit code."""
        if self._process is None:
            return 0
        self.resume()
        self._send(signal.SIGTERM)
        try:
            async with asyncio.timeout(10):
                return await self._process.wait()
        except TimeoutError:
            await self.kill()
            raise AssertionError(f"the gateway did not stop\n{self.log[-4000:]}") from None


def _path() -> str:
    return os.pathsep.join(part for part in (str(PROJECT), os.environ.get("PYTHONPATH", "")) if part)


@dataclass
class Installation:
    """The parts, ready to start: ``await installation.start()``, and ``stop()``."""

    home: AsteriskHome
    folder: Path
    dsn: str
    numbers: Sequence[Number]
    lines: Sequence[str] = ("main",)
    extra_config: Mapping[str, str] = field(default_factory=dict)
    company: Mapping[str, Any] = field(default_factory=dict)
    # A PBX's 300 ms are for a machine that rings telephones and runs no tests beside them.
    bound_ms: int = 2000
    dialplan_contexts: Sequence[str] = ()
    trunks: Sequence[Mapping[str, str | bool]] = ()  # rules of lines that are trunks: [[nodes.trunks]] tables
    emergency_callers: Sequence[str] = ()
    endpoints: Mapping[str, str] = field(default_factory=dict)  # what the endpoint of a line says besides
    log_level: str = "debug"
    verbose: int = 4  # of Asterisk's log
    # What an AMI account or the dialplan looks like can be spoilt before the start: (text, what takes its place) of the
    # file whose name starts so.
    spoil: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = {line: free_port("127.0.0.1", socket.SOCK_DGRAM) for line in self.lines}
        self.spool = self.folder / "spool"
        self.conf = self.folder / "conf"
        self.data = self.folder / "data"
        for part in ("outbox", "recordings"):
            (self.spool / part).mkdir(parents=True, exist_ok=True)
        self.pbx = PrivateAsterisk(self.home, self.folder / "pbx", name="pbx", config={}, verbose=self.verbose)
        self.node = NodeSettings.model_validate(
            {"name": "pbx", "port": self.pbx.ami_port, "secret": "s-calls", "store_secret": "s-store"}
            | {"spool": self.spool, "trunks": self.trunks}
        )
        self.pbx.config.update(self._config())
        self.gateway = self.another_gateway("gateway")

    def another_gateway(self, name: str, *, secret: str = "s-calls", store_secret: str = "s-store") -> Gateway:
        """A gateway for the same Asterisk and database, not yet started."""
        return Gateway(self.folder / name, self._toml(secret, store_secret))

    def _toml(self, secret: str, store_secret: str) -> str:
        return (
            f'data_folder = "{self.data}"\n[postgres]\ndsn = "{self.dsn}"\n[pages]\nport = 0\n'
            f'[collector]\nport = 0\n[log]\nlevel = "{self.log_level}"\njson_lines = true\n'
            f"[calls]\nring_seconds = 5\ndecision_bound_ms = {self.bound_ms}\n"
            f"dialplan_contexts = {json.dumps(list(self.dialplan_contexts))}\n"
            f"emergency_callers = {json.dumps(list(self.emergency_callers))}\n"
            f'[[nodes]]\nname = "pbx"\nport = {self.pbx.ami_port}\nsecret = "{secret}"\n'
            f'store_secret = "{store_secret}"\nspool = "{self.spool}"\n'
            + "".join(
                "[[nodes.trunks]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in trunk.items())
                for trunk in self.trunks
            )
        )

    def _config(self) -> dict[str, str]:
        trunks = "".join(
            _TRUNK.format(name=name, address=address, extra=extra) for name, (address, extra) in _TRUNKS.items()
        )
        lines = "".join(
            _LINE.format(
                name=name,
                contact=f"contact=sip:{name}@127.0.0.1:{port}",
                extra=f"trust_id_inbound=no\n{self.endpoints.get(name, '')}",
            )
            for name, port in self.ports.items()
        )
        own = {
            "extensions.conf": f"#include {self.conf}/numberpool-extensions.conf\n",
            "manager.conf": f"#include {self.conf}/numberpool-manager.conf\n",
            "features.conf": f"[applicationmap]\n#include {self.conf}/numberpool-features.conf\n",
            "pjsip.conf": f"[global]\ntype=global\nignore_uri_user_options=yes\n{trunks}{lines}",
        }
        return {
            name: own.get(name, "") + self.extra_config.get(name, "") for name in sorted({*own, *self.extra_config})
        }

    def render(self) -> None:
        """Write the rendered configuration, spoilt where the test wants it."""
        calls = CallSettings(
            decision_bound_ms=self.bound_ms,
            ring_seconds=5,
            dialplan_contexts=tuple(self.dialplan_contexts),
            emergency_callers=tuple(self.emergency_callers),
        )
        texts = render_texts(self.node, calls, self.conf)
        for start, (before, after) in self.spoil.items():
            name = next(name for name in texts if name.startswith(start))
            assert before in texts[name], f"{name} has no {before!r}"
            texts[name] = texts[name].replace(before, after)
        write_files(texts, self.conf)

    async def start(self, *, gateway: bool = True) -> None:
        """Fill the database, start Asterisk, then the gateway."""
        self.render()
        await self.add_company()
        await self.pbx.start()
        if gateway:
            await self.gateway.start()

    async def stop(self) -> None:
        """Stop everything; the folder stays."""
        await self.gateway.stop()
        await self.pbx.stop()

    # -- the database ------------------------------------------------------------------------------------------------

    async def sql(self, query: str, *values: object) -> list[Row]:
        """Rows of a query that sees every company."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute("SET numberpool.companies = 'all'")
            return [dict(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    async def add_company(self) -> None:
        """Acme, its lines and its numbers."""
        company = {"record_calls": False, "announcement": None, "main_number": None} | dict(self.company)
        await self.sql(
            "INSERT INTO companies (name, region, is_default, record_calls, announcement, main_number) "
            "VALUES ('Acme', 'CA', true, $1, $2, $3)",
            company["record_calls"],
            company["announcement"],
            company["main_number"],
        )
        await self.sql("INSERT INTO sources (company_id, name) VALUES (1, 'Google Ads')")
        await self.sql(
            "INSERT INTO destinations (company_id, name, dial, ring_seconds, is_default) "
            "VALUES (1, 'main', 'PJSIP/main', 5, true)"
        )
        for number in self.numbers:
            await self.add_number(number)

    async def add_number(self, number: Number) -> None:
        """One number, with a chain of destinations of its own."""
        following: int | None = None
        for line in reversed(number.lines):
            dial = line if "/" in line else f"PJSIP/{line}"
            (row,) = await self.sql(
                "INSERT INTO destinations (company_id, name, dial, ring_seconds, next_id) VALUES (1, $1, $2, $3, $4) "
                "RETURNING id",
                f"{number.e164} {line}",
                dial,
                number.ring_seconds,
                following,
            )
            following = row["id"]
        await self.sql(
            "INSERT INTO pools (company_id, name, kind) VALUES (1, $1, 'static') ON CONFLICT DO NOTHING", number.pool
        )
        await self.sql(
            "INSERT INTO tracking_numbers "
            "(company_id, pool_id, e164, source_id, destination_id, record_calls, whisper) "
            "SELECT 1, id, $1, 1, $2, $3, $4 FROM pools WHERE name = $5",
            number.e164,
            following,
            number.record,
            number.whisper,
            number.pool,
        )

    async def newest(self) -> int:
        """The id of the newest call in the log; what comes later is above it."""
        return int((await self.sql("SELECT coalesce(max(id), 0) AS id FROM calls"))[0]["id"])

    async def ended(self, after: int, count: int = 1, seconds: float = 10) -> list[Row]:
        """The calls above ``after`` once there are ``count``, all ended and out of the outbox; never more."""
        rows: list[Row] = []

        async def are_in() -> bool:
            rows[:] = await self.sql("SELECT * FROM calls WHERE id > $1 ORDER BY id", after)
            done = [row for row in rows if row["state"] == "ended"]
            return len(done) >= count and len(done) == len(rows) and not any((self.spool / "outbox").iterdir())

        try:
            await eventually(are_in, seconds)
        except TimeoutError:
            left = [(file.name, file.read_text(errors="replace")) for file in (self.spool / "outbox").iterdir()]
            raise AssertionError(f"{count} calls wanted: {rows}, outbox {left}\n{self.gateway.log[-3000:]}") from None
        assert len(rows) == count, rows
        return rows

    async def ended_one(self, after: int, seconds: float = 10) -> Row:
        """The one call above ``after``, ended."""
        (row,) = await self.ended(after, 1, seconds)
        return row

    async def legs(self, call: Row) -> list[Row]:
        """A call's legs, in order."""
        return await self.sql("SELECT * FROM legs WHERE call_id = $1 ORDER BY position", call["id"])

    # -- Asterisk ----------------------------------------------------------------------------------------------------

    async def variable(self, name: str) -> str:
        """The value of one of Asterisk's global variables."""
        for line in (await self.pbx.cli("dialplan show globals")).splitlines():
            key, _, value = line.strip().partition("=")
            if key == name:
                return value
        return ""

    async def wait_quiet(self) -> None:
        """Return once no call is left in Asterisk."""

        async def is_quiet() -> bool:
            return "0 active channels" in await self.pbx.cli("core show channels")

        await eventually(is_quiet)

    async def wait_fallback(self, did: str, text: str) -> None:
        """Return once the fallback route of ``did`` contains ``text``."""

        async def contains() -> bool:
            return text in await self.pbx.cli(f"database get numberpool {did}")

        await eventually(contains)
