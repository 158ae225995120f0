"""Fax (trunks/fax.conf): T.38 passes through both ways, and fax numbers go straight to their machine."""

import itertools
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.local.processes import free_port
from gateway.local.programs import AsteriskHome
from tests.calls.scenarios import (
    Ear,
    Invite,
    caller_listens,
    caller_talks,
    line_answers,
    message,
    ok,
    receive,
    reply,
    sdp,
)
from tests.calls.sipp import Sipp, make_sound
from tests.carriers.examples import example
from tests.carriers.rtp import Talker, talker
from tests.carriers.sip import audio_port
from tests.carriers.site import Site, same_in_every_example, settings
from tests.installation import Installation, Number, Row
from tests.stack import eventually

CARRIER = "127.0.0.12"
DID = "+13065552009"
WHISPER_HZ, ANNOUNCEMENT_HZ = 620.0, 900.0
# What Asterisk answers to the one that asked (T.38, annex D; RFC 3362 has the media type).
T38 = """v=0
o=- 1 2 IN IP4 [media_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=image {port} udptl t38
a=T38FaxVersion:0
a=T38MaxBitRate:14400
a=T38FaxRateManagement:transferredTCF
a=T38FaxMaxDatagram:400
a=T38FaxUdpEC:t38UDPRedundancy
"""


class FaxSite(Site):
    """Knows the port of the fax machine."""

    def __init__(self, installation: Installation, machine: int) -> None:
        super().__init__(installation)
        self.machine = machine


def build(home: AsteriskHome, folder: Path, dsn: str) -> FaxSite:
    """The number is recorded, whispers and is announced, as far as number, pool and company have a say."""
    machine = free_port("127.0.0.1", socket.SOCK_DGRAM)
    trunk = example(
        "fax",
        {
            "192.0.2.10": CARRIER,
            "192.168.1.30:5060": f"127.0.0.1:{machine}",
            "transport-udp": "udp",
            "qualify_frequency=60": "qualify_frequency=0",  # SIPp answers no OPTIONS
        },
    )
    number = Number(DID, ("PJSIP/fax",), record=True, whisper=make_sound(folder, "whisper", WHISPER_HZ, 0.4))
    company = {"record_calls": True, "announcement": make_sound(folder, "announcement", ANNOUNCEMENT_HZ, 0.4)}
    pbx = Installation(home, folder, dsn, [number], (), {"pjsip.conf": trunk}, company)
    return FaxSite(pbx, machine)


async def mark(site: Site, fax: bool) -> None:
    """Say that a fax machine is behind the number, or not; returns once the fallback route knows."""
    await site.installation.sql("UPDATE tracking_numbers SET fax = $1 WHERE e164 = $2", fax, DID)
    await site.installation.wait_fallback(DID, "|0|||PJSIP/fax^" if fax else "|1|/")


@asynccontextmanager
async def machine(site: FaxSite, xml: str) -> AsyncIterator[Sipp]:
    """The fax machine, while the block runs."""
    sipp = Sipp(site.installation.home, site.installation.folder / "sipp", xml, port=site.machine)
    await sipp.start()
    try:
        yield sipp
    finally:
        await sipp.stop()


async def heard(site: FaxSite, caller: str) -> tuple[Row, float, float]:
    """A call to the number: its row, how loud the caller heard the announcement, and the machine the whisper."""
    before = await site.installation.newest()
    async with talker() as line, talker(CARRIER) as ear:
        async with machine(site, line_answers(0.3, Ear(line.port))):
            sipp = await site.exchange.place(caller_talks(Invite(DID, caller), 2.5, Ear(ear.port)), address=CARRIER)
            await sipp.done()
        announced, whispered = ear.loudness(ANNOUNCEMENT_HZ), line.loudness(WHISPER_HZ)
    return await site.installation.ended_one(before), announced, whispered


async def test_what_matters_in_it(site: FaxSite) -> None:
    for name in ("carrier-fax", "fax"):
        shown = settings(await site.pbx.cli(f"pjsip show endpoint {name}"))
        assert {("t38_udptl", "true"), ("direct_media", "false")} <= set(shown)
    trunk = settings(await site.pbx.cli("pjsip show endpoint carrier-fax"))
    assert set(same_in_every_example()) <= set(trunk)
    assert site.complaints() == []


async def test_a_fax_number_goes_straight_to_its_machine(site: FaxSite, caller: str) -> None:
    """Whatever number, pool and company say; with the mark taken away, they have their way."""
    await site.installation.sql("UPDATE pools SET record_calls = true")
    await mark(site, True)
    call, announced, whispered = await heard(site, caller)
    assert (call["outcome"], call["decided_by"], call["answered_by"]) == ("answered", "gateway", "PJSIP/fax")
    assert (call["recorded"], announced < 0.001, whispered < 0.001) == (False, True, True)
    assert not await site.installation.sql("SELECT 1 FROM recordings WHERE call_id = $1", call["id"])

    await mark(site, False)
    call, announced, whispered = await heard(site, caller)
    assert (call["recorded"], announced > 0.02, whispered > 0.02) == (True, True, True)


async def test_also_when_nobody_decides(site: FaxSite, caller: str) -> None:
    """By the fallback route."""
    await mark(site, True)
    before = await site.installation.newest()
    await site.installation.gateway.kill()
    try:
        async with talker() as line, machine(site, line_answers(0.1, Ear(line.port))):
            sipp = await site.exchange.place(caller_talks(Invite(DID, caller), 0.8), address=CARRIER)
            await sipp.done()
            assert line.loudness(WHISPER_HZ) < 0.001
    finally:
        await site.installation.gateway.start()
    call = await site.installation.ended_one(before)
    assert (call["decided_by"], call["answered_by"], call["recorded"]) == ("fallback", "PJSIP/fax", False)


# -- T.38 --------------------------------------------------------------------------------------------------------------


def _t38(port: int) -> str:
    return T38.format(port=port)


def _asks(head: list[str], acknowledge: list[str], port: int) -> str:
    """A re-INVITE to T.38, and its answer."""
    answered = receive("100", 'optional="true"') + receive("200")
    return message(head, _t38(port), 'retrans="500"') + answered + message(acknowledge)


def _agrees(port: int) -> str:
    """The answer to a re-INVITE to T.38."""
    echoed = ("[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]")
    contact = "Contact: <sip:fax@[local_ip]:[local_port]>"
    answer = message(["SIP/2.0 200 OK", *echoed, contact], _t38(port), 'retrans="500"')
    return receive("INVITE") + answer + receive("ACK")


def sender(caller: str, audio: int, image: int, asks: bool) -> str:
    """Calls, switches to T.38 by itself or when it is asked to, and waits for the end."""
    invite = Invite(DID, caller)
    again, acknowledge = invite.head("INVITE", 2, to_tag=True), invite.head("ACK", 2, to_tag=True, after_ok=True)
    switch = _asks(again, acknowledge, image) if asks else _agrees(image)
    return caller_listens(invite, Ear(audio), meanwhile=[switch])


def receiver(audio: int, image: int, asks: bool) -> str:
    """The fax machine: answers, switches to T.38 when it is asked to or by itself, and waits for the end."""
    head, acknowledge = (
        [
            f"{method} [next_url] SIP/2.0",
            "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
            "From: [$line]",
            "To: [$caller]",
            "Call-ID: [call_id]",
            f"CSeq: 1 {method}",
            "Contact: <sip:fax@[local_ip]:[local_port]>",
            "Max-Forwards: 70",
        ]
        for method in ("INVITE", "ACK")
    )
    answers = line_answers(0.1, Ear(audio))
    end = receive("BYE") + "\n" + ok()
    assert answers.count(end) == 1
    switch = _asks(head, acknowledge, image) if asks else _agrees(image)
    # Asterisk may take the call back to audio before it ends it.
    back = receive("INVITE", 'optional="true" next="1"') + receive("BYE", 'next="2"') + '<label id="1"/>'
    back += reply("200 OK", body=sdp(Ear(audio)), attributes='retrans="500"') + receive("ACK") + receive("BYE")
    return answers.replace(end, switch + back + '<label id="2"/>' + ok())


async def travels(page: bytes, says: Talker, to: tuple[str, int], hears: Talker) -> None:
    """Send ``page`` in packets of UDPTL (T.38, clause 9.1) until it arrives; the way there is open within a moment."""
    numbers = itertools.count()

    async def arrives() -> bool:
        says.send(struct.pack("!HB", next(numbers), len(page)) + page + b"\0\0", to)
        return any(page in packet for packet in hears.packets)

    await eventually(arrives, 20, 0.05)


@pytest.mark.parametrize("who", ["the machine", "the carrier"])
async def test_t38_passes_through(site: FaxSite, caller: str, who: str) -> None:
    """Either side asks for it, as machines do when they hear a fax; pages then travel as packets of T.38."""
    await mark(site, True)
    before = await site.installation.newest()
    asks = who == "the machine"
    async with (
        talker(CARRIER) as voice,
        talker(CARRIER) as sends,
        talker() as tones,
        talker() as gets,
        machine(site, receiver(tones.port, gets.port, asks)) as fax,
    ):
        sipp = await site.exchange.place(sender(caller, voice.port, sends.port, not asks), address=CARRIER)
        asked, asker = (sipp, fax) if asks else (fax, sipp)
        here, there = (sends, gets) if asks else (gets, sends)
        to_asked = (site.pbx.address, await audio_port(asked, "INVITE", kind="image"))
        to_asker = (site.pbx.address, await audio_port(asker, "SIP/2.0 200 OK", kind="image"))
        await travels(b"\xc0\x01\x80\x00\x00\xff", here, to_asked, there)
        await travels(b"\xc0\x01\x80\x00\x00\xfe", there, to_asker, here)
        (channel,) = re.findall(r"^PJSIP/carrier-fax-[^!]+", await site.pbx.cli("core show channels concise"), re.M)
        await site.pbx.cli(f"channel request hangup {channel}")
        await sipp.done()
    call = await site.installation.ended_one(before)
    assert (call["outcome"], call["recorded"]) == ("answered", False)
