"""The world outside the company's PBX: an Asterisk whose endpoints call in, and are called.

Whoever is on the line here speaks a tone, and what they hear is kept in a file, named by the caller's number.
"""

import itertools
import socket
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway.local.asterisk import PrivateAsterisk
from gateway.local.processes import free_port
from gateway.local.programs import AsteriskHome
from tests.calls.sipp import loudness, make_sound
from tests.stack import eventually

ADDRESS = "127.0.0.2"
CALLER_HZ, BUSINESS_HZ = 440.0, 1000.0
HIGH_HZ = 5500.0  # above what 8,000 samples a second can carry
_RATE = 16_000

_DIALPLAN = """
[globals]
HEARD = {heard}
[caller]
; Somebody who calls a tracking number; TALK is how long, DIGITS what they press first.
exten => s,1,Set(TIMEOUT(absolute)=${{TALK}})
 same => n,Set(FILE(${{HEARD}}/secure-${{CALLER}},,,al,u)=${{CHANNEL(rtp,secure)}} ${{CHANNEL(pjsip,secure)}})
 same => n,Set(FILE(${{HEARD}}/codec-${{CALLER}},,,al,u)=${{CHANNEL(audionativeformat)}})
 same => n,MixMonitor(,r(${{HEARD}}/caller-${{CALLER}}.sln16))
 same => n,ExecIf($["${{DIGITS}}" != ""]?Wait(0.5))
 same => n,ExecIf($["${{DIGITS}}" != ""]?SendDTMF(${{DIGITS}},100,150))
 same => n(again),Playback(${{SOUND}})
 same => n,Goto(again)
[line]
; A business line.
exten => talk,1,Set(FILE(${{HEARD}}/line-codec-${{CALLERID(num)}},,,al,u)=${{CHANNEL(audionativeformat)}})
 same => n,MixMonitor(,r(${{HEARD}}/line-${{CALLERID(num)}}.sln16))
 same => n,Answer()
 same => n,Set(SECURE=${{CHANNEL(rtp,secure)}} ${{CHANNEL(pjsip,secure)}})
 same => n,Set(FILE(${{HEARD}}/line-secure-${{CALLERID(num)}},,,al,u)=${{SECURE}})
 same => n(again),Playback({business})
 same => n,Goto(again)
exten => digits,1,Answer()
 same => n,Read(PRESSED,,4,,1,8)
 same => n,Set(FILE(${{HEARD}}/digits-${{CALLERID(num)}},,,al,u)=${{PRESSED}})
 same => n,Hangup()
exten => congested,1,Hangup(34)
exten => _X.,1,Goto(talk,1)
exten => _+X.,1,Goto(talk,1)
"""
_calls = itertools.count(1)


class FarEnd:
    """An Asterisk at an address of its own; ``config`` adds to its files before it starts."""

    def __init__(self, home: AsteriskHome, folder: Path, name: str = "far", address: str = ADDRESS) -> None:
        self.heard_folder = folder / f"{name}-heard"
        self.heard_folder.mkdir()
        self._tone = make_sound(folder, f"{name}-caller", CALLER_HZ, 20)
        self.high = _wideband(folder / f"{name}-high", HIGH_HZ, 20)
        dialplan = _DIALPLAN.format(
            heard=self.heard_folder,
            business=make_sound(folder, f"{name}-business", BUSINESS_HZ, 20),
        )
        self.asterisk = PrivateAsterisk(
            home,
            folder / name,
            name=name,
            address=address,
            config={"extensions.conf": dialplan, "pjsip.conf": ""},
            verbose=3,
        )

    @property
    def address(self) -> str:
        """Where it calls from."""
        return self.asterisk.address

    @property
    def at(self) -> str:
        """Address and port of its SIP."""
        return f"{self.asterisk.address}:{self.asterisk.sip_port}"

    def add(self, pjsip: str) -> None:
        """More for its pjsip.conf."""
        self.asterisk.config["pjsip.conf"] += pjsip

    async def start(self) -> None:
        """Start it."""
        await self.asterisk.start()

    async def stop(self) -> None:
        """Stop it, also when it hangs."""
        self.asterisk.resume()
        await self.asterisk.stop()

    def place(self, dial: str, caller: str, *, talk: float = 2.0, digits: str = "", sound: str = "") -> None:
        """Call ``dial`` (``PJSIP/+13065552001@trunk``) as ``caller``, who says ``sound`` or a tone; returns at once."""
        values = {"CALLER": caller, "TALK": f"{talk:.3f}", "DIGITS": digits, "SOUND": sound or self._tone}
        lines = [
            f"Channel: {dial}".replace(";", "\\;"),  # it begins a comment there
            f"CallerID: <{caller}>",
            *("Context: caller", "Extension: s", "Priority: 1", "WaitTime: 20", "MaxRetries: 0"),
            *(f"Setvar: {name}={value}" for name, value in values.items()),
        ]
        spool = self.asterisk.spool
        part = spool / "tmp" / f"{next(_calls)}.call"
        part.write_text("\n".join(lines) + "\n")
        part.rename(spool / "outgoing" / part.name)

    async def note(self, name: str, seconds: float = 15) -> str:
        """What the dialplan wrote into the file ``name``, once it has."""
        file = self.heard_folder / name

        async def is_written() -> bool:
            return file.exists() and file.read_text() != ""

        await eventually(is_written, seconds)
        return file.read_text().strip()

    def heard(self, side: str, caller: str) -> npt.NDArray[np.int16]:
        """What the caller (``caller``) or the business line (``line``) heard, 16,000 samples a second."""
        return np.fromfile(self.heard_folder / f"{side}-{caller}.sln16", "<i2")

    def loudness(self, side: str, caller: str, hertz: float) -> float:
        """How loud a tone was where there was any sound, 1 being full scale.

        The median over tenths of a second: a gap that a busy machine left shifts the tone and does not make it quieter.
        """
        samples = self.heard(side, caller)
        spoken = np.flatnonzero(np.abs(samples) > 300)
        if not len(spoken):
            return 0.0
        parts = np.array_split(samples[spoken[0] : spoken[-1] + 1], max(1, (spoken[-1] - spoken[0]) // (_RATE // 10)))
        return float(np.median([loudness(part, hertz, _RATE) for part in parts]))

    async def cli(self, command: str) -> str:
        """What its console answers."""
        return await self.asterisk.cli(command)


def _wideband(file: Path, hertz: float, seconds: int) -> str:
    """A tone of 16,000 samples a second; the file's name without its ending."""
    at = np.arange(_RATE * seconds) / _RATE
    file.with_suffix(".sln16").write_bytes((8000 * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes())
    return str(file)


def transport(name: str, at: str, **options: str) -> str:
    """A transport of pjsip.conf: an address of its own, by which the other side knows who calls."""
    return _section(name, "transport", {"protocol": "udp", "bind": at} | options)


def endpoint(name: str, contact: str = "", identify: str = "", **options: str) -> str:
    """An endpoint of pjsip.conf with its aor and, for those known by address, its identify."""
    settings = {
        "transport": "udp",
        "context": "line",
        "disallow": "all",
        "allow": "ulaw",
        "direct_media": "no",
        "aors": name,
    } | options
    contact_line = f"contact=sip:{contact}\n" if contact else ""
    return (
        _section(name, "endpoint", settings)
        + f"[{name}]\ntype=aor\n{contact_line}"
        + (_section(name, "identify", {"endpoint": name, "match": identify}) if identify else "")
    )


def _section(name: str, kind: str, settings: Mapping[str, str]) -> str:
    return f"\n[{name}]\ntype={kind}\n" + "".join(f"{key}={value}\n" for key, value in settings.items())


def free_udp(address: str) -> str:
    """An address and a port there that nobody uses."""
    return f"{address}:{free_port(address, socket.SOCK_DGRAM)}"


def free_tcp(address: str) -> str:
    """The same for TCP."""
    return f"{address}:{free_port(address)}"
