"""What a destination says before it answers (183 with sound) reaches the caller, and the call is not answered by it."""

from pathlib import Path

from gateway.local.programs import AsteriskHome
from tests.calls.scenarios import (
    Ear,
    Invite,
    caller_gives_up,
    caller_talks,
    line_answers,
    line_rings,
    receive,
    reply,
    sdp,
)
from tests.calls.sipp import Sipp
from tests.carriers.examples import example
from tests.carriers.rtp import Talker, speaking, talker
from tests.carriers.sip import audio_port
from tests.carriers.site import Site
from tests.installation import Installation, Number
from tests.stack import lasts

CARRIER = "127.0.0.9"
EARLY_HZ = 620.0
LONG = 1.5  # seconds of sound before anything else happens
DID = "+13065552001"


def build(home: AsteriskHome, folder: Path, dsn: str) -> Site:
    trunk = example("address", {"192.0.2.10": CARRIER, "transport-udp": "udp"})
    number = Number(DID, ("line",), record=True)
    return Site(Installation(home, folder, dsn, [number], ("line",), {"pjsip.conf": trunk}))


def instead(xml: str, before: str, after: str) -> str:
    """A scenario with one step replaced."""
    assert xml.count(before) == 1
    return xml.replace(before, after)


def says_before(sound: Talker) -> str:
    """The line's 183, whose sound comes from a port of ours."""
    return reply("183 Session Progress", body=sdp(Ear(sound.port)))


async def hears(site: Site, caller_xml: str, line_xml: str, says: Talker) -> Sipp:
    """Place the call while the line says its tone; the caller's SIPp, when all is over."""
    line = await site.exchange.line("line", line_xml)
    before = line.messages
    sipp = await site.exchange.place(caller_xml, address=CARRIER)
    port = await audio_port(line, "INVITE", before)
    async with speaking(says, (site.pbx.address, port), EARLY_HZ):
        await sipp.done()
    return sipp


async def test_heard_while_nobody_has_answered(site: Site, caller: str) -> None:
    before = await site.installation.newest()
    async with talker() as says, talker(CARRIER) as ear:
        line = instead(line_rings(), reply("180 Ringing"), says_before(says))
        gives_up = caller_gives_up(Invite(DID, caller), LONG)
        gives_up = instead(gives_up, receive("180"), receive("183"))
        gives_up = instead(gives_up, sdp(None).strip("\n"), sdp(Ear(ear.port)).strip("\n"))
        await hears(site, gives_up, line, says)
        assert ear.loudness(EARLY_HZ) > 0.1
        # A packet every 20 ms; all but those of the moment in which it began.
        assert len(ear.packets) > 0.5 * LONG / 0.02
    call = await site.installation.ended_one(before)
    assert (call["outcome"], call["answered_at"], call["talk_seconds"]) == ("abandoned", None, None)
    assert (call["recorded"], call["answered_by"]) == (False, None)
    assert lasts(call["ring_seconds"], LONG)


async def test_heard_before_the_answer_and_after_it(site: Site, caller: str) -> None:
    before = await site.installation.newest()
    async with talker() as says, talker(CARRIER) as ear:
        line = instead(line_answers(LONG, Ear(says.port)), reply("180 Ringing"), says_before(says))
        talks = caller_talks(Invite(DID, caller), 0.5, Ear(ear.port))
        await hears(site, talks, line, says)
        assert ear.loudness(EARLY_HZ) > 0.1
        assert len(ear.packets) > 0.5 * (LONG + 0.5) / 0.02
    call = await site.installation.ended_one(before)
    assert call["outcome"] == "answered"
    # The answer is the 200, not the sound before it.
    assert lasts(call["ring_seconds"], LONG)
    assert lasts(call["talk_seconds"], 0.5)
