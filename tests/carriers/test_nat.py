"""Behind NAT (trunks/nat.conf): whoever is outside is told our address outside, and is answered where it really is."""

import re
import socket
from pathlib import Path

from gateway.local.processes import free_port
from gateway.local.programs import AsteriskHome
from tests.calls.scenarios import PROVISIONAL, Ear, line_answers, message, ok, receive, scenario
from tests.calls.sipp import Sipp
from tests.carriers.examples import example
from tests.carriers.far_end import endpoint, free_udp
from tests.carriers.rtp import Talker, speaking, talker
from tests.carriers.sip import audio_port, received
from tests.carriers.site import Site, same_in_every_example, settings
from tests.installation import Installation, Number

CARRIER, INSIDE = "127.0.0.9", "127.0.0.1"
# Our address on the internet, and what a carrier behind a NAT of its own says of itself: nothing listens at either.
OUTSIDE, NOWHERE = "127.0.0.88", "127.0.0.99"
PHONE, MOBILE = Number("+13065552001", ("PJSIP/phone",)), Number("+13065552002", ("PJSIP/+13065559876@carrier-nat",))
BUSINESS_HZ, CALLER_HZ = 1000.0, 440.0
TALK = 2.0  # seconds


class NatSite(Site):
    """Knows where the transport that is behind NAT listens, and where a mobile and a phone are."""

    def __init__(self, installation: Installation, bind: str, mobile: str, phone: int) -> None:
        super().__init__(installation)
        self.port = int(bind.split(":")[1])
        self.mobile = int(mobile.split(":")[1])
        self.phone = phone


def build(home: AsteriskHome, folder: Path, dsn: str) -> NatSite:
    bind, mobile, phone = free_udp(INSIDE), free_udp(CARRIER), free_port(INSIDE, socket.SOCK_DGRAM)
    trunk = example(
        "nat",
        {
            "0.0.0.0:5060": bind,
            "203.0.113.10": OUTSIDE,
            "local_net=127.0.0.0/8": f"local_net={INSIDE}/32",
            "192.0.2.10:5060": mobile,
            "192.0.2.10": CARRIER,
            "qualify_frequency=25": "qualify_frequency=0",  # SIPp answers no OPTIONS
        },
    )
    inside = endpoint("phone", f"phone@{INSIDE}:{phone}", transport="transport-nat")
    pbx = Installation(home, folder, dsn, [PHONE, MOBILE], (), {"pjsip.conf": trunk + inside})
    return NatSite(pbx, bind, mobile, phone)


def lying_caller(did: str, caller: str, port: int) -> str:
    """Calls from behind a NAT that it knows nothing of: Via, Contact and SDP name an address where nobody is."""
    head = [
        "From: <sip:{caller}@{nowhere}>;tag=[pid]-[call_number]",
        "Call-ID: [call_id]",
        "Contact: <sip:caller@{nowhere}:5070>",
        "Max-Forwards: 70",
    ]
    lines = [line.format(caller=caller, nowhere=NOWHERE) for line in head]

    def request(method: str, transaction: str, to_tag: str = "", body: str = "") -> str:
        return message(
            [
                f"{method} sip:{did}@[remote_ip]:[remote_port] SIP/2.0",
                f"Via: SIP/2.0/UDP {NOWHERE}:5070;branch=z9hG4bK-[pid]-[call_number]-{transaction}",
                f"To: <sip:{did}@[remote_ip]>{to_tag}",
                f"CSeq: 1 {method}",
                *lines,
            ],
            body,
        )

    body = f"v=0\no=- 1 1 IN IP4 {NOWHERE}\ns=-\nc=IN IP4 {NOWHERE}\nt=0 0\nm=audio {port} RTP/AVP 0\n"
    return scenario(
        request("INVITE", "1", body=body),
        PROVISIONAL,
        receive("200"),
        request("ACK", "2", "[peer_tag_param]"),
        receive("BYE"),
        ok(),
    )


async def place(site: NatSite, did: str, caller: str, sound: Talker) -> Sipp:
    """Start the lying caller."""
    sipp = Sipp(
        site.installation.home,
        site.installation.folder / "sipp",
        lying_caller(did, caller, sound.port),
        (INSIDE, site.port),
        address=CARRIER,
        calls=1,
    )
    await sipp.start()
    return sipp


async def answerer(site: NatSite, address: str, port: int, sound: Talker) -> Sipp:
    """A line at an address, which hangs up after a while."""
    xml = line_answers(tone=Ear(sound.port), hangs_up_after=TALK)
    sipp = Sipp(site.installation.home, site.installation.folder / "sipp", xml, address=address, port=port)
    await sipp.start()
    return sipp


async def test_what_matters_in_it(site: NatSite) -> None:
    shown = settings(await site.pbx.cli("pjsip show endpoint carrier-nat"))
    assert {*same_in_every_example(), ("force_rport", "true"), ("rewrite_contact", "true")} <= set(shown)
    assert site.complaints() == []


async def test_a_caller_whose_addresses_lead_nowhere(site: NatSite, caller: str) -> None:
    """Answers, audio and the BYE go to where its packets come from; the phone inside is told our own address."""
    before = await site.installation.newest()
    async with talker(CARRIER) as outside, talker(INSIDE) as inside:
        line = await answerer(site, INSIDE, site.phone, inside)
        sipp = await place(site, PHONE.e164, caller, outside)
        try:
            to_caller = (INSIDE, await audio_port(sipp, "SIP/2.0 200 OK"))
            to_line = (INSIDE, await audio_port(line, "INVITE"))
            async with speaking(outside, to_caller, CALLER_HZ), speaking(inside, to_line, BUSINESS_HZ):
                await sipp.done()
        finally:
            await sipp.stop()
            await line.stop()
        assert outside.loudness(BUSINESS_HZ) > 0.15
        assert inside.loudness(CALLER_HZ) > 0.15
    call = await site.installation.ended_one(before)
    assert (call["outcome"], call["hung_up_by"], call["trunk"]) == ("answered", "business", "carrier-nat")
    answer = received(sipp, "SIP/2.0 200 OK")
    assert f"c=IN IP4 {OUTSIDE}" in answer
    assert re.search(rf"Contact: <sip:[^>]*{OUTSIDE}:{site.port}", answer)
    assert INSIDE not in answer.partition("Contact:")[2]
    offer = received(line, "INVITE")
    assert OUTSIDE not in offer
    assert f"c=IN IP4 {INSIDE}" in offer


async def test_a_call_that_goes_out_names_our_address_outside(site: NatSite, caller: str) -> None:
    before = await site.installation.newest()
    async with talker(CARRIER) as outside, talker(CARRIER) as far:
        line = await answerer(site, CARRIER, site.mobile, far)
        sipp = await place(site, MOBILE.e164, caller, outside)
        try:
            await sipp.done()
        finally:
            await sipp.stop()
            await line.stop()
    call = await site.installation.ended_one(before)
    assert (call["outcome"], call["answered_by"]) == ("answered", "PJSIP/carrier-nat")
    offer = received(line, "INVITE")
    assert f"c=IN IP4 {OUTSIDE}" in offer
    assert re.search(rf"Via: SIP/2.0/UDP {OUTSIDE}:{site.port}", offer)
    assert re.search(rf"Contact: <sip:[^>]*{OUTSIDE}:{site.port}", offer)
    assert INSIDE not in offer
