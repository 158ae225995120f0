"""A company's own PBX around the tracking numbers: extensions, a carrier for outside calls, parking, pickup, a queue.

What stands here is what an admin would have written before Numberpool came; nothing in it knows of us.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.local.processes import free_port
from tests.calls.exchange import Exchange
from tests.calls.phones import PHONES, Line, Phone
from tests.calls.sipp import Sipp, make_sound
from tests.installation import Installation, Row
from tests.stack import eventually

# Each extension's voice, in Hz, so that a recording says who spoke.
VOICES = {"101": 1000, "102": 700, "103": 1300}
MUSIC_HZ = 330
# An outside number is dialled with a 9 before it; the carrier's side is the line "outside".
OUTSIDE = "915551234567"
PARK = "700"
PARK_BRIEFLY = "710"  # a lot whose parked calls come back after two seconds
NOBODY = "199"  # is in no dialplan
PICKUP = "*8"  # whoever rings in one's group; with an extension behind it, that one

_EXTENSIONS = """
[internal]
exten => _10X,1,Dial(PJSIP/${EXTEN},10)
 same => n,Hangup()
exten => _9X.,1,Dial(PJSIP/${EXTEN:1}@outside,10)
 same => n,Hangup()
; One that gives up soon.
exten => _12X,1,Dial(PJSIP/10${EXTEN:2},1)
 same => n,Hangup()
; A colleague's phone that never leaves the exchange's own channels, and one that does.
exten => _20X,1,Dial(Local/1${EXTEN:1}@internal/n,10)
 same => n,Hangup()
exten => _30X,1,Dial(Local/1${EXTEN:1}@internal,10)
 same => n,Hangup()
exten => 400,1,Answer()
 same => n,Queue(sales,,,,20)
; With the keys of features.conf for both sides.
exten => _60X,1,Dial(PJSIP/1${EXTEN:1},10,tT)
 same => n,Hangup()
exten => _*81XX,1,PickupChan(PJSIP/${EXTEN:2},p)
 same => n,Hangup()
; Somebody transfers a call to one of the company's own tracking numbers.
exten => _+X.,1,Goto(numberpool-in,${EXTEN},1)
include => parkedcalls
include => parkedbriefly
"""
_PARKING = """
[general]
[default]
parkext=700
parkpos=701-709
context=parkedcalls
parkingtime=60
parkedmusicclass=default
[brief]
parkext=710
parkext_exclusive=yes
parkpos=711-719
context=parkedbriefly
parkingtime=2
comebacktoorigin=yes
comebackdialtime=10
"""
_QUEUES = """
[general]
[sales]
strategy=ringall
timeout=15
ringinuse=yes
{members}
"""
_PHONE = """
[{name}]
type=endpoint
context=internal
transport=udp
disallow=all
allow=ulaw
direct_media=no
aors={name}
callerid=Agent {name} <{name}>
call_group=1
pickup_group=1
[{name}]
type=aor
contact=sip:{name}@{address}:{port}
"""


_FEATURES = """
[featuremap]
blindxfer => #1
atxfer => *2
[general]
pickupexten => *8
; Not "transfer", spoken: the tests' Asterisk has no voices.
transferannouncesound => {sound}
transferdigittimeout => 3
atxfernoanswertimeout => 5
"""


@dataclass
class Office(Installation):
    """An installation whose business lines are telephones, and behind them the rest of a PBX."""

    queue: Sequence[str] = ("Local/103@internal/n",)

    def __post_init__(self) -> None:
        self.phone_ports = {name: free_port(PHONES, socket.SOCK_DGRAM) for name in VOICES}
        self.lines = (*self.lines, "outside")
        self.extra_config = _joined(self._office(), self.extra_config)
        super().__post_init__()

    def _office(self) -> Mapping[str, str]:
        music = self.folder / "music"
        music.mkdir(parents=True, exist_ok=True)
        make_sound(music, "music", MUSIC_HZ, 10)
        phones = (_PHONE.format(name=name, address=PHONES, port=port) for name, port in self.phone_ports.items())
        return {
            "extensions.conf": _EXTENSIONS,
            "features.conf": _FEATURES.format(sound=make_sound(self.folder, "transfer", MUSIC_HZ, 0.05)),
            "modules.conf": "load = res_parking.so\nload = res_musiconhold.so\n",
            "musiconhold.conf": f"[default]\nmode=files\ndirectory={music}\n",
            "pjsip.conf": "".join(phones),
            "queues.conf": _QUEUES.format(members="\n".join(f"member => {member}" for member in self.queue)),
            "res_parking.conf": _PARKING,
        }


def _joined(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    return {name: first.get(name, "") + second.get(name, "") for name in {**first, **second}}


Phones = Mapping[str, Phone]


@asynccontextmanager
async def plugged_in(office: Office) -> AsyncIterator[Phones]:
    """The office's telephones while the block runs, by extension."""
    exchange = (office.pbx.address, office.pbx.sip_port)
    async with AsyncExitStack() as plugs:
        phones: dict[str, Phone] = {}
        for name, port in office.phone_ports.items():
            phones[name] = await Phone.plug_in(name, port, exchange, VOICES[name])
            plugs.push_async_callback(phones[name].unplug)
        yield phones


async def talks(installation: Installation, phone: Phone, calls: int = 1) -> None:
    """Return once so many calls of ``phone`` are connected with somebody; Asterisk refuses to transfer any other."""

    async def is_connected() -> bool:
        channels = await installation.pbx.cli("core show channels concise")
        fields = (line.split("!") for line in channels.splitlines() if line.startswith(f"PJSIP/{phone.name}-"))
        return sum(len(field) > 12 and bool(field[12]) for field in fields) >= calls

    await eventually(is_connected)


@dataclass
class IncomingCall:
    """A SIPp that calls a tracking number, and the phone that answered it."""

    exchange: Exchange
    sipp: Sipp
    line: Line
    before: int
    answered_at: float

    @classmethod
    async def answered(cls, exchange: Exchange, scenario: str, phone: Phone, talk: float = 0.3) -> "IncomingCall":
        """Place the call that ``scenario`` says; ``phone`` picks it up and talks for so many seconds at least."""
        before = await exchange.installation.newest()
        sipp = await exchange.place(scenario)
        line = await phone.answers()
        answered_at = asyncio.get_running_loop().time()
        await talks(exchange.installation, phone)
        await asyncio.sleep(talk)
        return cls(exchange, sipp, line, before, answered_at)

    async def taken_by(self, phone: Phone, rings: float = 0.2) -> Line:
        """``phone`` rings for so many seconds, picks up, and talks."""
        line = await phone.rings()
        await asyncio.sleep(rings)
        await line.answer()
        await talks(self.exchange.installation, phone)
        return line

    @property
    def so_far(self) -> float:
        """Seconds since the answer."""
        return asyncio.get_running_loop().time() - self.answered_at

    async def over(self) -> Row:
        """Once it is over for everybody: its one row."""
        await self.sipp.done()
        row = await self.exchange.installation.ended_one(self.before)
        await self.exchange.installation.wait_quiet()
        return row


@dataclass(frozen=True)
class Part:
    """What of a leg is no time."""

    kind: str
    dial: str
    result: str
    answered_by: str | None


async def parts(installation: Installation, call: Row) -> list[Part]:
    """A call's legs in order."""
    return [Part(leg["kind"], leg["dial"], leg["result"], leg["answered_by"]) for leg in await installation.legs(call)]
