"""A company's own PBX around the tracking numbers: extensions, a carrier for outside calls, parking, pickup, a queue.

What stands here is what an admin would have written before Numberpool came; nothing in it knows of us.
"""

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.local.processes import free_port
from tests.calls.phones import PHONES, Phone
from tests.calls.sipp import make_sound
from tests.installation import Installation

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
exten => _10X,1,Dial(PJSIP/${EXTEN},10,${OFFICE_DIAL})
 same => n,Hangup()
exten => _9X.,1,Dial(PJSIP/${EXTEN:1}@outside,10)
 same => n,Hangup()
; A colleague's phone that never leaves the exchange's own channels, and one that does.
exten => _20X,1,Dial(Local/1${EXTEN:1}@internal/n,10)
 same => n,Hangup()
exten => _30X,1,Dial(Local/1${EXTEN:1}@internal,10)
 same => n,Hangup()
exten => 400,1,Answer()
 same => n,Queue(sales,,,,20)
exten => 500,1,Answer()
 same => n,Wait(30)
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
transferdigittimeout => 3
atxfernoanswertimeout => 5
"""


@dataclass
class Office(Installation):
    """An installation whose business lines are telephones, and behind them the rest of a PBX."""

    queue: Sequence[str] = ("PJSIP/101",)

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
            "features.conf": _FEATURES,
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
