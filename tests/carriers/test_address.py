"""A trunk known by its address (trunks/address.conf), and every codec a carrier may speak."""

from pathlib import Path

from gateway.local.programs import AsteriskHome
from tests.calls.scenarios import Invite, caller_refused
from tests.carriers.examples import example
from tests.carriers.far_end import BUSINESS_HZ, CALLER_HZ, HIGH_HZ, FarEnd, endpoint
from tests.carriers.site import Site, same_in_every_example, settings
from tests.installation import Installation, Number

CODECS = ("ulaw", "alaw", "g722", "opus")
# A business line for each codec, and one that speaks them all.
NUMBERS = {
    codec: Number(f"+1306555200{n}", (f"PJSIP/talk@line-{codec}",), record=True) for n, codec in enumerate(CODECS)
}
STRANGER = "127.0.0.9"


def build(home: AsteriskHome, folder: Path, dsn: str) -> Site:
    far = FarEnd(home, folder)
    trunk = example("address", {"192.0.2.10:5060": far.at, "192.0.2.10": far.address, "transport-udp": "udp"})
    lines = "".join(endpoint(f"line-{codec}", far.at, allow=codec) for codec in CODECS)
    pbx = Installation(home, folder, dsn, list(NUMBERS.values()), extra_config={"pjsip.conf": trunk + lines})
    at = f"{pbx.pbx.address}:{pbx.pbx.sip_port}"
    far.add(endpoint("pbx", identify=pbx.pbx.address, allow=",".join(CODECS)))
    far.add("".join(endpoint(f"to-{codec}", at, allow=codec) for codec in CODECS))
    return Site(pbx, far)


async def test_what_matters_in_it(site: Site) -> None:
    shown = await site.pbx.cli("pjsip show endpoint carrier-ip")
    assert {*same_in_every_example(), ("allow", "(ulaw|alaw|g722|opus)")} <= set(settings(shown))
    assert site.complaints() == []


async def test_every_codec_on_either_side(site: Site) -> None:
    """Each kind of caller talks with each kind of line, all at once; both hear the other, and all is recorded."""
    before = await site.installation.newest()
    callers = {f"+1306444{a}{b}00": (trunk, line) for a, trunk in enumerate(CODECS) for b, line in enumerate(CODECS)}
    for caller, (trunk, line) in callers.items():
        site.far.place(f"PJSIP/{NUMBERS[line].e164}@to-{trunk}", caller)
    calls = await site.installation.ended(before, len(callers), 40)
    for call in calls:
        trunk, line = callers[call["caller"]]
        heard = {
            "trunk speaks": await site.far.note(f"codec-{call['caller']}") == f"({trunk})",
            "line speaks": await site.far.note(f"line-codec-{call['caller']}") == f"({line})",
            "line hears": site.far.loudness("line", call["caller"], CALLER_HZ) > 0.15,
            "caller hears": site.far.loudness("caller", call["caller"], BUSINESS_HZ) > 0.15,
            "answered": (call["outcome"], call["trunk"]) == ("answered", "carrier-ip"),
            "recorded": (await site.recording(call))["state"] == "ready",
        }
        assert all(heard.values()), (trunk, line, heard)


async def test_wideband_is_heard_as_wideband(site: Site, caller: str) -> None:
    """From G.722 to G.722 nothing on the way narrows it: a tone that no old telephone line would carry arrives."""
    call = await site.call(NUMBERS["g722"].e164, caller, "to-g722", sound=site.far.high)
    assert (await site.recording(call))["rate"] == 16000
    assert site.far.loudness("line", caller, HIGH_HZ) > 0.1


async def test_the_dialled_number_with_what_number_portability_adds(site: Site, caller: str) -> None:
    call = await site.call(f"{NUMBERS['ulaw'].e164};npdi=yes", caller, "to-ulaw", talk=0.3)
    assert (call["did"], call["outcome"]) == (NUMBERS["ulaw"].e164, "answered")


async def test_a_stranger_cannot_use_the_trunks_name(site: Site, caller: str) -> None:
    before = await site.installation.newest()
    invite = Invite(NUMBERS["ulaw"].e164, caller, from_=f"<sip:carrier-ip@{STRANGER}>")
    sipp = await site.exchange.place(caller_refused(invite, 401), address=STRANGER)
    await sipp.done()
    assert await site.installation.newest() == before
